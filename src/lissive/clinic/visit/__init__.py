"""The queue of the day, the record of a visit, and why a visit cannot go on to a signature."""

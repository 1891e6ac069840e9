"""What does the body do? Model texts in Antimony, parameter tables, and the way from text to equations."""

"""May this person have it, where they live, on that date? Dated rules as data, and what they say about stated facts."""

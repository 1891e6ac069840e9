"""What the patient says before the visit, one question at a time."""

"""How far can it be trusted? Targets, sensitivity and identifiability."""

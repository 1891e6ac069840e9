"""What would a trial show: designs, virtual trials, their analysis and power."""

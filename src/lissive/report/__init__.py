"""How is it shown? Figures and texts of what the other packages found; nothing is computed here."""

"""How is it shown? Figures and texts of what the other rooms found; nothing is computed here."""

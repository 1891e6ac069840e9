"""How does it play out? Dosing events, virtual patients, the solver and its output."""

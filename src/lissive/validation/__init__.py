"""How far can the model be trusted? Published concentrations, targets, sensitivity and identifiability.

Calibration and held-out rows are scored apart; each miss is printed with its reason.

>>> from lissive.validation.score import RATIO_LIMITS
>>> RATIO_LIMITS
(0.67, 1.5)
"""

"""What would a trial show? Designs, virtual trials, their analysis, power, and published trials again.

Patients are drawn, screened, treated day by day and analysed as a publication would; replicates run side by side.

>>> from lissive.trials.parts import MEASURES
>>> "spasticity_nrs" in MEASURES
True
"""

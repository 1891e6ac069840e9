"""Which parameters agree with what was measured? Priors, likelihood, and where the two meet.

Only rows marked `split: calibration` are fitted on. What is found is written to tables; predictions read those.

>>> from lissive.simulation.kinetics import standard_errors
>>> "CL_THC" in standard_errors()
True
"""

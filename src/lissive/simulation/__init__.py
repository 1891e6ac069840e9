"""How does it play out? Dosing events, virtual patients, the solver and its output.

Doses are jumps of the state at stop times; every random number is keyed by seed, purpose and subject.

>>> from lissive.simulation.streams import uniforms
>>> bool((uniforms(1, "an example", 4)[:2] == uniforms(1, "an example", 2)).all())
True
"""

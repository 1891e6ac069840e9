"""Lissive: the endocannabinoid system, THC and CBD, and muscle spasm, in numbers."""

__version__ = "0.1.0"

"""The version, where every module may read it without reading the package."""

__version__ = "0.1.0"

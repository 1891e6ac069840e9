"""Lissive as pages: the calculator for one case, and the check of an article (`lissive serve`; the extra `web`).

A case lives in the page that shows it: it travels in the body of each request, and nothing of it is written to a
disk, an address, a log or a cookie. Forecasts are kept in memory for some minutes.
"""

from lissive.web.serve import application, serve

__all__ = ["application", "serve"]

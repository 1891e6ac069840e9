"""The answers of lissive as pages: law by place, evidence by cause, claims, safety, products, validation.

    lissive site DIR        static files, that any host or a folder shows: no program runs where they are read

Each page is data (`Page`) and one template; nothing is computed here that the other packages do not answer.
"""

from lissive.site.write import MARKER, write_site

__all__ = ["MARKER", "write_site"]

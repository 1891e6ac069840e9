"""The look of every page that Lissive serves or writes: one stylesheet, one frame, a few components.

    environment = look.environment(HERE / "templates")          templates of one's own, with the frame and the parts
    {% extends "look/frame.html.j2" %}                           page: skip link, header, navigation, footer
    {% import "look/parts.html.j2" as part with context %}       verdict, table, field, button, callout, figure, …

All styles and scripts are files in STATIC, so that a page may forbid every inline one. What the parts look like, and
when each is used, is on the page "Design" of the site (lissive site DIR).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from lissive.version import __version__

if TYPE_CHECKING:
    from jinja2 import Environment

TEMPLATES = Path(__file__).parent / "templates"
STATIC = Path(__file__).parent / "static"


def environment(*folders: Path, **filters: Callable[..., Any]) -> Environment:
    """Templates of these folders and of the look: a name that is not given is an error, every text is escaped."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    made = Environment(
        loader=FileSystemLoader([*folders, TEMPLATES]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= filters
    made.globals["version"] = __version__
    return made


_STYLE = re.compile(r' style="([^"]*)"')
_SHEET = re.compile(r"<defs>\s*<style[^>]*>[^<]*</style>\s*</defs>")


def plain_svg(svg: str) -> Markup:
    """A picture without inline styles: each property as an attribute, which lissive.css may colour.

    >>> plain_svg('<path style="fill: #0072b2; stroke-width: 0.8"/>')
    Markup('<path fill="#0072b2" stroke-width="0.8"/>')
    """

    def attributes(found: re.Match[str]) -> str:
        pairs = (each.partition(":") for each in found[1].split(";") if ":" in each)
        return "".join(f' {name.strip()}="{value.strip()}"' for name, _, value in pairs)

    return Markup(_STYLE.sub(attributes, _SHEET.sub("", svg)))

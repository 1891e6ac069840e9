"""A figure as SVG inside a page: no address, no date, the same bytes each time, and words for who cannot see it."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from markupsafe import Markup, escape

if TYPE_CHECKING:
    from matplotlib.figure import Figure


_EVERY: dict[Any, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "lissive",
    "text.parse_math": False,  # a $ in a name is a $, not the start of a formula
}
_ON_A_PAGE: dict[Any, Any] = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],  # comes with matplotlib, so that texts take the same space everywhere
    "font.size": 8.0,
    "axes.linewidth": 0.6,
    "path.simplify_threshold": 0.3,
}


@contextmanager
def plainly(more: Mapping[Any, Any] = MappingProxyType({})) -> Iterator[None]:
    """What every figure is drawn and written with."""
    from matplotlib import rc_context

    with rc_context({**_EVERY, **more}), warnings.catch_warnings():
        # A letter that the font has not is a box in PNG; SVG keeps it.
        warnings.filterwarnings("ignore", message=r"Glyph \d+ .* missing from")
        yield


def settings() -> AbstractContextManager[None]:
    """What figures of a page are drawn and written with."""
    return plainly(_ON_A_PAGE)


_HEAD = re.compile(r"^.*?(?=<svg)", re.DOTALL)
_METADATA = re.compile(r"<metadata>.*?</metadata>", re.DOTALL)
_IDS = re.compile(r'(\bid="|url\(#|href="#)')
_PLACES = re.compile(r'\b(?:d|x|y|transform|points|width|height)="[^"]*"')
_DIGITS = re.compile(r"(\.\d{2})\d+")
_OPEN = re.compile(r"<svg[^>]*>")
_BOX = re.compile(r'viewBox="[^"]*"')
_FONT = re.compile(r"font: (?:(?:bold|italic|\d{3}) )*([\d.]+)px [^;\"]*")


def inline_svg(figure: Figure, name: str, alt_text: str) -> Markup:
    """The figure as an `<svg>` element.

    Parameters
    ----------
    name : unlike that of any other figure of the page; ids start with it.
    alt_text : the figure in a sentence.
    """
    place = io.StringIO()
    with settings():
        figure.savefig(place, format="svg", metadata={"Date": None}, transparent=True)
    text = _METADATA.sub("", _HEAD.sub("", place.getvalue()))
    text = _IDS.sub(rf"\g<1>{name}-", text)
    text = _PLACES.sub(lambda found: _DIGITS.sub(r"\1", found[0]), text)
    text = _FONT.sub(r"font-size: \1px", text)
    box = _BOX.search(text)
    start = f'<svg {box[0] if box else ""} role="img" aria-label="{escape(alt_text)}">'
    return Markup(_OPEN.sub(lambda _: start, text, count=1).strip())

"""How numbers, ranges, lists and marks are printed, everywhere."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterable, Sequence

WIDTH = 110
"""Characters in a line of a full answer."""

UNVERIFIED, DERIVED = "†", "‡"
"""Stand after a figure that was not checked against its source, and after one that was calculated from checked ones."""

MARKS = {"recalled": UNVERIFIED, "derived": DERIVED, "read": ""}
"""Provenance of a figure → its mark."""

UNVERIFIED_MEANS = "unverified: quoted from memory, not checked against its source"
UNVERIFIED_NOTE = f"{UNVERIFIED} {UNVERIFIED_MEANS}"
DERIVED_NOTE = f"{DERIVED} calculated from figures that were checked"


def number(x: float | None, none: str = "-") -> str:
    """Three significant figures, without an exponent where that can be read.

    >>> [number(x) for x in (0.012345, 1.0, 12345.6, 3e-7, 0.0, None, math.inf)]
    ['0.0123', '1.00', '12300', '3.00e-07', '0', '-', 'unbounded']
    """
    if x is None or math.isnan(x):
        return none
    if math.isinf(x):
        return "unbounded"
    if x == 0.0:
        return "0"
    rounded = float(f"{x:.2e}")
    size = math.floor(math.log10(abs(rounded)))
    return f"{rounded:.{max(0, 2 - size)}f}" if -5 < size < 7 else f"{x:.2e}"


def percent(share: float | None) -> str:
    """A share as a whole per cent; with a decimal where rounding would say none, or all.

    >>> [percent(x) for x in (0.666, 0.004, 0.0, 1.0, 0.9996, None)]
    ['67 %', '0.4 %', '0 %', '100 %', '100.0 %', '-']
    """
    if share is None or math.isnan(share):
        return "-"
    whole = 0.01 <= share <= 0.99 or share in (0.0, 1.0)
    return f"{100.0 * share:.0f} %" if whole else f"{100.0 * share:.1f} %"


def span(low: str, high: str) -> str:
    """Two ends of a range or an interval; a minus sign would make a dash unreadable.

    >>> span("-0.61", "-0.04")
    '-0.61 to -0.04'
    """
    return f"{low} to {high}"


def count(n: int, one: str, several: str = "") -> str:
    """How many of what.

    >>> count(1, "study", "studies"), count(1262, "participant")
    ('1 study', '1\\u202f262 participants')
    """
    return f"{n:,d}".replace(",", "\u202f") + " " + (one if n == 1 else several or f"{one}s")


def signed(x: float, decimals: int = 1) -> str:
    """A number with its sign; what rounds to zero has none.

    >>> signed(-0.62), signed(0.31), signed(-0.04), signed(-0.004, 2)
    ('-0.6', '+0.3', '0.0', '0.00')
    """
    rounded = round(x, decimals)
    return f"{rounded:+.{decimals}f}" if rounded else f"{0:.{decimals}f}"


def difference(first: float, second: float, gap: float) -> str:
    """The mean difference beside both means; where it is not that of the digits shown, it says so.

    >>> difference(4.9, 5.5, -0.6), difference(4.84, 5.46, -0.62)
    ('difference -0.6', 'difference before rounding -0.6')
    """
    as_shown = signed(round(first, 1) - round(second, 1)) == signed(gap)
    return f"difference {'' if as_shown else 'before rounding '}{signed(gap)}"


def listed(names: Iterable[str], word: str = "and") -> str:
    """A list as it is read aloud.

    >>> listed(["pain"]), listed(["pain", "spasms", "sleep"], "or")
    ('pain', 'pain, spasms or sleep')
    """
    each = list(names)
    return each[0] if len(each) == 1 else f"{', '.join(each[:-1])} {word} {each[-1]}" if each else ""


def upper_first(text: str) -> str:
    return text[:1].upper() + text[1:]


def marked(text: str, provenance: str) -> str:
    """A figure with the mark of its provenance.

    >>> marked("0.32", "recalled")
    '0.32†'
    """
    return f"{text}{MARKS.get(provenance, '')}"


def wrapped(text: str, indent: str = "", hanging: str | None = None, width: int = WIDTH) -> str:
    """A paragraph; the lines after the first stand below the first's text where it is an item ("- ...")."""
    more = ("  " if text.startswith("- ") else "") if hanging is None else hanging
    return textwrap.fill(
        text,
        width,
        initial_indent=indent,
        subsequent_indent=indent + more,
        break_on_hyphens=False,
        break_long_words=False,  # an address stays whole
    )


def paragraphs(parts: Sequence[str]) -> str:
    """The parts that say anything, a blank line between them."""
    return "\n\n".join(part for part in parts if part)

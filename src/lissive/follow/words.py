"""Words of harm in what somebody wrote, in English, German and Spanish."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path

from lissive.errors import LissiveError
from lissive.table import rows_of

NEAR = 80
"""Characters before a word in which it may be denied."""
LANGUAGES = "English, German and Spanish"
"""Of the words."""


@cache
def watched() -> tuple[dict[str, str], ...]:
    """The rows of alarms.tsv: words of harm, without accents, and what to do."""
    return tuple(rows_of(Path(__file__).parent / "alarms.tsv"))


def warned(texts: Iterable[str]) -> str:
    """The alarms of texts that cannot be judged by, as the end of a message that says why.

    >>> warned(["hearing voices", "slept well"])
    ' ALARM: signs that a psychosis screen asks for: stop, and see a clinician today.'
    >>> warned(["slept well"])
    ''
    """
    said = list(texts)
    found = [row for row in watched() if any(named(text, row["words"].split(";")) for text in said)]
    return alarmed((row["text"], row["do"]) for row in found)


def beside(error: LissiveError, said: str) -> LissiveError:
    """The same error, with alarms at the end of what is wrong."""
    return type(error)(f"{error.what}{said}", where=error.where, allowed=error.allowed, do=error.do)


def alarmed(found: Iterable[tuple[str, str]]) -> str:
    """What has to be looked at and what to do, as the end of a message."""
    return "".join(f" ALARM: {text}: {do}." for text, do in found)


_NO_FALL = re.compile(
    r"\s+(?:(?:asleep|ill|back|short|behind|(?:in|of) (?:\w+ )?(?:pain|spasms?|stiffness|spasticity))\b|"
    r"(?:to|from|by|below|under) \d+(?:[.,]\d+)?(?: to \d+)?(?= ?%|[.,;]|$))"
)
"""What follows on `fell` where nobody fell."""
_NOT = r"(?:\b(?:no|not|without|never|denies|kein\w*|nicht|ohne|sin|ni|nunca)|n['’]t)"
_FILLED = r"(?:any|a|the|really|had|has|have|been|signs?|of|thoughts?|feelings?|me|de|ideas?|\w+ (?:or|nor|oder|ni|o))"
_DENIED = re.compile(rf"{_NOT}\s+(?:{_FILLED}\s+){{0,3}}$")
_NONE = re.compile(r"\s*[:=-]?\s*(?:none|nil|no|nein|keine|ningun[ao]|0)\s*(?:[.,;]|$)")


def named(text: str, words: Sequence[str]) -> str:
    """The first of the words that a text has and does not deny, as it is written there."""
    plain = _folded(text)
    for word in words:
        for hit in re.finditer(rf"\b{re.escape(word)}\w*", plain):
            denied = _DENIED.search(plain[max(hit.start() - NEAR, 0) : hit.start()]) or _NONE.match(
                plain, hit.end()
            )
            if not denied and not (word in ("fall", "fell") and _NO_FALL.match(plain, hit.end())):
                return text[hit.start() : hit.end()].lower()
    return ""


def _folded(text: str) -> str:
    """Small letters without accents, one for one.

    >>> _folded("Me caí. Größe")
    'me cai. große'
    """
    return "".join(unicodedata.normalize("NFKD", each.lower())[:1] for each in text)

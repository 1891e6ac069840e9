"""How a sentence is said (voices.tsv): as an opinion, as a personal report, or as a fact.

>>> voice("In my view weed eases cramps"), voice("my cramps still hurt on weed"), voice("Weed eases cramps")
('opinion', 'personal report', '')
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache

from lissive.evidence.words import table

VOICES: Mapping[str, str] = {
    "opinion": "An opinion is no evidence of an effect.",
    "personal report": (
        "A personal report, with nobody to compare with, does not show whether the drug made the difference."
    ),
}
"""Each voice, and what is said of a sentence in it."""
_QUESTION = re.compile(
    r"^\W*(does|do|did|can|could|will|would|is|are|has|have|should|what|which|how|why|who)\b.*\?\W*$"
)


@cache
def _patterns() -> tuple[tuple[str, re.Pattern[str]], ...]:
    return tuple((row["voice"], re.compile(row["pattern"])) for row in table("voices"))


def voice(text: str) -> str:
    """One of VOICES; empty of a question, and of what is said as a fact."""
    folded = " ".join(text.lower().replace("’", "'").split())
    if _QUESTION.match(folded):
        return ""
    return next((name for name, pattern in _patterns() if pattern.search(folded)), "")

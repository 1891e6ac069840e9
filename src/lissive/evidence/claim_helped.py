"""Whether a text says that something helps (helped.tsv): without it no verdict in favour is one on what it says.

>>> tells_of_help("weed eases my cramps"), tells_of_help("my cramps still hurt on weed")
(True, False)
"""

from __future__ import annotations

import re
from functools import cache

from lissive.evidence.claim_words import SYMPTOMS, TREATMENTS, concepts, frame, marks_of, without_marks
from lissive.evidence.words import causes, table


@cache
def _helped() -> re.Pattern[str]:
    return re.compile("|".join(row["pattern"] for row in table("helped")))


def tells_of_help(text: str) -> bool:
    """Whether a text has a word of help, or only names a drug and what it is for.

    >>> tells_of_help("Botox for a spastic foot"), tells_of_help("my legs are tight on weed")
    (True, False)
    """
    folded = text.lower().replace("’", "'")
    if _helped().search(folded):
        return True
    if "failed" in marks_of(folded):
        folded = re.sub(r"\b(after|ha[sd]|have)\b", " ", folded)
    rest = without_marks(folded, {*causes(), *TREATMENTS, "failed"})
    return all(map(_is_name, re.findall(r"[a-z]+", rest)))


def _is_name(word: str) -> bool:
    """Whether a word is a drug, a condition or a symptom, or joins them."""
    return word in frame("joining") or bool(
        marks_of(word) or concepts(word) & {*SYMPTOMS, "intense", "frequent"}
    )

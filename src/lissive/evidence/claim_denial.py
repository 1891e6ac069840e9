"""Whether a text is a denial (denials.tsv); two denials are an assertion.

>>> denies("Cannabis does not ease stiffness"), denies("It is a myth that it does not ease stiffness")
(True, False)
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache

from lissive.evidence.claim import FAVOURABLE, Claim
from lissive.evidence.claim_words import marks_of, patterns
from lissive.evidence.words import table

_STATED_OTHERWISE = ("failed", "cbd", "cure", "replace")
"""Marks with words of denial that deny nothing of a cannabinoid: other drugs that did not work, CBD without THC, never
a spasm again."""


_OF_HARM = {"safe", "side_effects", "dependence", "overdose", "driving", "interactions"}
"""Needs of claims on harm, which what did not help, or came back, does not deny."""
_ASSERTED = _OF_HARM | {
    "cure",
    "ends",
    "stop_spasms",
    "replace",
    "superior",
    "protect",
    "progression",
    "heal",
    "plastic",
}
"""Needs that are an assertion by themselves, which a denial in another clause does not deny."""
_CLAUSE = re.compile(r"[,;:.!?]+(?:\s|$)|\s(?:but|and|although|though)\s")


@cache
def _kind(kind: str) -> re.Pattern[str]:
    kinds = {"no": ("not", "no_effect")}.get(kind, (kind,))
    return re.compile("|".join(row["pattern"] for row in table("denials") if row["kind"] in kinds))


def opposes(text: str, claim: Claim) -> bool:
    """Whether a text says the opposite of a claim: one of them is a denial.

    Of a claim that asserts what is not shown, only the clauses count that name it: a denial elsewhere would
    call "No worries, cannabis is safe" the opposite of "Cannabis is safe".
    """
    needs, is_denial = {*claim.needs}, denies(claim.claim, claim.needs)
    if claim.verdict not in FAVOURABLE and not is_denial and needs <= _ASSERTED:
        mine = [each for each in _CLAUSE.split(text) if marks_of(each) & needs]
        text = " ".join(mine) or text
    return denies(text, needs) != is_denial


@cache
def _harmless() -> re.Pattern[str]:
    """A denial of harm, which affirms that something is safe."""
    return re.compile(rf"\b(?:no|not|cannot|without|never|\w+n't) (?:\w+ ){{0,2}}(?:{_kind('harm').pattern})")


def denies(text: str, about: Iterable[str] = ()) -> bool:
    """Whether a text is a denial; `about` are the needs of the claim that it is set beside."""
    about = {*about}
    rest = _kind("aside").sub(" ", text.lower().replace("’", "'")).replace("not without", "with")
    for mark, pattern in patterns():
        if mark in _STATED_OTHERWISE and not pattern.pattern.startswith("^"):
            rest = pattern.sub(" ", rest)
    if any(mark == "failed" and pattern.search(rest) for mark, pattern in patterns()):
        return False
    of_harm = about & _OF_HARM
    kinds = ["not" if of_harm else "no", "untrue", *([] if of_harm else ["fades"])]
    if about & {"interactions", "safe", "driving"}:
        kinds.append("harm")
    if "interactions" in about and "interact" not in rest:
        kinds.append("taken_with")
    if about & {"side_effects", "dependence"}:
        kinds.append("rare")
    if not about & {"overdose", "dependence", "side_effects"}:
        rest = _harmless().sub(" ", rest)
    return sum(_kind(each).search(rest) is not None for each in kinds) % 2 == 1

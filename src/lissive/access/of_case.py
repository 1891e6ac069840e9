"""The answer for a case, as far as it can be given."""

from __future__ import annotations

from lissive.access.answer import Answer
from lissive.access.decide import decide
from lissive.access.facts import facts_of_case
from lissive.access.load import files
from lissive.case import Case


def of_case(case: Case) -> Answer | None:
    """The answer where the person lives on the case's day; None where `why_not` says why."""
    if why_not(case) or case.place.residence is None or case.as_of is None:
        return None
    return decide(facts_of_case(case), case.place.residence, case.as_of)


def why_not(case: Case) -> str:
    """What keeps the question from being answered, or nothing."""
    place = case.place.residence
    if place is None:
        return "place.residence is unknown"
    if case.as_of is None:
        return "as_of, the date of the question, is unknown"
    return "" if place in files() else f"the rules of {place} are not in the data"

"""A medicine as it is written on a prescription: "baclofen 20 mg three times a day", "warfarin 5 mg daily"."""

from __future__ import annotations

import re

_TIMES = {
    1: "daily|once daily|once a day|once per day|per day|a day|qd|od|every day|each day|every morning|every evening"
    "|every night|at night|nightly|at bedtime|qhs|qam|qpm",
    2: "twice daily|twice a day|two times a day|2 times a day|bid|bd|b.i.d.|every 12 hours|q12h",
    3: "three times daily|three times a day|3 times a day|thrice daily|tid|tds|t.i.d.|every 8 hours|q8h",
    4: "four times daily|four times a day|4 times a day|qid|qds|q.i.d.|every 6 hours|q6h",
}
_A_DAY = {word: n for n, words in _TIMES.items() for word in words.split("|")}
_ROUTES = "po|p.o.|oral|orally|by mouth|tablet|tablets|tab|tabs|capsule|capsules"
_LESS_SURE = "weekly|once a week|prn|as needed|when needed|every other day|alternate days"
_ANY = "|".join(re.escape(each) for each in sorted([*_A_DAY, *_LESS_SURE.split("|")], key=len, reverse=True))
_AMOUNT = re.compile(
    r"(?P<name>.*?[^\s,(])[\s,(]+(?P<number>\d[\d.,/-]*)\s*(?P<unit>mg|mcg|µg|μg|g|ml|iu|units?)\b(?P<how>.*)",
    re.DOTALL | re.IGNORECASE,
)
_HOW_ALONE = re.compile(rf"(?P<name>.*?[^\s,])(?:[\s,]+(?:{_ROUTES}))?[\s,]+(?:{_ANY})\.?", re.IGNORECASE)
_ROUTE = re.compile(rf"\b(?:{_ROUTES})(?![\w.])", re.IGNORECASE)


def as_prescribed(text: str) -> tuple[str, str | None]:
    """The name, and the dose of a day with its unit; None where the text does not tell how much that is.

    >>> as_prescribed("baclofen 20 mg three times a day")
    ('baclofen', '60 mg/day')
    >>> as_prescribed("warfarin 5mg PO daily"), as_prescribed("warfarin 5 mg on Mondays")
    (('warfarin', '5 mg/day'), ('warfarin', None))
    >>> as_prescribed("St. John's wort"), as_prescribed("baclofen prn")
    (("St. John's wort", None), ('baclofen', None))
    """
    found = _AMOUNT.fullmatch(text)
    if found is None:
        alone = _HOW_ALONE.fullmatch(text)
        return (text if alone is None else alone["name"]), None
    how = _ROUTE.sub(" ", found["how"])
    times = _A_DAY.get(" ".join(how.casefold().strip(" ,.)(").split()))
    number, unit = found["number"], found["unit"].casefold()
    if (
        times is None
        or not re.fullmatch(r"\d+(\.\d+)?", number)
        or unit not in ("mg", "mcg", "µg", "μg", "g")
    ):
        return found["name"], None
    return found["name"], f"{times * float(number):g} {unit}/day"

"""What the prose of a published trial says in numbers: weeks, wash-outs, selection, inclusion, doses.

Each function gives None where the text does not say; the reader then says what it takes instead.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import NamedTuple

_NUMBER = r"(\d+(?:\.\d+)?)"
_LEAST = r"(?:>=|≥|=>|>|at least|of at least|minimum of|minimum)"
_MOST = r"(?:<=|≤|<|at most|up to|no more than)"
_UNIT = r"(h|hours?|d|days?|w|wk|wks|weeks?|mo|months?|years?)"
_DAYS = {"h": 1 / 24, "d": 1.0, "w": 7.0, "m": 365.25 / 12, "y": 365.25}
DAYS_IN_WEEK = 7.0


_NUMBER_WORDS = "one two three four five six seven eight nine ten eleven twelve".split()


def _digits(text: str) -> str:
    """Small letters, with the numbers of days, weeks and months as digits.

    >>> _digits("Two-week washout, two periods")
    '2-week washout, two periods'
    """
    words = "|".join(_NUMBER_WORDS)
    return re.sub(
        rf"\b({words})(?=[\s-](?:day|d|week|wk|month)s?\b)",
        lambda found: str(_NUMBER_WORDS.index(found[1]) + 1),
        text.lower(),
    )


def _days(number: str, unit: str) -> float:
    return float(number) * _DAYS[unit[0]]


def weeks(text: object) -> float | None:
    """Length of a trial, or of a period of it [weeks]. Days make whole weeks where they are a week or more.

    >>> weeks(12), weeks("2 per period"), weeks("3 per period (8 total)"), weeks("two 4-week periods")
    (12.0, 2.0, 3.0, 4.0)
    >>> weeks("14 days per period"), weeks("30 days"), round(weeks("3 days per period"), 3), weeks("6 months")
    (2.0, 5.0, 0.429, 26.0)
    >>> weeks("4 weeks run-in, then 12 weeks randomised"), weeks("48 h"), weeks("single dose, 3 h")
    (12.0, 0.2857142857142857, None)
    >>> weeks("12 (after a 4-week run-in)"), weeks("4+12"), weeks("four weeks per period")
    (12.0, 12.0, 4.0)
    """
    if isinstance(text, int | float) and not isinstance(text, bool):
        return float(text)
    said = _digits(str(text or ""))
    outside = re.sub(r"\([^)]*\)", "", said)
    said = outside if re.search(r"\d", outside) else said
    if "single dose" in said or not re.search(r"\d", said):
        return None
    parts = re.split(r",|;|\+|\bthen\b|\bfollowed by\b", said)
    if all(re.fullmatch(rf"\s*{_NUMBER}\s*", part) for part in parts):
        return float(parts[-1])  # 4+12: what comes before, and the trial
    main = [p for p in parts if re.search(r"randomi|double|per period|phase b|withdrawal", p)]
    for part in (*main, *parts):
        if len(parts) > 1 and part not in main and re.search(r"run-?in|phase a|single-blind|wash", part):
            continue
        if found := re.search(rf"{_NUMBER}[\s-]*{_UNIT}\b", part):
            days = _days(found[1], found[2])
            if found[2][0] == "w":
                return float(found[1])
            return (
                float(math.ceil(days / DAYS_IN_WEEK - 0.1)) if days >= DAYS_IN_WEEK else days / DAYS_IN_WEEK
            )
        if found := re.match(rf"\D*{_NUMBER}", part):
            return float(found[1])
    return None


def washout_days(text: str) -> float | None:
    """Days without treatment; the longest of a range.

    >>> washout_days("crossover (11-day washout)"), washout_days("2-wk washout"), washout_days("no washout")
    (11.0, 14.0, 0.0)
    >>> washout_days("wash-out of up to 4 weeks"), washout_days("1 to 4 week washout"), washout_days("crossover")
    (28.0, 28.0, None)
    >>> washout_days("crossover, two 2-week periods, two-week wash-out")
    14.0
    """
    said = _digits(text)
    if re.search(r"(?:no|without)(?: a| any)? wash-?\s?out", said):
        return 0.0
    before = rf"{_NUMBER}[\s-]*{_UNIT}[\s-]*(?:\w+\s){{0,2}}wash-?\s?out"
    length = rf"(?:up to\s)?(?:{_NUMBER}\s?(?:-|–|to)\s?)?{_NUMBER}[\s-]*{_UNIT}\b"
    after = rf"wash-?\s?out(?:\s(?:period|phase))?(?:\s(?:of|for|lasting))?[\s:(]*{length}"
    if found := re.search(before, said):
        return _days(found[1], found[2])
    if found := re.search(after, said):
        return _days(found[2], found[3])
    return None


def run_in_weeks(text: str) -> float | None:
    """Length of what comes before randomisation [weeks].

    >>> run_in_weeks("4-week single-blind run-in, then 12 weeks randomised"), run_in_weeks("run-in of 4 weeks")
    (4.0, 4.0)
    >>> run_in_weeks(">=20% NRS improvement after 4 weeks single-blind nabiximols")
    4.0
    >>> run_in_weeks("long-term users, on nabiximols for at least 12 weeks"), run_in_weeks("withdrawal")
    (12.0, None)
    """
    said = _digits(text)
    number = rf"{_NUMBER}[\s-]*{_UNIT}\b"
    kinds = r"(?:\w+\s)?(?:single-blind|open-label|open label|run-?in|enrichment|phase a|selection|treatment before)"
    for pattern in (
        rf"{number}[\s-]*(?:of\s|,\s)?{kinds}",
        rf"(?:run-?in|phase a)(?:\s\w+)?(?:\s(?:of|for|lasting))?[\s:(]*{number}",
        rf"after\s{number}",
        rf"(?:on|using|receiving|received|taking|taken|treated with|benefit from|use of|users of|users|treatment)"
        rf"\s[^;.]*?(?:{_LEAST}|for)\s*{number}",
        rf"{_LEAST}\s*{number}[\s-]*(?:of\s)?(?:use|treatment|benefit|prior|stable)",
    ):
        if found := re.search(pattern, said):
            return _days(found[1], found[2]) / DAYS_IN_WEEK
    return None


def falls_by_pct(text: str) -> float | None:
    """By how much a rating has to have fallen [%] for somebody to stay.

    >>> falls_by_pct(">=20% NRS improvement after 4 weeks"), falls_by_pct("responders (at least 30 % reduction)")
    (20.0, 30.0)
    >>> falls_by_pct("enriched randomised withdrawal in >=20% responders"), falls_by_pct("NRS >=4") is None
    (20.0, True)
    >>> falls_by_pct("improvement of 20% or more"), falls_by_pct("return of >=80% of symptoms") is None
    (20.0, True)
    """
    said = text.lower()
    better = r"(?:improve|reduc|respon|decreas|fall|benefit)"
    for pattern in (
        rf"(?:{_LEAST}\s*)?{_NUMBER}\s*%\s*(?:\w+\s){{0,3}}{better}",
        rf"{better}\w*\s(?:\w+\s){{0,3}}?(?:{_LEAST}\s*)?{_NUMBER}\s*%",
    ):
        if found := re.search(pattern, said):
            return float(found[1])
    return None


def rises_by_pct(text: str) -> float | None:
    """By how much a rating has to rise [%] for treatment to count as failed.

    >>> rises_by_pct("NRS increase >=20% or more medication"), rises_by_pct("20% worsening"), rises_by_pct("")
    (20.0, 20.0, None)
    """
    said = text.lower()
    worse = r"(?:increas|worsen|ris|deteriorat|higher)"
    for pattern in (
        rf"{_NUMBER}\s*%\s*(?:\w+\s){{0,3}}{worse}",
        rf"{worse}\w*\s(?:\w+\s){{0,4}}?(?:{_LEAST}\s*)?{_NUMBER}\s*%",
    ):
        if found := re.search(pattern, said):
            return float(found[1])
    return None


class Limit(NamedTuple):
    """What a rating of 0 to 10 has to be; `named` is the words before it in its clause."""

    named: str
    at_least: float | None
    at_most: float | None


_SCALE = r"\b(nrs|crs|vas)\b"


def limits(text: str) -> Iterator[Limit]:
    """What ratings have to be for inclusion.

    >>> list(limits("MS >=6 mo; mean daily spasticity NRS >=4 in last 6 days; stable"))
    [Limit(named='ms >=6 mo; mean daily spasticity ', at_least=4.0, at_most=None)]
    >>> [each[1:] for each in limits("pain NRS >3 to <=9 and/or spasticity NRS >3")]
    [(3.0, 9.0), (3.0, None)]
    >>> [each[1:] for each in limits("score of at least 4 on the 0-10 spasticity NRS")]
    [(4.0, None)]
    >>> list(limits(">=20% NRS improvement"))
    []
    >>> [each[1:] for each in limits("VAS>=50%")], [each[1:] for each in limits("NRS >=20% improvement")]
    ([(5.0, None)], [])
    """
    said = text.lower()
    whole = r"(\d++(?:\.\d++)?+)"  # possessive: 20 is not read as a 2
    after = (
        rf"{_SCALE}[^;,<>≥≤=]{{0,25}}?(?:{_LEAST}\s*{whole}|{whole} or (?:more|higher|above))(?:\s?%)?+"
        rf"(?!\s*(?:improv|reduc|fall|decreas|respon))(?:\s*(?:to|and|,)?\s*{_MOST}\s*{whole})?"
    )
    for found in re.finditer(after, said):
        low, high = found[2] or found[3], found[4]
        yield Limit(said[: found.start()], _of_ten(low, found[1]), _of_ten(high, found[1]))
    before = rf"{_LEAST}\s*{_NUMBER}\s(?:points? )?on (?:the |a )?(?:0-10 )?((?:\w+ )??){_SCALE}"
    for found in re.finditer(before, said):
        yield Limit(f"{said[: found.start()]} {found[2]}", _of_ten(found[1], found[3]), None)


def _of_ten(value: str | float | None, scale: str) -> float | None:
    if value is None:
        return None
    number = float(value)
    return number / 10.0 if scale == "vas" and number > 10.0 else number


class Daily(NamedTuple):
    """A dose in words."""

    mg: float
    times: int | None
    """Times a day; None where not said."""
    fixed: bool
    """Neither a range nor a most."""


_TIMES = {
    "four times": 4,
    "three times": 3,
    "twice": 2,
    "once": 1,
    "qid": 4,
    "tid": 3,
    "bid": 2,
    "bd": 2,
    "qd": 1,
    "od": 1,
}


def times_a_day(text: str) -> int | None:
    """How often a day a dose is taken.

    >>> times_a_day("5 mg twice daily"), times_a_day("once daily x3 d"), times_a_day("nabilone 0.5 mg od-bid")
    (2, 1, None)
    """
    said = text.lower()
    found = {k for word, k in _TIMES.items() if re.search(rf"\b{word}\b", said)}
    return found.pop() if len(found) == 1 else None


def daily_mg(text: str) -> Daily | None:
    """A dose that a text gives in mg; the most of a range.

    >>> daily_mg("oral THC 5 mg twice daily"), daily_mg("dronabinol 15 mg/d")
    (Daily(mg=10.0, times=2, fixed=True), Daily(mg=15.0, times=None, fixed=True))
    >>> daily_mg("oral THC 2.5-15 mg"), daily_mg("oral THC max 10 mg"), daily_mg("extract") is None
    (Daily(mg=15.0, times=None, fixed=False), Daily(mg=10.0, times=None, fixed=False), True)
    """
    said = text.lower()
    found = re.search(rf"(?:{_NUMBER}\s?(?:-|–|to)\s?)?{_NUMBER}\s*mg\b(?!\s*/\s*(?:ml|kg))", said)
    if not found:
        return None
    times = times_a_day(said)
    is_day = re.search(r"mg\s*(?:/|per|a)\s*d", said) is not None
    most = re.search(r"\bmax|up to|titrat", said) is not None
    mg = float(found[2]) * (1 if is_day else times or 1)
    return Daily(mg, times, found[1] is None and not most)


def titration_days(text: str) -> float | None:
    """How long doses go up [days].

    >>> titration_days("5-week titration by body weight"), titration_days("2 weeks from 5 mg to max 25 mg")
    (35.0, 14.0)
    >>> titration_days("self-titrated over 10 days"), titration_days("self-titrated")
    (10.0, None)
    """
    said = _digits(text)
    found = re.search(rf"{_NUMBER}[\s-]*{_UNIT}\b", said)
    return _days(found[1], found[2]) if found and found[2][0] in "dwm" else None


def first_mg(text: str) -> float | None:
    """The dose of the first day [mg].

    >>> first_mg("2 weeks from 5 mg to max 25 mg THC/day"), first_mg("starting at 2.5 mg"), first_mg("self")
    (5.0, 2.5, None)
    """
    found = re.search(rf"(?:from|start\w*(?: at| with| dose)?(?: of)?)\s{_NUMBER}\s*mg", text.lower())
    return float(found[1]) if found else None


def capsule(text: str) -> tuple[float, float] | None:
    """mg of THC and of CBD in a unit.

    >>> capsule("capsules of 2.5 mg THC and 0.9 mg CBD"), capsule("2.5 mg THC + 1.25 mg CBD"), capsule("THC")
    ((2.5, 0.9), (2.5, 1.25), None)
    """
    found = re.search(
        rf"{_NUMBER}\s*mg (?:of )?thc\s*(?:and|\+|,|/|with|plus|&)\s*{_NUMBER}\s*mg (?:of )?cbd", text.lower()
    )
    return (float(found[1]), float(found[2])) if found else None


def is_of_children(text: str) -> bool:
    """Whether an age range ends before adulthood.

    >>> is_of_children("cerebral palsy (8-18 y)"), is_of_children("adults 18-65 y")
    (True, False)
    """
    return any(int(high) <= 18 for high in re.findall(r"\b\d+\s?(?:-|–|to)\s?(\d+)\s?y", text.lower()))


def sd_in(note: str) -> float | None:
    """A standard deviation that a note gives.

    >>> sd_in("SD 6.4 recalled"), sd_in("range 1-22")
    (6.4, None)
    """
    found = re.search(rf"\bSD\s*(?:of|=|:)?\s*{_NUMBER}", note)
    return float(found[1]) if found else None


def counts_near(text: str, word: str) -> int | None:
    """How many people a text gives to a word.

    >>> counts_near("MS (119) and SCI (15)", "sci"), counts_near("mainly MS; 4 SCI", "sci"), counts_near("MS", "ms")
    (15, 4, None)
    """
    mark = rf"(?<![a-z]){re.escape(word)}(?![a-z])"
    said = text.lower()
    found = re.search(rf"{mark}\s*\(\s*(?:n\s*=\s*)?(\d+)\s*\)", said) or re.search(rf"(\d+)\s+{mark}", said)
    return int(found[1]) if found else None

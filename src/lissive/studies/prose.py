"""What the prose of a published table says in numbers: food, schedules, windows, people.

Each function gives None where the text does not say; the reader then says what it takes instead.
"""

from __future__ import annotations

import re

from lissive.studies.observation import INFINITE, LAST

HOURS = {
    "min": 1 / 60,
    "mins": 1 / 60,
    "minutes": 1 / 60,
    "h": 1.0,
    "d": 24.0,
    "day": 24.0,
    "days": 24.0,
    "w": 168.0,
    "week": 168.0,
    "weeks": 168.0,
}
_NUMBER = r"(\d+(?:\.\d+)?)"
_EDIBLE = re.compile(r"cookie|brownie|chocolate|butter", re.IGNORECASE)
_EVERY = {
    "once daily": 24.0,
    "twice daily": 12.0,
    "three times daily": 8.0,
    "four times daily": 6.0,
    "qd": 24.0,
    "bid": 12.0,
    "tid": 8.0,
    "qid": 6.0,
    "daily": 24.0,
}
"""The first that is found counts, so a word comes after those that end in it."""
MOST_DOSES = 1000
STEADY_DAYS = 7.0
"""How long a repeated dose is given where the study does not say."""


def fed(text: str | None, formulation: str = "") -> float | None:
    """0 fasted to 1 with a fatty meal; None where not said. An edible is food.

    >>> fed("fasted >=10 h"), fed("high-fat breakfast"), fed("low-fat meal"), fed(None, "chocolate cookie")
    (0.0, 1.0, 0.5, 1.0)
    >>> fed("30 min after a high-fat breakfast, overnight fast"), fed("not fasted"), fed("without food")
    (1.0, 1.0, 0.0)
    >>> fed("fed vs fasted") is None
    True
    """
    said = (text or "").lower()
    if " vs " in said:
        return None
    if re.search(r"without food|\b(no|before) (food|breakfast|meal)|empty stomach", said):
        return 0.0
    if re.search(r"low[- ]fat|light (meal|feed|breakfast)|snack", said):
        return 0.5
    if re.search(r"\b(not|non)[- ]?fast|after [^,;]*(breakfast|meal)", said):
        return 1.0
    if re.search(r"\bfast", said):
        return 0.0
    if re.search(r"\bfed\b|meal|breakfast|fat|food", said) or _EDIBLE.search(formulation):
        return 1.0
    return None


def dose_times(schedule: str) -> tuple[float, ...] | None:
    """Starts of the doses [h]; None where the schedule is not understood.

    >>> dose_times("replicate single dose"), dose_times("once daily x 3 days"), dose_times("6 weeks")
    ((0.0,), (0.0, 24.0, 48.0), None)
    >>> dose_times("twice daily x 1 day"), dose_times("q0h"), dose_times("q1h x 90 weeks")
    ((0.0, 12.0), None, None)
    >>> len(dose_times("BID multiple dose")), dose_times("q8h x 1 d"), dose_times("two doses 4 h apart")
    (15, (0.0, 8.0, 16.0), (0.0, 4.0))
    """
    said = schedule.lower()
    if "escalat" in said:
        return None
    if "single" in said:
        return (0.0,)
    if apart := re.search(rf"two doses {_NUMBER} h apart", said):
        return (0.0, float(apart[1])) if float(apart[1]) > 0 else None
    every = next((hours for word, hours in _EVERY.items() if re.search(rf"\b{word}\b", said)), None)
    if each := re.search(r"\bq(\d+)h\b", said):
        every = float(each[1])
    if not every:
        return None
    long = re.search(rf"(?:x|for)\s*{_NUMBER}\s*(days?|d|weeks?|w)\b", said)
    lasting = float(long[1]) * HOURS[long[2]] if long else STEADY_DAYS * 24.0
    doses = max(round(lasting / every), 1) + (0 if long else 1)
    return tuple(k * every for k in range(doses)) if doses <= MOST_DOSES else None


def says_duration(schedule: str) -> bool:
    """Whether a repeated schedule says for how long."""
    return (
        "single" in schedule.lower()
        or "apart" in schedule
        or bool(re.search(r"\d\s*(d|w)", schedule.lower()))
    )


def minutes(text: str) -> float | None:
    """Length [h] of an infusion or of smoking that a text names.

    >>> minutes("THC 0.05 mg/kg over 2 min"), minutes("36 mg, 10 min, paced inhalation")
    (0.03333333333333333, 0.16666666666666666)
    """
    found = re.search(rf"(?:over|during|,)\s*{_NUMBER}\s*min\b", text)
    return float(found[1]) / 60.0 if found else None


def window(which: str) -> tuple[float, float] | None:
    """Start and end [h] of an area under the curve; None where not understood.

    >>> window("0-inf"), window("0-360 min (truncated)"), window("0-10.5"), window("0-t"), window("0-inf?")
    ((0.0, inf), (0.0, 6.0), (0.0, 10.5), (0.0, -1.0), (0.0, inf))
    """
    said = which.strip().lower()
    if re.match(r"0-(inf|∞)", said):
        return (0.0, INFINITE)
    if re.match(r"0-(t|last|\?)", said):
        return (0.0, LAST)
    if numbers := re.match(rf"{_NUMBER}-{_NUMBER}\s*(minutes|mins|min|days|day|d|weeks|week)?\b", said):
        unit = HOURS[numbers[3]] if numbers[3] else 1.0
        start, end = float(numbers[1]) * unit, float(numbers[2]) * unit
        return (start, end) if start < end else None
    return None


def sampled_for(which: str) -> float | None:
    """How long [h] was sampled, where a window says so.

    >>> sampled_for("0-inf (120 min sampling)")
    2.0
    """
    found = re.search(rf"{_NUMBER} min sampling", which)
    return float(found[1]) / 60.0 if found else None


def weight(text: str) -> tuple[float, float] | None:
    """Mean and standard deviation [kg].

    >>> weight("weight 74.0 (11.25) kg, BMI 24.8"), weight("weight 70 kg")
    ((74.0, 11.25), (70.0, 0.0))
    """
    found = re.search(rf"weight {_NUMBER}\s*(?:(?:\(|\+/-\s*|±\s*){_NUMBER}\)?)?\s*kg", text)
    return (float(found[1]), float(found[2] or 0.0)) if found else None


def share_female(text: str | None) -> float | None:
    """Share of women; None where not said.

    >>> share_female("7 men 10 women"), share_female("4 F / 4 M"), share_female("70 % female")
    (0.5882352941176471, 0.5, 0.7)
    >>> share_female("male"), share_female("female"), share_female("male and female")
    (0.0, 1.0, 0.5)
    """
    said = (text or "").lower()
    women = re.search(r"(\d+)\s*(?:women|females?|f)\b", said)
    men = re.search(r"(\d+)\s*(?:men|males?|m)\b", said)
    if women and men:
        return int(women[1]) / (int(women[1]) + int(men[1]))
    if percent := re.search(rf"{_NUMBER}\s*% (female|male)", said):
        share = float(percent[1]) / 100.0
        return share if percent[2] == "female" else 1.0 - share
    has_women, has_men = (
        "female" in said or "women" in said,
        bool(re.search(r"\b(fe)?(?<!fe)male|\bmen\b", said)),
    )
    return None if not (has_women or has_men) else (0.5 if has_women and has_men else float(has_women))


_HEAVY = re.compile(
    r"heavy|chronic (?:daily )?(?:smokers|users)|daily|(?<!in)frequent|experienced|regular|on medicinal cannabis",
    re.IGNORECASE,
)
_LIGHT = re.compile(r"light|infrequent|occasional|recreational|naive|healthy|drug free", re.IGNORECASE)


def heavy_user(status: str | None) -> float | None:
    """1 for people who use cannabis daily or nearly so, 0 for others, the middle for both; None where not said.

    >>> heavy_user("heavy users"), heavy_user("frequent or infrequent cannabis users"), heavy_user("healthy")
    (1.0, 0.5, 0.0)
    """
    said = status or ""
    heavy, light = bool(_HEAVY.search(said)), bool(_LIGHT.search(said))
    return None if not (heavy or light) else 0.5 if heavy and light else float(heavy)


def per_kg(text: object) -> float | None:
    """mg/kg of a dose that is written so.

    >>> per_kg("20 mg/kg"), per_kg("5, 10, 20 mg/kg"), per_kg("10 mg/kg/day")
    (20.0, None, None)
    """
    found = re.fullmatch(rf"{_NUMBER}\s*mg/kg", str(text).strip())
    return float(found[1]) if found else None

"""What the phrases of a publication mean: food, users, schedules, medicines, numbers with their spreads, units."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from lissive.studies.arm import MOST_DOSES, interactions
from lissive.studies.entry import is_number, table

N = r"(?<![\d.])(\d{1,9}(?:\.\d{1,9})?)(?!\d)"
MOST_IN_CLAUSE = 500
"""Characters; longer clauses are no words of a design, and would cost the patterns minutes."""
HOURS = {"h": 1.0, "m": 1 / 60, "d": 24.0, "w": 168.0}
"""By the first letter: minutes, hours, days, weeks."""
TIME = rf"{N} ?-?(h|hrs?|hours?|mins?|minutes?|d|days?|w|weeks?)\b"
_COUNTS = "one two three four five six seven eight nine ten eleven twelve".split()


def meant(field: str, text: str) -> str | None:
    """What the first phrase of phrases.tsv means that a text has."""
    rows = (row for row in table("phrases.tsv") if row["field"] == field and len(text) <= MOST_IN_CLAUSE)
    return next((row["means"] for row in rows if re.search(row["pattern"], text)), None)


def food(text: str) -> str | None:
    """fasted, low-fat, fed or high-fat at dosing; None where it is not said, not understood, or several."""
    said = re.sub(
        r"\b(dos\w+|administration|intake),", r"\1", text.lower()
    )  # what follows is of the same clause
    if re.search(
        r"\bvs\b|\bor\b|regardless|without regard|irrespective|fed (?:and|/) fast|fasted (?:and|/) fed", said
    ):
        return None
    found = {meant("food", clause) for clause in re.split(r"[;,]|\bthen\b|\bfollowed by\b|\band\b", said)}
    return next((each for each in ("low-fat", "high-fat", "fed", "fasted") if each in found), None)


def users(text: str, form: str = "") -> str | None:
    """heavy (daily or nearly so), light or mixed users of cannabis; None where it is not said or not understood."""
    named = r"[\"“'‘][^\"”'’]*[\"”'’]|\S+\s*[™®]"  # a product's name is no population
    said = re.sub(named, " ", text.lower()).replace(form.lower() or "\n", " ")
    found = {meant("users", clause) for clause in re.split(r"[,;+]|\band\b|\bor\b|\bbut\b", said)} & {
        "heavy",
        "light",
    }
    return "mixed" if len(found) == 2 else next(iter(found), None)


def schedule(text: str) -> dict[str, Any] | None:
    """Hours between doses, and their number (None where it is not said for how long); None where not understood."""
    said = re.sub(rf"\b({'|'.join(_COUNTS)})\b", lambda word: str(_COUNTS.index(word[1]) + 1), text.lower())
    if re.search(r"escalat|titrat|as needed|\bprn\b|\brepeated (?:after|at|once|twice)\b", said):
        return None
    counted = re.search(r"\b(\d+) (?:\w+ )?(?:doses|administrations|cigarettes|inhalations|joints)\b", said)
    every, doses = float(meant("every", said) or 0.0), int(counted[1]) if counted else None
    each = re.search(rf"\b(?:q|every |intervals? of ){TIME}|{TIME} (?:apart|intervals?)", said)
    lasting = (
        rf"(?:x|×|for|over|during)\s*(?:a |the )?{N}?\s*(?:consecutive |successive )?(d|days?|w|weeks?)\b"
    )
    long = re.search(lasting, said)
    once = re.search(r"\bsingle\b(?! (?:dose )?(?:once |twice )?daily)", said)
    if once and not (each and (doses or long)):
        return {"doses": 1}
    if each:
        every = float(each[1] or each[3]) * HOURS[(each[2] or each[4])[0]]
    if doses and not every and (within := re.search(rf"(?:within|over|in|during) {TIME}", said)):
        every = float(within[1]) * HOURS[within[2][0]] / doses
        return {"every_h": every, "doses": doses, "assumed": ("doses evenly spaced",)} if every else None
    if every and long:
        doses = max(round(float(long[1] or 1) * HOURS[long[2][0]] / every), 1)
    return {"every_h": every, "doses": doses} if every and (doses or 1) <= MOST_DOSES else None


def medicines(plan: str, text: str) -> tuple[str, ...]:
    """The medicines that a schedule or a co-medication names; one that no table knows comes first."""
    both, known = f"{plan} {text}".lower(), interactions()
    if "alone" in both:
        return ()
    named = re.findall(r"\b(?:with|after(?: repeated)?|plus)\s+([a-z]{5,})", both)
    unknown = [word for word in named if word not in known and meant("medicine", word) is None]
    for each in re.split(r"[,;+/]|\band\b|\bwith\b|\bplus\b", text.lower()):
        name = re.sub(r"\s*\d.*", "", each).strip()
        if name not in {"", "no", "none", "placebo", "alone"} and not any(one in each for one in known):
            unknown.append(name)
    taken = [one for one in known if one in both and not re.search(rf"\b(without|no|not|before) {one}", both)]
    return (*unknown, *taken)


def minutes(text: str) -> float | None:
    """Length [min] of an infusion or of smoking that a text names."""
    found = re.search(
        rf"(?:over|during|within|,)\s*(?:about |~\s*)?{N}[ -]?(mins?|minutes?|h|hours?)\b", text
    )
    return float(found[1]) * 60.0 * HOURS[found[2][0]] if found else None


def weight(text: str) -> tuple[float | None, float | None]:
    """Mean and standard deviation [kg]."""
    found = re.search(rf"weight {N}\s*(?:(?:\(|\+/-\s*|±\s*){N}\)?)?\s*kg", text)
    return (float(found[1]), float(found[2] or 0.0)) if found else (None, None)


def share_female(text: str) -> float | None:
    """Share of women; None where not said."""
    said = text.lower()
    women, men = (
        re.search(rf"(\d+)\s*(?:{words})\b", said) for words in ("women|females?|f", "men|males?|m")
    )
    if women and men and int(women[1]) + int(men[1]):
        return int(women[1]) / (int(women[1]) + int(men[1]))
    if percent := re.search(rf"{N}\s*% (female|male|women|men)", said):
        share = min(float(percent[1]) / 100.0, 1.0)
        return share if percent[2] in ("female", "women") else 1.0 - share
    has_women, has_men = re.search(r"female|women", said), re.search(r"\b(?:males?|men)\b", said)
    return None if not (has_women or has_men) else 0.5 if has_women and has_men else float(bool(has_women))


def window(which: str) -> dict[str, Any] | None:
    """An area's start, end and, where it says so, when sampling ended; None where not understood."""
    said = which.strip().lower().replace("–", "-").replace("∞", "inf")
    ends = re.match(rf"0-(inf|t|last|\?)|{N}-{N}\s*(minutes|mins|min|days|day|d|weeks|week|h|hours)?\b", said)
    if not ends:
        return None
    start: float = 0.0
    to: Any = "inf" if ends[1] == "inf" else "last"
    if ends[2]:
        start, to = (float(end) * HOURS[(ends[4] or "h")[0]] for end in (ends[2], ends[3]))
    if is_number(to) and start >= to:
        return None
    sampled = re.search(rf"{N} min sampling", said)
    unsure = "?" in said or "or long" in said
    return {
        **{"from_h": start, "to": to},
        **({"sampled_to_h": float(sampled[1]) / 60.0} if sampled else {}),
        **({"assumed": ("AUC 0-inf" if to == "inf" else "AUC 0-t",)} if unsure else {}),
    }


def figure(value: Any) -> dict[str, Any]:
    """A value as it stands in a row: a number, one with its spread, a range; any other text as printed."""
    if isinstance(value, tuple):
        ends = len(value) == 2 and all(is_number(end) for end in value)
        return {"value": None, **({"interval": value, "level": "range"} if ends else {"printed": str(value)})}
    if not isinstance(value, str):
        return {"value": value} if not isinstance(value, Mapping) else {"value": None, "printed": str(value)}
    bare = re.sub(r"^(?:~|≈|about |approx\.? |ca\.? |c\. )\s*", "", value.strip())
    found = re.fullmatch(rf"{N}(?:\s*(±|\+/-|\+-|-|–|to)\s*{N}|\s*\({N}\))?", bare)
    if not found:
        return {"value": None, "printed": value}
    if found[2] in ("-", "–", "to"):
        return {"value": None, "interval": (float(found[1]), float(found[3])), "level": "range"}
    about = {"assumed": ("approximate",)} if bare != value.strip() else {}
    spread = found[3] or found[4]
    return {"value": float(found[1]), **({"spread": float(spread)} if spread else {}), **about}


def unit(text: object) -> object:
    """A unit as it is calculated with."""
    if not isinstance(text, str):
        return text
    said = re.sub(r"[µμ]|\bmc(?=g)", "u", text.strip())
    said = re.sub(r"\bhrs?\b|\bhours?\b", "h", said)
    said = re.sub(r"\s+x\s+", "*", said)
    said = re.sub(
        r"\s*([·⋅×*/])\s*|(?<=\w)[ .](?=[A-Za-z])", lambda sign: "/" if sign[1] == "/" else "*", said
    )
    return re.sub(r"\*?\b([A-Za-z]+)\^?(?:[-−]1|⁻¹)(?=$|[*/])", r"/\1", said)  # mL-1 is a division

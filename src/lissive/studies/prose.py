"""A study in the words of its publication: its text as a design and rows of results, the fields of fields.tsv.

What is understood becomes a value; what is not is listed with the phrase, and what is then taken is told.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from lissive.marked import Loc
from lissive.model.parameters import load_interactions
from lissive.studies.arm import MOST_DOSES
from lissive.studies.entry import NOT_MODELLED, At, Entry, find, is_number, metrics
from lissive.studies.measures import IN_WORDS
from lissive.studies.observation import PRINTED

N = r"(\d+(?:\.\d+)?)"
_HOURS = {"h": 1.0, "m": 1 / 60, "d": 24.0, "w": 168.0}
"""By the first letter: min and minutes, h and hours, d and days, w and weeks."""
_UNIT_OF_TIME = r"(h|hr|hrs|hours?|mins?|minutes?|d|days?|w|weeks?)\b"
_WORDS = "one two three four five six seven eight nine ten eleven twelve".split()

PLACES: dict[str, Loc] = {
    **{name: ("population", name) for name in ("n", "weight_kg", "weight_sd")},
    "female": ("population", "sex"),
    "users": ("population", "status"),
    "food": ("dose", "fed_state"),
    "every_h": ("dose", "schedule"),
    "doses": ("dose", "schedule"),
    **{name: (name,) for name in ("matrix", "sampling_h", "lloq_ng_mL")},
}
"""Where a field of the design stands; all others stand in the dose under their own name."""
STUDY_FIELDS = set(
    "id citation doi doi_provenance source_url population dose matrix analytes split split_note notes sampling_h"
    " lloq_ng_mL control".split()
)
PART_FIELDS = {
    "population": set("n status sex age notes weight_kg".split()),
    "dose": set(
        "route formulation THC_mg CBD_mg dose_is sprays fed_state schedule note comedication cyp2c9 liver"
        " duration_min".split()
    ),
}
_ANALYTE_FIELDS = {"analyte", "provenance", "where", "confidence", "note"}
_VALUE_FIELDS = set("value unit stat spread spread_type note which as_reported range CI90 t_h".split())


class Text(NamedTuple):
    """An arm as a file has it, in either format, as a design and rows."""

    entry: Entry
    fields: Mapping[str, Any]
    """What the arm says of itself beside these: split, control."""
    at: At
    design: Mapping[str, Any]
    rows: list[tuple[Mapping[str, Any], At]]


def arm_of(number: int, study: Mapping[str, Any], path: Path, lines: Mapping[Loc, int]) -> Text:
    """The arm that a study in words is."""
    entry = Entry(
        (number,), study, str(study.get("id")), lambda name: PLACES.get(name, ("dose", name)), path, lines
    )
    for name in (name for name in study if name not in STUDY_FIELDS):
        entry.skip(name, "a field that is not read")
    people, dose = (_mapping(entry, part) for part in ("population", "dose"))
    design = _design(entry, dose, people)
    return Text(entry, study, lambda name: (name,), design, list(_rows(entry)))


def _mapping(entry: Entry, part: str) -> Mapping[str, Any]:
    value = entry.data.get(part)
    if not isinstance(value, Mapping):
        entry.wrong((part,), f"The study has no {part}.", allowed="fields, as in docs/how-to/validate.md.")
        return {}
    for name in (name for name in value if name not in PART_FIELDS[part]):
        entry.skip(f"{part}.{name}", "a field that is not read")
    return value


def _design(entry: Entry, dose: Mapping[str, Any], people: Mapping[str, Any]) -> dict[str, Any]:
    form = _text(dose.get("formulation"))
    status, notes = _text(people.get("status")), _text(people.get("notes"))
    why: dict[str, str] = {}
    weighed = weight(f"{notes} {status}")
    design: dict[str, Any] = {
        **{name: dose.get(name) for name in ("route", "dose_is", "duration_min", "cyp2c9", "liver")},
        **{name: entry.data.get(name) for name in ("matrix", "sampling_h", "lloq_ng_mL")},
        "n": people.get("n"),
        "weight_kg": people.get("weight_kg", weighed[0] if weighed else None),
        "weight_sd": weighed[1] if weighed and people.get("weight_kg") is None else None,
        "oil": float(bool(re.search(r"epidiolex|\boil\b|solution|lipid", form, re.IGNORECASE))),
        **_amounts(dose, why),
        "comedication": medicines(_text(dose.get("schedule")), _text(dose.get("comedication"))),
        "not_simulated": why,
    }
    if design["weight_kg"] is None and weighed:
        design["weight_kg"], design["weight_sd"] = weighed
    if design["lloq_ng_mL"] is None and (
        limit := re.search(
            rf"\b(?:LOD|LLOQ|LOQ)\D{{0,4}}{N}\s*(?:ng/mL|ug/L)", _text(entry.data.get("notes"))
        )
    ):
        design["lloq_ng_mL"] = float(limit[1])
    if form and design["duration_min"] is None and (said := minutes(form)):
        design["duration_min"] = said if _takes_time(dose) else None
    plan = schedule(_text(dose.get("schedule")))
    if plan:
        design |= {"every_h": plan[0], "doses": plan[1]}
    else:
        why["dose.schedule"] = f"the schedule {dose.get('schedule')!r} is not understood"
    route = find("route", dose.get("route"))
    inhaled, eaten = _takes_time(dose) and route and route.means != "iv", route and route.means in ("oral", "spray")
    for name, text, meaning, taken, counts in (
        ("food", _text(dose.get("fed_state")), food(_text(dose.get("fed_state"))), "fasted", eaten),
        ("users", status, users(status, form), "light users", inhaled),
        ("female", _text(people.get("sex")), share_female(_text(people.get("sex"))), "half women", True),
    ):
        design[name] = meaning
        if text and meaning is None and counts:
            place = ".".join(str(part) for part in entry.at(name))
            entry.skip(place, f"{text!r} is not understood; taken: {taken}")
    if design["food"] is None and re.search(r"edible|cookie|brownie|chocolate|butter", f"{dose.get('route')} {form}", re.IGNORECASE):
        design["food"] = "fed"
    return design


def _takes_time(dose: Mapping[str, Any]) -> bool:
    route = find("route", dose.get("route"))
    return route is not None and route.means in ("iv", "smoked", "vaporised")


def _text(value: object) -> str:
    return "" if value is None else str(value)


def _amounts(dose: Mapping[str, Any], why: dict[str, str]) -> dict[str, Any]:
    """THC and CBD of a dose; a text that is not one number goes to the reasons."""
    found: dict[str, Any] = {}
    by_kg = set()
    for name in ("THC_mg", "CBD_mg"):
        value = dose.get(name)
        if isinstance(value, str):
            said = re.fullmatch(rf"{N}\s*mg(/kg)?", value.strip())
            if not said:
                why["dose"] = f"{name} is {value!r}, not one number"
                continue
            by_kg.add(bool(said[2]))
            value = float(said[1])
        elif value is not None:
            by_kg.add(False)
        found[name] = value
    if by_kg == {True, False}:
        why["dose"] = "one dose is per kg of weight, the other is not"
    return {**found, "per_kg": float(True in by_kg)}


_MEAL = r"(?:breakfast|meals?|lunch|dinner|supper|snack|food|feed|feeding|eating|fed)\b"
_AFTER_DOSE = r"(?:after|post|following)[\s-]*(?:the |each |study |first |drug |oral )*(?:dos|drug|admin|intake|treat|inhal)"
_NOT_YET = (
    rf"\b(?:without|no|before|until|withheld|skipp\w+)\s+(?:\w+[- ]){{0,2}}{_MEAL}|empty stomach|\bunfed\b|not (?:fed|eaten)"
    rf"|\d ?(?:h|hours?|min\w*) {_AFTER_DOSE}.*{_MEAL}|{_MEAL}.*(?:{_AFTER_DOSE}|\blater\b|\bafterwards?\b|\bpost-?dose|\bwithheld|\bnot allowed)"
)


def food(text: str) -> str | None:
    """fasted, low-fat, fed or high-fat at dosing; None where it is not said, not understood, or several.

    >>> food("fasted >=10 h"), food("high-fat breakfast"), food("low-fat meal"), food("without food")
    ('fasted', 'high-fat', 'low-fat', 'fasted')
    >>> food("overnight fast; standard meal within 30 min prior to dosing"), food("unfasted")
    ('fed', 'fed')
    >>> food("breakfast 2 h after dosing"), food("with a fat-free meal"), food("fed vs fasted")
    ('fasted', 'low-fat', None)
    """
    said = text.lower()
    if re.search(r"\bvs\b|\bor\b|regardless|without regard|irrespective|fed (?:and|/) fast|fasted (?:and|/) fed", said):
        return None
    said = re.sub(r"\b(dos\w+|administration|intake),", r"\1", said)  # what follows it is part of the same clause
    found: set[str] = set()
    for clause in re.split(r"[;,]|\bthen\b|\bfollowed by\b|\band\b", said):
        fasting = re.search(r"\bfast(?:ed|ing|s)?\b", clause)
        if re.search(r"\b(?:un|non-?|not |non )-?fast", clause):
            found.add("fed")
        elif re.search(_NOT_YET, clause):
            found.add("fasted")
        elif fasting and not re.search(rf"after .*{_MEAL}", clause):
            found.add("fasted")
        elif re.search(r"(?:low|non|no|free|reduced)[- ]fat|fat[- ]free|\blight\b|\bsnack", clause):
            found.add("low-fat")
        elif re.search(r"high[- ](?:fat|calorie)|\bfatty\b|\bfat\b", clause):
            found.add("high-fat")
        elif re.search(_MEAL, clause):
            found.add("fed")
    return next((each for each in ("low-fat", "high-fat", "fed", "fasted") if each in found), None)


_HEAVY = r"\bheavy\b|\bchronic (?:daily )?(?:cannabis |marijuana )?(?:smok|us)ers|\bdaily\b|\bfrequent\b|\bregular\b|on medicinal cannabis"
_LIGHT = r"\blight\b(?! cannabis)|\binfrequent\b|\boccasional\b|\brecreational\b|\bnaive\b|\bnaïve\b|drug.free|\bno cannabis\b"
_LESS = r"less (?:often )?than (?:daily|weekly|once)|\b(?:not|non)[- ](?:daily|frequent|regular|heavy|chronic)|never"


def users(text: str, form: str = "") -> str | None:
    """heavy (daily or nearly so), light or mixed users of cannabis; None where it is not said or not understood.

    >>> users("heavy users"), users("frequent or infrequent cannabis users"), users("less than daily")
    ('heavy', 'mixed', 'light')
    >>> users("regular tobacco smokers, infrequent cannabis users"), users("healthy")
    ('light', None)
    >>> users("experienced with vaporisers, no cannabis in the last month"), users("light cannabis consumers")
    ('light', None)
    """
    said = re.sub(r"[\"“'‘][^\"”'’]*[\"”'’]|\S+\s*[™®]", " ", text.lower())  # a product's name is no population
    said = said.replace(form.lower(), " ") if form else said
    clauses = [each for each in re.split(r"[,;+]|\band\b|\bor\b|\bbut\b", said) if not re.search(r"tobacco|nicotine|alcohol|coffee", each)]
    heavy = light = False
    for clause in clauses:
        less = re.search(_LESS, clause)
        light |= bool(less or re.search(_LIGHT, clause) or re.search(r"\blight cannabis (?:us|smok)ers", clause))
        heavy |= not less and bool(re.search(_HEAVY, clause))
    return "mixed" if heavy and light else "heavy" if heavy else "light" if light else None


_EVERY = {
    r"\bonce (?:a day|per day)": 24.0,
    r"\bonce daily|\bqd\b|\bevery day": 24.0,
    r"\btwice (?:daily|a day|per day)|\bbid\b|\bb\.i\.d": 12.0,
    r"\b(?:three times|thrice) (?:daily|a day|per day)|\btid\b|\bt\.i\.d": 8.0,
    r"\bfour times (?:daily|a day|per day)|\bqid\b|\bq\.i\.d": 6.0,
    r"\bevery other day": 48.0,
    r"\bdaily": 24.0,
}
"""The first that is found counts, so a word comes after those that end in it."""


def schedule(text: str) -> tuple[float | None, int | None] | None:
    """Hours between doses, and their number (None where it is not said for how long); None where not understood.

    >>> schedule("replicate single dose"), schedule("once daily x 3 days"), schedule("6 weeks")
    ((None, 1), (24.0, 3), None)
    >>> schedule("twice daily x 1 day"), schedule("q0h"), schedule("q1h x 90 weeks"), schedule("BID multiple dose")
    ((12.0, 2), None, None, (12.0, None))
    >>> schedule("every 12 h for 7 consecutive days"), schedule("four cigarettes within 4 h")
    ((12.0, 14), (1.0, 4))
    """
    said = re.sub(rf"\b({'|'.join(_WORDS)})\b", lambda word: str(_WORDS.index(word[1]) + 1), text.lower())
    if re.search(r"escalat|titrat|as needed|\bprn\b", said):
        return None
    if re.search(r"\bsingle\b", said):
        return (None, 1)
    counted = re.search(rf"\b(\d+) (?:\w+ )?(?:doses|cigarettes|capsules|sprays|inhalations|joints)\b", said)
    if counted and 1 < int(counted[1]) <= MOST_DOSES:
        apart = re.search(rf"{N} ?-?{_UNIT_OF_TIME} (?:apart|interval)|(?:every|intervals? of) {N} ?{_UNIT_OF_TIME}", said)
        if apart:
            each = float(apart[1] or apart[3]) * _HOURS[(apart[2] or apart[4])[0]]
            return (each, int(counted[1])) if each > 0 else None
        if within := re.search(rf"(?:within|over|in|during) {N} ?{_UNIT_OF_TIME}", said):  # evenly over that time
            each = float(within[1]) * _HOURS[within[2][0]] / int(counted[1])
            return (each, int(counted[1])) if each > 0 else None
        return None
    every = next((hours for word, hours in _EVERY.items() if re.search(word, said)), 0.0)
    if each := re.search(rf"\bq{N} ?h\b|\bevery {N} ?{_UNIT_OF_TIME}", said):
        every = float(each[1] or each[2]) * (_HOURS[each[3][0]] if each[3] else 1.0)
    if not every:
        return None
    long = re.search(rf"(?:x|×|for|over|during)\s*(?:a |the )?{N}?\s*(?:consecutive |successive )?(d|days?|w|weeks?)\b", said)
    if not long:
        return (every, None)
    doses = max(round(float(long[1] or 1) * _HOURS[long[2][0]] / every), 1)
    return (every, doses) if doses <= MOST_DOSES else None


_WITH = re.compile(r"\b(?:with|after(?: repeated)?|plus)\s+([a-z]{5,})")
_NO_MEDICINE = set("water standardised standardized breakfast light ethanol tobacco placebo sesame food meals".split())


def medicines(plan: str, text: str) -> tuple[str, ...]:
    """The medicines that a schedule or a co-medication names; one that no table knows comes first.

    >>> medicines("single dose with ketoconazole 400 mg", ""), medicines("", "rifampicin and clobazam 5 mg")
    (('ketoconazole',), ('clobazam', 'rifampicin'))
    >>> medicines("single dose alone (ketoconazole group control)", ""), medicines("", "no ketoconazole")
    ((), ())
    """
    both, known = f"{plan} {text}".lower(), load_interactions()
    if "alone" in both:
        return ()
    unknown = [word for word in _WITH.findall(both) if word not in known and word not in _NO_MEDICINE]
    for each in re.split(r"[,;+/]|\band\b|\bwith\b|\bplus\b", text.lower()):
        name = re.sub(r"\s*\d.*", "", each).strip()
        if name not in {"", "no", "none", "placebo", "alone"} and not any(one in each for one in known):
            unknown.append(name)
    named = [one for one in known if one in both and not re.search(rf"\b(without|no|not|before) {one}", both)]
    return (*unknown, *named)


def minutes(text: str) -> float | None:
    """Length [min] of an infusion or of smoking that a text names.

    >>> minutes("THC 0.05 mg/kg over 2 min"), minutes("36 mg, 10 min, paced inhalation")
    (2.0, 10.0)
    """
    found = re.search(rf"(?:over|during|,)\s*{N}\s*min\b", text)
    return float(found[1]) if found else None


def weight(text: str) -> tuple[float, float] | None:
    """Mean and standard deviation [kg].

    >>> weight("weight 74.0 (11.25) kg, BMI 24.8"), weight("weight 70 kg")
    ((74.0, 11.25), (70.0, 0.0))
    """
    found = re.search(rf"weight {N}\s*(?:(?:\(|\+/-\s*|±\s*){N}\)?)?\s*kg", text)
    return (float(found[1]), float(found[2] or 0.0)) if found else None


def share_female(text: str) -> float | None:
    """Share of women; None where not said.

    >>> share_female("7 men 10 women"), share_female("4 F / 4 M"), share_female("70 % female")
    (0.5882352941176471, 0.5, 0.7)
    >>> share_female("male"), share_female("female"), share_female("male and female")
    (0.0, 1.0, 0.5)
    """
    said = text.lower()
    women, men = (re.search(rf"(\d+)\s*(?:{words})\b", said) for words in ("women|females?|f", "men|males?|m"))
    if women and men and int(women[1]) + int(men[1]):
        return int(women[1]) / (int(women[1]) + int(men[1]))
    if percent := re.search(rf"{N}\s*% (female|male|women|men)", said):
        share = min(float(percent[1]) / 100.0, 1.0)
        return share if percent[2] in ("female", "women") else 1.0 - share
    has_women, has_men = re.search(r"female|women", said), re.search(r"\b(?:males?|men)\b", said)
    return None if not (has_women or has_men) else 0.5 if has_women and has_men else float(bool(has_women))


def window(which: str) -> dict[str, Any] | None:
    """An area's start, end and, where it says so, when sampling ended; None where not understood.

    >>> window("0-inf"), window("0-360 min (truncated)"), window("0-t")
    ({'to': 'inf'}, {'from_h': 0.0, 'to': 6.0}, {'to': 'last'})
    >>> window("0-inf (120 min sampling)"), window("12-2"), window("0-inf?")
    ({'to': 'inf', 'sampled_to_h': 2.0}, None, {'to': 'inf', 'assumed': ('AUC 0-inf',)})
    """
    said = which.strip().lower().replace("–", "-").replace("∞", "inf")
    made: dict[str, Any] = {}
    if re.match(r"0-inf", said):
        made["to"] = "inf"
    elif re.match(r"0-(t|last|\?)", said):
        made["to"] = "last"
    elif numbers := re.match(rf"{N}-{N}\s*(minutes|mins|min|days|day|d|weeks|week|h|hours)?\b", said):
        unit = _HOURS[(numbers[3] or "h")[0]]
        made = {"from_h": float(numbers[1]) * unit, "to": float(numbers[2]) * unit}
        if made["from_h"] >= made["to"]:
            return None
    else:
        return None
    if sampled := re.search(rf"{N} min sampling", said):
        made["sampled_to_h"] = float(sampled[1]) / 60.0
    if "?" in said or "or long" in said:
        made["assumed"] = ("AUC 0-inf" if made["to"] == "inf" else "AUC 0-t",)
    return made


def figure(text: str) -> dict[str, Any] | None:
    """A printed number with its spread, or a range; None where it is neither.

    >>> figure("14.3±7.7"), figure("~140")
    ({'value': 14.3, 'spread': 7.7}, {'value': 140.0, 'assumed': ('approximate',)})
    >>> figure("2–5"), figure(">20")
    ({'value': None, 'interval': (2.0, 5.0), 'level': 'range'}, None)
    """
    said = text.strip()
    about = re.match(r"(?:~|≈|about |approx\.? |ca\.? |c\. )\s*", said)
    found = re.fullmatch(rf"{N}(?:\s*(±|\+/-|\+-|-|–|to)\s*{N}|\s*\({N}\))?", said[about.end() :] if about else said)
    if not found:
        return None
    if found[2] in ("-", "–", "to"):
        return {"value": None, "interval": (float(found[1]), float(found[3])), "level": "range"}
    spread = found[3] or found[4]
    return {
        "value": float(found[1]),
        **({"spread": float(spread)} if spread else {}),
        **({"assumed": ("approximate",)} if about else {}),
    }


def unit(text: object) -> object:
    """A unit as it is calculated with.

    >>> unit("ng mL-1"), unit("ng·h/mL"), unit("ng h mL^-1"), unit("µg/L"), unit("hr*ng/mL")
    ('ng/mL', 'ng*h/mL', 'ng*h/mL', 'ug/L', 'h*ng/mL')
    """
    if not isinstance(text, str):
        return text
    said = re.sub(r"[µμ]|\bmc(?=g)", "u", text.strip())
    said = re.sub(r"\bhrs?\b|\bhours?\b", "h", said)
    said = re.sub(r"\s*([·⋅×*/])\s*|(?<=[A-Za-z])[ .](?=[A-Za-z])", lambda sign: "/" if sign[1] == "/" else "*", said)
    return re.sub(r"\*?\b([A-Za-z]+)\^?[-−⁻][1¹](?=$|[*/ ])", r"/\1", said)  # mL-1 is a division


def _rows(entry: Entry) -> Iterator[tuple[Mapping[str, Any], At]]:
    """The numbers of all analytes as rows of results, and where each field of them stands."""
    analytes = entry.data.get("analytes")
    if not isinstance(analytes, tuple) or not analytes:
        entry.wrong(("analytes",), "The study has no list of analytes.", allowed="one or more entries.")
        return
    for k, each in enumerate(analytes):
        loc: Loc = ("analytes", k)
        if not isinstance(each, Mapping):
            entry.wrong(loc, "This is no entry of an analyte.", allowed="analyte, provenance and metrics.")
            continue
        entry.word("provenance", each.get("provenance"), (*loc, "provenance"))
        words = [entry.word("analyte", part, (*loc, "analyte")) for part in str(each.get("analyte")).split("/")]
        reasons = {word.note for word in words if word and word.means == NOT_MODELLED}
        if reasons:
            entry.skip(str(each.get("analyte")), ", ".join(sorted(reasons)))
        for word in [] if reasons else words:
            if word:
                yield from _of_analyte(entry, each, loc, PRINTED[word.means])


def _of_analyte(
    entry: Entry, each: Mapping[str, Any], loc: Loc, analyte: str
) -> Iterator[tuple[Mapping[str, Any], At]]:
    for name in (name for name in each if name not in _ANALYTE_FIELDS):
        shared = {"analyte": analyte, "metric": name, "provenance": each.get("provenance")}
        place, metric = (*loc, name), metrics().get(name)
        if name == "conc_time":
            made = _points(entry, each[name], place)
        elif metric is None or metric.measure == NOT_MODELLED:
            made = iter([({}, lambda _, place=place: place)])  # type: ignore[misc]
        else:
            made = _number(entry, each[name], place, f"{analyte} {name}")
        for row, at in made:
            if row.get("value") is not None and (why := _left_out(entry, analyte, name)):
                row.setdefault("left_out", why)
            yield {**shared, **row}, at


def _left_out(entry: Entry, analyte: str, metric: str) -> str:
    """What a split's own note leaves out: `CBD Cmax only` drops every other analyte and metric."""
    note = str(entry.data.get("split_note") or "")
    before = re.split(r"\bonly\b", note)
    named = set(re.findall(r"[\w-]+", before[0])) if len(before) > 1 else set()
    analytes, known = named & set(PRINTED.values()), named & {*metrics(), "conc_time"}
    kept = len(before) == 1 or ((not analytes or analyte in analytes) and (not known or metric in known))
    return "" if kept else f"the split's note says {note!r}"


def _points(entry: Entry, points: Any, loc: Loc) -> Iterator[tuple[dict[str, Any], At]]:
    """Concentrations at times: entries of time, concentration and, perhaps, spread."""
    if not isinstance(points, tuple):
        entry.wrong(loc, "conc_time is not a list.", allowed="entries of time [h] and ng/mL.")
        return
    if not points:
        entry.skip("conc_time", "no concentrations in it")
    for k, point in enumerate(points):
        place: Loc = (*loc, k)
        if not isinstance(point, tuple) or len(point) < 2 or point[0] is None or point[1] is None:
            entry.wrong(place, f"{point!r} is no time and concentration.", allowed="two numbers.")
            continue
        time, value = point[0], point[1]
        row: dict[str, Any] = {"metric": "C", "unit": "ng/mL", **_value(value)}
        if isinstance(time, str):
            said = re.fullmatch(rf"{N}\s*{_UNIT_OF_TIME}", time.strip().lower())
            if said:
                time = float(said[1]) * _HOURS[said[2][0]]
            else:
                row |= {"when": time, "left_out": f"{time!r} is no time"}
        if "when" not in row:
            row["time_h"] = time
        if len(point) > 2 and (spread := re.match(rf"(SD|SEM|SE)\s*{N}", str(point[2]))):
            row |= {"spread_kind": spread[1], "spread": float(spread[2])}
        elif len(point) > 2 and point[2] is not None:
            row["note"] = str(point[2])
        yield row, lambda _, place=place: place  # type: ignore[misc]


def _value(value: Any) -> dict[str, Any]:
    """A value as it stands in a row: a number as it is, a text that is one read, else as printed."""
    if isinstance(value, str):
        return figure(value) or {"value": None, "printed": value}
    if isinstance(value, tuple):
        ends = len(value) == 2 and all(is_number(end) for end in value)
        return {"value": None, **({"interval": value, "level": "range"} if ends else {"printed": str(value)})}
    return {"value": value}


_FROM = {"spread_kind": "spread_type", "to": "which", "from_h": "which", "interval": "value", "printed": "value"}


def _number(entry: Entry, given: Any, loc: Loc, what: str) -> Iterator[tuple[dict[str, Any], At]]:
    """One number, or one for each condition of a ratio."""

    def place(name: str) -> Loc:
        return (*loc[:2], name) if name in _ANALYTE_FIELDS - {"note"} else (*loc, _FROM.get(name, name))

    if not isinstance(given, Mapping) or "value" not in given:
        entry.wrong(loc, "There is no value.", allowed="value, unit and stat.")
        return
    for name in (name for name in given if name not in _VALUE_FIELDS):
        entry.wrong((*loc, name), f"{name} is no field of a number.", allowed=f"{', '.join(sorted(_VALUE_FIELDS))}.")
    row: dict[str, Any] = {"unit": unit(given.get("unit")), "stat": given.get("stat"), **_spread(entry, given, what)}
    if given.get("note") is not None:
        row["note"] = str(given["note"])
    if re.search(r"do not use|implausib", str(row.get("note")), re.IGNORECASE):
        row["left_out"] = "its own note doubts it"
    assumed = [IN_WORDS] if given.get("stat") == "qualitative" else []
    if given.get("which") is not None and "AUC" in loc[-1]:
        said = window(str(given["which"]))
        row |= said or {"left_out": f"the window {given['which']!r} is not understood"}
        assumed += row.pop("assumed", ())
    value = given["value"]
    for condition, each in value.items() if isinstance(value, Mapping) and value else [("", value)]:
        made = {**row, **({"condition": condition} if condition else {}), **(_value(each) if each != {} else {"value": None})}
        if condition and each is None:
            entry.wrong((*place("value"), condition), "value is None.", allowed="a number over 0.")
        made["assumed"] = (*assumed, *made.get("assumed", ()))
        if "spread" in made and "spread_kind" not in made:
            entry.skip(f"{what}.spread", "± and no spread_type: whether SD or SEM is not said")
        yield made, (lambda name, condition=condition: (*place(name), condition) if condition and name == "value" else place(name))  # type: ignore[misc]


def _spread(entry: Entry, given: Mapping[str, Any], what: str) -> dict[str, Any]:
    """Spread and its kind, or an interval; what is not understood is listed."""
    spread, kind = given.get("spread"), given.get("spread_type")
    made: dict[str, Any] = {}
    known = find("spread_kind", kind) if kind is not None else None
    if known:
        made["spread_kind"] = str(kind)
    if is_number(spread):
        made["spread"] = spread
    elif isinstance(spread, str) and (ends := figure(spread)) and "interval" in ends:
        level = re.search(r"\d+", str(kind))
        made = {"interval": ends["interval"], "level": level[0] if level else "range"}
    elif spread is not None:
        entry.skip(f"{what}.spread", f"{spread!r} is not understood")
    if kind is not None and not known and "interval" not in made:
        entry.skip(f"{what}.spread_type", f"{kind!r} is not understood")
    return made

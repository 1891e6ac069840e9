"""A study in the words of its publication: its text as a design and rows of results, the fields of fields.tsv.

What is understood becomes a value; what is not is listed with the phrase, and what is then taken is told.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from lissive.marked import Loc
from lissive.studies.arm import INHALED
from lissive.studies.entry import NOT_MODELLED, At, Entry, fields, find, metrics
from lissive.studies.measures import IN_WORDS
from lissive.studies.observation import PRINTED
from lissive.studies.phrases import (
    HOURS,
    TIME,
    N,
    figure,
    food,
    medicines,
    minutes,
    schedule,
    share_female,
    unit,
    users,
    weight,
    window,
)

MOST_CHARS = 2000
"""Longer texts are no words of a design, and would cost the patterns minutes."""
PLACES: dict[str, Loc] = {
    **{name: ("population", name) for name in ("n", "weight_kg")},
    "female": ("population", "sex"),
    "users": ("population", "status"),
    "food": ("dose", "fed_state"),
    "doses": ("dose", "schedule"),
    **{name: (name,) for name in ("matrix", "sampling_h", "sampled_to_h", "lloq_ng_mL")},
}
"""Where a field of the design stands; all others stand in the dose under their own name."""
_EARLIER = ("before", "residual_ng_mL")
_ANALYTE_FIELDS = {"analyte", "provenance", "where", "confidence", "note"}
_FROM = {
    "spread_kind": "spread_type",
    "to": "which",
    "from_h": "which",
    "interval": "value",
    "printed": "value",
}


class Text(NamedTuple):
    """An arm as a file has it, in either format, as a design and rows."""

    entry: Entry
    fields: Mapping[str, Any]
    """What the arm says of itself beside these: split, control."""
    at: At
    design: Mapping[str, Any]
    rows: Sequence[tuple[Mapping[str, Any], At]]


def under(loc: Loc, name: str) -> Loc:
    return (*loc, name)


def arm_of(number: int, study: Mapping[str, Any], path: Path, lines: Mapping[Loc, int]) -> Text:
    """The arm that a study in words is."""
    entry = Entry((number,), study, str(study.get("id")), _place, path, lines)
    _unread(entry, "", "study in words", study)
    study = _short(entry, study, ())
    entry.data = study
    parts = []
    for part in ("population", "dose"):
        given = study.get(part)
        if not isinstance(given, Mapping):
            allowed = "fields, as in docs/how-to/validate.md."
            entry.wrong((part,), f"The study has no {part}.", allowed=allowed)
            given = {}
        _unread(entry, f"{part}.", part, given)
        parts.append(given)
    return Text(entry, study, partial(under, ()), _design(entry, *parts), list(_rows(entry)))


def _short(entry: Entry, value: Any, loc: Loc) -> Any:
    """The same without texts that are too long, which are findings."""
    if isinstance(value, str) and len(value) > MOST_CHARS:
        entry.wrong(loc, f"The text has {len(value)} characters.", allowed=f"up to {MOST_CHARS}.")
        return ""
    if isinstance(value, Mapping):
        return {name: _short(entry, each, (*loc, name)) for name, each in value.items()}
    return (
        tuple(_short(entry, x, (*loc, k)) for k, x in enumerate(value)) if isinstance(value, tuple) else value
    )


def _place(name: str) -> Loc:
    return PLACES.get(name, ("dose", name))


def _unread(entry: Entry, before: str, part: str, given: Mapping[str, Any]) -> None:
    for name in given:
        if name not in fields(part):
            entry.skip(f"{before}{name}", "a field that is not read")


def _design(entry: Entry, people: Mapping[str, Any], dose: Mapping[str, Any]) -> dict[str, Any]:
    plan, form, fed = (_text(dose.get(name)) for name in ("schedule", "formulation", "fed_state"))
    status, sex, notes = (_text(people.get(name)) for name in ("status", "sex", "notes"))
    said_route = dose.get("route")
    if re.fullmatch(r"oromucosal|sublingual|buccal", _text(said_route).strip().lower()):
        held = re.search(r"\b(?:oil|drops|tincture)\b", form, re.IGNORECASE)  # not the spray
        said_route = "sublingual oil" if held and "spray" not in form.lower() else said_route
    route = (find("route", said_route) or (None,))[0]
    mean, sd = weight(f"{notes} {status}")
    if people.get("weight_kg") is not None:
        mean, sd = people["weight_kg"], None
    limit = re.search(rf"\b(?:LOD|LLOQ|LOQ)\D{{0,4}}{N}\s*(?:ng/mL|ug/L)", _text(entry.data.get("notes")))
    design: dict[str, Any] = {
        "route": said_route,
        **{name: dose.get(name) for name in ("dose_is", "duration_min", "cyp2c9", "liver", *_EARLIER)},
        **{name: entry.data.get(name) for name in ("matrix", "sampling_h", "sampled_to_h", "lloq_ng_mL")},
        **{"n": people.get("n"), "weight_kg": mean, "weight_sd": sd},
        "oil": float(
            bool(re.search(r"epidiolex|\boil\b|solution|lipid|drops|tincture", form, re.IGNORECASE))
        ),
        "metered": float(bool(re.search(r"\bmeter|\bt?MDI\b", form, re.IGNORECASE))),
        "comedication": medicines(plan, _text(dose.get("comedication"))),
        **_amounts(dose),
    }
    if design["lloq_ng_mL"] is None and limit:
        design["lloq_ng_mL"] = float(limit[1])
    if design["duration_min"] is None and route in ("iv", *INHALED):
        design["duration_min"] = minutes(form) or (minutes(plan) if route == "iv" else None)
    if said := schedule(plan):
        design |= said
    else:
        design["not_simulated"]["dose.schedule"] = f"the schedule {dose.get('schedule')!r} is not understood"
    for name, text, meaning, taken, counts in (
        ("food", fed, food(fed), "fasted", route in ("oral", "spray")),
        ("users", status, users(status, form), "light users", route in INHALED),
        ("female", sex, share_female(sex), "half women", True),
    ):
        design[name] = meaning
        if text and meaning is None and counts:
            entry.skip(".".join(map(str, _place(name))), f"{text!r} is not understood; taken: {taken}")
    if not fed and re.search(
        r"edible|cookie|brownie|chocolate|butter", f"{dose.get('route')} {form}".lower()
    ):
        design["food"] = "fed"
    return design


def _text(value: object) -> str:
    return "" if value is None else str(value)


def _amounts(dose: Mapping[str, Any]) -> dict[str, Any]:
    """THC and CBD of a dose; a text that is not one number is a reason why it cannot be simulated."""
    found: dict[str, Any] = {}
    why, by_kg = "", set()
    for name in ("THC_mg", "CBD_mg"):
        value = dose.get(name)
        said = re.fullmatch(rf"{N}\s*mg(/kg)?", value.strip()) if isinstance(value, str) else None
        if isinstance(value, str) and not said:
            why = f"{name} is {value!r}, not one number"
        elif value is not None:
            by_kg.add(bool(said and said[2]))
            found[name] = float(said[1]) if said else value
    if by_kg == {True, False}:
        why = "one dose is per kg of weight, the other is not"
    return {**found, "per_kg": float(True in by_kg), "not_simulated": {"dose": why} if why else {}}


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
        words = [
            entry.word("analyte", part, (*loc, "analyte")) for part in str(each.get("analyte")).split("/")
        ]
        if reasons := {word.note for word in words if word and word.means == NOT_MODELLED}:
            entry.skip(str(each.get("analyte")), ", ".join(sorted(reasons)))
            continue
        for word, name in (
            (word, name) for word in words if word for name in each if name not in _ANALYTE_FIELDS
        ):
            metric, which = named(name)
            shared = {"analyte": PRINTED[word.means], "metric": metric, "provenance": each.get("provenance")}
            for given, place in _cells(entry, each[name], metric, (*loc, name)):
                given = {"which": which, **given} if which else given
                yield {**shared, **_row(entry, given, shared)}, place


def named(name: str) -> tuple[str, str]:
    """A metric as it is computed, and the window that its name says.

    >>> named("AUC0-24"), named("AUC(0-inf)"), named("AUC_last"), named("Cavg,ss"), named("Ctrough"), named("Cmax")
    (('AUC', '0-24'), ('AUC', '0-inf'), ('AUClast', ''), ('Cavg', ''), ('Cmin', ''), ('Cmax', ''))
    """
    plain = re.sub(r"[\s_(),]+", "", name.replace("–", "-").replace("∞", "inf")).removesuffix("ss")
    if said := re.fullmatch(rf"AUC({N}-(?:{N}h?|inf|t|last))", plain):
        return "AUC", said[1]
    known = {"auc0inf": "AUCinf", "aucinfinity": "AUCinf", "auctau": "AUCtau", "aucτ": "AUCtau",
             "auc0-tau": "AUCtau", "auc0-τ": "AUCtau", "ctrough": "Cmin", "cav": "Cavg"}  # fmt: skip
    for each in ("AUClast", "AUCinf", "Cmin", "Cavg", "Cmax", "Tmax"):
        known[each.lower()] = each
    return (name if name in metrics() else known.get(plain.lower(), name)), ""


def _cells(entry: Entry, given: Any, name: str, loc: Loc) -> Iterator[tuple[Mapping[str, Any], At]]:
    """A metric's numbers, one for each time or condition; nothing of a metric that is not computed is looked at."""
    metric = metrics().get(name)
    if name == "conc_time":
        yield from _points(entry, given, loc)
    elif metric is None or metric.measure == NOT_MODELLED:
        yield {}, partial(under, loc)
    elif not isinstance(given, Mapping) or "value" not in given:
        entry.wrong(loc, "There is no value.", allowed="value, unit and stat.")
    else:
        entry.checked("number", given, partial(under, loc))
        value = given["value"]
        several = isinstance(value, Mapping) and metric.group == "ratio"
        for condition, each in value.items() if several and value else [("", None if value == {} else value)]:
            place = partial(_in_number, loc, condition)
            if condition and each is None:
                entry.wrong(place("value"), "The ratio is None.", allowed="a number over 0.")
            yield {**given, "value": each, "condition": condition or None}, place


def _in_number(loc: Loc, condition: str, field: str) -> Loc:
    """Where a field of a row stands in the file."""
    if field in ("analyte", "provenance"):
        return (*loc[:2], field)
    if isinstance(loc[-1], int):  # a point of a list
        return loc
    return (*loc, _FROM.get(field, field), *([condition] if condition and field == "value" else []))


def _points(entry: Entry, points: Any, loc: Loc) -> Iterator[tuple[Mapping[str, Any], At]]:
    """Concentrations at times: entries of time, concentration and, perhaps, spread."""
    if not isinstance(points, tuple):
        entry.wrong(loc, "conc_time is not a list.", allowed="entries of time [h] and ng/mL.")
        return
    if not points:
        entry.skip(f"{loc[-1]}", "no concentrations in it")
    for k, point in enumerate(points):
        if not isinstance(point, tuple) or len(point) < 2 or point[0] is None or point[1] is None:
            entry.wrong((*loc, k), f"{point!r} is no time and concentration.", allowed="two numbers.")
            continue
        time, value, *more = point
        time = 0 if isinstance(time, str) and find("when", time) else time
        if value == 0 and time == 0:
            given = {"metric": "C", "value": None, "note": "none before the dose"}
            yield {**given, "time_h": time, "unit": "ng/mL"}, partial(_in_number, (*loc, k), "")
            continue
        said = re.fullmatch(TIME, time.strip().lower()) if isinstance(time, str) else None
        if said:
            time = float(said[1]) * HOURS[said[2][0]]
        when = (
            {"when": time, "left_out": f"{time!r} is no time"} if isinstance(time, str) else {"time_h": time}
        )
        given = {"metric": "C", "value": value, "unit": "ng/mL", "spread": more[0] if more else None}
        yield {**given, **when}, partial(_in_number, (*loc, k), "")


def _row(entry: Entry, given: Mapping[str, Any], shared: Mapping[str, Any]) -> dict[str, Any]:
    """A number of the file as a row of results."""
    row = {
        name: given[name]
        for name in ("metric", "stat", "condition", "time_h", "when", "left_out")
        if name in given
    }
    what = f"{shared['analyte']} {shared['metric']}"
    row |= {"unit": unit(given.get("unit")), **figure(given.get("value")), **_spread(entry, given, what)}
    assumed = [*row.pop("assumed", ()), *([IN_WORDS] if given.get("stat") == "qualitative" else [])]
    if given.get("note") is not None:
        row["note"] = str(given["note"])
    if re.search(r"do not use|implausib", row.get("note", ""), re.IGNORECASE):
        row["left_out"] = "its own note doubts it"
    if given.get("which") is not None and str(shared["metric"]).startswith("AUC"):
        said = window(str(given["which"]))
        row |= said or {"left_out": f"the window {given['which']!r} is not understood"}
        assumed += row.pop("assumed", ())
    if why := _left_out(entry, **shared):
        row.setdefault("left_out", why)
    if "spread" in row and "spread_kind" not in row:
        entry.skip(f"{what}.spread", "whether it is SD or SEM is not said")
    return {**row, "assumed": tuple(assumed)}


def _left_out(entry: Entry, analyte: str, metric: str, **_: Any) -> str:
    """What a split's own note leaves out: `CBD Cmax only` drops every other analyte and metric."""
    note = str(entry.data.get("split_note") or "")
    before = re.split(r"\bonly\b", note)
    named = set(re.findall(r"[\w-]+", before[0])) if len(before) > 1 else set()
    analytes, known = named & set(PRINTED.values()), named & {*metrics(), "conc_time"}
    fits = (not analytes or analyte in analytes) and (not known or metric in known)
    return "" if len(before) == 1 or fits else f"the split's note says {note!r}"


def _spread(entry: Entry, given: Mapping[str, Any], what: str) -> dict[str, Any]:
    """Spread and its kind, or an interval; what is not understood is listed."""
    spread, kind = given.get("spread"), given.get("spread_type")
    if isinstance(spread, str) and (said := re.fullmatch(rf"(SD|SEM|SE)\s*{N}", spread)):
        return {"spread_kind": said[1], "spread": float(said[2])}
    ends = figure(spread) if isinstance(spread, str) else {}
    if "interval" in ends:
        level = re.search(r"\d+", str(kind))
        return {"interval": ends["interval"], "level": level[0] if level else "range"}
    known = kind is not None and find("spread_kind", kind) is not None
    if kind is not None and not known:
        entry.skip(f"{what}.spread_type", f"{kind!r} is not understood")
    if isinstance(spread, str | tuple | Mapping):
        entry.skip(f"{what}.spread", f"{spread!r} is not understood")
        spread = None
    return {
        **({"spread": spread} if spread is not None else {}),
        **({"spread_kind": str(kind)} if known else {}),
    }

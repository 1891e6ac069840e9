"""The arm of a study: what its text says of people, doses and samples, and what is taken where it says nothing."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lissive.model.parameters import load_genotypes, load_interactions, load_liver
from lissive.studies import prose, words
from lissive.studies.entry import Entry, is_number
from lissive.studies.observation import ANALYTES, Arm
from lissive.table import constants

_LIMIT = re.compile(r"\b(?:LOD|LLOQ|LOQ)\D{0,4}(\d+(?:\.\d+)?)\s*(?:ng/mL|ug/L)")
_ASSUMED = constants(Path(__file__).with_name("assumptions.tsv"))
NOMINAL_N = int(_ASSUMED["people"])
MOST_N = 500
"""People simulated at most: the mean of more has no chance left in it that matters, and memory has an end."""
SMOKING_H = _ASSUMED["smoking"]
MOST_MG, MOST_KG, MOST_MIN, MOST_H = 1e5, 350.0, 1440.0, 10_000.0
"""Beyond these a dose, a weight, an infusion or a time is a slip of the pen."""
POPULATION_FIELDS = {"n", "status", "sex", "age", "notes", "weight_kg"}
DOSE_FIELDS = set(
    "route formulation THC_mg CBD_mg sprays fed_state schedule note comedication cyp2c9 liver duration_min".split()
)
_OIL = re.compile(r"epidiolex|\boil\b|solution|lipid", re.IGNORECASE)
_WITH = re.compile(r"\b(?:with|after(?: repeated)?|plus)\s+([a-z]{5,})")
_AND = re.compile(r"[,;+/]|\band\b|\bwith\b|\bplus\b")
_NOTHING = {"", "no", "none", "placebo", "alone"}
_NO_MEDICINE = {
    "water",
    "standardised",
    "breakfast",
    "light",
    "ethanol",
    "tobacco",
    "placebo",
    "sesame",
    "food",
}


def make_arm(entry: Entry) -> Arm | None:
    """The arm, or None where it cannot be simulated; the entry then says why.

    What is wrong with the entry goes to its findings.
    """
    dose, people = _mapping(entry, "dose"), _mapping(entry, "population")
    route = entry.word("route", dose.get("route"), ("dose", "route"))
    matrix = entry.word("matrix", entry.data.get("matrix"), ("matrix",))
    assumed: list[str] = []
    amounts = _amounts(entry, dose)
    n = _count(entry, people, assumed)
    if route is None or matrix is None or amounts is None or n is None:
        return None
    times = prose.dose_times(str(dose.get("schedule")))
    given = _given(entry, dose)
    if isinstance(given, dict) and route.means in ("smoked", "vaporised"):
        heavy = prose.heavy_user(_text(people.get("status")))
        given["heavy_user"] = heavy or 0.0
        assumed += ["light users"] if heavy is None else []
    reasons = {
        "dose.route": route.note if route.means == words.NOT_MODELLED else "",
        "matrix": matrix.note if matrix.means == words.NOT_MODELLED else "",
        "dose.schedule": "" if times else f"the schedule {dose.get('schedule')!r} is not understood",
        "dose": amounts[2],
        "dose.comedication": "" if isinstance(given, dict) else given,
    }
    if why := {field: reason for field, reason in reasons.items() if reason}:
        for field, reason in why.items():
            entry.skip(field, reason)
        return None
    assert times is not None
    assert isinstance(given, dict)
    if len(times) > 2 and not prose.says_duration(str(dose.get("schedule"))):
        assumed.append(f"{prose.STEADY_DAYS:g} days of repeated doses")
    duration, clock = _clock(entry, dose, route.means, assumed)
    notes = f"{people.get('notes') or ''} {people.get('status') or ''}"
    return Arm(
        study=entry.id,
        n=n,
        route=route.means,
        thc_mg=amounts[0],
        cbd_mg=amounts[1],
        per_kg="mg/kg" in f"{dose.get('THC_mg')} {dose.get('CBD_mg')}",
        dose_times=times,
        duration=duration,
        clock_after=clock,
        fed=_fed(dose, route.means, assumed),
        weight=_weight(entry, people) or prose.weight(notes),
        female=prose.share_female(_text(people.get("sex"))),
        given=given,
        sampling=_sampling(entry, route.means),
        lloq=_lloq(entry),
        matrix={a: _factor(matrix.means, a) for a in ANALYTES},
        several_doses=any(isinstance(dose.get(field), tuple) for field in ("THC_mg", "CBD_mg")),
        assumed=tuple(assumed),
    )


def _mapping(entry: Entry, field: str) -> Mapping[str, Any]:
    value = entry.data.get(field)
    if not isinstance(value, Mapping):
        entry.wrong((field,), f"The study has no {field}.", allowed="fields, as in the shipped file.")
        return {}
    known = DOSE_FIELDS if field == "dose" else POPULATION_FIELDS
    for name in value:
        if name not in known:
            entry.skip(f"{field}.{name}", "a field that is not read")
    return value


def _amounts(entry: Entry, dose: Mapping[str, Any]) -> tuple[float, float, str] | None:
    """mg of THC and of CBD, and why they cannot be used; None where they are wrong."""
    found: list[float] = []
    why = ""
    for field in ("THC_mg", "CBD_mg"):
        value = dose.get(field)
        if value is None:
            found.append(0.0)
        elif is_number(value) and 0 < value <= MOST_MG:
            found.append(float(value))
        elif isinstance(value, int | float):
            entry.wrong(
                ("dose", field),
                f"{field} is {value}.",
                allowed=f"over 0 and up to {MOST_MG:g}, or null where none was given.",
            )
            return None
        elif isinstance(value, str) and (by_weight := prose.per_kg(value)):
            found.append(by_weight)
        elif isinstance(value, tuple) and value and all(is_number(v) and 0 < v <= MOST_MG for v in value):
            found.append(float(sorted(value)[len(value) // 2]))
        else:
            why = f"{field} is {value!r}, not one number"
            found.append(0.0)
    by_kg = ["mg/kg" in str(dose.get(field)) for field in ("THC_mg", "CBD_mg") if dose.get(field) is not None]
    if not why and any(by_kg) and not all(by_kg):
        why = "one dose is per kg of weight, the other is not"
    return found[0], found[1], why


def _count(entry: Entry, people: Mapping[str, Any], assumed: list[str]) -> int | None:
    n = people.get("n")
    if n is None:
        assumed.append(f"{NOMINAL_N} people")
        return NOMINAL_N
    if isinstance(n, int) and not isinstance(n, bool) and 1 <= n <= 10_000:
        if n > MOST_N:
            assumed.append(f"{MOST_N} of its {n} people")
        return min(n, MOST_N)
    entry.wrong(("population", "n"), f"n is {n!r}.", allowed="a whole number from 1 to 10000, or null.")
    return None


def _given(entry: Entry, dose: Mapping[str, Any]) -> dict[str, float] | str:
    """Model parameters that medicines, genotype and liver fix; or why they cannot be told."""
    text = f"{dose.get('schedule') or ''} {dose.get('comedication') or ''}".lower()
    given = {"oil_CBD": float(bool(_OIL.search(str(dose.get("formulation") or ""))))}
    if "alone" not in text:
        known = load_interactions()
        unknown = [w for w in _WITH.findall(text) if w not in known and w not in _NO_MEDICINE]
        listed = [each.strip() for each in _AND.split(str(dose.get("comedication") or "").lower())]
        unknown += [each for each in listed if each not in _NOTHING and not any(m in each for m in known)]
        if unknown:
            return f"the medicine {unknown[0]} is not in interactions.tsv"
        for medicine in known:
            if medicine in text and not re.search(rf"\b(without|no|not|before) {medicine}", text):
                for name, left in with_medicine(medicine).items():
                    given[name] = given.get(name, 1.0) * left
    for field, parameter, table in (
        ("cyp2c9", "cyp2c9_activity", load_genotypes()),
        ("liver", "liver_function", load_liver()),
    ):
        value = dose.get(field)
        if isinstance(value, str) and value in table:
            given[parameter] = table[value].value
        elif value is not None:
            entry.wrong(
                ("dose", field),
                f"{field} {value!r} is unknown.",
                allowed=f"{', '.join(table)}, or null.",
            )
    return given


def with_medicine(medicine: str) -> dict[str, float]:
    """Model parameters under a medicine of interactions.tsv."""
    return {name: row.value for name, row in load_interactions()[medicine].items()}


def _fed(dose: Mapping[str, Any], route: str, assumed: list[str]) -> float:
    if route in ("iv", "smoked", "vaporised"):
        return 0.0
    said = prose.fed(_text(dose.get("fed_state")), str(dose.get("formulation") or ""))
    if said is None:
        assumed.append("fasted")
        return 0.0
    return said


def _clock(entry: Entry, dose: Mapping[str, Any], route: str, assumed: list[str]) -> tuple[float, float]:
    """Length of the dose [h], and when the clock of the observations starts."""
    given = dose.get("duration_min")
    if route not in ("iv", "smoked", "vaporised"):
        if given is not None:
            entry.skip("dose.duration_min", "only what is injected or inhaled has a length")
        return 0.0, 0.0
    duration = None
    if is_number(given) and 0 < given <= MOST_MIN:
        duration = float(given) / 60.0
    elif given is not None:
        entry.wrong(
            ("dose", "duration_min"),
            f"duration_min is {given!r}.",
            allowed=f"a number over 0 and up to {MOST_MIN:g}, or null.",
        )
    if duration is None:
        duration = prose.minutes(str(dose.get("formulation") or ""))
    if duration is None:
        duration = SMOKING_H if route == "smoked" else 0.0
        if route == "smoked":
            assumed.append("smoked over 9 min")
    if route == "smoked" and any(time < duration for time in _sampled_at(entry)):
        assumed.append("clock from the end of smoking")  # nobody is bled while smoking
        return duration, duration
    return duration, 0.0


def _sampled_at(entry: Entry) -> list[float]:
    """Times [h] of the study's concentrations, as far as they are numbers."""
    lists = [row.get("conc_time") for row in _rows(entry)]
    points = [point for each in lists if isinstance(each, tuple) for point in each]
    return [float(p[0]) for p in points if isinstance(p, tuple) and p and is_number(p[0])]


def _rows(entry: Entry) -> list[Mapping[str, Any]]:
    rows = entry.data.get("analytes")
    return [row for row in rows if isinstance(row, Mapping)] if isinstance(rows, tuple) else []


def _first_sample(entry: Entry) -> float:
    """The earliest time [h] at which the study is known to have sampled; 0 where it prints no times."""
    peaks = [row["Tmax"].get("value") for row in _rows(entry) if isinstance(row.get("Tmax"), Mapping)]
    ends = [peak[0] if isinstance(peak, tuple) and peak else peak for peak in peaks]
    known = [*_sampled_at(entry), *(float(end) for end in ends if is_number(end))]
    return min(known) if _sampled_at(entry) else 0.0


def _weight(entry: Entry, people: Mapping[str, Any]) -> tuple[float, float] | None:
    value = people.get("weight_kg")
    if is_number(value) and 0 < value <= MOST_KG:
        return float(value), 0.0
    if value is not None:
        entry.wrong(
            ("population", "weight_kg"),
            f"weight_kg is {value!r}.",
            allowed=f"a number over 0 and up to {MOST_KG:g}, or null.",
        )
    return None


def _sampling(entry: Entry, route: str) -> tuple[float, ...]:
    """Sampling times [h]: the study's own, else what is usual for the route from its first printed time on."""
    times = entry.data.get("sampling_h")
    if times is None:
        row = next(row for row in words.table("sampling.tsv") if row["route"] == route)
        first = _first_sample(entry)
        return tuple(t for t in map(float, row["times_h"].split()) if t >= first - 1e-9)
    if isinstance(times, tuple) and times and all(is_number(t) and 0 <= t <= MOST_H for t in times):
        return tuple(sorted({float(t) for t in times}))
    entry.wrong(
        ("sampling_h",), f"sampling_h is {times!r}.", allowed=f"a list of times from 0 to {MOST_H:g} h."
    )
    return ()


def _lloq(entry: Entry) -> dict[str, float]:
    given = entry.data.get("lloq_ng_mL")
    if is_number(given) and given > 0:
        return dict.fromkeys(ANALYTES, float(given))
    if given is not None:
        entry.wrong(("lloq_ng_mL",), f"lloq_ng_mL is {given!r}.", allowed="a number over 0.")
    if printed := _LIMIT.search(str(entry.data.get("notes") or "")):
        return dict.fromkeys(ANALYTES, float(printed[1]))
    citation = entry.data.get("citation")
    year = citation.get("year") if isinstance(citation, Mapping) else None
    until = min(year, 9999) if isinstance(year, int) else 9999
    rows = words.table("lloq.tsv")
    return {
        a: next(float(r["ng_per_mL"]) for r in rows if r["analyte"] == a and until <= int(r["until_year"]))
        for a in ANALYTES
    }


def _factor(matrix: str, analyte: str) -> float:
    rows = words.table("matrices.tsv")
    return next((float(r["factor"]) for r in rows if (r["matrix"], r["analyte"]) == (matrix, analyte)), 1.0)


def _text(value: object) -> str | None:
    return None if value is None else str(value)

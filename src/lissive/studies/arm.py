"""The arm of a study from its design: people, doses and samples, and what is taken where the design is silent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from lissive import units
from lissive.errors import LissiveError
from lissive.model.parameters import load_genotypes, load_interactions, load_liver, load_parameters
from lissive.studies.entry import NOT_MODELLED, Entry, is_number, table
from lissive.studies.observation import ANALYTES, INFINITE, Arm, Before
from lissive.table import constants

_ASSUMED = constants(Path(__file__).with_name("assumptions.tsv"))
NOMINAL_N = int(_ASSUMED["people"])
MOST_N = 500
"""People simulated at most: the mean of more has no chance left in it that matters, and memory has an end."""
MOST_DOSES = 1000
MOST_H = 10_000.0
SMOKING_H = _ASSUMED["smoking"]
STEADY_DAYS = 7.0
"""How long a repeated dose is given where the study does not say."""
INHALED = ("smoked", "vaporised", "nebulised")
parameters, interactions = cache(load_parameters), cache(load_interactions)
FOOD = {"fasted": 0.0, "low-fat": 0.5, "fed": 1.0, "high-fat": 1.0}
USERS = {"light": 0.0, "mixed": 0.5, "heavy": 1.0}


def make_arm(entry: Entry, given: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> Arm | None:
    """The arm, or None where it cannot be simulated; the entry then says why.

    Parameters
    ----------
    given : the design; its fields are those of fields.tsv, and what is wrong with them goes to the entry's findings.
    rows : the arm's results, whose times tell when it sampled.
    """
    design = entry.checked("design", given, entry.at)
    words = ("route", "matrix", "food", "users", "dose_is")
    word = {name: design[name].means for name in words if name in design}
    fixed = _given(entry, design)
    reasons = _not_simulated(entry, given, design, fixed)
    for field, reason in reasons.items():
        entry.skip(field, reason)
    if reasons or entry.findings or isinstance(fixed, str):
        return None
    assumed = list(design.get("assumed", ()))
    n, share = _count(design, assumed), 1.0
    route = word["route"]
    if route in INHALED:
        assumed += [] if "users" in word or design.get("metered") else ["light users"]
        assumed += ["dose as loaded"] if route != "smoked" and "dose_is" not in word else []
        share = _loaded(route, word.get("dose_is", "loaded")) or 1.0
        if share != 1.0:
            assumed.append(f"{share:.0%} of what was loaded is {word['dose_is']}")
        fixed["heavy_user"] = 0.0 if design.get("metered") else USERS[word.get("users", "light")]
    if note := design["route"].note:
        assumed.append(note)
    before = _before(entry, design)
    times = _dose_times(design, assumed)
    sampled = [float(row["time_h"]) for row in rows if is_number(row.get("time_h"))]
    duration, clock = _clock(entry, design, route, sampled, assumed)
    return Arm(
        study=entry.id,
        n=n,
        route=route,
        thc_mg=_middle(design.get("THC_mg")) / share,
        cbd_mg=_middle(design.get("CBD_mg")) / share,
        per_kg=bool(design.get("per_kg")),
        dose_times=times,
        before=before,
        residual=float(design.get("residual_ng_mL", 0.0)),
        duration=duration,
        clock_after=clock,
        fed=_fed(word.get("food"), route, assumed),
        weight=_weight(design),
        female=design.get("female"),
        given=fixed,
        sampling=_sampling(design, route, sampled, rows),
        lloq=_lloq(entry, design),
        matrix={a: _factor(word["matrix"], a) for a in ANALYTES},
        several_doses=any(isinstance(design.get(field), tuple) for field in ("THC_mg", "CBD_mg")),
        assumed=tuple(assumed),
    )


def _not_simulated(
    entry: Entry, given: Mapping[str, Any], design: Mapping[str, Any], fixed: dict[str, float] | str
) -> dict[str, str]:
    """Why the arm cannot be simulated, by field; what the design has to say and does not is a finding."""
    reasons = {name: str(why) for name, why in design.get("not_simulated", {}).items()}
    for name, field in (("route", "dose.route"), ("matrix", "matrix")):
        if given.get(name) is None and field not in reasons:
            entry.word(name, None, entry.at(name))
        elif name in design and design[name].means == NOT_MODELLED:
            reasons[field] = design[name].note
    if isinstance(fixed, str):
        reasons["dose.comedication"] = fixed
    route, dose_is = (design[name].means if name in design else None for name in ("route", "dose_is"))
    if route in INHALED and dose_is and _loaded(route, dose_is) is None:
        reasons["dose.dose_is"] = f"how much was loaded where a {dose_is} dose is {route} is not known"
    if given.get("doses") is None and given.get("every_h") is None and "dose.schedule" not in reasons:
        entry.wrong(
            entry.at("doses"), "doses is None.", allowed="a whole number from 1, or null with every_h."
        )
    if design.get("doses", 1) > 1 and "every_h" not in design:
        entry.wrong(
            entry.at("every_h"),
            "Of several doses every_h is not given.",
            do="add the hours between two doses.",
        )
    return reasons


def _loaded(route: str, dose_is: str) -> float | None:
    """The dose over what was loaded into the device; None where it is not known."""
    if dose_is in ("loaded", "nominal"):
        return 1.0
    rows = table("delivered.tsv")
    return next((float(r["share"]) for r in rows if (r["route"], r["dose_is"]) == (route, dose_is)), None)


def _before(entry: Entry, design: Mapping[str, Any]) -> Before | None:
    """The use of THC before the study's first dose; what is wrong with it is a finding."""
    given = design.get("before")
    if design.get("per_kg") and (given or design.get("residual_ng_mL")):
        entry.wrong(
            entry.at("before"), "Earlier use goes with doses in mg.", allowed="none with doses per kg."
        )
    if given is None:
        return None
    at, names = entry.at("before"), ("THC_mg", "every_h", "doses", "rest_h")
    route = entry.word("route", given.get("route"), at)
    numbers = [given.get(name) for name in names]
    if set(given) - {"route", *names} or not all(is_number(x) and 0 < x <= MOST_H for x in numbers):
        entry.wrong(
            at, f"before is {dict(given)!r}.", allowed=f"route, and {', '.join(names)}, numbers over 0."
        )
        return None
    if route is None or route.means == NOT_MODELLED:
        return None
    mg, every, doses, rest = (float(x) for x in numbers if is_number(x))
    return Before(route.means, mg, every, min(round(doses), MOST_DOSES), rest)


def _middle(dose: Any) -> float:
    return float(sorted(dose)[len(dose) // 2]) if isinstance(dose, tuple) else float(dose or 0.0)


def _count(design: Mapping[str, Any], assumed: list[str]) -> int:
    n = design.get("n")
    if n is None:
        assumed.append(f"{NOMINAL_N} people")
        return NOMINAL_N
    if n > MOST_N:
        assumed.append(f"{MOST_N} of its {n} people")
    return min(int(n), MOST_N)


def _dose_times(design: Mapping[str, Any], assumed: list[str]) -> tuple[float, ...]:
    every, doses = float(design.get("every_h", 0.0)), design.get("doses")
    if doses is None:
        doses = round(min(STEADY_DAYS * 24.0 / every, MOST_DOSES - 1)) + 1
        assumed.append(f"{STEADY_DAYS:g} days of repeated doses")
    return tuple(k * every for k in range(doses))


def _given(entry: Entry, design: Mapping[str, Any]) -> dict[str, float] | str:
    """Model parameters that medicines, genotype and liver fix; or why they cannot be told."""
    known = interactions()
    given = {"oil_CBD": float(design.get("oil", 0.0))}
    for medicine in design.get("comedication", ()):
        if medicine not in known:
            return f"the medicine {medicine} is not in interactions.tsv"
        for name, left in with_medicine(medicine).items():
            given[name] = given.get(name, 1.0) * left
    for field, parameter, rows in (
        ("cyp2c9", "cyp2c9_activity", load_genotypes()),
        ("liver", "liver_function", load_liver()),
    ):
        value = design.get(field)
        if isinstance(value, str) and value in rows:
            given[parameter] = rows[value].value
        elif value is not None:
            entry.wrong(
                entry.at(field), f"{field} {value!r} is unknown.", allowed=f"{', '.join(rows)}, or null."
            )
    return given


def with_medicine(medicine: str) -> dict[str, float]:
    """Model parameters under a medicine of interactions.tsv."""
    return {name: row.value for name, row in interactions()[medicine].items()}


def _fed(food: str | None, route: str, assumed: list[str]) -> float:
    if route in ("iv", *INHALED):
        return 0.0
    if food is None:
        assumed.append("fasted")
    if food == "fed":
        assumed.append("a fatty meal")
    return FOOD[food or "fasted"]


def _clock(
    entry: Entry, design: Mapping[str, Any], route: str, sampled: Sequence[float], assumed: list[str]
) -> tuple[float, float]:
    """Length of the dose [h], and when the clock of the observations starts."""
    minutes = design.get("duration_min")
    if route not in ("iv", *INHALED):
        if minutes is not None:
            entry.skip("dose.duration_min", "only what is injected or inhaled has a length")
        return 0.0, 0.0
    duration = float(minutes or 0.0) / 60.0
    if route == "smoked" and minutes is None:
        duration = SMOKING_H
        assumed.append("smoked over 9 min")
    if route == "smoked" and any(time < duration for time in sampled):
        assumed.append("clock from the end of smoking")  # nobody is bled while smoking
        return duration, duration
    return duration, 0.0


def _weight(design: Mapping[str, Any]) -> tuple[float, float] | None:
    mean = design.get("weight_kg")
    return None if mean is None else (float(mean), float(design.get("weight_sd", 0.0)))


def _sampling(
    design: Mapping[str, Any], route: str, sampled: Sequence[float], rows: Sequence[Mapping[str, Any]]
) -> tuple[float, ...]:
    """Sampling times [h]: those it names and prints, else the printed ones among what is usual for the route."""
    if "sampling_h" in design:
        return tuple(sorted({float(t) for t in design["sampling_h"]} | set(sampled)))
    peaks = [_hours(row) for row in rows if row.get("metric") == "Tmax"]
    first = min([*sampled, *(peak for peak in peaks if peak is not None)]) if sampled else 0.0
    usual = next(row for row in table("sampling.tsv") if row["route"] == route)
    end = float(design.get("sampled_to_h", INFINITE))
    between = {t for t in map(float, usual["times_h"].split()) if first - 1e-9 <= t <= end}
    return tuple(sorted(between | {t for t in sampled if t <= end}))


def _hours(row: Mapping[str, Any]) -> float | None:
    """A time of the peak, or the earliest of a range."""
    ends, value = row.get("interval"), row.get("value")
    value = ends[0] if value is None and isinstance(ends, tuple) and ends else value
    unit = str(row.get("unit"))
    try:
        return float(value) * (1.0 if unit == "h" else units.factor(unit, "h")) if is_number(value) else None
    except LissiveError:
        return None


def _lloq(entry: Entry, design: Mapping[str, Any]) -> dict[str, float]:
    if "lloq_ng_mL" in design:
        return dict.fromkeys(ANALYTES, float(design["lloq_ng_mL"]))
    citation = entry.data.get("citation")
    year = citation.get("year") if isinstance(citation, Mapping) else None
    until = min(year, 9999) if isinstance(year, int) else 9999
    rows = table("lloq.tsv")
    return {
        a: next(float(r["ng_per_mL"]) for r in rows if r["analyte"] == a and until <= int(r["until_year"]))
        for a in ANALYTES
    }


def _factor(matrix: str, analyte: str) -> float:
    rows = table("matrices.tsv")
    return next((float(r["factor"]) for r in rows if (r["matrix"], r["analyte"]) == (matrix, analyte)), 1.0)

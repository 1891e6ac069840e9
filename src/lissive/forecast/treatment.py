"""From a case to what the model needs: known parameters, a day of treatment, fixed dose or titration.

Nothing that the case leaves open is filled in silently: `Treatment.notes` says what is sampled or left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from lissive.case import Case, Product, causes, label_titration, product
from lissive.case.products import StartLow, modelled_products, sources, start_low
from lissive.case.vocabulary import modelled_causes
from lissive.errors import CaseError
from lissive.forecast.answer import Need
from lissive.model.equations import Equations
from lissive.model.parameters import load_genotypes, load_interactions
from lissive.safety.drugs import drugs_of
from lissive.simulation.days import Group
from lissive.simulation.dosing import ROUTES, clock, day_of
from lissive.table import rows_of


@dataclass(frozen=True)
class Treatment:
    """A planned treatment, ready to be run."""

    product: Product
    weeks: int
    dosing: Group
    """What is taken; a unit is a spray or one dose."""
    given: dict[str, float]
    """Model parameters that the case fixes."""
    unknown: tuple[str, ...]
    """Facts about the person that are sampled."""
    notes: tuple[str, ...]
    counted_in: str
    """What the dose of a day is counted in."""
    amounts: tuple[float, ...]
    """What 0, 1, 2, ... units a day are in that."""


def treatment(case: Case, equations: Equations) -> Treatment:
    """The treatment that a case plans.

    Raises       CaseError where the plan does not say enough to be run.
    """
    if (found := needs(case)) and found[0].no_model:
        raise CaseError(
            f"No forecast: {'; '.join(each.what for each in found)}.",
            where=case.case,
            allowed="a cause and a product of which there is a model.",
            do="run lissive case on it: that answers without a forecast.",
        )
    if found:
        raise CaseError(
            f"A forecast needs {'; '.join(f'{each.field}, {each.what}' for each in found)}.",
            where=case.case,
            do="add it to the case.",
        )
    plan = case.plan
    assert plan.product is not None
    what = product(plan.product)
    notes: list[str] = []
    weeks = plan.weeks or int(limits()["usual_weeks"])
    if plan.weeks is None:
        notes.append(f"The plan does not say for how long: {weeks} weeks are simulated.")
    given, unknown = _person(case, notes)
    given |= {"placebo_on": 1.0, "in_trial": 1.0, "healing_on": _healing(case, notes)}
    given["smoked"] = float(what.name == "flower_smoked")
    given["oil_CBD"] = what.figure("cbd_in_oil") or 0.0
    if what.assumed:
        notes.append(f"{what.label[:1].upper()}{what.label[1:]}: {what.assumed}.")
    if (low := start_low(plan.titration or "", what.name)) is not None:
        return _by_steps(case, equations, what, low, weeks, given, unknown, notes)
    if plan.titration == "label":
        ceilings, first = _label_ceilings(case, what)
        most = max(ceilings)
    else:
        ceilings, first = (), int(plan.sprays_per_day or plan.doses_per_day or 0)
        most = first
    thc, cbd = _content(case, what, notes)
    days = tuple(
        day_of(equations, ROUTES[what.route], clock(what, n), thc_mg=thc, cbd_mg=cbd) for n in range(most + 1)
    )
    counted = "sprays a day" if what.counted_in == "spray" else "doses a day"
    amounts = tuple(float(n) for n in range(most + 1))
    return Treatment(
        what, weeks, Group(days, first, ceilings), given, unknown, tuple(notes), counted, amounts
    )


def _content(case: Case, what: Product, notes: list[str]) -> tuple[float, float]:
    """THC and CBD of one unit [mg]; what is not stated is none, which is said."""
    thc, cbd = case.plan.mg_per_unit()
    for name, mg in (("THC", thc), ("CBD", cbd)):
        if mg is None:
            notes.append(f"The content of {name} is not stated; the forecast assumes none.")
        elif what.name == "balanced_oil" and name not in case.plan.dose_text():
            notes.append(f"The content of {name}, {mg:g} mg a dose, follows from the ratio of 1:1.")
    return thc or 0.0, cbd or 0.0


def _by_steps(
    case: Case,
    equations: Equations,
    what: Product,
    low: StartLow,
    weeks: int,
    given: dict[str, float],
    unknown: tuple[str, ...],
    notes: list[str],
) -> Treatment:
    """A published titration: a unit is one of its steps."""
    days = [day_of(equations, ROUTES[what.route], clock(what, 0), thc_mg=0.0, cbd_mg=0.0)]
    times = clock(what, low.doses_per_day)
    for step in low.steps:
        thc, cbd = step.thc_mg / len(times), step.cbd_mg / len(times)
        days.append(day_of(equations, ROUTES[what.route], times, thc_mg=thc, cbd_mg=cbd))
    ceilings = [sum(step.day <= day for step in low.steps) for day in range(1, weeks * 7 + 1)]
    has_thc = any(step.thc_mg for step in low.steps)
    amounts = (0.0, *((step.thc_mg if has_thc else step.cbd_mg) for step in low.steps))
    mark = " [unverified in part]" if "recalled" in low.provenance else ""
    notes.append(
        f"Titration at the slowest that a published consensus for chronic pain, not for spasm, has{mark} "
        f"({sources()[low.source]}); a virtual patient goes up only while not relieved and not intoxicated, and how "
        "far is assumed as in trials of the spray, a step for a spray."
    )
    return Treatment(
        what,
        weeks,
        Group(tuple(days), 1, tuple(ceilings)),
        given,
        unknown,
        tuple(notes),
        f"mg {'THC' if has_thc else 'CBD'} a day",
        amounts,
    )


def needs(case: Case) -> tuple[Need, ...]:
    """What a case still has to say for a forecast; empty where one can be made.

    Of a cause or product without a model it is only that.
    """
    if lacking := tuple(_no_model(case)):
        return lacking
    plan = case.plan
    needed: dict[str, object] = {
        "spasm.cause": case.spasm.cause,
        "plan.product": plan.product,
        "plan.titration": plan.titration or plan.is_fixed or None,
    }
    if plan.product is not None and plan.is_fixed:
        needed |= _needed_of_a_dose(case, product(plan.product))
    missing = [Need(field, _WHAT[field]) for field, value in needed.items() if value is None]
    zero = [name for name in ("spasticity_nrs", "pain_nrs") if getattr(case.spasm, name) == 0]
    return (*missing, *(Need(f"spasm.{name}", _OVER_ZERO) for name in zero))


def _needed_of_a_dose(case: Case, what: Product) -> dict[str, object]:
    plan = case.plan
    if what.counted_in == "spray":
        return {"plan.sprays_per_day": plan.sprays_per_day}
    thc, cbd = plan.mg_per_unit()
    counted = ("plan.thc_mg", thc) if what.counts_thc else ("plan.cbd_mg", cbd)
    return {counted[0]: counted[1], "plan.doses_per_day": plan.doses_per_day}


def _no_model(case: Case) -> Iterator[Need]:
    """A cause or product that a case may name and no forecast can be made of."""
    cause, plan = case.spasm.cause, case.plan
    if cause is not None and cause not in modelled_causes():
        have = (causes()[each] for each in modelled_causes())
        yield Need("spasm.cause", _NO_MODEL.format(causes()[cause], "causes", ", ".join(have)), no_model=True)
    if plan.product is not None and not (what := product(plan.product)).modelled:
        have = (product(each).label for each in modelled_products())
        said = _NO_MODEL.format(what.label, "products", ", ".join(have))
        yield Need("plan.product", f"{said}; {what.no_model}", no_model=True)


_NO_MODEL = "no model of {} ({} in the model: {})"
_WHAT = {
    "spasm.cause": "what causes the spasms",
    "plan.product": "the product that would be taken",
    "plan.titration": "label (the label's schedule), start_low (a published consensus) or fixed (one dose)",
    "plan.sprays_per_day": "the sprays a day of a fixed dose",
    "plan.thc_mg": "THC in one dose [mg]",
    "plan.cbd_mg": "CBD in one dose [mg]",
    "plan.doses_per_day": "the number of doses a day",
}
_OVER_ZERO = (
    "over 0, or left out where it is not a complaint (it is sampled then): no change from 0 can be forecast"
)


_interactions = cache(load_interactions)


@cache
def limits() -> dict[str, float]:
    """The limits of validity of a forecast, from limits.tsv."""
    return {row["name"]: float(row["value"]) for row in rows_of(Path(__file__).parent / "limits.tsv")}


def is_child(case: Case) -> bool:
    """Whether this person is younger than those the model was built on."""
    return case.person.age_years is not None and case.person.age_years < limits()["adult"]


def _unused(case: Case, notes: list[str]) -> None:
    """What the case states and the model does not use."""
    person, history = case.person, case.history
    if is_child(case):
        notes.append("The model was built on data from adults; this forecast is not valid for a child.")
    said = {
        "age": person.age_years,
        "sex": person.sex,
        "other conditions": history.conditions,
        "drugs tried": history.tried,
        "opioids": history.opioids,
        "alcohol": history.alcohol,
        "family history": history.family_psychosis or None,
        "planned operation": history.surgery or None,
        "pregnancy": person.pregnancy,
        "breast-feeding": person.breast_feeding or None,
        "driving": person.drives or None,
    }
    if idle := [name for name, value in said.items() if value not in (None, (), "none")]:
        notes.append(f"Stated in the case but not used by the forecast: {', '.join(idle)}.")


def _person(case: Case, notes: list[str]) -> tuple[dict[str, float], tuple[str, ...]]:
    _unused(case, notes)
    person, spasm = case.person, case.spasm
    given: dict[str, float] = {}
    facts = {
        "weight": person.weight_kg,
        "spasms0": spasm.spasms_per_day,
        "NRS0": spasm.spasticity_nrs,
        "pain0": spasm.pain_nrs,
        "severity0": spasm.severity_nrs,
        "fed": _fed(case),
        "cyp2c9_activity": _genotype(person.cyp2c9, notes),
    }
    unknown = []
    for name, value in facts.items():
        if value is None:
            unknown.append(name)
        else:
            given[name] = value
    _medicines(case, given, notes)
    return given, tuple(unknown)


def _healing(case: Case, notes: list[str]) -> float:
    """Share of natural healing that an injury of this age still has; other causes do not heal by themselves.

    An acute injury heals, one that has stayed beyond the limit of chronic pain does not, and between the two it
    falls in proportion. Where its age is unknown it is kept as it is: a recovery is not assumed.
    """
    spasm = case.spasm
    if spasm.cause != "muscle_injury":
        return 1.0
    if spasm.since is None or case.as_of is None:
        notes.append(
            "The age of the injury is unknown; the forecast assumes that it does not heal by itself."
        )
        return 0.0
    acute, chronic = (limits()[name] for name in ("injury_acute", "injury_chronic"))
    weeks = (case.as_of - spasm.since).days / 7
    share = min(1.0, max(0.0, (chronic - weeks) / (chronic - acute)))
    if share == 0.0:
        notes.append(
            f"An injury of more than {chronic:g} weeks is chronic; the forecast assumes that it does not heal "
            "by itself."
        )
    return share


def _fed(case: Case) -> float | None:
    """1 with food, 0 without, None unknown; food is nothing to what is inhaled."""
    if case.plan.product is not None and product(case.plan.product).route == "inhaled":
        return 0.0
    return None if case.plan.fed is None else float(case.plan.fed)


def _genotype(pair: str | None, notes: list[str]) -> float | None:
    if pair is None:
        return None
    known = load_genotypes()
    turned = "/".join(reversed(pair.split("/")))
    for name in (pair, turned):
        if name in known:
            return known[name].value
    notes.append(f"CYP2C9 {pair} is not in the model's table; the genotype is sampled as if unknown.")
    return None


def _medicines(case: Case, given: dict[str, float], notes: list[str]) -> None:
    current = case.history.current
    if current is None:
        notes.append(
            "Current medicines are unknown; the forecast assumes no co-medication that acts on CYP or UGT enzymes."
        )
        return
    known, counted = _interactions(), set[str]()
    for drug in current:
        if not (modelled := modelled_as(drug.drug)):
            notes.append(
                f"{drug.drug}: not in the model's interaction table; interactions with cannabinoids are not "
                "included in the forecast."
            )
            continue
        rows = [row for name in modelled if name not in counted for row in known[name].values()]
        counted.update(modelled)
        for row in rows:
            given[row.parameter] = given.get(row.parameter, 1.0) * row.value
        effects = ", ".join(f"{row.parameter} x {row.value:g} ({row.provenance})" for row in rows)
        notes.append(f"{drug.drug}: included, as {effects or 'above'}.")


def modelled_as(drug: str) -> list[str]:
    """The medicines of the model's table that a name or a brand stands for."""
    names = {drug, *(each.name for each in drugs_of(drug))}
    return [name for name in _interactions() if name in names]


def _label_ceilings(case: Case, what: Product) -> tuple[tuple[int, ...], int]:
    """The most units for each day: the label's steps, then one more a day where the plan allows more."""
    steps = [day.total for day in label_titration(what.name)]
    limit = case.plan.max_sprays_per_day or int(what.label_max_per_day or steps[-1])
    steps = [min(step, limit) for step in steps]
    steps += list(range(steps[-1] + 1, limit + 1))
    return tuple(steps), steps[0]

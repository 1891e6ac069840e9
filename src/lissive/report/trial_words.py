"""What a trial's names are called in the output."""

from __future__ import annotations

import re

from lissive.case import causes
from lissive.case.products import product
from lissive.trials.design import Design
from lissive.trials.parts import EVENTS, MEASURES, Endpoint
from lissive.trials.summary import ComparisonAnswer, Count

KINDS = {
    "parallel": "parallel groups",
    "enriched": "enriched enrolment: run-in responders are randomised after a wash-out",
    "withdrawal": "randomised withdrawal: run-in on the drug, then randomised continuation or withdrawal",
    "crossover": "crossover: each participant receives the treatments in sequence",
}
TITRATIONS = {"self": "self-titrated", "label": "titrated by the label", "fixed": "fixed dose"}
_RESPONDERS = re.compile(r"(.+)_responders_([\d.]+)pct")


def endpoint_label(name: str) -> str:
    """An endpoint as a reader knows it.

    >>> endpoint_label("spasticity_nrs_responders_30pct")
    'Spasticity NRS (0-10), 30 % responders'
    """
    if found := _RESPONDERS.fullmatch(name):
        return f"{endpoint_label(found[1])}, {found[2]} % responders"
    return MEASURES[name].label if name in MEASURES else EVENTS.get(name, name)


def arm_label(design: Design, name: str) -> str:
    """What an arm is given."""
    arm = design.arms[name]
    if arm.product is None:
        return "no treatment"
    label = product(arm.product).label
    if arm.placebo:
        return f"placebo of {label}, up to {units(arm.most_per_day, arm.units_counted)} a day"
    contents = [
        f"{amount * arm.most_per_day:g} mg {what}"
        for amount, what in ((arm.thc_mg, "THC"), (arm.cbd_mg, "CBD"))
        if amount
    ]
    most = units(arm.most_per_day, arm.units_counted)
    return f"{label}, up to {most} a day ({', '.join(contents) or 'empty'}), {TITRATIONS[arm.titration]}"


def units(n: float, counted: str) -> str:
    """A number of units.

    >>> units(1, "spray"), units(12, "spray")
    ('1 spray', '12 sprays')
    """
    return f"{n:g} {counted}{'' if n == 1 else 's'}"


def week_of(design: Design, endpoint: Endpoint) -> float:
    """The visit at which an endpoint is compared."""
    return design.visits_weeks[-1] if endpoint.at_week is None else endpoint.at_week


def cause_label(design: Design) -> str:
    return causes()[design.population.cause]


def shape(design: Design) -> str:
    """How long the parts last."""
    parts = []
    if design.run_in:
        run_in = design.run_in
        kept = f", {run_in.keep.falls_by_pct:g} % responders randomised" if run_in.keep else ""
        parts.append(f"run-in of {weeks(run_in.weeks)} on {run_in.arm}{kept}")
        if run_in.washout_days:
            parts.append(f"wash-out of {run_in.washout_days} days")
    if design.crossover:
        periods = len(design.crossover.sequences[0])
        days = design.crossover.washout_days
        between = f", wash-out of {days} days between periods" if days else ""
        parts.append(f"{periods} periods of {weeks(design.weeks)}{between}")
    else:
        parts.append(weeks(design.weeks))
    return "; ".join(parts)


def weeks(n: float) -> str:
    return f"{n:g} week{'' if n == 1 else 's'}"


def replicates(n: int) -> str:
    """
    >>> replicates(1), replicates(200)
    ('1 simulated replicate', '200 simulated replicates')
    """
    return f"{n} simulated replicate{'' if n == 1 else 's'}"


def measured_by(row: ComparisonAnswer) -> str:
    """Method and measure of a comparison."""
    return f"{row.measure}, {row.method}" if row.measure else f"{row.method} test"


def count(number: Count) -> str:
    """Mean and range; a number that is the same in all replicates alone."""
    if number.min == number.max:
        return f"{number.min:.0f}"
    mean = f"{number.mean:.1f}" if number.mean < 20 else f"{number.mean:.0f}"
    return f"{mean} ({number.min:.0f} to {number.max:.0f})"

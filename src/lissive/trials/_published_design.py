"""From the plan of a published trial and what is observed of it to a design that can be simulated."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from lissive.errors import DesignError
from lissive.publications.entry import CannotBuild, Entry
from lissive.publications.plan import Plan
from lissive.publications.tables import text_of
from lissive.trials._published_observed import Observed, Seen
from lissive.trials.design import Design, make_design
from lissive.trials.parts import MEASURES

EARLY_WEEK = 4.0
"""A visit that every longer trial has."""


def build_design(
    entry: Entry, seen: Seen, observed: Sequence[Observed], baseline: Mapping[str, Mapping[str, float]]
) -> Design:
    """The design, with an endpoint for each that is observed.

    Raises
    ------
    CannotBuild where nothing is observed, or the design is refused; with its findings.
    """
    if not observed:
        raise CannotBuild("none of its figures can be compared with the model")
    plan = seen.plan
    weeks = {plan.weeks, *(one.week for one in observed if one.week is not None)}
    if plan.weeks > EARLY_WEEK:
        weeks.add(EARLY_WEEK)
    inclusion = dict(_inclusion(entry, plan))
    data: dict[str, Any] = {
        "trial": re.sub(r"[^A-Za-z0-9_.-]+", "_", entry.id).lstrip("_.-")[:80] or "trial",
        "title": text_of(entry.data.get("citation")),
        "population": {"cause": plan.cause, "baseline": baseline, "inclusion": inclusion},
        "arms": plan.arms,
        "weeks": plan.weeks,
        "visits_weeks": tuple(sorted(weeks)),
        "endpoints": _endpoints(seen, observed),
        "relief": plan.relief,
        "rated_at_visits": seen.rated_at_visits,
        **_people(entry, plan),
    }
    if plan.run_in:
        data["run_in"] = plan.run_in
    if plan.crossover:
        data["crossover"] = plan.crossover
    try:
        return make_design(data)
    except DesignError as error:
        raise CannotBuild(f"no design can be built: {error}") from None


def _inclusion(entry: Entry, plan: Plan) -> Iterator[tuple[str, Mapping[str, float]]]:
    """The criteria on ratings that the model has a level of before treatment."""
    for measure, ends in plan.inclusion.items():
        if measure in MEASURES and MEASURES[measure].baseline != "-":
            yield measure, ends
        else:
            entry.assume(
                f"The inclusion criterion on {measure} is not applied: the model has no baseline of it."
            )


def _people(entry: Entry, plan: Plan) -> dict[str, Any]:
    """How many are randomised, and how they are shared out over the arms."""
    groups = plan.groups
    if plan.crossover:
        everybody = groups.everybody or groups.total
        n = (
            everybody.randomised
            if everybody
            else max((g.randomised or 0 for g in groups.arms.values()), default=0)
        )
        if not n:
            raise CannotBuild("how many were randomised is not stated")
        return {"patients": max(n, len(plan.crossover["sequences"]))}
    sizes = {name: groups.arms[name].randomised for name in plan.arms}
    known = {name: size for name, size in sizes.items() if size is not None}
    if len(known) == len(sizes):
        _say_which(entry, plan)
        return {"patients": sum(known.values()), **({"ratio": known} if len(known) > 1 else {})}
    total = groups.total or groups.everybody
    n = total.randomised if total else None
    if n is None:
        raise CannotBuild("how many were randomised is not stated")
    entry.assume("Numbers per arm are not stated: equal.")
    return {"patients": n}


def _say_which(entry: Entry, plan: Plan) -> None:
    """Which number stands for those who were randomised, where that one is not given."""
    for name in plan.arms:
        group = plan.groups.arms[name]
        if group.count("n_randomised") is None:
            used = next(each for each in ("n_treated", "n_analysed", "n_enrolled", "n") if group.count(each))
            entry.assume(f"{used} is used for the number randomised.")


def _endpoints(seen: Seen, observed: Sequence[Observed]) -> list[dict[str, Any]]:
    """One for each name and week, in the file's order."""
    made: dict[tuple[str, float | None], dict[str, Any]] = {}
    for one in observed:
        fields: dict[str, Any] = {}
        measure, found = one.endpoint, re.fullmatch(r"(.*)_responders_([\d.]+)pct", one.endpoint)
        if found:
            measure = found[1]
            fields = {"falls_by_pct": float(found[2]), "since": seen.plan.since}
        if one.endpoint in seen.since_screening:
            fields["since"] = "screening"
        if measure == "failure":
            fields["rises_by_pct"] = seen.plan.failure_pct
        if one.week is not None:
            fields["at_week"] = one.week
        made.setdefault((one.endpoint, one.week), {"measure": measure, **fields})
    return list(made.values())

"""From the plan of a published trial and what is observed of it to a design that can be simulated."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from lissive.errors import DesignError
from lissive.trials._published_frame import Frame
from lissive.trials._published_parts import CannotBuild, Entry, Observed, text_of
from lissive.trials.design import Design, make_design

EARLY_WEEK = 4.0
"""A visit that every longer trial has."""


def build_design(entry: Entry, frame: Frame, observed: Sequence[Observed]) -> Design:
    """The design, with an endpoint for each that is observed.

    Raises
    ------
    CannotBuild where nothing is observed, or the design is refused; with its findings.
    """
    if not observed:
        raise CannotBuild("none of its figures can be compared with the model")
    weeks = {frame.weeks, *(one.week for one in observed if one.week is not None)}
    if frame.weeks > EARLY_WEEK:
        weeks.add(EARLY_WEEK)
    data: dict[str, Any] = {
        "trial": re.sub(r"[^A-Za-z0-9_.-]+", "_", entry.id).lstrip("_.-")[:80] or "trial",
        "title": text_of(entry.data.get("citation")),
        "population": {"cause": frame.cause, "baseline": frame.baseline, "inclusion": frame.inclusion},
        "arms": frame.arms,
        "weeks": frame.weeks,
        "visits_weeks": tuple(sorted(weeks)),
        "endpoints": _endpoints(frame, observed),
        "relief": frame.relief,
        "rated_at_visits": frame.rated_at_visits,
        **_people(entry, frame),
    }
    if frame.run_in:
        data["run_in"] = frame.run_in
    if frame.crossover:
        data["crossover"] = frame.crossover
    try:
        return make_design(data)
    except DesignError as error:
        raise CannotBuild(f"no design can be built: {error}") from None


def _people(entry: Entry, frame: Frame) -> dict[str, Any]:
    """How many are randomised, and how they are shared out over the arms."""
    groups = frame.groups
    if frame.crossover:
        everybody = groups.everybody or groups.total
        n = (
            everybody.randomised
            if everybody
            else max((g.randomised or 0 for g in groups.arms.values()), default=0)
        )
        if not n:
            raise CannotBuild("how many were randomised is not stated")
        return {"patients": max(n, len(frame.crossover["sequences"]))}
    sizes = {name: groups.arms[name].randomised for name in frame.arms}
    known = {name: size for name, size in sizes.items() if size is not None}
    if len(known) == len(sizes):
        _say_which(entry, frame)
        return {"patients": sum(known.values()), **({"ratio": known} if len(known) > 1 else {})}
    total = groups.total or groups.everybody
    n = total.randomised if total else None
    if n is None:
        raise CannotBuild("how many were randomised is not stated")
    entry.assume("Numbers per arm are not stated: equal.")
    return {"patients": n}


def _say_which(entry: Entry, frame: Frame) -> None:
    """Which number stands for those who were randomised, where that one is not given."""
    for name in frame.arms:
        group = frame.groups.arms[name]
        if group.count("n_randomised") is None:
            used = next(each for each in ("n_treated", "n_analysed", "n_enrolled", "n") if group.count(each))
            entry.assume(f"{used} is used for the number randomised.")


def _endpoints(frame: Frame, observed: Sequence[Observed]) -> list[dict[str, Any]]:
    """One for each name and week, in the file's order."""
    made: dict[tuple[str, float | None], dict[str, Any]] = {}
    for one in observed:
        fields: dict[str, Any] = {}
        measure, found = one.endpoint, re.fullmatch(r"(.*)_responders_([\d.]+)pct", one.endpoint)
        if found:
            measure = found[1]
            fields = {"falls_by_pct": float(found[2]), "since": frame.since}
        if one.endpoint in frame.since_screening:
            fields["since"] = "screening"
        if measure == "failure":
            fields["rises_by_pct"] = frame.failure_pct
        if one.week is not None:
            fields["at_week"] = one.week
        made.setdefault((one.endpoint, one.week), {"measure": measure, **fields})
    return list(made.values())

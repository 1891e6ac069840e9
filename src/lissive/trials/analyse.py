"""The trial's own analysis, as it would be published: each arm, and each arm vs the control."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from lissive.arrays import BoolArray
from lissive.trials import estimate as estimators
from lissive.trials import survival
from lissive.trials._fits import Estimate
from lissive.trials.data import ADVERSE, NO_EFFECT, OTHER, STAYED, TrialData
from lissive.trials.design import Design
from lissive.trials.endpoint import BINARY, CHANGE, COUNT, MEAN, TIME, ArmResult, Column, arm_result, column
from lissive.trials.parts import Endpoint


@dataclass(frozen=True)
class ArmRow:
    """One arm of one replicate."""

    replicate: int
    endpoint: str
    week: float
    arm: str
    kind: str
    result: ArmResult


@dataclass(frozen=True)
class Comparison:
    """One comparison of one replicate."""

    replicate: int
    endpoint: str
    week: float
    arm: str
    against: str
    estimate: Estimate


@dataclass(frozen=True)
class GroupFlow:
    """What became of those randomised to one arm (in a crossover: one sequence) of one replicate."""

    replicate: int
    group: str
    """As `design.shares` has it."""
    randomised: int
    adverse: int
    no_effect: int
    other: int
    completed: int


def groups_of(design: Design, data: TrialData) -> Iterator[GroupFlow]:
    """Each arm, or each sequence of a crossover."""
    for place, name in enumerate(design.shares):
        why = data.left_why[data.group == place]
        count = [int((why == reason).sum()) for reason in (ADVERSE, NO_EFFECT, OTHER, STAYED)]
        yield GroupFlow(data.replicate, name, len(why), *count)


def every_visit(design: Design) -> tuple[Endpoint, ...]:
    """The endpoints at each visit, events once; and the dose, whether it is an endpoint or not."""
    found: dict[tuple[str, float | None], Endpoint] = {}
    for endpoint in (*design.endpoints, Endpoint(measure="dose")):
        over_time = endpoint.measure in ("dose",) or endpoint.measure not in by_end()
        weeks = design.visits_weeks if over_time else (None,)
        for week in weeks:
            at = endpoint.model_copy(update={"at_week": week})
            found.setdefault((at.name, week), at)
    return tuple(found.values())


def by_end() -> tuple[str, ...]:
    """Events that are counted once, up to the end."""
    return ("dizziness", "withdrawal", "withdrawal_adverse", "failure")


def arms_of(design: Design, data: TrialData) -> Iterator[ArmRow]:
    """Each arm at each visit."""
    for endpoint in every_visit(design):
        col = column(design, data, endpoint)
        for place, name in enumerate(design.arms):
            yield ArmRow(data.replicate, endpoint.name, col.week, name, col.kind, arm_result(col, place))


def analyse(design: Design, data: TrialData) -> list[Comparison]:
    """Each endpoint of each arm vs the control, at the endpoint's own visit."""
    arms = list(design.arms)
    control = arms.index(design.control)
    found: list[Comparison] = []
    for endpoint in design.endpoints:
        col = column(design, data, endpoint)
        for place, name in enumerate(arms):
            if place == control or col.kind == MEAN:
                continue
            found.extend(
                Comparison(data.replicate, endpoint.name, col.week, name, design.control, estimate)
                for estimate in _compared(design, endpoint, col, place, control)
            )
    return found


def _compared(
    design: Design, endpoint: Endpoint, col: Column, place: int, control: int
) -> Iterator[Estimate]:
    alpha = design.analysis.alpha
    # discontinuation happens once, and there is no other period to compare with
    again = not endpoint.measure.startswith("withdrawal")
    rows: BoolArray = (col.treatment == place) | (col.treatment == control)
    treated = (col.treatment[rows] == place).astype(float)
    value, base = col.value[rows], col.base[rows]
    if col.kind == TIME:
        yield survival.hazard_ratio(value, col.failed[rows], treated, alpha=alpha)
        yield survival.log_rank(value, col.failed[rows], treated)
    elif design.crossover and col.kind in (CHANGE, COUNT):
        level = value + base if col.kind == CHANGE else value
        yield estimators.crossover(
            level, col.sequence[rows], treated, col.patient[rows], col.period[rows], alpha=alpha
        )
    elif col.kind == CHANGE:
        strata = None if col.strata is None else col.strata[rows]
        yield estimators.ancova(value, base, treated, strata=strata, alpha=alpha)
    elif design.crossover and col.kind == BINARY and again:
        yield estimators.paired_odds_ratio(value, treated, col.patient[rows], col.period[rows], alpha=alpha)
    elif col.kind == BINARY:
        yield estimators.odds_ratio(value, treated, alpha=alpha)
    elif col.kind == COUNT:
        days = np.maximum(col.days[rows], 1.0)
        yield estimators.rate_ratio(np.rint(value * days), days, treated, baseline_rate=base, alpha=alpha)

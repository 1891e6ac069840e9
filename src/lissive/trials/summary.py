"""What many replicates of a trial say together: means, ranges and proportions, without NaN."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from lissive.errors import DesignError
from lissive.given import kind_of
from lissive.trials.design import Design
from lissive.trials.endpoint import CHANGE, COUNT, TIME, ArmRow, Comparison, GroupFlow
from lissive.trials.estimate import power
from lissive.trials.observe import Flow, TrialData


@dataclass(frozen=True)
class Solver:
    method: str
    rtol: float


@dataclass(frozen=True)
class Provenance:
    """What a run was made with."""

    lissive: str
    design: str
    stamp: str
    seed: int
    model: str
    model_hash: str
    solver: Solver


@dataclass(frozen=True)
class Results:
    """What all replicates found."""

    design: Design
    seed: int
    flows: Mapping[int, Flow]
    groups: tuple[GroupFlow, ...]
    arms: tuple[ArmRow, ...]
    comparisons: tuple[Comparison, ...]
    provenance: Provenance
    example: TrialData | None = None
    """The first replicate simulated now, patient by patient."""

    @property
    def replicates(self) -> int:
        return len(self.flows)


@dataclass(frozen=True)
class Count:
    """A number of patients: its mean, least and most over replicates."""

    mean: float
    min: int
    max: int


@dataclass(frozen=True)
class GroupDisposition:
    """What became of those who were randomised to one arm (in a crossover: to one sequence)."""

    group: str
    """As `design.shares` has it."""
    label: str
    """The arm, or the arms of a sequence in their order."""
    randomised: Count
    adverse: Count
    no_effect: Count
    other: Count
    completed: Count


@dataclass(frozen=True)
class Disposition:
    """Participant disposition, as a CONSORT diagram has it; see `trials.data.Flow`."""

    screened: Count
    entered: Count
    left_run_in: Count
    not_kept: Count
    randomised: Count
    failed: Count
    groups: tuple[GroupDisposition, ...]


@dataclass(frozen=True)
class ArmAnswer:
    """One endpoint at one visit in one arm, over replicates; None where no replicate has a figure."""

    endpoint: str
    week: float
    arm: str
    kind: str
    n: float | None
    base: float | None
    mean: float | None
    change: float | None
    sd: float | None
    """Between patients of a trial."""
    p05: float | None
    p95: float | None


@dataclass(frozen=True)
class ComparisonAnswer:
    """One arm against the control by one method, over replicates."""

    endpoint: str
    week: float
    arm: str
    against: str
    method: str
    measure: str
    """difference, odds ratio, rate ratio, hazard ratio; empty for a test alone."""
    estimate: float | None
    """Mean over replicates; of ratios the median."""
    p05: float | None
    p95: float | None
    ci: tuple[float | None, float | None]
    """Means of the limits that each trial would publish; of ratios medians."""
    power: float
    """Proportion of replicates with p < alpha."""
    power_ci: tuple[float, float]
    estimated: int
    """Replicates that have an estimate."""
    notes: Mapping[str, int]
    """Why a method could not be used, or not as planned, to the number of replicates."""


@dataclass(frozen=True)
class DoseAnswer:
    """Mean dose in the week before a visit, of those who are still in the trial."""

    arm: str
    week: float
    n: float | None
    units: float | None
    sd: float | None
    counted: str
    """What a unit is called."""
    thc_mg: float | None
    cbd_mg: float | None


@dataclass(frozen=True)
class TrialAnswer:
    """The answer of `lissive trial run`."""

    design: Design
    replicates: int
    seed: int
    flow: Disposition
    arms: tuple[ArmAnswer, ...]
    comparisons: tuple[ComparisonAnswer, ...]
    dose: tuple[DoseAnswer, ...]
    provenance: Provenance

    def to_json(self) -> dict[str, Any]:
        """Plain data, without NaN."""
        return {
            "trial": self.design.trial,
            "kind": self.design.kind,
            "design": self.design.model_dump(mode="json"),
            "replicates": self.replicates,
            "seed": self.seed,
            "flow": asdict(self.flow),
            "arms": [asdict(row) for row in self.arms],
            "comparisons": [asdict(row) for row in self.comparisons],
            "dose": [asdict(row) for row in self.dose],
            "provenance": asdict(self.provenance),
        }


def summary(results: Results) -> TrialAnswer:
    """What all replicates say together."""
    kind_of("results", results, Results, wrong=DesignError, do="make them with run_trial(DESIGN).")
    design = results.design
    every = _arms(results)
    asked_dose = any(endpoint.measure == "dose" for endpoint in design.endpoints)
    return TrialAnswer(
        design,
        results.replicates,
        results.seed,
        _disposition(results),
        tuple(row for row in every if row.endpoint != "dose" or asked_dose),
        comparisons(results),
        tuple(_dose(design, row) for row in every if row.endpoint == "dose"),
        results.provenance,
    )


# -- participant disposition -----------------------------------------------------------------------
def _disposition(results: Results) -> Disposition:
    """Each number's mean and range over replicates; of each group (in a crossover: sequence) what became of it."""
    flows = list(results.flows.values())
    groups = (_group(results, name) for name in results.design.shares)
    counted = {name: _count(getattr(flow, name) for flow in flows) for name in Flow.__annotations__}
    return Disposition(**counted, groups=tuple(group for group in groups if group.randomised.max))


def _group(results: Results, name: str) -> GroupDisposition:
    rows = [row for row in results.groups if row.group == name]
    what = ("randomised", "adverse", "no_effect", "other", "completed")
    counted = {each: _count(getattr(row, each) for row in rows) for each in what}
    return GroupDisposition(name, group_label(results.design, name), **counted)


def group_label(design: Design, name: str) -> str:
    """A group as a reader knows it: the arm, or the arms of a sequence in their order."""
    return " then ".join(design.crossover.sequences[int(name)]) if design.crossover else name


def _count(values: Iterable[int]) -> Count:
    known = list(values)
    return Count(float(np.mean(known)), min(known), max(known))


# -- what each arm shows ---------------------------------------------------------------------------
def _arms(results: Results) -> list[ArmAnswer]:
    """An endpoint, visit and arm a row; arms that nobody was randomised to are left out."""
    together: dict[tuple[str, float, str], list[ArmRow]] = {}
    for row in results.arms:
        together.setdefault((row.endpoint, row.week, row.arm), []).append(row)
    return [_arm(rows) for rows in together.values() if any(row.result.n for row in rows)]


def _arm(rows: Sequence[ArmRow]) -> ArmAnswer:
    first, means = rows[0], [row.result.mean for row in rows]
    mean = _mean(means)
    base = _mean(row.result.base for row in rows) if first.kind != TIME else None
    return ArmAnswer(
        first.endpoint,
        first.week,
        first.arm,
        first.kind,
        _mean(row.result.n for row in rows),
        base,
        mean,
        _change(first.kind, mean, base),
        _mean(row.result.sd for row in rows),
        _quantile(means, 0.05),
        _quantile(means, 0.95),
    )


def _change(kind: str, mean: float | None, base: float | None) -> float | None:
    """Of a count the mean is the count itself."""
    if kind == COUNT:
        return None if mean is None or base is None else mean - base
    return mean if kind == CHANGE else None


def _dose(design: Design, row: ArmAnswer) -> DoseAnswer:
    """Units a day, and mg of THC and CBD in them."""
    arm = design.arms[row.arm]
    thc: float | None = 0.0
    cbd: float | None = 0.0
    if arm.product is not None and not arm.placebo:
        thc, cbd = (None if row.mean is None else row.mean * mg for mg in (arm.thc_mg, arm.cbd_mg))
    return DoseAnswer(row.arm, row.week, row.n, row.mean, row.sd, arm.units_counted, thc, cbd)


# -- arms against the control ----------------------------------------------------------------------
def comparisons(results: Results) -> tuple[ComparisonAnswer, ...]:
    """An endpoint, arm and method a row: the estimate over replicates, and the power."""
    there = {row.arm for row in _arms(results)}
    together: dict[tuple[str, float, str, str], list[Comparison]] = {}
    for row in results.comparisons:
        if row.arm in there and row.against in there:
            together.setdefault((row.endpoint, row.week, row.arm, row.estimate.method), []).append(row)
    return tuple(_together(rows, results.design.analysis.alpha) for rows in together.values())


def _together(rows: Sequence[Comparison], alpha: float) -> ComparisonAnswer:
    """Ratios are summed up by medians: one replicate in which an arm has no event would lead any mean of limits."""
    first, every = rows[0], [row.estimate for row in rows]
    ratio = first.estimate.measure.endswith("ratio")
    values = [each.value for each in every]
    share, low, high = power([each.p for each in every], alpha)
    notes = Counter(each.note for each in every if each.note)
    return ComparisonAnswer(
        first.endpoint,
        first.week,
        first.arm,
        first.against,
        first.estimate.method,
        first.estimate.measure,
        _mean(values, ratio=ratio),
        _quantile(values, 0.05),
        _quantile(values, 0.95),
        (_mean((each.lower for each in every), ratio=ratio), _mean((each.upper for each in every), ratio=ratio)),
        share,
        (low, high),
        sum(math.isfinite(value) for value in values),
        dict(notes.most_common()),
    )  # fmt: skip


def _mean(values: Iterable[float], *, ratio: bool = False) -> float | None:
    """Of those that are finite, of ratios the median of all that are known; None of none."""
    known = [value for value in values if not math.isnan(value) and (ratio or math.isfinite(value))]
    if not known:
        return None
    middle = float(np.median(known)) if ratio else float(np.mean(known))
    return middle if math.isfinite(middle) else None


def _quantile(values: Iterable[float], share: float) -> float | None:
    known = [value for value in values if math.isfinite(value)]
    return float(np.quantile(known, share)) if known else None

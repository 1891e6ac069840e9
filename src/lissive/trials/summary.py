"""What many replicates of a trial say together: means, ranges and proportions, without NaN."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from scipy.special import ndtr

from lissive.errors import DesignError
from lissive.given import kind_of
from lissive.trials.design import Design
from lissive.trials.disposition import Disposition, disposition
from lissive.trials.endpoint import CHANGE, COUNT, TIME, ArmRow, Comparison, GroupFlow
from lissive.trials.estimate import power
from lissive.trials.observe import Flow, TrialData
from lissive.trials.parts import Endpoint
from lissive.trials.sequential import LookAnswer, after_primary, boundaries


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
    data_versions: Mapping[str, Mapping[str, Any]]
    """As `versions.data_versions` has them."""


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
    """Proportion of replicates with p < alpha in favour of the arm (either way of adverse events, discontinuation and a
    test alone); of a primary endpoint with a margin, that are non-inferior; with looks, that stop at one of them or
    reach the end's boundary."""
    power_ci: tuple[float, float]
    estimated: int
    """Replicates that have an estimate."""
    notes: Mapping[str, int]
    """Why a method could not be used, or not as planned, to the number of replicates."""
    power_adjusted: float | None = None
    """Of a key secondary endpoint: the same where the primary is significant too, and alpha is shared."""
    control_better: float = 0.0
    """Proportion of replicates with p < alpha at the end in favour of the control."""


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
    looks: tuple[LookAnswer, ...] = ()
    """Of a design with interim looks; else empty."""

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
            "looks": [asdict(row) for row in self.looks],
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
        disposition(design, list(results.flows.values()), results.groups),
        tuple(row for row in every if row.endpoint != "dose" or asked_dose),
        comparisons(results),
        tuple(_dose(design, row) for row in every if row.endpoint == "dose"),
        results.provenance,
        tuple(_looks(results)),
    )


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
    there, design = {row.arm for row in _arms(results)}, results.design
    together: dict[tuple[str, float, str, str], list[Comparison]] = {}
    for row in results.comparisons:
        if row.arm in there and row.against in there:
            together.setdefault((row.endpoint, row.week, row.arm, row.estimate.method), []).append(row)
    adjusted = _adjusted(results)
    return tuple(_together(design, rows, adjusted.get(key[:3])) for key, rows in together.items())


def _together(design: Design, every: Sequence[Comparison], adjusted: float | None) -> ComparisonAnswer:
    """Ratios are summed up by medians: one replicate in which an arm has no event would lead any mean of limits."""
    rows = [row for row in every if not row.look]
    first, found = rows[0], [row.estimate for row in rows]
    ratio = first.estimate.measure.endswith("ratio")
    values = [each.value for each in found]
    good = _good(design, every)
    share, low, high = power([0.0 if each else 1.0 for each in good.values()], 0.5)
    notes = Counter(each.note for each in found if each.note)
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
        (_mean((each.lower for each in found), ratio=ratio), _mean((each.upper for each in found), ratio=ratio)),
        share,
        (low, high),
        sum(math.isfinite(value) for value in values),
        dict(notes.most_common()),
        adjusted,
        float(np.mean([row.favours_control and row.estimate.p < design.analysis.alpha for row in rows])),
    )  # fmt: skip


def succeeded(design: Design, rows: Sequence[Comparison]) -> dict[str, bool]:
    """Arm to whether one replicate shows of one endpoint what it was to show, by the first of its methods."""
    first: dict[str, list[Comparison]] = {}
    for row in rows:
        mine = first.setdefault(row.arm, [])
        if not mine or row.estimate.method == mine[0].estimate.method:
            mine.append(row)
    return {arm: all(_good(design, mine).values()) for arm, mine in first.items()}


def _good(design: Design, rows: Sequence[Comparison]) -> dict[int, bool]:
    """Replicate to whether it shows what it was to show, of one endpoint, arm and method."""
    plan = design.analysis
    primary = (rows[0].endpoint, rows[0].week) == _name(design, design.endpoints[0])
    if primary and plan.non_inferiority_margin is not None:
        return {row.replicate: row.estimate.upper < plan.non_inferiority_margin for row in rows}
    if primary and plan.interim:
        limits = _limits(design)
        found = dict.fromkeys((row.replicate for row in rows), False)
        for row in rows:
            found[row.replicate] |= row.p <= limits[row.look]
        return found
    return {row.replicate: row.p < plan.alpha for row in rows}


def _name(design: Design, endpoint: Endpoint) -> tuple[str, float]:
    return endpoint.name, design.week_of(endpoint)


def _adjusted(results: Results) -> dict[tuple[str, float, str], float]:
    """Endpoint, week and arm of the key secondary endpoints to their power where alpha is shared, arm by arm."""
    design = results.design
    named = [design.endpoint_named(name) for name in design.analysis.key_secondary]
    names = [_name(design, each) for each in (design.endpoints[0], *named) if each is not None]
    if len(names) < 2:
        return {}
    known: dict[tuple[int, str], dict[tuple[str, float], float]] = {}
    for row in results.comparisons:
        if not row.look and (row.endpoint, row.week) in names:
            known.setdefault((row.replicate, row.arm), {}).setdefault((row.endpoint, row.week), row.p)
    hits: dict[tuple[str, float, str], list[bool]] = {}
    gate = {key: _gate(results, *key) for key in known} if _other_gate(design) else {}
    for (replicate, arm), p in known.items():
        primary = p.get(names[0], math.nan) if not gate else (0.0 if gate[replicate, arm] else 1.0)
        found = after_primary(
            primary, [p.get(name, math.nan) for name in names[1:]], design.analysis.multiplicity
        )
        for name, each in zip(names[1:], found, strict=True):
            hits.setdefault((*name, arm), []).append(each < design.analysis.alpha)
    return {key: float(np.mean(each)) for key, each in hits.items()}


def _other_gate(design: Design) -> bool:
    """Whether the primary endpoint is judged otherwise than by its p at the end."""
    return design.analysis.interim is not None or design.analysis.non_inferiority_margin is not None


def _gate(results: Results, replicate: int, arm: str) -> bool:
    rows = [
        row
        for row in results.comparisons
        if (row.replicate, row.arm) == (replicate, arm)
        and (row.endpoint, row.week) == _name(results.design, results.design.endpoints[0])
    ]
    return succeeded(results.design, rows).get(arm, False)


def _shares(design: Design) -> list[float]:
    assert design.analysis.interim is not None
    return [*design.analysis.interim.at, 1.0]


def _limits(design: Design) -> list[float]:
    """Two-sided p of the boundary: at the end, then at each look."""
    plan = design.analysis
    assert plan.interim is not None
    *looks, end = [
        2.0 * float(ndtr(-z)) for z in boundaries(_shares(design), plan.alpha, plan.interim.spending)
    ]
    return [end, *looks]


def _looks(results: Results) -> Iterator[LookAnswer]:
    """Of the primary endpoint, by its first method: how many replicates stop where."""
    design, plan = results.design, results.design.analysis
    if plan.interim is None:
        return
    limits, shares = _limits(design), _shares(design)
    z = boundaries(shares, plan.alpha, plan.interim.spending)
    rows = [
        row for row in results.comparisons if (row.endpoint, row.week) == _name(design, design.endpoints[0])
    ]
    for arm in dict.fromkeys(row.arm for row in rows):
        method = next(row.estimate.method for row in rows if row.arm == arm)
        p = {(r.replicate, r.look): r.p for r in rows if r.arm == arm and r.estimate.method == method}
        going = {replicate for replicate, _ in p}
        for k, share in enumerate(shares):
            look = (k + 1) % len(shares)  # the end's is 0
            stop = {r for r in going if p.get((r, look), 1.0) <= limits[look]}
            going -= stop
            n = round(share * (design.patients or 0))
            yield LookAnswer(arm, share, n, z[k], limits[look], len(stop) / results.replicates)


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

"""One pooled estimate with what a reader asks of it: direction, absolute effects, whether it leaves its scale."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from lissive.evidence.absolute import Absolute, absolute
from lissive.evidence.answer_types import EitherSign, LeftOut, OutcomeLike, Result
from lissive.evidence.comparison import Comparison
from lissive.evidence.effect import COUNTED, Effect, NotUsable, effect
from lissive.evidence.pooling import NotEstimable, Pooled, PoolOptions, pool_effects
from lissive.evidence.words import assumption

Pair = tuple[Comparison, Effect]


def result_of(
    pairs: Sequence[Pair],
    outcome: OutcomeLike,
    design: str,
    baseline_risk: float | None,
    options: PoolOptions,
) -> Result | None:
    """The pooled estimate of some comparisons; None where there are none, or where those of a design have none."""
    try:
        pooled = pool_effects([each for _, each in pairs], **options)
    except NotEstimable:
        if not design:
            raise
        return None
    if pooled is None:
        return None
    most = largest_difference(
        pooled.measure, getattr(outcome, "lower", None), getattr(outcome, "upper", None)
    )
    further = pooled.prediction_interval
    return Result(
        pooled=pooled,
        studies=tuple(each.study for _, each in pairs),
        direction=_direction(pooled, outcome.better),
        prediction_beyond_scale=most is not None and further is not None and max(map(abs, further)) > most,
        absolute=_absolute(pooled, [each for each, _ in pairs], outcome, baseline_risk),
        design=design,
    )


def largest_difference(measure: str, lower: float | None, upper: float | None) -> float | None:
    """The largest difference on a scale from `lower` to `upper`; None where it is unbounded.

    >>> [largest_difference(*of) for of in (("MD", 0.0, 10.0), ("RD", 0.0, 1.0), ("OR", 0.0, 1.0))]
    [10.0, 1.0, None]
    """
    if measure == "SMD":
        return assumption("largest_smd")
    if measure not in ("MD", "RD") or lower is None or upper is None:
        return None
    return upper - lower


def _direction(pooled: Pooled, better: str) -> str:
    if pooled.low_y <= 0.0 <= pooled.high_y:
        return "either"
    up = pooled.y > 0
    if not better:
        return "higher" if up else "lower"
    return "benefit" if up == (better == "higher") else "harm"


def _absolute(
    pooled: Pooled, kept: Sequence[Comparison], outcome: OutcomeLike, asked: float | None
) -> Absolute | None:
    if pooled.measure not in COUNTED or not outcome.better:
        return None
    baseline, source = asked, "as asked"
    if baseline is None:
        baseline, source = _control_risk(kept), "pooled control groups"
    if baseline is None or not 0.0 < baseline < 1.0:
        return None
    found = absolute(pooled.measure, pooled.estimate, pooled.ci, baseline, outcome.better)
    return replace(found, baseline_from=source)


def _control_risk(kept: Sequence[Comparison]) -> float | None:
    sizes = [
        (each.control.events, each.control.n)
        for each in kept
        if each.control is not None and each.control.events is not None and each.control.n
    ]
    total = sum(n for _, n in sizes)
    return sum(events for events, _ in sizes) / total if total else None


def either_sign(
    pairs: Sequence[Pair],
    left_out: Sequence[LeftOut],
    results: Sequence[Result],
    outcome: OutcomeLike,
    measure: str,
    correlation: float | None,
    options: PoolOptions,
) -> Iterator[EitherSign]:
    """For each pooled estimate that such results belong to: all of them lower, all of them higher."""
    unsigned = [pair for row in left_out if (pair := _pair(row, measure, correlation))]
    for result in results:
        mine = [pair for pair in unsigned if result.design in ("", pair[1].design)]
        around = [pair for pair in pairs if result.design in ("", pair[1].design)]
        for word, sign in (("lower", -1.0), ("higher", 1.0)) if mine else ():
            turned = [(one, replace(each, y=sign * abs(each.y))) for one, each in mine]
            found = result_of([*around, *turned], outcome, result.design, None, options)
            if found is not None:
                studies = tuple(each.study for _, each in mine)
                labels = tuple(each.label for _, each in mine)
                yield EitherSign(studies, labels, word, found, found.direction != result.direction)


def _pair(row: LeftOut, measure: str, correlation: float | None) -> Pair | None:
    if row.either is None:
        return None
    try:
        found: Effect = effect(row.either, measure, correlation=correlation)
    except NotUsable:
        return None
    return row.either, found

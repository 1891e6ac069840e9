"""What the pooled estimate would be with results whose sign is not known, were they lower, or higher, with the drug."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from lissive.evidence.answer_types import EitherSign, LeftOut, OutcomeLike, Result
from lissive.evidence.effect import Effect, NotUsable, effect
from lissive.evidence.pooling import PoolOptions
from lissive.evidence.result import Pair, result_of


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

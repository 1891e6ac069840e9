"""One pooled estimate with what a reader asks of it: direction, absolute effects, whether it leaves its scale."""

from __future__ import annotations

import re
from collections.abc import Container, Iterator, Sequence
from dataclasses import replace
from functools import cache

from pydantic import ConfigDict, Field

from lissive.errors import EvidenceError
from lissive.evidence.answer_types import (
    Absolute,
    Alternatives,
    EitherSign,
    LeftOut,
    OutcomeLike,
    PooledAnswer,
    Result,
    absolute,
)
from lissive.evidence.claim import shipped_claims
from lissive.evidence.comparing import every
from lissive.evidence.comparison import Comparison
from lissive.evidence.effect import COUNTED, Effect, NotUsable, effect
from lissive.evidence.pooling import NotEstimable, Pooled, PoolOptions, pool_effects
from lissive.evidence.read import DATA, Studies, marked, shipped_studies
from lissive.evidence.words import assumption
from lissive.typed import Row, typed

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


# -- what was searched (data/searches.yaml) ---------------------------------------------------------
SEARCHES = DATA / "searches.yaml"


class Search(Row):
    """One search."""

    what: str = Field(min_length=1)
    where: str = Field(min_length=1)
    until: str = Field(pattern=r"^\d{4}-\d\d-\d\d$")


class SearchesFile(Row):
    model_config = ConfigDict(frozen=True, extra="allow", strict=True)

    searches: tuple[Search, ...] = Field(min_length=1)
    not_searched: tuple[str, ...]


@cache
def searches() -> SearchesFile:
    """The searches, in the order of the file."""
    data, lines = marked(SEARCHES, True, "searches: [{what: trials, where: PubMed, until: '2026-01-31'}]")
    return typed(data, lines, SEARCHES, SearchesFile, EvidenceError, thing="the file of searches")


def searched(studies: Studies) -> str:
    """Until when and where was searched, and what was not; of a user's own file its date, "" where it states none."""
    if studies != shipped_studies():
        day = as_of(studies)
        return f"Studies as of {day}" if day else ""
    made = searches()
    first = made.searches[0]
    return (
        f"Searched until {max(each.until for each in made.searches)}: {first.where}. "
        f"Not searched: {', '.join(made.not_searched)}; trials may be missing"
    )


def of_how_many(answer: PooledAnswer, controlled: Container[str]) -> int:
    """Number of controlled trials that measured the outcome, including those that are not pooled."""
    reported = {each.study for each in answer.left_out if each.text and each.study in controlled}
    return len({*answer.study_ids, *reported})


def comparable(studies: Studies, outcome: str, cause: str | None) -> Alternatives:
    """What can be asked in place of what has no comparison: outcomes of the cause, causes, claims on the outcome."""
    made = every(studies)[0]
    return Alternatives(
        outcomes=tuple(dict.fromkeys(each.outcome for each in made if cause in (None, each.cause))),
        causes=tuple(dict.fromkeys(each.cause for each in made if each.cause)),
        claims=tuple(claim.id for claim in shipped_claims() if outcome in claim.outcomes),
    )


_DATED = re.compile(r"^(?:generated|as_of): *['\"]?(\d{4}-\d\d-\d\d)", re.MULTILINE)


def as_of(studies: Studies) -> str | None:
    """The latest date stated in the files of studies; None where none is stated."""
    days = []
    for path in dict.fromkeys(each.path for each in studies):
        with path.open(encoding="utf-8") as file:
            found = _DATED.search(file.read(2000))
        days += [found[1]] if found else []
    return max(days, default=None)

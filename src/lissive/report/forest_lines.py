"""The lines of a forest plot, from top to bottom: what is plotted, and the table of the same."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from lissive.evidence.answer_types import PooledAnswer, Result, StudyRow, finite
from lissive.evidence.comparison import Group
from lissive.report.pool_words import (
    DESIGN_NAMES,
    group_words,
    i_squared,
    k_words,
    pooled_words,
    predicted,
    row_label,
    row_words,
)


@dataclass(frozen=True)
class Line:
    """One line. `kind` is heading, study, together (pooled, one design), overall, prediction."""

    kind: str
    label: str
    design: str = ""
    study: str = ""
    provenance: str = ""
    n: float | None = None
    active: str = ""
    control: str = ""
    estimate: float | None = None
    low: float | None = None
    high: float | None = None
    weight: float | None = None
    text: str = ""
    """Estimate and interval in words."""

    def to_row(self) -> dict[str, str | float | None]:
        """As a row of the table behind the picture; an infinite end is an empty cell."""
        low, high = (None if end is None else finite(end) for end in (self.low, self.high))
        return {
            "row": self.kind,
            "design": self.design,
            "study": self.study,
            "label": self.label,
            "provenance": self.provenance,
            "n": self.n,
            "active": self.active,
            "control": self.control,
            "estimate": None if self.estimate is None else finite(self.estimate),
            "low": low,
            "high": high,
            "weight_pct": self.weight,
        }


def lines(answer: PooledAnswer) -> list[Line]:
    """Studies under their designs, each design's pooled estimate, all designs pooled, and the prediction interval."""
    return list(_lines(answer))


def _lines(answer: PooledAnswer) -> Iterator[Line]:
    overall, several = answer.overall, len(answer.by_design) > 1
    if overall is None:
        return
    for group in answer.by_design:
        yield Line("heading", DESIGN_NAMES[group.design].capitalize(), group.design)
        yield from (_study(row) for row in answer.studies if row.effect.design == group.design)
        if group.pooled.k > 1 and several:
            yield _pooled("together", f"Pooled, {k_words(group.studies)}", group)
    if answer.k > 1:
        yield _pooled("overall", "Pooled (all designs)" if several else "Pooled", overall)
    if (further := overall.pooled.prediction_interval) is not None:
        nothing = overall.prediction_beyond_scale  # then nothing is drawn
        yield Line(
            "prediction",
            f"{100 * answer.level:g} % prediction interval",
            estimate=None if nothing else overall.pooled.estimate,
            low=further[0],
            high=further[1],
            text=predicted(overall),
        )


def _study(row: StudyRow) -> Line:
    effect = row.effect
    return Line(
        "study",
        row_label(row),
        effect.design,
        effect.study,
        effect.provenance,
        effect.n,
        _brief(row.comparison.active),
        _brief(row.comparison.control),
        effect.estimate,
        *row.ci,
        row.weight,
        row_words(row),
    )


def _brief(group: Group | None) -> str:
    """A group's events and participants, or its mean; n and SD are in the table."""
    return group_words(group).split(" (")[0]


def _pooled(kind: str, label: str, result: Result) -> Line:
    pooled = result.pooled
    return Line(
        kind,
        f"{label}, {i_squared(pooled)}",
        result.design,
        n=pooled.n if pooled.n_stated_by else None,
        estimate=pooled.estimate,
        low=pooled.ci[0],
        high=pooled.ci[1],
        text=pooled_words(pooled),
    )

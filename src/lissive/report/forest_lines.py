"""The lines of a forest plot, from top to bottom: what is drawn, and the table of the same."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from lissive.report.pool_words import DESIGN_NAMES, counted, groups, marked, predicted, spread, whole


@dataclass(frozen=True)
class Line:
    """One line. `kind` is heading, study, together (of one design), overall, prediction."""

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
    """None where the interval has no end, too."""
    high: float | None = None
    weight: float | None = None
    said: str = ""
    """Estimate and interval in words."""

    def to_dict(self) -> dict[str, Any]:
        return {
            "row": self.kind,
            "design": self.design,
            "study": self.study,
            "label": self.label,
            "provenance": self.provenance,
            "n": self.n,
            "active": self.active,
            "control": self.control,
            "estimate": self.estimate,
            "low": self.low,
            "high": self.high,
            "weight_pct": self.weight,
        }


def lines(answer: Mapping[str, Any]) -> list[Line]:
    """Studies under their designs, each design's own figure, all together, and what a further study may show."""
    return list(_lines(answer))


def _lines(answer: Mapping[str, Any]) -> Iterator[Line]:
    measure = answer["measure"]
    for group in answer["by_design"]:
        yield Line("heading", DESIGN_NAMES[group["design"]].capitalize(), group["design"])
        for row in answer["studies"]:
            if row["design"] == group["design"]:
                yield _study(row, measure)
        if group["k"] > 1 and len(answer["by_design"]) > 1:
            yield _together(group, measure)
    if answer["k"] > 1:
        heterogeneity = spread({**answer, "prediction_interval": None}, measure).split(";")[0]
        label = "All designs together" if len(answer["by_design"]) > 1 else "Together"
        yield Line(
            "overall",
            f"{label} ({heterogeneity})",
            n=answer["n"],
            estimate=answer["estimate"],
            low=answer["ci"][0],
            high=answer["ci"][1],
            said=whole(answer, measure),
        )
    if answer["prediction_interval"] is not None:
        low, high = answer["prediction_interval"]
        yield Line(
            "prediction",
            "A further study (95 % prediction)",
            estimate=None
            if answer["prediction_beyond_scale"]
            else answer["estimate"],  # then nothing is drawn
            low=low,
            high=high,
            said=predicted(answer, measure),
        )


def _study(row: Mapping[str, Any], measure: str) -> Line:
    return Line(
        "study",
        marked(row),
        row["design"],
        row["study"],
        row["provenance"],
        row["n"],
        _brief(row, "active"),
        _brief(row, "control"),
        row["estimate"],
        row["ci"][0],
        row["ci"][1],
        row["weight"],
        whole(row, measure),
    )


def _brief(row: Mapping[str, Any], side: str) -> str:
    """A group's events over people, or its mean; people and deviation stand in the table."""
    return groups(row, side).split(" (")[0]


def _together(group: Mapping[str, Any], measure: str) -> Line:
    return Line(
        "together",
        f"{counted(group)} together ({spread(group, measure).split(';')[0]})",
        group["design"],
        n=group["n"],
        estimate=group["estimate"],
        low=group["ci"][0],
        high=group["ci"][1],
        said=whole(group, measure),
    )

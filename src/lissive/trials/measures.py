"""What a trial can measure, and what can happen in it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from lissive.table import rows_of


@dataclass(frozen=True)
class Measure:
    """One row of measures.tsv."""

    measure: str
    paramcd: str
    """Short name in ADaM data sets, up to 8 letters."""
    output: str
    """The model's output that it reads."""
    baseline: str
    """The model's parameter for it before treatment; - where there is none."""
    kind: str
    """rating (a diary or one rating), count (a day's number), assessed (by a clinician), impression (of change)."""
    label: str
    unit: str
    lower: float
    upper: float


def _read() -> dict[str, Measure]:
    rows = rows_of(Path(__file__).parent / "measures.tsv")
    texts = ("measure", "paramcd", "output", "baseline", "kind", "label", "unit")
    return {
        row["measure"]: Measure(
            **{name: row[name] for name in texts}, lower=float(row["lower"]), upper=float(row["upper"])
        )
        for row in rows
    }


MEASURES = _read()
IMPRESSIONS = tuple(name for name, each in MEASURES.items() if each.kind == "impression")
EVENTS = {
    "dizziness": "Dizziness, cumulative incidence",
    "withdrawal": "Discontinued, any reason",
    "withdrawal_adverse": "Discontinued due to adverse events",
    "failure": "Time to treatment failure",
    "dose": "Units a day",
}
"""Event to its label. `failure` needs rises_by_pct; discontinuation counts as failure."""

"""Whether the pharmacokinetics meet the aims of reach.tsv."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lissive.errors import ParameterError
from lissive.validation.run import Validation
from lissive.validation.score import Scores
from lissive.validation.tables import rows

BOUNDS = ("at most", "at least")


@dataclass(frozen=True)
class Aim:
    """One aim and what was found."""

    what: str
    """gmfe, within_2 and other scores of an analyte's exposure; or ratios."""
    analyte: str
    """As printed; `-` for ratios."""
    split: str
    text: str
    bound: str
    """at most, or at least."""
    limit: float
    value: float | None
    """None where nothing was observed that it could be judged by."""
    n: int
    """Observations behind it, those read and those recalled."""

    @property
    def met(self) -> bool | None:
        if self.value is None:
            return None
        return self.value <= self.limit if self.bound == "at most" else self.value >= self.limit


def aims(validation: Validation) -> list[Aim]:
    """Every aim, over all observations of its split, read and recalled.

    Raises       ParameterError for a bound that is no bound.
    """
    return [_aim(row, validation) for row in rows("reach.tsv")]


def _aim(row: dict[str, str], validation: Validation) -> Aim:
    if row["measure"] not in BOUNDS:
        raise ParameterError(
            f"measure is {row['measure']!r}.", where=f"reach.tsv: {row['text']}", allowed=", ".join(BOUNDS)
        )
    value: float | None
    if row["what"] == "ratios":
        value, n = validation.ratios.share, validation.ratios.n
    else:
        found = overall(validation.summary_by_split[row["split"]], row["analyte"])
        value, n = (getattr(found, row["what"]), found.n) if found else (None, 0)
    return Aim(
        row["what"], row["analyte"], row["split"], row["text"], row["measure"], float(row["limit"]), value, n
    )


def overall(summary: Sequence[Scores], analyte: str, provenance: str = "all") -> Scores | None:
    """The scores of an analyte's exposure over all routes, from a summary; None where it was not observed."""
    key = (analyte, "all", provenance, "all")
    return next(
        (row for row in summary if (row.analyte, row.route, row.provenance, row.metric) == key),
        None,
    )

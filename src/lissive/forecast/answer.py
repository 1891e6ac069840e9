"""A forecast as typed numbers to read; `to_json` gives the `forecast` part of `lissive case --json`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from lissive.forecast.better import BaselineFigure
from lissive.forecast.calibrated import Calibrated

Side = Literal["active", "placebo", "difference"]


@dataclass(frozen=True)
class Quantiles:
    """Percentiles over virtual patients and their mean, by week; all empty where no patient could be simulated."""

    p05: tuple[float, ...]
    p25: tuple[float, ...]
    median: tuple[float, ...]
    p75: tuple[float, ...]
    p95: tuple[float, ...]
    mean: tuple[float, ...]


@dataclass(frozen=True)
class OutcomeByWeek:
    """One outcome from week 0, before treatment, on; `difference` is drug minus placebo in the same patient."""

    label: str
    unit: str
    active: Quantiles
    placebo: Quantiles
    difference: Quantiles

    def of(self, side: Side) -> Quantiles:
        return {"active": self.active, "placebo": self.placebo, "difference": self.difference}[side]


@dataclass(frozen=True)
class Responders:
    """Responder rates: proportions of the virtual patients."""

    active: float
    placebo: float
    difference: float


@dataclass(frozen=True)
class Dose:
    """Units a day, by week from week 1."""

    unit: str
    active: Quantiles
    placebo: Quantiles


@dataclass(frozen=True)
class TrialFinding:
    """What trials found in spasms of one cause, to be shown beside every forecast."""

    product: str
    found: str
    source: str
    provenance: str


@dataclass(frozen=True)
class ForecastAnswer:
    """What may happen to this person, and what has to be known to read it."""

    primary: str
    """The outcome that is the complaint of the cause."""
    calibrated: Calibrated
    fitted_outcomes: tuple[str, ...]
    """Outcomes for which trials of this product in this cause were fitted on."""
    weeks: tuple[int, ...]
    outcomes: Mapping[str, OutcomeByWeek]
    baseline: Mapping[str, BaselineFigure]
    """The baseline's figure, for each outcome of which it predicts published trials better than the model."""
    responders: Mapping[str, Responders | None]
    """By the definitions in RESPONSES; None where the plan ends before."""
    dose: Dose
    subjects: int
    failed: int
    failures: Mapping[int, str]
    """Number of a virtual patient (from 1) to why it could not be simulated."""
    interval: str
    """What the quantiles are between."""
    found_in_trials: tuple[TrialFinding, ...]
    drawn: tuple[str, ...]
    """Facts that the case leaves unknown and that were sampled for each virtual patient."""
    notes: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        return {
            **asdict(self),
            "weeks": list(self.weeks),
            "failures": {str(number): why for number, why in self.failures.items()},
        }


@dataclass(frozen=True)
class Need:
    """A field of the case, and what a forecast needs of it."""

    field: str
    what: str
    no_model: bool = False
    """It names a cause or product of which there is no model; nothing that is added to the case makes a forecast."""


@dataclass(frozen=True)
class ForecastNeeds:
    """In place of a forecast: what the case has to say, that there is no model of what it says, or why none is made."""

    needs: tuple[Need, ...]
    primary: str
    calibrated: Calibrated
    why_not: str = ""
    """Why none is made although nothing is missing."""

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

"""The answers for one case, put together once, for the terminal, for files and for programs.

    found = answer(read_case("examples/ms-new-york.yaml"), subjects=1000)
    found.access.status, found.forecast.responders["20pct_week4"]

A case is answered as far as it goes: where it does not say enough for a forecast, `found.forecast.needs` says what is
missing, and the rest is answered all the same.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from lissive.access.answer import Answer
from lissive.access.of_case import of_case
from lissive.case import Case
from lissive.evidence.case_answer import CaseEvidence, case_evidence
from lissive.forecast import ForecastAnswer, ForecastNeeds, needs, predict, summary
from lissive.safety import SafetyAnswer, safety_of
from lissive.version import __version__


@dataclass(frozen=True)
class CaseAnswer:
    """All that is answered for one case."""

    case: Case
    access: Answer | None
    """None where the case does not say where the person lives, or for which day it is asked."""
    evidence: CaseEvidence
    safety: SafetyAnswer | None
    """None: not looked at."""
    forecast: ForecastAnswer | ForecastNeeds
    provenance: Mapping[str, Any]
    """Versions, seed, and what of the model's tables the forecast rests on."""

    def to_json(self) -> dict[str, Any]:
        as_of = self.case.as_of
        return {
            "case": self.case.case,
            "as_of": None if as_of is None else as_of.isoformat(),
            "access": None if self.access is None else self.access.to_json(),
            "evidence": self.evidence.to_json(),
            "safety": None if self.safety is None else self.safety.to_json(),
            "forecast": self.forecast.to_json(),
            "provenance": dict(self.provenance),
        }


def answer(
    case: Case,
    *,
    subjects: int = 1000,
    seed: int = 1,
    threads: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> CaseAnswer:
    """The answers for a case.

    Parameters
    ----------
    subjects : virtual patients of the forecast.      seed : random seed.
    threads : all cores if not given.      progress : is called with the number of days that are simulated.
    """
    provenance: dict[str, Any] = {"lissive_version": __version__}
    forecast: ForecastAnswer | ForecastNeeds
    if missing := needs(case):
        forecast = ForecastNeeds(missing)
    else:
        predicted = predict(case, subjects=subjects, seed=seed, threads=threads, progress=progress)
        forecast = summary(predicted)
        provenance |= predicted.provenance
    return CaseAnswer(case, of_case(case), case_evidence(case), safety_of(case), forecast, provenance)

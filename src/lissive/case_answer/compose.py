"""All that is answered for one case, put together."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from lissive.access.answer import Answer
from lissive.access.cases import of_case
from lissive.case import Case
from lissive.case_answer.bottom_line import BottomLine, bottom_line
from lissive.case_answer.findings import Finding, Guideline, findings, guideline
from lissive.case_answer.gates import Gates, gates
from lissive.case_answer.next_step import NextStep, next_steps
from lissive.case_answer.usual_care import UsualCare, usual_care
from lissive.evidence.case_answer import CaseEvidence, case_evidence
from lissive.forecast import ForecastAnswer, ForecastNeeds, needs, predict, summary
from lissive.safety import SafetyAnswer, safety_of
from lissive.version import __version__
from lissive.versions import data_versions

INTENDED_USE = "docs/intended-use.md"
NOT_OBTAINABLE = "the planned product is known not to be obtainable there"
NOT_RUN = "not simulated"


@dataclass(frozen=True)
class CaseAnswer:
    """All that is answered for one case."""

    case: Case
    gates: Gates
    bottom_line: BottomLine
    access: Answer | None
    """None where the case does not say where the person lives, or for which day it is asked."""
    safety: SafetyAnswer
    evidence: CaseEvidence
    forecast: ForecastAnswer | ForecastNeeds
    trials: tuple[Finding, ...]
    """What trials found, a row for each complaint."""
    guideline: Guideline | None
    usual_care: tuple[UsualCare, ...]
    next: tuple[NextStep, ...]
    provenance: Mapping[str, Any] = field(default_factory=dict)
    """Versions, seed, and what of the model's tables the forecast rests on."""

    def to_json(self) -> dict[str, Any]:
        as_of = self.case.as_of
        return {
            "case": self.case.case,
            "as_of": None if as_of is None else as_of.isoformat(),
            "bottom_line": self.bottom_line.text,
            "access": None if self.access is None else self.access.to_json(),
            "safety": self.safety.to_json(),
            "evidence": self.evidence.to_json(),
            "forecast": self.forecast.to_json(),
            "trials": [each.to_json() for each in self.trials],
            "guideline": None if self.guideline is None else asdict(self.guideline),
            "usual_care": [each.to_json() for each in self.usual_care],
            "next": [each.to_json() for each in self.next],
            "intended_use": INTENDED_USE,
            "provenance": dict(self.provenance),
        }


def answer(
    case: Case,
    *,
    subjects: int = 1000,
    seed: int = 1,
    threads: int | None = None,
    progress: Callable[[int], None] | None = None,
    simulate: bool = True,
) -> CaseAnswer:
    """The answers for a case.

    Parameters
    ----------
    subjects : virtual patients of the forecast.      seed : random seed.
    threads : all cores if not given.      progress : is called with the number of days that are simulated.
    simulate : False leaves the forecast out, and answers the rest.
    """
    access, safety = of_case(case), safety_of(case)
    gate = gates(case, access, safety)
    missing = needs(case)
    provenance: dict[str, Any] = {"lissive_version": __version__, "data_versions": data_versions()}
    forecast: ForecastAnswer | ForecastNeeds
    if missing or not gate.may_forecast or not simulate:
        refused = NOT_OBTAINABLE if not gate.may_dose else gate.unfit
        why_not = "" if missing else refused or NOT_RUN
        forecast = ForecastNeeds(missing, gate.complaint.outcome, gate.calibrated, why_not)
    else:
        predicted = predict(case, subjects=subjects, seed=seed, threads=threads, progress=progress)
        forecast = summary(predicted)
        provenance |= predicted.provenance
    evidence = case_evidence(case)
    return CaseAnswer(
        case,
        gate,
        bottom_line(case, access, safety, gate),
        access,
        safety,
        evidence,
        forecast,
        findings(case, evidence, gate),
        guideline(case),
        usual_care(case),
        next_steps(case, access, safety, gate, forecast if isinstance(forecast, ForecastNeeds) else None),
        provenance,
    )

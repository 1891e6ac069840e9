"""What may be said of one case: the rules that keep a number, a dose or a promise off the page, all in one place.

- no number for this person where no trial in this cause was fitted on;
- no forecast of a plan that is contraindicated as stated, nor for a child: the trials were in adults;
- no dose and no titration of a product that is known not to be obtainable;
- a benefit in people of a hundred is a relative effect at a stated risk, with its interval in words;
- a single dose or some days of treatment is no answer for weeks of it;
- a simulated difference that trials do not bear out says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from lissive.access.answer import Answer, ProductStatus
from lissive.case import Case
from lissive.evidence.answer_types import Absolute, Result
from lissive.evidence.case_answer import CaseEvidence, CaseFigure
from lissive.forecast import (
    Calibrated,
    Complaint,
    ForecastAnswer,
    calibration,
    complaint,
    fitted_outcomes,
    is_child,
)
from lissive.safety import SafetyAnswer, safety_of

Obtainable = ProductStatus | Literal["not_checked"]
"""Whether the planned product can be had; `not_checked` where the case names no place or day."""


@dataclass(frozen=True)
class Gates:
    """What may be shown for one case."""

    complaint: Complaint
    calibrated: Calibrated
    numbers: tuple[str, ...]
    """Outcomes of which a number for this person may be shown; none where no trial in this cause was fitted on."""
    product: Obtainable
    by_prescription: bool = False
    """Whether it is a medicine to be had there on prescription; the cannabis programme is then not needed."""
    off_label: bool = False
    unfit: str = ""
    """Why this person may not be forecast, whatever the product; empty where nothing forbids it."""

    @property
    def may_dose(self) -> bool:
        """Whether a dose or a titration of the planned product may be shown."""
        return self.product != "not_obtainable"

    @property
    def may_forecast(self) -> bool:
        return self.may_dose and not self.unfit


def gates(case: Case, access: Answer | None, safety: SafetyAnswer | None = None) -> Gates:
    """The gates of a case; safety is looked up where it is not given."""
    cause, product = case.spasm.cause, case.plan.product
    found = calibration(cause, product)
    status, unfit = product_status(access), unfit_for(case, safety_of(case) if safety is None else safety)
    shown = found == "trials" and status != "not_obtainable" and not unfit
    planned = None if access is None else access.product
    on_prescription = (
        planned is not None and planned.route == "prescription" and planned.status == "obtainable"
    )
    return Gates(
        complaint(cause),
        found,
        fitted_outcomes(cause, product) if shown else (),
        status,
        on_prescription,
        on_prescription and planned is not None and planned.indication == "off_label",
        unfit,
    )


def unfit_for(case: Case, safety: SafetyAnswer) -> str:
    """Why no benefit may be forecast for this person, or nothing."""
    if safety.worst("contraindicated"):
        return "the plan is contraindicated as stated"
    return "the model and its trials are of adults" if is_child(case) else ""


def product_status(access: Answer | None) -> Obtainable:
    """Whether the planned product can be had."""
    return "not_checked" if access is None else access.product.status


def more_or_fewer(found: Absolute) -> str:
    """The interval of the difference, in people of a hundred.

    >>> from lissive.evidence.result import absolute
    >>> more_or_fewer(absolute("OR", 1.69, (0.97, 2.93), 0.24, "higher"))
    '1 fewer to 24 more'
    """
    low, high = (round(100 * (end - found.baseline)) for end in sorted(found.risk_ci))
    return f"{_size(low, other=high)} to {_size(high)}"


def _size(people: int, other: int | None = None) -> str:
    """With its direction, which is not said twice where both ends have the same."""
    direction = "fewer" if people < 0 else "more"
    same = other is not None and (people >= 0) == (other >= 0)
    return f"{abs(people)}" if same or (people == 0 and other is not None) else f"{abs(people)} {direction}"


def figure_of(evidence: CaseEvidence, outcome: str) -> tuple[CaseFigure, Result] | None:
    """What trials of a week or more found on an outcome: of those without enrichment, where there are such."""
    weeks = {each.study.id: each.study.weeks for each in evidence.studies}
    for figure in evidence.pooled:
        if figure.answer.outcome.word == outcome:
            long = [
                each
                for each in figure.answer.by_design
                if not all(_is_short(weeks.get(study)) for study in each.studies)
            ]
            plain = [each for each in long if each.design in ("parallel", "crossover")]
            if long:
                return figure, (plain or long)[0]
    return None


def _is_short(weeks: float | str | None) -> bool:
    """A single dose or some days, which says nothing of weeks of treatment."""
    return ("dose" in weeks or "day" in weeks) if isinstance(weeks, str) else weeks is not None and weeks < 1


LIKE_TRIALS = 6
"""Weeks from which a simulated course stands beside trials, of which the shortest that is pooled had six."""


def beside_trials(forecast: ForecastAnswer) -> bool:
    """Whether the plan is long enough for its end to be compared with trials."""
    return forecast.weeks[-1] >= LIKE_TRIALS


def beyond_trials(
    forecast: ForecastAnswer, evidence: CaseEvidence, responders: Absolute | None = None
) -> bool:
    """Whether trials do not bear out what is simulated: its mean difference, or its share of responders with the drug,
    lies outside their 95 % interval.

    responders : what leads on the screen in the pool's place, where something does (`findings.leading`).
    """
    found, hit = figure_of(evidence, "spasticity_nrs"), forecast.responders["30pct_week12"]
    means = forecast.outcomes["spasticity_nrs"].difference.mean
    if not beside_trials(forecast):
        return False
    if found is not None and found[0].answer.measure == "MD" and means:
        low, high = found[1].pooled.ci
        if not low <= means[-1] <= high:
            return True
    share = figure_of(evidence, "responders_30pct")
    told = responders or (share and share[1].absolute)
    if not told or hit is None:
        return False
    low, high = sorted(told.risk_ci)
    return not low <= hit.active <= high

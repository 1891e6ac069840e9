"""What may be said of one case: the rules that keep a number, a dose or a promise off the page, all in one place.

- no number for this person where no trial in this cause was fitted on;
- no dose and no titration of a product that is known not to be obtainable;
- a benefit in people of a hundred is a relative effect at a stated risk, with its interval in words;
- a simulated difference that trials do not bear out says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from lissive.access.answer import Answer
from lissive.case import Case
from lissive.evidence.absolute import Absolute
from lissive.evidence.answer_types import Result
from lissive.evidence.case_answer import CaseEvidence, CaseFigure
from lissive.forecast import Calibrated, Complaint, ForecastAnswer, calibration, complaint, fitted_outcomes

ProductStatus = Literal["obtainable", "not_obtainable", "unknown", "not_asked", "not_checked"]


@dataclass(frozen=True)
class Gates:
    """What may be shown for one case."""

    complaint: Complaint
    calibrated: Calibrated
    numbers: tuple[str, ...]
    """Outcomes of which a number for this person may be shown; none where no trial in this cause was fitted on."""
    product: ProductStatus

    @property
    def may_dose(self) -> bool:
        """Whether a dose or a titration of the planned product may be shown."""
        return self.product != "not_obtainable"


def gates(case: Case, access: Answer | None) -> Gates:
    """The gates of a case."""
    cause, product = case.spasm.cause, case.plan.product
    found = calibration(cause, product)
    status = product_status(access)
    shown = found == "trials" and status != "not_obtainable"
    return Gates(complaint(cause), found, fitted_outcomes(cause, product) if shown else (), status)


def product_status(access: Answer | None) -> ProductStatus:
    """Whether the planned product can be had; `not_checked` where the rules do not answer for products."""
    found = getattr(access, "product", None)
    return "not_checked" if found is None else found.status


def of_hundred(found: Absolute, word: str = "with placebo") -> str:
    """How many more or fewer of a hundred people, with the interval and the risk that it starts from.

    >>> from lissive.evidence.absolute import absolute
    >>> of_hundred(absolute("OR", 1.69, (0.97, 2.93), 0.24, "higher"))
    '11 more of 100 (between 1 fewer and 24 more) than the 24 with placebo'
    """
    risks = (found.risk, *sorted(found.risk_ci))
    size, low, high = (round(100 * (risk - found.baseline)) for risk in risks)
    between = f"between {_size(low, other=high)} and {_size(high)}"
    return f"{_size(size)} of 100 ({between}) than the {100 * found.baseline:.0f} {word}"


def _size(people: int, other: int | None = None) -> str:
    """With its direction, which is not said twice where both ends have the same."""
    direction = "fewer" if people < 0 else "more"
    same = other is not None and (people >= 0) == (other >= 0)
    return f"{abs(people)}" if same or people == 0 and other is not None else f"{abs(people)} {direction}"


def figure_of(evidence: CaseEvidence, outcome: str) -> tuple[CaseFigure, Result] | None:
    """What trials of the cause found on an outcome: of trials without enrichment, where there are such."""
    for figure in evidence.pooled:
        if figure.answer.outcome.word == outcome and figure.answer.by_design:
            plain = [each for each in figure.answer.by_design if each.design in ("parallel", "crossover")]
            return figure, (plain or list(figure.answer.by_design))[0]
    return None


def beyond_trials(forecast: ForecastAnswer, evidence: CaseEvidence, outcome: str = "spasticity_nrs") -> bool:
    """Whether the simulated mean difference is larger than the interval of the trials' mean difference allows."""
    found = figure_of(evidence, outcome)
    means = forecast.outcomes[outcome].difference.mean
    if found is None or found[0].answer.measure != "MD" or not means:
        return False
    low, high = found[1].pooled.ci
    return not low <= means[-1] <= high

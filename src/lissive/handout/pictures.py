"""The figures of a forecast on a page: each with its caption and itself in words.

The clinician's page has a figure only of what was fitted on trials of this product in this cause; all others stand
under "not calibrated" in the whole answer.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from markupsafe import Markup

from lissive.case_answer import CaseAnswer
from lissive.case_answer.findings import leading
from lissive.case_answer.gates import beside_trials, beyond_trials, figure_of
from lissive.forecast import ForecastAnswer
from lissive.report.figures import (
    ARMS,
    PLASMA,
    RATED,
    SIDE_EFFECTS,
    TrialEffect,
    effect_figure,
    forecast_caption,
    inline_svg,
    small_figure,
    visible,
)
from lissive.report.words import UNVERIFIED, count, percent, signed

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Picture:
    """One figure."""

    title: str
    panels: tuple[Markup, ...]
    caption: str
    narrow: Markup | None = None
    """The one panel for a narrow screen."""


def main_outcome(answer: CaseAnswer) -> str | None:
    """The complaint where it was fitted on, else the spasticity or pain that was; None where nothing was."""
    shown = answer.gates.numbers
    wanted = (answer.gates.complaint.outcome, "spasticity_nrs", "pain_nrs")
    return next((name for name in wanted if name in shown), None)


def clinician_picture(answer: CaseAnswer) -> Picture | None:
    """The figure of the clinician's page."""
    forecast, name = answer.forecast, main_outcome(answer)
    if not isinstance(forecast, ForecastAnswer) or name is None or forecast.failed == forecast.subjects:
        return None
    trials = trial_effect(answer, forecast, name)
    outcome, last = forecast.outcomes[name], forecast.weeks[-1]
    drug, placebo = outcome.active.mean[-1], outcome.placebo.mean[-1]
    said = (
        f"{outcome.label}: mean {outcome.active.mean[0]:.1f} at the start; in week {last} {drug:.1f} with the drug and "
        f"{placebo:.1f} with placebo, a mean difference of {signed(outcome.difference.mean[-1], 2)}."
    )
    if trials is not None:
        low, high = trials.ci
        said += f" In trials the difference was {trials.estimate:+.2f} (95 % CI {low:+.2f} to {high:+.2f})."
    caption = forecast_caption(forecast, calibrated=True)
    if trials is not None:
        caption += f" Trials: pooled mean difference with its 95 % CI{_mark(answer)}."
        if beyond_trials(forecast, answer.evidence, leading(answer.trials, "responders_30pct")):
            is_in = trials.ci[0] <= outcome.difference.mean[-1] <= trials.ci[1]
            what = "share of people who are 30 % better" if is_in else "difference"
            caption += f" The forecast's {what} lies beyond what trials found: rely on the trials."
    return Picture(
        said,
        (_svg(effect_figure(forecast, name, trials), "effect", said),),
        caption,
        _svg(effect_figure(forecast, name, trials, narrow=True), "effect-n", said),
    )


def pictures_of(answer: CaseAnswer, forecast: ForecastAnswer) -> Iterator[Picture]:
    """The other figures: side effects, what was fitted besides, what was not, and plasma."""
    shown, main = answer.gates.numbers, main_outcome(answer)
    every = visible(forecast, (*RATED, *SIDE_EFFECTS))
    fitted = [name for name in every if name in shown and name != main]
    for title, names in (
        ("Side effects and stopping", [name for name in fitted if name in SIDE_EFFECTS]),
        ("Other outcomes that were fitted on trials", [name for name in fitted if name not in SIDE_EFFECTS]),
    ):
        if names:
            yield _panels(forecast, title, names, calibrated=True)
    if rest := [name for name in every if name not in shown]:
        yield _panels(forecast, "Not calibrated", rest, calibrated=False)
    if plasma := visible(forecast, PLASMA):
        yield _panels(forecast, "Appendix: concentrations in plasma, mean over the day", plasma, plasma=True)


def _panels(
    forecast: ForecastAnswer,
    title: str,
    names: Sequence[str],
    *,
    calibrated: bool = True,
    plasma: bool = False,
) -> Picture:
    caption = forecast_caption(forecast, calibrated=calibrated, drug_only=plasma)
    panels = tuple(
        _svg(
            small_figure(forecast, name, arms=("active",) if plasma else ARMS),
            name,
            _ends(forecast, name, plasma),
        )
        for name in names
    )
    return Picture(title, panels, caption)


def _ends(forecast: ForecastAnswer, name: str, drug_only: bool) -> str:
    outcome = forecast.outcomes[name]
    drug, placebo = (
        percent(x) if outcome.unit == "probability" else f"{x:.1f}"
        for x in (outcome.active.mean[-1], outcome.placebo.mean[-1])
    )
    beside = "" if drug_only else f", {placebo} with placebo"
    return f"{outcome.label}, mean in week {forecast.weeks[-1]}: {drug} with the drug{beside}."


def trial_effect(answer: CaseAnswer, forecast: ForecastAnswer, name: str) -> TrialEffect | None:
    """The pooled mean difference of the planned product; None where the plan is too short to compare."""
    found = figure_of(answer.evidence, name) if beside_trials(forecast) else None
    if found is None or found[0].answer.measure != "MD" or found[0].of_all_products:
        return None
    pooled = found[1].pooled
    size = f", n = {pooled.n:g}" if pooled.n_stated_by else ""
    return TrialEffect(pooled.estimate, pooled.ci, f"{count(pooled.k, 'trial')}{size}, 95 % CI")


def _mark(answer: CaseAnswer) -> str:
    found = figure_of(answer.evidence, main_outcome(answer) or "")
    return f" {UNVERIFIED}" if found is not None and found[0].answer.unverified else ""


def _svg(figure: Figure, name: str, said: str) -> Markup:
    """Inline, with the words as its title: readers of PDF know no aria-label."""
    svg = inline_svg(figure, name, said)
    start = Markup(' font-family="Report, Report Rest, sans-serif"><title>{}</title>').format(said)
    return Markup(svg.replace(">", start, 1))

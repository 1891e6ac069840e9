"""The answer of a follow-up as typed values; `to_json` gives `lissive follow --json`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from lissive.follow.diary import LeftOut
from lissive.forecast.answer import Quantiles

Advice = Literal["continue", "change", "stop", "too_early", "cannot_say"]


@dataclass(frozen=True)
class Benefit:
    """Probability that the drug itself takes off at least `threshold` of the level that there would be without it."""

    threshold: float
    value: float
    prior: float
    """Before the diary."""
    outcome: str
    source: str
    """Of the threshold."""
    if_gaps_are_bad_days: float
    """The same where each day without an entry was worse by the error of one rating."""


@dataclass(frozen=True)
class Change:
    """What the diary shows of one rating by itself; it counts placebo, ups and downs, and time with the drug."""

    label: str
    before: float | None
    """Mean before the first dose, or what the case recalls."""
    last_week: float | None
    entries: int
    """In the last week."""
    fall_pct: float | None
    """From before to the last week; negative: it rose. None where one of them is unknown, or it was 0 before."""
    without_and_with: tuple[tuple[float, int], ...] | None
    """Since the first dose: mean and entries of weeks or more without any dose, and of the other days. None where there
    was no such week."""


@dataclass(frozen=True)
class Rule:
    """The published rule for stopping after some weeks."""

    weeks: int
    due: str
    """The day."""
    fall_pct: float | None
    """Fall so far of the mean of the week that it looks at; None before that week, or with too few entries in it."""
    met: bool | None
    needed_pct: float
    missed_responder: float | None
    """Of people like this one in whom the drug takes off the threshold, the proportion who would not meet the rule."""
    source: str
    unchecked: str = ""
    """Why the rule cannot be checked though it is due."""


@dataclass(frozen=True)
class OutcomeAhead:
    """One outcome by week: of the weeks of the diary as fitted, then going on, and stopping."""

    label: str
    unit: str
    continuing: Quantiles
    stopping: Quantiles
    difference: Quantiles


@dataclass(frozen=True)
class Ahead:
    """The weeks ahead; week 1 is the first after the diary."""

    primary: str
    weeks: tuple[int, ...]
    outcomes: Mapping[str, OutcomeAhead]
    interval: str


@dataclass(frozen=True)
class Fit:
    """The diary beside the fit; days count from the first dose."""

    day: tuple[int, ...]
    observed: tuple[float | None, ...]
    p05: tuple[float, ...] | None
    median: tuple[float, ...] | None
    p95: tuple[float, ...] | None
    """Of what one day's entry would be; None where the model makes no prediction."""


@dataclass(frozen=True)
class Baseline:
    """What is known of the time before treatment."""

    kind: Literal["diary", "recalled", "none"]
    days: int
    mean: float | None
    text: str


@dataclass(frozen=True)
class Alarm:
    """Something that has to be looked at, whatever the benefit."""

    id: str
    text: str
    rows: tuple[int, ...]
    do: str


@dataclass(frozen=True)
class DoseNow:
    """The dose of the last week with the drug, and how far the label or product allows it to move."""

    per_day: float
    unit: str
    limit: float | None
    """Of the label; None where there is none: then no dose is advised."""
    advice: str
    ended: int = 0
    """Days without a dose at the end of the diary, where they are a week or more."""


@dataclass(frozen=True)
class Diagnostics:
    """How well the draws stand for the posterior."""

    ess: float
    khat: float | None
    draws: int
    reliable: bool


@dataclass(frozen=True)
class FollowAnswer:
    """Is it working for this person, and what now."""

    case: str
    product: str
    outcome: str
    label: str
    treated_days: int
    rated_days: int
    baseline: Baseline
    seen: Mapping[str, Change]
    """Each rating of the diary by itself."""
    advice: Advice
    why: tuple[str, ...]
    fitted: bool
    """Whether advice may rest on the probability: trials of this product in this cause were fitted on for this outcome,
    no other product was taken, and the rating was not 0 before treatment."""
    no_prediction: str | None
    """Why the model makes no prediction, so that `probability_benefit`, `effect_pct`, `forecast`, `diagnostics` and the
    fit are None; None where it makes one."""
    probability_benefit: Benefit | None
    effect_pct: Mapping[str, tuple[float, float, float]] | None
    """`prior` and `posterior`: 5th percentile, median, 95th of the drug's own effect [% of the level without it]."""
    rule_4_week: Rule | None
    dose: DoseNow
    forecast: Ahead | None
    fit: Fit
    diagnostics: Diagnostics | None
    alarms: tuple[Alarm, ...]
    used: int
    left_out: tuple[LeftOut, ...]
    import_lines: tuple[str, ...]
    side_effects: Mapping[str, int]
    """As written since the first dose, with the number of days."""
    calibrated: str
    notes: tuple[str, ...]
    provenance: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        data = asdict(self)
        for name in ("used", "left_out", "import_lines"):
            del data[name]
        data["effect_pct"] = self.effect_pct and {
            side: dict(zip(("p05", "median", "p95"), values, strict=True))
            for side, values in self.effect_pct.items()
        }
        data["import"] = {
            "used": self.used,
            "left_out": [{"row": each.row, "why": each.why} for each in self.left_out],
        }
        return data

"""Published figures of trials as what a fit compares: on a scale on which their error is about normal.

Only trials of `split: calibration`; anything else raises.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from scipy.special import logit

from lissive.errors import StudyError
from lissive.table import constants, rows_of
from lissive.trials.published import Observed, PublishedTrial

LOG = ("change_sd", "sd", "odds_ratio", "hazard_ratio")
_ASSUMED = constants(Path(__file__).with_name("assumptions.tsv"))
RECALLED = _ASSUMED["recalled_wider"]
TYPICAL_SD = {"": 1.7, "rated_at_visits": 2.5}
"""Spread of a change where the paper gives none: of diary means (1.69 and 1.76, back-calculated from calibration
trials), of single ratings (read)."""
CV_DOSE = _ASSUMED["CV_dose"]
ROUGH = {"none": 0.1, "logit": 0.15, "log": 0.1}
"""What no model of this kind can be trusted below, by scale: added to the error of every figure."""
SHORTEST = 1.0
"""Weeks; in shorter trials the figures are of the hours after a dose, and the simulator's are means of days."""
LEAST = 5
"""Fewer patients in an arm tell nothing that a normal error could carry."""


@dataclass(frozen=True)
class Datum:
    """One figure as it is fitted."""

    observed: Observed
    trial: int
    """Place among the trials that are fitted."""
    value: float
    error: float
    """Standard error on the same scale, larger where memory is the source or where a trial says the same twice."""
    assumed: str
    """Where the error is not the paper's."""


def scale_of(observed: Observed) -> str:
    """none, log or logit."""
    if observed.statistic in LOG or observed.endpoint == "dose":
        return "log"
    return "logit" if observed.statistic == "share" else "none"


def to_scale(observed: Observed, value: float, n: int | None = None) -> float:
    """A figure on the scale of the fit; of a share, with half a patient added on
    either side, so that it is nearly without bias whatever the size."""
    scale = scale_of(observed)
    if scale == "none" or not np.isfinite(value):
        return value
    if scale == "log":
        return float(np.log(value)) if value > 0 else np.nan
    n = n or observed.n or 100
    return float(logit((value * n + 0.5) / (n + 1.0)))


def data_of(trials: Sequence[PublishedTrial]) -> list[Datum]:
    """What of these trials can be fitted on.

    Raises
    ------
    StudyError
        For a trial that may not be fitted on.
    """
    found = []
    for place, trial in enumerate(trials):
        if trial.split != "calibration":
            raise StudyError(
                f"The trial has split: {trial.split}.",
                where=trial.id,
                allowed="split: calibration, to be fitted on.",
            )
        usable = _without_repeats([o for o in trial.observed if _is_usable(trial, o)])
        same = Counter(says(o) for o in usable)
        for observed in usable:
            instead = read_as().get((observed.trial, observed.statistic))
            value = to_scale(observed, observed.value if instead is None else float(instead))
            error, assumed = _error(trial, observed)
            error *= RECALLED if observed.provenance == "recalled" else 1.0
            error = float(np.hypot(error * np.sqrt(same[says(observed)]), ROUGH[scale_of(observed)]))
            if np.isfinite(value) and np.isfinite(error):
                found.append(Datum(observed, place, value, error, assumed))
    return found


def says(observed: Observed) -> tuple[str, str, str]:
    """Figures that are views of the same ratings of the same patients share what they weigh."""
    kind = "spread" if observed.statistic in ("change_sd", "sd") else "level"
    return observed.arm, observed.endpoint.split("_responders")[0], kind


def _is_usable(trial: PublishedTrial, observed: Observed) -> bool:
    if trial.design.weeks < SHORTEST:
        return False
    if observed.n is not None and observed.n < LEAST:
        return False
    return read_as().get((observed.trial, observed.statistic)) != "-"


@cache
def read_as() -> Mapping[tuple[str, str], str]:
    """Trial and statistic to what its figures are fitted as instead; - where they are left out (read_as.tsv)."""
    return {
        (row["trial"], row["statistic"]): row["value"]
        for row in rows_of(Path(__file__).parent / "read_as.tsv")
    }


def _without_repeats(usable: Sequence[Observed]) -> list[Observed]:
    """A comparison says nothing more where both of its arms are fitted on."""
    arms: dict[str, set[str]] = {}
    for each in usable:
        if each.against is None and each.statistic in ("change", "share", "end"):
            arms.setdefault(each.endpoint, set()).add(each.arm)
    return [
        each
        for each in usable
        if each.against is None or not {each.arm, each.against} <= arms.get(each.endpoint, set())
    ]


def _error(trial: PublishedTrial, observed: Observed) -> tuple[float, str]:
    n = observed.n
    if observed.statistic == "share" and n:
        p = min(max(observed.value, 0.5 / n), 1.0 - 0.5 / n)
        return float(1.0 / np.sqrt(n * p * (1.0 - p))), ""
    if observed.statistic in ("change_sd", "sd") and n and n > 1:
        return float(1.0 / np.sqrt(2.0 * (n - 1))), ""
    if observed.endpoint == "dose" and n:
        if observed.error:
            return observed.error / observed.value, ""
        return CV_DOSE / np.sqrt(n), f"spread of {CV_DOSE:g} of the mean assumed"
    if observed.error:
        return observed.error, ""
    if observed.statistic in ("change", "end", "difference") and n and "ashworth" not in observed.endpoint:
        sd = TYPICAL_SD["rated_at_visits" if trial.design.rated_at_visits else ""]
        return sd * np.sqrt((2.0 if observed.against else 1.0) / n), f"spread of {sd:g} assumed"
    return np.nan, ""

"""Published figures of trials as what a fit compares: on a scale on which their error is about normal.

Only trials of `split: calibration`; anything else raises.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
from scipy.special import logit
from scipy.stats import norm

from lissive.arrays import FloatArray
from lissive.errors import StudyError
from lissive.table import constants, rows_of
from lissive.trials.parts import MEASURES
from lissive.trials.published import Observed, PublishedTrial

LOG = ("change_sd", "sd", "odds_ratio", "hazard_ratio")
_ASSUMED = constants(Path(__file__).with_name("assumptions.tsv"))
MEMORY = float(np.sqrt(_ASSUMED["recalled_wider"] ** 2 - 1.0))
"""Error of memory, over the figure's own: with it, all in all, an unverified figure of one arm has a quarter of the
weight. A comparison with a printed interval has none, and lends none to its arms where it was read."""
SAME_IN_OTHER_WEEK = 0.7
"""Correlation of the errors of the same view in two weeks, assumed."""
TYPICAL_SD = {"": 1.7, "rated_at_visits": 2.5}
"""Spread of a change where the paper gives none: of diary means (1.69 and 1.76, back-calculated from calibration
trials), of single ratings (read)."""
CV_DOSE = _ASSUMED["CV_dose"]
ROUGH = {"none": 0.1, "logit": 0.15, "log": 0.1}
"""What no model of this kind can be trusted below, by scale: added to the error of every figure."""
SHORTEST = 1.0
"""Weeks; a shorter trial is predicted only: what single doses do within hours is not what weeks of treatment do."""
LEAST = 5
"""Fewer patients in an arm tell nothing that a normal error could carry."""


LEAST_CHANCE = 0.01
"""Share of its variance that chance leaves to a figure, whatever the others are: of the order of rounding."""


MEAN, SPREAD = "mean", "spread"
"""Views of the same ratings; the third is the share of people whose change passes a threshold, by its value."""
View = str | float


@dataclass(frozen=True)
class Datum:
    """One figure as it is fitted."""

    observed: Observed
    trial: int
    """Place among the trials that are fitted."""
    value: float
    sampled: Mapping[str, float]
    """Arm to the standard error, on the same scale, that chance in it brings; below 0 where it counts against."""
    alone: float
    """Standard error that no other figure shares: of memory, and of what the model cannot be trusted below."""
    view: View
    assumed: str
    """Where the error is not the paper's."""

    @property
    def error(self) -> float:
        """Standard error, all in all."""
        return float(np.sqrt(sum(each**2 for each in self.sampled.values()) + self.alone**2))


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
                do="leave this trial out: a prediction is only tested by trials that were not fitted on.",
            )
        usable = _without_unsigned([o for o in trial.observed if _is_usable(trial, o)])
        for observed in [*usable, *_spreads(trial, usable)]:
            datum = _datum(trial, place, observed, usable)
            if np.isfinite(datum.value) and np.isfinite(datum.error):
                found.append(datum)
    return found


def _datum(trial: PublishedTrial, place: int, observed: Observed, others: Sequence[Observed]) -> Datum:
    instead = read_as().get((observed.trial, observed.statistic))
    value = to_scale(observed, observed.value if instead is None else float(instead))
    error, assumed = _error(trial, observed)
    if observed.against is not None:
        mine, other = (
            _people(trial, observed.arm, observed, others),
            _people(trial, observed.against, observed, others),
        )
        # the smaller arm brings more of the chance; an interval that is printed is of this very figure
        parts = {
            observed.arm: error * np.sqrt(other / (mine + other)),
            observed.against: -error * np.sqrt(mine / (mine + other)),
        }
        alone = 0.0 if observed.ci or observed.provenance != "recalled" else error * MEMORY
        return Datum(observed, place, value, parts, alone, _view(observed, others), assumed)
    compared = any(_is_printed(o, observed) for o in others)
    memory = MEMORY * error if observed.provenance == "recalled" and not compared else 0.0
    alone = float(np.hypot(memory, ROUGH[scale_of(observed)]))
    return Datum(observed, place, value, {observed.arm: error}, alone, _view(observed, others), assumed)


def _is_printed(comparison: Observed, one: Observed) -> bool:
    """Whether this comparison was read in the paper, and is of this arm and endpoint."""
    arms = (comparison.arm, comparison.against)
    read = comparison.against is not None and comparison.provenance != "recalled"
    return read and one.arm in arms and (comparison.endpoint, comparison.week) == (one.endpoint, one.week)


def _people(trial: PublishedTrial, arm: str, of: Observed, others: Sequence[Observed]) -> int:
    """How many an arm has: those of its figure of the same endpoint, or else a part of all, as they were randomised."""
    known = [o.n for o in others if o.against is None and (o.arm, o.endpoint) == (arm, of.endpoint) and o.n]
    shares = trial.design.shares
    part = shares.get(arm, 1) / sum(shares.values())
    return max(known, default=max(1, round((trial.design.patients or 2) * part)))


def _view(observed: Observed, others: Sequence[Observed]) -> View:
    if observed.statistic in ("change_sd", "sd"):
        return SPREAD
    if observed.statistic not in ("share", "odds_ratio"):
        return MEAN
    # of a ratio the share in both arms together: about the same threshold for each
    same = [o.value for o in others if o.statistic == "share" and o.endpoint == observed.endpoint]
    return float(np.clip(np.mean(same), 0.01, 0.99)) if same else 0.5


def covariance(data: Sequence[Datum], together: FloatArray | None = None) -> FloatArray:
    """(figure, figure) of the errors: arms are independent, and figures of the same people are not.

    Parameters
    ----------
    together : (figure, figure) correlation of the chance in figures of an arm, from virtual people. Without it, and of
        comparisons whose arms are not there, views of the same ratings have those of normal changes, and others none.
    """
    cov = np.zeros((len(data), len(data)))
    of_arm = [{arm: _of_arm(data, k, arm) for arm in datum.sampled} for k, datum in enumerate(data)]
    for i, one in enumerate(data):
        for k, two in enumerate(data):
            arms = one.sampled.keys() & two.sampled.keys() if one.trial == two.trial else ()
            for arm in arms:
                of_both = one.sampled[arm] * two.sampled[arm] * _in_both(one.observed, two.observed)
                a, b = of_arm[i][arm], of_arm[k][arm]
                if together is not None and a is not None and b is not None:
                    cov[i, k] += of_both * together[a, b]
                elif _rated(one) == _rated(two):
                    cov[i, k] += of_both * correlation(one.view, two.view, _weeks_apart(one, two))
    return (cov if together is None else _positive(cov)) + np.diag([d.alone**2 for d in data])


def _of_arm(data: Sequence[Datum], place: int, arm: str) -> int | None:
    """Place of the figure of this arm that a comparison is made of; of an arm's figure its own."""
    one = data[place]
    if one.observed.against is None:
        return place
    part = {"difference": ("change", "end"), "odds_ratio": ("share",)}.get(one.observed.statistic, ())
    same = (one.trial, arm, one.observed.endpoint, one.observed.week)
    for k, two in enumerate(data):
        o = two.observed
        if (two.trial, o.arm, o.endpoint, o.week) == same and o.against is None and o.statistic in part:
            return k
    return None


def _positive(cov: FloatArray) -> FloatArray:
    """Without directions in which there would be no chance, or less: correlations are of different runs."""
    sd = np.sqrt(np.maximum(np.diag(cov), 1e-300))
    values, vectors = np.linalg.eigh(cov / np.outer(sd, sd))
    found = (vectors * np.maximum(values, LEAST_CHANCE)) @ vectors.T
    sd /= np.sqrt(np.diag(found))
    return np.asarray(found * np.outer(sd, sd))


def _rated(datum: Datum) -> tuple[int, str]:
    """The ratings that a figure is of, in a trial."""
    return datum.trial, datum.observed.endpoint.split("_responders")[0]


def _in_both(one: Observed, two: Observed) -> float:
    """What is left of a correlation where one figure of an arm is of a part of the other's people alone."""
    if one.against is not None or two.against is not None or not one.n or not two.n:
        return 1.0
    return float(np.sqrt(min(one.n, two.n) / max(one.n, two.n)))


def _weeks_apart(one: Datum, two: Datum) -> bool:
    return one.observed.week != two.observed.week


def correlation(one: View, two: View, apart: bool = False) -> float:
    """How the errors of two views of the same normal changes go together; closed forms.

    The mean change with the share that passes a threshold: -φ(c)/√(p(1 - p)), with c the threshold's quantile; a fall
    is below 0. Two shares, one part of the other: √(p(1 - q)/(q(1 - p))), p the smaller. A spread goes with neither.
    """
    seldom = SAME_IN_OTHER_WEEK if apart else 1.0
    if SPREAD in (one, two):
        return seldom * float(one == two)
    if one == two:
        return seldom
    shares = sorted(each for each in (one, two) if isinstance(each, float))
    if len(shares) == 2:
        p, q = shares
        return seldom * float(np.sqrt(p * (1.0 - q) / (q * (1.0 - p))))
    p = shares[0]
    return -seldom * float(norm.pdf(norm.ppf(p)) / np.sqrt(p * (1.0 - p)))


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


def _without_unsigned(usable: Sequence[Observed]) -> list[Observed]:
    """A comparison whose sign is not stated is fitted as none, and says nothing where both of its arms are there."""
    arms: dict[str, set[str]] = {}
    for each in usable:
        if each.against is None and each.statistic in ("change", "share", "end"):
            arms.setdefault(each.endpoint, set()).add(each.arm)
    return [
        each
        for each in usable
        if each.against is None
        or (each.trial, each.statistic) not in read_as()
        or not {each.arm, each.against} <= arms.get(each.endpoint, set())
    ]


def _spreads(trial: PublishedTrial, usable: Sequence[Observed]) -> Iterator[Observed]:
    """The spread of a change, back from the error of a difference, where the paper prints none: of both arms.

    Not of a trial that enrols people with one symptom or another and does not print how many have it: of all who were
    randomised the spread would come out too wide.
    """
    if read_as().get((trial.id, "implied_sd")) == "-":
        return
    printed = {o.endpoint for o in usable if o.statistic == "change_sd"}
    for each in usable:
        rating = each.endpoint in MEASURES and MEASURES[each.endpoint].kind == "rating"
        if each.statistic != "difference" or not each.error or not rating or each.endpoint in printed:
            continue
        arms = [_people(trial, str(arm), each, usable) for arm in (each.arm, each.against)]
        n = each.n or sum(arms)
        share = arms[0] / sum(arms)
        sd = each.error * float(np.sqrt(n * share * (1.0 - share)))
        yield replace(each, against=None, statistic="change_sd", value=sd, error=None, ci=None, n=n)


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

"""Meta-analysis: effects of several studies as one, with heterogeneity and prediction interval.

pool_effects(effects, model="random", tau2="REML", ci="HK") -> Pooled

Own code rather than statsmodels: its estimators lack REML, its moment estimate may be negative, and it takes longer to
load than all of this to run. It is a reference in the tests, as metafor is. Sources: docs/concepts/evidence.md.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypedDict, Unpack

from lissive.errors import EvidenceError
from lissive.evidence.comparison import RATIOS
from lissive.evidence.effect import COUNTED, LABELS, Effect, NotUsable, meant, shown
from lissive.evidence.heterogeneity import TAU2, dersimonian_laird, q_profile
from lissive.given import list_of, number_of

if TYPE_CHECKING:
    from lissive.arrays import FloatArray


UNEQUAL = 2.0
"""Ratio of group sizes from which a warning is given: the Handbook asks for groups of similar size."""


def peto(effect: Effect) -> Effect:
    """The effect as Peto's logarithm of the odds ratio, (O - E)/V with variance 1/V, without 0.5 in empty cells.

    Yusuf and others 1985. Biased where groups differ much in size or effects are large (Cochrane Handbook 10.4.4.2).

    Raises       NotUsable where it has no counts, or no or every participant had an event.
    """
    t = effect.counts
    if t is None:
        raise NotUsable("it reports no counts of two independent groups, which Peto's method needs")
    n, m = t.a + t.b, t.c + t.d
    total, events = n + m, t.a + t.c
    variance = n * m * events * (total - events) / (total**2 * (total - 1))
    if variance <= 0:
        raise NotUsable("no participant, or every one, had an event in both groups")
    notes = tuple(text for text in effect.notes if not text.startswith("0.5 added"))
    return replace(effect, y=(t.a - n * events / total) / variance, v=1.0 / variance, notes=notes)


def unequal(effects: list[Effect]) -> list[str]:
    """Labels of the trials whose groups are too different in size for Peto's method."""
    sizes = [(each.label, each.counts) for each in effects if each.counts is not None]
    return [label for label, t in sizes if max(t.a + t.b, t.c + t.d) > UNEQUAL * min(t.a + t.b, t.c + t.d)]


MODELS = ("random", "fixed")
ESTIMATORS = tuple(TAU2)
INTERVALS = ("HK", "mHK", "Wald")
"""Hartung-Knapp; the same, never narrower than Wald's standard error (Röver and others 2015); Wald."""
METHOD_NAMES = {"IV": "inverse variance", "MH": "Mantel-Haenszel", "Peto": "Peto"}
METHODS = tuple(METHOD_NAMES)
OF_COUNTS = ("MH", "Peto")
"""Methods of the raw counts of independent groups, without 0.5 in empty cells."""


class NotEstimable(EvidenceError):
    """These studies have no estimate by this method; others may."""


@dataclass(frozen=True)
class Pooled:
    """One pooled estimate. On the scale of analysis where a name ends in `_y`, otherwise on the reader's scale."""

    measure: str
    method: str
    model: str
    tau2_by: str
    """Estimator of τ²; "" where the model has none."""
    ci_by: str
    k: int
    n: float
    """Participants of the studies that report how many they are."""
    n_stated_by: int
    """Number of those studies."""
    y: float
    se: float
    """Of the interval: Hartung-Knapp's where that is the interval."""
    wald_se: float
    """1/sqrt(sum of weights): of the estimate for given variances."""
    low_y: float
    high_y: float
    p: float
    predicted_y: tuple[float, float] | None
    """Range in which 95 % of true effects of like studies lie; None below 3 studies, or in a fixed model."""
    tau2: float
    tau2_ci: tuple[float, float] | None
    """By the Q profile; upper end inf where it is beyond 1e6 times the studies' variance."""
    q: float
    q_p: float
    i2: float
    """Percent, from Q."""
    weights: tuple[float, ...]
    """Percent, in the order of the effects."""
    level: float = 0.95
    notes: tuple[str, ...] = ()

    @property
    def estimate(self) -> float:
        return shown(self.measure, self.y)

    @property
    def ci(self) -> tuple[float, float]:
        return shown(self.measure, self.low_y), shown(self.measure, self.high_y)

    @property
    def prediction_interval(self) -> tuple[float, float] | None:
        if self.predicted_y is None:
            return None
        return shown(self.measure, self.predicted_y[0]), shown(self.measure, self.predicted_y[1])


class PoolOptions(TypedDict, total=False):
    """What `pool_effects` is asked, by name."""

    model: str
    tau2: str
    ci: str | None
    method: str
    level: float


def pool_effects(
    effects: Sequence[Effect],
    *,
    model: str = "random",
    tau2: str = "REML",
    ci: str | None = None,
    method: str = "IV",
    level: float = 0.95,
) -> Pooled | None:
    """The effects as one; None where there are none.

    Parameters
    ----------
    ci : HK (Hartung-Knapp, as metafor's knha) where the model is random and there are three studies or more, else
        Wald, if not given. With one study, its own interval.
    method : MH weights counts by Mantel-Haenszel. With a random model τ² is DerSimonian-Laird's, taken about the
        Mantel-Haenszel estimate, as RevMan 5 describes its "M-H, random" (whose interval is Wald's). Peto sums
        observed less expected events over their variances; its model is fixed.

    Raises       EvidenceError for effects of several measures, or twice of the same participants.
    """
    effects = list_of(
        "effects", effects, Effect, wrong=EvidenceError, do="make them with effect(COMPARISON, MEASURE)."
    )
    level = number_of("level", level, wrong=EvidenceError)
    _check(effects, model, tau2, ci, method, level)
    if not effects:
        return None
    import numpy as np

    if method == "Peto":
        effects = [peto(each) for each in effects]
    y = np.array([each.y for each in effects])
    v = np.array([each.v for each in effects])
    measure = effects[0].measure
    notes: list[str] = []
    centre, centre_se = _centre(effects, y, v, method)
    q = float(np.sum((y - centre) ** 2 / v))
    t2 = 0.0
    if model == "random" and len(effects) > 1:
        t2 = dersimonian_laird(y, v, q) if method == "MH" else TAU2[tau2](y, v)
    weights = 1.0 / (v + t2)
    mean, se = float(np.sum(weights * y) / np.sum(weights)), float(np.sum(weights) ** -0.5)
    if method == "MH" and model == "fixed":
        mean, se, weights = centre, centre_se, _mh_weights(effects)
    by = _interval_kind(ci, model, len(effects), notes)
    wide, quantile = _spread(y, weights, mean, se, by, level, notes)
    sizes = [each.n for each in effects if each.n is not None]
    return Pooled(
        measure=measure,
        method=method,
        model=model,
        tau2_by="" if model == "fixed" else "DL" if method == "MH" else tau2,
        ci_by=by,
        k=len(effects),
        n=round(float(sum(sizes)), 6),  # a control group divided among arms leaves thirds
        n_stated_by=len(sizes),
        y=mean,
        se=wide,
        wald_se=se,
        low_y=mean - quantile * wide,
        high_y=mean + quantile * wide,
        p=_p_of_mean(mean / wide, len(effects), by),
        predicted_y=_predicted(mean, wide, t2, len(effects), level) if model == "random" else None,
        tau2=t2,
        tau2_ci=q_profile(y, v, level) if model == "random" and len(effects) > 1 else None,
        q=q if len(effects) > 1 else 0.0,
        q_p=_chi2_above(q, len(effects) - 1),
        i2=max(0.0, 100.0 * (q - (len(effects) - 1)) / q) if q > 0 and len(effects) > 1 else 0.0,
        weights=tuple(float(w) for w in 100.0 * weights / np.sum(weights)),
        level=level,
        notes=tuple(notes),
    )


def leave_one_out(effects: Sequence[Effect], **options: Unpack[PoolOptions]) -> list[tuple[Effect, Pooled]]:
    """The pooled estimate without each study in turn; nothing below two studies, nor where the rest has none."""
    if len(effects) < 2:
        return []
    found = []
    for k, left in enumerate(effects):
        with suppress(NotEstimable):
            rest = pool_effects([*effects[:k], *effects[k + 1 :]], **options)
            if rest is not None:
                found.append((left, rest))
    return found


@dataclass(frozen=True)
class Between:
    """Test for subgroup differences: Q between the groups' estimates, chi-squared on groups less one."""

    q: float
    df: int
    p: float


def difference_between(groups: Sequence[Pooled]) -> Between | None:
    """Each group's estimate has its own τ²; None below two groups.

    The chi-squared is of estimates with known variances, so that Wald's standard errors belong in it: Hartung-Knapp's
    of studies that agree by chance are far too small.
    """
    if len(groups) < 2:
        return None
    weights = [1.0 / group.wald_se**2 for group in groups]
    mean = sum(w * group.y for w, group in zip(weights, groups, strict=True)) / sum(weights)
    q = sum(w * (group.y - mean) ** 2 for w, group in zip(weights, groups, strict=True))
    return Between(q, len(groups) - 1, _chi2_above(q, len(groups) - 1))


# -- what may not be pooled ---------------------------------------------------------------------------
def _check(
    effects: Sequence[Effect], model: str, tau2: str, ci: str | None, method: str, level: float
) -> None:
    asked = {"model": (model, MODELS), "tau2": (tau2, ESTIMATORS), "method": (method, METHODS)}
    for name, (word, known) in (asked | ({"ci": (ci, INTERVALS)} if ci is not None else {})).items():
        _known(name, word, known)
    if not 0.5 <= level < 1.0:
        allowed = "0.5 to below 1, as 0.95."
        raise EvidenceError(f"level is {level:g}.", where="level", allowed=allowed, do="write 95 % as 0.95.")
    measures = sorted({each.measure for each in effects})
    if len(measures) > 1:
        raise EvidenceError(
            f"These effects are of different measures: {', '.join(f'{m} ({LABELS[m]})' for m in measures)}. "
            f"{_why_apart(measures)}",
            where="measure",
            allowed="effects of one measure.",
            do="name one measure; studies that do not report it are then left out, and listed.",
        )
    seen: dict[str, Effect] = {}
    for each in effects:
        for key in {each.patients or each.study, each.study}:
            if key in seen:
                raise EvidenceError(
                    f"{seen[key].study} and {each.study} have the same participants ({key}).",
                    where="effects",
                    allowed="each trial once: double counting makes the interval too narrow.",
                    do="keep one of the two; combine several arms of one trial (Cochrane Handbook 23.3.4).",
                )
        seen |= {each.study: each, each.patients or each.study: each}
    if method in OF_COUNTS:
        _check_counts(effects, method, model)


def _known(name: str, word: str, known: Sequence[str]) -> None:
    if word not in known:
        what, allowed = f"{name} is {word!r}.{meant(word, known)}", f"{', '.join(known)}."
        raise EvidenceError(what, where=name, allowed=allowed, do="choose one of these.")


def _why_apart(measures: Sequence[str]) -> str:
    counted = [m for m in measures if m in COUNTED]
    if counted and len(counted) < len(measures):
        return "Binary and continuous outcomes have no common scale."
    if any(m in RATIOS for m in measures) and any(m not in RATIOS for m in measures):
        return "A ratio and a difference have no common scale: no effect is 1 for one and 0 for the other."
    if counted:
        return "An odds ratio is farther from 1 than the risk ratio of the same trial, especially if events are common."
    return "One is in the outcome's own unit, the other in standard deviations."


def _check_counts(effects: Sequence[Effect], method: str, model: str) -> None:
    name = METHOD_NAMES[method]
    if method == "Peto" and model != "fixed":
        raise EvidenceError(
            "Peto's method has a fixed-effect model only.",
            where="--method Peto",
            allowed="--model fixed with Peto.",
            do="add --model fixed, or choose another method.",
        )
    measures = ("OR",) if method == "Peto" else COUNTED
    if effects and effects[0].measure not in measures:
        has = "has none" if effects[0].measure not in COUNTED else "is not Peto's"
        raise EvidenceError(
            f"{name} needs counts of events, and a {LABELS[effects[0].measure]} {has}.",
            where="method",
            allowed=f"{', '.join(measures)} with {method}; IV for the others.",
            do="leave the method out.",
        )
    if lacks := [each.study for each in effects if each.counts is None or each.design == "crossover"]:
        raise EvidenceError(
            f"{name} needs the counts of two independent groups, which {', '.join(lacks)} "
            f"{'does' if len(lacks) == 1 else 'do'} not report.",
            where="method",
            allowed="studies of independent groups with counts.",
            do="use the method IV, or leave them out.",
        )


# -- intervals ------------------------------------------------------------------------------------------
def _interval_kind(ci: str | None, model: str, k: int, notes: list[str]) -> str:
    if k == 1:
        notes.append("one study: estimate and interval are that study's own")
        return "Wald"
    if model == "fixed" and ci in ("HK", "mHK"):
        notes.append(
            "Wald interval, not Hartung-Knapp: a fixed-effect model takes the studies' variances as known"
        )
        return "Wald"
    if ci is None and model == "random" and k == 2:
        notes.append(
            "Wald interval, too narrow if the two studies differ: with two studies the Hartung-Knapp interval (1 df) "
            "is too wide to be informative"
        )
        return "Wald"
    if k == 2 and ci in ("HK", "mHK"):
        notes.append("with two studies the Hartung-Knapp interval has one degree of freedom and is very wide")
    return ci or ("HK" if model == "random" else "Wald")


def _spread(
    y: FloatArray, w: FloatArray, mean: float, se: float, by: str, level: float, notes: list[str]
) -> tuple[float, float]:
    """Standard error of the mean, and how many of it the interval reaches to each side."""
    from scipy.special import ndtri, stdtrit

    upper = 0.5 + level / 2.0
    if by == "Wald":
        return se, float(ndtri(upper))
    k = len(y)
    quantile = float(stdtrit(k - 1, upper))
    hk = math.sqrt(float((w * (y - mean) ** 2).sum()) / (k - 1)) * se
    if by == "mHK" and hk < se:
        return se, quantile
    if hk <= 1e-9 * se:  # no difference but for rounding
        notes.append(
            "the studies' effects are equal, so that the Hartung-Knapp interval has no width: Wald standard error used"
        )
        return se, quantile
    if hk * quantile < se * float(ndtri(upper)):
        notes.append(
            "the studies agree more than expected by chance, so that the Hartung-Knapp interval is narrower than the "
            "Wald interval: see also --ci mHK"
        )
    return hk, quantile


def _p_of_mean(ratio: float, k: int, by: str) -> float:
    from scipy.special import ndtr, stdtr

    return float(2.0 * (ndtr(-abs(ratio)) if by == "Wald" else stdtr(k - 1, -abs(ratio))))


def _predicted(mean: float, se: float, t2: float, k: int, level: float) -> tuple[float, float] | None:
    """Higgins and others 2009: t on k − 2, one degree for the mean and one for τ²."""
    if k < 3:
        return None
    from scipy.special import stdtrit

    half = float(stdtrit(k - 2, 0.5 + level / 2.0)) * math.sqrt(t2 + se**2)
    return mean - half, mean + half


def _chi2_above(q: float, df: int) -> float:
    from scipy.special import chdtrc

    return float(chdtrc(df, q)) if df > 0 else 1.0


# -- Mantel-Haenszel --------------------------------------------------------------------------------------
def _centre(effects: Sequence[Effect], y: FloatArray, v: FloatArray, method: str) -> tuple[float, float]:
    """The fixed-effect estimate that Q is taken about, and its standard error."""
    if method == "MH":
        return _mantel_haenszel(effects)
    w = 1.0 / v
    return float((w * y).sum() / w.sum()), float(w.sum() ** -0.5)


def _cells(effects: Sequence[Effect]) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    import numpy as np

    cells = [each.counts for each in effects if each.counts is not None]
    a, b, c, d = (np.array([getattr(each, name) for each in cells], dtype=float) for name in "abcd")
    return a, b, c, d


def _mantel_haenszel(effects: Sequence[Effect]) -> tuple[float, float]:
    """Raw counts, no 0.5. Variances: Robins, Breslow and Greenland 1986; Greenland and Robins 1985."""
    a, b, c, d = _cells(effects)
    n1, n0 = a + b, c + d
    n = n1 + n0
    measure = effects[0].measure
    if measure == "RD":
        weights = n1 * n0 / n
        difference = float(((a * n0 - c * n1) / n).sum() / weights.sum())
        spread = (a * b * n0**3 + c * d * n1**3) / (n1 * n0 * n**2)
        return difference, float(math.sqrt(spread.sum()) / weights.sum())
    top, bottom = (a * d / n, b * c / n) if measure == "OR" else (a * n0 / n, c * n1 / n)
    if top.sum() == 0 or bottom.sum() == 0:
        raise NotEstimable(
            f"A Mantel-Haenszel {LABELS[measure]} is not estimable from these studies.",
            allowed="participants with and without an event in both groups of at least one study.",
            do="use the method IV, which adds 0.5 where a count is zero.",
        )
    y = math.log(top.sum() / bottom.sum())
    if measure == "RR":
        spread = (n1 * n0 * (a + c) - a * c * n) / n**2
        return y, float(math.sqrt(spread.sum() / (top.sum() * bottom.sum())))
    p, s = (a + d) / n, (b + c) / n
    variance = (
        (p * top).sum() / (2 * top.sum() ** 2)
        + (p * bottom + s * top).sum() / (2 * top.sum() * bottom.sum())
        + (s * bottom).sum() / (2 * bottom.sum() ** 2)
    )
    return y, float(math.sqrt(variance))


def _mh_weights(effects: Sequence[Effect]) -> FloatArray:
    a, b, c, d = _cells(effects)
    n = a + b + c + d
    measure = effects[0].measure
    if measure == "OR":
        return b * c / n
    return (a + b) * (c if measure == "RR" else c + d) / n

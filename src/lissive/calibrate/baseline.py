"""The baseline that the model is held against: a random-effects meta-regression of the same calibration figures.

A model-based meta-analysis without a mechanism. A figure of an arm is a level and an effect of what the arm takes,
moved by design, product, week and cause, and by how its trial differs from others in level and in effect; a comparison
is one arm's figure less the other's. Coefficients have normal priors, the two spreads between trials half-normal ones;
for given spreads all is linear and normal, and the spreads are averaged over a grid. What was tried: docs/concepts/
baseline.md.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import product
from pathlib import Path

import numpy as np
from scipy.special import expit
from scipy.stats import halfnorm

from lissive.arrays import FloatArray
from lissive.calibrate.response_data import CV_DOSE, TYPICAL_SD, Datum, covariance, data_of
from lissive.table import constants
from lissive.trials.design import Design
from lissive.trials.published import Observed, PublishedTrial, shipped_published

Features = Mapping[str, float]
_ASSUMED = constants(Path(__file__).with_name("assumptions.tsv"))
SLOPE, LEVEL, KIND, EFFECT, TRIALS = (
    _ASSUMED[f"baseline_{name}"] for name in ("slope", "level", "kind", "effect", "between")
)
"""Prior standard deviations of a slope, of a family's level, of how an outcome's differs from it, of an effect; scale
of the half-normal spreads between trials. In points of ten, log odds, or logarithms."""
WHAT, ON_EFFECT = "of ", " on effect"
POINTS = 8
"""Of each spread's grid: middles of equally likely parts of its prior."""
ASHWORTH = 2.5
"""To 0-10, as all other ratings."""
USUAL_CAUSE = "multiple_sclerosis"
"""Of all calibration trials; the slope of any other cause has its prior only."""
TERMS: Mapping[str, tuple[str, ...]] = {
    "design": ("withdrawal", "crossover"),
    "week": ("weeks",),
    "product": ("cbd alone", "oral", "cap"),
    "cause": ("cause",),
}
ALL_TERMS = tuple(TERMS)
EVENTS = ("dizziness", "withdrawal", "withdrawal_adverse")


def family_of(observed: Observed) -> str | None:
    """Figures that share a regression; None for what no calibration trial says (times to an event)."""
    if observed.statistic == "hazard_ratio":
        return None
    if observed.endpoint == "dose":
        return "dose"
    if observed.statistic == "change_sd":
        return "spread"
    if observed.statistic in ("share", "odds_ratio"):
        return "event" if observed.endpoint in EVENTS else "response"
    return "rating"


# -- a figure as a row of a regression ---------------------------------------------------------------
def features(design: Design, observed: Observed, terms: Sequence[str] = ALL_TERMS) -> dict[str, float]:
    """Name of a coefficient to what it is multiplied by."""
    found = _of_arm(design, observed, observed.arm)
    if observed.against is not None:
        other = _of_arm(design, observed, observed.against)
        found = {name: found.get(name, 0.0) - other.get(name, 0.0) for name in {**found, **other}}
    left_out = {name for term, names in TERMS.items() if term not in terms for name in names}
    return {
        name: value for name, value in found.items() if value and name.removesuffix(ON_EFFECT) not in left_out
    }


def _of_arm(design: Design, observed: Observed, name: str) -> dict[str, float]:
    arm = design.arms[name]
    measure, _, pct = observed.endpoint.removesuffix("pct").partition("_responders_")
    week = observed.week or design.weeks
    moved = {
        "withdrawal": float(design.kind in ("enriched", "withdrawal")),
        "crossover": float(design.kind == "crossover"),
        "weeks": math.log(week / 6.0),
        "oral": float(arm.product is not None and arm.what.route == "oral"),
        "cause": float(design.population.cause != USUAL_CAUSE),
    }
    what = f"{WHAT}{measure}{' sd' if observed.statistic == 'sd' else ''}"
    found = {"level": 1.0, what: 1.0, **moved}
    if pct:
        found["threshold"] = (float(pct) - 30.0) / 20.0
    if observed.endpoint == "dose":
        found["cap"] = math.log(max(arm.most_per_day, 1) / 12.0)
    if not arm.placebo and arm.product is not None:
        found["effect"] = 1.0
        found[what + ON_EFFECT] = 1.0
        found |= {each + ON_EFFECT: value for each, value in moved.items()}
        found["cbd alone"] = float(not arm.thc_mg)
    return found


def _rescaled(observed: Observed, value: float) -> float:
    return value * ASHWORTH if observed.endpoint == "ashworth" else value


@dataclass(frozen=True)
class Widths:
    """Prior standard deviations that were chosen by leaving out one trial after another."""

    slope: float = SLOPE
    kind: float = KIND


USUAL = Widths()


# -- the fit ---------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Regression:
    """One family: for each point of the grid of spreads, a normal posterior of the coefficients."""

    names: tuple[str, ...]
    weights: FloatArray
    """(grid,)"""
    mean: FloatArray
    """(grid, coefficient)"""
    covariance: FloatArray
    """(grid, coefficient, coefficient)"""
    between: FloatArray
    """(grid, 2): standard deviations between trials of level and of effect."""
    widths: Widths

    def draw(self, wanted: Sequence[Features], n: int, rng: np.random.Generator) -> FloatArray:
        """(n, figure) draws of figures of one new trial, without the chance of who takes part in it."""
        names = dict.fromkeys((*self.names, *(name for x in wanted for name in x)))
        x = np.array([[each.get(name, 0.0) for name in names] for each in wanted])
        known = len(self.names)
        unknown = np.array([_prior_sd(name, self.widths) for name in names])[known:]
        level, effect = (np.array([each.get(name, 0.0) for each in wanted]) for name in ("level", "effect"))
        always = (x[:, known:] * unknown**2) @ x[:, known:].T
        trial = np.stack([np.outer(level, level), np.outer(effect, effect)])
        own = np.einsum("fi,gij,hj->gfh", x[:, :known], self.covariance, x[:, :known])
        total = own + always + np.einsum("gk,kfh->gfh", self.between**2, trial)
        size, direction = np.linalg.eigh(total)
        root = direction * np.sqrt(np.maximum(size, 0.0))[:, None, :]
        which = rng.choice(len(self.weights), n, p=self.weights)
        z = rng.standard_normal((n, len(wanted)))
        found: FloatArray = (self.mean @ x[:, :known].T)[which] + np.einsum("nfh,nh->nf", root[which], z)
        return found


def _prior_sd(name: str, widths: Widths) -> float:
    if name.startswith(WHAT) and not name.endswith(ON_EFFECT):
        return widths.kind
    return {"level": LEVEL, "effect": EFFECT}.get(name, widths.slope)


def regression(
    rows: Sequence[Features],
    trial: Sequence[object],
    y: FloatArray,
    error: FloatArray,
    widths: Widths = USUAL,
) -> Regression:
    """Posterior of the coefficients at every pair of spreads, and how likely each pair is.

    Parameters
    ----------
    trial : of each row.      error : (row,) standard errors, or the covariance (row, row).
    """
    names = tuple(dict.fromkeys(name for row in rows for name in row))
    x = np.array([[row.get(name, 0.0) for name in names] for row in rows]).reshape(len(rows), len(names))
    prior = np.array([_prior_sd(name, widths) for name in names]) ** 2
    same = np.array([[a == b for b in trial] for a in trial], dtype=float).reshape(len(rows), len(rows))
    level, effect = (np.array([row.get(name, 0.0) for row in rows]) for name in ("level", "effect"))
    shared = [same * np.outer(each, each) for each in (level, effect)]
    own = np.diag(error**2) if error.ndim == 1 else error
    grid = halfnorm.ppf((np.arange(POINTS) + 0.5) / POINTS, scale=TRIALS)
    between = np.array(list(product(grid, grid)))
    total = own + np.einsum("gk,kij->gij", between**2, np.stack(shared)) + (x * prior) @ x.T
    gain = np.linalg.solve(total, np.broadcast_to(x * prior, (len(total), *x.shape)))
    fits = np.linalg.solve(total, np.broadcast_to(y[:, None], (len(total), len(y), 1)))[..., 0] @ y
    logs = -0.5 * (np.linalg.slogdet(total)[1] + fits)
    weights = np.exp(logs - logs.max())
    mean = np.einsum("gnp,n->gp", gain, y)
    covariance = np.diag(prior) - np.einsum("gnp,nq->gpq", gain, x * prior)
    return Regression(names, weights / weights.sum(), mean, covariance, between, widths)


@dataclass(frozen=True)
class Baseline:
    """The regressions of all families."""

    of: Mapping[str, Regression]
    terms: tuple[str, ...]
    trials: tuple[str, ...]
    """What it was fitted on."""

    def samples(self, design: Design, observed: Observed, n: int = 1000, seed: int = 1) -> FloatArray | None:
        """Draws of what this figure will be, as it is published; None where nothing is said of its kind.

        Only the design, the number of people and what the figure is of are looked at, never its value. Without a number
        of people (`Observed.n`), what the figure would be of everybody.
        """
        family = family_of(observed)
        base = _before(design, observed) if observed.statistic == "end" else 0.0
        if family is None or family not in self.of or base is None:
            return None
        rng = np.random.default_rng([seed, zlib.crc32(observed.printed.encode())])
        value = self.of[family].draw([features(design, observed, self.terms)], n, rng)[:, 0]
        return published(design, observed, value, rng) + base

    def in_arms(self, design: Design, wanted: Sequence[Observed], n: int = 1000, seed: int = 1) -> FloatArray:
        """(n, figure) of the same new trial, of everybody who might take part."""
        rng = np.random.default_rng(seed)
        rows = [features(design, each, self.terms) for each in wanted]
        values = self.of[family_of(wanted[0]) or ""].draw(rows, n, rng)
        everybody = [replace(each, n=None) for each in wanted]
        return np.stack([published(design, e, values[:, k], rng) for k, e in enumerate(everybody)], axis=1)


def _before(design: Design, observed: Observed) -> float | None:
    """Mean of a rating before treatment, where the paper gives it."""
    level = design.population.baseline.get(observed.endpoint)
    return level.mean if level else None


def published(design: Design, observed: Observed, value: FloatArray, rng: np.random.Generator) -> FloatArray:
    """(draw,) from the scale of the regression to the paper's, with the chance of who took part.

    Parameters
    ----------
    value : (draw,) what the figure would be of everybody: points of ten, log odds or logarithms.
    """
    n = observed.n
    if observed.statistic == "share":
        p: FloatArray = expit(value)
        return np.asarray(rng.binomial(n, p) / n) if n else p
    two = observed.against is not None
    each = math.inf if n is None else n / 2.0 if two and not design.crossover else float(n)
    pair = math.sqrt((2.0 if two else 1.0) / each)
    if observed.statistic == "odds_ratio":  # of shares about a half
        return np.asarray(np.exp(rng.normal(value, 2.0 * pair)))
    if observed.statistic in ("change_sd", "sd"):
        return np.asarray(np.exp(rng.normal(value, 1.0 / math.sqrt(2.0 * max(each - 1.0, 1.0)))))
    if observed.endpoint == "dose":
        return np.asarray(np.exp(rng.normal(value, CV_DOSE * pair)))
    sd = TYPICAL_SD["rated_at_visits" if design.rated_at_visits else ""]
    scale = ASHWORTH if observed.endpoint == "ashworth" else 1.0
    return np.asarray(rng.normal(value / scale, sd / scale * pair))


def patients_of(trial: str) -> str:
    """Phases of one publication have the same patients, and are left out together.

    >>> patients_of("novotna_2011_phaseB") == patients_of("novotna_2011_phaseA")
    True
    """
    return trial.split("_phase")[0]


def fit_baseline(
    trials: Sequence[PublishedTrial],
    *,
    without: str | None = None,
    terms: Sequence[str] = ALL_TERMS,
    widths: Widths = USUAL,
) -> Baseline:
    """Fit on the calibration figures of these trials; other splits are not looked at.

    Parameters
    ----------
    without : a trial that is left out, to be predicted, with others of the same patients.
    terms : of `TERMS`, what moves level and effect.
    """
    used = [t for t in trials if t.split == "calibration" and patients_of(t.id) != patients_of(without or "")]
    data = data_of(used)
    by_family: dict[str, list[Datum]] = {}
    for each in data:
        family = family_of(each.observed)
        if family is not None:
            by_family.setdefault(family, []).append(each)
    fitted = {}
    for family, rows in by_family.items():
        x = [features(used[d.trial].design, d.observed, terms) for d in rows]
        y = np.array([_rescaled(d.observed, d.value) for d in rows])
        scale = np.array([_rescaled(d.observed, 1.0) for d in rows])
        error = covariance(rows) * np.outer(scale, scale)
        fitted[family] = regression(x, [used[d.trial].id for d in rows], y, error, widths)
    ids = dict.fromkeys(used[d.trial].id for d in data)
    return Baseline(fitted, tuple(terms), tuple(ids))


@cache
def shipped_baseline(without: str | None = None) -> Baseline:
    """Fitted on the trials that come with Lissive."""
    return fit_baseline(shipped_published().trials, without=without)

"""Kinetic parameters from published concentrations, by maximum a posteriori.

Only observations whose split is `calibration` are taken; anything else is refused. Priors and the ranges that
physiology allows are in priors_pk.tsv. Every arm is simulated with the same 96 people throughout, so that the cost is a
smooth function of the parameters and the result is the same every time.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.optimize import least_squares
from scipy.special import expit, logit

from lissive.calibrate.likelihood import Errors, drug_of, fit_errors, whitened
from lissive.errors import StudyError
from lissive.model.parameters import load_parameters
from lissive.studies import Arm, Observation, predict_studies
from lissive.studies.observation import INFINITE
from lissive.studies.run import SHARES

Floats = npt.NDArray[np.float64]

DRUGS = ("THC", "CBD")
PEOPLE = 96
ROUNDS = 3
"""Parameters and errors are fitted in turn."""
FINE = tuple(np.round(np.arange(0.05, 12.0, 0.05), 2).tolist())
UNMEASURED = float(np.log(10.0))
"""Residual where no simulated person has the measure: as wrong as tenfold."""
STEP = 0.05
"""Of the logarithm, for derivatives; small steps would see the steps of sampling times and of quantification."""
MEASURES = {"Cmax", "AUC", "conc", "CL", "Tmax"}
"""Half-lives are left out: they hang on limits of quantification that studies rarely print."""
PRODUCTS = {"F_THC_oral": "Fa_THC_oral", "F_THC_spray": "Fa_THC_spray"}
"""What studies report is the product of Fa (its name here), Fg and FH: that is where the knowledge is."""
IN_DATA = 0.05
"""A parameter rests on a study that has at least this share of all that the data say about it."""


@dataclass(frozen=True)
class Prior:
    """`sd` is of the logarithm, or of the logit where `fraction`; lower and upper are what is plausible."""

    name: str
    value: float
    sd: float
    lower: float
    upper: float
    fraction: bool
    source: str = "-"
    """Keys of sources.tsv."""

    def to_scale(self, value: Any) -> Any:
        return logit(value) if self.fraction else np.log(value)

    def from_scale(self, x: Any) -> Any:
        return expit(x) if self.fraction else np.exp(x)


@dataclass(frozen=True)
class Fit:
    """A posterior around its mode, on the priors' scales."""

    priors: tuple[Prior, ...]
    mode: Floats
    """(parameter,) on the scale of the prior."""
    covariance: Floats
    errors: Errors
    """Standard deviations of the drug's published means."""
    rests_on: Mapping[str, tuple[str, ...]]
    """Parameter to the studies that inform it."""
    recalled: Mapping[str, float]
    """Parameter to the share of its information that is quoted from memory."""

    @property
    def values(self) -> dict[str, float]:
        return {p.name: float(p.from_scale(x)) for p, x in zip(self.priors, self.mode, strict=True)}

    @property
    def sd(self) -> dict[str, float]:
        return dict(zip((p.name for p in self.priors), np.sqrt(np.diag(self.covariance)), strict=True))


@cache
def priors() -> tuple[Prior, ...]:
    """What is known of each fitted parameter beforehand."""
    return tuple(p for p in _all_priors() if p.name not in PRODUCTS)


@cache
def _all_priors() -> tuple[Prior, ...]:
    with (Path(__file__).parent / "priors_pk.tsv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    kinds = load_parameters()
    return tuple(
        Prior(
            row["name"],
            float(row["value"]),
            float(row["sd"]),
            float(row["lower"]),
            float(row["upper"]),
            row["name"] not in PRODUCTS
            and (kinds[row["name"]].distribution == "logitnormal" or row["name"] in SHARES),
            row["source"],
        )
        for row in rows
    )


def usable(observations: Sequence[Observation]) -> list[Observation]:
    """Those that say something about the parameters: means and medians of single conditions.

    Raises       StudyError if one of them may not be fitted on.
    """
    for one in observations:
        if one.split != "calibration":
            raise StudyError(
                f"{one.label} has split {one.split}.",
                where=one.study,
                allowed="split calibration; everything else is for checking the fit.",
                do="leave it out.",
            )
    whole = {(o.study, o.analyte) for o in observations if o.measure == "AUC" and o.window[1] == INFINITE}
    return [
        one
        for one in observations
        if one.measure in MEASURES
        and one.reference is None
        and one.analyte != "COOH_THC"
        and not (one.measure == "CL" and (one.study, one.analyte) in whole)  # the same number once more
    ]


def fit_pk(
    observations: Sequence[Observation],
    *,
    given: Sequence[Prior] | None = None,
    people: int = PEOPLE,
    rounds: int = ROUNDS,
    say: Callable[[str], None] | None = None,
) -> dict[str, Fit]:
    """Drug to the mode of its posterior, its curvature, and what each parameter rests on.

    The two drugs are fitted one after the other: at the doses of the studies neither moves the other.

    Raises       StudyError for an observation that may not be fitted on.
    """
    data = usable(observations)
    known = tuple(given or priors())
    fits = {}
    for drug in DRUGS:
        mine = [o for o in data if drug_of(o) == drug]
        own = tuple(p for p in known if ("CBD" in p.name) == (drug == "CBD"))
        if mine and own:
            fits[drug] = _fit_drug(drug, mine, own, people, rounds, say or (lambda _: None))
    return fits


def _fit_drug(
    drug: str,
    observations: Sequence[Observation],
    known: tuple[Prior, ...],
    people: int,
    rounds: int,
    say: Callable[[str], None],
) -> Fit:
    residuals = _residuals(observations, known, people)
    centre = np.array([p.to_scale(p.value) for p in known])
    scale = np.array([p.sd for p in known])
    ends = (
        np.array([p.to_scale(p.lower) for p in known]),
        np.array([p.to_scale(p.upper) for p in known]),
    )
    x: Floats = centre
    errors = Errors()
    for turn in range(rounds):

        def cost(at: Floats, now: Errors = errors) -> Floats:
            data = whitened(observations, residuals(at), now)
            return np.concatenate([data, (at - centre) / scale, _known_products(known, at)])

        def slope(at: Floats, now: Errors = errors) -> Floats:
            return _jacobian(lambda there: cost(there, now), at, ends)

        found = least_squares(cost, x, jac=slope, bounds=ends, xtol=3e-3, ftol=1e-3, max_nfev=15)
        x, errors = found.x, fit_errors(observations, residuals(found.x))
        say(f"{drug}, round {turn + 1} of {rounds}: cost {found.cost:.2f}, {errors}")
    return _posterior(known, observations, residuals, x, errors, ends)


def _residuals(
    observations: Sequence[Observation], known: tuple[Prior, ...], people: int
) -> Callable[[Floats], Floats]:
    """From parameters on the scale of the fit to log(observed / predicted), with the same people each time."""
    data = [replace(o, arm=_arm_of_the_fit(o, people)) for o in observations]
    seen = np.log([o.value for o in data])

    def residuals(x: Floats) -> Floats:
        values = {p.name: float(p.from_scale(each)) for p, each in zip(known, x, strict=True)}
        made = predict_studies(data, replicates=1, seed=1, parameters=values, evenly=True)
        logs: Floats = seen - np.log(np.maximum([p.predicted for p in made], 1e-12))
        return np.where(np.isfinite(logs), logs, UNMEASURED)

    return residuals


def _arm_of_the_fit(one: Observation, people: int) -> Arm:
    """With as many people as the fit has; a time of the peak on a fine grid, else its median moves in jumps."""
    times = FINE if one.group == "time" else one.arm.sampling
    return replace(one.arm, n=people, sampling=times)


def _known_products(known: Sequence[Prior], x: Floats) -> Floats:
    """(product,) how far reported bioavailabilities are from their priors, in standard deviations."""
    values = {p.name: float(p.from_scale(each)) for p, each in zip(known, x, strict=True)}
    table = load_parameters()
    result = []
    for prior in _all_priors():
        fraction = PRODUCTS.get(prior.name)
        if fraction in values and {"CL_THC", "Fg_THC"} <= values.keys():
            # well-stirred liver: CL = BP Q (1 - FH)
            escaped = 1.0 - values["CL_THC"] / (table["BP_THC"].value * table["Q_liver"].value)
            product = values[fraction] * values["Fg_THC"] * max(escaped, 1e-3)
            result.append((np.log(product) - np.log(prior.value)) / prior.sd)
    return np.array(result)


def _jacobian(function: Callable[[Floats], Floats], at: Floats, ends: tuple[Floats, Floats]) -> Floats:
    """(residual, parameter) central differences, kept inside the ends."""
    low, high = ends
    columns = []
    for k in range(len(at)):
        up, down = at.copy(), at.copy()
        up[k], down[k] = min(at[k] + STEP, high[k]), max(at[k] - STEP, low[k])
        columns.append((function(up) - function(down)) / (up[k] - down[k]))
    return np.stack(columns, axis=1)


def _posterior(
    known: tuple[Prior, ...],
    observations: Sequence[Observation],
    residuals: Callable[[Floats], Floats],
    x: Floats,
    errors: Errors,
    ends: tuple[Floats, Floats],
) -> Fit:
    """Curvature at the mode (Gauss-Newton), and whose residuals it comes from."""
    slopes = _jacobian(lambda at: whitened(observations, residuals(at), errors), x, ends)
    before = np.diag([p.sd**-2.0 for p in known])
    if len(_known_products(known, x)):
        products = _jacobian(lambda at: _known_products(known, at), x, ends)
        before = before + products.T @ products
    covariance: Any = np.linalg.inv(slopes.T @ slopes + before)
    told = slopes**2
    memory = np.array([o.provenance == "recalled" for o in observations])
    rests, recalled = {}, {}
    for k, prior in enumerate(known):
        total = max(float(told[:, k].sum()), 1e-12)
        by_study: dict[str, float] = {}
        for share, one in zip(told[:, k] / total, observations, strict=True):
            by_study[one.study] = by_study.get(one.study, 0.0) + float(share)
        informed = total * prior.sd**2 > IN_DATA
        order = sorted(by_study, key=lambda study: -by_study[study])
        rests[prior.name] = tuple(s for s in order if by_study[s] >= IN_DATA) if informed else ()
        recalled[prior.name] = float(told[memory, k].sum() / total) if informed else 0.0
    return Fit(known, x, covariance, errors, rests, recalled)

"""Kinetic parameters from published concentrations, by maximum a posteriori.

Only observations whose split is `calibration` are taken; anything else is refused. Priors and the ranges that
physiology allows are in priors_pk.tsv. Every arm is simulated with the same 48 people throughout, so that the cost is a
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

from lissive.calibrate.likelihood import Errors, fit_errors, whitened
from lissive.errors import StudyError
from lissive.model.parameters import load_parameters
from lissive.studies import Observation, predict_studies

Floats = npt.NDArray[np.float64]

PEOPLE = 48
ROUNDS = 3
"""Parameters and errors are fitted in turn."""
STEP = 0.02
"""Of the logarithm, for derivatives; small steps would see the steps of the sampling times."""
MEASURES = {"Cmax", "AUC", "conc", "CL", "Tmax"}
"""Half-lives are left out: they hang on limits of quantification that studies rarely print."""
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
    errors: Mapping[str, Errors]
    """Drug to the standard deviations of its published means."""
    rests_on: Mapping[str, tuple[str, ...]]
    """Parameter to the studies that inform it."""
    recalled: Mapping[str, float]
    """Parameter to the share of its information that is quoted from memory."""
    cost: float
    evaluations: int

    @property
    def values(self) -> dict[str, float]:
        return {p.name: float(p.from_scale(x)) for p, x in zip(self.priors, self.mode, strict=True)}

    @property
    def sd(self) -> dict[str, float]:
        return dict(zip((p.name for p in self.priors), np.sqrt(np.diag(self.covariance)), strict=True))


@cache
def priors() -> tuple[Prior, ...]:
    with (Path(__file__).parent / "priors_pk.tsv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    kinds = load_parameters()
    return tuple(
        Prior(
            row["name"],
            *(float(row[column]) for column in ("value", "sd", "lower", "upper")),
            kinds[row["name"]].distribution == "logitnormal" or row["name"] == "Fg_THC",
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
    return [
        one
        for one in observations
        if one.measure in MEASURES and one.reference is None and one.analyte != "COOH_THC"
    ]


def fit_pk(
    observations: Sequence[Observation],
    *,
    given: Sequence[Prior] | None = None,
    people: int = PEOPLE,
    rounds: int = ROUNDS,
    threads: int = 1,
    say: Callable[[str], None] | None = None,
) -> Fit:
    """The mode of the posterior, its curvature, and what each parameter rests on.

    Raises       StudyError for an observation that may not be fitted on.
    """
    data = [replace(o, arm=replace(o.arm, n=people)) for o in usable(observations)]
    original = usable(observations)
    known = tuple(given or priors())
    seen = np.log([o.value for o in data])
    count = 0

    def residuals(x: Floats) -> Floats:
        nonlocal count
        count += 1
        values = {p.name: float(p.from_scale(each)) for p, each in zip(known, x, strict=True)}
        made = predict_studies(data, replicates=1, seed=1, threads=threads, parameters=values)
        logs: Floats = seen - np.log(np.maximum([p.predicted for p in made], 1e-12))
        return np.where(np.isfinite(logs), logs, 0.0)

    centre = np.array([p.to_scale(p.value) for p in known])
    scale = np.array([p.sd for p in known])
    low, high = (np.array([p.to_scale(getattr(p, end)) for p in known]) for end in ("lower", "upper"))
    x, errors = centre, {"THC": Errors(), "CBD": Errors()}
    for turn in range(rounds):

        def cost(at: Floats, now: Mapping[str, Errors] = errors) -> Floats:
            return np.concatenate([_weighted(original, residuals(at), now), (at - centre) / scale])

        found = least_squares(
            cost,
            x,
            jac=lambda at, f=cost: _jacobian(f, at, low, high),
            bounds=(low, high),
            xtol=1e-3,
            ftol=1e-4,
            max_nfev=12,
        )
        x = found.x
        errors = _errors(original, residuals(x))
        if say:
            say(f"round {turn + 1} of {rounds}: cost {found.cost:.2f}, {errors}")
    return _posterior(known, original, residuals, x, errors, (low, high), count)


def _weighted(observations: Sequence[Observation], logs: Floats, errors: Mapping[str, Errors]) -> Floats:
    result = np.empty(len(logs))
    for drug, mine in _by_drug(observations).items():
        result[mine] = whitened([observations[k] for k in mine], logs[mine], errors[drug])
    return result


def _errors(observations: Sequence[Observation], logs: Floats) -> dict[str, Errors]:
    return {
        drug: fit_errors([observations[k] for k in mine], logs[mine])
        for drug, mine in _by_drug(observations).items()
    }


def _by_drug(observations: Sequence[Observation]) -> dict[str, list[int]]:
    places: dict[str, list[int]] = {}
    for k, one in enumerate(observations):
        places.setdefault("CBD" if "CBD" in one.analyte else "THC", []).append(k)
    return places


def _jacobian(function: Callable[[Floats], Floats], at: Floats, low: Floats, high: Floats) -> Floats:
    """Central differences, kept inside the bounds."""
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
    errors: Mapping[str, Errors],
    ends: tuple[Floats, Floats],
    count: int,
) -> Fit:
    """Curvature at the mode (Gauss-Newton), and whose residuals it comes from."""
    logs = residuals(x)
    weighted = _weighted(observations, logs, errors)
    slopes = _jacobian(lambda at: _weighted(observations, residuals(at), errors), x, *ends)
    scale = np.array([p.sd for p in known])
    covariance = np.linalg.inv(slopes.T @ slopes + np.diag(scale**-2.0))
    told = slopes**2
    centre = np.array([p.to_scale(p.value) for p in known])
    rests, recalled = {}, {}
    for k, prior in enumerate(known):
        total = max(float(told[:, k].sum()), 1e-12)
        by_study: dict[str, float] = {}
        for share, one in zip(told[:, k] / total, observations, strict=True):
            by_study[one.study] = by_study.get(one.study, 0.0) + float(share)
        informed = total * prior.sd**2 > IN_DATA
        order = sorted(by_study, key=lambda study: -by_study[study])
        rests[prior.name] = tuple(s for s in order if by_study[s] >= IN_DATA) if informed else ()
        memory = [o.provenance == "recalled" for o in observations]
        recalled[prior.name] = float(told[memory, k].sum() / total) if informed else 0.0
    return Fit(
        known,
        x,
        covariance,
        errors,
        rests,
        recalled,
        0.5 * float((weighted**2).sum() + (((x - centre) / scale) ** 2).sum()),
        count,
    )

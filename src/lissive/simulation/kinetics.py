"""What the fit to concentrations left uncertain: standard errors, correlations, effects of studies; from its tables."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

import numpy as np
from scipy.special import expit, logit

from lissive.arrays import FloatArray
from lissive.model.parameters import FOLDER, load_parameters
from lissive.simulation.streams import normals
from lissive.table import rows_of

FITTED, CORRELATION, ERRORS = "fitted.tsv", "fitted_correlation.tsv", "fitted_errors.tsv"


@cache
def fitted(folder: Path = FOLDER) -> dict[str, dict[str, str]]:
    """Fitted parameter to its row: estimate, standard error and prior on the scale of the fit, data."""
    return {row["name"]: row for row in rows_of(folder / FITTED)}


@cache
def covariance(folder: Path = FOLDER) -> tuple[tuple[str, ...], FloatArray]:
    """Names, and the covariance of the typical values on the scale of the fit."""
    rows = fitted(folder)
    names = tuple(rows)
    place = {name: k for k, name in enumerate(names)}
    correlation = np.eye(len(names))
    for row in rows_of(folder / CORRELATION):
        i, k = place[row["name"]], place[row["other"]]
        correlation[i, k] = correlation[k, i] = float(row["correlation"])
    sd = np.array([float(rows[name]["se"]) for name in names])
    return names, correlation * np.outer(sd, sd)


def between_study(folder: Path = FOLDER) -> Mapping[str, float]:
    """Drug to the standard deviation of the log of a study's own level."""
    return _errors("between", folder)


def within_study(folder: Path = FOLDER) -> Mapping[str, float]:
    """Drug to the standard deviation of the log of a published mean around its study's level."""
    return _errors("within", folder)


def _errors(column: str, folder: Path) -> Mapping[str, float]:
    return {row["drug"]: float(row[column]) for row in rows_of(folder / ERRORS)}


def uncertainty(replicates: int, seed: int) -> dict[str, FloatArray]:
    """Parameter to (replicate,) shifts of its typical value, drawn from the posterior, within the plausible range.

    Replicate k has the same shifts however many there are.
    """
    names, spread = covariance()
    root = np.linalg.cholesky(spread + 1e-12 * np.eye(len(names)))
    z = np.stack([normals(seed, f"posterior: {name}", replicates) for name in names])
    # one replicate after the other: the last bits of a product of matrices depend on how many there are
    each = np.array([root @ one for one in np.ascontiguousarray(z.T)]).reshape(replicates, len(names))
    shifts = dict(zip(names, each.T, strict=True))
    for name in shifts:
        here, *ends = (
            _to_scale(name, float(fitted()[name][column])) for column in ("estimate", "lower", "upper")
        )
        shifts[name] = np.clip(shifts[name], min(ends[0] - here, 0.0), max(ends[1] - here, 0.0))
    return shifts


def kinetics(replicates: int, seed: int) -> list[dict[str, float]]:
    """Of each replicate, typical values that the fit left possible."""
    rows = load_parameters()
    moved = {name: _moved(name, rows[name].value, by) for name, by in uncertainty(replicates, seed).items()}
    return [{name: float(values[k]) for name, values in moved.items()} for k in range(replicates)]


def _to_scale(name: str, value: float) -> float:
    return float(logit(value) if fitted()[name]["scale"] == "logit" else np.log(value))


def _moved(name: str, value: float, by: FloatArray) -> FloatArray:
    moved: FloatArray = expit(logit(value) + by) if fitted()[name]["scale"] == "logit" else value * np.exp(by)
    return moved


def standard_errors(folder: Path = FOLDER) -> Mapping[str, float]:
    """Fitted parameter to its standard error, of the logarithm or the logit."""
    return {name: float(row["se"]) for name, row in fitted(folder).items()}


def prior_errors(folder: Path = FOLDER) -> Mapping[str, float]:
    """Fitted parameter to the standard deviation of its prior, on the same scale."""
    return {name: float(row["prior_sd"]) for name, row in fitted(folder).items()}

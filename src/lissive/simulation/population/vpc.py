"""A visual predictive check: percentiles of observations, and of as many simulated ones in each replicate, by time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from lissive.arrays import BoolArray, FloatArray, IntArray
from lissive.errors import SimulationError
from lissive.given import whole
from lissive.simulation.population.result import DV

if TYPE_CHECKING:
    import xarray as xr

PERCENTILES = (5.0, 50.0, 95.0)
BAND = (2.5, 50.0, 97.5)
"""Of a percentile, between the replicates."""
HEADING = ("time", "observations", "percentile", "observed", *(f"simulated_{b:g}" for b in BAND))
LEAST = 20
"""Fewer replicates say nothing of what varies between them."""


@dataclass(frozen=True)
class Check:
    """A visual predictive check of one output."""

    output: str
    unit: str
    time_unit: str
    replicates: int
    time: FloatArray
    """(bin,) median time of its observations."""
    count: IntArray
    """(bin,) observations."""
    observed: FloatArray
    """(percentile, bin)"""
    simulated: FloatArray
    """(percentile, band, bin) of the replicates' percentiles."""
    points: FloatArray
    """(observation, 2) times and observed values."""

    def rows(self) -> list[list[Any]]:
        """As a table, with its heading."""
        return [list(HEADING)] + [
            [f"{t:.6g}", int(n), f"{p:g}", f"{self.observed[i, k]:.6g}"]
            + [f"{x:.6g}" for x in self.simulated[i, :, k]]
            for k, (t, n) in enumerate(zip(self.time, self.count, strict=True))
            for i, p in enumerate(PERCENTILES)
        ]


def visual_check(run: xr.Dataset, output: str | None = None, bins: int | None = None) -> Check:
    """The observed column DV of the events against the simulated observations of a population run.

    Parameters
    ----------
    run : of `simulate` with a population, replicates, and a column DV in the events.
    output : the first that has a residual error, if not given.
    bins : of time, with as many observations each; if not given, each time is one where there are up to 12 of them,
        else 8.

    Raises       SimulationError for a run that cannot be compared.
    """
    output = _output(run, output)
    replicate = run.coords.get("replicate")
    replicates = 1 if replicate is None else int(replicate.max())
    if replicates < LEAST:
        raise SimulationError(
            f"The run has {replicates} replicate{'s' if replicates > 1 else ''}.",
            where="replicates",
            allowed=f"{LEAST} or more for a visual predictive check, better 500.",
            do="ask for more replicates.",
        )
    observed = _observed(run)
    here = _of_output(run, output) & ~np.isnan(observed)
    shape = (replicates, -1)
    simulated = run[f"{DV}{output}"].values.reshape(*shape)
    first = here.reshape(shape)[0]
    if not first.any():
        raise SimulationError(
            "The events have no observed DV at a time of the run.",
            where="DV",
            allowed="numbers in the column DV of observation rows (EVID 0).",
            do="leave the output times out, so that each subject is observed at their own rows.",
        )
    times = np.broadcast_to(run["time"].values, run[output].shape).reshape(shape)[0][first]
    values, simulated = observed.reshape(shape)[0][first], simulated[:, first]
    which, count = _bins(times, bins)
    per = [np.percentile(values[which == k], PERCENTILES) for k in range(count)]
    with_band = []
    for k in range(count):
        each = np.nanpercentile(simulated[:, which == k], PERCENTILES, axis=1)  # (percentile, replicate)
        with_band.append(np.nanpercentile(each, BAND, axis=1).T)
    return Check(
        output,
        str(run[output].attrs.get("units", "")),
        str(run["time"].attrs.get("units", "")),
        replicates,
        np.array([np.median(times[which == k]) for k in range(count)]),
        np.bincount(which, minlength=count),
        np.array(per).T,
        np.array(with_band).transpose(1, 2, 0),
        np.column_stack([times, values]),
    )


def _output(run: xr.Dataset, output: str | None) -> str:
    found = [str(name).removeprefix(DV) for name in run.data_vars if str(name).startswith(DV)]
    if not found or (output is not None and output not in found):
        what = "The run has no simulated observations" if not found else f"{output} has none"
        raise SimulationError(
            f"{what}, with residual error.",
            where="output",
            allowed=f"{', '.join(found) or 'a run with a population that has sigma rows'}.",
            do="add a sigma row for the output.",
        )
    return found[0] if output is None else output


def _column(run: xr.Dataset, name: str) -> Any:
    """A column of the events, in any letters; None where there is none."""
    alike = [each for each in run.coords if str(each).upper() == name]
    return run[alike[0]].values if alike else None


def _observed(run: xr.Dataset) -> FloatArray:
    found = _column(run, "DV")
    if found is None or found.dtype.kind not in "fiu":
        raise SimulationError(
            "The events have no column DV." if found is None else "The column DV has texts.",
            where="DV",
            allowed="observed numbers in the column DV of observation rows (EVID 0), . where there is none.",
            do="give the observed data as events.",
        )
    missing = _column(run, "MDV")
    values: FloatArray = np.array(found, dtype=float)
    if missing is not None and missing.dtype.kind in "fiu":
        values[missing == 1] = np.nan
    return values


def _of_output(run: xr.Dataset, output: str) -> BoolArray:
    """Observations that are of this output, where a column DVID says of which each is."""
    which = _column(run, "DVID")
    if which is None:
        return np.ones(run[output].shape, dtype=bool)
    outputs = [str(name) for name in run.data_vars if f"PRED_{name}" in run]
    number = outputs.index(output) + 1
    return np.array(which == (number if which.dtype.kind in "fiu" else output))


def _bins(times: FloatArray, bins: int | None) -> tuple[IntArray, int]:
    different = np.unique(times)
    if bins is None and len(different) <= 12:
        return np.searchsorted(different, times), len(different)
    asked = whole("bins", 8 if bins is None else bins, wrong=SimulationError)
    edges = np.unique(np.quantile(times, np.linspace(0.0, 1.0, asked + 1)[1:-1]))
    place = np.searchsorted(edges, times, side="left")
    used, which = np.unique(place, return_inverse=True)
    return which, len(used)

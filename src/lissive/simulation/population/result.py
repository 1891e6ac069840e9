"""A population run as a dataset: the individual values of each output, and beside them PRED, DV, etas, parameters."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from lissive.arrays import FloatArray
from lissive.fingerprint import of_bytes
from lissive.simulation.covariates import at_times
from lissive.simulation.output import counting
from lissive.simulation.planned import Planned
from lissive.simulation.population.draw import Individuals, with_error
from lissive.simulation.population.read import Population

if TYPE_CHECKING:
    import xarray as xr

PRED, DV, ETA = "PRED_", "DV_", "ETA_"
"""What the names of predictions for the typical individual, simulated observations and etas begin with."""


def names_of(population: Population, outputs: Sequence[str]) -> list[str]:
    """Variables that a population adds to those of a run."""
    return [f"{PRED}{name}" for name in outputs] + [
        f"{DV}{name}" for name in outputs if name in population.sigmas
    ]


def described(population: Population, outputs: Sequence[str]) -> dict[str, Any]:
    """The population in the provenance of a run."""
    lines = [*population.thetas.values(), *(row for rows in population.effects.values() for row in rows)]
    content = repr([lines, population.omega, population.iov, population.sigmas]).encode()
    return {
        "table": population.source,
        "hash": of_bytes(content, 16),
        "thetas": {name: line.value for name, line in population.thetas.items()},
        "dvid": {name: k for k, name in enumerate(outputs, start=1)},
    }


def notes_of(population: Population, outputs: Sequence[str]) -> list[str]:
    """What is to be said of a population run."""
    bare = [name for name in outputs if name not in population.sigmas]
    unseen = [name for name in population.sigmas if name not in outputs]
    notes = [f"No sigma row, and so no DV: {', '.join(bare)}."] if bare else []
    return notes + (
        [f"Not selected, so that its sigma rows have no effect: {', '.join(unseen)}."] if unseen else []
    )


@dataclass(frozen=True)
class Typical:
    """What the typical individual has, etas and kappas 0."""

    values: FloatArray
    """(run, time, output)"""
    ended: int
    """Runs that did not go well ..."""
    count: int
    """... of so many in the whole run ..."""
    why: str
    """... and why the first did not."""


def extended(
    run: xr.Dataset, people: Individuals, planned: Planned, typical: Typical, outputs: Sequence[str]
) -> xr.Dataset:
    """The run of `people` with all that its population adds."""
    dims, subject = run[outputs[0]].dims, planned.subject
    occasion = np.array([1 if each is None else each.occasion for each in planned.runs])
    data: dict[str, Any] = {}
    counted: list[list[Any]] = []
    if typical.ended:
        counted.append(
            [f"PRED is missing in {{}} of {typical.count} runs: {_plain(typical.why)}.", typical.ended]
        )
    for k, name in enumerate(outputs):
        about = dict(run[name].attrs)
        data[f"{PRED}{name}"] = (
            dims,
            typical.values[:, :, k],
            {**about, "long_name": f"{name}, typical individual"},
        )
    for name in outputs:
        if name in people.population.sigmas:
            dv = with_error(people, name, run[name].values, subject, occasion)
            about = {**run[name].attrs, "long_name": f"{name}, with residual error"}
            data[f"{DV}{name}"] = (dims, dv, about)
            below = int(((dv < 0) & (run[name].values >= 0)).sum())
            said = "{} of {} values are below 0, as the residual error has it; they are kept."
            counted.append([f"{_plain(f'{DV}{name}')}: {said}", below, int((~np.isnan(dv)).sum())])
    run = counting(run, counted)
    beside: dict[str, Any] = {}
    if people.replicates > 1:
        number = (people.first + subject) // people.each + 1
        beside["replicate"] = ("subject", number, {"long_name": "replicate of the simulation"})
    for name, values in people.columns.items():
        beside[name] = (
            "subject",
            np.asarray(values)[subject],
            {"long_name": f"column {name} of the subjects"},
        )
    for name, values in people.own().items():
        beside[name] = ("subject", values[subject], _individual(name))
    for name in people.by_record:
        beside[name] = (dims, _seen(name, planned, run, people), _individual(name))
    for name, values in people.etas.items():
        beside[f"{ETA}{name}"] = ("subject", values[subject], {"long_name": f"eta of {name}"})
    taken = {*run.variables, *data, *run.dims}
    return run.assign(data).assign_coords({n: each for n, each in beside.items() if n not in taken})


def _plain(text: str) -> str:
    """As it stands, where braces stand for numbers."""
    return text.replace("{", "{{").replace("}", "}}")


def _individual(name: str) -> dict[str, str]:
    return {"long_name": f"individual value of {name}"}


def _seen(name: str, planned: Planned, run: xr.Dataset, people: Individuals) -> FloatArray:
    """(run, time) values of a parameter that may differ between the rows of a subject."""
    times = run["time"].values
    found = np.full((len(planned.runs), times.shape[-1]), math.nan)
    for row, each in zip(found, planned.runs, strict=True):
        assert each is not None
        assert people.table is not None
        values = each.varying[people.named.get(name, name)]
        rows = each.seen if people.by_rows else at_times(each.time, times, people.table.covariates)
        row[: len(rows)] = values[rows]
    return found

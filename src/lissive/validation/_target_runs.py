"""The runs that targets are held against: the typical person (or the published model) on a table's doses.

Each run has one subject more for every constant that was quoted from memory, with that constant moved, so that a
figure can say whether it rests on it. Subject 0 is the model as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from lissive.arrays import FloatArray
from lissive.case import product
from lissive.errors import SimulationError
from lissive.model import load
from lissive.model.equations import Equations
from lissive.model.parameters import RECALLED, load_parameters
from lissive.simulation.engine import Kernel, Tolerances, build
from lissive.simulation.run import MEANING, Settings, follow
from lissive.simulation.schedule import ADD, Regimen, Schedule
from lissive.units import to_nmol
from lissive.validation._target_rows import Arm, Dose

RTOL = 1e-7
MOVED = 1.1
"""Factor of a recalled constant."""
_MOLAR_MASS = {"THC": "M_THC", "CBD": "M_CBD", "PFM": "M_PF"}
"""A depot's first letters to its drug's molar mass in the model; a depot of anything else is dosed in its own unit."""
_ROUTE = {"oromucosal": "spray", "oral": "oral", "inhaled": "lung"}


class NoValue(Exception):
    """A figure that the model cannot give; the text says why."""


@dataclass(frozen=True)
class Simulated:
    """One subject of one run.

    time : (time,) hours        values : output to (time,)        last_dose : hours
    """

    time: FloatArray
    values: Mapping[str, FloatArray]
    last_dose: float
    parameters: Mapping[str, float]


@dataclass(frozen=True)
class _Run:
    time: FloatArray
    values: FloatArray
    """(subject, time, output)"""
    status: Any
    last_dose: float
    parameters: Mapping[str, Any]


@cache
def recalled_constants() -> tuple[str, ...]:
    """Parameters of the model whose figure was quoted from memory."""
    return tuple(name for name, row in load_parameters().items() if row.provenance.endswith(RECALLED))


class Runs:
    """Runs of the arms, each done once.

    outputs : model to the quantities that are looked at in any of its runs
    """

    def __init__(self, outputs: Mapping[str, tuple[str, ...]], threads: int = 1) -> None:
        self._outputs = outputs
        self._settings = Settings(Tolerances(rtol=RTOL), threads)
        self._kept: dict[str, _Run] = {}
        self.kernel: Callable[[str], Kernel] = cache(self._kernel)

    def _kernel(self, model: str) -> Kernel:
        return build(load(model), list(self._outputs[model]))

    def seen(self, arm: Arm, subject: int = 0) -> Simulated:
        """What one subject of a run shows. Raises NoValue where the solver gave up."""
        if arm.name not in self._kept:
            self._kept[arm.name] = self._run(arm, self._moved(arm))
        return self._subject(arm, self._kept[arm.name], subject)

    def over(self, arm: Arm, subject: int, grid: Mapping[str, FloatArray]) -> list[Simulated]:
        """The run of an arm with the grid's values of some parameters, (run,) each."""
        size = len(next(iter(grid.values())))
        own = {name: values[subject] for name, values in self._moved(arm).items()}
        run = self._run(arm, {name: np.full(size, value) for name, value in own.items()} | dict(grid))
        return [self._subject(arm, run, k) for k in range(size)]

    def _subject(self, arm: Arm, run: _Run, subject: int) -> Simulated:
        code = int(run.status[subject])
        if code:
            why = MEANING[code].format(cycles=self._settings.ss_cycles)
            raise NoValue(f"The run {arm.name} could not be solved: {why}.")
        outputs = self._outputs[arm.model]
        values = {name: run.values[subject, :, k] for k, name in enumerate(outputs)}
        own = {
            name: float(np.broadcast_to(v, len(run.status))[subject]) for name, v in run.parameters.items()
        }
        return Simulated(run.time, values, run.last_dose, own)

    def _moved(self, arm: Arm) -> dict[str, FloatArray]:
        """(subject,) values of the recalled constants: as they are, then each of them moved."""
        if arm.model != "lissive":
            return {}
        names = recalled_constants()
        rows = load_parameters(arm.cause)
        factor = np.ones((len(names), len(names) + 1))
        factor[np.arange(len(names)), np.arange(len(names)) + 1] = MOVED
        return {name: rows[name].value * factor[k] for k, name in enumerate(names)}

    def _run(self, arm: Arm, varied: Mapping[str, FloatArray]) -> _Run:
        kernel = self.kernel(arm.model)
        equations = kernel.equations
        subjects = max([len(values) for values in varied.values()], default=1)
        parameters: dict[str, Any] = dict(typical(arm, equations)) | dict(varied)
        times = np.arange(0.0, arm.days * 24.0 + arm.every / 2, arm.every)
        schedule = schedule_of(arm, equations)
        result = follow(kernel, Regimen.same(schedule, subjects), parameters, times, self._settings)
        last = float(schedule.time[-1]) if len(schedule) else 0.0
        return _Run(times, result.values, result.status, last, parameters)


def typical(arm: Arm, equations: Equations) -> dict[str, float]:
    """The parameters of an arm's typical person, with its settings.

    Raises       SimulationError for a setting that the model does not have.
    """
    own = dict(equations.parameters)
    if arm.model == "lissive":
        own = {name: row.value for name, row in load_parameters(arm.cause).items()}
    if wrong := [name for name in arm.settings if name not in own]:
        raise SimulationError(f"{wrong[0]} is not a parameter of {arm.model}.", where=f"arm {arm.name}")
    return own | dict(arm.settings)


def schedule_of(arm: Arm, equations: Equations) -> Schedule:
    """An arm's doses as the solver takes them; at one time in the table's order.

    Raises       SimulationError for a depot that the model does not have.
    """
    rows: list[tuple[float, int, float]] = []
    for dose in arm.doses:
        for depot, amount in _depots(dose, equations):
            if depot not in equations.dose_targets:
                raise SimulationError(
                    f"{depot} cannot be dosed.",
                    where=f"arm {arm.name}",
                    allowed=f"{', '.join(equations.dose_targets)}, or a product that is counted in sprays.",
                )
            target = equations.dose_targets[depot]
            rows += [(24.0 * day + hour, target, amount) for day in range(dose.days) for hour in dose.hours]
    rows.sort(key=lambda row: row[0])
    time, targets, amounts = (np.array([row[k] for row in rows]) for k in range(3))
    return Schedule(time, np.full(len(rows), ADD), targets, amounts)


def _depots(dose: Dose, equations: Equations) -> list[tuple[str, float]]:
    """Depots and amounts [the model's unit] of one dose."""
    mass = _MOLAR_MASS.get(dose.into[:3])
    if mass is not None:
        return [(dose.into, to_nmol(dose.amount, g_per_mol=equations.parameters[mass]))]
    if dose.into in equations.dose_targets:
        return [(dose.into, dose.amount)]
    what = product(dose.into)
    parts = {"THC": what.thc_mg_per_unit, "CBD": what.cbd_mg_per_unit}
    return [
        (
            f"{drug}_{_ROUTE[what.route]}",
            to_nmol(dose.amount * mg, g_per_mol=equations.parameters[f"M_{drug}"]),
        )
        for drug, mg in parts.items()
        if mg
    ]

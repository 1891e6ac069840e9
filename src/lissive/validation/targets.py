"""The endocannabinoid and spasm modules compared with observations.

    for met in targets(): print(met.id, met.value, met.met, met.reason)

`targets.tsv` has a row for each observation; `predicted` says how its figure is computed. A target that a constant
was set on by hand proves nothing when it is met, and a figure of a published model proves only that the model was
copied well; both are marked. What the model cannot be asked stands there all the same.
"""

from __future__ import annotations

import difflib
import math
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from lissive.arrays import FloatArray
from lissive.case import product
from lissive.errors import ParameterError
from lissive.model import load
from lissive.model.equations import Equations
from lissive.model.parameters import MODULES, RECALLED, Source, load_parameters, load_sources
from lissive.simulation.engine import Kernel, Tolerances, build
from lissive.simulation.run import MEANING, Settings, follow
from lissive.simulation.schedule import ADD, Regimen, Schedule
from lissive.table import TableRow, read_table
from lissive.units import to_nmol
from lissive.validation.asked import (
    PREDICTED,
    Arm,
    Dose,
    Figure,
    Grid,
    NoValue,
    Patients,
    Predicted,
    Simulated,
)
from lissive.validation.predicted import forecast_of, week_change

FOLDER = Path(__file__).parent
COLUMNS = (
    "number id module kind observation low high tolerance unit provenance constants source why_unmet".split()
)
KINDS = ("observed", "model")
"""Seen in people; or computed by another program with a published model, so that meeting it proves only the copy."""
PROVENANCE = ("read", "recalled", "derived", "assumed")
TOLERANCES = ("reported", "rounding", "assumed", "-")
"""Where the range comes from: the source, the digits that it prints, or nobody but us."""
NONE = "-"
RESTS_ON = 0.01
"""A figure rests on a recalled constant that moves it by this share when it is moved by a tenth."""
NO_REASON = "No reason on record: the model or the tables have changed since."
RTOL = 1e-5
"""Of every run: with 1e-7 every figure is the same to four digits, but takes three times as long."""
MOVED = 1.1
"""Factor of a recalled constant."""
_MOLAR_MASS = {"THC": "M_THC", "CBD": "M_CBD", "PFM": "M_PF"}
"""A depot's first letters to its drug's molar mass in the model; a depot of anything else is dosed in its own unit."""
_ROUTE = {"oromucosal": "spray", "oral": "oral", "inhaled": "lung"}


@dataclass(frozen=True)
class TargetResult:
    """One target and what the model gives for it."""

    number: str
    """The number of the demand that the row belongs to; `-` where it is one more."""
    id: str
    module: str
    kind: str
    """observed: seen in people; model: computed by another program with a published model."""
    observation: str
    low: float | None
    high: float | None
    unit: str
    tolerance: str
    """Where the range comes from: reported, rounding or assumed."""
    provenance: str
    """Of the observed figure: read, recalled, derived or assumed."""
    set_by_hand: bool
    """A constant of the model was set with this observation in view, so that meeting it is no evidence."""
    constants: tuple[str, ...]
    sources: tuple[str, ...]
    value: float | None = None
    met: bool | None = None
    """None where there is no figure, or nothing to hold it against; `reason` says why."""
    reason: str = ""
    detail: str = ""
    recalled_constants: tuple[str, ...] = ()
    """What of the things quoted from memory the model's figure rests on; of virtual patients, of a typical one."""

    @property
    def recalled(self) -> bool:
        """Whether the target, or the model's figure for it, depends on anything quoted from memory."""
        return self.provenance == "recalled" or bool(self.recalled_constants)

    def to_json(self) -> dict[str, Any]:
        plain = {name: list(v) if isinstance(v, tuple) else v for name, v in asdict(self).items()}
        return plain | {"recalled": self.recalled}


def targets(
    names: Iterable[str] | None = None,
    *,
    threads: int | None = None,
    progress: Callable[[TargetResult], None] | None = None,
    folder: Path = FOLDER,
) -> list[TargetResult]:
    """Every target, or those named, with the model's figure.

    Parameters
    ----------
    names : ids of targets.tsv; every one of it, in its order, if not given.
    threads : of the runs; all cores if not given.
    progress : called with each target that is done.
    folder : where targets.tsv and target_sources.tsv are.

    Raises
    ------
    ParameterError
        An unknown name, or a row of the tables that is wrong (with file and line).
    """
    rows = load_targets(folder)
    chosen = list(rows) if names is None else list(names)
    for name in chosen:
        if name not in rows:
            like = difflib.get_close_matches(name, rows, n=1)
            hint = f" Did you mean {like[0]}?" if like else ""
            raise ParameterError(
                f"There is no target {name!r}.{hint}", allowed=f"{', '.join(rows)}.", do="name one of these."
            )
    runs = Runs([name for name in rows if name in PREDICTED], threads or os.cpu_count() or 1)
    found = []
    for name in chosen:
        found.append(_met(*rows[name], runs))
        if progress:
            progress(found[-1])
    return found


def _met(asked: TargetResult, why_unmet: str, runs: Runs) -> TargetResult:
    """The target with its figure and verdict."""
    if asked.id not in PREDICTED:
        return replace(asked, reason=why_unmet)
    try:
        value, detail, rests_on = figure(PREDICTED[asked.id], runs)
    except NoValue as why:
        return replace(asked, reason=f"{why} {why_unmet}".strip())
    met = replace(asked, value=value, detail=detail, recalled_constants=rests_on)
    if asked.low is None or asked.high is None:
        return replace(met, reason=why_unmet)
    if asked.low <= value <= asked.high:
        return replace(met, met=True)
    return replace(met, met=False, reason=why_unmet or NO_REASON)


def figure(asked: Predicted, runs: Runs) -> tuple[float, str, tuple[str, ...]]:
    """The model's figure, what else there is to say of it, and the recalled constants that it rests on.

    Raises
    ------
    NoValue
        The model cannot give it.
    """
    people = next((each for each in asked.given if isinstance(each, Patients)), None)
    tried = asked if people is None else Predicted(week_change, (people.like, people.rating))
    value, detail = _value(asked, runs, 0)
    base = _value(tried, runs, 0)[0]
    names = recalled_constants() if tried.model == "lissive" else ()
    moved = [abs(_value(tried, runs, k)[0] - base) > RESTS_ON * abs(base) for k in range(1, 1 + len(names))]
    return value, detail, tuple(name for name, rests in zip(names, moved, strict=True) if rests)


def _value(asked: Predicted, runs: Runs, subject: int) -> Figure:
    found = asked.function(*(runs.given(each, subject) for each in asked.given))
    value, detail = found if isinstance(found, tuple) else (found, "")
    return float(value), detail


# -- the table --------------------------------------------------------------------------------------
def load_target_sources(folder: Path = FOLDER) -> dict[str, Source]:
    """Sources of the model and of the targets, by key.

    Raises
    ------
    ParameterError
        A row that is wrong, with file and line.
    """
    known = load_sources()
    for row in _rows(folder / "target_sources.tsv", "key citation doi url".split()):
        if row["key"] in known:
            raise row.error(f"duplicate source {row['key']}.")
        known[row["key"]] = Source(**row.cells)
    return known


def load_targets(folder: Path = FOLDER) -> dict[str, tuple[TargetResult, str]]:
    """Targets without their figure, each with why it is not met (may be empty), by id in the table's order.

    Raises
    ------
    ParameterError
        A row that is wrong, with file and line.
    """
    sources = load_target_sources(folder)
    own, published = frozenset(load_parameters()), frozenset(load("benson2014").parameters)
    found: dict[str, tuple[TargetResult, str]] = {}
    for row in _rows(folder / "targets.tsv", COLUMNS):
        if row["id"] in found:
            raise row.error(f"duplicate target {row['id']}.")
        found[row["id"]] = _target(row, sources, published if row["module"] == "benson2014" else own)
    return found


def _rows(path: Path, columns: list[str]) -> list[TableRow]:
    return read_table(path, columns, ParameterError, TableRow, shown=path.name)


def _target(
    row: TableRow, sources: Mapping[str, Source], parameters: frozenset[str]
) -> tuple[TargetResult, str]:
    """One row, checked."""
    choices = {
        "kind": KINDS,
        "tolerance": TOLERANCES,
        "provenance": PROVENANCE,
        "module": (*MODULES, "benson2014"),
    }
    for column, allowed in choices.items():
        if row[column] not in allowed:
            raise row.error(f"{column} is {row[column]!r}.", allowed=f"{', '.join(allowed)}.")
    low, high = _bound(row, "low"), _bound(row, "high")
    if (low is None) != (high is None) or (low or 0.0) > (high or 0.0):
        raise row.error(f"The range runs from {low} to {high}.", allowed="low to high, or neither.")
    constants, keys = (
        tuple(word for word in row.parts(column) if word != NONE) for column in ("constants", "source")
    )
    for key in keys:
        if key not in sources:
            raise row.error(f"source {key!r} is in no table of sources.")
    for name in constants:
        if name not in parameters:
            raise row.error(f"{name} is not a parameter of the model.")
    why = "" if row["why_unmet"] == NONE else row["why_unmet"]
    if not why and (row["id"] not in PREDICTED or low is None):
        raise row.error("A target without a run or a range needs a reason (why_unmet).")
    plain: dict[str, Any] = {
        name: row[name] for name in "number id module kind observation unit tolerance provenance".split()
    }
    plain |= {"low": low, "high": high, "sources": tuple(sources[key].citation for key in keys)}
    return TargetResult(**plain, set_by_hand=bool(constants), constants=constants), why


def _bound(row: TableRow, column: str) -> float | None:
    if row[column] == NONE:
        return None
    try:
        value = float(row[column])
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise row.error(f"{column} is {row[column]!r}.", allowed=f"a number; {NONE} for none.")
    return value


# -- the runs ---------------------------------------------------------------------------------------
@cache
def recalled_constants() -> tuple[str, ...]:
    """Parameters of the model whose figure was quoted from memory."""
    return tuple(name for name, row in load_parameters().items() if row.provenance.endswith(RECALLED))


class Runs:
    """What the arms give, each run once.

    A run has one subject more for every constant that was quoted from memory, with that constant moved, so that a
    figure can say whether it rests on it. Subject 0 is the model as it is.

    Parameters
    ----------
    names : ids of the targets that may be asked for; each model is compiled once, with the outputs of them all.
    threads : of the solver.
    """

    def __init__(self, names: Iterable[str], threads: int = 1) -> None:
        self._outputs: dict[str, list[str]] = {}
        for asked in (PREDICTED[name] for name in names):
            known = self._outputs.setdefault(asked.model, [])
            known += [each for each in dict.fromkeys(asked.outputs) if each not in known]
        self._settings = Settings(Tolerances(rtol=RTOL), threads)
        self._kept: dict[Arm, list[Simulated | NoValue]] = {}
        self.kernel: Callable[[str], Kernel] = cache(lambda model: build(load(model), self._outputs[model]))

    def given(self, what: Any, subject: int) -> Any:
        """What a target's function gets for one thing that its decorator names."""
        if isinstance(what, Arm):
            if what not in self._kept:
                self._kept[what] = self._run(what, _moved(what))
            return _seen(self._kept[what][subject])
        if isinstance(what, Grid):
            size = len(next(iter(what.values.values())))
            own = {name: np.full(size, values[subject]) for name, values in _moved(what.arm).items()}
            return [_seen(each) for each in self._run(what.arm, own | dict(what.values))]
        if isinstance(what, Patients):
            return forecast_of(what.cause, what.size, what.weeks, self._settings.threads)
        return what

    def _run(self, arm: Arm, varied: Mapping[str, FloatArray]) -> list[Simulated | NoValue]:
        """Each subject of a run; why there is none where the solver gave up."""
        kernel = self.kernel(arm.model)
        subjects = max([len(values) for values in varied.values()], default=1)
        own = {
            name: np.broadcast_to(v, subjects)
            for name, v in (typical(arm, kernel.equations) | dict(varied)).items()
        }
        times = np.arange(0.0, arm.days * 24.0 + arm.every / 2, arm.every)
        schedule = schedule_of(arm, kernel.equations)
        result = follow(kernel, Regimen.same(schedule, subjects), own, times, self._settings)
        last = float(schedule.time[-1]) if len(schedule) else 0.0
        found: list[Simulated | NoValue] = []
        for k, code in enumerate(result.status):
            if code:
                why = MEANING[int(code)].format(cycles=self._settings.ss_cycles)
                found.append(NoValue(f"The run could not be solved: {why}."))
                continue
            values = dict(zip(self._outputs[arm.model], result.values[k].T, strict=True))
            mine = {name: float(v[k]) for name, v in own.items()}
            found.append(Simulated(times, values, last, mine))
        return found


def _seen(found: Simulated | NoValue) -> Simulated:
    if isinstance(found, NoValue):
        raise found
    return found


def _moved(arm: Arm) -> dict[str, FloatArray]:
    """(subject,) values of the recalled constants: as they are, then each of them moved."""
    if arm.model != "lissive":
        return {}
    rows, names = load_parameters(arm.cause), recalled_constants()
    factor = np.where(np.eye(len(names), len(names) + 1, k=1), MOVED, 1.0)
    return {name: rows[name].value * factor[k] for k, name in enumerate(names)}


def typical(arm: Arm, equations: Equations) -> dict[str, float]:
    """The parameters of an arm's typical person, with its settings."""
    if arm.model != "lissive":
        return dict(equations.parameters) | dict(arm.settings)
    return {name: row.value for name, row in load_parameters(arm.cause).items()} | dict(arm.settings)


def schedule_of(arm: Arm, equations: Equations) -> Schedule:
    """An arm's doses as the solver takes them; at one time in the order of its doses."""
    rows = [
        (24.0 * day + hour, equations.dose_targets[depot], amount)
        for dose in arm.doses
        for depot, amount in _depots(dose, equations)
        for day in range(dose.days)
        for hour in dose.hours
    ]
    rows.sort(key=lambda row: row[0])
    time, into, amounts = (np.array([row[k] for row in rows]) for k in range(3))
    return Schedule(time, np.full(len(rows), ADD), into, amounts)


def _depots(dose: Dose, equations: Equations) -> list[tuple[str, float]]:
    """Depots and amounts [the model's unit] of one dose."""
    mass = _MOLAR_MASS.get(dose.into[:3])
    if mass is not None:
        return [(dose.into, to_nmol(dose.amount, g_per_mol=equations.parameters[mass]))]
    if dose.into in equations.dose_targets:
        return [(dose.into, dose.amount)]
    what = product(dose.into)
    parts = {"THC": what.thc_mg_per_unit, "CBD": what.cbd_mg_per_unit}
    nmol = {
        drug: to_nmol(dose.amount * mg, g_per_mol=equations.parameters[f"M_{drug}"])
        for drug, mg in parts.items()
        if mg
    }
    return [(f"{drug}_{_ROUTE[what.route]}", amount) for drug, amount in nmol.items()]

"""What `simulate` is asked, checked, and who follows which rows of a dosing table, with which parameters.

Every mistake is a LissiveError.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from lissive.arrays import FloatArray, IntArray
from lissive.errors import ParameterError, SimulationError
from lissive.given import number_of
from lissive.model.equations import TIME, Equations
from lissive.simulation.covariates import between, rates
from lissive.simulation.event_rows import rate_name, shown
from lissive.simulation.events import EventTable, Run, course_of
from lissive.simulation.output import refuse_names
from lissive.simulation.schedule import RESET, Course, Regimen, Schedule
from lissive.simulation.unroll import ByParameter

MOST_TIMES = 10_000_000
"""More output times than this are taken for a slip."""


def is_frame(value: Any) -> bool:
    """Whether it is a pandas DataFrame, without loading pandas."""
    return hasattr(value, "columns") and hasattr(value, "iloc")


def a_table(value: Any, name: str, what: str) -> None:
    if not (isinstance(value, str | Path) or is_frame(value)):
        raise SimulationError(f"{name} is {shown(value)}.", where=name, allowed=what, do="give one of these.")


def selected(equations: Equations, select: Any) -> list[str]:
    """Ids to write; all states where none are named."""
    if select is None:
        select = equations.states or moving(equations)
    outputs = [select] if isinstance(select, str) else list(select) if isinstance(select, Sequence) else None
    if outputs is None or any(not isinstance(each, str) for each in outputs):
        allowed = "ids, as ['S1', '[S1]', 'k']; all states if it is left out."
        raise SimulationError(
            f"select is {shown(select)}.", where="select", allowed=allowed, do="give a list of ids."
        )
    if not equations.quantities or (not outputs and not equations.states):
        raise SimulationError(
            f"Model {equations.name} has nothing that changes.",
            where="select",
            allowed="at least one quantity to write.",
            do="select a quantity, or check the model's text.",
        )
    if not any(each.strip() for each in outputs):
        allowed = f"{', '.join(equations.quantities)}."
        raise SimulationError(
            "Nothing is selected.", where="select", allowed=allowed, do="name one, or leave it out."
        )
    refuse_names(outputs)
    return outputs


def moving(equations: Equations) -> list[str]:
    """What changes in time where nothing is integrated: a model of rules only. Without such, what it computes."""
    g, found = equations.graph, equations.quantities
    computed = [name for name in found if name not in equations.parameters]
    return [name for name in computed if TIME in g.symbols([found[name]])] or computed


def given_parameters(equations: Equations, parameters: Any) -> dict[str, float]:
    """Parameters that are set for all subjects."""
    if parameters is None:
        return {}
    if not isinstance(parameters, Mapping):
        allowed = "parameters by their id, as {'CL': 5.0}."
        raise ParameterError(
            f"parameters is {shown(parameters)}.",
            where="parameters",
            allowed=allowed,
            do="give a dictionary.",
        )
    if unknown := [name for name in parameters if name not in equations.parameters]:
        raise ParameterError(
            f"{unknown[0]} is not a parameter of model {equations.name} that a run may set.",
            where="parameters",
            allowed=f"{', '.join(equations.parameters)}.",
            do="Set its initial value instead (initial)."
            if unknown[0] in equations.states
            else "A quantity that the model computes cannot be set; set what it is computed from.",
        )
    return {
        str(name): number_of(str(name), value, wrong=SimulationError) for name, value in parameters.items()
    }


def output_times(until: Any, every: Any, times: Any) -> FloatArray | None:
    """Output times that are asked for apart from the events; None where none are."""
    if times is None and until is None and every is None:
        return None
    if times is not None and (until is not None or every is not None):
        raise SimulationError(
            "The output times are not clear: times is given, and until or every.",
            where="times",
            allowed="until with every; or times.",
            do="leave out times, or until and every.",
        )
    if times is None:
        return _regular(until, every)
    if isinstance(times, str | Path):
        times = _read_times(Path(times))
    try:
        given = np.atleast_1d(np.asarray(times))
        plain = given.dtype.kind in "iuf" and given.ndim == 1
    except ValueError:  # lists of different lengths
        plain = False
    if not plain:
        raise SimulationError(
            "The output times are no numbers.",
            where="times",
            allowed="numbers in one row.",
            do="give a list of numbers, as [0, 1, 2].",
        )
    grid: FloatArray = np.unique(given.astype(float))
    if not len(grid) or not np.isfinite(grid).all() or grid[0] < 0:
        wrong = [float(t) for t in grid if not (np.isfinite(t) and t >= 0)]
        raise SimulationError(
            f"{wrong[0]:g} is no output time." if wrong else "There are no output times.",
            where="times",
            allowed="one or more finite numbers, 0 or more.",
            do="take out or correct what is no time." if wrong else "write the times, one a line.",
        )
    return grid


def _regular(until: Any, every: Any) -> FloatArray:
    if until is None or every is None:
        missing = "every" if every is None else "until"
        raise SimulationError(
            f"{missing} is not given.",
            where=missing,
            allowed="until with every; or times; or neither.",
            do=f"give {missing} too.",
        )
    until = number_of("until", until, wrong=SimulationError)
    every = number_of("every", every, wrong=SimulationError)
    if not (0 < every <= until and until / every <= MOST_TIMES):
        raise SimulationError(
            f"until is {until:g} and every is {every:g}.",
            where="until",
            allowed=f"until over 0, and every over 0 and not over until; at most {MOST_TIMES} output times.",
            do="correct until or every.",
        )
    steps = int(np.floor(until / every * (1 + 1e-12)))
    return np.array([every * i for i in range(steps + 1)])


def _read_times(path: Path) -> list[float]:
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, ValueError) as fault:
        raise SimulationError(
            f"it cannot be read ({fault}).",
            where=str(path),
            allowed="a text file of output times, one a line.",
            do="write the times to a file and give its path, or use --until and --every.",
        ) from None
    found = []
    for number, line in enumerate(lines, start=1):
        if line.lstrip().startswith("#"):
            continue
        for word in line.replace(",", " ").split():
            try:
                found.append(float(word))
            except ValueError:
                if not found and len(line.replace(",", " ").split()) == 1:
                    continue  # a heading
                raise SimulationError(
                    f"{shown(word)} is no number.",
                    where=f"{path}:{number}",
                    allowed=f"{TIME}s, one a line.",
                    do="correct the line, or begin it with # if it is a comment.",
                ) from None
    return found


MOST_DOSES = 10_000_000
"""More doses than this in all different regimens are taken for a slip."""


@dataclass(frozen=True, eq=False)
class Planned:
    """Runs as they are carried out: one for each subject and occasion."""

    runs: tuple[Run | None, ...]
    """None where there is no table."""
    subject: IntArray
    """(run,) place among the subjects."""
    regimen: Regimen
    courses: tuple[Course, ...]
    """One for each schedule of the regimen."""
    varying: Mapping[str, FloatArray]
    """Parameter to (run, column) values."""


Vary = Callable[[int, Run], Mapping[str, FloatArray]]
"""From a subject's place and a run of theirs to parameters by record."""


def plan(
    equations: Equations,
    table: EventTable | None,
    ids: Sequence[int | str],
    grid: FloatArray | None,
    parameters: Mapping[str, Any],
    vary: Vary | None = None,
) -> Planned:
    """The runs of each subject.

    Parameters
    ----------
    grid : output times; observed at the rows of the table where there are none.
    parameters : id to one number, or to (subject,) numbers; the others keep the model's.
    vary : parameters by record, beside those of the table.
    """
    if table is None:
        assert grid is not None
        nothing, nowhere = np.zeros(0), np.zeros(0, np.int32)
        regimen = Regimen.same(Schedule(nothing, nowhere, nowhere, nothing), len(ids))
        course = Course(regimen.schedules[0], (), grid, np.arange(len(grid), dtype=np.int32), 0.0)
        return Planned((None,) * len(ids), np.arange(len(ids)), regimen, (course,), {})
    runs, subject = each_run(table, ids, vary)
    _refuse_too_many(runs)
    return _planned(equations, table, runs, subject, grid, parameters)


def each_run(
    table: EventTable, ids: Sequence[int | str], vary: Vary | None = None
) -> tuple[list[Run], IntArray]:
    """The runs of each subject, and (run,) whose each is."""
    each = runs_of(table, ids)
    runs = [run for mine in each for run in mine]
    subject = np.repeat(np.arange(len(ids)), [len(mine) for mine in each])
    if vary:
        runs = [
            replace(run, varying={**run.varying, **vary(s, run)})
            for run, s in zip(runs, subject.tolist(), strict=True)
        ]
    return runs, subject


def runs_of(table: EventTable, ids: Sequence[int | str]) -> list[list[Run]]:
    """Each subject's rows; those of a table with one ID are for all."""
    return [list(table.runs)] * len(ids) if len(table.subjects) == 1 else table.of(ids)


def _planned(
    equations: Equations,
    table: EventTable,
    runs: Sequence[Run],
    subject: IntArray,
    grid: FloatArray | None,
    parameters: Mapping[str, Any],
) -> Planned:
    def base(name: str, s: int) -> float:
        value = np.ravel(parameters.get(name, equations.parameters[name]))
        return float(value[0] if len(value) == 1 else value[s])

    known: dict[Any, int] = {}
    courses: list[Course] = []
    which, columns = [], []
    for run, s in zip(runs, subject.tolist(), strict=True):
        values = {
            name: np.full(len(run.records), base(name, s)) if np.isnan(row).all() else row
            for name, row in run.varying.items()
        }
        stacked = np.array([*values.values()]).reshape(len(values), len(run.records))
        changes = between(run.time, stacked, table.covariates) if values else []
        by_parameter = _rates(equations, table, run, values, lambda name, s=s: base(name, s))
        key = (
            id(run.records),
            *changes,
            *((k, v.values.tobytes(), v.own.tobytes()) for k, v in by_parameter.items()),
        )
        if key not in known:
            known[key] = len(courses)
            courses.append(course_of(run.records, grid=grid, changes=changes, rates=by_parameter))
        which.append(known[key])
        columns.append(stacked[:, [0, *(row for row, _, _ in changes)]])
    n, most = len(runs), max(each.shape[1] for each in columns)
    names = tuple(runs[0].varying)
    filled = np.zeros((len(names), n, most))
    for k, each in enumerate(columns):
        filled[:, k] = each[:, np.minimum(np.arange(most), each.shape[1] - 1)]
    regimen = Regimen(tuple(each.schedule for each in courses), np.array(which), np.ones(n), np.zeros(n))
    varying = dict(zip(names, filled, strict=True))
    return Planned(tuple(runs), subject, regimen, tuple(courses), varying)


def _rates(
    equations: Equations, table: EventTable, run: Run, values: Mapping[str, FloatArray], base: Any
) -> dict[int, ByParameter]:
    """The rates that RATE -1 asks for, by place of the state."""
    found = {}
    for target in sorted({record.target for record in run.records if record.rate < 0}):
        name = rate_name(equations, target)
        row = values.get(name, np.full(len(run.records), base(name) if name not in values else 0.0))
        if (row <= 0).any():
            raise ParameterError(
                f"{name} is {row.min():g} for subject {run.subject}, and RATE -1 takes it as the rate of an infusion.",
                where=name,
                allowed="over 0.",
                do=f"set {name} over 0, or write the rate in RATE.",
            )
        found[target] = rates(run.time, row, table.covariates)
    return found


def _refuse_too_many(runs: Sequence[Run]) -> None:
    different = {id(run.records): run for run in runs}
    count = sum(record.additional + 1 for run in different.values() for record in run.records)
    if count > MOST_DOSES:
        raise SimulationError(
            f"The events come to {count} doses.",
            where="ADDL",
            allowed=f"up to {MOST_DOSES} in all regimens that differ.",
            do="check ADDL, or run some of the subjects at a time.",
        )


def refuse_starting_anew(equations: Equations, planned: Planned) -> None:
    """A model with events of its own cannot be set back: what they have set off and not yet done would be unclear."""
    schedules = planned.regimen.schedules if equations.events else ()
    if any(len(each.steady) or (each.action == RESET).any() for each in schedules):
        raise SimulationError(
            f"Model {equations.name} has events of its own: no reset and no steady state can be had with them.",
            where="EVID" if any((each.action == RESET).any() for each in schedules) else "SS",
            allowed="doses, infusions and observations (EVID 0, 1 and 2, without SS).",
            do="use a separate ID for each occasion; give the earlier doses as rows (ADDL) instead of SS.",
        )

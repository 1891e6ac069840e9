"""`simulate`: a model, its subjects and their doses in; a labelled dataset out.

>>> import numpy as np
>>> run = simulate("examples/one_compartment.ant", until=24, every=12)  # doctest: +SKIP
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lissive.arrays import FloatArray
from lissive.errors import ParameterError, SimulationError
from lissive.fingerprint import of_bytes
from lissive.given import number_of, threads_of, whole
from lissive.model import load
from lissive.model.equations import Equations
from lissive.model.read import SHIPPED
from lissive.simulation.covariates import check_mode
from lissive.simulation.engine import Tolerances, build
from lissive.simulation.event_cells import is_missing, is_plain
from lissive.simulation.event_rows import id_of
from lissive.simulation.events import EventTable, read_events
from lissive.simulation.limits import afford
from lissive.simulation.origin import origin
from lissive.simulation.output import dataset
from lissive.simulation.planned import (
    a_table,
    carried,
    given_parameters,
    is_frame,
    output_times,
    plan,
    refuse_starting_anew,
    seen_times,
    selected,
)
from lissive.simulation.run import MEANING, Settings, follow_courses
from lissive.simulation.schedule import Regimen
from lissive.simulation.unroll import snapped

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr


def simulate(
    model: str | Path | Equations,
    *,
    events: str | Path | pd.DataFrame | None = None,
    subjects: int | str | Path | pd.DataFrame | None = None,
    until: float | None = None,
    every: float | None = None,
    times: Any = None,
    select: Sequence[str] | None = None,
    parameters: Mapping[str, float] | None = None,
    covariates: str = "nocb",
    rtol: float = 1e-6,
    atol: float = 0.0,
    threads: int | None = None,
    seed: int = 1,
) -> xr.Dataset:
    """Solve a model for one subject or for many.

    Parameters
    ----------
    model : shipped model's name, path of an .ant or .xml file, or Equations.
    events : dosing table in NONMEM's manner (see `simulate.events`).
    subjects : how many; or a table with a row each, whose columns are `ID` and parameters of the model.
        For the shipped model `lissive` a number means that many virtual patients, drawn from its tables.
    until, every, times : output times [model time]; `times` is a sequence, or a file with one a line. Without
        them each subject is observed at their own observation rows of `events`.
    select : ids, `S` for an amount and `[S]` for a concentration; all states if not given.
    parameters : id to a value for all subjects.
    covariates : between two rows of `events`, a column named like a parameter has the next row's value (`nocb`)
        or the last row's (`locf`).
    rtol, atol : tolerances; an atol of 0 follows the size that each state has had (see engine.Tolerances).
    threads : all cores if not given.
    seed : of all that is drawn.

    Returns
    -------
    dataset with dims (subject, time); `status` is 0 where a subject's run went well, else `message` says why. Where
    subjects are observed at rows of their own that differ in time, the dims are (subject, record), and `time` has
    both. A subject with several occasions stands there once for each, with the coordinate `occasion`.

    Raises       a LissiveError for whatever cannot be run as asked.
    """
    found = asked(
        model,
        events=events,
        subjects=subjects,
        grid=output_times(until, every, times),
        select=select,
        parameters=parameters,
        covariates=covariates,
        rtol=rtol,
        atol=atol,
        threads=threads,
        seed=seed,
    )
    afford_memory(found)
    return solved(found)


@dataclass(frozen=True, eq=False)
class Asked:
    """What a run is asked, read and checked; it is the same whichever of the subjects are solved."""

    equations: Equations
    outputs: Sequence[str]
    table: EventTable | None
    grid: FloatArray | None
    count: int
    """Of subjects."""
    ids: Sequence[int | str]
    own: Mapping[str, Any]
    """Parameters of a table of subjects."""
    drawn: tuple[str, ...]
    """Parameters that are drawn for each subject."""
    common: Mapping[str, float]
    settings: Settings
    seed: int
    file: str
    """Of the model; empty where it has none of its own."""
    notes: tuple[str, ...]

    @property
    def values(self) -> int:
        """How many each subject has."""
        runs = self.table.runs if self.table else ()
        seen = len(self.grid) if self.grid is not None else max((len(run.seen) for run in runs), default=0)
        return seen * len(self.outputs)

    def of(self, part: range) -> dict[str, Any]:
        """Parameters of the subjects at these places."""
        if not self.drawn:
            return {name: v[part.start : part.stop] if np.size(v) > 1 else v for name, v in self.own.items()}
        from lissive.simulation.draw import draw

        return dict(draw(len(part), seed=self.seed, first=part.start).parameters)


def asked(
    model: str | Path | Equations,
    *,
    events: Any,
    subjects: Any,
    grid: FloatArray | None,
    select: Any = None,
    parameters: Any = None,
    covariates: str = "nocb",
    rtol: float = 1e-6,
    atol: float = 0.0,
    threads: int | None = None,
    seed: int = 1,
) -> Asked:
    """What `simulate` is asked, checked. Raises a LissiveError for whatever cannot be run as asked."""
    equations = _model(model)
    outputs = selected(equations, select)
    common = given_parameters(equations, parameters)
    threads = threads_of(threads, wrong=SimulationError)
    tolerances = Tolerances(
        rtol=number_of("rtol", rtol, wrong=SimulationError),
        atol=number_of("atol", atol, wrong=SimulationError),
    )
    seed = whole("seed", seed, wrong=SimulationError, least=0)
    table, grid = _table(events, equations, covariates, grid)
    count, ids, own, drawn = _subjects(equations, subjects, table, seed)
    is_file = isinstance(model, str | Path) and str(model) not in SHIPPED
    return Asked(
        equations, outputs, table, grid, count, ids, own, drawn, common, Settings(tolerances, threads), seed,
        str(model) if is_file else "", tuple(_overlap(table, own, drawn, common)),
    )  # fmt: skip


def solved(run: Asked, part: range | None = None) -> xr.Dataset:
    """The subjects at the places of `part`, all if not given: numbers and notes are those of the run of all."""
    equations, outputs, table, grid = run.equations, run.outputs, run.table, run.grid
    part = range(run.count) if part is None else part
    own = run.of(part)
    planned = plan(equations, table, run.ids, grid, {**own, **run.common}, part)
    _afford(len(planned.runs), equations, run.values)
    refuse_starting_anew(equations, planned)
    settings = run.settings
    kernel = build(equations, outputs, [equations.states[place] for place in planned.regimen.infused])
    mine = {name: np.asarray(v)[planned.subject] if np.size(v) > 1 else v for name, v in own.items()}
    result = follow_courses(
        kernel, planned.regimen, planned.courses, {**mine, **run.common}, settings, planned.varying
    )
    occasions = [1 if each is None else each.occasion for each in planned.runs]
    given = {**({} if run.drawn else own), **run.common, **planned.varying}
    return dataset(
        result.values,
        seen_times(planned) if grid is None else grid,
        [run.ids[part.start + s] for s in planned.subject.tolist()],
        outputs,
        units={**equations.units, "time": equations.time_unit},
        labels=equations.labels,
        status=result.status,
        messages=[
            "" if code == 0 else result.reasons.get(s, MEANING[int(code)].format(cycles=settings.ss_cycles))
            for s, code in enumerate(result.status)
        ],
        provenance={
            "model": equations.name,
            "model_hash": model_hash(equations),
            "solver": {"method": "RODAS 4(3)", **asdict(settings.tolerances)},
            "seed": run.seed,
            "steps": int(result.steps.sum()),
            "notes": [*equations.notes, *(table.notes if table else ()), *run.notes, *planned.notes],
            "columns": _columns(table),
            **_origin(equations, outputs, planned.regimen, given, run.drawn),
            **({"model_file": run.file} if run.file else {}),
        },
        occasions=occasions if max(occasions, default=1) > 1 else None,
        carried=carried(planned, table, grid) if table else None,
    )


def _model(model: Any) -> Equations:
    if isinstance(model, Equations):
        return model
    if not isinstance(model, str | Path):
        raise SimulationError(
            f"model is {model!r}.",
            where="model",
            allowed=f"{', '.join(SHIPPED)}; the path of an .ant or .xml file; or Equations.",
        )
    return load(model)


def _table(
    events: Any, equations: Equations, covariates: Any, grid: Any
) -> tuple[EventTable | None, FloatArray | None]:
    """The events, read; and the output times, each as the time of a row that it all but is."""
    check_mode(covariates)
    table = None
    if events is not None:
        a_table(events, "events", "the path of a comma-separated file, or a DataFrame.")
        table = read_events(events, equations, covariates)
    if table and grid is not None:  # 100 times 0.57 is a little less than 57, where a dose may be
        grid = np.unique(snapped(grid, np.unique([at for run in table.runs for at in run.time])))
    if grid is None and not (table and any(len(run.seen) for run in table.runs)):
        raise SimulationError(
            "No output times are given.",
            where="times",
            allowed="until with every; or times; or observation rows (EVID 0) in the events.",
        )
    return table, grid


def _columns(table: EventTable | None) -> dict[str, Any]:
    """What became of columns that are no dosing columns."""
    if table is None:
        return {}
    return {"varying": list(table.varying), "covariates": table.covariates, "not_used": list(table.carried)}


def _overlap(
    table: EventTable | None, own: Mapping[str, Any], drawn: Sequence[str], common: Mapping[str, float]
) -> list[str]:
    """Parameters that have a column in the events go before drawn ones; to give them twice is refused."""
    if table is None:
        return []
    instead = [name for name in table.varying if name in drawn]
    for name in table.varying:
        if name in common or (name in own and not drawn):
            raise ParameterError(
                f"{name} is a column of the events, and given for the subjects too.",
                where=name,
                allowed="one of the two.",
                do="leave it out of one.",
            )
    return [f"Not drawn, since the events have a column for it: {', '.join(instead)}."] if instead else []


def _origin(
    equations: Equations,
    outputs: Sequence[str],
    regimen: Regimen,
    given: Mapping[str, Any],
    drawn: Sequence[str],
) -> dict[str, Any]:
    """What the run rested on."""
    cause = ""
    if equations.name == "lissive":
        from lissive.model.parameters import DEFAULT_CAUSE

        cause = DEFAULT_CAUSE
    return origin(equations, outputs, regimen.schedules, given, drawn, cause)


def model_hash(equations: Equations) -> str:
    """A short hash of what a model computes and of its default numbers."""
    g = equations.graph
    events = [node for event in equations.events for node in event.nodes]
    roots = (*equations.rates, *equations.initial, *equations.quantities.values(), *events)
    nodes = [(e, g.nodes[e]) for e in g.reachable(roots)]  # not those that a solver added since
    content = [nodes, equations.states, roots, dict(equations.parameters), *equations.events]
    return of_bytes(f"({', '.join(map(repr, content))})".encode(), 16)


def _subjects(
    equations: Equations, given: Any, table: EventTable | None, seed: int
) -> tuple[int, Sequence[int | str], dict[str, Any], tuple[str, ...]]:
    """How many, IDs, each subject's own parameters, and which are drawn instead."""
    if given is None:
        ids: Sequence[int | str] = list(table.subjects) if table else [1]
        return len(ids), ids, {}, ()
    if isinstance(given, str | Path) or is_frame(given):
        ids, own = _table_of_subjects(equations, given)
        return len(ids), ids, own, ()
    count = whole("subjects", given, wrong=SimulationError)
    ids = range(1, count + 1)
    if table and len(table.subjects) == count:
        ids = list(table.subjects)
    if equations.name != "lissive":
        return count, ids, {}, ()
    from lissive.simulation.draw import draw

    return count, ids, {}, draw(1, seed=seed).drawn


def afford_memory(run: Asked) -> None:
    """Refuse a run that as a whole would take more than the memory."""
    _afford(run.count, run.equations, run.values)


def _afford(subjects: int, equations: Equations, values: int) -> None:
    """values : that each subject will have."""
    own = 2 * len(equations.parameters) + 4 * len(equations.states) + 64
    less = "ask for fewer subjects, output times or quantities."
    afford(subjects, 8 * (4 * values + own), what="subjects", where="subjects", do=less)


def _table_of_subjects(equations: Equations, given: Any) -> tuple[list[int | str], dict[str, Any]]:
    import pandas as pd

    where = "subjects" if isinstance(given, pd.DataFrame) else str(given)
    if not isinstance(given, pd.DataFrame):
        given = _read_table(Path(given))
    if not len(given):
        raise SimulationError("the table has no subjects.", where=where, allowed="a row for each subject.")
    if len(set(given.columns)) < len(given.columns):
        raise SimulationError("a column comes twice.", where=where, do="leave one of them.")
    if wrong := [i for i in given.get("ID", ()) if is_missing(i) or not is_plain(i)]:
        raise SimulationError(f"an ID is {wrong[0]!r}.", where=where, allowed="numbers or names.")
    ids: list[int | str] = (
        [id_of(i) for i in given["ID"]] if "ID" in given else list(range(1, len(given) + 1))
    )
    if len(set(ids)) < len(ids):
        raise SimulationError("an ID comes twice.", where=where, allowed="one row for each subject.")
    own = given.drop(columns="ID", errors="ignore")
    unknown = [name for name in own if name not in equations.parameters]
    if unknown:
        raise SimulationError(
            f'the column "{unknown[0]}" is no parameter of model {equations.name}.',
            where=f"{where}:1",
            allowed=f"ID, {', '.join(equations.parameters)}.",
        )
    for name in own:
        numbers = pd.to_numeric(own[name].astype(str), errors="coerce")
        if not np.isfinite(numbers).all():
            row = int(np.flatnonzero(~np.isfinite(numbers))[0])
            raise SimulationError(
                f"{name} is {own[name].iloc[row]}.", where=f"{where}:{row + 2}", allowed="a finite number."
            )
    return ids, {str(name): own[name].astype(float).to_numpy() for name in own}


def _read_table(path: Path) -> pd.DataFrame:
    """A comma-separated table; rows that do not fit the heading are refused, not shifted."""
    import pandas as pd

    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = [(number, row) for number, row in enumerate(csv.reader(file), start=1) if row]
    except (OSError, ValueError, csv.Error) as fault:
        why = fault.strerror if isinstance(fault, OSError) else str(fault)
        raise SimulationError(
            f"it cannot be read ({why}).",
            where=str(path),
            allowed="a number of subjects, or a comma-separated table with a row for each.",
            do="correct the path.",
        ) from None
    if not rows:
        raise SimulationError("the file is empty.", where=str(path), allowed="a heading and a row each.")
    header = [cell.strip() for cell in rows[0][1]]
    for line, row in rows[1:]:
        empty = sum(not cell.strip() for cell in row)
        if len(row) != len(header) or empty:
            raise SimulationError(
                f"{len(row)} cells, {empty} of them empty, below a heading of {len(header)}.",
                where=f"{path}:{line}",
                allowed="one value for each column.",
            )
    if len(set(header)) < len(header):
        raise SimulationError("a column comes twice.", where=f"{path}:1", do="leave one of them.")
    return pd.DataFrame([row for _, row in rows[1:]], columns=header)

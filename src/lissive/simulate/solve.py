"""`simulate`: a model, its subjects and their doses in; a labelled dataset out.

>>> import numpy as np
>>> run = simulate("examples/one_compartment.ant", until=24, every=12)  # doctest: +SKIP
"""

from __future__ import annotations

import csv
import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lissive.errors import SimulationError
from lissive.model import load
from lissive.model.equations import TIME, Equations
from lissive.model.read import SHIPPED
from lissive.simulate.engine import Tolerances, build
from lissive.simulate.events import EventTable, read_events, regimen_of
from lissive.simulate.origin import origin
from lissive.simulate.output import dataset, write
from lissive.simulate.run import MEANING, Settings, follow
from lissive.simulate.schedule import Regimen, Schedule

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr


MOST_TIMES = 10_000_000
"""More output times than this are taken for a slip."""


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
    rtol: float = 1e-6,
    atol: float = 0.0,
    threads: int | None = None,
    seed: int = 1,
) -> xr.Dataset:
    """Solve a model for one subject or for many.

    Parameters
    ----------
    model : shipped model's name, path of an .ant or .xml file, or Equations.
    events : dosing table in NONMEM's manner (see `simulate.events`); its observation rows are output times.
    subjects : how many; or a table with a row each, whose columns are `ID` and parameters of the model.
        For the shipped model `lissive` a number means that many virtual patients, drawn from its tables.
    until, every, times : output times [model time]; `times` is a sequence, or a file with one a line.
    select : ids, `S` for an amount and `[S]` for a concentration; all states if not given.
    parameters : id to a value for all subjects.
    rtol, atol : tolerances; an atol of 0 follows the size that each state has had (see engine.Tolerances).
    threads : all cores if not given.
    seed : of all that is drawn.

    Returns
    -------
    dataset with dims (subject, time); `status` is 0 where a subject's run went well, else `message` says why.
    """
    equations = model if isinstance(model, Equations) else load(model)
    table = None if events is None else read_events(events, equations)
    ids, own, drawn = _subjects(equations, subjects, table, seed)
    regimen = _regimen(table, ids)
    grid = _times(until, every, times, table)
    if isinstance(select, str):
        select = [select]
    outputs = list(select) if select else list(equations.states)
    if not outputs:
        raise SimulationError(
            f"Model {equations.name} has nothing that changes.",
            where="select",
            allowed="at least one quantity to write.",
            do="select a quantity, or check the model's text.",
        )
    inputs = [equations.states[place] for place in regimen.infused]
    settings = Settings(Tolerances(rtol=rtol, atol=atol), threads or os.cpu_count() or 1)
    kernel = build(equations, outputs, inputs)
    result = follow(kernel, regimen, {**own, **(parameters or {})}, grid, settings)
    return dataset(
        result.values,
        grid,
        ids,
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
            "seed": seed,
            "steps": int(result.steps.sum()),
            "notes": list(table.notes) if table else [],
            **_origin(
                model, equations, outputs, regimen, {**({} if drawn else own), **(parameters or {})}, drawn
            ),
        },
    )


def _origin(
    model: str | Path | Equations,
    equations: Equations,
    outputs: Sequence[str],
    regimen: Regimen,
    given: Mapping[str, Any],
    drawn: Sequence[str],
) -> dict[str, Any]:
    """What the run rested on, and where a model that does not come with lissive was read."""
    cause = ""
    if equations.name == "lissive":
        from lissive.model.parameters import DEFAULT_CAUSE

        cause = DEFAULT_CAUSE
    found = origin(equations, outputs, regimen.schedules, given, drawn, cause)
    is_file = isinstance(model, str | Path) and str(model) not in SHIPPED
    return {**found, "model_file": str(model)} if is_file else found


def model_hash(equations: Equations) -> str:
    """A short hash of what a model computes and of its default numbers."""
    g = equations.graph
    roots = (*equations.rates, *equations.initial, *equations.quantities.values())
    nodes = [(e, g.nodes[e]) for e in g.reachable(roots)]  # not those that a solver added since
    content = (nodes, equations.states, roots, dict(equations.parameters))
    return hashlib.sha256(repr(content).encode()).hexdigest()[:16]


def simulate_files(
    *, out: Path, events: Path | None = None, times: Path | None = None, **given: Any
) -> dict[str, Any]:
    """`simulate` to a file: writes it, and returns its summary."""
    run = simulate(events=events, times=times, **given)
    write(run, out)
    failed = run["status"].values != 0
    return {
        "subjects": int(run.sizes["subject"]),
        "failed": int(failed.sum()),
        "failures": {
            str(run["subject"].values[i]): str(run["message"].values[i]) for i in np.flatnonzero(failed)
        },
        "times": int(run.sizes["time"]),
        "outputs": [str(name) for name in run.data_vars if name not in ("status", "message")],
    }


def _subjects(
    equations: Equations, given: Any, table: EventTable | None, seed: int
) -> tuple[list[int | str], dict[str, Any], tuple[str, ...]]:
    """IDs, each subject's own parameters, and which of these were drawn."""
    if given is None:
        return (list(table.subjects) if table else [1]), {}, ()
    if isinstance(given, int | float | np.integer):
        if given < 1 or given != int(given):
            raise SimulationError(
                f"subjects is {given}.", where="subjects", allowed="a whole number from 1 on."
            )
        given = int(given)
        ids: list[int | str] = list(range(1, given + 1))
        if table and len(table.subjects) == given:
            ids = list(table.subjects)
        if equations.name != "lissive":
            return ids, {}, ()
        from lissive.simulate.draw import draw

        people = draw(given, seed=seed)
        return ids, dict(people.parameters), people.drawn
    return (*_table_of_subjects(equations, given), ())


def _id(given: Any) -> int | str:
    """A whole number where it is one, as in dosing tables."""
    text = str(given).strip()
    return int(text) if text.isdecimal() and text.isascii() else text


def _table_of_subjects(equations: Equations, given: Any) -> tuple[list[int | str], dict[str, Any]]:
    import pandas as pd

    where = "subjects" if isinstance(given, pd.DataFrame) else str(given)
    if not isinstance(given, pd.DataFrame):
        given = _read_table(Path(given))
    if not len(given):
        raise SimulationError("the table has no subjects.", where=where, allowed="a row for each subject.")
    ids: list[int | str] = [_id(i) for i in given["ID"]] if "ID" in given else list(range(1, len(given) + 1))
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
    return ids, {str(name): pd.to_numeric(own[name]).to_numpy(float) for name in own}


def _read_table(path: Path) -> pd.DataFrame:
    """A comma-separated table; rows that do not fit the heading are refused, not shifted."""
    import pandas as pd

    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = [(number, row) for number, row in enumerate(csv.reader(file), start=1) if row]
    except (OSError, UnicodeDecodeError, csv.Error) as fault:
        why = fault.strerror if isinstance(fault, OSError) else "it is no text in UTF-8"
        raise SimulationError(
            f"it cannot be read ({why}).",
            where=str(path),
            allowed="a number of subjects, or a comma-separated table with a row for each.",
            do="correct the path.",
        ) from None
    if not rows:
        raise SimulationError("the file is empty.", where=str(path), allowed="a heading and a row each.")
    header = [cell.strip() for cell in rows[0][1]]
    for number, row in rows[1:]:
        empty = sum(not cell.strip() for cell in row)
        if len(row) != len(header) or empty:
            raise SimulationError(
                f"{len(row)} cells, {empty} of them empty, below a heading of {len(header)}.",
                where=f"{path}:{number}",
                allowed="one value for each column.",
            )
    if len(set(header)) < len(header):
        raise SimulationError("a column comes twice.", where=f"{path}:1", do="leave one of them.")
    return pd.DataFrame([row for _, row in rows[1:]], columns=header)


def _regimen(table: EventTable | None, ids: Sequence[int | str]) -> Regimen:
    if table is None:
        nothing, nowhere = np.zeros(0), np.zeros(0, np.int32)
        return Regimen.same(Schedule(nothing, nowhere, nowhere, nothing), len(ids))
    if len(table.subjects) == 1:  # one regimen for all
        return Regimen.same(table.schedules[0], len(ids))
    return regimen_of(table, ids)


def _times(until: float | None, every: float | None, times: Any, table: EventTable | None) -> Any:
    if times is None and (until is None or every is None):
        if table and any(len(each) for each in table.observations):
            return np.unique(np.concatenate(table.observations))
        raise SimulationError(
            "No output times are given.",
            where="times",
            allowed="until with every; or times; or observation rows (EVID 0) in the events.",
        )
    if times is None:
        assert until is not None
        assert every is not None
        if not (0 < every <= until < np.inf and until / every <= MOST_TIMES):
            raise SimulationError(
                f"until is {until:g} and every is {every:g}.",
                where="until",
                allowed=f"until over 0, and every over 0 and not over until; at most {MOST_TIMES} output times.",
            )
        steps = int(np.floor(until / every * (1 + 1e-12)))
        return np.array([every * i for i in range(steps + 1)])
    if isinstance(times, str | Path):
        times = _read_times(Path(times))
    try:
        grid = np.unique(np.asarray(times, dtype=float))
    except (TypeError, ValueError):
        raise SimulationError("The output times are no numbers.", where="times", allowed="numbers.") from None
    if not len(grid) or not np.isfinite(grid).all() or grid[0] < 0:
        raise SimulationError("The output times are not usable.", where="times", allowed="numbers from 0 on.")
    return grid


def _read_times(path: Path) -> list[float]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as fault:
        raise SimulationError(f"it cannot be read ({fault}).", where=str(path)) from None
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
                    f"{word!r} is no number.", where=f"{path}:{number}", allowed=f"{TIME}s, one a line."
                ) from None
    return found

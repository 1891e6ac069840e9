"""`simulate`: a model, its subjects and their doses in; a labelled dataset out.

>>> import numpy as np
>>> run = simulate("examples/one_compartment.ant", until=24, every=12)  # doctest: +SKIP
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lissive.arrays import FloatArray
from lissive.errors import ParameterError, SimulationError
from lissive.fingerprint import of_bytes
from lissive.given import number_of, threads_of
from lissive.given import whole as whole_number
from lissive.model import load
from lissive.model.equations import Equations
from lissive.model.read import SHIPPED
from lissive.simulation.covariates import check_mode
from lissive.simulation.engine import METHOD, Tolerances, build
from lissive.simulation.events import EventTable, read_events
from lissive.simulation.initial import freed, given_initial, initial_names, parameter_of, starts_of
from lissive.simulation.origin import origin
from lissive.simulation.output import dataset, noted, refuse_names
from lissive.simulation.planned import (
    Planned,
    a_table,
    carried,
    given_parameters,
    is_frame,
    output_times,
    plan,
    refuse_starting_anew,
    runs_of,
    seen_times,
    selected,
)
from lissive.simulation.population.draw import OCCASION, Individuals, Vary, column_of
from lissive.simulation.population.read import Population, read_population, refuse_unknown
from lissive.simulation.population.result import described, extended, names_of, notes_of
from lissive.simulation.run import DEVICES, MEANING, Result, Settings, follow_courses
from lissive.simulation.schedule import Regimen
from lissive.simulation.subjects import afford_subjects, impossible, outside, read_subjects, subjects_of
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
    initial: Mapping[str, Any] | None = None,
    population: str | Path | pd.DataFrame | None = None,
    replicates: int = 1,
    covariates: str = "nocb",
    rtol: float = 1e-6,
    atol: float = 0.0,
    threads: int | None = None,
    seed: int = 1,
    device: str = "cpu",
) -> xr.Dataset:
    """Solve a model for one subject or for many.

    Parameters
    ----------
    model : shipped model's name, path of an .ant or .xml file, or Equations.
    events : dosing table in NONMEM's manner (see `simulate.events`).
    subjects : how many; or a table with a row each, whose columns are `ID`, parameters of the model, initial values
        (`S` an amount, `[S]` a concentration) and, with a population, its covariates.
        For the shipped model `lissive` a number means that many virtual patients, drawn from its tables.
    until, every, times : output times [model time]; `times` is a sequence, or a file with one a line. Without
        them each subject is observed at their own observation rows of `events`.
    select : ids, `S` for an amount and `[S]` for a concentration; all states if not given.
    parameters : id to a value for all subjects.
    initial : state to its initial value, one number or one for each subject: `S` an amount, `[S]` a concentration.
    population : a table of THETA, OMEGA and SIGMA (see `population.read`). For each output `X` the dataset then has
        `PRED_X`, for the typical individual, and `DV_X`, with residual error; `X` itself is the individual
        prediction (IPRED). Etas (`ETA_CL`), individual parameters and covariates stand beside.
    replicates : so often each subject is drawn anew from the population; the coordinate `replicate` counts them.
    covariates : between two rows of `events`, a column named like a parameter has the next row's value (`nocb`)
        or the last row's (`locf`).
    rtol, atol : tolerances; an atol of 0 follows the size that each state has had (see engine.Tolerances).
    threads : all cores if not given.
    seed : of all that is drawn.
    device : `cpu`, or `gpu` for an NVIDIA GPU (pip install 'lissive[gpu]'; models without events).

    Returns
    -------
    dataset with dims (subject, time); `status` is 0 where a subject's run went well, else `message` says why. Where
    subjects are observed at rows of their own that differ in time, the dims are (subject, record), and `time` has
    both. A subject with several occasions stands there once for each, with the coordinate `occasion`.

    Raises       a LissiveError for whatever cannot be run as asked.
    """
    return whole(
        asked(
            model, events, subjects, (until, every, times), select, parameters, initial, population, replicates,
            covariates, (rtol, atol, threads, device), seed,
        )
    )[0]  # fmt: skip


@dataclass(frozen=True, eq=False)
class Asked:
    """What a run is asked, read and checked; it is the same whichever of the subjects are solved."""

    equations: Equations
    outputs: Sequence[str]
    table: EventTable | None
    grid: FloatArray | None
    count: int
    """Of subjects, in all replicates."""
    ids: Sequence[int | str]
    own: Mapping[str, Any]
    """Parameters that subjects were given."""
    drawn: tuple[str, ...]
    """Parameters that are drawn for each subject from the model's tables."""
    common: Mapping[str, float]
    settings: Settings
    seed: int
    file: str
    """Of the model; empty where it has none of its own."""
    notes: tuple[str, ...]
    used: Sequence[str]
    population: Population | None
    people: Individuals | None
    replicates: int

    @property
    def values(self) -> int:
        """How many each subject has."""
        runs = self.table.runs if self.table else ()
        seen = len(self.grid) if self.grid is not None else max((len(run.seen) for run in runs), default=0)
        return seen * len(self.outputs)

    def of(self, part: range) -> dict[str, Any]:
        """Parameters of the subjects at these places; with replicates, of all."""
        given = {name: v[part.start : part.stop] if np.ndim(v) else v for name, v in self.own.items()}
        if not self.drawn:
            return given
        from lissive.simulation.draw import draw

        drawn = draw(len(part) // self.replicates, seed=self.seed, first=part.start).parameters
        return {name: _again(values, self.replicates) for name, values in drawn.items()} | given


def asked(
    model: str | Path | Equations,
    events: Any,
    subjects: Any,
    when: tuple[Any, Any, Any],
    select: Any,
    parameters: Any,
    initial: Any,
    population: Any,
    replicates: Any,
    covariates: Any,
    how: tuple[Any, Any, Any, Any],
    seed: Any,
) -> Asked:
    """What `simulate` is asked, checked. Raises a LissiveError for whatever cannot be run as asked."""
    equations = _model(model)
    drawn_from = None if population is None else read_population(population)
    if isinstance(subjects, str | Path):
        subjects = read_subjects(Path(subjects))
    thetas = drawn_from.parameters if drawn_from else ()
    columns = list(subjects.columns) if is_frame(subjects) else []
    starts = given_initial(equations, initial, None)
    named = parameter_of(initial_names(equations, [*starts, *columns, *thetas]))
    base, equations = equations, freed(model, equations, list(named))
    if drawn_from:
        refuse_unknown(drawn_from, [*base.parameters, *starts_of(base)], base.quantities)
        select = select if select is not None else list(drawn_from.sigmas) or None
    outputs = selected(equations, select)
    refuse_names([*outputs, *(names_of(drawn_from, outputs) if drawn_from else ())])
    common = given_parameters(equations, parameters)
    grid = output_times(*when)
    settings = _settings(equations, *how)
    seed = whole_number("seed", seed, wrong=SimulationError, least=0)
    settings = replace(settings, seed=seed)
    replicates = _replicates(replicates, drawn_from)
    used = [name.upper() for name in (*drawn_from.covariates, OCCASION)] if drawn_from else []
    table, grid = _table(events, equations, covariates, grid, used)
    given = [*named, *(drawn_from.covariates if drawn_from else ())]
    count, ids, own, drawn = subjects_of(equations, subjects, table, seed, given)
    known = set() if drawn else {*own}
    _refuse_twice(known, starts, "initial", "the table of subjects")
    elsewhere = {*known, *starts, *common, *(table.varying if table else ())}
    _refuse_twice(elsewhere, thetas, "the population", "the events, the subjects, initial or parameters")
    own |= given_initial(base, initial, count)
    ids = list(ids) * replicates if replicates > 1 else ids
    own = {named.get(name, name): _again(values, replicates) for name, values in own.items()}
    beside = {name: own.pop(name) for name in list(own) if name not in equations.parameters}
    notes = _overlap(table, own, drawn, common)
    people = None
    if drawn_from:
        by_rows = [name for name in drawn_from.covariates if column_of(table, name)]
        _refuse_twice({**own, **beside, **common}, by_rows, "the events", "the subjects or parameters")
        runs = runs_of(table, ids) if table else ()
        beside |= {name: own[name] for name in drawn_from.covariates if name in own and name not in drawn}
        people = Individuals(
            drawn_from, table, runs, ids, beside, seed, replicates, named, by_rows=grid is None
        )  # fmt: skip
        notes += notes_of(drawn_from, outputs)
    if equations.name == "lissive":
        set_here = {**own, **common, **(people.everyone() if people else {})}
        notes += outside(set_here | (table.values() if table else {}))
    is_file = isinstance(model, str | Path) and str(model) not in SHIPPED
    return Asked(
        equations, outputs, table, grid, count * replicates, ids, own, drawn, common, settings, seed,
        str(model) if is_file else "", tuple(notes), used, drawn_from, people, replicates,
    )  # fmt: skip


def afford_memory(run: Asked) -> None:
    """Refuse a run that as a whole would take more than the memory."""
    afford_subjects(run.count, run.equations, run.values)


def whole(run: Asked) -> tuple[xr.Dataset, Planned]:
    """All subjects at once; and how it was carried out."""
    afford_memory(run)
    part = range(run.count)
    data, planned = solved(run, part)
    if run.people:
        some = range(run.count // run.replicates)  # typical individuals are the same in each replicate
        mine = {n: v for n, v in run.of(part).items() if n not in run.drawn}
        mine |= run.people.parameters(typical=True)
        mine = {n: v[: len(some)] if np.ndim(v) else v for n, v in mine.items()}
        typical = _carried_out(run, some, mine, run.people.vary(typical=True))[1]
        if ended := int((typical.status != 0).sum()):
            why = next(iter(typical.reasons.values()))
            data = noted(data, [f"PRED is missing in {ended} of {len(typical.status)} runs: {why}."])
        again = np.tile(typical.values, (run.replicates, 1, 1))
        data = extended(data, run.people, planned, again, run.outputs)
    return data, planned


def _carried_out(
    run: Asked, part: range, own: Mapping[str, Any], vary: Vary | None
) -> tuple[Planned, Result]:
    equations = run.equations
    planned = plan(equations, run.table, run.ids, run.grid, {**own, **run.common}, part, vary)
    afford_subjects(len(planned.runs), equations, run.values)
    refuse_starting_anew(equations, planned)
    kernel = build(equations, run.outputs, [equations.states[place] for place in planned.regimen.infused])
    if run.settings.device == "gpu":
        from lissive.simulation.engine.gpu import on_gpu

        kernel = on_gpu(kernel)
    mine = {name: np.asarray(v)[planned.subject] if np.size(v) > 1 else v for name, v in own.items()}
    first = part.start * (len(run.table.runs) if run.table else 1)  # one ID's rows are for all
    return planned, follow_courses(
        kernel, planned.regimen, planned.courses, {**mine, **run.common}, run.settings, planned.varying, first
    )


def solved(run: Asked, part: range) -> tuple[xr.Dataset, Planned]:
    """The subjects at the places of `part`: numbers and notes are those of the run of all."""
    equations, outputs, table, grid, settings = run.equations, run.outputs, run.table, run.grid, run.settings
    people, drawn_from = run.people, run.population
    own = run.of(part)
    mine = {**own, **people.parameters()} if people else own
    planned, result = _carried_out(run, part, mine, people.vary() if people else None)
    occasions = [1 if each is None else each.occasion for each in planned.runs]
    wrong = impossible(equations, outputs, result.values) if equations.name == "lissive" else []
    drawn = people.parameters() if people else {}
    set_here = {**({} if run.drawn else own), **drawn, **run.common, **planned.varying}
    data = dataset(
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
            "solver": {
                "method": METHOD,
                **asdict(settings.tolerances),
                **({"device": settings.device} if settings.device != "cpu" else {}),
            },
            "seed": run.seed,
            "steps": int(result.steps.sum()),
            "notes": [*equations.notes, *(table.notes if table else ()), *run.notes, *planned.notes, *wrong],
            "columns": _columns(table, run.used),
            **_origin(equations, outputs, planned.regimen, set_here, run.drawn),
            **({"model_file": run.file} if run.file else {}),
            **({"population": described(drawn_from, outputs)} if drawn_from else {}),
        },
        occasions=occasions if max(occasions, default=1) > 1 else None,
        carried=carried(planned, table, grid) if table else None,
    )
    return data, planned


def _settings(equations: Equations, rtol: Any, atol: Any, threads: Any, device: Any) -> Settings:
    tolerances = Tolerances(
        rtol=number_of("rtol", rtol, wrong=SimulationError),
        atol=number_of("atol", atol, wrong=SimulationError),
    )
    if not isinstance(device, str) or device not in DEVICES:
        raise SimulationError(f"device is {device!r}.", where="device", allowed=f"{' or '.join(DEVICES)}.")
    if device == "gpu":
        from lissive.simulation.engine.gpu import check

        check(equations)
    return Settings(tolerances, threads_of(threads, wrong=SimulationError), device)


def _replicates(replicates: Any, population: Population | None) -> int:
    count = whole_number("replicates", replicates, wrong=SimulationError)
    if count > 1 and population is None:
        raise SimulationError(
            f"replicates is {count}, but there is no population to draw from.",
            where="replicates",
            allowed="1 without a population.",
            do="give a population, or a number of subjects.",
        )
    return count


def _again(values: Any, replicates: int) -> Any:
    """(subject,) values for all replicates."""
    return np.tile(values, replicates) if np.ndim(values) else values


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
    events: Any, equations: Equations, covariates: Any, grid: Any, used: Sequence[str]
) -> tuple[EventTable | None, FloatArray | None]:
    """The events, read; and the output times, each as the time of a row that it all but is."""
    check_mode(covariates)
    table = None
    if events is not None:
        a_table(events, "events", "the path of a comma-separated file, or a DataFrame.")
        table = read_events(events, equations, covariates, used)
    if table and grid is not None:  # 100 times 0.57 is a little less than 57, where a dose may be
        grid = np.unique(snapped(grid, np.unique([at for run in table.runs for at in run.time])))
    if grid is None and not (table and any(len(run.seen) for run in table.runs)):
        raise SimulationError(
            "No output times are given.",
            where="times",
            allowed="until with every; or times; or observation rows (EVID 0) in the events.",
        )
    return table, grid


def _columns(table: EventTable | None, used: Sequence[str]) -> dict[str, Any]:
    """What became of columns that are no dosing columns."""
    if table is None:
        return {}
    return {
        "varying": list(table.varying),
        "covariates": table.covariates,
        "not_used": [name for name in table.carried if name.upper() not in used],
    }


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


def _refuse_twice(own: Iterable[str], given: Iterable[str], by: str, others: str) -> None:
    """To give a parameter or an initial value in two places is refused."""
    if twice := [name for name in given if name in own]:
        raise ParameterError(
            f"{twice[0]} is given by {by}, and by {others} too.",
            where=twice[0],
            allowed="one of the two.",
            do="leave it out of one.",
        )


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

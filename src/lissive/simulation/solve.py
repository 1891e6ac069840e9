"""`simulate`: a model, its subjects and their doses in; a labelled dataset out.

>>> import numpy as np
>>> run = simulate("examples/one_compartment.ant", until=24, every=12)  # doctest: +SKIP
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lissive.arrays import FloatArray
from lissive.errors import ParameterError, SimulationError
from lissive.extras import need
from lissive.given import number_of, threads_of
from lissive.given import whole as whole_number
from lissive.model import load
from lissive.model.equations import Equations
from lissive.model.read import SHIPPED
from lissive.model.read import load as read_model
from lissive.simulation.asked import Asked, whole
from lissive.simulation.covariates import check_mode
from lissive.simulation.engine import MAX_STEPS, Tolerances
from lissive.simulation.event_rows import shown
from lissive.simulation.events import EventTable, read_events
from lissive.simulation.layout import layout_of
from lissive.simulation.output import refuse_names
from lissive.simulation.planned import a_table, given_parameters, is_frame, output_times, runs_of, selected
from lissive.simulation.population.draw import OCCASION, Individuals, column_of
from lissive.simulation.population.read import Population, read_population, refuse_unknown
from lissive.simulation.population.result import names_of, notes_of
from lissive.simulation.run import DEVICES, Settings
from lissive.simulation.subjects import (
    afford_subjects,
    outside,
    read_subjects,
    refuse_impossible,
    subjects_of,
)
from lissive.simulation.unroll import snapped
from lissive.typed import nearest

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr


@dataclass(frozen=True, kw_only=True)
class Inputs:
    """What `simulate` is given, not yet checked; its docstring says what each is."""

    model: Any
    events: Any = None
    subjects: Any = None
    until: Any = None
    every: Any = None
    times: Any = None
    select: Any = None
    parameters: Any = None
    initial: Any = None
    population: Any = None
    replicates: Any = 1
    covariates: Any = "nocb"
    rtol: Any = 1e-6
    atol: Any = 0.0
    threads: Any = None
    seed: Any = 1
    device: Any = "cpu"
    max_steps: Any = MAX_STEPS


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
    max_steps: int = MAX_STEPS,
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
    rtol, atol : tolerances; rtol is 2.3e-14 to 0.1; an atol of 0 follows the size that each state has had
        (see engine.Tolerances).
    threads : all cores if not given.
    seed : of all that is drawn.
    device : `cpu`, or `gpu` for an NVIDIA GPU (pip install 'lissive[gpu]'; models without events).
    max_steps : a subject's run ends, with a message, after so many steps of the solver.

    Returns
    -------
    dataset with dims (subject, time); `status` is 0 where a subject's run went well, else `message` says why. Where
    subjects are observed at rows of their own that differ in time, the dims are (subject, record), and `time` has
    both. A subject with several occasions stands there once for each, with the coordinate `occasion`.

    Raises       a LissiveError for whatever cannot be run as asked.
    """
    return whole(
        asked(
            Inputs(
                model=model, events=events, subjects=subjects, until=until, every=every, times=times,
                select=select, parameters=parameters, initial=initial, population=population,
                replicates=replicates, covariates=covariates, rtol=rtol, atol=atol, threads=threads, seed=seed,
                device=device, max_steps=max_steps,
            )
        )
    )[0]  # fmt: skip


def asked(inputs: Inputs) -> Asked:
    """What `simulate` is asked, checked. Raises a LissiveError for whatever cannot be run as asked."""
    need("simulate", "The result of a run", where="simulate", wrong=SimulationError)
    equations = _model(inputs.model)
    drawn_from = None if inputs.population is None else read_population(inputs.population)
    subjects, select = inputs.subjects, inputs.select
    if isinstance(subjects, str | Path):
        subjects = read_subjects(Path(subjects))
    thetas = drawn_from.parameters if drawn_from else ()
    columns = list(subjects.columns) if is_frame(subjects) else []
    starts = given_initial(equations, inputs.initial, None)
    named = parameter_of(initial_names(equations, [*starts, *columns, *thetas]))
    base, equations = equations, freed(inputs.model, equations, list(named))
    if drawn_from:
        refuse_unknown(drawn_from, [*base.parameters, *starts_of(base)], base.quantities)
        select = select if select is not None else list(drawn_from.sigmas) or None
    outputs = selected(equations, select)
    refuse_names([*outputs, *(names_of(drawn_from, outputs) if drawn_from else ())])
    common = given_parameters(equations, inputs.parameters)
    grid = output_times(inputs.until, inputs.every, inputs.times)
    seed = whole_number("seed", inputs.seed, wrong=SimulationError, least=0)
    settings = replace(_settings(equations, inputs), seed=seed)
    replicates = _replicates(inputs.replicates, drawn_from)
    used = [name.upper() for name in (*drawn_from.covariates, OCCASION)] if drawn_from else []
    table, grid = _table(inputs.events, equations, inputs.covariates, grid, used)
    given = [*named, *(drawn_from.covariates if drawn_from else ())]
    count, ids, own, drawn = subjects_of(equations, subjects, table, seed, given)
    if replicates > 1:
        afford_subjects(count, equations, len(outputs), replicates)
    known = set() if drawn else {*own}
    _refuse_twice(known, starts, "initial", "the table of subjects")
    elsewhere = {*known, *starts, *common, *(table.varying if table else ())}
    places = {name: drawn_from.thetas[name].where for name in thetas} if drawn_from else {}
    _refuse_twice(
        elsewhere, thetas, "the population", "the events, the subjects, initial or parameters", places
    )
    own |= given_initial(base, inputs.initial, count)
    layout = layout_of(table, ids, grid, replicates)
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
            drawn_from, table, runs, ids, beside, seed, replicates, named, grid is None, count
        )  # fmt: skip
        notes += notes_of(drawn_from, outputs)
    set_here = {**own, **common, **(people.parameters() if people else {})}
    if equations.name == "lissive":
        refuse_impossible(equations, set_here, ids)
        every = {**set_here, **(people.everyone() if people else {}), **(table.values() if table else {})}
        notes += outside(every)
    is_file = isinstance(inputs.model, str | Path) and str(inputs.model) not in SHIPPED
    return Asked(
        equations, outputs, table, grid, layout, count * replicates, count, ids, own, drawn, common, settings,
        seed, str(inputs.model) if is_file else "", tuple(notes), used, drawn_from, people,
    )  # fmt: skip


def _settings(equations: Equations, inputs: Inputs) -> Settings:
    tolerances = Tolerances(
        rtol=number_of("rtol", inputs.rtol, wrong=SimulationError),
        atol=number_of("atol", inputs.atol, wrong=SimulationError),
        max_steps=whole_number("max_steps", inputs.max_steps, wrong=SimulationError, most=10**12),
    )
    device = inputs.device
    if not isinstance(device, str) or device not in DEVICES:
        raise SimulationError(
            f"device is {device!r}.",
            where="device",
            allowed=f"{' or '.join(DEVICES)}.",
            do="name one of the two.",
        )
    if device == "gpu":
        from lissive.simulation.engine.gpu import check

        check(equations)
    return Settings(tolerances, threads_of(inputs.threads, wrong=SimulationError), device)


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
            do="give one of these.",
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
            do="say when values are wanted, in one of these ways.",
        )
    return table, grid


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


def _refuse_twice(
    own: Iterable[str], given: Iterable[str], by: str, others: str, at: Mapping[str, str] | None = None
) -> None:
    """To give a parameter or an initial value in two places is refused. at : name to its place, where that is known."""
    if twice := [name for name in given if name in own]:
        raise ParameterError(
            f"{twice[0]} is given by {by}, and by {others} too.",
            where=(at or {}).get(twice[0], twice[0]),
            allowed="one of the two.",
            do="leave it out of one.",
        )


def starts_of(equations: Equations) -> list[str]:
    """All initial values that can be set."""
    free = [
        name for name in equations.quantities if name.removeprefix("[").removesuffix("]") in equations.states
    ]
    return [name for name in free if name not in equations.parameters]


def initial_names(equations: Equations, names: Iterable[str]) -> list[str]:
    """Those of `names` that stand for initial values.

    Raises       ParameterError where both the amount and the concentration of a species are among them.
    """
    known = starts_of(equations)
    found = [name for name in dict.fromkeys(names) if name in known]
    if twice := [name for name in found if f"[{name}]" in found]:
        raise ParameterError(
            f"{twice[0]} and [{twice[0]}] are both given as initial values.",
            where=twice[0],
            allowed=f"{twice[0]}, the initial amount; or [{twice[0]}], the initial concentration.",
            do="leave one out.",
        )
    return found


def freed(model: Any, equations: Equations, names: list[str]) -> Equations:
    """The model with these initial values as parameters, see `parameter_of`."""
    if not names:
        return equations
    if not isinstance(model, str | Path):
        raise ParameterError(
            f"The initial value of {names[0]} cannot be set in equations that are loaded already: what the model "
            "computes from it at its start would not follow.",
            where=names[0],
            allowed="the model's name, or the path of an .ant or .xml file.",
            do="give the path in place of the equations.",
        )
    return read_model(model, names)


def parameter_of(names: Iterable[str]) -> dict[str, str]:
    """Initial value to the parameter that it is in `freed` equations."""
    return {name: f"{name}(0)" for name in names}


def given_initial(equations: Equations, initial: Any, subjects: int | None) -> dict[str, Any]:
    """`initial` of a call, checked: state to one number, or to (subject,) numbers.

    subjects : None where they are not counted yet: the names alone are checked.
    """
    if initial is None:
        return {}
    if not isinstance(initial, Mapping):
        allowed = "states to numbers, as {'A_gut': 100.0} or {'[C]': [0.0, 1.5]}."
        raise ParameterError(
            f"initial is {shown(initial)}.", where="initial", allowed=allowed, do="give a dictionary."
        )
    known = starts_of(equations)
    for name in initial:
        if name not in known:
            raise ParameterError(
                f"{name} is no state of model {equations.name}.{nearest(name, known)}",
                where="initial",
                allowed=f"{', '.join(known)}.",
                do="correct the name; what the model computes has no initial value to set.",
            )
    if subjects is None:
        return dict(initial)
    return {name: _numbers(name, value, subjects) for name, value in initial.items()}


def _numbers(name: str, value: Any, subjects: int) -> float | FloatArray:
    try:
        numbers = np.asarray(value, dtype=float)
    except (TypeError, ValueError):
        numbers = np.full(1, np.nan)
    if numbers.shape in ((), (subjects,)) and np.isfinite(numbers).all():
        return numbers if numbers.ndim else float(numbers)
    what = shown(value) if numbers.ndim < 1 or len(numbers) < 4 else f"an array of shape {numbers.shape}"
    raise ParameterError(
        f"The initial value of {name} is {what}.",
        where="initial",
        allowed=f"a finite number, or {subjects} of them, one for each subject.",
        do="give a number, or as many as there are subjects.",
    )

"""What a run is asked, read and checked; and its solution, of all subjects at once or of some.

A subject's numbers are the same in any part: random numbers go by places, and the form of the result is that of all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from lissive.arrays import FloatArray
from lissive.model.equations import Equations
from lissive.simulation.engine import METHOD, build
from lissive.simulation.events import EventTable, Run
from lissive.simulation.layout import Layout, carried, padded, seen_times
from lissive.simulation.origin import model_hash, origin
from lissive.simulation.output import Rows, dataset, told
from lissive.simulation.planned import Planned, Vary, each_run, plan, refuse_starting_anew
from lissive.simulation.population.draw import Individuals
from lissive.simulation.population.read import Population
from lissive.simulation.population.result import Typical, described, extended
from lissive.simulation.run import MEANING, Result, Settings, follow_courses
from lissive.simulation.subjects import afford_subjects, impossible, refuse_impossible
from lissive.versions import data_versions

if TYPE_CHECKING:
    import xarray as xr


@dataclass(frozen=True, eq=False)
class Asked:
    """What a run is asked, read and checked; it is the same whichever of the subjects are solved."""

    equations: Equations
    outputs: Sequence[str]
    table: EventTable | None
    grid: FloatArray | None
    layout: Layout
    count: int
    """Of subjects here, in all replicates."""
    each: int
    """Subjects of one replicate."""
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
    first: int = 0
    """Place of the first subject here among those of all replicates."""

    @property
    def values(self) -> int:
        """How many each subject has of the solver."""
        return self.layout.rows * len(self.outputs)

    @property
    def kept(self) -> int:
        """How many numbers each subject has in the result."""
        outputs = len(self.outputs) * (3 if self.people else 1)
        return self.layout.rows * (outputs + (len(self.table.carried) if self.table else 0))

    @property
    def alike(self) -> int:
        """Subjects of which each replicate here has one; the replicates here repeat them."""
        return min(self.count, self.each)

    def part(self, part: range) -> dict[str, Any]:
        """The fields of the same run of the subjects at these places: within a replicate, or whole replicates."""
        here = slice(part.start, part.stop)
        ids = self.ids[here]
        table = self.table
        if table and len(table.subjects) > 1:
            table = table.only(list(dict.fromkeys(ids)))
        return {
            "table": table,
            "count": len(part),
            "ids": ids,
            "own": {name: value[here] if np.ndim(value) else value for name, value in self.own.items()},
            "people": self.people and self.people.part(part, table),
            "first": self.first + part.start,
        }

    def given(self) -> dict[str, Any]:
        """Parameters that subjects were given, or that are drawn from the model's tables."""
        if not self.drawn:
            return dict(self.own)
        from lissive.simulation.draw import draw

        drawn = draw(self.alike, seed=self.seed, first=self.first % self.each).parameters
        again = self.count // self.alike
        return {n: np.tile(v, again) if np.ndim(v) else v for n, v in drawn.items()} | dict(self.own)

    def runs(self) -> list[Run]:
        """Rows of each subject and occasion, with what the population says of them."""
        assert self.table is not None
        return each_run(self.table, self.ids, self.people.vary() if self.people else None)[0]

    def runs_before(self, first: int) -> int:
        """How many runs there are before those of the subject at this place."""
        before = self.layout.runs_before
        if not len(before):
            return first * self.layout.each
        replicate, place = divmod(first, self.each)
        return int(replicate * before[-1] + before[place])


def afford_memory(run: Asked) -> None:
    """Refuse a run that as a whole would take more than the memory."""
    afford_subjects(run.count, run.equations, run.values)


def whole(run: Asked) -> tuple[xr.Dataset, Planned]:
    """All subjects at once; and how it was carried out."""
    afford_memory(run)
    data, planned = solved(run)
    return told(data), planned


def solved(run: Asked) -> tuple[xr.Dataset, Planned]:
    """These subjects: numbers and notes are those of the run of all. What was counted is not yet told."""
    people, own = run.people, run.given()
    mine = {**own, **people.parameters()} if people else own
    planned, result = _carried_out(run, run.ids, mine, people.vary() if people else None, run.first)
    given = {**({} if run.drawn else own), **(people.parameters() if people else {})}
    data = _labelled(run, planned, result, given)
    if people is None:
        return data, planned
    return extended(data, people, planned, _typical(run, own, people), run.outputs), planned


def _typical(run: Asked, own: Mapping[str, Any], people: Individuals) -> Typical:
    """Typical individuals, who are the same in each replicate."""
    some = run.alike
    mine = {name: value for name, value in own.items() if name not in run.drawn}
    mine |= people.parameters(typical=True)
    mine = {name: value[:some] if np.ndim(value) else value for name, value in mine.items()}
    first = run.first % run.each
    result = _carried_out(run, run.ids[:some], mine, people.vary(typical=True), first)[1]
    values = np.tile(padded(result.values, run.layout), (run.count // some, 1, 1))
    ended = int((result.status != 0).sum()) if run.first < run.each else 0
    return Typical(values, ended, run.runs_before(run.each), next(iter(result.reasons.values()), ""))


def _carried_out(
    run: Asked, ids: Sequence[int | str], own: Mapping[str, Any], vary: Vary | None, first: int
) -> tuple[Planned, Result]:
    equations = run.equations
    planned = plan(equations, run.table, ids, run.grid, {**own, **run.common}, vary)
    afford_subjects(len(planned.runs), equations, run.values)
    refuse_starting_anew(equations, planned)
    kernel = build(equations, run.outputs, [equations.states[place] for place in planned.regimen.infused])
    if run.settings.device == "gpu":
        from lissive.simulation.engine.gpu import on_gpu

        kernel = on_gpu(kernel)
    mine = {name: np.asarray(v)[planned.subject] if np.size(v) > 1 else v for name, v in own.items()}
    if equations.name == "lissive" and planned.varying:
        beside = {name: value for name, value in mine.items() if name not in run.drawn}
        refuse_impossible(
            equations, {**beside, **run.common, **planned.varying}, [ids[s] for s in planned.subject]
        )
    return planned, follow_courses(
        kernel,
        planned.regimen,
        planned.courses,
        {**mine, **run.common},
        run.settings,
        planned.varying,
        run.runs_before(first),
    )


def _labelled(run: Asked, planned: Planned, result: Result, given: Mapping[str, Any]) -> xr.Dataset:
    """The result with its names, units and provenance; given : parameters that are not the tables' own."""
    equations, outputs, table, grid, settings = run.equations, run.outputs, run.table, run.grid, run.settings
    runs = [each for each in planned.runs if each is not None]
    wrong = impossible(equations, outputs, result.values) if equations.name == "lissive" else []
    set_here = {**given, **run.common, **planned.varying}
    ids = [run.ids[s] for s in planned.subject.tolist()]
    rows = Rows(
        [str(each) for each in ids] if run.layout.texts else ids,
        result.status,
        [
            "" if code == 0 else result.reasons.get(s, MEANING[int(code)].format(cycles=settings.ss_cycles))
            for s, code in enumerate(result.status)
        ],
        [each.occasion for each in runs] if run.layout.several else None,
    )
    return dataset(
        padded(result.values, run.layout),
        seen_times(run.layout, runs),
        rows,
        outputs,
        units={**equations.units, "time": equations.time_unit},
        labels=equations.labels,
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
            "notes": [
                *equations.notes, *(table.notes if table else ()), *run.notes, *run.layout.notes, *wrong
            ],
            "columns": _columns(table, run.used),
            **_origin(run, set_here),
            **({"data_versions": data_versions("model")} if equations.name == "lissive" else {}),
            **({"model_file": run.file} if run.file else {}),
            **({"population": described(run.population, outputs)} if run.population else {}),
        },
        carried=carried(run.layout, table, runs, grid) if table else None,
    )  # fmt: skip


def _columns(table: EventTable | None, used: Sequence[str]) -> dict[str, Any]:
    """What became of columns that are no dosing columns."""
    if table is None:
        return {}
    return {
        "varying": list(table.varying),
        "covariates": table.covariates,
        "not_used": [name for name in table.carried if name.upper() not in used],
    }


def _origin(run: Asked, given: Mapping[str, Any]) -> dict[str, Any]:
    """What the run rested on."""
    cause = ""
    if run.equations.name == "lissive":
        from lissive.model.parameters import DEFAULT_CAUSE

        cause = DEFAULT_CAUSE
    return origin(run.equations, run.outputs, run.layout.dosed, given, run.drawn, cause)

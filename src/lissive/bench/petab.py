"""PEtab problems: all conditions solved at the nominal parameters, beside libRoadRunner and a stored simulation.

What is timed is the solution of all conditions, without reading the problem and without observables' formulas; our time
includes the checks that every run makes, a hundredth of a second or so.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lissive.arrays import FloatArray
from lissive.bench import peer
from lissive.errors import InterchangeError

if TYPE_CHECKING:
    from lissive.interchange.petab_run import Runs

TOLERANCES = (1e-4, 1e-6, 1e-8)
TIGHT = 1e-11
SHARE = 1e-4
"""libRoadRunner's absolute tolerance, by the relative one; ours: of the largest so far."""
OURS, PEER = "lissive", "libroadrunner"
Seen = dict[str, FloatArray]


def problems_in(places: Sequence[Path]) -> list[Path]:
    """YAML files of problems: a file, a folder that has one, or a folder of such folders."""
    found: list[Path] = []
    for place in places:
        inside = sorted(place.glob("*.y*ml")) or sorted(place.glob("*/*.y*ml")) if place.is_dir() else [place]
        if not inside or not inside[0].is_file():
            raise InterchangeError(
                "there is no PEtab problem.",
                where=str(place),
                allowed="the YAML file of a problem, a folder that has one, or a folder of such folders.",
                do="correct --petab.",
            )
        found += inside
    return found


def measured(
    places: Sequence[Path], repeats: int, say: Callable[[str], None] = lambda _: None
) -> list[dict[str, Any]]:
    """One entry for each problem; one that cannot be run says why."""
    found = []
    for path in problems_in(places):
        name = path.parent.name
        say(f"PEtab: {name}")
        try:
            found.append({"problem": name, **_one(path, repeats)})
        except InterchangeError as error:
            found.append({"problem": name, "not": error.what})
    return found


def _one(path: Path, repeats: int) -> dict[str, Any]:
    from lissive.interchange.petab import fit, runs_of

    known = fit(path, rtol=TIGHT, threads=1)
    runs = runs_of(known.problem, rtol=TIGHT)
    reference = runs.seen()
    rows = [_ours(runs_of(known.problem, rtol=rtol), reference, rtol, repeats) for rtol in TOLERANCES]
    theirs, why = _theirs(runs, reference, repeats)
    return {
        "states": len(runs.states),
        "conditions": known.experiments,
        "measurements": len(known.simulation),
        "log_likelihood": known.log_likelihood,
        "chi_squared": known.chi_squared,
        "stored": _beside_stored(path, known.simulation),
        "rows": [*rows, *theirs],
        **({"peer_not": why} if why else {}),
    }


def _ours(runs: Runs, reference: Seen, rtol: float, repeats: int) -> dict[str, Any]:
    def go() -> Seen:
        return runs.seen()

    go()  # the model is compiled once
    seconds, seen = _best(go, repeats)
    return {"engine": OURS, "rtol": rtol, "seconds": seconds, "max_error": _error(seen, reference)}


def _theirs(runs: Runs, reference: Seen, repeats: int) -> tuple[list[dict[str, Any]], str]:
    """Rows of libRoadRunner; or none, and why."""
    if not peer.present():
        return [], "libRoadRunner is not installed (pip install libroadrunner)"
    if any(each.before for each in runs.experiments) or not np.isfinite(runs.at).all():
        return [], "libRoadRunner is not asked for steady states"
    solver = _RoadRunner(runs)
    rows: list[dict[str, Any]] = []
    for rtol in TOLERANCES:
        try:
            seconds, seen = _best(lambda rtol=rtol: solver.seen(rtol), repeats)  # type: ignore[misc]
        except RuntimeError as error:
            return rows, f"libRoadRunner: {' '.join(str(error).split())[:120]}"
        rows.append({"engine": PEER, "rtol": rtol, "seconds": seconds, "max_error": _error(seen, reference)})
    return rows, ""


class _RoadRunner:
    """A model for each experiment, loaded once, with what the tables give as its own numbers."""

    def __init__(self, runs: Runs) -> None:
        import roadrunner

        roadrunner.Logger.setLevel(roadrunner.Logger.LOG_FATAL)
        self.runs, self.models = runs, {}
        for each, values in runs.given().items():
            with peer.quiet():
                model = roadrunner.RoadRunner(_with(runs.text, str(runs.problem.model), values))
            model.timeCourseSelections = [runs.values.ids[name] for name in runs.select]
            model.getIntegrator().setValue("stiff", True)
            model.getIntegrator().setValue("maximum_num_steps", peer.MAX_STEPS)
            mine = np.array([one == each for one in runs.row_of])
            times = np.unique(runs.at[mine])
            grid = times if times[0] == 0.0 else np.append(0.0, times)
            grid = grid if len(grid) > 1 else np.array([0.0, 1e-9])  # it has to go on to something
            self.models[each] = (model, mine, grid, np.searchsorted(grid, runs.at[mine]))

    def seen(self, rtol: float) -> Seen:
        found = {name: np.full(len(self.runs.at), np.nan) for name in self.runs.select}
        with peer.quiet():
            for model, mine, grid, rows in self.models.values():
                solver = model.getIntegrator()
                solver.setValue("relative_tolerance", rtol)
                solver.setValue("absolute_tolerance", rtol * SHARE)
                model.resetAll()
                course = np.array(model.simulate(times=grid.tolist()))
                for k, name in enumerate(self.runs.select):
                    found[name][mine] = course[rows, k]
        return found


def _with(text: str, name: str, values: Mapping[str, float]) -> str:
    """SBML that starts with these values."""
    import libsbml

    from lissive.interchange.settable import PREFIX, settable
    from lissive.model.source import read_document

    document = read_document(settable(text, name, sorted(values)), name)
    for each, value in values.items():
        document.getModel().getParameter(PREFIX + each).setValue(value)
    return str(libsbml.writeSBMLToString(document))


def _best(go: Callable[[], Seen], repeats: int) -> tuple[float, Seen]:
    best, seen = math.inf, {}
    for _ in range(repeats):
        before = time.process_time()
        seen = go()
        best = min(best, time.process_time() - before)
    return best, seen


def _error(seen: Seen, reference: Seen) -> float:
    """The largest over ids and measurements, by the id's largest value."""
    return max(
        float(np.abs(seen[name] - values).max() / (np.abs(values).max() or 1.0))
        for name, values in reference.items()
    )


def _beside_stored(path: Path, ours: FloatArray) -> dict[str, Any] | None:
    """The largest difference from a simulation that is stored beside the problem, by its largest value."""
    import pandas as pd

    for place in sorted(path.parent.glob("simul*.tsv")):
        table = pd.read_csv(place, sep="\t")
        if "simulation" in table and len(table) == len(ours):
            theirs = table["simulation"].to_numpy(float)
            size = np.abs(theirs).max() or 1.0
            return {"file": place.name, "max_difference": float(np.abs(ours - theirs).max() / size)}
    return None


def lines(found: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """The part of the page."""
    from lissive.report.table import as_markdown, table

    if not found:
        return
    yield from ("## PEtab problems", "", *ABOUT, "")
    rows = [
        (
            each["problem"],
            row["engine"],
            f"{row['rtol']:.0e}",
            f"{row['seconds']:.3g}",
            f"{row['max_error']:.2g}",
        )
        for each in found
        for row in each.get("rows", ())
    ]
    yield as_markdown(
        table("", "problem|solver|relative tolerance|seconds, all conditions|largest error", rows)
    )
    yield ""
    facts = [
        (
            each["problem"],
            str(each["states"]),
            str(each["conditions"]),
            str(each["measurements"]),
            f"{each['log_likelihood']:.6g}",
            f"{each['stored']['max_difference']:.2g}" if each["stored"] else "none stored",
        )
        for each in found
        if "not" not in each
    ]
    heads = "problem|states|conditions|measurements|log-likelihood|difference from the stored simulation"
    yield as_markdown(table("", heads, facts))
    yield ""
    yield from (f"- {each['problem']}: {each['not']}" for each in found if "not" in each)
    yield from (f"- {each['problem']}: {each['peer_not']}." for each in found if "peer_not" in each)
    yield ""


ABOUT = (
    "All conditions of a problem, at its nominal parameters, one thread. Error is the largest over what the "
    "observables use, by each quantity's largest value, against Lissive at a relative tolerance of 1e-11. Where a "
    "simulation by another tool is stored beside a problem, the largest difference from it is given by its largest "
    "value. Time is processor time without set-up; ours has the checks and the labelled result of every "
    "`simulate`, some 10 ms, which on small problems is most of it.",
)

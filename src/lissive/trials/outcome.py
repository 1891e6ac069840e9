"""Events beside ratings: discontinuation, dizziness, treatment failure; and the data of each replicate."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from lissive.arrays import BoolArray, FloatArray, IntArray
from lissive.simulation.streams import uniforms
from lissive.trials.data import ADVERSE, NO_EFFECT, OTHER, STAYED
from lissive.trials.design import Design
from lissive.trials.measures import MEASURES
from lissive.trials.observe import BEFORE, Ratings, _days

if TYPE_CHECKING:
    from lissive.trials.conduct import Enrolled

HOURS = 24.0
Seeds = Sequence[tuple[int, IntArray]]


def _chance(seeds: Seeds, screening_id: IntArray, purpose: str) -> FloatArray:
    """(patient,) one number each between 0 and 1."""
    u = np.empty(len(screening_id))
    for seed, members in seeds:
        if len(members):
            u[members] = uniforms(seed, purpose, int(screening_id[members].max()) + 1)[screening_id[members]]
    return u


def left_of(
    history: Sequence[FloatArray],
    outputs: Sequence[str],
    seeds: Seeds,
    screening_id: IntArray,
    limit: Mapping[str, FloatArray],
    start: int,
) -> tuple[FloatArray, IntArray]:
    """(patient,) days until each leaves, infinite who stays, and why.

    Parameters
    ----------
    history : a day: (patient, output) means; the first is day `start`.
    """
    part = {name: np.stack([day[:, outputs.index(name)] for day in history], axis=1) * HOURS for name in
            ("dropout_hazard", "leave_adverse", "leave_effect")}  # fmt: skip
    so_far = np.cumsum(part["dropout_hazard"], axis=1)
    threshold = -np.log(_chance(seeds, screening_id, f"leaves: from day {start}"))
    gone = so_far >= threshold[:, None]
    day = np.argmax(gone, axis=1)
    leaves = gone.any(axis=1)
    rows = np.arange(len(day))
    hazard = {name: values[rows, day] for name, values in part.items()}
    other = hazard["dropout_hazard"] - hazard["leave_adverse"] - hazard["leave_effect"]
    adverse = hazard["leave_adverse"] + limit["other_adverse"] * other
    u = _chance(seeds, screening_id, f"leaves: why, from day {start}") * hazard["dropout_hazard"]
    reason = np.where(u < adverse, ADVERSE, np.where(u < adverse + hazard["leave_effect"], NO_EFFECT, OTHER))
    return np.where(leaves, day + 1.0, np.inf), np.where(leaves, reason, STAYED)


def failure_day(
    design: Design,
    ratings: Ratings,
    levels: Callable[[str, int, int], FloatArray],
    start: int,
    baseline: Mapping[str, FloatArray],
    left: FloatArray,
) -> FloatArray:
    """(patient,) days from randomisation until the week's rating has risen by the share, or until leaving."""
    wanted = next((e for e in design.endpoints if e.measure == "failure"), None)
    if wanted is None:
        return np.full(len(left), np.nan)
    name, total = design.relief, design.days
    window = design.diary_days
    level = levels(MEASURES[name].output, start + total - 1, total)
    place = slice(BEFORE + start, BEFORE + start + total)
    each = _days(MEASURES[name], ratings, name, level, place) * ratings.filled[:, place]
    kernel = np.cumsum(np.pad(each, ((0, 0), (1, 0))), axis=1)
    count = np.cumsum(np.pad(ratings.filled[:, place], ((0, 0), (1, 0))), axis=1)
    total_of = kernel[:, window:] - kernel[:, :-window]
    n = count[:, window:] - count[:, :-window]
    mean = np.divide(total_of, n, out=np.full(total_of.shape, -np.inf), where=n > 0)
    limit = baseline[name][:, :1] * (1.0 + (wanted.rises_by_pct or 0.0) / 100.0)
    over = mean >= limit
    day = np.where(over.any(axis=1), np.argmax(over, axis=1) + float(window), np.inf)
    failed: FloatArray = np.minimum(day, left)
    return failed


def dizzy_in(run: Enrolled, left: FloatArray, start: int, starts: Sequence[int]) -> BoolArray:
    """(patient, period) whether anybody was dizzy before leaving.

    How prone somebody is stays theirs: who was dizzy in the run-in is not newly dizzy after it.
    """
    k = run.output("dizziness_hazard")
    chance = _chance(run.seeds(), run.screening_id, "dizziness, period 0")

    def risk(first: int, last: int, stays: FloatArray) -> FloatArray:
        hazard = np.stack([run.means[d][:, k] for d in range(first, last)], axis=1) * HOURS
        there = np.arange(first, last)[None] < stays[:, None]
        total: FloatArray = (hazard * there).sum(axis=1)
        return total

    before = risk(0, start, np.full(len(left), np.inf)) if start else np.zeros(len(left))
    known = chance < 1.0 - np.exp(-before)
    found = []
    for s in starts:
        so_far = before + risk(s, s + run.design.days, left + start)
        found.append((chance < 1.0 - np.exp(-so_far)) & ~known)
    result: BoolArray = np.stack(found, axis=1)
    return result

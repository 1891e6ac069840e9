"""One replicate of many patients in blocks: who is randomised, without all of them in memory on their way.

Patients go through the run-in block after block, and only who was kept, and their stratum, is remembered. Once all are
known and allocated, each block of those who are randomised goes the whole way again: everybody's random numbers go by
their number at screening, so that they do the same as before.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from lissive.arrays import IntArray
from lissive.simulation.run import Settings
from lissive.trials.design import Design
from lissive.trials.enrol import Enrolled, go_through_run_in
from lissive.trials.people import People, Response, recruit
from lissive.trials.rounds import Entered, first_kept, first_round, missing

PATIENTS_AT_ONCE = 6000
"""So many patients are simulated together."""


def entering(design: Design) -> int:
    """How many patients a replicate has, about."""
    run_in = design.run_in
    return (run_in.patients or 2 * (design.patients or 1)) if run_in else design.patients or 1


def parts_of(patients: int) -> Iterator[IntArray]:
    """Places of each block."""
    for start in range(0, patients, PATIENTS_AT_ONCE):
        yield np.arange(start, min(start + PATIENTS_AT_ONCE, patients))


@dataclass(frozen=True)
class Chosen:
    """Those to be randomised of one replicate, in the order of screening; and how many it took."""

    people: People
    stratum: IntArray
    screened: int
    entered: int
    left_run_in: int


def choose(design: Design, replicate: int, response: Response, seed: int, settings: Settings) -> Chosen:
    """Screen, treat in the run-in and keep people, as `enrol` does, block by block.

    Raises       DesignError where nobody can be randomised.
    """
    needed, after = first_round(design), 0
    groups: list[People] = []
    rounds: list[Entered] = []
    strata_kept: list[IntArray] = []
    while needed:
        group = recruit(design, replicate, seed=seed, response=response, needed=needed, first=after)
        groups.append(group)
        for block in parts_of(len(group)):
            entered, stratum = _entered(design, group.take(block), settings)
            rounds.append(entered)
            strata_kept.append(stratum)
        after = group.screened
        (needed,) = missing(design, rounds, [group])
    everybody = People.joined(groups)
    members, counts = first_kept(design, [everybody], rounds)
    kept = np.flatnonzero(np.concatenate([each.kept for each in rounds]))
    screened, entered_run_in, left = (int(each[0]) for each in counts)
    return Chosen(
        everybody.take(kept[members]), np.concatenate(strata_kept)[members], screened, entered_run_in, left
    )


def _entered(design: Design, people: People, settings: Settings) -> tuple[Entered, IntArray]:
    """One block through the run-in; and the stratum of those who are kept."""
    n = len(people)
    if (
        design.run_in is None and not design.strata
    ):  # nothing need be known of them before they are randomised
        all_of_them, nobody = np.ones(n, bool), np.zeros(n, bool)
        index = np.zeros(n, np.int64)
        return Entered(
            replicate_index=index, screening_id=people.screening_id, left=nobody, kept=all_of_them
        ), index
    found = go_through_run_in(design, [people], settings)
    light = Entered(
        replicate_index=found.replicate_index,
        screening_id=found.screening_id,
        left=found.left,
        kept=found.kept,
    )
    return light, strata(found.run)


def strata(run: Enrolled) -> IntArray:
    """(patient,) number of the stratum, from the ratings just before randomisation."""
    number = np.zeros(len(run), np.int64)
    for k, each in enumerate(run.design.strata):
        number += (run.observed(each.measure, run.day - 1) >= each.cut).astype(np.int64) << k
    return number

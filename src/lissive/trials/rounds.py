"""Rounds in which people enter a run-in: how many are still missing, and who of those kept is randomised.

How large the rounds are changes nobody: who would have come after the last who was needed was never screened.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lissive.arrays import BoolArray, IntArray
from lissive.errors import DesignError
from lissive.trials.design import Design
from lissive.trials.people import People

FIRST_SHARE, FIRST_SHARE_ALL, LEAST_SHARE = 0.5, 0.85, 0.01
"""Share of those entering a run-in that the first round counts on to be kept, with selection and without; and the
least that any round counts on."""
MOST_GROWTH = 4
"""A round is no larger than so many times all before it: a share that nobody knows yet would make it huge."""
MOST_FOR_NONE = 1000
"""Who enter a run-in, over all replicates together, until it is given up where none was kept."""


@dataclass(frozen=True, kw_only=True)
class Entered:
    """People who entered together, and which of them are kept."""

    replicate_index: IntArray
    """Of all who entered."""
    screening_id: IntArray
    left: BoolArray
    """Who discontinued in the run-in."""
    kept: BoolArray

    def count(self, replicates: int) -> IntArray:
        """(replicate,) how many are kept."""
        return np.bincount(self.replicate_index[self.kept], minlength=replicates)


def first_round(design: Design) -> int:
    run_in = design.run_in
    if run_in is None or design.patients is None or run_in.patients is not None:
        return (run_in.patients if run_in and run_in.patients else design.patients) or 0
    return int(design.patients / (FIRST_SHARE if run_in.keep or run_in.established else FIRST_SHARE_ALL)) + 1


def missing(design: Design, rounds: Sequence[Entered], people: Sequence[People]) -> list[int]:
    """How many more are to enter each replicate."""
    if design.run_in is None or design.patients is None or design.run_in.patients is not None:
        return [0] * len(people)
    kept = sum((each.count(len(people)) for each in rounds), np.zeros(len(people), np.int64))
    entered = sum(len(each.kept) for each in rounds)
    if not kept.sum() and entered >= MOST_FOR_NONE:
        return [0] * len(people)
    share = max(float(kept.sum()) / max(entered, 1), LEAST_SHARE)
    most = MOST_GROWTH * entered // len(people) + 8
    return [
        min(int(1.1 * (design.patients - n) / share) + 8, most)
        if n < design.patients and each.screened < design.population.most_screened
        else 0
        for n, each in zip(kept.tolist(), people, strict=True)
    ]


def first_kept(
    design: Design, people: Sequence[People], rounds: Sequence[Entered]
) -> tuple[IntArray, Sequence[IntArray]]:
    """Places among all who were kept of those to be randomised; and how many were screened, entered and left for it."""
    index, number, left, kept = (
        np.concatenate([getattr(each, name) for each in rounds])
        for name in ("replicate_index", "screening_id", "left", "kept")
    )
    mine_of, number_of = index[kept], number[kept]
    order = np.lexsort((number_of, mine_of))
    chosen, counts = [], []
    for k, each in enumerate(people):
        mine = order[mine_of[order] == k][: design.patients]
        full = design.patients is not None and len(mine) == design.patients
        last = int(number_of[mine[-1]]) if full else each.screened - 1
        there = (index == k) & (number <= last)
        known = int((there & ~left).sum()), int((there & kept).sum()), 0
        before = (design.run_in is not None) and design.run_in.established
        counts.append(known if before else (last + 1, int(there.sum()), int((there & left).sum())))
        chosen.append(mine)
    if not any(map(len, chosen)):
        raise _nobody(design, sum(each.screened for each in people), len(kept), int(left.sum()))
    return np.concatenate(chosen), list(np.array(counts).T)


def _nobody(design: Design, screened: int, entered: int, left: int) -> DesignError:
    """Nobody is kept in any replicate; who cannot even be enrolled is told by `recruit`."""
    return DesignError(
        f"{screened} were screened, {entered} entered the run-in, {left} of them discontinued in it, and nobody could "
        "be randomised.",
        where="run_in.keep" if design.run_in and design.run_in.keep else "run_in",
        allowed="a run-in of which somebody can be randomised.",
        do="lower run_in.keep.falls_by_pct or run_in.washout_loses_pct, or lengthen the run-in.",
    )

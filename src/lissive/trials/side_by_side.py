"""Several designs side by side: the same replicates of each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lissive.errors import DesignError
from lissive.trials.design import Design, planned
from lissive.trials.run import run_trial
from lissive.trials.summary import TrialAnswer, summary


@dataclass(frozen=True)
class CompareAnswer:
    """The answer of `lissive trial compare`: the designs' answers, with as many replicates and one seed."""

    answers: tuple[TrialAnswer, ...]

    def to_json(self) -> dict[str, Any]:
        return {"designs": [each.to_json() for each in self.answers]}


def compare(
    designs: Sequence[Design | str | Path],
    *,
    replicates: int = 200,
    seed: int | None = None,
    threads: int | None = None,
    progress: Callable[[float], None] | None = None,
) -> CompareAnswer:
    """Simulate several designs, the same replicates of each.

    Parameters
    ----------
    progress : called with the number of designs done, in parts of one.

    Raises       DesignError for fewer than two designs, or one that cannot be simulated.
    """
    if len(designs) < 2:
        raise DesignError(
            f"There is {len(designs)} design.",
            where="designs",
            allowed="two or more.",
            do="name another one.",
        )
    plans = [planned(each, seed) for each in designs]
    answers = []
    for k, (design, _) in enumerate(plans):
        within = None if progress is None else _part_of_one(progress, k, replicates)
        answers.append(
            summary(
                run_trial(design, replicates=replicates, seed=plans[0][1], threads=threads, progress=within)
            )
        )
    return CompareAnswer(tuple(answers))


def _part_of_one(progress: Callable[[float], None], k: int, replicates: int) -> Callable[[float], None]:
    return lambda done: progress(k + done / replicates)

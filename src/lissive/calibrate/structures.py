"""Which structure predicts trials that it has not seen? Nested ones are compared on one emulator.

A structure is the whole model with some parameters fixed (structures.tsv). Each is scored by leave-one-trial-out: the
expected log predictive density of a trial's figures when the other trials alone are fitted on, from draws made anew
without it on the same emulator. Figures of the same patients are left out together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import numpy as np
from scipy.special import logsumexp

from lissive.arrays import FloatArray
from lissive.calibrate.emulator import Emulator
from lissive.calibrate.prior import Prior
from lissive.calibrate.response import Effort, Say, sample
from lissive.calibrate.response_data import Datum
from lissive.calibrate.response_likelihood import Restriction, groups, likelihood_of
from lissive.table import rows_of

SHORT = Effort(runs=(), patients=0, steps=1200, burn=900, walkers=64, ensembles=1)
"""From the posterior of the whole on, which is near by."""


@dataclass(frozen=True)
class Score:
    """One structure."""

    structure: str
    elpd: Mapping[str, float]
    """Trial, or trials of the same patients, to its expected log predictive density without it."""
    without: Mapping[str, FloatArray] = field(default_factory=dict, repr=False)
    """The same to (draw, parameter) of the posterior without it."""

    @property
    def total(self) -> float:
        return sum(self.elpd.values())


@cache
def structures() -> Mapping[str, tuple[str, Mapping[str, str]]]:
    """Structure to what it is and its fixed parameters: to a value, or to the parameter that they follow."""
    found: dict[str, tuple[str, dict[str, str]]] = {}
    for row in rows_of(Path(__file__).with_name("structures.tsv")):
        _, fixed = found.setdefault(row["structure"], (row["what"], {}))
        if row["parameter"]:
            fixed[row["parameter"]] = row["value"]
    return found


def restriction(name: str, wanted: Sequence[Prior]) -> Restriction:
    """The structure, among these parameters."""
    names = {p.name for p in wanted}
    fixed = {k: v for k, v in structures()[name][1].items() if k in names}
    follows = {k: v for k, v in fixed.items() if v in names}
    return Restriction.of(wanted, {k: float(v) for k, v in fixed.items() if k not in follows}, follows)


def compare(
    data: Sequence[Datum],
    wanted: Sequence[Prior],
    emulator: Emulator,
    start: FloatArray,
    *,
    names: Sequence[str] | None = None,
    seed: int = 1,
    effort: Effort = SHORT,
    say: Say = lambda _: None,
) -> list[Score]:
    """Each structure's score, the best first.

    Parameters
    ----------
    start : (draw, parameter) of the whole's posterior, from which each is sampled on.
    names : of the structures; all if not given.
    """
    likelihood = likelihood_of(data, wanted, emulator)
    trials = list(groups(data))
    found = []
    for name in names or structures():
        here, elpd, draws = restriction(name, wanted), {}, {}
        for place, group in enumerate(trials):
            without = np.arange(len(trials)) == place
            z = sample(data, wanted, emulator, seed, effort, within=here, without=without, start=start)[0][0]
            density = likelihood.by_trial(z)[:, place]
            elpd[group] = float(logsumexp(density) - np.log(len(density)))
            draws[group] = z
        found.append(Score(name, elpd, draws))
        say(f"{name}: {found[-1].total:.2f}")
    return sorted(found, key=lambda score: -score.total)


def difference(one: Score, other: Score) -> tuple[float, float]:
    """How much better the first is, and the standard error of that, from how it differs between trials."""
    gap = np.array([one.elpd[group] - other.elpd[group] for group in one.elpd])
    return float(gap.sum()), float(np.sqrt(len(gap)) * gap.std(ddof=1))


def as_rows(scores: Sequence[Score]) -> list[dict[str, str]]:
    """A row for each structure, the best first: how much worse it predicts, with the standard error of that."""
    rows = []
    for score in scores:
        less, se = difference(score, scores[0])
        what = structures()[score.structure][0]
        row = [score.structure, f"{score.total:.2f}", f"{less:.2f}", f"{se:.2f}", what]
        rows.append(dict(zip(HEAD, row, strict=True)))
    return rows


HEAD = ("structure", "elpd", "difference", "se", "what")

"""The response to being treated, from one period of a trial to the next."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import expit, logit, ndtri

from lissive.arrays import FloatArray
from lissive.simulation.draw import tables
from lissive.trials.observe import chances
from lissive.trials.people import MOVED

if TYPE_CHECKING:
    from lissive.trials.enrol import Enrolled

TINY = 1e-12
"""A response is at least so far from none and all, for the logit's sake."""


def renew(run: Enrolled, period: int) -> None:
    """Before period number `period`, the run-in among them: how each person responds to being treated in it.

    A response is partly the person's own and partly the period's: on the scale of its logit, those of one period and
    the next have the correlation `placebo_carry`, and the same distribution. In a run-in, where all know or believe
    that they are given the drug, its odds are `run_in_belief` times as large.
    """
    figure, run_in = run.ratings.figure, run.design.run_in is not None
    carry, belief = figure["placebo_carry"], np.log(figure["run_in_belief"]) * run_in
    if not belief.any() and (not period or (carry == 1.0).all()):
        return
    now = {name: logit(np.clip(run.parameters[name], TINY, 1.0 - TINY)) for name in MOVED["placebo"]}
    if not period:
        now = {name: value + belief for name, value in now.items()}
    else:
        before = belief * (period == 1)
        for name, centre, spread, z in _fresh(run, period):
            kept = carry * (now[name] - before - centre)
            now[name] = centre + kept + np.sqrt(1.0 - carry**2) * spread * z
    run.parameters |= {name: expit(value) for name, value in now.items()}
    run.batch.give(run.parameters)


def _fresh(run: Enrolled, period: int) -> Iterator[tuple[str, FloatArray, FloatArray, FloatArray]]:
    """Each response: its name, (patient,) centre and spread of its logit, and a new standard normal number."""
    cause = run.design.population.cause
    known = tables(cause)[0]
    centres = [each.response.typical(cause, each.seed) for each in run.people]
    spreads = [each.response.spread() for each in run.people]
    for name in MOVED["placebo"]:
        centre = np.array([logit(each[name]) for each in centres])[run.replicate_index]
        spread = np.array([each.get(name, known[name].spread or 0.0) for each in spreads])[
            run.replicate_index
        ]
        z = ndtri(chances(run.seeds(), run.screening_id, f"parameter: {name}, period {period}"))
        yield name, centre, spread, z

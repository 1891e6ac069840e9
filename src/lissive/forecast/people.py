"""Virtual patients of a forecast: matched to the person in the case, each with one posterior draw of the calibration.

So the ranges of a forecast include between-subject variability and parameter uncertainty.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lissive.arrays import FloatArray, IntArray
from lissive.forecast.treatment import Treatment
from lissive.model.parameters import load_parameters
from lissive.simulation.draw import draw
from lissive.trials.posterior import draws
from lissive.trials.response import BETWEEN, MOVED, Response

DRAWS = 40
"""Posterior draws that are shared out over the patients."""


@dataclass(frozen=True)
class Patients:
    """(subject,) columns of everything that a run needs of its patients."""

    parameters: dict[str, FloatArray]
    titration: dict[str, FloatArray]
    rating: dict[str, FloatArray]
    drawn: tuple[str, ...]


def patients_like(plan: Treatment, cause: str, subjects: int, seed: int) -> Patients:
    """`subjects` patients; number s has posterior draw s modulo DRAWS, however many others are sampled."""
    known = load_parameters(cause)
    posterior = [_on_average(each) for each in draws(min(DRAWS, subjects), seed)]
    draw_index = np.arange(subjects) % len(posterior)
    parameters: dict[str, FloatArray] = {}
    drawn: tuple[str, ...] = ()
    for k, response in enumerate(posterior):
        mine = draw_index == k
        people = draw(
            subjects,
            seed=seed,
            cause=cause,
            given=plan.given,
            unknown=plan.unknown,
            typical={n: v for n, v in response.typical(known, seed).items() if n not in plan.given},
            spread=response.spread(),
        )
        drawn = people.drawn
        for name, value in people.parameters.items():
            column = parameters.setdefault(name, np.empty(subjects))
            column[mine] = np.broadcast_to(np.asarray(value, float), subjects)[mine]
    titration, rating = ([getattr(each, kind)() for each in posterior] for kind in ("titration", "rating"))
    return Patients(parameters, _columns(titration, draw_index), _columns(rating, draw_index), drawn)


def _on_average(response: Response) -> Response:
    """Outside of trials: the between-trial random effects are 0."""
    return Response({**response.values, **{f"{BETWEEN}{kind}": 0.0 for kind in MOVED}})


def _columns(rows: list[dict[str, float]], draw_index: IntArray) -> dict[str, FloatArray]:
    return {name: np.array([row[name] for row in rows])[draw_index] for name in rows[0]}

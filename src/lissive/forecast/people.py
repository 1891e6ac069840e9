"""Virtual patients of a forecast: matched to the person in the case, each with one posterior draw of the calibration.

So the ranges of a forecast include between-subject variability and parameter uncertainty.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lissive.arrays import FloatArray, IntArray
from lissive.forecast.treatment import Treatment
from lissive.simulation.draw import draw, tables
from lissive.trials.people import BETWEEN, MOVED, Response, draws

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
    known = tables(cause)[0]
    posterior = [_on_average(each) for each in draws(min(DRAWS, subjects), seed)]
    draw_index = np.arange(subjects) % len(posterior)
    typical, spread, titration, rating = (
        _columns(rows, draw_index)
        for rows in (
            [each.typical(known, seed) for each in posterior],
            [each.spread() for each in posterior],
            [each.titration() for each in posterior],
            [each.rating() for each in posterior],
        )
    )
    people = draw(
        subjects,
        seed=seed,
        cause=cause,
        given=plan.given,
        unknown=plan.unknown,
        typical=typical,
        spread=spread,
    )
    return Patients(people.columns(subjects), titration, rating, people.drawn)


def _on_average(response: Response) -> Response:
    """Outside of trials: the between-trial random effects are 0."""
    return Response({**response.values, **{f"{BETWEEN}{kind}": 0.0 for kind in MOVED}})


def _columns(rows: list[dict[str, float]], draw_index: IntArray) -> dict[str, FloatArray]:
    return {name: np.array([row[name] for row in rows])[draw_index] for name in rows[0]}

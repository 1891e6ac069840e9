"""Virtual patients of a forecast: like the person in the case, each with one answer of the calibration.

So the ranges of a forecast hold both how people differ and what the trials left uncertain of how they respond.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lissive.arrays import FloatArray, IntArray
from lissive.forecast.treatment import Treatment
from lissive.model.parameters import load_parameters
from lissive.simulate.draw import draw
from lissive.trials.posterior import draws
from lissive.trials.response import BETWEEN, MOVED, Response

ANSWERS = 40
"""Draws of the posterior that are shared out over the patients."""


@dataclass(frozen=True)
class LikeThem:
    """(subject,) columns of everything that a run needs of its people."""

    parameters: dict[str, FloatArray]
    titration: dict[str, FloatArray]
    rating: dict[str, FloatArray]
    drawn: tuple[str, ...]


def like_them(plan: Treatment, cause: str, subjects: int, seed: int) -> LikeThem:
    """`subjects` patients; number s has answer s modulo ANSWERS, whoever else is drawn."""
    known = load_parameters(cause)
    answers = [_on_average(each) for each in draws(min(ANSWERS, subjects), seed)]
    which = np.arange(subjects) % len(answers)
    parameters: dict[str, FloatArray] = {}
    drawn: tuple[str, ...] = ()
    for k, answer in enumerate(answers):
        mine = which == k
        people = draw(
            subjects,
            seed=seed,
            cause=cause,
            given=plan.given,
            unknown=plan.unknown,
            typical={n: v for n, v in answer.typical(known, seed).items() if n not in plan.given},
            spread=answer.spread(),
        )
        drawn = people.drawn
        for name, value in people.parameters.items():
            column = parameters.setdefault(name, np.empty(subjects))
            column[mine] = np.broadcast_to(np.asarray(value, float), subjects)[mine]
    titration, rating = ([getattr(each, kind)() for each in answers] for kind in ("titration", "rating"))
    return LikeThem(parameters, _columns(titration, which), _columns(rating, which), drawn)


def _on_average(answer: Response) -> Response:
    """Outside of trials: no trial's own placebo response and effect."""
    return Response({**answer.values, **{f"{BETWEEN}{kind}": 0.0 for kind in MOVED}})


def _columns(rows: list[dict[str, float]], which: IntArray) -> dict[str, FloatArray]:
    return {name: np.array([row[name] for row in rows])[which] for name in rows[0]}

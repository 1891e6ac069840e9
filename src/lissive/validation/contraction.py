"""How much a calibration has learned: what it knew of each parameter before, against after."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from lissive.errors import ParameterError
from lissive.validation.tables import named


@dataclass(frozen=True)
class Contraction:
    """One parameter before and after."""

    name: str
    prior_sd: float
    posterior_sd: float
    contraction: float
    """1 - (posterior/prior)²: 1 where it is known now, 0 where nothing was learned, below 0 where less is known."""
    word: str
    """learned, partly, or not learned."""


def contraction(prior_sd: Mapping[str, float], posterior_sd: Mapping[str, float]) -> tuple[Contraction, ...]:
    """What was learned of each parameter of `posterior_sd`, on one scale (as the logarithm) for both.

    Raises       ParameterError where one has no prior, or a standard deviation cannot be.

    >>> [(row.name, row.contraction, row.word) for row in contraction({"k": 0.5}, {"k": 0.25})]
    [('k', 0.75, 'partly')]
    """
    result = []
    for name, after in posterior_sd.items():
        before = prior_sd.get(name, math.nan)
        if not (0.0 < before < math.inf and 0.0 <= after < math.inf):
            raise ParameterError(
                f"{name} has a standard deviation of {before} before and of {after} after.",
                where="contraction",
                allowed="a number over 0 before, 0 or more after.",
            )
        share = 1.0 - (after / before) ** 2
        result.append(Contraction(name, float(before), float(after), share, _word(share)))
    return tuple(result)


def _word(share: float) -> str:
    limit = named("identifiability_limits.tsv")
    if share > float(limit["learned"]):
        return "learned"
    return "not learned" if share < float(limit["not_learned"]) else "partly"

"""The parameters that say how people respond, where they are not to be the tables' own: one answer of a calibration.

Names are those of the model's parameters; `spread of NAME` is how one differs between people, `titration NAME`,
`rating NAME` and `between NAME` are rows of simulation/titration.tsv, simulation/ratings.tsv and between.tsv.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import numpy as np
from scipy.special import expit, logit

from lissive.model.parameters import Parameter
from lissive.simulation.ratings import figures
from lissive.simulation.streams import normals
from lissive.simulation.titrate import thresholds
from lissive.table import constants, rows_of

SPREAD, TITRATION, RATING, BETWEEN = "spread of ", "titration ", "rating ", "between "
TIED = {"tau_THC": "tau_OH"}
"""Parameters that no trial tells apart: the second follows the first in proportion."""
LOWER_OVER_RAISE = constants(Path(__file__).with_name("assumptions.tsv"))["lower_over_raise"]
MOVED = {
    "placebo": ("max_placebo_spasm", "max_placebo_pain"),
    "effect": ("gain_tone", "Im_pain_brain"),
    "leaving": ("h_drop", "h_drop_adverse"),
}
"""Between-trial random effects: on placebo response, drug effect and discontinuation."""


@cache
def between_trials() -> Mapping[str, float]:
    """The figures of between.tsv."""
    return {row["name"]: float(row["value"]) for row in rows_of(Path(__file__).parent / "between.tsv")}


@dataclass(frozen=True)
class Response:
    """One set of values; what is not named is as the tables have it."""

    values: Mapping[str, float] = field(default_factory=dict)

    def typical(self, known: Mapping[str, Parameter], seed: int) -> dict[str, float]:
        """Centres of the model's parameters, in the trial of this seed.

        Trials differ beyond chance, in placebo response, drug effect and discontinuation (between.tsv).
        """
        centre = {name: value for name, value in self.values.items() if name in known}
        for name, other in TIED.items():
            if name in centre and other not in centre:
                centre[other] = known[other].value * centre[name] / known[name].value
        spread = {**between_trials(), **self._after(BETWEEN)}
        for kind, names in MOVED.items():
            z = float(normals(seed, f"between trials: {kind}", 1)[0])
            for name in names:
                centre[name] = _moved(known[name], centre.get(name, known[name].value), spread[kind] * z)
        return centre

    def spread(self) -> dict[str, float]:
        """Spreads of the model's parameters between people."""
        return self._after(SPREAD)

    def titration(self) -> dict[str, float]:
        """All figures of titration; both bounds of intoxication move together."""
        own = self._after(TITRATION)
        if "raise_below" in own:
            own["lower_above"] = LOWER_OVER_RAISE * own["raise_below"]
        return {**thresholds(), **own}

    def rating(self) -> dict[str, float]:
        """All figures of ratings."""
        return {**figures(), **self._after(RATING)}

    def _after(self, prefix: str) -> dict[str, float]:
        return {name.removeprefix(prefix): v for name, v in self.values.items() if name.startswith(prefix)}


def _moved(row: Parameter, value: float, by: float) -> float:
    """Up or down on the scale on which it can be anything: shares on the logit, others on the logarithm."""
    share = row.distribution == "logitnormal" or row.name.startswith("Im_")
    return float(expit(logit(value) + by)) if share else float(value * np.exp(by))


TABLES = Response()
"""All as in the tables."""

"""The parameters that say how people respond, where they are not to be the tables' own: one answer of a calibration.

Names are those of the model's parameters; `spread of NAME` is how one differs between people, `titration NAME` and
`rating NAME` are rows of simulate/titration.tsv and simulate/ratings.tsv.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from lissive.model.parameters import Parameter
from lissive.simulate.ratings import figures
from lissive.simulate.titrate import thresholds

SPREAD, TITRATION, RATING = "spread of ", "titration ", "rating "


@dataclass(frozen=True)
class Response:
    """One set of values; what is not named is as the tables have it."""

    values: Mapping[str, float] = field(default_factory=dict)

    def typical(self, known: Mapping[str, Parameter]) -> dict[str, float]:
        """Centres of the model's parameters."""
        return {name: value for name, value in self.values.items() if name in known}

    def spread(self) -> dict[str, float]:
        """Spreads of the model's parameters between people."""
        return self._after(SPREAD)

    def titration(self) -> dict[str, float]:
        """All figures of titration."""
        return {**thresholds(), **self._after(TITRATION)}

    def rating(self) -> dict[str, float]:
        """All figures of ratings."""
        return {**figures(), **self._after(RATING)}

    def _after(self, prefix: str) -> dict[str, float]:
        return {name.removeprefix(prefix): v for name, v in self.values.items() if name.startswith(prefix)}


TABLES = Response()
"""All as in the tables."""

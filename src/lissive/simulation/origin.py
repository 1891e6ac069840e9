"""What a run rested on, kept with its results: what was looked at, dosed, given and drawn, and the cause."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from lissive.model.equations import Equations
from lissive.simulation.schedule import Schedule


def origin(
    equations: Equations,
    outputs: Iterable[str],
    schedules: Sequence[Schedule],
    given: Mapping[str, Any],
    drawn: Iterable[str],
    cause: str = "",
) -> dict[str, Any]:
    """The part of a run's provenance that `lissive cite` needs.

    Parameters
    ----------
    given : parameters that the user or the case set, to a number or a value for each subject. One value for all
        is kept as it is; else null.
    drawn : parameters that were drawn from the model's tables.
    cause : whose numbers the parameters are; empty for a model that has no causes.
    """
    places = sorted({place for schedule in schedules for place in schedule.dosed})
    return {
        "cause": cause or None,
        "outputs": list(outputs),
        "dosed": [equations.states[place] for place in places],
        "given": {
            name: float(np.ravel(value)[0]) if np.size(value) == 1 else None for name, value in given.items()
        },
        "drawn": list(drawn),
    }

"""A small trial that all tests here start from."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from lissive.trials.design import Design, make_design

SPRAY = {"product": "nabiximols", "units_counted": "spray", "most_per_day": 12}
SMALL: dict[str, Any] = {
    "trial": "small",
    "population": {"cause": "multiple_sclerosis", "inclusion": {"spasticity_nrs": {"at_least": 4.0}}},
    "patients": 12,
    "arms": {"drug": SPRAY, "placebo": {**SPRAY, "placebo": True}},
    "weeks": 2.0,
    "visits_weeks": [1.0, 2.0],
    "endpoints": [{"measure": "spasticity_nrs"}, {"measure": "spasms_per_day"}],
}


@pytest.fixture
def small() -> Callable[..., Design]:
    """The design with some of its fields changed; None takes a field out."""

    def made(**changes: Any) -> Design:
        data = {**copy.deepcopy(SMALL), **changes}
        return make_design({name: value for name, value in data.items() if value is not None})

    return made


@pytest.fixture
def spray() -> dict[str, Any]:
    return dict(SPRAY)

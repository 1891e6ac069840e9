"""What the tests of lissive model share."""

from __future__ import annotations

from functools import cache

import pytest
from tests.model.apart import Model

from lissive.model import compose
from lissive.model.parameters import load_causes

pytest.importorskip("roadrunner")
antimony = pytest.importorskip("antimony")
libsbml = pytest.importorskip("libsbml")

CAUSES = tuple(load_causes())
MS_HERE_OTHERS_SLOW = [
    cause if cause == "multiple_sclerosis" else pytest.param(cause, marks=pytest.mark.slow)
    for cause in CAUSES
]
"""The text of each cause takes libRoadRunner seconds to compile; `make slow` does so for long runs anyway."""


DOSE_TARGETS = [f"{drug}_{site}" for drug in ("THC", "CBD") for site in ("oral", "spray", "lung", "c")]
DOSE_TARGETS += ["injury", "exercise"]


@cache
def sbml(cause: str = "multiple_sclerosis") -> str:
    antimony.clearPreviousLoads()
    assert antimony.loadAntimonyString(compose.lissive_text(cause)) >= 0, antimony.getLastError()
    return str(antimony.getSBMLString("lissive"))


@cache
def compiled(cause: str) -> Model:
    return Model(sbml(cause))


def fresh(cause: str = "multiple_sclerosis") -> Model:
    """The model at its start, with the tables' parameters; compiled once."""
    model = compiled(cause)
    model.reset()
    return model

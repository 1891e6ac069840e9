"""The text of the shipped model: units, composition, what has a value and what uses it."""

from __future__ import annotations

import pytest
from tests.model.running import CAUSES, DOSE_TARGETS, fresh, libsbml, sbml

from lissive.errors import ParameterError
from lissive.model import compose
from lissive.model.parameters import load_interactions, load_parameters

# ---- the text


def test_units_and_consistency_have_no_findings() -> None:
    document = libsbml.readSBMLFromString(sbml())
    document.setConsistencyChecks(libsbml.LIBSBML_CAT_UNITS_CONSISTENCY, True)
    findings = document.checkConsistency()
    assert [document.getError(i).getMessage() for i in range(findings)] == []


@pytest.mark.parametrize("cause", CAUSES)
def test_every_cause_composes_to_the_same_model(cause: str) -> None:
    ids = [line.split(" = ")[0] for line in compose.lissive_text(cause).splitlines()]
    assert ids == [line.split(" = ")[0] for line in compose.lissive_text().splitlines()]


def test_dose_targets_are_species() -> None:
    model = libsbml.readSBMLFromString(sbml()).getModel()
    assert all(model.getSpecies(target) is not None for target in DOSE_TARGETS)


def test_the_model_stays_small() -> None:
    assert len(fresh().rates()) <= 60


@pytest.mark.parametrize(
    "parameter", [row.parameter for rows in load_interactions().values() for row in rows.values()]
)
def test_interactions_set_parameters_of_the_model(parameter: str) -> None:
    assert parameter in load_parameters()


def test_a_symbol_without_a_value_is_named_with_its_place() -> None:
    rows = {"CL": load_parameters()["CL_THC"]}
    with pytest.raises(ParameterError, match=r"a\.ant:2: V has no value"):
        compose.check_symbols({"a.ant": "var A = 0;\nA' = -CL*A/V;  // clearance of B"}, rows)


def test_a_parameter_that_nothing_uses_is_named_with_its_place() -> None:
    rows = {"CL_THC": load_parameters()["CL_THC"]}
    with pytest.raises(ParameterError, match=r"thc\.tsv:2: CL_THC is not used"):
        compose.check_symbols({"a.ant": "var A = 0;  // CL_THC"}, rows)


def test_a_parameter_that_the_text_defines_too_is_refused() -> None:
    rows = {"CL_THC": load_parameters()["CL_THC"]}
    with pytest.raises(ParameterError, match=r"CL_THC is defined in a\.ant:1 too"):
        compose.check_symbols({"a.ant": "CL_THC := 2; A := CL_THC;"}, rows)

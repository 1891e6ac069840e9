"""What public models hold that once was refused or read wrongly, on tiny models."""

from __future__ import annotations

import math
import re

import pytest

from lissive.errors import ModelError
from lissive.model.check import to_antimony, to_sbml
from lissive.model.fit_text import without
from lissive.model.read import read_antimony, read_sbml
from lissive.simulation.planned import selected

from .oracle import integrate

L3 = "http://www.sbml.org/sbml/level3/version1"
MATH = 'xmlns="http://www.w3.org/1998/Math/MathML"'


def level_2(species: str = 'initialAmount="3"', size: str = 'size="2"', root: str = "", more: str = "",
            reference: str = "", law: str = "<apply><times/><ci>k</ci><ci>S</ci></apply>") -> str:  # fmt: skip
    """S is used up at the rate k [S]."""
    return f"""<sbml xmlns="http://www.sbml.org/sbml/level2/version4" level="2" version="4" {root}>
<model id="m">
<listOfCompartments><compartment id="c" {size}/></listOfCompartments>
<listOfSpecies><species id="S" compartment="c" {species}/></listOfSpecies>
<listOfParameters><parameter id="k" value="0.5"/><parameter id="r" value="1" constant="false"/></listOfParameters>
<listOfReactions><reaction id="J" reversible="false">
<listOfReactants><speciesReference species="S">{reference}</speciesReference></listOfReactants>
<kineticLaw><math {MATH}>{law}</math></kineticLaw></reaction></listOfReactions>{more}</model></sbml>"""


LAYOUT = f'xmlns:l="{L3}/layout/version1"'
SHEET = '<l:layout l:id="a"><l:dimensions l:width="1"/>\n</l:layout>'
PICTURES = {
    "Level 2 says that layout is not required": level_2(root=f'{LAYOUT} l:required="false"'),
    "Level 2 holds a layout of Level 3": level_2(
        root=LAYOUT, more=f"<l:listOfLayouts>{SHEET}</l:listOfLayouts>"
    ),
    "a layout without a prefix": level_2(
        more=f'<listOfLayouts xmlns="{L3}/layout/version1"><layout id="a"/></listOfLayouts>'
    ),
    "render says what its list does not": level_2(
        root=f'{LAYOUT} xmlns:r="{L3}/render/version1" l:required="false" r:required="false"',
        more=f"<l:listOfLayouts>{SHEET}<r:listOfGlobalRenderInformation><r:globalRenderInformation r:id='g'>"
        "</r:globalRenderInformation></r:listOfGlobalRenderInformation></l:listOfLayouts>",
    ),
}


@pytest.mark.parametrize("what", PICTURES)
def test_what_is_about_pictures_changes_nothing_however_it_is_written(what: str) -> None:
    found, plain = read_sbml(PICTURES[what]), read_sbml(level_2())
    assert (found.states, found.parameters, found.graph.nodes) == (
        plain.states,
        plain.parameters,
        plain.graph.nodes,
    )
    with pytest.raises(ModelError, match=r'^m.xml:6: "k9" is not defined'):  # lines stay where they are
        read_sbml(PICTURES[what].replace("<ci>k</ci>", "<ci>k9</ci>"), "m.xml")


def flux_balance(version: int, model: str = "", law: bool = True) -> str:
    """The same S and k with bounds, an objective and a formula of the package fbc, which act on no rate."""
    rate = f"<kineticLaw><math {MATH}><apply><times/><ci>k</ci><ci>S</ci></apply></math></kineticLaw>"
    return f"""<sbml xmlns="{L3}/core" xmlns:fbc="{L3}/fbc/version{version}" level="3" version="1" fbc:required="false">
<model id="m" {model}>
<listOfCompartments><compartment id="c" size="2" constant="true"/></listOfCompartments>
<listOfSpecies><species id="S" compartment="c" initialAmount="3" hasOnlySubstanceUnits="false"
 boundaryCondition="false" constant="false" fbc:charge="-1" fbc:chemicalFormula="C6H12O6"/></listOfSpecies>
<listOfParameters><parameter id="k" value="0.5" constant="true"/><parameter id="lb" value="0" constant="true"/>
</listOfParameters>
<listOfReactions><reaction id="J" reversible="false" fast="false" fbc:lowerFluxBound="lb" fbc:upperFluxBound="lb">
<listOfReactants><speciesReference species="S" stoichiometry="1" constant="true"/></listOfReactants>
{rate if law else ""}</reaction></listOfReactions>
<fbc:listOfObjectives fbc:activeObjective="o"><fbc:objective fbc:id="o" fbc:type="maximize"><fbc:listOfFluxObjectives>
<fbc:fluxObjective fbc:reaction="J" fbc:coefficient="1"/></fbc:listOfFluxObjectives></fbc:objective>
</fbc:listOfObjectives></model></sbml>"""


FBC = 'The SBML package fbc is ignored: it is declared as optional (required="false").'


@pytest.mark.parametrize(("version", "model"), [(1, ""), (2, 'fbc:strict="false"'), (2, "")])
def test_flux_balance_constraints_change_no_rate_and_are_named(version: int, model: str) -> None:
    """The bounds would hold J at 0; the last model lacks what libSBML demands of the package."""
    text = flux_balance(version, model)
    found = read_sbml(text)
    assert found.notes == (FBC,)
    assert integrate(found, [0.0, 2.0], ["S"])[1] == pytest.approx(
        [3.0 * math.exp(-0.5 * 2.0 / 2.0)], rel=1e-6
    )
    assert read_sbml(to_sbml(text)).notes == (FBC,)
    if (version, model) != (2, ""):  # libAntimony reads no file with such a fault
        assert read_antimony(to_antimony(text)[0]).notes == (FBC,)


def test_flux_balance_constraints_that_a_file_requires_are_refused() -> None:
    text = flux_balance(2, 'fbc:strict="false"')
    for wrong in ('fbc:required="true"', ""):
        with pytest.raises(
            ModelError,
            match=r'^m.xml:1: the SBML package "fbc" is out of scope.*What to do: .*fbc:required="false"',
        ):
            read_sbml(text.replace('fbc:required="false"', wrong), "m.xml")


def test_a_reaction_without_a_rate_is_named() -> None:
    found = read_sbml(flux_balance(2, 'fbc:strict="false"', law=False))
    assert found.notes == (FBC, "No rate in the file for reaction J: 0 was assumed.")
    assert integrate(found, [0.0, 2.0], ["S"])[1] == pytest.approx([3.0])


def test_what_is_left_out_is_left_out_whole() -> None:
    text = (
        '<a xmlns:p="u" xmlns:q="v"><p:b x=">"><p:b/>\n<c/></p:b><d p:x=\'>"\' q:y="ä" p:z="1"/>ö<p:e/></a>'
    )
    assert without(text, re.compile("u$")) == '<a xmlns:p="u" xmlns:q="v">\n<d q:y="ä"/>ö</a>'
    assert without(text, re.compile("w$")) == text


@pytest.mark.parametrize(
    ("species", "size", "amount", "notes"),
    [
        ("", 'size="2"', 0.0, ["No initial value in the file for species S: 0 was assumed."]),
        ('initialConcentration="3"', "", 3.0, ["No size in the file for compartment c: 1 was assumed."]),
        ('initialAmount="3" hasOnlySubstanceUnits="true"', "", 3.0, []),
        (
            "",
            "",
            0.0,
            [
                "No initial value in the file for species S: 0 was assumed.",
                "No size in the file for compartment c: 1 was assumed.",
            ],
        ),
    ],
)
def test_values_that_a_file_leaves_open_are_taken_and_said(
    species: str, size: str, amount: float, notes: list[str]
) -> None:
    model = read_sbml(level_2(species, size))
    assert integrate(model, [0.0, 1.0], ["S"])[0] == pytest.approx([amount])
    assert list(model.notes) == notes


def test_a_parameter_without_a_value_is_still_refused() -> None:
    with pytest.raises(ModelError, match='^m.xml:5: parameter "k" has no value'):
        read_sbml(level_2().replace('value="0.5"', ""), "m.xml")


RATE_OF = '<csymbol encoding="text" definitionURL="http://www.sbml.org/sbml/symbols/rateOf">rateOf</csymbol>'


def test_the_rate_of_a_local_parameter_is_zero_also_where_a_global_one_of_its_name_changes() -> None:
    text = f"""<sbml xmlns="{L3.replace("version1", "version2")}/core" level="3" version="2"><model id="m">
    <listOfCompartments><compartment id="c" size="1" constant="true"/></listOfCompartments>
    <listOfSpecies><species id="S" compartment="c" initialAmount="1" hasOnlySubstanceUnits="true"
    boundaryCondition="false" constant="false"/></listOfSpecies>
    <listOfParameters><parameter id="k" value="0" constant="false"/></listOfParameters>
    <listOfRules><rateRule variable="k"><math {MATH}><cn>7</cn></math></rateRule></listOfRules>
    <listOfReactions><reaction id="J" reversible="false"><listOfProducts><speciesReference species="S"
    stoichiometry="1" constant="true"/></listOfProducts><kineticLaw><math {MATH}><apply><plus/><cn>2</cn>
    <apply>{RATE_OF}<ci>k</ci></apply></apply></math>
    LOCAL</kineticLaw></reaction></listOfReactions></model></sbml>"""
    local = '<listOfLocalParameters><localParameter id="k" value="5"/></listOfLocalParameters>'
    ends = [integrate(read_sbml(text.replace("LOCAL", own)), [0.0, 1.0], ["S"])[-1][0] for own in (local, "")]
    assert ends == pytest.approx([3.0, 10.0])


TIME = '<csymbol encoding="text" definitionURL="http://www.sbml.org/sbml/symbols/time">t</csymbol>'
STOICHIOMETRIES = {
    '<cn type="rational">3<sep/>2</cn>': 1.5,
    '<cn type="e-notation">2<sep/>0</cn>': 2.0,
    "<semantics><cn>2</cn><annotation-xml encoding='x'><a xmlns='u'/></annotation-xml></semantics>": 2.0,
    "<apply><lt/><cn>1</cn><cn>2</cn></apply>": 1.0,
    "<true/>": 1.0,
    "<apply><minus/><cn>2</cn></apply>": -2.0,
    "<apply><log/><logbase><cn>2</cn></logbase><cn>8</cn></apply>": 3.0,
    "<piecewise><piece><cn>2</cn><apply><lt/><ci>k</ci><cn>5</cn></apply></piece></piecewise>": 2.0,
    "<apply><plus/><ci>k</ci></apply>": 0.5,
    TIME: 0.5,
}


@pytest.mark.parametrize("formula", STOICHIOMETRIES)
def test_a_stoichiometry_may_be_any_formula(formula: str) -> None:
    reference = f"<stoichiometryMath><math {MATH}>{formula}</math></stoichiometryMath>"
    model = read_sbml(level_2(reference=reference, law="<cn>1</cn>"))
    assert integrate(model, [0.0, 1.0], ["S"], rtol=1e-10)[-1] == pytest.approx(
        [3.0 - STOICHIOMETRIES[formula]]
    )


def test_of_a_model_of_rules_only_what_changes_in_time_is_written() -> None:
    assert selected(read_antimony("x := 2*time; y := 3*k; k = 1"), None) == ["x"]
    assert selected(read_antimony("y := 3*k; k = 1"), None) == ["y"]

"""What SBML means, against closed forms on tiny models."""

from __future__ import annotations

import math
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from lissive.model.check import to_sbml, unit_findings
from lissive.model.equations import Equations
from lissive.model.read import read_antimony, read_sbml

from .oracle import compile_nodes, integrate

E = math.e


def at(text: str, time: float, *names: str, **parameters: float) -> list[float]:
    """Values of `names` at one time of an Antimony model."""
    model = read_antimony(text)
    return list(integrate(model, [0.0, time], names, parameters=parameters, rtol=1e-10, atol=1e-12)[-1])


def value(formula: str, **constants: float) -> float:
    """A formula of constants, through the whole reader."""
    given = "; ".join(f"{n} = {v}" for n, v in constants.items())
    model = read_antimony(f"x := {formula}; {given}")
    return float(compile_nodes(model, [model.quantities["x"]])(0.0, [], model.parameters)[0])


def test_a_species_is_integrated_as_its_amount_and_read_as_its_concentration() -> None:
    text = "compartment V = 4; species S in V; S = 3; J: S -> ; k*S*V; k = 0.5"
    assert at(text, 2.0, "S", "[S]") == pytest.approx([12 / E, 3 / E])
    model = read_antimony(text)
    assert model.states == ("S",)
    assert dict(model.parameters) == {"V": 4.0, "k": 0.5}
    assert model.dose_targets == {"S": 0}


def test_the_initial_amount_follows_the_size_that_a_run_is_given() -> None:
    assert at("compartment V = 4; species S in V; S = 3; S' = 0", 1.0, "S", V=10.0) == pytest.approx([30.0])


def test_a_species_of_substance_only_is_an_amount_in_formulas() -> None:
    text = "compartment V = 4; substanceOnly species S in V; S = 8; J: S -> ; k*S; k = 0.5"
    assert at(text, 2.0, "S", "[S]") == pytest.approx([8 / E, 2 / E])


def test_the_amount_stays_where_the_compartment_changes_size() -> None:
    by_rule = "compartment V; V := 1 + time; species S in V; S = 6; x := S;"
    by_rate = "compartment V = 1; V' = 1; species S in V; S = 6; x := S"
    for text in (by_rule, by_rate):
        assert at(text, 2.0, "S", "[S]", "x", "V") == pytest.approx([6.0, 2.0, 2.0, 3.0])


@pytest.mark.parametrize("size", ["compartment V; V := 2*exp(0.1*time)", "compartment V = 2; V' = 0.1*V"])
def test_a_rate_rule_is_about_the_concentration_also_where_the_size_changes(size: str) -> None:
    volume = 2 * math.exp(0.3)
    seen = at(f"{size}; species $S in V; S = 5; S' = 0.5", 3.0, "S", "[S]")
    assert seen == pytest.approx([6.5 * volume, 6.5])
    only = at(f"{size}; substanceOnly species $S in V; S = 5; S' = 0.5", 3.0, "S", "[S]")
    assert only == pytest.approx([6.5, 6.5 / volume])


def test_a_boundary_species_is_a_parameter_until_a_rule_moves_it() -> None:
    text = "compartment V = 2; species $B in V, S in V; B = 3; S = 0; J: B -> S; V*B"
    model = read_antimony(text)
    assert model.states == ("S",)
    assert model.parameters["[B]"] == 3.0
    assert at(text, 1.0, "B", "[B]", "[S]") == pytest.approx([6.0, 3.0, 3.0])
    assert at(text, 1.0, "B", "[S]", **{"[B]": 5.0}) == pytest.approx([10.0, 5.0])


def test_initial_assignments_rest_on_parameters_through_any_chain() -> None:
    text = """a = 2; b = 3*a; c := b + time; compartment V = 2; species S in V; S = c + k0; k0 = 1/b
              J: S -> ; 0*S"""
    model = read_antimony(text)
    assert "b" in model.quantities
    assert "b" not in model.parameters
    assert model.graph.symbols(model.initial) <= set(model.parameters)
    assert at(text, 0.0001, "S") == pytest.approx([2 * (6 + 1 / 6)])
    assert at(text, 0.0001, "S", a=4.0) == pytest.approx([2 * (12 + 1 / 12)])


def test_a_local_parameter_hides_the_global_one() -> None:
    core = "http://www.sbml.org/sbml/level3/version1/core"
    text = f"""<sbml xmlns="{core}" level="3" version="1"><model id="m">
      <listOfCompartments>
        <compartment id="c" spatialDimensions="3" size="1" constant="true"/></listOfCompartments>
      <listOfSpecies><species id="S" compartment="c" initialAmount="0" hasOnlySubstanceUnits="true"
        boundaryCondition="false" constant="false"/></listOfSpecies>
      <listOfParameters><parameter id="k" value="100" constant="true"/></listOfParameters>
      <listOfReactions><reaction id="J" reversible="false" fast="false">
        <listOfProducts><speciesReference species="S" stoichiometry="2" constant="true"/></listOfProducts>
        <kineticLaw><math xmlns="http://www.w3.org/1998/Math/MathML"><ci>k</ci></math>
        <listOfLocalParameters><localParameter id="k" value="3"/></listOfLocalParameters></kineticLaw>
      </reaction></listOfReactions></model></sbml>"""
    model = read_sbml(text)
    assert dict(model.parameters) == {"J.k": 3.0, "c": 1.0, "k": 100.0}
    assert integrate(model, [0.0, 1.0], ["S", "J"])[-1] == pytest.approx([6.0, 3.0])


def test_level_1_is_read_with_its_rules() -> None:
    text = """<sbml xmlns="http://www.sbml.org/sbml/level1" level="1" version="2"><model name="m">
      <listOfCompartments><compartment name="c"/></listOfCompartments>
      <listOfSpecies><species name="S" compartment="c" initialAmount="3"/></listOfSpecies>
      <listOfParameters><parameter name="k" value="0.5"/><parameter name="x" value="0"/></listOfParameters>
      <listOfRules><parameterRule name="x" formula="2*S"/></listOfRules>
      <listOfReactions><reaction name="J" reversible="false"><listOfReactants>
      <speciesReference species="S" stoichiometry="3" denominator="2"/></listOfReactants>
      <kineticLaw formula="k*S"/></reaction></listOfReactions></model></sbml>"""
    assert integrate(read_sbml(text), [0.0, 2.0], ["S", "x"], rtol=1e-10)[-1] == pytest.approx(
        [3 * math.exp(-1.5), 6 * math.exp(-1.5)]
    )


def test_a_models_own_time_is_not_the_time_of_the_run() -> None:
    core = "http://www.sbml.org/sbml/level3/version1/core"
    names = "".join(f'<parameter id="{n}" value="{v}" constant="true"/>' for n, v in (("time", 7), ("pi", 5)))
    text = f"""<sbml xmlns="{core}" level="3" version="1"><model id="m"><listOfParameters>{names}
      <parameter id="lambda" value="1" constant="false"/></listOfParameters><listOfRules>
      <rateRule variable="lambda"><math xmlns="http://www.w3.org/1998/Math/MathML"><apply><plus/><ci>time</ci>
      <ci>pi</ci><csymbol encoding="text" definitionURL="http://www.sbml.org/sbml/symbols/time">t</csymbol>
      </apply></math></rateRule></listOfRules></model></sbml>"""
    seen = integrate(read_sbml(text), [0.0, 2.0], ["lambda", "time", "pi"])[-1]
    assert seen == pytest.approx([1 + 24 + 2, 7, 5])


def test_functions_may_call_functions() -> None:
    text = "function half(x); x/2; end\nfunction twice(x, k); 4*half(x)*k; end\ny := twice(3, half(1))"
    model = read_antimony(text)
    assert compile_nodes(model, [model.quantities["y"]])(0.0, [], {}) == [3.0]


def test_rate_of_follows_what_the_id_means() -> None:
    text = "compartment V = 2; species S in V; S = 3; J: S -> ; V*k*S; k = 0.5; r := rateOf(S)"
    assert at(text, 2.0, "r") == pytest.approx([-1.5 / E])


FORMULAS: list[tuple[str, dict[str, float], float]] = [
    ("sec(a)", {"a": 0.5}, 1 / math.cos(0.5)), ("csc(a)", {"a": 0.5}, 1 / math.sin(0.5)),
    ("cot(a)", {"a": 0.5}, 1 / math.tan(0.5)), ("sech(a)", {"a": 0.5}, 1 / math.cosh(0.5)),
    ("csch(a)", {"a": 0.5}, 1 / math.sinh(0.5)), ("coth(a)", {"a": 0.5}, 1 / math.tanh(0.5)),
    ("arcsec(a)", {"a": 2.0}, math.acos(0.5)), ("arccsc(a)", {"a": 2.0}, math.asin(0.5)),
    ("arccot(a)", {"a": 2.0}, math.atan(0.5)), ("arcsech(a)", {"a": 0.5}, math.acosh(2.0)),
    ("arccsch(a)", {"a": 0.5}, math.asinh(2.0)), ("arccoth(a)", {"a": 2.0}, math.atanh(0.5)),
    ("factorial(a)", {"a": 5.0}, 120.0), ("floor(a)", {"a": -1.5}, -2.0), ("ceil(a)", {"a": -1.5}, -1.0),
    ("floor(a/b)", {"a": 49.0, "b": 49.0}, 1.0), ("quotient(a, b)", {"a": 49.0, "b": 49.0}, 1.0),
    ("quotient(a, b)", {"a": -7.0, "b": 2.0}, -3.0), ("rem(a, b)", {"a": -7.0, "b": 2.0}, -1.0),
    ("max(a, b, 3)", {"a": 1.0, "b": 7.0}, 7.0), ("min(a, b, 3)", {"a": 1.0, "b": 7.0}, 1.0),
    ("log10(a)", {"a": 1000.0}, 3.0), ("log(b, a)", {"a": 8.0, "b": 2.0}, 3.0),
    ("root(b, a)", {"a": 27.0, "b": 3.0}, 3.0), ("sqrt(a)", {"a": 9.0}, 3.0),
    ("implies(a > 1, b > 1)", {"a": 2.0, "b": 0.0}, 0.0), ("implies(a > 1, b > 1)", {"a": 0.0, "b": 0.0}, 1.0),
    ("xor(a > 1, b > 1, true)", {"a": 2.0, "b": 2.0}, 1.0), ("(a > 1) + (b > 1)", {"a": 2.0, "b": 2.0}, 2.0),
    ("piecewise(5, a, 6)", {"a": 1.0}, 5.0), ("piecewise(a > 1, b > 1, b < 0)", {"a": 2.0, "b": 2.0}, 1.0),
    ("lt(a, b, 3)", {"a": 1.0, "b": 2.0}, 1.0), ("lt(a, b, 3)", {"a": 1.0, "b": 4.0}, 0.0),
    ("avogadro/a", {"a": 6.02214179e23}, 1.0),
]  # fmt: skip


@pytest.mark.parametrize(("formula", "constants", "expected"), FORMULAS)
def test_each_function_means_what_mathematics_says(
    formula: str, constants: dict[str, float], expected: float
) -> None:
    assert value(formula, **constants) == pytest.approx(expected, rel=1e-12)


def test_piecewise_without_an_otherwise_is_undefined() -> None:
    assert math.isnan(value("piecewise(1, a > 1)", a=0.0))


def test_units_and_names_are_readable() -> None:
    model = read_antimony(
        """unit nmol = 1e-9 mole; unit h = 3600 second; unit per_h = 1/(3600 second)
        unit L_per_h = litre/(3600 second)
        substance = nmol; time_unit = h; extent = nmol; volume = litre
        compartment V = 2; species S in V; S = 1; S is "drug"; J: S -> ; CL*S; CL = 1; CL has L_per_h
        k = 1; k has per_h; q = 1; q has dimensionless"""
    )
    expected = {"S": "nmol", "[S]": "nmol/L", "CL": "L/h", "k": "1/h", "q": "1", "V": "L", "J": "nmol/h"}
    assert {k: model.units[k] for k in expected} == expected
    assert (model.labels["S"], model.time_unit) == ("drug", "h")


SOUND = """model m
  unit h = 3600 second; unit per_h = 1/(3600 second); unit nmol = 1e-9 mole
  time_unit = h; substance = nmol; extent = nmol; volume = litre
  compartment V = 2
  species S in V
  S = 1
  k = 1; k has per_h
  J: S -> ; k*S*V
end
"""


def test_a_sound_model_has_no_unit_findings() -> None:
    assert unit_findings(SOUND) == []
    assert unit_findings(to_sbml(SOUND)) == []


def test_a_rate_without_its_volume_is_found() -> None:
    findings = unit_findings(SOUND.replace("k*S*V", "k*S"), "m.ant")
    assert len(findings) == 1
    assert findings[0].startswith("m.ant:8: ")
    assert "kineticLaw" in findings[0]


def test_the_export_is_level_3_version_2_and_reads_back_the_same() -> None:
    text = to_sbml(SOUND)
    assert 'level="3" version="2"' in text
    there, back = read_antimony(SOUND), read_sbml(text)
    assert (there.states, there.parameters) == (back.states, back.parameters)


def _large_model() -> Equations:
    lines = [f"k{i} = 0.{i + 1}; j{i} = 1; l{i} := k{i}*j{i}; S{i} = {i}" for i in range(100)]
    lines += [f"J{i}: S{i} -> S{i + 1}; l{i}*S{i}/(1 + S{i + 1})" for i in range(60)]
    return read_antimony("\n".join(lines))


def test_reading_a_large_model_takes_well_under_a_second() -> None:
    """Of this process's own time, whatever else the machine does."""
    import time

    _large_model()
    start = time.process_time()
    assert len(_large_model().parameters) >= 200
    assert time.process_time() - start < 1.0


def test_a_long_chain_of_rules_is_no_trouble() -> None:
    core = "http://www.sbml.org/sbml/level3/version1/core"
    names = "".join(f'<parameter id="x{i}" value="1" constant="false"/>' for i in range(2001))
    step = '<assignmentRule variable="x{}"><math xmlns="http://www.w3.org/1998/Math/MathML">'
    step += "<apply><plus/><ci>x{}</ci><cn>1</cn></apply></math></assignmentRule>"
    rules = "".join(step.format(i + 1, i) for i in reversed(range(2000)))
    model = read_sbml(
        f'<sbml xmlns="{core}" level="3" version="1"><model id="m"><listOfParameters>{names}'
        f"</listOfParameters><listOfRules>{rules}</listOfRules></model></sbml>"
    )
    assert compile_nodes(model, [model.quantities["x2000"]])(0.0, [], model.parameters) == [2001.0]


def test_importing_the_room_loads_no_library_of_sbml() -> None:
    code = "import sys, lissive.model; sys.exit(any(n in sys.modules for n in ('libsbml', 'antimony')))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_oracle_and_numpy_agree() -> None:
    model = read_antimony("x := piecewise(a^2.5/b, a > 1, tan(b)) + max(a, b) - a/b; a = 2; b = 3")
    node = [model.quantities["x"]]
    given: dict[str, Any] = dict(model.parameters)
    assert float(model.graph.evaluate(node, given)[0]) == pytest.approx(
        compile_nodes(model, node)(0, [], given)[0]
    )
    assert np.isfinite(model.graph.evaluate(node, given)[0])

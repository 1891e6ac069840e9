"""A rate that is divided by what comes to 0: the message names the divisor, its values and what to do."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest

import lissive
from lissive.cli import main as door
from lissive.model.read import read_antimony
from lissive.simulation.engine.pole import nearest, written

MODEL = "model m\n  S = 10; P = 0; Km = 5; Vm = 1; k0 = 0.1;\n  => S; k0;\n  J: S => P; {};\n  P => ; 0.3*P;\nend\n"


def ended(rate: str, km: float = -1.0, s0: float = 10.0, **given: object) -> str:
    model = read_antimony(MODEL.format(rate).replace("S = 10", f"S = {s0}"))
    run = lissive.simulate(model, until=100, every=10, parameters={"Km": km}, **given)
    return str(run.message.values[0])


@pytest.mark.parametrize(
    ("rate", "divisor", "values"),
    [
        ("Vm*S/(Km + S)", "S/default_compartment + Km", ("Km = -1", "S = 1")),
        ("Vm*S/(Km + S)^2", "S/default_compartment + Km", ("Km = -1", "S = 1")),
        ("Vm*S*(Km + S)^(-1.5 + 0.5)", "S/default_compartment + Km", ("Km = -1", "S = 1")),
        ("Vm/(1 + P/Km)", "1 + P/default_compartment/Km", ("Km = -1", "P = 1")),
        ("Vm*S/(S - Km*Km)", "S/default_compartment - Km*Km", ("Km = -1", "S = 1")),
    ],
)
def test_what_is_divided_by_is_named_with_its_values(
    rate: str, divisor: str, values: tuple[str, ...]
) -> None:
    said = ended(rate)
    assert f"divided by {divisor}, which is " in said
    assert all(each in said for each in values)
    assert said.endswith("give values with which that does not come to 0")


def test_a_run_with_a_positive_km_ends_well() -> None:
    assert ended("Vm*S/(Km + S)", km=5.0) == ""


@pytest.mark.parametrize("rtol", [1e-5, 1e-6])
@pytest.mark.parametrize(
    "text", ["A = 1; a = 2; A' = 1/(time - a)", "x = 0; B = 0; a = 2; x' = 1; B' = 1/(a - x)"]
)
def test_no_run_passes_a_pole_at_the_tolerance_that_the_documents_name(text: str, rtol: float) -> None:
    """The integral of 1/x over 0 does not exist."""
    own = pd.DataFrame({"a": np.linspace(1.0, 4.0, 200)})
    run = lissive.simulate(read_antimony(text), subjects=own, times=[0.0, 25.0], rtol=rtol)
    assert (run.status.values != 0).all()


def test_a_solution_that_ends_at_a_pole_ends_at_its_time() -> None:
    """S' = -Vm S/(S - 1): S - ln S falls by Vm a unit of time, and S is 1 when it has come from 10 - ln 10 to 1."""
    rates = np.linspace(0.5, 3.0, 24)
    model = read_antimony("S = 10; Vm = 1; S' = -Vm*S/(S - 1)")
    run = lissive.simulate(model, subjects=pd.DataFrame({"Vm": rates}), times=[0.0, 25.0])
    said = [re.match(r"stopped at time ([\d.]+): .*divided by S - 1,", each) for each in run.message.values]
    assert [float(each[1]) for each in said] == pytest.approx((9.0 - np.log(10.0)) / rates, rel=1e-4)


def test_who_gives_a_bound_on_steps_is_told_of_it() -> None:
    assert "took max_steps steps (20)" in ended("Vm*S/(Km + S)", km=5.0, max_steps=20)
    assert "raise max_steps or rtol" in ended("Vm*S/(Km + S)", km=5.0, max_steps=20)


def test_the_bound_is_an_option_of_the_command(tmp_path, capsys) -> None:
    path, out = tmp_path / "m.ant", tmp_path / "o.csv"
    path.write_text(MODEL.format("Vm*S/(Km + S)"), encoding="utf-8")
    words = ["simulate", str(path), "--until", "100", "--every", "10", "--out", str(out)]
    assert door.main([*words, "--max-steps", "20"]) == 1
    assert "took max_steps steps (20)" in capsys.readouterr().out
    assert pd.read_csv(out)["S"].isna().any()
    assert door.main([*words, "--force"]) == 0
    assert pd.read_csv(out)["S"].notna().all()
    assert door.main([*words, "--force", "--max-steps", "0"]) == 2


def test_a_formula_is_written_as_it_would_be_typed() -> None:
    model = read_antimony(
        "model m\n x = 1; a = 2; b = 3;\n x' = a - (b - x)/(a*b)^2 - -x*exp(a - b) + 2^(a + b);\nend\n"
    )
    assert "(b - x)/" in written(model.graph, model.rates[0])
    assert "exp(a - b)" in written(model.graph, model.rates[0])
    given = {"x": 1.0, "a": 2.0, "b": 3.0}
    assert nearest(model.graph, model.rates[0], given, {"x": 1.0}) is None

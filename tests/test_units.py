"""Units are converted once, at the border, and refused where they do not go together."""

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lissive.errors import UnitError
from lissive.units import factor, magnitude, registry, to_nmol


@pytest.mark.parametrize(
    ("text", "unit", "value"),
    [
        ("60 mg/day", "mg/day", 60.0),
        ("60mg/d", "mg/day", 60.0),
        ("2.5 mg/h", "mg/day", 60.0),
        ("0.06 g per day", "mg/day", 60.0),
        ("250 mcg", "mg", 0.25),
        ("250 ug", "mg", 0.25),
        ("1e3 mg", "g", 1.0),
    ],
)
def test_quantities_are_read_in_the_unit_asked_for(text, unit, value):
    assert magnitude(text, unit) == pytest.approx(value, rel=1e-12)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("60 ml", "'60 ml' is a volume, but mg/day is a mass per time."),
        ("60 mg", "'60 mg' is a mass, but mg/day is a mass per time."),
        ("60", "'60' has no unit."),
        ("two mg/day", "'two mg/day' is not a valid quantity."),
        ("2 tablets/day", "nknown unit"),
        ("2**99999999 mg", "is not a valid quantity"),
        ("1e999 mg/day", "is too large"),
        ("", "is not a valid quantity"),
    ],
)
def test_what_is_no_such_quantity_is_refused(text, says):
    with pytest.raises(UnitError) as error:
        magnitude(text, "mg/day", where="dose")
    message = str(error.value)
    assert message.startswith("dose: ")
    assert says in message
    assert "Allowed: a " in message


def test_the_error_says_what_to_do():
    with pytest.raises(UnitError) as error:
        magnitude("60 ml", "mg/day")
    assert str(error.value) == (
        "'60 ml' is a volume, but mg/day is a mass per time. "
        "Allowed: a unit that goes with mg/day, as in '60 mg/day'. "
        "What to do: give the quantity in such a unit."
    )


def test_factor_of_a_clearance():
    assert factor("L/h", "mL/min") == pytest.approx(1000 / 60)
    with pytest.raises(UnitError, match="is a rate"):
        factor("1/h", "L/h")


@given(st.floats(1e-9, 1e9), st.floats(1.0, 1e6))
def test_an_amount_weighs_what_it_was_made_of(mg, g_per_mol):
    assert to_nmol(mg, g_per_mol=g_per_mol) * g_per_mol / 1e6 == pytest.approx(mg, rel=1e-12)


def test_one_milligram_of_a_kilodalton_is_a_thousand_nanomol():
    assert to_nmol(1.0, g_per_mol=1000.0) == 1000.0


@pytest.mark.parametrize("g_per_mol", [0.0, -314.46, float("nan"), float("inf")])
def test_a_molar_mass_is_positive(g_per_mol):
    with pytest.raises(UnitError, match="molar mass"):
        to_nmol(1.0, g_per_mol=g_per_mol)


def test_there_is_one_registry():
    assert registry() is registry()


def test_importing_the_package_stays_light():
    heavy = "pint yaml pandas xarray pydantic numpy"
    code = f"import lissive, lissive.units, sys; print([m for m in {heavy.split()} if m in sys.modules])"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"

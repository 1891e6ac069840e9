"""Doses in mg by a product's name are the doses into compartments that they stand for."""

from __future__ import annotations

import pandas as pd
import pytest

from lissive.errors import EventError
from lissive.model import load
from lissive.model.equations import Equations
from lissive.simulation.events import EventTable, read_events

HEAD = "ID TIME EVID AMT CMT II ADDL SS".split()
NMOL = 1e6 / 314.46
"""In one mg of THC or of CBD, whose molar mass is 314.46 g/mol."""


@pytest.fixture(scope="module")
def model() -> Equations:
    return load("lissive")


def read(model: Equations, *rows: tuple[object, ...], **more: object) -> EventTable:
    return read_events(pd.DataFrame(rows, columns=HEAD).assign(**more), model)


def given(model: Equations, table: EventTable) -> list[tuple[float, int, float, str]]:
    return [
        (record.time, record.evid, round(record.amount, 6), model.states[record.target])
        for run in table.runs
        for record in run.records
    ]


def test_a_product_is_a_dose_of_each_of_its_cannabinoids(model):
    table = read(model, (1, 0, 4, 10.8, "nabiximols", 12, 3, 0), (1, 1, 1, 5, "dronabinol", 0, 0, 0))
    assert given(model, table) == [
        (0, 4, round(10.8 * NMOL, 6), "THC_spray"),
        (0, 1, round(10.0 * NMOL, 6), "CBD_spray"),  # 2.5 mg CBD for 2.7 mg THC
        (1, 1, round(5 * NMOL, 6), "THC_oral"),
    ]
    assert [record.additional for record in table.runs[0].records] == [3, 3, 0]
    assert any("0.9259 mg of CBD" in note for note in table.notes)


def test_how_a_product_is_taken_up_comes_with_it(model):
    table = read(
        model,
        (1, 0, 1, 10, "cannabidiol_solution", 0, 0, 0),
        (2, 0, 1, 10, "flower_smoked", 0, 0, 0),
        (3, 0, 1, 9, "THC_oral", 0, 0, 0),
    )
    found = [{name: values.tolist() for name, values in run.varying.items()} for run in table.runs]
    assert found[:2] == [{"smoked": [0.0], "oil_CBD": [1.0]}, {"smoked": [1.0], "oil_CBD": [0.0]}]
    assert given(model, table)[2][2] == 9  # a compartment's own dose stays in nmol


@pytest.mark.parametrize(
    ("row", "more", "said"),
    [
        ((1, 0, 1, 5, "nabiximol", 0, 0, 0), {}, "Did you mean nabiximols"),
        ((1, 0, 1, 5, "THC_orl", 0, 0, 0), {}, "Did you mean THC_oral"),
        ((1, 0, 1, 5, "nabilone", 0, 0, 0), {}, "another molecule"),
        ((1, 0, 1, 5, "nabiximols", 12, 0, 1), {}, "SS is 1 in a dose of nabiximols"),
        ((1, 0, 1, 5, "nabiximols", 0, 0, 0), {"RATE": 2}, "RATE is 2 in a dose of nabiximols"),
        ((1, 0, 1, -5, "nabiximols", 0, 0, 0), {}, "AMT is -5"),
        ((1, 0, 1, "much", "nabiximols", 0, 0, 0), {}, "AMT is 'much'"),
    ],
)
def test_what_is_no_dose_of_a_product_is_refused(model, row, more, said):
    with pytest.raises(EventError, match="events, row 1") as error:
        read(model, row, **more)
    assert said in str(error.value)


def test_products_that_are_taken_up_differently_are_for_two_subjects(model):
    with pytest.raises(EventError, match="taken up differently"):
        read(model, (1, 0, 1, 5, "cbd_oil", 0, 0, 0), (1, 9, 1, 5, "capsule", 0, 0, 0))


def test_a_model_of_ones_own_has_no_products(model):
    own = Equations("mine", model.graph, ("gut",), (0,), (0,), {}, {}, dose_targets={"gut": 0})
    with pytest.raises(EventError, match="CMT nabiximols is no compartment"):
        read(own, (1, 0, 1, 5, "nabiximols", 0, 0, 0))

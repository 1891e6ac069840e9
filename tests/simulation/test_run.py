"""`simulate` as users call it: doses, steady states, tables of subjects, output times."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from lissive.errors import ModelError, SimulationError
from lissive.model import load
from lissive.simulation.output import write
from lissive.simulation.solve import simulate

MODEL = Path(__file__).parents[2] / "examples" / "one_compartment.ant"
EVENTS = MODEL.with_name("events.csv")


def run(**given: object):
    return simulate(MODEL, **given)


def table(**columns: object) -> pd.DataFrame:
    return pd.DataFrame({"ID": 1, "EVID": 1, **columns})


@pytest.mark.parametrize("dose", [{}, {"RATE": 50.0}, {"RATE": 5.0}], ids=["at once", "2 h", "20 h of 12"])
def test_the_steady_state_is_what_a_long_run_comes_to(dose: dict[str, float]) -> None:
    target = "C" if dose else "A_gut"
    many = table(TIME=[0.0], AMT=100.0, CMT=target, II=12.0, ADDL=85, **dose)
    late = run(events=many, times=960.0 + np.arange(0, 13, 0.5), select=["A_gut", "C"], rtol=1e-9)
    one = table(TIME=[0.0], AMT=100.0, CMT=target, II=12.0, ADDL=2, SS=1, **dose)
    now = run(events=one, times=np.arange(0, 13, 0.5), select=["A_gut", "C"], rtol=1e-9)
    for name in ("A_gut", "C"):
        np.testing.assert_allclose(now[name].values, late[name].values, rtol=1e-5, atol=1e-6)


def test_a_second_kind_of_steady_state_adds_to_what_is_there() -> None:
    first = table(TIME=[0.0], AMT=70.0, CMT="C")
    second = table(TIME=[6.0], AMT=100.0, CMT="A_gut", II=12.0, ADDL=0, SS=2)
    both = pd.concat([first, second]).fillna(0)
    times = np.arange(6.0, 18.0)
    got = run(events=both, times=times, select=["C"], rtol=1e-9)["C"].values
    alone = run(events=first, times=times, select=["C"], rtol=1e-9)["C"].values
    series = run(events=second.assign(SS=1), times=times, select=["C"], rtol=1e-9)["C"].values
    np.testing.assert_allclose(got, alone + series, rtol=1e-6)  # the model is linear


def test_a_constant_infusion_settles_at_rate_over_clearance() -> None:
    steady = table(TIME=[0.0], AMT=0.0, CMT="C", RATE=10.0, II=0.0, SS=1)
    got = run(events=steady, times=[0.0], select=["[C]"], rtol=1e-9)
    assert got["[C]"].item() == pytest.approx(10.0 / 5.0, rel=1e-5)


def test_one_regimen_serves_all_subjects_of_a_table() -> None:
    people = pd.DataFrame({"ID": [7, 8, 9], "CL": [2.5, 5.0, 10.0]})
    dose = table(TIME=[0.0], AMT=100.0, CMT="C")
    got = run(events=dose, subjects=people, times=[10.0], select=["C"], rtol=1e-9)
    assert got["subject"].values.tolist() == [7, 8, 9]
    np.testing.assert_allclose(got["C"].values[:, 0], 100 * np.exp(-people["CL"] / 20 * 10), rtol=1e-7)


def test_splitting_an_infusion_changes_nothing() -> None:
    whole = table(TIME=[0.0], AMT=100.0, CMT="C", RATE=10.0)
    halves = table(TIME=[0.0, 5.0], AMT=50.0, CMT="C", RATE=10.0)
    times = np.linspace(0, 24, 25)
    a, b = (run(events=e, times=times, select=["C"], rtol=1e-9)["C"].values for e in (whole, halves))
    np.testing.assert_allclose(a, b, rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("factor", [0.01, 7.0, 1000.0])
def test_a_linear_model_answers_in_proportion(factor: float) -> None:
    times = np.linspace(0, 48, 25)
    one, more = (
        run(events=table(TIME=[0.0], AMT=a, CMT="A_gut", II=8.0, ADDL=4), times=times, select=["C"])[
            "C"
        ].values
        for a in (100.0, 100.0 * factor)
    )
    np.testing.assert_allclose(more, one * factor, rtol=1e-12)


def test_the_example_events_run_with_observation_rows_as_times() -> None:
    """Each subject at their own rows: two, one and one."""
    got = run(events=EVENTS, select=["[C]"])
    assert got["[C]"].dims == ("subject", "record")
    np.testing.assert_array_equal(got["time"].values, [[24.0, 168.0], [96.0, np.nan], [84.0, np.nan]])
    assert (np.isnan(got["[C]"].values) == np.isnan(got["time"].values)).all()
    assert (got["status"].values == 0).all()


def test_units_and_provenance_go_with_the_result() -> None:
    got = run(until=1, every=0.5, select=["C", "[C]", "CL"])
    assert got["[C]"].attrs["units"] == "mg/L"
    assert got["[C]"].attrs["long_name"] == "drug in plasma"
    assert got["CL"].attrs["units"] == "L/h"
    assert got["time"].attrs["units"] == "h"
    assert got.attrs["model"] == "one_compartment"
    assert len(got.attrs["model_hash"]) == 16


def test_times_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "times.csv"
    file.write_text("time\n0\n1.5, 3\n")
    assert run(times=file)["time"].values.tolist() == [0.0, 1.5, 3.0]
    file.write_text("0\nlater\n")
    with pytest.raises(SimulationError, match=r"times.csv:2: 'later' is no number"):
        run(times=file)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "No output times are given"),
        ({"until": 0, "every": 1}, "until is 0 and every is 1"),
        ({"times": [-1.0, 2.0]}, "times: -1 is no output time"),
        ({"until": 1, "every": 1, "subjects": 0}, "subjects is 0"),
        ({"until": 1, "every": 1, "select": ["C", "CX"]}, '"CX" is not a quantity.*Did you mean'),
        (
            {"until": 1, "every": 1, "subjects": pd.DataFrame({"cl": [1.0]})},
            'column "cl" is no parameter.*ID, .*CL',
        ),
        (
            {"until": 1, "every": 1, "subjects": pd.DataFrame({"CL": [1.0, None]})},
            "subjects, row 2: CL is nan",
        ),
        (
            {"until": 1, "every": 1, "subjects": pd.DataFrame({"ID": [1, 1]})},
            "subjects, row 2: ID 1 comes twice",
        ),
        ({"until": 1, "every": 1, "subjects": "nobody.csv"}, "nobody.csv: it cannot be read .No such file"),
    ],
)
def test_what_cannot_be_run_is_said(given: dict[str, object], said: str) -> None:
    with pytest.raises(SimulationError, match=said):
        run(**given)


@pytest.mark.parametrize("mode", [1, 2])
def test_a_steady_state_during_an_infusion_ends_it_or_leaves_it_as_its_kind_says(mode: int) -> None:
    """Closed form by superposition: the model is linear, and mode 1 ends what runs."""
    infusion = table(TIME=[0.0], AMT=200.0, CMT="C", RATE=10.0)
    series = table(TIME=[6.0], AMT=100.0, CMT="A_gut", II=12.0, ADDL=0, SS=mode)
    both = pd.concat([infusion, series]).fillna(0)
    times = np.array([9.0, 15.0, 21.0])
    got = run(events=both, times=times, select=["C"], rtol=1e-9)["C"].values[0]
    only = run(events=series.assign(SS=1), times=times, select=["C"], rtol=1e-9)["C"].values[0]
    also = run(events=infusion, times=times, select=["C"], rtol=1e-9)["C"].values[0]
    np.testing.assert_allclose(got, only if mode == 1 else only + also, rtol=1e-5)


def test_a_slow_steady_state_is_as_close_as_it_says() -> None:
    slow = table(TIME=[0.0], AMT=100.0, CMT="C", II=12.0, ADDL=0, SS=1)
    people = pd.DataFrame({"ID": [1], "CL": [0.02]})  # a half-life of 29 days
    got = run(events=slow, subjects=people, times=[0.0], select=["C"], rtol=1e-9)
    assert got["status"].item() == 0
    assert got["C"].item() == pytest.approx(100 / (1 - np.exp(-0.001 * 12)), rel=1e-5)


def test_doses_before_zero_have_happened_by_zero() -> None:
    early = table(TIME=[-12.0], AMT=100.0, CMT="C")
    got = run(events=early, times=[0.0, 4.0], select=["C"], rtol=1e-9)["C"].values[0]
    np.testing.assert_allclose(got, 100 * np.exp(-0.25 * np.array([12.0, 16.0])), rtol=1e-6)


def test_events_a_rounding_error_apart_do_no_harm() -> None:
    twice = table(TIME=[0.0], AMT=10.0, CMT="A_gut", II=0.1, ADDL=3)
    rows = pd.concat([twice, table(TIME=[0.3, 500.0], AMT=10.0, CMT="C")]).fillna(0)
    got = run(events=rows, times=[499.0, 501.0], select=["C"])
    assert got["status"].item() == 0
    assert got["C"].values[0, 1] == pytest.approx(10 * np.exp(-0.25), rel=1e-4)


@pytest.mark.parametrize(
    ("given", "said"),
    [({"rtol": 0.0}, "rtol is 0.0"), ({"rtol": 10.0}, "rtol is 10.0"), ({"atol": -1.0}, "atol is -1.0")],
)
def test_tolerances_have_a_range(given: dict[str, float], said: str) -> None:
    with pytest.raises(SimulationError, match=said):
        run(until=1, every=1, **given)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("ID,ka\n1,2,3\n", "people.csv:2: 3 cells"),
        ("ID,ka\n1,\n", "people.csv:2: 2 cells, 1 of them empty"),
        ("ID,ka\n", "no subjects"),
        ("", "the file is empty"),
        ("ID,ka,ka\n1,2,3\n", ":1: the column ka comes twice"),
        ("ID,ka\n1,TRUE\n", "people.csv:2: ka is TRUE"),
    ],
)
def test_a_table_of_subjects_is_not_guessed_at(text: str, said: str, tmp_path: Path) -> None:
    file = tmp_path / "people.csv"
    file.write_text(text)
    with pytest.raises(SimulationError, match=said):
        run(until=1, every=1, subjects=file)


def test_a_number_of_subjects_draws_them_and_none_is_the_typical_person() -> None:
    one, seven, typical = (
        simulate("lissive", subjects=n, until=1, every=1, select=["NRS"])["NRS"].values[:, 0]
        for n in (1, 7, None)
    )
    assert one[0] == seven[0]
    assert typical[0] == pytest.approx(6.9)
    assert one[0] != typical[0]


def test_a_model_with_nothing_in_it_is_said(tmp_path: Path) -> None:
    file = tmp_path / "empty.ant"
    file.write_text("// nothing\n")
    with pytest.raises((SimulationError, ModelError)):
        simulate(file, until=1, every=1)


def test_the_hash_of_a_model_does_not_depend_on_what_was_run_before() -> None:
    first = run(until=1, every=1, select=["C"]).attrs["model_hash"]
    model = load(MODEL)
    for select in (["C"], ["A_gut", "ka"]):
        assert simulate(model, until=1, every=1, select=select).attrs["model_hash"] == first


def test_a_whole_number_of_any_size_is_a_number(tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    path.write_text(f"ID,CL\n1,5\n2,1{'0' * 30}\n", encoding="utf-8")
    got = run(subjects=path, events=table(TIME=[0.0], AMT=100.0, CMT="C"), times=[10.0], select=["C"])
    assert got["C"].values[0, 0] == pytest.approx(100 * np.exp(-5 / 20 * 10), rel=1e-5)
    assert got["C"].values[1, 0] == pytest.approx(0.0, abs=1e-6)


@pytest.mark.parametrize("kind", ["csv", "parquet", "nc"])
def test_subjects_may_be_called_by_whole_numbers_of_any_size(tmp_path: Path, kind: str) -> None:
    path, out = tmp_path / "people.csv", tmp_path / f"made.{kind}"
    large = [f"1{'0' * 30}{last}" for last in (1, 2)]  # one number as doubles
    path.write_text("ID,CL\n" + "".join(f"{each},5\n" for each in large), encoding="utf-8")
    write(run(subjects=path, times=[10.0], select=["C"]), out)
    if kind == "csv":
        found = list(pd.read_csv(out, dtype=str)["subject"])
    elif kind == "parquet":
        found = list(pd.read_parquet(out)["subject"])
    else:
        with xr.open_dataset(out) as data:
            found = list(data["subject"].values)
    assert found == large

"""`lissive export petab` and `events`: what is written says what was run."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import lissive
from lissive.cli import main as door
from lissive.interchange.omex import open_omex
from lissive.interchange.petab import fit

pytestmark = pytest.mark.slow

MODEL = """
model d
  compartment v = 2; species A in v = 5; substanceOnly species B in v = 0
  J: A -> B; k*A
  k = 0.3; unused = 1
end
"""


@pytest.fixture(scope="module")
def run_of_two(tmp_path_factory) -> str:
    """A run of two subjects as `simulate` writes it."""
    folder = tmp_path_factory.mktemp("run")
    (folder / "d.ant").write_text(MODEL)
    (folder / "subjects.csv").write_text("ID,k\na-1,0.3\nb,0.6\n")
    asked = ["--subjects", str(folder / "subjects.csv"), "--until", "4", "--every", "1", "--rtol", "1e-8"]
    words = ["simulate", str(folder / "d.ant"), *asked, "--select", "A,[A],B,[B],k"]
    assert door.main([*words, "--out", str(folder / "run.csv")]) == 0
    return (folder / "run.csv").read_text()


@pytest.fixture
def place(tmp_path, monkeypatch, run_of_two) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "d.ant").write_text(MODEL)
    (tmp_path / "run.csv").write_text(run_of_two)
    return tmp_path


PETAB = ["export", "petab", "d.ant", "--data", "run.csv", "--sd", "0.1", "--out", "problem"]


def test_a_run_as_a_petab_problem_simulates_as_it_was(place, capsys):
    assert door.main([*PETAB, "--estimate", "unused=0.1:10"]) == 0
    assert "2 conditions, 4 observables, 40 measurements, 1 parameters" in capsys.readouterr().out
    found = fit(place / "problem" / "problem.yaml")
    assert found.experiments == 2
    assert found.simulation == pytest.approx(found.problem.measurements["measurement"].to_numpy(), rel=1e-6)
    assert found.chi_squared == pytest.approx(0.0, abs=1e-6)
    about = found.problem.parameters.loc["unused"]
    assert about[["lowerBound", "upperBound", "nominalValue", "estimate"]].tolist() == [0.1, 10, 1, 1]


def test_a_problem_of_something_else_is_kept(place, capsys):
    assert door.main(PETAB) == 0
    assert door.main(PETAB) == 0
    kept = (place / "problem" / "observables.tsv").read_text()
    other = [*PETAB, "--sd", "0.2"]
    assert door.main(other) == 2
    assert "problem: there is a result of another run" in capsys.readouterr().err
    assert (place / "problem" / "observables.tsv").read_text() == kept
    assert door.main([*other, "--force"]) == 0
    assert (place / "problem" / "observables.tsv").read_text() != kept


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--sd", "0"], "--sd: '0' is no number over 0"),
        (["--sd", "A=1"], "--sd: [A] has no standard deviation"),
        (["--sd", "0.1,C=1"], "--sd: C is no observable"),
        (["--estimate", "k=1:2"], "--estimate: k cannot be estimated"),
        (["--estimate", "unused=2:1"], "--estimate: 'unused=2:1' has no bounds"),
        (["--estimate", "unused=2"], "--estimate: 'unused=2' is no number over 0"),
    ],
)
def test_an_option_that_does_not_fit_is_one_message(place, capsys, options, said):
    assert door.main([*PETAB, *options]) == 2
    assert said in capsys.readouterr().err
    assert not (place / "problem").exists()


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("time", "hour", "run.csv:1: 0 columns are called time"),
        ("A,[A]", "A,[C]", "run.csv:1: [C] is no species, compartment or parameter of the model d"),
        (",0.6\n", ",0.7\n", "the parameter k changes within subject b"),
        (",10,", ",much,", "run.csv:2: A is 'much'"),
        ('"a-1",0', '"a-1",-1', "run.csv:2: time is -1"),
        ('"a-1",0,', '"a-1",', "run.csv:2: the row has 6 cells below a heading of 7"),
    ],
)
def test_a_table_that_does_not_fit_is_one_message(place, capsys, old, new, said):
    text = (place / "run.csv").read_text()
    (place / "run.csv").write_text(text.replace(old, new, 1))
    assert door.main(PETAB) == 2
    assert said in capsys.readouterr().err
    assert not (place / "problem").exists()


DOSES = "ID,TIME,EVID,AMT,CMT,RATE,II,ADDL,F,SEX\n1,0,1,10,A,.,2,2,0.5,f\n1,1,0,.,.,.,.,.,.,f\n1,3,1,4,B,8,.,.,.,f\n"


def test_a_dosing_table_with_a_row_for_each_dose_runs_as_before(place, capsys):
    (place / "doses.csv").write_text(DOSES)
    assert door.main(["export", "events", "d.ant", "--events", "doses.csv", "--out", "plain.csv"]) == 0
    said = capsys.readouterr().out
    assert "Not in it: 1 observation rows, the column SEX." in said
    assert "Compartments: 1 A, 2 B." in said
    rows = (place / "plain.csv").read_text().splitlines()
    assert rows[1:] == [
        "1,0.0,1,5.0,1,0.0,0.0,0,0",
        "1,2.0,1,5.0,1,0.0,0.0,0,0",
        "1,3.0,1,4.0,2,8.0,0.0,0,0",
        "1,4.0,1,5.0,1,0.0,0.0,0,0",
    ]
    first, second = (
        lissive.simulate("d.ant", events=name, until=6, every=0.5) for name in ("doses.csv", "plain.csv")
    )
    for name in "AB":
        assert second[name].values == pytest.approx(first[name].values, rel=1e-9)


def test_doses_as_events_of_the_model_run_as_the_table_does_here_and_in_another_tool(place, capsys):
    roadrunner = pytest.importorskip("roadrunner")
    (place / "doses.csv").write_text(DOSES.replace("1,3,1,4,B,8", "1,3,1,4,B,8,.,.,.,f\n1,3.25,1,4,B,4"))
    assert door.main(["export", "sbml", "d.ant", "--events", "doses.csv", "--out", "dosed.xml"]) == 0
    times = np.arange(0, 6.1, 0.25)
    given = {"times": times, "select": ["A", "B"], "rtol": 1e-9}
    table, events = (
        lissive.simulate("d.ant", events="doses.csv", **given),
        lissive.simulate("dosed.xml", **given),
    )
    theirs = roadrunner.RoadRunner(str(place / "dosed.xml"))
    theirs.integrator.relative_tolerance = 1e-10
    found = np.array(theirs.simulate(times=times.tolist(), selections=["A", "B"]))
    for k, name in enumerate("AB"):
        assert events[name].values[0] == pytest.approx(table[name].values[0], abs=1e-7)
        assert found[:, k] == pytest.approx(table[name].values[0], abs=1e-6)


@pytest.mark.slow
def test_a_dosed_run_as_a_petab_problem_and_as_an_archive(place):
    (place / "doses.csv").write_text(DOSES)
    asked = ["--events", "doses.csv", "--until", "6", "--every", "0.5", "--rtol", "1e-8"]
    assert door.main(["simulate", "d.ant", *asked, "--out", "run.csv"]) == 0
    run = lissive.simulate("d.ant", events="doses.csv", until=6, every=0.5, rtol=1e-8)
    (place / "run.csv").write_text(
        "".join(f"{','.join(row.split(',')[:4])}\n" for row in (place / "run.csv").read_text().split())
    )
    assert door.main([*PETAB, "--events", "doses.csv"]) == 0
    assert fit(place / "problem" / "problem.yaml").chi_squared == pytest.approx(0.0, abs=1e-6)
    assert door.main(["export", "omex", "d.ant", *asked, "--out", "d.omex"]) == 0
    with open_omex(place / "d.omex") as document:
        (found,) = document.run()
    assert list(found.columns) == ["time", "A", "B"]
    assert found.columns["B"] == pytest.approx(run["B"].values[0], rel=1e-6, abs=1e-9)


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ("1,0,1,5,A,.,12,0,1,1\n", "steady states and resets cannot be events"),
        ("1,0,3,.,.,.,.,.,.,.\n1,1,1,5,A,.,.,.,.,.\n", "steady states and resets cannot be events"),
        ("1,0,1,5,A,.,.,.,.,.\n2,0,1,5,A,.,.,.,.,.\n", "2 subjects or occasions"),
        ("1,-1,1,5,A,.,.,.,.,.\n", "a dose is before time 0"),
    ],
)
def test_what_cannot_be_an_event_of_a_model_is_refused(place, capsys, rows, said):
    (place / "doses.csv").write_text("ID,TIME,EVID,AMT,CMT,RATE,II,ADDL,SS,F\n" + rows)
    assert door.main(["export", "sbml", "d.ant", "--events", "doses.csv", "--out", "dosed.xml"]) == 2
    assert said in capsys.readouterr().err
    assert not (place / "dosed.xml").exists()

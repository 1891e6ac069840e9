"""Wrong values in `simulate` are LissiveErrors with place and remedy, and nothing else; too much is refused first."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import lissive
from lissive.cli import main as door
from lissive.errors import LissiveError
from lissive.simulation import limits

MODEL = Path(__file__).parents[2] / "examples" / "one_compartment.ant"
DOSE = pd.DataFrame({"ID": [1], "TIME": [0.0], "AMT": [1.0], "CMT": ["C"]})

WRONG = [
    ("device", [None, "cuda", "GPU", "", 5, True, [], {}, np.zeros(3)]),
    ("model", [None, 5, "", "nosuch", ".", "nosuch.ant", b"x", [], {}, Path()]),
    (
        "events",
        [5, [], {}, True, "missing.csv", ".", "", "\0", "x" * 5000, pd.Series([1]), np.zeros(3), object()],
    ),
    ("events", [pd.DataFrame(), pd.DataFrame({"ID": []}), pd.DataFrame({1: [1], 2: [2]})]),
    ("events", [pd.DataFrame([[1, 2]], columns=["ID", "ID"]), pd.DataFrame({"ID": [[1]], "TIME": [0]})]),
    (
        "events",
        [DOSE.assign(AMT=[[1]]), DOSE.assign(CMT=[[1]]), DOSE.assign(CMT=[{}]), DOSE.assign(CL=[object()])],
    ),
    ("events", [DOSE.assign(AMT=10**400), DOSE.assign(TIME=1e308, II=1e308, ADDL=3)]),
    (
        "subjects",
        [-1, 0, 1.5, math.nan, math.inf, True, "x", "", ".", "\0", [], {}, b"3", np.int64(0), 10**23],
    ),
    ("subjects", [pd.DataFrame(), pd.DataFrame({"ID": [[1]]}), pd.DataFrame({"ID": [None]})]),
    (
        "subjects",
        [
            pd.DataFrame({"CL": ["x"]}),
            pd.DataFrame({"CL": [[1]]}),
            pd.DataFrame([[1, 1]], columns=["CL"] * 2),
        ],
    ),
    ("until", ["24", math.nan, math.inf, -1, 0, None, [], True, 10**400, np.float32("nan"), 1e300]),
    ("every", ["1", math.nan, math.inf, -1, 0, None, [], True, 1e-300, 5]),
    ("select", [5, [], [5], "", " ", ["nosuch"], ["C", "C"], [None], {}, {"C"}, b"C", ["time"], object()]),
    (
        "parameters",
        [5, [], "CL", {"nosuch": 1}, {5: 1}, {"C": 1}, {"CL": "x"}, {"CL": math.nan}, {"CL": [1, 2]}],
    ),
    ("parameters", [{"CL": None}, {"CL": True}, {"CL": 10**400}]),
    ("rtol", ["x", math.nan, math.inf, 0, -1, None, [], True]),
    ("atol", ["x", math.nan, math.inf, -1, None, [], True]),
    ("max_steps", ["x", 0, -1, 1.5, math.nan, math.inf, None, [], True, 10**30]),
    ("threads", [0, -1, "2", 1.5, True, [], math.nan]),
    ("seed", ["x", -1, 1.5, None, [], math.nan, True]),
    ("covariates", ["foo", "NOCB", "", None, 5, [], True]),
]


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in WRONG for value in values])
def test_a_wrong_value_is_a_lissive_error(name, value):
    given = {"model": MODEL, "until": 2.0, "every": 1.0, name: value}
    with pytest.raises(LissiveError) as error:
        lissive.simulate(**given)
    assert error.value.what
    assert error.value.allowed or error.value.do or name == "events"
    assert len(str(error.value)) < 12_000


@pytest.mark.parametrize(
    "times",
    [
        "nofile",
        [math.nan],
        [math.inf],
        ["a"],
        ["1"],
        [[1, 2], [3, 4]],
        [[1], 2],
        {},
        [],
        [None],
        True,
        [-1.0],
    ],
)
def test_wrong_output_times_are_lissive_errors(times):
    with pytest.raises(LissiveError):
        lissive.simulate(MODEL, times=times)


def test_times_and_until_are_not_both_obeyed():
    with pytest.raises(LissiveError, match="times is given, and until or every"):
        lissive.simulate(MODEL, times=[1.0], until=2.0, every=1.0)


def test_a_cell_of_140000_characters_is_refused_with_its_line(tmp_path, capsys):
    (tmp_path / "e.csv").write_text(f"ID,TIME,AMT,CMT\n1,0,{'9' * 140_000},C\n", encoding="utf-8")
    words = ["simulate", str(MODEL), "--events", str(tmp_path / "e.csv"), "--out", str(tmp_path / "o.csv")]
    assert door.main([*words, "--until", "1", "--every", "1"]) == 2
    said = capsys.readouterr().err
    assert "e.csv:2: The row cannot be read: field larger than field limit" in said
    assert not (tmp_path / "o.csv").exists()


@pytest.mark.parametrize(
    ("subjects", "until", "every"),
    [
        ("1000000000", "1", "1"),
        ("100000000000", "1", "1"),
        (str(10**23), "1", "1"),
        ("1000000", "100000", "0.1"),
    ],
)
def test_too_much_asked_is_refused_with_the_disk_and_the_most(
    subjects, until, every, tmp_path, capsys, monkeypatch
):
    monkeypatch.setattr(limits, "disk", lambda _: 16 * 2**30)
    words = ["simulate", str(MODEL), "--subjects", subjects, "--until", until, "--every", every]
    assert door.main([*words, "--out", str(tmp_path / "o.csv")]) == 2
    said = capsys.readouterr().err
    assert f"subjects: {subjects} subjects would take" in said
    assert "Allowed: up to " in said
    assert list(tmp_path.iterdir()) == []


def test_what_fits_is_not_refused(monkeypatch):
    monkeypatch.setattr(limits, "memory", lambda: 2**30)
    limits.afford(1000, 2**20, what="subjects", where="subjects", do="ask for fewer.")
    with pytest.raises(
        LissiveError, match=r"1025 subjects would take 1 GiB of memory or more. Allowed: up to 1024 here"
    ):
        limits.afford(1025, 2**20, what="subjects", where="subjects", do="ask for fewer.")


def test_doses_without_number_are_refused():
    many = pd.DataFrame(
        {"ID": range(12), "TIME": np.arange(12.0), "AMT": 1.0, "CMT": "C", "II": 1.0, "ADDL": 1_000_000}
    )
    with pytest.raises(LissiveError, match="The events come to 12000012 doses. Allowed: up to 10000000"):
        lissive.simulate(MODEL, events=many, until=1, every=1)


def test_replicates_that_no_memory_holds_are_refused_before_anything_is_made(tmp_path, capsys):
    folder = MODEL.parent / "population"
    words = [
        "simulate",
        str(MODEL),
        "--population",
        str(folder / "population.csv"),
        "--out",
        str(tmp_path / "o.csv"),
    ]
    assert door.main([*words, "--events", str(folder / "doses.csv"), "--replicates", str(10**12)]) == 2
    said = capsys.readouterr().err
    assert "replicates: 1000000000000 replicates would take" in said
    assert "What to do: ask for fewer replicates." in said
    assert not list(tmp_path.iterdir())

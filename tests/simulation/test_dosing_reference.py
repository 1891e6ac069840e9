"""Random dosing tables against a second reading of NONMEM's rules, with closed forms between the events."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import lissive
from lissive.cli import main as door
from lissive.model.read import read_antimony

TEXT = """model one
  compartment body = 20;  substanceOnly species central in body = 0;  CL = 5;
  elimination: central => ;  CL/body*central;
end
"""
PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "run-a-model.md"


class Reference:
    """One subject, row by row: what is in the body, infusions that run, doses that are still to come."""

    def __init__(self, begin):
        self.amount, self.now, self.infusions, self.due = 0.0, begin, [], []

    def go(self, until, k):
        while True:
            stops = [until, *(end for end, _ in self.infusions), *(at for at, *_ in self.due)]
            stop = min(at for at in stops if at <= until)
            rate, left = sum(rate for _, rate in self.infusions), math.exp(-k * (stop - self.now))
            self.amount, self.now = self.amount * left + rate / k * (1 - left), stop
            self.infusions = [each for each in self.infusions if each[0] > stop]
            falls, self.due = [d for d in self.due if d[0] <= stop], [d for d in self.due if d[0] > stop]
            for _, amount, length in falls:
                self.give(amount, length)
            if stop >= until:
                return

    def give(self, amount, length):
        if length > 0:
            self.infusions.append((self.now + length, amount / length))
        else:
            self.amount += amount

    def row(self, row):
        if row["EVID"] in (3, 4):
            self.amount, self.infusions, self.due = 0.0, [], []
        if row["EVID"] not in (1, 4):
            return
        amount = row["AMT"] * row["F"]
        length = row["DUR"] or (amount / row["RATE"] if row["RATE"] > 0 else 0.0)
        for k in range(row["ADDL"] + 1):
            at = row["TIME"] + row["LAG"] + k * row["II"]
            if at <= self.now:
                self.give(amount, length)
            else:
                self.due.append((at, amount, length))


def expected(rows, mode):
    run, found = Reference(min(0.0, rows[0]["TIME"])), []
    for j, row in enumerate(rows):
        holds = row if mode == "nocb" or j == 0 else rows[j - 1]
        run.go(row["TIME"], holds["CL"] / 20)
        run.row(row)
        if row["EVID"] == 0:
            found.append(run.amount)
    return found


def a_row(rng, subject, time):
    evid = int(rng.choice([0, 1, 2, 3, 4], p=[0.4, 0.45, 0.05, 0.05, 0.05]))
    row = {"ID": subject, "TIME": time, "EVID": evid, "AMT": 0.0, "CMT": "central", "RATE": 0.0, "DUR": 0.0}
    row |= {"F": 1.0, "LAG": 0.0, "II": 0.0, "ADDL": 0, "CL": float(rng.choice([5, 5, 10, 2]))}
    if evid in (1, 4):
        kind = rng.integers(3)
        row |= {"AMT": float(rng.integers(1, 100)), "F": float(rng.choice([0.5, 1, 2]))}
        row |= {
            "LAG": float(rng.choice([0, 0, 0.5, 3])),
            "RATE": [0.0, float(rng.choice([5, 20])), -2.0][kind],
        }
        row |= {"DUR": float(rng.choice([0.5, 2, 7])) if kind == 2 else 0.0}
        if rng.random() < 0.5:
            row |= {"II": float(rng.choice([0.5, 1, 2.5])), "ADDL": int(rng.integers(1, 5))}
    return row


@pytest.mark.parametrize("mode", ["nocb", "locf"])
def test_random_tables_mean_what_a_second_reading_says(mode):
    """Times are halves of an hour, so that many rows, additional and lagged doses fall on one time."""
    rng, tables = np.random.default_rng(12), []
    for subject in range(60):
        times = np.sort(rng.integers(0, 12, rng.integers(3, 12))) / 2 + rng.choice([0.0, -2.0, 1.5])
        rows = [a_row(rng, subject, float(time)) for time in times]
        last = {**a_row(rng, subject, float(times[-1]) + float(rng.choice([0, 4]))), "EVID": 0, "AMT": 0.0}
        tables.append([*rows, {**last, "RATE": 0.0, "DUR": 0.0, "II": 0.0, "ADDL": 0}])
    events = pd.DataFrame([row for rows in tables for row in rows])
    found = lissive.simulate(
        read_antimony(TEXT), events=events, select=["central"], covariates=mode, rtol=1e-9
    )["central"].values
    for rows, got in zip(tables, found, strict=True):
        want = expected(rows, mode)
        np.testing.assert_allclose(got[: len(want)], want, rtol=1e-6, atol=1e-6)
        assert np.isnan(got[len(want) :]).all()


def test_the_page_shows_what_comes_out():
    """The rows of the picture, and the numbers that stand beside it."""
    page = PAGE.read_text(encoding="utf-8")
    start = page.index("    ID,TIME,EVID,AMT,CMT,II,ADDL\n")
    rows = [line.split(",") for line in page[start:].split("\n\n")[0].replace(" ", "").splitlines()]
    events = pd.DataFrame(rows[1:], columns=rows[0])
    got = lissive.simulate(read_antimony(TEXT), events=events, select=["central"], rtol=1e-8)[
        "central"
    ].values[0]
    assert [f"{value:.2f}" for value in got] == ["104.98", "154.98"]
    assert "4.98 mg before, 104.98 mg after the additional dose" in page
    assert "154.98 mg after that dose" in page
    assert (PAGE.parent / "../images/rows-at-one-time.svg").read_text(encoding="utf-8").count("154.98") == 3


@pytest.mark.parametrize(("mode", "at_12"), [("nocb", math.exp(-4.5)), ("locf", math.exp(-3.0))])
def test_the_command_says_what_became_of_each_column(mode, at_12, tmp_path, capsys):
    (tmp_path / "one.ant").write_text(TEXT, encoding="utf-8")
    events = "ID,TIME,EVID,AMT,CMT,CL,DV\n1,0,1,100,central,5,.\n1,6,0,.,.,5,20\n1,12,0,.,.,10,1\n"
    (tmp_path / "tv.csv").write_text(events, encoding="utf-8")
    words = [
        "simulate",
        str(tmp_path / "one.ant"),
        "--events",
        str(tmp_path / "tv.csv"),
        "--covariates",
        mode,
    ]
    assert door.main([*words, "--out", str(tmp_path / "o.csv"), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["columns"] == {"varying": ["CL"], "covariates": mode, "not_used": ["DV"]}
    assert any(f"({mode}: between rows" in note and note.endswith(": CL.") for note in said["notes"])
    table = pd.read_csv(tmp_path / "o.csv")
    assert list(table) == ["subject", "time", "central", "DV"]
    np.testing.assert_allclose(table["central"], [100 * math.exp(-1.5), 100 * at_12], rtol=1e-5)
    assert door.main([*words, "--out", str(tmp_path / "o.csv")]) == 0
    said = capsys.readouterr().out
    assert "Not used, only carried to the result: DV." in said
    assert f"Time-varying parameters ({mode}: between rows" in said


def test_an_unknown_way_of_carrying_is_refused(tmp_path, capsys):
    words = ["simulate", "lissive", "--until", "1", "--every", "1", "--covariates", "linear"]
    assert door.main([*words, "--out", str(tmp_path / "o.csv")]) == 2
    assert "--covariates is 'linear'. Allowed: nocb or locf." in capsys.readouterr().err

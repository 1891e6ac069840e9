"""`lissive simulate` with bad input: one line with what, where, what is allowed and what to do; nothing is written."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import lissive
from lissive.cli.main import main
from lissive.model.read import read_antimony

MODEL = str(Path(__file__).parents[2] / "examples" / "one_compartment.ant")
HOUR = ("--until", "1", "--every", "1")
HEAD = "ID,TIME,EVID,AMT,CMT"

OPTIONS = {
    "no times": (),
    "half of the times": ("--until", "1"),
    "times before 0": ("--until", "-1", "--every", "1"),
    "no step": ("--until", "1", "--every", "0"),
    "too many": ("--until", "1e9", "--every", "1e-9"),
    "no number": ("--until", "nan", "--every", "1"),
    "a file of times that is not there": ("--times", "1,2"),
    "a tolerance of 0": (*HOUR, "--rtol", "0"),
    "a loose tolerance": (*HOUR, "--rtol", "2"),
    "an error below 0": (*HOUR, "--atol", "-1"),
    "a name far from all": (*HOUR, "--select", "qqqq"),
    "a name twice": (*HOUR, "--select", "C,C"),
    "nobody": (*HOUR, "--subjects", "0"),
    "half a subject": (*HOUR, "--subjects", "1.5"),
    "a seed below 0": (*HOUR, "--seed", "-1"),
    "another device": (*HOUR, "--device", "tpu"),
    "replicates of nobody": (*HOUR, "--replicates", "3"),
    "another mode": (*HOUR, "--covariates", "xyz"),
    "a figure as text": (*HOUR, "--plot", "run.txt"),
    "a check of nothing": (*HOUR, "--vpc", "v.png"),
}
FILES = {
    "times: a word": ("--times", "1\ntwo\n", ":2"),
    "times: none": ("--times", "# none\n", None),
    "times: below 0": ("--times", "-1\n", None),
    "events: empty": ("--events", "", ""),
    "events: no row": ("--events", HEAD + "\n", ""),
    "events: semicolons": ("--events", "ID;TIME;EVID\n1;0;0\n", ":1"),
    "events: a column twice": ("--events", HEAD + ",amt\n1,0,1,1,C,1\n", ":1"),
    "events: few cells": ("--events", HEAD + "\n1,0,1,1\n", ":2"),
    "events: two names of a lag": ("--events", HEAD + ",LAG,ALAG\n1,0,1,1,C,1,1\n", ":1"),
    "events: a column without a name": ("--events", HEAD + ",\n1,0,1,1,C,1\n", ":1"),
    "events: two columns for CL": ("--events", HEAD + ",CL,cl\n1,0,1,1,C,1,1\n", ":1"),
    "events: no such place": ("--events", HEAD + "\n1,0,1,1,brain\n", ":2"),
    "events: nothing is observed": ("--events", HEAD + "\n1,0,1,1,C\n", None),
    "subjects: empty": ("--subjects", "", ""),
    "subjects: none": ("--subjects", "ID,CL\n", ""),
    "subjects: a word, below an empty line": ("--subjects", "ID,CL\n1,5\n\n2,x\n", ":4"),
    "subjects: twice": ("--subjects", "ID,CL\n1,5\n1,6\n", ":3"),
    "subjects: a column twice": ("--subjects", "CL,CL\n5,6\n", ":1"),
    "subjects: semicolons": ("--subjects", "ID;CL\n1;5\n", ":1"),
    "subjects: few cells": ("--subjects", "ID,CL\n1\n", ":2"),
    "subjects: infinite": ("--subjects", "ID,CL\n1,inf\n", ":2"),
}


def refused(words: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[str, str]:
    """What is said, and what to do."""
    assert main(words) == 2
    said = capsys.readouterr().err
    found = re.fullmatch(r"lissive: (.+) Allowed: .+\. What to do: (.+[.?])\n", said)
    assert found, said
    return found[1], found[2]


@pytest.mark.parametrize("which", OPTIONS)
def test_options_that_cannot_be_are_refused_in_four_parts(which, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    refused(["simulate", MODEL, "--out", "o.csv", *OPTIONS[which]], capsys)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("out", ["o.txt", "o", "none/o.csv"])
def test_places_that_cannot_be_written_are_refused_in_four_parts(out, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    refused(["simulate", MODEL, "--out", out, *HOUR], capsys)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("which", FILES)
def test_files_that_cannot_be_read_are_refused_in_four_parts(which, tmp_path, capsys):
    option, text, line = FILES[which]
    path = tmp_path / "given.csv"
    path.write_text(text)
    times = HOUR if option == "--subjects" else ()
    said, _ = refused(
        ["simulate", MODEL, "--out", str(tmp_path / "o.csv"), option, str(path), *times], capsys
    )
    assert line is None or said.startswith(f"{path}{line}: ")
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("option", ["--events", "--subjects", "--population", "--times"])
@pytest.mark.parametrize("content", [None, b"\xff\xfe\x00"], ids=["a folder", "no text"])
def test_what_is_no_text_is_refused_in_four_parts(option, content, tmp_path, capsys):
    path = tmp_path / "given.csv"
    path.mkdir() if content is None else path.write_bytes(content)
    times = () if option == "--times" else HOUR
    refused(["simulate", MODEL, "--out", str(tmp_path / "o.csv"), option, str(path), *times], capsys)
    assert list(tmp_path.iterdir()) == [path]


def test_who_starts_at_no_finite_number_is_named_and_the_others_run() -> None:
    model = read_antimony("a = 1; b = 1; x = a/b; x' = -x")
    people = pd.DataFrame({"a": [1.0, 0.0, 1.0], "b": [1.0, 0.0, 0.0]})
    run = lissive.simulate(model, subjects=people, times=[0.0, 1.0])
    assert [bool(each) for each in run.status.values] == [False, True, True]
    assert run["x"].values[0, 1] == pytest.approx(np.exp(-1.0), rel=1e-5)
    said = [str(each) for each in run.message.values]
    assert said[1] == "stopped at time 0: x is nan at the start; give it a finite initial value"
    assert said[2] == "stopped at time 0: x is inf at the start; give it a finite initial value"

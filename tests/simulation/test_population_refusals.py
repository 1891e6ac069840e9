"""A wrong table of a population: each message says what, in which line, what is allowed and what to do."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from lissive.cli.main import main

MODEL = Path(__file__).parents[2] / "examples" / "one_compartment.ant"
HEAD = "kind,parameter,value,form,with,reference\n"
CL = HEAD + "theta,CL,5,,,\n"
WEIGHT = CL + "covariate,CL,0.75,power,WT,70\n"
THREE = CL + "omega,CL,1,,,\ntheta,ka,1,,,\nomega,ka,1,,,\ntheta,plasma,9,,,\nomega,plasma,1,,,\n"
EVENTS = "ID,TIME,EVID,AMT,CMT\n1,0,1,100,A_gut\n\n1,4,0,.,.\n"

BAD = {
    "no rows": (HEAD, "", "has no rows", "theta,CL,5"),
    "empty": ("", "", "is empty", "write the header"),
    "semicolons": (CL.replace(",", ";"), ":1", "There is one column", "commas"),
    "column": (CL.replace("form", "from"), ":1", "Unknown column 'from'. Did you mean form?", "correct its name"),
    "no value": (CL.replace("value", "note"), ":1", "no column value", "add the column value"),
    "a column twice": (CL.replace("with", "form"), ":1", "2 columns form", "keep one"),
    "few cells": (CL + "theta,ka,1\n", ":3", "3 cells", "keep its comma"),
    "kind": (HEAD + "thet,CL,5,,,\n", ":2", "kind is 'thet'. Did you mean theta?", "write in kind"),
    "no parameter": (HEAD + "theta,,5,,,\n", ":2", "parameter is empty", "write in parameter"),
    "a value with its unit": (HEAD + "theta,CL,5 L/h,,,\n", ":2", "value is '5 L/h'", "the number alone"),
    "form": (HEAD + "theta,CL,5,lognomal,,\n", ":2", "Did you mean lognormal?", "write one of them"),
    "form of omega": (CL + "omega,CL,1,normal,,\n", ":3", "in an omega row", "leave form empty"),
    "no form": (CL + "sigma,[C],1,,,\n", ":3", "form is empty in a sigma row", "write one of them"),
    "no covariate": (CL + "covariate,CL,1,power,,70\n", ":3", "with is empty", "fill in with"),
    "no reference": (CL + "covariate,CL,1,power,WT,\n", ":3", "reference is ''", "fill in reference"),
    "with": (HEAD + "theta,CL,5,,WT,\n", ":2", "with is 'WT' in a theta row", "leave with empty"),
    "reference": (CL + "omega,CL,1,,,70\n", ":3", "in an omega row", "leave reference empty"),
    "power": (WEIGHT.replace("70", "0"), ":3", "reference is 0 of a power", "linear or exponential"),
    "variance": (CL + "omega,CL,-1,,,\n", ":3", "The variance of CL is -1", "square"),
    "twice": (CL + "theta,CL,6,,,\n", ":3", "given twice, at", "keep one"),
    "no theta": (CL + "omega,ka,1,,,\n", ":3", "ka has no theta row", "add theta,ka"),
    "no variance": (CL + "omega,CL,1,,,\ntheta,ka,1,,,\nomega,CL,0.1,,ka,\n", ":5", "ka, which has no", "omega,ka"),
    "correlation": (THREE + "omega,CL,2,,ka,\n", ":8", "a correlation of 2", "correct it"),
    "matrix": (THREE + "omega,CL,0.9,,ka,\nomega,CL,0.9,,plasma,\nomega,ka,-0.9,,plasma,\n", ":8",
               "not positive definite", "leave one out"),
    "typical value": (HEAD + "theta,CL,-5,lognormal,,\n", ":2", "its form is lognormal", "another form"),
    "two errors": (CL + "sigma,[C],1,exponential,,\nsigma,[C],1,additive,,\n", ":3", "exponential error", "take one"),
    "not of the model": (HEAD + "theta,Cl,5,,,\n", ":2", "Cl is no parameter", "correct the name. Did you mean CL?"),
    "no output": (CL + "sigma,Q,1,additive,,\n", ":3", "Q is no output", "correct the name"),
    "no column": (WEIGHT, ":3", "WT of CL has no column", "add the column WT"),
}  # fmt: skip

BAD_EVENTS = {
    "covariate is a word": (WEIGHT, ("WT", "70", "heavy"), "events.csv:4", "WT is 'heavy' for ID 1", "as 0 or 1"),
    "no covariate": (WEIGHT, ("WT", ".", "."), "p.csv:3", "WT is empty in the rows of ID 1", "column WT"),
    "weight below 0": (WEIGHT, ("WT", "-70", "-70"), "p.csv:3", "WT is -70 for ID 1", "take another form"),
    "no occasion": (CL + "iov,CL,0.1,,,\n", ("OCC", "1", "."), "events.csv:4", "OCC is empty for ID 1", "iov rows"),
    "impossible": (CL + "omega,CL,1,,,\ncovariate,CL,-1,linear,WT,70\n", ("WT", "90", "90"), "p.csv:2",
                   "the typical value of CL is -95 for ID 1", "coefficient"),
    "given twice": (CL, ("CL", "5", "5"), "p.csv:2", "CL is given by", "leave"),
}  # fmt: skip


def refused(words: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[str, str, str, str]:
    """What, where, allowed, what to do, of a command that ends with 2."""
    assert main(words) == 2
    said = capsys.readouterr().err
    found = re.fullmatch(r"lissive: (\S+): (.+) Allowed: (.+\.) What to do: (.+[.?])\n", said)
    assert found, said
    where, what, allowed, do = found.groups()
    return what, where, allowed, do


@pytest.mark.parametrize("which", BAD)
def test_a_wrong_table_is_refused_in_four_parts(which, tmp_path, capsys):
    text, line, what, do = BAD[which]
    path = tmp_path / "p.csv"
    path.write_text(text)
    words = ["simulate", str(MODEL), "--population", str(path), "--until", "1", "--every", "1"]
    found = refused([*words, "--out", str(tmp_path / "o.csv")], capsys)
    assert what in found[0]
    assert found[1] == f"{path}{line}"
    assert do in found[3]
    assert [each.name for each in tmp_path.iterdir()] == ["p.csv"]


@pytest.mark.parametrize("which", BAD_EVENTS)
def test_a_population_and_events_that_do_not_go_together_are_refused_in_four_parts(which, tmp_path, capsys):
    text, (column, *cells), where, what, do = BAD_EVENTS[which]
    (tmp_path / "p.csv").write_text(text)
    more = iter([column, *cells])
    lines = [line and f"{line},{next(more)}" for line in EVENTS.splitlines()]
    (tmp_path / "events.csv").write_text("\n".join(lines))
    words = ["simulate", str(MODEL), "--population", str(tmp_path / "p.csv")]
    words += ["--events", str(tmp_path / "events.csv"), "--out", str(tmp_path / "o.csv")]
    found = refused(words, capsys)
    assert what in found[0]
    assert found[1] == (str(tmp_path / where))
    assert do in found[3]


@pytest.mark.parametrize(
    ("content", "what"),
    [(None, "There is no such file"), (b"\xff\xfe", "cannot be read")],
)
def test_a_file_that_is_no_table_is_refused_in_four_parts(content, what, tmp_path, capsys):
    path = tmp_path / "p.csv"
    if content is not None:
        path.write_bytes(content)
    words = ["simulate", str(MODEL), "--population", str(path), "--until", "1", "--every", "1"]
    found = refused([*words, "--out", str(tmp_path / "o.csv")], capsys)
    assert what in found[0]
    assert found[1] == str(path)

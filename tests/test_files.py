"""Files are written whole or not at all, never over what the same command reads, and no cell is a formula."""

from __future__ import annotations

import csv
import io
import os
import shutil
import stat
from pathlib import Path

import pytest

from lissive.cli.main import main
from lissive.errors import SimulationError
from lissive.files import Beside, atomic_path, cell, keep_inputs, write_rows

EXAMPLES = Path(__file__).parents[1] / "examples"


# -- every command that writes ----------------------------------------------------------------------
MODEL, TABLE, CASE, FACTS, DESIGN, STUDIES = "m.ant", "e.csv", "case.yaml", "facts.yaml", "d.yaml", "s.yaml"
OVER_INPUT = {
    "simulate, events": f"simulate {MODEL} --events {TABLE} --until 2 --every 1 --out OUT.csv = {TABLE}",
    "simulate, subjects": f"simulate {MODEL} --subjects {TABLE} --until 2 --every 1 --out OUT.csv = {TABLE}",
    "simulate, times": f"simulate {MODEL} --times {TABLE} --out OUT.csv = {TABLE}",
    "simulate, beside": f"simulate {MODEL} --times {TABLE} --out OUT.csv = {TABLE} OUT.meta.json",
    "export sbml": f"export sbml {MODEL} --out OUT.ant = {MODEL}",
    "case": f"case {CASE} --report . = {CASE} case.json",
    "trial run": f"trial run {DESIGN} --out . = {DESIGN} trial.json",
    "trial power": f"trial power {DESIGN} --n 8 --out . = {DESIGN} power.json",
    "trial reproduce": f"trial reproduce --trials {STUDIES} --docs OUT.md = {STUDIES}",
    "evidence forest": f"evidence forest --outcome spasticity_nrs --studies {STUDIES} --out OUT.svg = {STUDIES}",
    "evidence table": f"evidence forest --outcome spasticity_nrs --studies {STUDIES} --out a.svg --table OUT.csv = "
    f"{STUDIES}",
    "evidence page": f"evidence page --studies {STUDIES} --out OUT.html = {STUDIES}",
    "evidence export": f"evidence export --studies {STUDIES} --out OUT.yaml = {STUDIES}",
    "access draft": f"access draft {CASE} --out OUT.md = {CASE}",
    "access compare": f"access compare --facts {FACTS} --map OUT.svg = {FACTS}",
    "access compare, beside": f"access compare --facts {FACTS} --map OUT.svg = {FACTS} OUT.csv",
    "validate": f"validate --studies {STUDIES} --docs OUT.md = {STUDIES}",
    "validate report": f"validate --studies {STUDIES} --report . = {STUDIES} validation.json",
    "calibrate": f"calibrate pk --studies {STUDIES} --out . = {STUDIES} fitted.tsv",
}
"""The command = the file that it reads, and the file of a result that is that file too; OUT... if not given."""


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for source, name in {
        "one_compartment.ant": MODEL,
        "events.csv": TABLE,
        "ms-new-york.yaml": CASE,
        "access/facts.yaml": FACTS,
        "trials/parallel.yaml": DESIGN,
    }.items():
        shutil.copy(EXAMPLES / source, name)
    Path(STUDIES).write_text("trials: [{id: smith_2020}]\n", encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize("door", OVER_INPUT)
def test_no_command_writes_over_what_it_reads(here, capsys, door):
    command, _, files = OVER_INPUT[door].partition(" = ")
    read, *beside = files.split()
    written = beside[0] if beside else next(word for word in command.split() if word.startswith("OUT"))
    Path(written).symlink_to(read)
    before = Path(read).read_bytes()
    assert main(command.split()) == 2
    said = capsys.readouterr().err
    assert f"{written}: this command reads {read}" in said
    assert "--force" in said
    assert Path(read).read_bytes() == before
    assert Path(written).is_symlink()


def test_with_force_it_does(here):
    assert main(f"simulate {MODEL} --events {TABLE} --until 2 --every 1 --out {TABLE} --force".split()) == 0
    assert Path(TABLE).read_text(encoding="utf-8").startswith("subject,time,")


@pytest.mark.parametrize(
    ("words", "neighbour"),
    [
        (f"simulate {MODEL} --until 2 --every 1 --out run.csv", "run.meta.json"),
        (f"access compare --facts {FACTS} --map people.svg", "people.csv"),
    ],
)
def test_a_neighbour_is_kept_unless_an_earlier_run_wrote_it(here, capsys, words, neighbour):
    Path(neighbour).write_text("mine", encoding="utf-8")
    assert main(words.split()) == 2
    assert f"{neighbour}: there is a file of this name" in capsys.readouterr().err
    assert Path(neighbour).read_text(encoding="utf-8") == "mine"
    assert main([*words.split(), "--force"]) == 0
    assert main(words.split()) == 0


@pytest.mark.parametrize(
    ("words", "theirs"),
    [
        (f"case {CASE} --subjects 5 --report R", "report.html"),
        ("validate --report R", "validation.html"),
        ("calibrate pk --out R", "thc.tsv"),
        (f"trial run {DESIGN} --out R", "notes.txt"),
        (f"trial power {DESIGN} --n 8 --out R", "power.csv"),
    ],
)
def test_a_folder_with_somebodys_files_is_kept(here, capsys, words, theirs):
    Path("R").mkdir()
    (Path("R") / theirs).write_text("mine", encoding="utf-8")
    assert main(words.split()) == 2
    assert "--force" in capsys.readouterr().err
    assert [path.name for path in Path("R").iterdir()] == [theirs]
    assert (Path("R") / theirs).read_text(encoding="utf-8") == "mine"


def test_two_results_are_not_written_to_one_file(tmp_path):
    with pytest.raises(SimulationError, match="two results"):
        keep_inputs([tmp_path / "a", tmp_path / "." / "a"], reads=(), force=True)


def test_whatever_name_leads_to_it_a_file_that_is_read_is_kept(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    read = tmp_path / "a.csv"
    read.write_text("precious")
    Path("link").symlink_to("a.csv")
    os.link("a.csv", "hard")
    Path("store.zarr").mkdir()
    (Path("store.zarr") / ".zgroup").touch()
    shutil.copy(read, "store.zarr/inside.csv")
    for written, source in [
        ("a.csv", read),
        ("./x/../a.csv" if Path("x").mkdir() is None else "", read),
        ("link", read),
        ("hard", read),
        ("a.csv", Path("link")),
        ("store.zarr", Path("store.zarr/inside.csv")),
    ]:
        with pytest.raises(SimulationError, match="this command reads"):
            keep_inputs([Path(written)], reads=[None, source])
    keep_inputs(
        [Path("b.csv")], reads=[read, "no such file"], beside=Beside([Path("c.csv")], Path("c.csv"), "x")
    )


# -- whole or not at all ----------------------------------------------------------------------------
def test_it_is_on_the_disk_before_it_has_its_name(tmp_path, monkeypatch):
    path, synced = tmp_path / "a.txt", []
    monkeypatch.setattr(os, "fsync", lambda handle: synced.append((os.fstat(handle).st_size, path.exists())))
    with atomic_path(path) as place:
        place.write_text("content")
    assert synced[0] == (7, False)
    assert path.read_text() == "content"


def test_a_link_leads_to_what_is_written_and_rights_stay(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")
    path.chmod(0o600)
    (tmp_path / "link").symlink_to(path)
    with atomic_path(tmp_path / "link") as place:
        place.write_text("new")
    assert (tmp_path / "link").is_symlink()
    assert path.read_text() == "new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_name_as_long_as_a_file_system_allows(tmp_path):
    path = tmp_path / f"{'µ' * 125}.txt"  # 254 bytes
    with atomic_path(path) as place:
        place.write_text("content")
    assert path.read_text() == "content"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="only Unix has pipes among its files")
def test_what_is_no_file_is_not_replaced(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(SimulationError, match="no ordinary file"), atomic_path(tmp_path / "pipe"):
        pass
    assert stat.S_ISFIFO((tmp_path / "pipe").stat().st_mode)


def test_an_error_names_the_file_that_was_asked_for(tmp_path):
    with pytest.raises(FileNotFoundError) as caught, atomic_path(tmp_path / "a.txt"):
        pass
    assert caught.value.filename == str(tmp_path / "a.txt")


# -- cells ------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "text", ["=1+1", "+A1", "-A1", "@SUM(A1)", "\t=1", "\r=1", "=cmd|' /C calc'!A0", "-1+1", "--"]
)
def test_a_formula_is_a_text(text):
    assert cell(text) == f"'{text}"


@pytest.mark.parametrize("value", ["-1.5", "+2e-3", "-.5", "-inf", "US-NY", "a=b", "", "-", -1.5, 3, None])
def test_everything_else_stays_as_it_is(value):
    assert cell(value) == value


def test_rows_come_back_as_they_were(tmp_path):
    file = io.StringIO()
    write_rows(file, [["a", "b"], ["=1+1", -1.5], ['x, "y"\n', None]])
    assert list(csv.reader(io.StringIO(file.getvalue()))) == [["a", "b"], ["'=1+1", "-1.5"], ['x, "y"\n', ""]]


FORMULA_STUDY = """\
trials:
  - id: "=cmd|' /C calc'!A0"
    citation: "@SUM(A1)"
    cause: multiple_sclerosis
    design: parallel
    randomised: true
    intervention: nabiximols
    comparator: placebo
    arms: [{name: nabiximols, n: 40}, {name: placebo, n: 40}]
    outcomes:
      spasticity_nrs_change:
        - {arm: nabiximols, n: 40, mean: -1.5, sd: 2.0}
        - {arm: placebo, n: 40, mean: -0.5, sd: 2.0}
"""


@pytest.mark.parametrize("door", ["simulate", "evidence forest", "evidence export"])
def test_no_table_of_any_command_holds_a_formula(here, door):
    if door == "simulate":
        Path(TABLE).write_text(
            "ID,TIME,EVID,AMT,CMT\n=1+1,0,1,100,A_gut\n@x,0,1,100,A_gut\n", encoding="utf-8"
        )
        words = ["simulate", MODEL, "--events", TABLE, "--until", "2", "--every", "1", "--out", "t.csv"]
    else:
        Path(STUDIES).write_text(FORMULA_STUDY, encoding="utf-8")
        words = [*door.split(), "--studies", STUDIES]
        words += ["--out", "t.csv"] if door == "evidence export" else []
        words += (
            ["--outcome", "spasticity_nrs", "--out", "t.svg", "--table", "t.csv"] if "forest" in door else []
        )
    assert main(words) == 0
    with open("t.csv", encoding="utf-8", newline="") as file:
        cells = [each for row in csv.reader(file) for each in row]
    assert any(each.startswith("'=") for each in cells)
    assert not [each for each in cells if each != cell(each)]

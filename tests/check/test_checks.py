"""Every check has examples and does what they say; the tables that ship have no findings."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from lissive.check import CHECKS, check, examples, from_texts, named, shipped
from lissive.check.tables import PACKAGE, Tables
from lissive.errors import LissiveError
from lissive.model.parameters import FOLDER, load_parameters

IDS = [each.id for each in CHECKS]


@pytest.fixture(scope="module")
def tables() -> Tables:
    return shipped()


def test_every_check_has_examples_and_every_example_a_check() -> None:
    assert len(IDS) == len(set(IDS))
    assert sorted(examples()) == sorted(IDS)


@pytest.mark.parametrize("id", IDS)
def test_the_passing_example_of_a_check_passes(id: str) -> None:
    assert examples()[id].passes
    assert check(from_texts(examples()[id].passes), only=[id]) == []


@pytest.mark.parametrize("id", IDS)
def test_the_failing_example_of_a_check_fails_as_it_says(id: str) -> None:
    example = examples()[id]
    found = check(from_texts(example.fails), only=[id])
    assert example.finds
    assert [f"{each.where}: {each.message}" for each in found] == list(example.finds)
    assert {each.check for each in found} == {id}


@pytest.mark.parametrize("id", IDS)
def test_nothing_is_found_in_the_tables_that_ship(id: str, tables: Tables) -> None:
    assert check(tables, only=[id]) == []


def test_every_table_of_the_package_is_looked_at(tables: Tables) -> None:
    places = {table.place for table in tables}
    assert {path.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("*.tsv")} <= places
    assert tables.row_count > 500
    assert "thc.ant" in tables.texts


def test_no_check_breaks_down_on_empty_or_broken_files() -> None:
    files = {
        "model/parameters/thc.tsv": "",
        "model/parameters/causes.tsv": "\n\n\t\t\n",
        "model/parameters/sources.tsv": "key\n",
        "model/parameters/bounds.tsv": "name\tlower\nNRS0\n",
        "case/causes.tsv": "\x00\ufeff\t\t\nx\n",
        "studies/a.yaml": "a: [",
        "studies/b.yaml": "",
        "model/text/lissive.ant": 'import "thc.ant"\nimport "lost.ant"\n',
        "model/text/thc.ant": "x := ((;\n",
    }
    assert check(from_texts(files))


def changed(tmp_path: Path, file: str, old: str, new: str) -> Tables:
    folder = tmp_path / "parameters"
    shutil.copytree(FOLDER, folder)
    text = (folder / file).read_text(encoding="utf-8")
    assert old in text
    (folder / file).write_text(text.replace(old, new, 1), encoding="utf-8")
    return shipped(folder)


@pytest.mark.parametrize(
    ("file", "old", "new", "id"),
    [
        ("receptors.tsv", "ke0_THC\t0.988\t", "ke0_THC\t9.88\t", "ranges"),
        ("thc.tsv", "Q_liver\t90\tL/h", "Q_liver\tmany\tL/h", "numbers"),
        ("thc.tsv", "measured\thuman\tkarschner2012", "measured\thuman\t-", "measured"),
        ("thc.tsv", "\tkarschner2012\t", "\tkarschner\t", "sources-known"),
        ("bounds.tsv", "NRS0\t", "NRS\t", "names"),
    ],
)
def test_a_change_of_the_shipped_tables_is_found_at_its_line(
    tmp_path: Path, file: str, old: str, new: str, id: str
) -> None:
    lines = (FOLDER / file).read_text(encoding="utf-8").splitlines()
    number = next(k for k, line in enumerate(lines, start=1) if old in line)
    found = check(changed(tmp_path, file, old, new), only=[id])
    assert f"{tmp_path / 'parameters' / file}:{number}" in [each.where for each in found]


def test_a_unit_that_does_not_fit_is_found_at_the_formula(tmp_path: Path) -> None:
    value = load_parameters()["CL_THC"].value
    tables = changed(tmp_path, "thc.tsv", f"CL_THC\t{value:g}\tL/h", f"CL_THC\t{value:g}\t1/h")
    places = [each.where for each in check(tables, only=["formulas"])]
    lines = tables.texts["thc.ant"].split("\n")
    assert [lines[int(place.rpartition(":")[2]) - 1].split()[0] for place in places] == ["CLb_THC"]
    assert places[0].startswith("model/text/thc.ant:")


def test_an_unknown_check_lists_the_known() -> None:
    with pytest.raises(LissiveError, match="no check 'spelling'.*sources-used"):
        named("spelling")


def test_a_folder_without_tables_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LissiveError, match="there are no tables"):
        shipped(tmp_path)
    with pytest.raises(LissiveError, match="there are no tables"):
        shipped(tmp_path / "lost")

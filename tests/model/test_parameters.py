"""The parameter tables: what is shipped is sound, and each way to be wrong is named with file and line."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from lissive.errors import ParameterError
from lissive.model import parameters
from lissive.model.compose import UNIT_IDS, lissive_text

Edit = Callable[[str, Callable[[str], str]], Path]


@pytest.fixture
def edit(tmp_path: Path) -> Edit:
    """Change one table in a copy of them all; the copy's folder."""

    def change(file: str, how: Callable[[str], str]) -> Path:
        folder = tmp_path / "parameters"
        shutil.copytree(parameters.FOLDER, folder)
        path = folder / file
        text = path.read_text(encoding="utf-8")
        assert how(text) != text
        path.write_text(how(text), encoding="utf-8")
        return folder

    return change


def test_shipped_tables_load() -> None:
    rows = parameters.load_parameters()
    assert rows["BP_THC"].value == 0.63
    assert rows["BP_THC"].sources == ("karschner2012",)
    assert rows["CL_THC"].provenance == "fitted"
    assert {row.unit for row in rows.values()} <= set(UNIT_IDS)


def test_an_assumed_number_never_claims_to_be_measured() -> None:
    for row in parameters.load_parameters().values():
        if row.provenance.startswith(("measured", "fitted")):
            assert row.sources, row.name


def test_every_source_is_used_somewhere() -> None:
    tables = [
        path.read_text(encoding="utf-8")
        for path in parameters.FOLDER.parents[1].rglob("*.tsv")
        if path.name != "sources.tsv"
    ]
    text = "\n".join(tables)
    assert [key for key in parameters.load_sources() if key not in text] == []


def test_six_causes_with_the_same_parameters() -> None:
    causes = parameters.load_causes()
    assert set(causes) == {
        "multiple_sclerosis",
        "als",
        "spinal_cord_injury",
        "muscle_injury",
        "exertional_cramp",
        "fibromyalgia",
    }
    assert all(rows["injury0"].value > 0 for rows in causes.values())


def test_genotypes_fall_from_1_to_the_poor_metaboliser() -> None:
    found = parameters.load_genotypes()
    assert found["*1/*1"].value == 1
    assert found["*3/*3"].value < found["*1/*3"].value < found["*1/*2"].value


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "\tfixed\t\tmeasured\thuman\tkarschner2012",
            "\tfixed\t\tguessed\thuman\tkarschner2012",
            "provenance 'guessed' is unknown",
        ),
        ("Q_liver\t90\tL/h", "Q_liver\t90\t", "unit: is empty"),
        ("Q_liver\t90\tL/h", "Q_liver\tmuch\tL/h", "value: "),
        (
            "Q_liver\t90\tL/h\tfixed\t",
            "Q_liver\t90\tL/h\tfixed\t0.3",
            "has a spread of 0.3 and no distribution",
        ),
        ("Q_liver\t90\tL/h\tfixed", "Q_liver\t90\tL/h\tlognormal", "lognormal and has no spread"),
        ("Q_liver\t90\tL/h\tfixed", "Q_liver\t90\tL/h\tgamma", "distribution: "),
        ("\tkarschner2012\t", "\tnobody1999\t", "source 'nobody1999' is not in sources.tsv"),
        ("Q_liver\t90\t", "Q_liver\t90", "The line has 8 cells"),
    ],
)
def test_a_wrong_row_is_named_with_file_and_line(edit: Edit, old: str, new: str, message: str) -> None:
    lines = (parameters.FOLDER / "thc.tsv").read_text(encoding="utf-8").splitlines()
    number = next(k for k, line in enumerate(lines, start=1) if old in line)
    folder = edit("thc.tsv", lambda text: text.replace(old, new, 1))
    with pytest.raises(ParameterError, match=rf"^thc\.tsv:{number}: ") as error:
        parameters.load_parameters(folder=folder)
    assert message in str(error.value)


def test_a_name_that_comes_twice_says_both_places(edit: Edit) -> None:
    folder = edit("cbd.tsv", lambda text: text + "CL_THC\t1\tL/h\tfixed\t\tassumed\thuman\t-\t\n")
    with pytest.raises(ParameterError, match=r"^cbd\.tsv:\d+: CL_THC comes twice; first at thc\.tsv:2"):
        parameters.load_parameters(folder=folder)


def test_a_parameter_of_a_module_and_of_the_causes_is_refused(edit: Edit) -> None:
    folder = edit("spasm.tsv", lambda text: text + "NRS0\t5\t1\tfixed\t\tassumed\thuman\t-\t\n")
    with pytest.raises(ParameterError, match=r"^spasm\.tsv:\d+: NRS0 stands here and in causes\.tsv"):
        parameters.load_parameters(folder=folder)


def test_a_cause_that_lacks_a_parameter_is_named(edit: Edit) -> None:
    folder = edit(
        "causes.tsv", lambda text: "\n".join(x for x in text.split("\n") if not x.startswith("als\tNRS0"))
    )
    with pytest.raises(ParameterError, match=r"als gives no NRS0"):
        parameters.load_causes(folder)


def test_an_unknown_cause_lists_the_known() -> None:
    with pytest.raises(ParameterError, match="no cause 'gout'.*multiple_sclerosis"):
        parameters.load_parameters("gout")


def test_a_wrong_header_is_named(edit: Edit) -> None:
    folder = edit("thc.tsv", lambda text: text.replace("spread", "omega", 1))
    with pytest.raises(ParameterError, match=r"^thc\.tsv:1: The header is not"):
        parameters.load_parameters(folder=folder)


def test_a_row_that_the_model_does_not_use_is_named(edit: Edit) -> None:
    folder = edit("thc.tsv", lambda text: text + "CL_lost\t1\tL/h\tfixed\t\tassumed\thuman\t-\t\n")
    with pytest.raises(ParameterError, match=r"^thc\.tsv:\d+: CL_lost is not used by the model"):
        lissive_text(folder=folder)


def test_a_symbol_that_no_table_gives_is_named(edit: Edit) -> None:
    folder = edit(
        "thc.tsv", lambda text: "\n".join(x for x in text.split("\n") if not x.startswith("CL_THC\t"))
    )
    with pytest.raises(ParameterError, match=r"^thc\.ant:\d+: CL_THC has no value"):
        lissive_text(folder=folder)

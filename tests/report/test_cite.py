"""`lissive cite`: what is cited was used, what was not used is not cited, and a mistake is one message."""

from __future__ import annotations

import json
import re
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from lissive.cli.main import main
from lissive.errors import SimulationError
from lissive.report.cite import Citation, cite, cite_bibtex, cite_json, cite_text
from lissive.simulation.output import write
from lissive.simulation.solve import simulate

TOP = Path(__file__).parents[2]
EXAMPLE = TOP / "examples" / "ms-uk.yaml"
ORAL_CBD = pd.DataFrame([[1, 0, 1, 3.18e5, "CBD_oral"]], columns="ID TIME EVID AMT CMT".split())
SPRAY = pd.DataFrame([[1, 0, 1, 8.6e3, "THC_spray"]], columns="ID TIME EVID AMT CMT".split())


@pytest.fixture(scope="module")
def oral_cbd() -> Any:
    return simulate("lissive", events=ORAL_CBD, times=[0.0, 4.0], select=["CBD_ng_mL"])


@pytest.fixture(scope="module")
def case_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The JSON of a report of the example, by one who has *3/*1 and takes a medicine of the table."""
    folder = tmp_path_factory.mktemp("case")
    text = EXAMPLE.read_text(encoding="utf-8").replace('cyp2c9: "*1/*1"', 'cyp2c9: "*3/*1"')
    text = text.replace("drug: baclofen,", "drug: rifampicin,").replace("weeks: 12", "weeks: 1")
    (folder / "case.yaml").write_text(text, encoding="utf-8")
    (folder / "out").mkdir()
    with (folder / "out" / "case.json").open("w", encoding="utf-8") as file, redirect_stdout(file):
        assert main(["case", str(folder / "case.yaml"), "--subjects", "2", "--json"]) == 0
    return folder / "out"


def names(found: Citation) -> set[str]:
    rows = [row for each in found.references for row in each.rests]
    return {row.name for row in (*rows, *found.without_source)}


def keys(found: Citation) -> set[str]:
    return {each.key for each in found.references}


@pytest.mark.parametrize("ending", [".csv", ".nc", ".zarr", ".parquet"])
def test_a_run_cites_what_it_rested_on_in_every_format(oral_cbd: Any, tmp_path: Path, ending: str) -> None:
    write(oral_cbd, tmp_path / f"run{ending}")
    found = cite(str(tmp_path / f"run{ending}"))
    assert {"ohlsson1986", "taylor2018", "lim2020"} <= keys(found)
    assert not {"lindgren1981", "eisenberg2014", "heuberger2015", "jpet_thc"} & keys(found)
    assert not {"F_smoked", "F_vaporised", "CL_THC", "F_CBD_spray"} & names(found)
    assert found.notes == ()


def test_numbers_that_were_given_do_not_rest_on_the_tables(tmp_path: Path) -> None:
    run = simulate("lissive", events=ORAL_CBD, times=[4.0], select=["CBD_ng_mL"], parameters={"CL_CBD": 90.0})
    write(run, tmp_path / "run.csv")
    found = cite(str(tmp_path / "run.csv"))
    assert found.given == ("CL_CBD",)
    assert "CL_CBD" not in names(found)
    assert "V1_CBD" in names(found)


def test_people_who_were_drawn_rest_on_the_tables_of_people(tmp_path: Path) -> None:
    run = simulate("lissive", events=SPRAY, subjects=2, times=[4.0], select=["THC_ng_mL"])
    write(run, tmp_path / "run.csv")
    found = cite(str(tmp_path / "run.csv"))
    assert {"cespedes2015", "sanchezdiz2009", "sachse2009"} <= keys(found)
    assert {"people: weight", "people: fed", "genotype *1/*3"} <= names(found)
    assert "ohlsson1986" not in keys(found)  # no CBD


def test_a_case_cites_product_titration_genotype_and_medicines(case_folder: Path) -> None:
    found = cite(str(case_folder))
    assert cite_json(found)["references"] == cite_json(cite(str(case_folder / "case.json")))["references"]
    assert {"sativex_uk", "sativex_leaflet", "trials2026", "heuberger2015", "ohlsson1986"} <= keys(found)
    assert {"genotype *1/*3", "rifampicin on cyp3a4_activity", "titration: raise_below"} <= names(found)
    assert not {"genotype *1/*1", "people: weight", "F_smoked", "weight"} & names(found)
    assert not {"definition", "judgement", "cespedes2015"} & keys(found)
    assert "nabiximols: morning_from" in [row.name for row in found.without_source]
    assert {"weight", "spasms0"} <= set(found.given)


def test_the_json_that_a_case_prints_is_a_run(case_folder: Path, tmp_path: Path) -> None:
    answer = json.loads((case_folder / "case.json").read_text(encoding="utf-8"))
    answer["provenance"]["case"]["titrated"] = False
    (tmp_path / "run.json").write_text(json.dumps(answer), encoding="utf-8")
    found = cite(str(tmp_path / "run.json"))
    assert "sativex_leaflet" not in keys(found)
    assert "titration: raise_below" not in names(found)


def test_a_run_of_another_version_of_the_model_says_so(oral_cbd: Any, tmp_path: Path) -> None:
    write(oral_cbd, tmp_path / "run.csv")
    meta = tmp_path / "run.meta.json"
    meta.write_text(re.sub(r'"model_hash": "\w+"', '"model_hash": "0123"', meta.read_text()))
    assert "another version of the model (0123" in cite(str(tmp_path / "run.csv")).notes[0]


def test_the_shipped_model_cites_every_source_of_its_parameters() -> None:
    found = cite("lissive")
    assert {"lindgren1981", "ohlsson1986", "heuberger2015"} <= keys(found)
    assert {"F_smoked", "CL_THC", "IC50_GPR55"} <= names(found)
    text = cite_text(found)
    assumed = [row.name for row in found.without_source if row.provenance == "assumed"]
    assert f"Assumed, without a source: {len(assumed)}\n  {assumed[0]}" in text
    assert "measured†: fm_THC_2C9" in text
    assert "Lissive 0.1.0" in text


def test_a_model_with_its_own_numbers_cites_what_its_text_names(tmp_path: Path) -> None:
    (reference,) = cite("benson2014").references
    assert reference.doi == "10.1038/psp.2013.72"
    assert reference.key == "benson2014"
    assert "k_NPE_A" in cite("benson2014").in_the_file
    sbml = tmp_path / "mine.xml"
    assert main(["export", "sbml", str(TOP / "examples" / "one_compartment.ant"), "--out", str(sbml)]) == 0
    said = (
        '<annotation><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" '
        'xmlns:bqmodel="http://biomodels.net/model-qualifiers/"><rdf:Description rdf:about="#m">'
        '<bqmodel:isDescribedBy><rdf:Bag><rdf:li rdf:resource="https://identifiers.org/doi/10.1000/x.1"/>'
        "</rdf:Bag></bqmodel:isDescribedBy></rdf:Description></rdf:RDF></annotation>"
    )
    text = re.sub(r"(<model [^>]*>)", rf"\1{said}", sbml.read_text(encoding="utf-8"), count=1)
    sbml.write_text(text, encoding="utf-8")
    assert [each.doi for each in cite(str(sbml)).references] == ["10.1000/x.1"]


def test_a_run_of_a_file_names_its_live_parameters(tmp_path: Path) -> None:
    model = tmp_path / "mine.ant"
    model.write_text("// Source: Me 2020, doi 10.1000/me.\nJ: A -> ; k*A; A = 1; k = 2; unused = 3\n")
    write(simulate(model, times=[1.0], select=["A"]), tmp_path / "run.csv")
    found = cite(str(tmp_path / "run.csv"))
    assert [(each.key, each.doi) for each in found.references] == [("me2020", "10.1000/me")]
    assert "k" in found.in_the_file
    assert "unused" not in found.in_the_file
    model.unlink()
    assert "no longer exists" in cite(str(tmp_path / "run.csv")).notes[0]


def test_bibtex_has_an_entry_for_each_reference_and_the_software() -> None:
    found = cite("lissive")
    text = cite_bibtex(found)
    assert set(re.findall(r"^@misc\{(\w+),$", text, re.MULTILINE)) == {*keys(found), "lissive"}
    assert text.count("{") == text.count("}")
    assert "  doi = {10.1007/s40262-014-0195-5}," in text
    assert "  year = {2015}," in text


def test_signs_of_bibtex_are_escaped() -> None:
    one = cite("lissive").references[0]
    odd = Citation("x", (type(one)("a_b", "50 % of A & B_1 {C}", "10.1000/a_b", "", ()),), (), (), (), ())
    assert r"title = {50 \% of A \& B\_1 \{C\}}" in cite_bibtex(odd)
    assert "doi = {10.1000/a_b}" in cite_bibtex(odd)


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("lost.json", None, '"lost.json" does not exist'),
        ("lost.nc", None, '"lost.nc" does not exist'),
        ("lost", None, '"lost" is neither a run nor a model'),
        ("lost.ant", None, '"lost.ant" is not there'),
        ("list.json", "[1, 2]", "list.json: It is not a run of lissive."),
        ("other.json", '{"a": 1}', "other.json: It is not a run of lissive."),
        ("broken.json", "{", "broken.json: it cannot be read as a run"),
        ("old.json", '{"provenance": {"model": "lissive"}}', "does not state its model_hash, outputs, dosed"),
        ("odd.json", '{"provenance": {"model": 1, "model_hash": 1, "outputs": 1, "dosed": 1, "given": 1, '
         '"drawn": 1}}', "odd.json: It is not a run of lissive."),
        ("table.csv", "subject,time\n", "table.csv: it cannot be read as a run"),
        ("noise.nc", "noise", "noise.nc: it cannot be read as a run"),
        ("noise.parquet", "noise", "noise.parquet: it cannot be read as a run"),
    ],
)  # fmt: skip
def test_what_is_no_run_is_one_message_and_exit_2(
    name: str,
    text: str | None,
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    if text is not None:
        (tmp_path / name).write_text(text)
    assert main(["cite", name]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert said in err
    assert len(err.splitlines()) == 1


def test_an_empty_folder_is_no_run(tmp_path: Path) -> None:
    with pytest.raises(SimulationError, match=r"case\.json\" does not exist"):
        cite(str(tmp_path))


def test_the_command_prints_text_json_or_bibtex(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["cite", "benson2014"]) == 0
    assert "[benson2014] Benson N" in capsys.readouterr().out
    assert main(["cite", "benson2014", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["references"][0]["doi"] == "10.1038/psp.2013.72"
    assert main(["cite", "benson2014", "--bibtex"]) == 0
    assert capsys.readouterr().out.startswith("@misc{lissive,")
    assert main(["cite", "benson2014", "--bibtex", "--json"]) == 2

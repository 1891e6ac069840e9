"""The examples of docs/how-to/recipes.md are read by the code that reads the shipped files."""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path
from types import ModuleType

import pytest

from lissive.access.rule import read_jurisdiction
from lissive.case.products import read_products, sources
from lissive.check import check, from_texts
from lissive.cli import main as cli
from lissive.evidence.claim import claims_of
from lissive.model.parameters import FOLDER, load_interactions, load_parameters
from lissive.safety._table import sources as safety_sources
from lissive.safety.drugs import drugs
from lissive.safety.rules import read_interactions
from lissive.studies import read_studies

TOP = Path(__file__).parents[1]
PACKAGE = TOP / "src" / "lissive"
PAGE = (TOP / "docs" / "how-to" / "recipes.md").read_text(encoding="utf-8")
RECIPES = dict(re.findall(r"^## An? (.*?)\n(.*?)(?=^## |\Z)", PAGE, re.DOTALL | re.MULTILINE))


def blocks(recipe: str) -> list[tuple[str, str]]:
    """Language and file, and text, of the examples of a recipe."""
    return re.findall(r"^```(.*?)\n(.*?)^```", RECIPES[recipe], re.DOTALL | re.MULTILINE)


def appended(folder: Path, recipe: str, which: int = 0) -> Path:
    """A copy of the shipped table with the rows of the example."""
    place, rows = blocks(recipe)[which]
    source = PACKAGE / place.split()[1]
    copied = folder / source.name
    copied.write_text(source.read_text(encoding="utf-8") + rows, encoding="utf-8")
    return copied


@pytest.mark.parametrize("recipe", RECIPES)
def test_a_recipe_has_ten_lines_an_example_and_files_that_are_there(recipe: str) -> None:
    prose = re.sub(r"^```.*?^```", "", RECIPES[recipe], flags=re.DOTALL | re.MULTILINE)
    assert len([line for line in prose.splitlines() if line.strip()]) <= 10
    assert blocks(recipe)
    for place in re.findall(r"`([a-z_]+/[\w/]+\.\w+)`", prose):
        if "CODE" not in place and "NAME" not in place:
            assert (PACKAGE / place).exists() or (TOP / place).exists(), place


def test_a_study(tmp_path: Path) -> None:
    path = tmp_path / "study.yaml"
    path.write_text(blocks("pharmacokinetic study")[0][1], encoding="utf-8")
    made = read_studies(path)
    assert made.skipped == ()
    assert [(one.study, one.metric) for one in made.observations] == [
        ("doe2024", "Cmax"),
        ("doe2024", "C"),
        ("doe2024_k", "Cmax"),
        ("doe2024_k", "ratio_Cmax"),
    ]
    assert made.observations[0].arm.assumed == ()


def test_a_parameter_and_an_interaction_that_is_simulated(tmp_path: Path) -> None:
    shutil.copytree(FOLDER, tmp_path, dirs_exist_ok=True)
    appended(tmp_path, "parameter")
    appended(tmp_path, "drug interaction", 1)
    assert load_parameters(folder=tmp_path)["k_example"].value == 0.3
    assert load_interactions(tmp_path)["examplazole"]["cyp3a4_activity"].value == 0.3


def test_an_outcome(tmp_path: Path) -> None:
    texts = {
        f"{folder}/{path.name}": path.read_text(encoding="utf-8")
        for folder in ("evidence", "publications")
        for path in (PACKAGE / folder).glob("*.tsv")
    }
    texts["case/causes.tsv"] = (PACKAGE / "case" / "causes.tsv").read_text(encoding="utf-8")
    texts["publications/outcomes.tsv"] = appended(tmp_path, "outcome").read_text(encoding="utf-8")
    assert check(from_texts(texts)) == []


def test_a_command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    module = ModuleType("lissive.cli.dose")
    exec(blocks("command")[0][1], vars(module))
    monkeypatch.setitem(sys.modules, "lissive.cli.dose", module)
    monkeypatch.setattr(cli, "COMMANDS", (*cli.COMMANDS, "dose"))
    assert cli.main(["dose", "4"]) == 0
    assert capsys.readouterr().out == "10.8 mg of THC\n"
    assert cli.main(["dose", "400"]) == 2
    assert "sprays is 400" in capsys.readouterr().err


def test_a_drug_interaction(tmp_path: Path) -> None:
    found = read_interactions(appended(tmp_path, "drug interaction"), safety_sources(), drugs())
    assert found[-1].id == "example_cbd"


def test_a_product(tmp_path: Path) -> None:
    found = read_products(appended(tmp_path, "product"), sources())
    assert found["example_oil"].route == "oral"


def test_a_jurisdiction(tmp_path: Path) -> None:
    path = tmp_path / "xx.yaml"
    path.write_text(blocks("jurisdiction")[0][1], encoding="utf-8")
    assert read_jurisdiction(path).versions[0].id == "XX-2024"
    assert check(from_texts({"access/data/world/xx.yaml": path.read_text(encoding="utf-8")})) == []


def test_a_claim() -> None:
    (claim,) = claims_of(blocks("claim")[0][1], Path("claims.yaml"))
    assert (claim.id, claim.verdict) == ("example", "not_tested")

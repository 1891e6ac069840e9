"""What docs/how-to/validate.md says of the format is what is read."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from lissive.cli.main import main
from lissive.model.parameters import load_genotypes, load_interactions, load_liver
from lissive.studies import arm, entry, phrases, read_studies

PAGE = (Path(__file__).parents[2] / "docs" / "how-to" / "validate.md").read_text(encoding="utf-8")


@pytest.fixture
def example(tmp_path: Path) -> Path:
    found = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    assert len(found) == 1
    path = tmp_path / "example.yaml"
    path.write_text(found[0], encoding="utf-8")
    return path


def test_the_example_is_read_as_it_is_meant(example):
    made = read_studies(example)
    assert [each.what for each in made.skipped] == ["THC thalf"]
    capsule, treated = (
        next(one for one in made.observations if one.study == name)
        for name in ("doe2024_capsule", "doe2024_capsule_ketoconazole")
    )
    assert capsule.arm.assumed == treated.arm.assumed == ()  # it says everything
    assert (capsule.arm.female, capsule.arm.weight, capsule.arm.fed) == (0.5, (71.5, 0.0), 0.0)
    assert capsule.cv == 0.48
    assert [one.metric for one in made.observations if one.group == "ratio"] == ["ratio_Cmax"]


def test_the_example_runs(example, capsys):
    assert main(["validate", "--studies", str(example), "--replicates", "2"]) == 0
    said = capsys.readouterr()
    assert "9 observations" in said.out
    assert "doe2024_capsule THC thalf no value known: not reported" in " ".join(said.out.split())


def test_for_all_that_is_understood_a_word_is_on_the_page():
    """One for each meaning; other spellings may stand in the table only."""
    for field, means in {(row["field"], row["means"]) for row in entry.table("words.tsv")}:
        spelt = [
            row["word"] for row in entry.table("words.tsv") if (row["field"], row["means"]) == (field, means)
        ]
        assert means == entry.NOT_MODELLED or any(f"`{word}`" in PAGE for word in spelt), (field, means)


def test_every_metric_that_is_computed_is_on_the_page():
    for name, each in entry.metrics().items():
        if each.measure != entry.NOT_MODELLED:
            assert f"`{name}`" in PAGE, name


def test_every_medicine_genotype_and_liver_is_on_the_page():
    for name in [*load_interactions(), *load_genotypes(), *load_liver()]:
        assert name in PAGE, name


def test_every_field_is_on_the_page():
    for field in {*entry.fields("dose"), *entry.fields("population")} - {"sprays", "note", "age"}:
        assert re.search(rf"[`.]{field}\b", PAGE), field


@pytest.mark.parametrize(
    "schedule", re.findall(r"`([^`]+)`", re.search(r"\| `dose.schedule`.*", PAGE)[0])[1:]
)
def test_every_schedule_on_the_page_is_understood(schedule):
    assert phrases.schedule(schedule)


def test_the_numbers_that_are_assumed_are_those_on_the_page():
    most = {name: float(field.most or 0) for name, field in entry.fields("design").items()}
    for said in (
        f"| {arm.NOMINAL_N} |",
        f"| {60 * arm.SMOKING_H:g} minutes;",
        f"| {arm.STEADY_DAYS:g} days |",
        f"0 to {most['sampling_h']:g} |",
        f"over 0 to {most['THC_mg']:.0f};",
        f"over 0 to {most['weight_kg']:g} |",
        f"over 0 to {most['duration_min']:g} |",
    ):
        assert said in PAGE, said

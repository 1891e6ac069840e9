"""Predictions on record: dated, hashed, never replaced, and any later change shows."""

from __future__ import annotations

import datetime
import json
import shutil

import pytest

from lissive.cli.main import main
from lissive.errors import DesignError
from lissive.report.reproduce_text import prediction_markdown
from lissive.validation.prediction import (
    NO_MODEL,
    figures,
    hash_of,
    last_hash,
    predict_trial,
    read_protocol,
    records,
    tampered,
    write_record,
)

DESIGN = """
  trial: small
  population: {cause: multiple_sclerosis}
  patients: 9
  arms:
    THC: {product: thc_oil, thc_mg_per_unit: 2, most_per_day: 4}
    both: {product: balanced_oil, thc_mg_per_unit: 2, cbd_mg_per_unit: 20, most_per_day: 4}
    placebo: {product: thc_oil, placebo: true, most_per_day: 4}
  weeks: 1
  visits_weeks: [1]
  endpoints:
    - {measure: spasticity_nrs}
    - {measure: spasticity_nrs, falls_by_pct: 30}
    - {measure: dizziness}
"""
PROTOCOL = f"""
trial: small
title: A small trial
registry: NCT00000000
cause: multiple_sclerosis
not_reported: Nothing was found on 1 January.
assumed: [The titration.]
design:{DESIGN}"""
ELSEWHERE = """
trial: elsewhere
title: A trial in back pain
cause: low_back_pain
not_reported: Nothing was found on 1 January.
"""
DAY = datetime.date(2026, 1, 2)


def _protocol(tmp_path, text: str = PROTOCOL):
    path = tmp_path / "protocol.yaml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A folder of two records, and the records."""
    tmp = tmp_path_factory.mktemp("predictions")
    first = predict_trial(read_protocol(_protocol(tmp)), made=DAY, replicates=20, threads=1)
    folder = tmp / "records"
    write_record(first, folder, prediction_markdown(first))
    second = predict_trial(read_protocol(_protocol(tmp, ELSEWHERE)), made=DAY, previous=last_hash(folder))
    write_record(second, folder, prediction_markdown(second))
    return folder, first, second


@pytest.fixture
def folder(made, tmp_path):
    shutil.copytree(made[0], tmp_path / "mine")
    return tmp_path / "mine"


def test_the_record_says_who_what_when_and_from_what(made) -> None:
    _, record, _ = made
    assert record["made"] == "2026-01-02"
    assert record["protocol"]["assumed"] == ["The titration."]
    assert record["design"]["patients"] == 9
    assert len(record["made_from"]["posterior_sha256"]) == 64
    assert "collin_2007" in record["made_from"]["baseline_trials"]
    assert "collin_2010" not in record["made_from"]["baseline_trials"]
    for figure in record["figures"]:
        for side in ("model", "baseline"):
            low, high = figure[side]["pi90"]
            assert low <= high
    json.dumps(record, allow_nan=False)


def test_every_arm_and_every_comparison_of_the_primary_endpoint_is_predicted(made) -> None:
    _, record, _ = made
    of = {(f["endpoint"], f["statistic"], f["arm"], f["against"]) for f in record["figures"]}
    pairs = {(a, b) for e, s, a, b in of if (e, s) == ("spasticity_nrs", "difference")}
    assert pairs == {("THC", "placebo"), ("both", "placebo"), ("both", "THC")}
    assert {a for e, s, a, b in of if (e, s) == ("dizziness", "share")} == {"THC", "both", "placebo"}
    responders = {(a, b) for e, s, a, b in of if s == "odds_ratio"}
    assert responders == {("THC", "placebo"), ("both", "placebo")}


def test_the_numbers_of_people_are_those_of_the_arms(tmp_path) -> None:
    text = PROTOCOL.replace("patients: 9", "patients: 40\n  ratio: {THC: 2, both: 1, placebo: 1}")
    design = read_protocol(_protocol(tmp_path, text)).design
    n = {(f.arm, f.against): f.n for f in figures(design) if f.endpoint == "dizziness" or f.against}
    assert (n["THC", None], n["both", None], n["THC", "placebo"], n["both", "THC"]) == (20, 10, 30, 30)


def test_without_a_model_of_the_cause_that_is_what_is_put_on_record(made) -> None:
    _, first, second = made
    assert second["no_prediction"] == NO_MODEL
    assert second["figures"] == []
    assert second["previous"] == first["hash"]
    assert "**No model for this cause, no prediction.**" in prediction_markdown(second)


def test_the_page_shows_every_figure(made) -> None:
    _, record, _ = made
    page = prediction_markdown(record)
    assert sum(line.startswith("| ") and " to " in line for line in page.splitlines()) == len(
        record["figures"]
    )
    assert record["hash"] in page
    assert "- The titration." in page


def test_untouched_records_verify(folder, capsys) -> None:
    assert tampered(folder, prediction_markdown) == []
    assert main(["trial", "predict", "--verify", str(folder)]) == 0
    assert "2 predictions are as written" in capsys.readouterr().out


def _edit(folder, name, old, new) -> None:
    path = folder / name
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


@pytest.mark.parametrize(
    ("name", "old", "new", "said"),
    [
        ("2026-01-02-small.json", '"n": 3', '"n": 4', "does not have the hash"),
        ("2026-01-02-small.json", '"made": "2026-01-02"', '"made": "2025-01-02"', "does not have the hash"),
        ("2026-01-02-small.json", "Nothing was found", "Much was found", "does not have the hash"),
        ("2026-01-02-small.md", "| THC |", "| CBD |", "not that of its record"),
    ],
)
def test_a_change_shows(folder, name, old, new, said, capsys) -> None:
    _edit(folder, name, old, new)
    assert main(["trial", "predict", "--verify", str(folder)]) == 2
    assert said in capsys.readouterr().err


def test_a_change_with_a_new_hash_breaks_the_chain(folder) -> None:
    path = folder / "2026-01-02-small.json"
    record = json.loads(path.read_text(encoding="utf-8"))
    record["figures"][0]["model"]["predicted"] = -9.0
    record["hash"] = hash_of(record)
    path.write_text(json.dumps(record), encoding="utf-8")
    (folder / "2026-01-02-small.md").write_text(prediction_markdown(record), encoding="utf-8")
    said = " ".join(each.what for each in tampered(folder, prediction_markdown))
    assert "The record before it is not the one that it names." in said


def test_a_record_that_is_gone_or_renamed_shows(folder) -> None:
    (folder / "2026-01-02-small.json").rename(folder / "2026-01-03-small.json")
    assert any("Its name is not" in each.what for each in tampered(folder, prediction_markdown))
    (folder / "2026-01-03-small.json").unlink()
    assert any("record before" in each.what for each in tampered(folder, prediction_markdown))


def test_nothing_is_replaced(folder, made) -> None:
    before = (folder / "2026-01-02-small.json").read_bytes()
    with pytest.raises(DesignError, match="never replaced"):
        write_record(made[1], folder, "other")
    assert (folder / "2026-01-02-small.json").read_bytes() == before


def test_what_is_no_record_is_said_so(folder) -> None:
    (folder / "notes.json").write_text("[]")
    with pytest.raises(DesignError, match="no prediction"):
        records(folder)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (ELSEWHERE.replace("low_back_pain", "multiple_sclerosis"), "design"),
        (PROTOCOL.replace("cause: multiple_sclerosis\nnot", "cause: als\nnot"), "the same cause in both"),
        (ELSEWHERE.replace("low_back_pain", "back pains"), "back pains"),
        (ELSEWHERE + "design: {}\n", "population"),
        ("trial: x\n", "title"),
    ],
)
def test_a_wrong_protocol_is_refused_before_anything_is_simulated(tmp_path, text, said, capsys) -> None:
    out = tmp_path / "out"
    assert main(["trial", "predict", str(_protocol(tmp_path, text)), "--out", str(out)]) == 2
    assert said in capsys.readouterr().err
    assert not out.exists()


@pytest.mark.slow
def test_by_the_command_with_a_design_alone(tmp_path, capsys) -> None:
    lines = [line[2:] for line in DESIGN.splitlines()]
    out = tmp_path / "out"
    words = ["trial", "predict", str(_protocol(tmp_path, "\n".join(lines))), "--out", str(out)]
    assert main([*words, "--replicates", "20", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["protocol"]["cause"] == "multiple_sclerosis"
    assert sorted(path.suffix for path in out.iterdir()) == [".json", ".md"]
    assert main([*words, "--replicates", "20"]) == 2
    assert "never replaced" in capsys.readouterr().err
    assert main(["trial", "predict", "--verify", str(tmp_path)]) == 2

"""`lissive trial` through its door: what it prints and writes, and what it says of wrong input."""

from __future__ import annotations

import importlib.util
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from lissive.cli.main import main

DESIGN = """\
trial: tiny
title: A tiny trial
population: {cause: multiple_sclerosis, inclusion: {spasticity_nrs: {at_least: 4}}}
patients: 12
arms:
  drug: {product: nabiximols, units_counted: spray, most_per_day: 12}
  placebo: {product: nabiximols, placebo: true, units_counted: spray, most_per_day: 12}
weeks: 2
visits_weeks: [1, 2]
endpoints:
  - {measure: spasticity_nrs}
  - {measure: spasticity_nrs, falls_by_pct: 30}
  - {measure: spasms_per_day}
  - {measure: failure, rises_by_pct: 20}
  - {measure: withdrawal}
"""
FIGURES = ("change", "responders", "patients", "flow", "failure")
EXAMPLES = sorted((Path(__file__).parents[2] / "examples" / "trials").glob("*.yaml"))


@pytest.fixture
def design(tmp_path: Path) -> Path:
    path = tmp_path / "tiny.yaml"
    path.write_text(DESIGN, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of one run of the design, to be copied."""
    folder = tmp_path_factory.mktemp("ran")
    (folder / "tiny.yaml").write_text(DESIGN, encoding="utf-8")
    assert lissive("run", folder / "tiny.yaml", "--replicates", 1, "--out", folder / "out") == 0
    return folder / "out"


def lissive(*words: Any) -> int:
    return main(["trial", *map(str, words)])


def no_constant(word: str) -> None:
    raise AssertionError(f"{word} is no JSON")


def test_a_run_is_told_as_a_trialist_reads_it(design, capsys):
    assert lissive("run", design, "--replicates", 2) == 0
    said = capsys.readouterr().out
    running = " ".join(said.split())
    for part in (
        "tiny: A tiny trial",
        "Parallel groups",
        "up to 12 sprays a day (32.4 mg THC, 30 mg CBD)",
        "Primary endpoint: Spasticity NRS (0-10), week 2",
        "Screened",
        "Discontinued: adverse events",
        "Spasticity NRS (0-10), 30 % responders",
        "drug vs placebo",
        "hazard ratio",
        "log-rank test",
        "power: proportion of replicates with p < 0.05",
        "2 simulated replicates, random seed 1",
        "These are simulated patients.",
        "Next steps",
    ):
        assert part in running, part
    assert "nan" not in said.lower()
    assert max(map(len, said.splitlines())) <= 130


def test_json_has_no_nan_and_all_that_was_asked_for(design, capsys):
    assert lissive("run", design, "--replicates", 1, "--json") == 0
    answer = json.loads(capsys.readouterr().out, parse_constant=no_constant)
    assert {
        "trial",
        "kind",
        "design",
        "replicates",
        "seed",
        "flow",
        "arms",
        "comparisons",
        "looks",
        "dose",
        "provenance",
    } == set(answer)
    row = answer["comparisons"][0]
    assert {"endpoint", "week", "arm", "against", "method", "measure", "estimate", "p05", "p95", "ci", "power",
            "estimated", "notes"} <= set(row)  # fmt: skip
    assert {"endpoint", "week", "arm", "n", "mean", "sd", "base", "kind"} <= set(answer["arms"][0])
    rank = next(row for row in answer["comparisons"] if row["method"] == "log-rank")
    assert (rank["estimate"], rank["ci"]) == (None, [None, None])


def test_without_out_nothing_is_written(design, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert lissive("run", design, "--replicates", 1) == 0
    assert list(tmp_path.iterdir()) == [design]


@pytest.mark.slow
def test_out_has_everything_and_a_resumed_run_the_same(design, tmp_path, capsys):
    out = tmp_path / "out"
    assert lissive("run", design, "--replicates", 2, "--out", out) == 0
    names = {path.name for path in out.iterdir()}
    assert names == {"patients", "replicates", "trial.json", "endpoints.csv"} | {
        f"{stem}.{kind}" for stem in FIGURES for kind in ("png", "svg")
    }
    before = {
        path.name: path.read_bytes() for path in out.iterdir() if path.suffix in (".svg", ".json", ".csv")
    }
    assert lissive("run", design, "--replicates", 2, "--out", out, "--resume") == 0
    assert before == {name: (out / name).read_bytes() for name in before}
    assert str(out / "flow.png") in capsys.readouterr().out


def test_an_interruption_says_how_to_go_on(design, tmp_path, monkeypatch, capsys):
    from lissive.trials import run as room

    def stop(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(room, "conduct", stop)
    assert lissive("run", design, "--out", tmp_path / "out") == 130
    assert "--resume" in capsys.readouterr().err
    assert lissive("run", design) == 130
    assert "no --out" in capsys.readouterr().err


def test_power_by_size(design, tmp_path, capsys):
    out = tmp_path / "out"
    words = ("--n", "12,6", "--replicates", 2, "--endpoint", "spasms_per_day", "--out", out)
    assert lissive("power", design, *words) == 0
    said = capsys.readouterr().out
    for part in ("Power for Spasms a day, week 2", "95 % CI", "Type I error", "simulated patients"):
        assert part in said
    assert {path.name for path in out.iterdir()} == {"power.json", "power.csv", "power.png", "power.svg"}
    answer = json.loads((out / "power.json").read_text(encoding="utf-8"), parse_constant=no_constant)
    assert [point["n"] for point in answer["points"]] == [6, 12]


def test_assurance_draws_from_the_table(design, tmp_path, monkeypatch, capsys):
    from lissive.trials import people

    path = tmp_path / "draws.tsv"
    monkeypatch.setattr(people, "DRAWS", path)
    assert lissive("power", design, "--n", 6, "--replicates", 2, "--assurance") == 2
    assert "There are no posterior draws" in capsys.readouterr().err
    path.write_text("max_placebo_spasm\n0.1\n0.3\n", encoding="utf-8")
    assert lissive("power", design, "--n", 6, "--replicates", 2, "--assurance") == 0
    said = " ".join(capsys.readouterr().out.split())  # wherever lines end
    assert "Assurance: each replicate has parameters of its own" in said


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("run", "{design}", "--replicates", "0"), "--replicates"),
        (("run", "{design}", "--resume"), "--resume needs --out"),
        (("run", "{folder}/none.yaml"), "There is no such file"),
        (("run", "{design}", "--out", "{design}"), "It is a file"),
        (("run", "{design}", "--out", "{design}/below"), "is a file"),
        (("run", "{design}", "--out", "{folder}"), "not empty: it holds tiny.yaml"),
        (("run", "{design}", "--out", "{folder}", "--resume"), "no run to resume"),
        (("power", "{design}", "--n", "ten"), "integers separated by commas"),
        (("power", "{design}", "--n", ","), "integers separated by commas"),
        (("power", "{design}", "--n", "0"), "--n: is '0'"),
        (("power", "{design}", "--n", "1"), "fewer than one patient for each of 2 arms"),
        (("power", "{design}", "--n", "12", "--endpoint", "nrs"), "'nrs' is not an endpoint"),
        (("power", "{design}", "--n", "12", "--out", "{design}"), "It is a file"),
    ],
)
def test_wrong_input_is_told_before_anything_is_simulated(words, said, design, monkeypatch, capsys):
    from lissive.trials import run as room

    monkeypatch.setattr(room, "conduct", lambda *_, **__: pytest.fail("it began"))
    folder = design.parent
    assert lissive(*(word.format(design=design, folder=folder) for word in words)) == 2
    told = capsys.readouterr()
    assert said in " ".join(told.err.split())
    assert told.out == ""
    assert "Traceback" not in told.err
    assert list(folder.iterdir()) == [design]


@pytest.mark.parametrize(
    ("old", "new", "line", "said"),
    [
        ("at_least: 4", "at_least: 12", 3, "population.inclusion.spasticity_nrs excludes everyone"),
        ("at_least: 4}}", "at_least: 9.99}}, most_screened: 60", 3, "60 were screened"),
        ("weeks: 2\n", "weeks: 2\nratio: {drug: 0, placebo: 0}\n", 9, "sums to zero"),
        ("weeks: 2\n", "weeks: 2\nrun_in: {arm: drug, weeks: 1, keep: {falls_by_pct: 99}}\n", 9, "nobody could"),
        ("_nrs}\n", "_nrs, at_week: 9}\n", 11, "no such visit"),
    ],
)  # fmt: skip
def test_a_design_that_cannot_be_is_told_with_file_and_line(old, new, line, said, design, capsys):
    design.write_text(DESIGN.replace(old, new), encoding="utf-8")
    assert lissive("run", design, "--replicates", 1) == 2
    told = capsys.readouterr().err
    assert told.startswith(f"lissive: {design}:{line}: ")
    assert said in told
    assert "What to do:" in told


def test_a_folder_of_another_design_is_left_alone(design, ran, tmp_path, capsys):
    out = shutil.copytree(ran, tmp_path / "out")
    design.write_text(DESIGN.replace("patients: 12", "patients: 14"), encoding="utf-8")
    assert lissive("run", design, "--replicates", 1, "--out", out, "--resume") == 2
    assert "another design, seed or model" in capsys.readouterr().err


def test_missing_parquet_is_told_before_the_run(design, tmp_path, monkeypatch, capsys):
    found = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *a: None if name == "pyarrow" else found(name, *a)
    )
    assert lissive("run", design, "--out", tmp_path / "out") == 2
    assert "pip install 'lissive[files]'" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
@pytest.mark.parametrize("path", EXAMPLES, ids=[path.stem for path in EXAMPLES])
def test_every_example_runs(path, capsys):
    assert lissive("run", path, "--replicates", 1, "--json") == 0
    answer = json.loads(capsys.readouterr().out, parse_constant=no_constant)
    assert answer["kind"] == path.stem
    flow = {
        stage: answer["flow"][stage]["mean"] for stage in ("entered", "left_run_in", "not_kept", "randomised")
    }
    assert flow["entered"] == flow["left_run_in"] + flow["not_kept"] + flow["randomised"]
    assert {row["arm"] for row in answer["arms"]} == set(answer["design"]["arms"])


def test_one_arm_alone_is_a_trial_too(design, tmp_path, capsys):
    """And so is one whose run-in says how many are randomised; a count may be the primary endpoint."""
    lines = [line for line in DESIGN.splitlines() if "placebo" not in line and "spasticity_nrs}" not in line]
    text = "\n".join(line for line in lines if not line.startswith("patients"))
    design.write_text(f"{text}\nrun_in: {{arm: drug, weeks: 1, patients: 6}}\n", encoding="utf-8")
    assert lissive("run", design, "--replicates", 2, "--out", tmp_path / "out") == 0
    said = capsys.readouterr().out
    assert "Enrolled in the run-in" in said
    assert " vs " not in said
    assert lissive("power", design, "--n", 6) == 2
    assert f"{design}:4: arms: has one arm" in capsys.readouterr().err


def test_the_verbs_are_functions_too(design):
    import lissive as package

    design.write_text(f"{DESIGN}seed: 7\n", encoding="utf-8")
    of_file = package.run_trial(design, replicates=1)
    of_design = package.run_trial(package.read_design(design), replicates=1, seed=7)
    assert (of_file.seed, of_file.comparisons) == (7, of_design.comparisons)


@pytest.mark.parametrize(
    ("words", "allowed"),
    [
        (("run", "--replicates", "1" + "0" * 23), "1 to 100000"),
        (("run", "--replicates", "100001"), "1 to 100000"),
        (("power", "--n", "1" + "0" * 12), "up to 200000"),
        (("power", "--n", "9" * 5000), "up to 200000"),
        (("power", "--n", "200001"), "2 to 200000"),
        (("power", "--n", "8", "--replicates", "1" + "0" * 12), "1 to 100000"),
        (("reproduce", "--replicates", "1" + "0" * 12), "20 to 100000"),
        (("reproduce", "--replicates", "3"), "20 to 100000"),
    ],
)
def test_too_much_is_refused_with_the_most_that_is_allowed(design, words, allowed, capsys):
    command, *options = words
    assert lissive(command, *([] if command == "reproduce" else [design]), *options) == 2
    said = capsys.readouterr().err
    assert allowed in said
    assert len(said) < 400


def test_a_folder_is_replaced_if_it_is_said_so(design, ran, tmp_path, capsys):
    out = shutil.copytree(ran, tmp_path / "out")
    mine = out / "notes.txt"
    mine.write_text("mine")
    assert lissive("run", design, "--replicates", 2, "--out", out) == 2
    assert "--force" in capsys.readouterr().err
    assert lissive("run", design, "--replicates", 1, "--seed", 5, "--out", out, "--force") == 0
    assert json.loads((out / "trial.json").read_text(encoding="utf-8"))["seed"] == 5
    assert mine.read_text() == "mine"

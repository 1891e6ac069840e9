"""`lissive evidence pool`, `forest`, `page`, `reproduce` through their door, with good and bad input."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from lissive.cli.main import main

MS = ("--cause", "multiple_sclerosis")
MINE = """\
trials:
- id: one_2020
  citation: One A. A trial of our own. 2020
  cause: MS
  intervention: nabiximols
  comparator: placebo
  design: parallel
  randomised: true
  outcomes:
    responders_30pct:
    - {arm: nabiximols, n: 30, N: 60}
    - {arm: placebo, n: 18, N: 60}
"""


def asked(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    code = main(["evidence", *words])
    shown = capsys.readouterr()
    return code, shown.out, shown.err


def test_pool_answers_in_the_agreed_shape(capsys):
    code, out, _ = asked(capsys, "pool", "--outcome", "spasticity_nrs", *MS, "--json")
    answer = json.loads(out)
    assert code == 0
    assert (answer["outcome"], answer["cause"], answer["measure"]) == ("spasticity_nrs", MS[1], "MD")
    assert answer["k"] == len(answer["studies"]) > 3
    assert answer["ci"][0] <= answer["estimate"] <= answer["ci"][1]
    low, high = answer["prediction_interval"]
    assert low <= answer["ci"][0] <= answer["ci"][1] <= high
    assert all(row["cited"] for row in answer["studies"])


def test_pool_reads_as_text(capsys):
    code, out, _ = asked(capsys, "pool", "--outcome", "responders_30pct", *MS)
    assert code == 0
    assert "Spasticity improved by 30 % or more, in multiple sclerosis" in out


@pytest.mark.parametrize("design", ["parallel", "enriched"])
def test_one_design_alone(capsys, design):
    _, out, _ = asked(capsys, "pool", "--outcome", "responders_30pct", *MS, "--design", design, "--json")
    answer = json.loads(out)
    assert {row["design"] for row in answer["studies"]} == {design}


def test_options_reach_the_arithmetic(capsys):
    made = []
    for words in (
        ("--model", "fixed"),
        ("--tau2", "dl"),
        ("--tau2", "PM"),
        ("--ci", "wald"),
        ("--method", "mh"),
        ("--measure", "rr"),
    ):
        code, out, _ = asked(capsys, "pool", "--outcome", "responders_30pct", *MS, *words, "--json")
        assert code == 0
        answer = json.loads(out)
        made.append(
            (answer["model"], answer["tau2_by"], answer["ci_by"], answer["method"], answer["measure"])
        )
    assert made == [
        ("fixed", "", "Wald", "IV", "OR"),
        ("random", "DL", "HK", "IV", "OR"),
        ("random", "PM", "HK", "IV", "OR"),
        ("random", "REML", "Wald", "IV", "OR"),
        ("random", "DL", "HK", "MH", "OR"),
        ("random", "REML", "HK", "IV", "RR"),
    ]


def test_baseline_risk_gives_a_number_needed_to_treat(capsys):
    _, out, _ = asked(capsys, "pool", "--outcome", "withdrawals_ae", *MS, "--baseline-risk", "0.05", "--json")
    found = json.loads(out)["absolute"]
    assert (found["baseline_risk"], found["baseline_from"]) == (0.05, "as asked")
    assert found["nnt_words"].startswith("NNTH")


def test_a_cause_without_trials_is_answered(capsys):
    code, out, _ = asked(capsys, "pool", "--outcome", "spasticity_nrs", "--cause", "cerebral_palsy", "--json")
    answer = json.loads(out)
    assert (code, answer["k"], answer["estimate"], answer["studies"]) == (0, 0, None, [])


def test_own_studies_take_the_place_of_ours(capsys, tmp_path: Path):
    path = tmp_path / "mine.yaml"
    path.write_text(MINE, encoding="utf-8")
    code, out, err = asked(capsys, "pool", "--outcome", "responders_30pct", "--studies", str(path), "--json")
    assert (code, err) == (0, "")
    answer = json.loads(out)
    assert [row["study"] for row in answer["studies"]] == ["one_2020"]
    assert answer["estimate"] == pytest.approx((30 / 30) / (18 / 42))


def test_without_an_outcome_those_of_the_users_file_are_named(capsys, tmp_path: Path):
    path = tmp_path / "mine.yaml"
    path.write_text(MINE.replace("responders_30pct", "hours_of_sleep"), encoding="utf-8")
    code, out, err = asked(capsys, "pool", "--studies", str(path))
    assert (code, out) == (2, "")
    assert (
        "Missing outcome. Allowed: hours_of_sleep. What to do: choose one, e.g. --outcome hours_of_sleep"
        in err
    )


def test_counts_that_are_not_reported_or_no_counts_are_not_pooled(capsys, tmp_path: Path):
    """`events: null` beside n: the participants are no events (30 of 30 had it)."""
    path = tmp_path / "mine.yaml"
    words = ("pool", "--outcome", "responders_30pct", "--studies", str(path), "--json")
    path.write_text(MINE.replace("n: 30, N: 60", "events: null, n: 60"), encoding="utf-8")
    code, out, _ = asked(capsys, *words)
    assert (code, json.loads(out)["studies"]) == (0, [])
    path.write_text(MINE.replace("n: 30, N: 60", "events: 1.5, n: 60"), encoding="utf-8")
    code, out, err = asked(capsys, *words)
    assert (code, out) == (2, "")
    assert "events is 1.5; it must be a whole number" in err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("pool",), "--outcome: Missing outcome. Allowed: spasticity_nrs"),
        (("pool", "--outcome", "spasticity"), "Did you mean spasticity_nrs?"),
        (
            ("pool", "--outcome", "spasticity_nrs", "--cause", "multiple_sklerosis"),
            "Did you mean multiple_sclerosis?",
        ),
        (("pool", "--outcome", "spasticity_nrs", "--design", "paralel"), "Did you mean parallel?"),
        (("pool", "--outcome", "spasticity_nrs", "--product", "nabiximol"), "Did you mean nabiximols?"),
        (("pool", "--outcome", "spasticity_nrs", "--measure", "OR"), "cannot be pooled as OR"),
        (("pool", "--outcome", "spasticity_nrs", "--measure", "MDD"), "Did you mean MD?"),
        (("pool", "--outcome", "spasticity_nrs", "--model", "mixed"), "Allowed: random, fixed"),
        (("pool", "--outcome", "spasticity_nrs", "--tau2", "ML"), "Allowed: REML, DL, PM"),
        (("pool", "--outcome", "spasticity_nrs", "--ci", "profile"), "Allowed: HK, mHK, Wald"),
        (("pool", "--outcome", "spasticity_nrs", "--method", "MH"), "needs counts of events"),
        (("pool", "--outcome", "spasticity_nrs", "--baseline-risk", "0.3"), "no baseline risk"),
        (("pool", "--outcome", "pgic", "--baseline-risk", "30"), "above 0 and below 1"),
        (
            ("pool", "--outcome", "pain_nrs", "--correlation", "2"),
            "--correlation: A within-person correlation of 2",
        ),
        (("pool", "--outcome", "pain_nrs", "--correlation", "nan"), "correlation is nan"),
        (("pool", "--outcome", "pgic", "--studies", "nowhere.yaml"), "There is no such file"),
        (("forest", "--outcome", "pgic", "--out", "x.gif"), "Allowed: .svg, .png"),
        (("forest", "--outcome", "pgic", "--out", "x.svg", "--table", "x.tsv"), "Allowed: .csv"),
        (("forest", "--outcome", "pgic", "--out", "nowhere/x.svg"), "There is no folder nowhere"),
        (("page", "--out", "x.pdf"), "Allowed: .html"),
    ],
)
def test_mistakes_are_one_message_and_exit_2(capsys, words, said):
    code, out, err = asked(capsys, *words)
    assert (code, out) == (2, "")
    assert said in err
    assert err.count("\n") == 1


def test_forest_writes_the_picture_and_its_table(capsys, tmp_path: Path):
    picture, table = tmp_path / "f.svg", tmp_path / "f.csv"
    code, out, _ = asked(
        capsys, "forest", "--outcome", "responders_30pct", *MS, "--out", str(picture), "--table", str(table)
    )
    assert code == 0
    assert "Collin 2007†" in out
    assert out.endswith(f"{picture}\n{table}\n")
    assert "favours the cannabinoid" in picture.read_text(encoding="utf-8")
    assert len(list(csv.reader(table.read_text(encoding="utf-8").splitlines()))) > 5


def test_funnel_of_few_studies_is_refused(capsys, tmp_path: Path):
    out = tmp_path / "f.png"
    code, _, err = asked(
        capsys, "forest", "--outcome", "responders_30pct", *MS, "--out", str(out), "--funnel"
    )
    assert code == 2
    assert "too few for a funnel" in err
    assert not out.exists()


def test_nothing_to_draw_writes_nothing(capsys, tmp_path: Path):
    out = tmp_path / "f.png"
    code, _, err = asked(
        capsys, "forest", "--outcome", "spasticity_nrs", "--cause", "cerebral_palsy", "--out", str(out)
    )
    assert (code, out.exists()) == (2, False)
    assert "No study to plot" in err


def test_page_of_own_studies(capsys, tmp_path: Path):
    mine, out = tmp_path / "mine.yaml", tmp_path / "page.html"
    mine.write_text(MINE, encoding="utf-8")
    code, shown, err = asked(capsys, "page", "--out", str(out), "--studies", str(mine))
    assert (code, shown, err) == (0, f"{out}\n", "")
    assert "One 2020" in out.read_text(encoding="utf-8")


def test_reproduce_has_published_beside_computed(capsys):
    code, out, _ = asked(capsys, "reproduce", "--json")
    rows = {row["id"]: row for row in json.loads(out)}
    assert code == 0
    assert all({"id", "published", "computed", "ok"} <= set(row) for row in rows.values())
    assert rows["check_filippini_1_1"]["ok"] is True
    assert rows["meta_2025_outlier"]["ok"] is False
    assert rows["wade_2010_pooled"]["computed"]["n"] is None  # no row says how many people it is of
    code, text, _ = asked(capsys, "reproduce")
    assert code == 0
    assert "n 0" not in text
    assert "n 1143" in text

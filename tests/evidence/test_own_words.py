"""Outcomes and causes that a user's own file names: the BCG trials, which no table here knows."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from lissive.cli.main import main
from lissive.errors import EvidenceError
from lissive.evidence import read_studies
from lissive.evidence.answer import answer_of
from lissive.report.pool_text import pool_text

from .published_examples import BCG


def bcg(path: Path, first: int = 13, head: str = "") -> Path:
    """The first trials as a file in the format of the shipped one, with no more than is needed."""
    rows = [
        f"""- id: bcg_{k}
  cause: tuberculosis
  intervention: BCG
  comparator: no vaccine
  design: parallel
  outcomes:
    tuberculosis:
    - {{arm: vaccinated, n: {a}, N: {a + b}}}
    - {{arm: control, n: {c}, N: {c + d}}}
"""
        for k, (a, b, c, d) in enumerate(BCG[:first], start=1)
    ]
    path.write_text(head + "trials:\n" + "".join(rows), encoding="utf-8")
    return path


def pooled(capsys: pytest.CaptureFixture[str], *words: str) -> dict:  # type: ignore[type-arg]
    assert main(["evidence", "pool", *words, "--json"]) == 0
    return json.loads(capsys.readouterr().out)  # type: ignore[no-any-return]


def test_bcg_from_a_users_file_is_metafors(capsys, tmp_path: Path) -> None:
    """metafor's dat.bcg: REML τ² 0.3132, -0.7145, SE 0.1798; Knapp-Hartung -1.108 to -0.321; Q 152.23."""
    file = bcg(tmp_path / "bcg.yaml")
    asked = ("--studies", str(file), "--outcome", "tuberculosis", "--measure", "RR", "--tau2", "REML")
    found = pooled(capsys, *asked, "--ci", "HK")
    assert (found["outcome"], found["measure"], found["k"], found["n"]) == ("tuberculosis", "RR", 13, 357347)
    assert found["tau2"] == pytest.approx(0.3132, abs=5e-5)
    assert math.log(found["estimate"]) == pytest.approx(-0.7145, abs=5e-5)
    assert [math.log(end) for end in found["ci"]] == pytest.approx([-1.108, -0.321], abs=1e-3)
    assert found["q"] == pytest.approx(152.23, abs=5e-3)
    wald = pooled(capsys, *asked, "--ci", "Wald", "--cause", "tuberculosis")
    assert wald["se"] == pytest.approx(0.1798, abs=5e-5)
    assert wald["cause"] == "tuberculosis"


@pytest.mark.parametrize("k", [0, 1, 2])
def test_few_studies_of_a_users_own_are_answered(capsys, tmp_path: Path, k: int) -> None:
    file = bcg(tmp_path / "bcg.yaml", k, "outcomes: {tuberculosis: {kind: share}}\n")
    if k == 0:
        file.write_text("trials: []\n", encoding="utf-8")
        assert pooled(capsys, "--studies", str(file), "--outcome", "pgic")["k"] == 0
        return
    found = pooled(capsys, "--studies", str(file), "--outcome", "tuberculosis", "--measure", "RR")
    assert (found["k"], found["prediction_interval"]) == (k, None)
    assert found["ci"][0] < found["estimate"] < found["ci"][1]


def test_which_way_is_better_is_not_guessed(tmp_path: Path) -> None:
    unsaid = answer_of(read_studies(bcg(tmp_path / "a.yaml")), "tuberculosis", measure="RR")
    text = " ".join(pool_text(unsaid).split())
    assert (unsaid.overall.direction, unsaid.overall.absolute) == ("lower", None)
    assert "lower with the cannabinoid" in text
    assert "Whether lower or higher values of tuberculosis are better is not stated" in text
    assert "favours" not in text
    head = "outcomes: {tuberculosis: {better: lower, label: tuberculosis in ten years}}\n"
    said = answer_of(read_studies(bcg(tmp_path / "b.yaml", head=head)), "tuberculosis", measure="RR")
    assert said.overall.direction == "benefit"
    assert said.overall.absolute.words().startswith("NNTB")
    assert "Tuberculosis in ten years" in pool_text(said)


def test_a_name_of_the_file_is_as_good_as_the_word_of_the_table(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(
        "trials: [{id: a, cause: MS, design: parallel, outcomes: {pain_vas_0_100: "
        "[{arm: x, mean: 40, sd: 20, n: 20}, {arm: placebo, mean: 50, sd: 20, n: 20}]}}]",
        encoding="utf-8",
    )
    found = answer_of(read_studies(path), "pain_vas_0_100", cause="MS")
    assert (found.outcome.word, found.cause) == ("pain_nrs", "multiple_sclerosis")
    assert found.overall.pooled.estimate == -1.0


def test_an_unknown_word_lists_those_of_the_file_as_well(tmp_path: Path) -> None:
    studies = read_studies(bcg(tmp_path / "bcg.yaml"))
    with pytest.raises(EvidenceError, match="Did you mean tuberculosis"):
        answer_of(studies, "tuberculosi")
    with pytest.raises(EvidenceError, match="Did you mean tuberculosis"):
        answer_of(studies, "tuberculosis", cause="tuberculosi")


@pytest.mark.parametrize(
    ("head", "said"),
    [
        ("outcomes: {tuberculosis: {better: down}}\n", "outcomes.tuberculosis.better is 'down'"),
        ("outcomes: {tuberculosis: {bettr: lower}}\n", "Did you mean better?"),
        ("outcomes: [tuberculosis]\n", "outcomes is a list"),
    ],
)
def test_what_is_wrong_in_a_files_own_words_is_said(tmp_path: Path, head: str, said: str) -> None:
    with pytest.raises(EvidenceError, match=r"bcg\.yaml:1") as caught:
        read_studies(bcg(tmp_path / "bcg.yaml", head=head))
    assert said in str(caught.value)


def test_events_and_people_may_be_called_so(tmp_path: Path) -> None:
    path = bcg(tmp_path / "bcg.yaml", 3)
    text = path.read_text(encoding="utf-8").replace(" n: ", " events: ").replace(" N: ", " n: ")
    other = tmp_path / "other.yaml"
    other.write_text(text, encoding="utf-8")
    one, same = (answer_of(read_studies(each), "tuberculosis").overall for each in (path, other))
    assert one.pooled == same.pooled


def test_a_word_that_nothing_has_is_answered_with_what_there_is(tmp_path: Path) -> None:
    studies = read_studies(bcg(tmp_path / "bcg.yaml"))
    text = " ".join(pool_text(answer_of(studies, "spasticity_nrs")).split())
    assert "Outcomes that can be pooled: tuberculosis." in text
    text = " ".join(pool_text(answer_of(studies, "tuberculosis", cause="als")).split())
    assert "Causes with a pooled estimate of some outcome: tuberculosis." in text


def test_words_alone_are_no_outcome(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("trials: [{id: a, outcomes: {mood: {result: better}}}]", encoding="utf-8")
    assert "mood" not in read_studies(path).outcomes


def test_fields_that_are_not_read_are_said_and_the_rest_is_answered(capsys, tmp_path: Path) -> None:
    file = bcg(tmp_path / "bcg.yaml", 3, "outcoms: {tuberculosis: {better: lower}}\n")
    text = file.read_text(encoding="utf-8").replace(
        "  design: parallel\n",
        "  design: parallel\n  sponsor: x\n  arms: [{arm: vaccinated, N: 4, n_lost: 1}]\n",
        1,
    )
    file.write_text(text, encoding="utf-8")
    asked = ("--studies", str(file), "--outcome", "tuberculosis")
    assert main(["evidence", "pool", *asked, "--json"]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out)["k"] == 3
    assert err.splitlines() == [
        f"lissive: {file}:1: outcoms is a field that is not read. Did you mean outcomes?",
        f"lissive: {file}:8: bcg_1: sponsor is a field that is not read.",
        f"lissive: {file}:9: bcg_1: arms[0].N is a field that is not read. Did you mean n?",
    ]

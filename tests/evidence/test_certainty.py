"""How sure an estimate is, by rule; and the risk of bias that goes into it."""

from __future__ import annotations

from pathlib import Path

import pytest

from lissive.errors import EvidenceError
from lissive.evidence import pool, read_studies
from lissive.evidence.answer_types import Certainty

LOW = "{randomisation: low, deviations: low, missing_data: low, measurement: low, selection: low}"
BIAS = "risk_of_bias: {tool: RoB 2, by: us, domains: %s}, "


def file(tmp_path: Path, *trials: tuple[str, tuple[int, int, int, int]], bias: str = LOW) -> Path:
    """A trial for each design and its counts: events and participants with the drug, then with control."""
    path, judged = tmp_path / "mine.yaml", BIAS % bias if bias else ""
    rows = [
        f"- {{id: t{k}, design: {design}, {judged}outcomes: {{responders_30pct: "
        f"[{{arm: drug, n: {a}, N: {n}}}, {{arm: placebo, n: {c}, N: {m}}}]}}}}\n"
        for k, (design, (a, n, c, m)) in enumerate(trials)
    ]
    path.write_text("trials:\n" + "".join(rows), encoding="utf-8")
    return path


def sure(path: Path) -> tuple[str, dict[str, int]]:
    found = pool("responders_30pct", studies=path).overall.certainty
    assert isinstance(found, Certainty)
    return str(found), {each.domain: each.levels for each in found.reasons if each.levels}


LARGE = (300, 500, 150, 500)


def test_large_trials_that_agree_are_of_high_certainty(tmp_path: Path) -> None:
    assert sure(file(tmp_path, ("parallel", LARGE), ("parallel", LARGE))) == ("high", {})


@pytest.mark.parametrize(
    ("trials", "bias", "word", "down"),
    [
        ([("parallel", LARGE)], "", "at most high", {}),
        ([("parallel", LARGE)], "{randomisation: high}", "moderate", {"risk of bias": 1}),
        ([("enriched", LARGE)], LOW, "moderate", {"indirectness": 1}),
        ([("parallel", (60, 100, 30, 100))], LOW, "moderate", {"imprecision": 1}),
        ([("parallel", (41, 100, 40, 100))], LOW, "low", {"imprecision": 2}),
        ([("parallel", LARGE), ("parallel", (450, 500, 100, 500))], LOW, "moderate", {"inconsistency": 1}),
    ],
)
def test_each_reason_lowers_it(tmp_path: Path, trials, bias: str, word: str, down: dict[str, int]) -> None:
    assert sure(file(tmp_path, *trials, bias=bias)) == (word, down)


@pytest.mark.parametrize(("trials", "bad", "word"), [(2, 1, "high"), (3, 2, "moderate")])
def test_a_risk_of_bias_counts_where_more_than_half_of_the_trials_have_it(
    tmp_path: Path, trials: int, bad: int, word: str
) -> None:
    path = file(tmp_path, *[("parallel", LARGE)] * trials)
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("randomisation: low", "randomisation: high", bad), encoding="utf-8")
    assert sure(path)[0] == word


def test_trials_without_a_usable_figure_lower_it(tmp_path: Path) -> None:
    path = file(tmp_path, ("parallel", LARGE))
    words = "".join(
        f"- {{id: w{k}, design: parallel, outcomes: {{responders_30pct: {{result: no difference}}}}}}\n"
        for k in range(2)
    )
    path.write_text(path.read_text(encoding="utf-8") + words, encoding="utf-8")
    assert sure(path) == ("moderate", {"publication bias": 1})


@pytest.mark.parametrize(
    ("bias", "said"),
    [
        ("{luck: low}", "'luck' is no domain of RoB 2. Allowed: randomisation, deviations"),
        ("{randomisation: fine}", "'fine' is no judgement of RoB 2. Allowed: low, some concerns, high"),
        ("{}", "risk_of_bias.domains"),
    ],
)
def test_a_risk_of_bias_that_is_not_understood_is_a_fault(tmp_path: Path, bias: str, said: str) -> None:
    with pytest.raises(EvidenceError, match=r"mine\.yaml:2") as caught:
        read_studies(file(tmp_path, ("parallel", LARGE), bias=bias))
    assert said in str(caught.value)


def test_the_overall_risk_is_the_worst_and_says_when_domains_are_missing(tmp_path: Path) -> None:
    for bias, word in (
        (LOW, "low"),
        (LOW.replace("selection: low", "selection: some concerns"), "some concerns"),
        ("{randomisation: low}", "in part"),
        ("{randomisation: high}", "high"),
    ):
        (row,) = pool("responders_30pct", studies=file(tmp_path, ("parallel", LARGE), bias=bias)).studies
        assert row.to_json()["risk_of_bias"] == word


def test_spasms_a_day_are_listed_with_figures_and_direction_where_nothing_can_be_pooled() -> None:
    answer = pool("spasms_per_day")
    assert answer.k == 0
    said = {row.study: row.text for row in answer.left_out}
    assert said["novotna_2011_phaseB"].startswith("19 to 35 % fewer")
    assert "0.013" in said["vaney_2004"]
    assert all(said.values())


def test_people_that_are_not_reported_are_not_called_none(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    row = "- {id: t%d, design: parallel, outcomes: {wellness_between: {diff: 1.0, se: 0.2}}}"
    head = "outcomes: {wellness: {better: higher, kind: mean}}\ntrials:\n"
    path.write_text(head + "\n".join(row % k for k in (1, 2)), encoding="utf-8")
    reasons = {each.domain: each for each in pool("wellness", studies=path).overall.certainty.reasons}
    assert reasons["imprecision"].levels == 1
    assert reasons["imprecision"].why.startswith("participants not reported by every trial")

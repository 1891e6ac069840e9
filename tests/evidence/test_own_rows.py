"""A user's own rows: used whole, or named as a fault, or listed as left out; and what rare events ask for."""

from __future__ import annotations

from pathlib import Path

import pytest

from lissive.errors import EvidenceError
from lissive.evidence import pool, read_studies
from lissive.report.pool_text import pool_text

MEANS = "[{arm: drug, n: 20, mean: 5, sd: 2}, {arm: placebo, n: 20, mean: 4, sd: 2}]"
HEAD = "outcomes: {wellness: {better: higher, kind: mean}, relapsed: {better: lower, kind: share}}\ntrials:\n"


def file(tmp_path: Path, *trials: str, head: str = HEAD) -> Path:
    """Each trial as `outcome: its block`, of parallel groups."""
    path = tmp_path / "mine.yaml"
    rows = (f"- {{id: t{k}, design: parallel, outcomes: {{{text}}}}}\n" for k, text in enumerate(trials))
    path.write_text(head + "".join(rows), encoding="utf-8")
    return path


def counts(*cells: int) -> str:
    a, n, c, m = cells
    return f"relapsed: [{{arm: drug, n: {a}, N: {n}}}, {{arm: placebo, n: {c}, N: {m}}}]"


def test_the_level_of_an_interval_is_used(tmp_path: Path) -> None:
    blocks = [f"wellness_between: {{diff: 1.2, ci: [0.2, 2.2]{more}}}" for more in ("", ", level: 0.9")]
    plain, ninety = pool("wellness", studies=file(tmp_path, *blocks)).studies
    assert plain.effect.se == pytest.approx(1 / 1.959964, rel=1e-6)
    assert ninety.effect.se == pytest.approx(1 / 1.644854, rel=1e-6)


def test_a_small_groups_interval_gives_its_deviation_by_t(tmp_path: Path) -> None:
    """Eight people, 5.0 (3.33 to 6.67): t of 7 degrees is 2.3646, so 1.67 / 2.3646 * sqrt(8) = 1.998."""
    block = "wellness: [{arm: drug, n: 8, mean: 5, ci: [3.33, 6.67]}, {arm: placebo, n: 8, mean: 4, ci: [2.33, 5.67]}]"
    (row,) = pool("wellness", studies=file(tmp_path, block)).studies
    assert row.comparison.active.sd == pytest.approx(1.9976, abs=1e-4)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("sd: 2", "std: 2", "std is a field that is not read. Did you mean sd?"),
        ("sd: 2", "SD: 2", "SD is a field that is not read. Did you mean sd?"),
        ("n: 20", "total: 20", "total is a field that is not read. Allowed: arm, n, N"),
        ("n: 20,", "n: 20, N: 25,", "n is 20 and N is 25: both are participants of this row"),
        ("sd: 2", "sd: 2, level: 95", "level is 95. Allowed: 0.5 to below 1"),
        ("sd: 2", "sd: 2, level: 90 %", "level is '90 %'; it must be a number"),
        ("sd: 2", "ci_90: 4 to 6", "ci_90 must be two numbers, the lower first"),
        ("sd: 2", "ci_90: [6, 8]", "ci_90 is 6 to 8 and does not include mean 5"),
        ("sd: 2", "ci: [4, 6], ci_90: [4.2, 5.8]", "ci stands beside ci_90: both are intervals of this row"),
        ("sd: 2", "sd: 2, se: 2", "has two standard errors (sd gives 0.447, se gives 2)"),
        ("sd: 2", "sd: -2", "sd is -2; it must be positive"),
        ("sd: 2", "sd: 2, p: 1.3", "p is 1.3. Allowed: 0 to 1"),
    ],
)
def test_a_row_that_would_be_half_read_is_a_fault(tmp_path: Path, old: str, new: str, said: str) -> None:
    path = file(tmp_path, f"wellness: {MEANS.replace(old, new)}")
    with pytest.raises(EvidenceError, match=r"mine\.yaml:3: t0: outcomes\.wellness\[0\]") as caught:
        read_studies(path)
    assert said in str(caught.value)


def test_of_two_rows_of_one_arm_neither_is_dropped_in_silence(tmp_path: Path) -> None:
    """The last row of the file won: nine points at week 4 in place of five at week 12."""
    again = "{arm: drug, n: 20, mean: 9, sd: 2}"
    with pytest.raises(
        EvidenceError, match=r"wellness\[2\] is a second row of drug: leave one, or give each its week"
    ):
        read_studies(file(tmp_path, f"wellness: {MEANS[:-1]}, {again}]"))
    with pytest.raises(EvidenceError, match=r"wellness_between\[1\] is a second row of the difference"):
        read_studies(file(tmp_path, "wellness_between: [{diff: 1.2, se: 0.5}, {diff: 9.2, se: 0.5}]"))
    early = ", ".join(f"{{arm: {arm}, week: 4, n: 20, mean: 9, sd: 2}}" for arm in ("drug", "placebo"))
    late = MEANS.replace("n: 20", "week: 12, n: 20")
    found = pool("wellness", studies=file(tmp_path, f"wellness: {late[:-1]}, {early}]"))
    assert [row.effect.y for row in found.studies] == [1.0]
    assert [row.reason for row in found.left_out] == ["of another visit; week 12 is used"]


def test_what_a_field_allows_is_said_below_a_name_that_the_file_chose(tmp_path: Path) -> None:
    with pytest.raises(EvidenceError, match=r"wellness\.better is 'up'\. Allowed: lower, higher\."):
        read_studies(file(tmp_path, f"wellness: {MEANS}", head=HEAD.replace("higher", "up")))
    nameless = f"wellness: {MEANS.replace('arm: drug, ', '').replace('arm: placebo, ', '')}"
    answer = pool("wellness", studies=file(tmp_path, nameless))
    assert [row.reason for row in answer.left_out] == ["rows that do not name their arm"]


def test_a_misspelt_outcome_is_not_another_outcome(tmp_path: Path) -> None:
    with pytest.raises(
        EvidenceError, match=r"wellnes is no outcome that the file declares. Did you mean wellness\?"
    ):
        read_studies(file(tmp_path, f"wellnes: {MEANS}"))
    assert (
        pool("sleep_hours", studies=file(tmp_path, f"sleep_hours: {MEANS}")).k == 1
    )  # not declared, and like none


def test_a_correlation_in_words_is_not_replaced_by_the_assumed_one(tmp_path: Path) -> None:
    path = file(tmp_path, f"wellness: {MEANS}")
    path.write_text(path.read_text().replace("parallel", "crossover, correlation: '0.3'"), encoding="utf-8")
    with pytest.raises(EvidenceError, match=r"correlation is '0\.3'; it must be a number"):
        read_studies(path)


def test_a_count_without_its_participants_is_listed_with_the_reason(tmp_path: Path) -> None:
    answer = pool(
        "relapsed", studies=file(tmp_path, "relapsed: [{arm: drug, n: 5, N: 20}, {arm: placebo, n: 20}]")
    )
    assert [row.reason for row in answer.left_out] == ["a count without the number of participants (N)"]


def test_a_files_own_outcome_wins_over_the_patterns_of_the_tables(tmp_path: Path) -> None:
    """Hours of sleep were read as a rating of disturbed sleep, and more sleep as harm."""
    head = "outcomes: {sleep_hours: {better: higher, unit: h}, pain_nrs: {better: higher}}\ntrials:\n"
    path = file(tmp_path, f"sleep_hours: {MEANS}, pain_nrs: {MEANS}", head=head)
    found = pool("sleep_hours", studies=path)
    assert (found.outcome.word, found.outcome.unit, found.outcome.better) == ("sleep_hours", "h", "higher")
    pain = pool("pain_nrs", studies=path).outcome
    assert (pain.better, pain.label) == ("higher", "pain NRS")  # what is not stated stays as the table has it


@pytest.mark.parametrize(
    "name",
    ["sleep_hours", "walk_6min_m", "depression_hamd", "spasms_per_week", "fatigue_vas_0_10", "pain_crisis"],
)
def test_another_unit_or_kind_than_the_tables_is_an_outcome_of_its_own(tmp_path: Path, name: str) -> None:
    block = counts(3, 20, 5, 20).partition(": ")[2] if name == "pain_crisis" else MEANS
    found = pool(name, studies=file(tmp_path, f"{name}: {block}", head="trials:\n"))
    assert (found.outcome.word, found.outcome.better, found.k) == (name, "", 1)


# -- rare events ---------------------------------------------------------------------------------------
def test_mantel_haenszel_is_not_refused_for_what_only_leave_one_out_lacks(tmp_path: Path) -> None:
    path = file(tmp_path, counts(3, 100, 1, 100), counts(2, 100, 0, 100))
    found = pool("relapsed", model="fixed", method="MH", studies=path)
    assert found.overall.pooled.y == pytest.approx(1.63387904759)  # metafor.json, MH OR few
    assert [row.label for row in found.leave_one_out] == ["T1"]
    assert any("no estimate by this method without T0" in note for note in found.notes)


def test_inverse_variance_on_rare_events_is_warned_of_and_peto_offered(tmp_path: Path) -> None:
    path = file(tmp_path, counts(2, 1000, 0, 500), counts(3, 1500, 1, 500), counts(0, 90, 0, 90))
    found = pool("relapsed", studies=path)
    assert any("inverse variance is biased" in note and "--method Peto" in note for note in found.notes)
    assert any("Without an event in either group, T2 cannot enter a ratio" in note for note in found.notes)
    peto = pool("relapsed", model="fixed", method="peto", studies=path)
    assert any("differ much in size (T1)" in note for note in peto.notes)
    assert not any("0.5 was added" in note for note in peto.notes)


def test_no_effect_needs_nobody_treated(tmp_path: Path) -> None:
    """An odds ratio of 1 but for rounding gave NNTB 72057594037927936."""
    found = pool("relapsed", studies=file(tmp_path, counts(0, 15, 2, 13), counts(2, 13, 0, 15)))
    assert found.overall.absolute.words() == "no difference (NNTB 15 to infinity to NNTH 2)"
    assert "0 more per 1000" not in pool_text(found)


# -- marks -----------------------------------------------------------------------------------------------
def test_what_is_not_pooled_carries_its_mark_as_well(tmp_path: Path) -> None:
    recalled = "wellness_between: {diff: {value: 1.2, provenance: recalled}}"
    text = pool_text(pool("wellness", studies=file(tmp_path, f"wellness: {MEANS}", recalled)))
    assert "- T1†: a difference without interval" in text
    assert "† unverified" in text

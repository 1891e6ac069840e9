"""Bad files of studies are answered by id, field and line; the shipped ones pass, and would not without a mark."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from lissive.errors import EvidenceError
from lissive.evidence import read_studies
from lissive.evidence.lint import findings
from lissive.evidence.read import META, REVIEW_TRIALS, TRIALS, entries_of

SHIPPED = {path: path.read_text(encoding="utf-8") for path in (TRIALS, REVIEW_TRIALS, META)}


def found_in(path: Path, old: str = "", new: str = "") -> list[tuple[str, str]]:
    """Check and id of what is found in a shipped file with one thing changed."""
    text = SHIPPED[path]
    assert old in text
    return [(each.check, each.id) for each in findings(entries_of(text.replace(old, new), path))]


def test_the_shipped_files_pass() -> None:
    entries = [each for path, text in SHIPPED.items() for each in entries_of(text, path)]
    assert findings(entries) == []


def test_a_pooled_effect_of_39_is_refused_once_it_is_not_marked() -> None:
    text = re.sub(r"\n  rejected: .*", "", SHIPPED[META])
    found = findings(entries_of(text, META))
    assert {(each.check, each.id) for each in found} == {("effect", "meta_2025_outlier")}
    assert "39.19 standard deviations" in found[0].what


def test_cams_counted_twice_is_found_once_the_key_is_gone() -> None:
    assert found_in(TRIALS, "  patients: CAMS\n") == [("patients", "zajicek_2005_CAMS12")]


def test_novotna_counted_twice_is_found_once_the_key_is_gone() -> None:
    assert found_in(TRIALS, "  patients: novotna_2011\n") == [("patients", "novotna_2011_phaseB")]


def test_hansens_signs_are_found_once_their_doubt_is_not_said() -> None:
    text = re.sub(r"\n    sign_convention: .*", "", SHIPPED[TRIALS])
    assert {(each.check, each.id) for each in findings(entries_of(text, TRIALS))} == {
        ("signs", "hansen_2023")
    }


def test_a_lost_source_is_found() -> None:
    text = SHIPPED[TRIALS].replace(", pointer: Table 5 header}", "}")
    found = {(each.check, each.id) for each in findings(entries_of(text, TRIALS))}
    assert found == {("source", "zajicek_2012_MUSEC")}


def test_a_note_within_an_address_is_found() -> None:
    old = "source_url: https://usacbdoil.net/sativex-cbd-oil/"
    assert {each for each, _ in found_in(TRIALS, old, f"{old} (abstract)")} == {"source"}


GOOD = """trials:
- id: smith_2020
  citation: Smith 2020
  cause: MS
  design: parallel
  arms:
  - {arm: THC, n_analysed: 50}
  - {arm: placebo, n_analysed: 50}
  outcomes:
    pain_nrs:
    - {arm: THC, change_mean: -1.8, change_sd: 2.1}
    - {arm: placebo, change_mean: -0.8, change_sd: 2.0}
    pain_nrs_between: {diff: -1.0, ci: [-1.8, -0.2]}
    responders_30pct:
    - {arm: THC, n: 20, N: 50}
    - {arm: placebo, n: 11, N: 50}
"""


@pytest.mark.parametrize(
    ("old", "new", "line", "said"),
    [
        ("n: 20, N: 50", "n: 60, N: 50", 15, "more than the 50 participants"),
        ("n: 20, N: 50", "n: 20, N: 50, pct: 55", 15, "20 of 50 is 40.0 %"),
        ("n_analysed: 50}", "n_randomised: 40, n_analysed: 50}", 7, "more than the 40 randomised"),
        (
            "{arm: THC, n_analysed: 50}",
            "{arm: THC, n_randomised: 40}",
            15,
            "has 50 participants, more than the 40",
        ),
        ("change_sd: 2.1", "change_sd: 0.3", 11, "looks like a standard error"),
        ("change_sd: 2.1", "change_sd: 14", 11, "the largest possible on its scale is"),
        ("change_sd: 2.1", "change_sd: -1", 11, "must be positive"),
        ("change_mean: -1.8", "change_mean: minus", 11, "must be a number"),
        ("ci: [-1.8, -0.2]", "ci: [-0.8, -0.2]", 13, "does not include diff -1"),
        ("ci: [-1.8, -0.2]", "ci: [-0.2, -1.8]", 13, "the lower limit must come first"),
        ("diff: -1.0, ci: [-1.8, -0.2]", "diff: 1.0, ci: [0.2, 1.8]", 10, "sign_convention"),
        ("diff: -1.0", "diff: {value: -1.0, provenance: guessed}", 13, "'guessed'"),
        ("change_mean: -1.8", "change_mean: -18", 11, "its scale is 0 to 10"),
        ("diff: -1.0, ci: [-1.8, -0.2]", "diff: -1e300, ci: [-2e300, 1]", 13, "its scale is 0 to 10"),
        ("n: 20, N: 50", "n: 20, N: 5e15", 15, "more than the world population"),
        ("n: 20, N: 50", "events: 60, n: 50", 15, "more than the 50 participants"),
        ("n: 20, N: 50", "n: '20', N: 50", 15, "must be a number"),
        ("n: 20, N: 50", "n: true, N: 50", 15, "must be a number"),
        ("n: 20, N: 50", "n: -2, N: 50", 15, "negative number"),
        # figures that no check may calculate with
        ("n_analysed: 50", "n_analysed: -50", 7, "negative number"),
        ("change_sd: 2.1", "change_sd: 2.1, n: -5", 11, "negative number"),
        ("n: 20, N: 50", "pct: 20, N: 1e308", 15, "more than the world population"),
        ("n: 20, N: 50", "pct: 1e308, N: 50", 15, "outside 0 to 100"),
        ("- id: smith_2020", "- id: smith_2020\n  funding: {by: GW}", 3, "funding.industry is missing"),
        ("  cause: MS", "  csuse: MS", 4, "Did you mean cause?"),
        ("- id: smith_2020", "- id: ''", 2, "trials[0].id"),
    ],
)
def test_a_users_mistake_is_answered_by_id_field_and_line(
    tmp_path: Path, old: str, new: str, line: int, said: str
) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(GOOD.replace(old, new), encoding="utf-8")
    with pytest.raises(EvidenceError) as caught:
        read_studies(path)
    assert f"mine.yaml:{line}: " in str(caught.value)
    assert said in str(caught.value)
    if "id:" not in old:
        assert "smith_2020: " in str(caught.value)


def test_the_file_without_mistakes_is_read(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(GOOD, encoding="utf-8")
    assert [each.id for each in read_studies(path)] == ["smith_2020"]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("  citation: Smith 2020\n", ""),
        ("diff: -1.0", "diff: {value: -1.0, provenance: read}"),
        ("diff: -1.0", "diff: {value: -1.0, provenance: derived}"),
    ],
)
def test_where_a_user_has_the_figures_from_is_theirs_to_know(tmp_path: Path, old: str, new: str) -> None:
    """In a shipped file each is a finding (`source`)."""
    path = tmp_path / "mine.yaml"
    path.write_text(GOOD.replace(old, new), encoding="utf-8")
    assert [each.id for each in read_studies(path)] == ["smith_2020"]
    assert {each.check for each in findings(entries_of(path.read_text(encoding="utf-8"), path))} == {"source"}


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(GOOD.replace("n: 20", "n: 60").replace("ci: [-1.8", "ci: [-0.5"), encoding="utf-8")
    with pytest.raises(EvidenceError) as caught:
        read_studies(path)
    assert len(str(caught.value).splitlines()) == 2


NONE = (
    "",
    "trials: 3",
    "[1, 2]",
    "trials: [{}]",
    "trials: [3]",
    "trials: [{id: a, arms: 3}]",
    "a: [",
    "trials: [{id: a, outcomes: [1]}]",
)


@pytest.mark.parametrize("text", NONE)
def test_a_file_that_is_none_is_one_message(tmp_path: Path, text: str) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(EvidenceError, match=r"mine\.yaml"):
        read_studies(path)


def test_a_standard_error_is_told_by_the_interval_of_the_difference(tmp_path: Path) -> None:
    # deviations of 0.5 in 50 people each give an interval of 0.39, and not of 2.8
    path = tmp_path / "mine.yaml"
    text = GOOD.replace("2.1", "0.5").replace("change_sd: 2.0", "change_sd: 0.5")
    path.write_text(text.replace("[-1.8, -0.2]", "[-2.4, 0.4]"), encoding="utf-8")
    with pytest.raises(EvidenceError, match="too small for the interval"):
        read_studies(path)

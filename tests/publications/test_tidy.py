"""The explicit form of a file of publications: read as the loose one is, and refused by line where it is half said."""

from __future__ import annotations

from pathlib import Path

import pytest

from lissive.errors import EvidenceError, StudyError
from lissive.evidence import comparisons, read_studies
from lissive.trials.published import read_published

TIDY = """outcomes: {wellness: {better: higher, kind: mean}}
trials:
- id: smith_2026
  citation: Smith 2026
  sources:
    s1: {provenance: read, source_url: 'https://example.org/smith', pointer: Table 2}
  design:
    said: parallel
    kind: parallel
    cause: multiple_sclerosis
    product: nabiximols
    virtual:
      cause: multiple_sclerosis
      kind: parallel
      weeks: 6
      control: placebo
      relief: spasticity_nrs
      arms:
        nabiximols: {product: nabiximols, titration: self, most_per_day: 12}
        placebo: {product: nabiximols, titration: self, most_per_day: 12, placebo: true}
      assumed: [No inclusion criterion on a rating.]
  split: validation
  arms:
  - {arm: nabiximols, n_randomised: 50, from: s1}
  - {arm: placebo, n_randomised: 48, from: s1}
  outcomes:
    spasticity_vas: {is: spasticity_nrs, measure: spasticity_nrs, top: 100, at_visits: true}
    better: {is: wellness, not_modelled: the model has no such measure}
    relief: {is: stiffness_relief, measure: pgic_much}
  results:
  - {of: spasticity_vas, arm: nabiximols, statistic: change, value: -14, sd: 18, from: s1}
  - {of: spasticity_vas, arm: placebo, statistic: change, value: -10, sd: 17, from: {value: s1, sd: low}}
  - {of: better, arm: nabiximols, statistic: mean, value: 5, sd: 2, n: 50, from: s1}
  - {of: better, arm: placebo, statistic: mean, value: 4, sd: 2, n: 48, from: s1}
  - {of: relief, arm: nabiximols, statistic: share, events: 20, n: 50, from: s1}
  - {of: relief, arm: placebo, statistic: share, events: 13, n: 48, from: s1}
"""


@pytest.fixture
def file(tmp_path: Path):  # type: ignore[no-untyped-def]
    def _file(*changes: tuple[str, str]) -> Path:
        text = TIDY
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        path = tmp_path / "mine.yaml"
        path.write_text(text, encoding="utf-8")
        return path

    return _file


def test_its_rows_are_compared(file) -> None:  # type: ignore[no-untyped-def]
    studies = read_studies(file())
    (one,) = comparisons(studies, outcome="spasticity_nrs", cause="multiple_sclerosis", product="nabiximols")
    assert (one.active.mean, one.active.sd, one.active.n) == (-1.4, 1.8, 50)
    assert (one.control.mean, one.control.sd, one.control.n) == (-1.0, 1.7, 48)
    assert one.provenance == "recalled"  # one spread is from memory, and says so
    assert {each.url for each in one.cited if each.provenance == "read"} == {"https://example.org/smith"}
    (relief,) = comparisons(studies, outcome="stiffness_relief")
    assert (relief.active.events, relief.control.events) == (20, 13)


def test_an_outcome_that_the_file_declares_is_its_own(file) -> None:  # type: ignore[no-untyped-def]
    (one,) = comparisons(read_studies(file()), outcome="wellness")
    assert (one.better, one.active.mean, one.control.mean) == ("higher", 5, 4)


def test_its_rows_are_simulated(file) -> None:  # type: ignore[no-untyped-def]
    (trial,) = read_published(file()).trials
    assert (trial.design.weeks, trial.design.patients, trial.design.kind) == (6.0, 98, "parallel")
    found = {(one.arm, one.endpoint, one.statistic): one.value for one in trial.observed}
    assert found["nabiximols", "spasticity_nrs", "change"] == pytest.approx(-1.4)
    assert found["placebo", "pgic_much", "share"] == pytest.approx(13 / 48)
    assert "No inclusion criterion on a rating." in trial.assumed


def test_a_trial_that_is_not_simulated_says_why(file) -> None:  # type: ignore[no-untyped-def]
    start, end = TIDY.index("    virtual:"), TIDY.index("  split:")
    found = read_published(file((TIDY[start:end], "    not_simulated: its dose is not stated\n")))
    assert found.trials == ()
    assert [each.why for each in found.skipped if each.what == "all"] == ["its dose is not stated"]


@pytest.mark.parametrize(
    ("old", "new", "line", "said"),
    [
        ("      weeks: 6\n", "", 12, "virtual.weeks is missing"),
        ("      weeks: 6", "      weeks: six", 15, "weeks"),
        ("    kind: parallel\n    cause", "    kind: paralel\n    cause", 9, "kind"),
        ("      relief: spas", "      relieff: spas", 17, "Did you mean relief?"),
        (
            "value: -14, sd: 18",
            "value: -14, std: 18",
            31,
            "results[0].std is not a known field. Did you mean sd?",
        ),
        (
            "{of: relief, arm: nab",
            "{of: releif, arm: nab",
            35,
            "is of 'releif', which outcomes does not define",
        ),
        (
            "statistic: change, value: -14",
            "statistic: chang, value: -14",
            31,
            "statistic is 'chang'. Allowed: base",
        ),
        ("{value: s1, sd: low}", "{value: s1, sd: s9}", 32, "names the source 's9'"),
        ("top: 100, at_visits", "topp: 100, at_visits", 27, "topp is not a known field. Did you mean top?"),
        ("events: 20, n: 50", "events: 60, n: 50", 35, "is 60, more than the 50 participants"),
        ("value: -14, sd: 18", "value: -140, sd: 18", 31, "its scale is 0 to 100"),
        ("value: -14, sd: 18", "value: -14, sd: -18", 31, "it must be positive"),
    ],
)
def test_what_is_half_said_is_refused_by_its_line(file, old: str, new: str, line: int, said: str) -> None:  # type: ignore[no-untyped-def]
    path = file((old, new))
    with pytest.raises(EvidenceError, match=rf"mine\.yaml:{line}: ") as caught:
        read_studies(path)
    assert said in str(caught.value)
    with pytest.raises(StudyError):
        read_published(path)

"""Federal law by date, beside a state's rule."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest

from lissive.access.decide import decide
from lissive.access.facts import make_facts
from lissive.access.federal import FILE, by_video, federal, read_federal, schedule_of
from lissive.errors import RuleError


def day(text: str) -> datetime.date:
    return datetime.date.fromisoformat(text)


@pytest.mark.parametrize(
    ("of", "on", "schedule"),
    [
        ("state_medical", "2026-04-27", "I"),
        ("state_medical", "2026-04-28", "III"),  # 91 FR 22714, in force on publication
        ("adult_use", "2026-04-28", "I"),
        ("dronabinol", "1999-07-01", "II"),
        ("dronabinol", "1999-07-02", "III"),  # 64 FR 35928
        ("cannabidiol_solution", "2020-04-05", "V"),
        ("cannabidiol_solution", "2020-04-06", "none"),
        ("nabilone", "2026-11-22", "II"),
        ("nabiximols", "2026-11-22", "I"),
    ],
)
def test_the_schedule_is_that_of_the_day(of: str, on: str, schedule: str) -> None:
    found = schedule_of(of, day(on))
    assert found is not None
    assert found.schedule == schedule
    assert federal(of, day(on)).schedule == schedule


@pytest.mark.parametrize(
    ("on", "said"), [("2019-06-01", "no"), ("2026-12-31", "yes"), ("2027-01-01", "unknown")]
)
def test_prescribing_by_video_ends_with_the_fourth_extension(on: str, said: str) -> None:
    assert by_video(day(on))[0] == said


@pytest.mark.parametrize(
    ("topic", "before", "after", "only_after"),
    [("hemp", "2026-11-11", "2026-11-12", "0.4 mg"), ("firearms", "2026-06-17", "2026-06-18", "Hemani")],
)
def test_a_change_shows_from_its_day_on(topic: str, before: str, after: str, only_after: str) -> None:
    def text(on: str) -> str:
        return " ".join(each.text for each in federal("state_medical", day(on)).points if each.topic == topic)

    assert only_after not in text(before)
    assert only_after in text(after)


def test_a_state_without_a_programme_has_the_schedule_of_cannabis_outside_one() -> None:
    facts = make_facts({"dx": ["MS"]})
    on = day("2026-11-22")
    found = {code: decide(facts, code, on).federal for code in ("US-ID", "US-NY", "GB")}
    assert [law.schedule if law else None for law in found.values()] == ["I", "III", None]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("read_in: hemani", "read_in: hemany", "Did you mean hemani"),
        ("    class: nabilone\n", "    class: nabilon\n", "no class or no schedule"),
        ("from: 2026-04-28", "from: 2026-04-31", "a valid date"),
        ("topic: hemp", "topic: hamp", "hemp"),
    ],
)
def test_a_mistake_in_the_file_is_said(tmp_path: Path, old: str, new: str, said: str) -> None:
    text = FILE.read_text(encoding="utf-8")
    assert old in text
    path = tmp_path / "federal.yaml"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(RuleError, match=said):
        read_federal(path)

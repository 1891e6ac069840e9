"""Alarms of a diary, and the advice that goes by them."""

from __future__ import annotations

import datetime
from dataclasses import replace
from pathlib import Path

import pytest
from tests.follow.followed import NABIXIMOLS, START, a_case, alarms_of, diary_of, text

from lissive.case import make_case
from lissive.follow.advise import advise, dose_now
from lissive.follow.answer import Alarm, Benefit, Rule
from lissive.follow.doses import taken_of


@pytest.mark.parametrize(("day", "alarm"), [(-1, set()), (0, {"falls"})])
def test_alarms_begin_with_the_first_dose(tmp_path: Path, day: int, alarm: set[str]) -> None:
    line = f"{START + datetime.timedelta(days=day)},9,"
    said = "\n".join(f"{row}fell" if row.startswith(line) else row for row in text(0.0).splitlines())
    assert set(alarms_of(tmp_path, said)) == alarm


@pytest.mark.parametrize(
    ("note", "alarm"),
    [
        ("fell in the bath", "falls"),
        ("felt very stoned", "intoxication"),
        ("thoughts of suicide", "mood"),
        ("paranoid all evening", "psychosis"),
        ("no falls", None),
        ("fell asleep early, pain high", None),
        ("a fall in spasms", None),
        ("felt high after 8 sprays", "intoxication"),
        ("no paranoid or confused thoughts; slept without dizziness", None),
        ("not depressed", None),
        ("went well", None),
    ],
)
def test_words_that_need_a_look_are_found_and_denied_ones_are_not(
    tmp_path: Path, note: str, alarm: str | None
) -> None:
    found = alarms_of(tmp_path, text(0.0, note=note))
    assert list(found) == ([alarm] if alarm else [])
    if alarm:
        assert found[alarm].rows == (12,)  # header, a week before, day 3 of treatment


def test_rising_use_and_more_than_the_label_are_found(tmp_path: Path) -> None:
    lines = text(0.0, days=70).splitlines()
    rising = [line.replace(",6,,", ",9,,") if k > 63 else line for k, line in enumerate(lines)]
    assert list(alarms_of(tmp_path, "\n".join(rising) + "\n")) == ["rising_use"]
    titration = [
        line.replace(",6,,", ",9,,") if k > 20 else line
        for k, line in enumerate(text(0.0, days=35).splitlines())
    ]
    assert list(alarms_of(tmp_path, "\n".join(titration) + "\n")) == []
    assert list(alarms_of(tmp_path, text(0.0, sprays=14))) == ["above_label"]


BENEFIT = Benefit(18.0, 0.3, 0.2, "spasticity_nrs", "", 0.3)
MET = Rule(4, "2026-05-29", 30.0, True, 20.0, 0.1, "")


@pytest.mark.parametrize(
    ("p", "rule", "alarm", "sprays", "expected"),
    [
        (0.3, MET, "", 6, "continue"),
        (0.3, MET, "psychosis", 6, "stop"),
        (0.9, replace(MET, met=False), "", 6, "stop"),
        (0.9, MET, "falls", 6, "change"),
        (0.9, None, "", 6, "continue"),
        (0.01, None, "", 6, "stop"),
        (0.3, None, "", 6, "change"),
        (0.3, None, "", 12, "continue"),
        (0.3, None, "mood", 12, "continue"),
    ],
)
def test_advice_goes_by_alarms_then_the_rule_then_the_probability(
    tmp_path: Path, p: float, rule: Rule | None, alarm: str, sprays: int, expected: str
) -> None:
    what, case = NABIXIMOLS, make_case(a_case())
    taken = taken_of(diary_of(tmp_path, text(0.0, sprays=sprays)), what)
    found = (Alarm(alarm, "x", (), "y"),) if alarm else ()
    advice, why = advise(taken, 30, replace(BENEFIT, value=p), rule, found, (taken.recent, 12.0), fitted=True)
    assert advice == expected
    assert why
    dose = dose_now(case, what, taken, advice, found)
    assert dose.limit == 12.0
    numbers = [
        float(word) for word in dose.advice.replace(",", " ").split() if word.replace(".", "").isdigit()
    ]
    assert all(number <= 12.0 for number in numbers)
    assert ("raised" in dose.advice) == (expected == "change" and not alarm)
    assert "go back" not in dose.advice


@pytest.mark.parametrize(
    ("alarm", "expected"), [("", "too_early"), ("falls", "change"), ("mood", "too_early")]
)
def test_harm_changes_the_treatment_however_few_the_ratings_are(
    tmp_path: Path, alarm: str, expected: str
) -> None:
    taken = taken_of(diary_of(tmp_path, text(0.0)), NABIXIMOLS)
    found = (Alarm(alarm, "a fall", (), "y"),) if alarm else ()
    advice, why = advise(taken, 3, BENEFIT, None, found, (taken.recent, 12.0), fitted=True)
    assert (advice, why[0] == "a fall") == (expected, expected == "change")

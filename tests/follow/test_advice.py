"""Alarms of a diary, and the advice that goes by them."""

from __future__ import annotations

import datetime
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.follow.followed import NABIXIMOLS, START, a_case, alarms_of, diary_of, text

from lissive.case import make_case, product
from lissive.follow.advise import _unchecked, advise, dose_now
from lissive.follow.alarms import not_checked, of_ratings
from lissive.follow.answer import Alarm, Benefit, Rule
from lissive.follow.doses import assumed, taken_of
from lissive.follow.run import _notes_of_rows
from lissive.follow.update import Observed


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
        ("thoughts of suicide", "suicide"),
        ("low mood all day", "mood"),
        ("paranoid all evening", "psychosis"),
        ("no falls", None),
        ("fell asleep early, pain high", None),
        ("a fall in spasms", None),
        ("felt high after 8 sprays", "intoxication"),
        ("no paranoid or confused thoughts; slept without dizziness", None),
        ("not depressed", None),
        ("went well", None),
        ("no spasms but fell downstairs", "falls"),
        ("no dizziness or falls", None),
        ("falls: none", None),
        ("falls: no injury", "falls"),
        ("pain fell to 3", None),
        ("fell from 3 steps", "falls"),
        ("did not fall", None),
        ("not sure if I fell", "falls"),
        ("no sleep heard voices", "psychosis"),
        ("began psychotherapy", None),
        ("a bit confused", "confusion"),
        ("oigo voces por la noche", "psychosis"),
        ("me caí en el baño", "falls"),
        ("no me caí", None),
        ("quiero morir", "suicide"),
        ("Stimmen gehört", "psychosis"),
        ("bin gestürzt", "falls"),
        ("kein Sturz", None),
        ("Selbstmordgedanken", "suicide"),
        ("found out that I am pregnant", "pregnancy"),
        ("bin schwanger", "pregnancy"),
        ("estoy embarazada", "pregnancy"),
        ("not pregnant", None),
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
    slowly = [  # from 4 to 7 in 8 weeks: never 1.25 times the two weeks before
        line.replace(",6,,", f",{4 + max(k - 36, 0) // 14},,") if k > 7 else line
        for k, line in enumerate(text(0.0, days=84).splitlines())
    ]
    assert list(alarms_of(tmp_path, "\n".join(slowly) + "\n")) == ["rising_use"]


def test_the_placebo_response_ends_with_a_week_without_the_drug_and_not_with_a_day(tmp_path: Path) -> None:
    off = {*range(5, 8), *range(10, 17), *range(30, 35)}
    lines = text(0.0).splitlines()
    said = [line.replace(",6,,", ",0,,") if k - 8 in off else line for k, line in enumerate(lines)]
    treated = taken_of(diary_of(tmp_path, "\n".join(said) + "\n"), NABIXIMOLS).treated
    assert [k for k, each in enumerate(treated) if not each] == [*range(10, 17)]


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
    ("p", "fall", "alarm", "expected"),
    [
        (0.3, 29.9, "", "change"),
        (0.3, 30.0, "", "continue"),
        (0.3, 45.0, "", "continue"),
        (0.3, -10.0, "", "change"),
        (0.3, None, "", "change"),  # nothing is known of the time before
        (0.01, 45.0, "", "stop"),
        (0.3, 45.0, "falls", "change"),
        (0.3, 45.0, "psychosis", "stop"),
    ],
)
def test_no_dose_is_raised_after_a_response_that_counts(
    tmp_path: Path, p: float, fall: float | None, alarm: str, expected: str
) -> None:
    """The maker has the sprays go up until symptoms have improved; trials count a fall of 30 % as a response."""
    case = make_case(a_case())
    taken = taken_of(diary_of(tmp_path, text(0.0)), NABIXIMOLS)
    found = (Alarm(alarm, "x", (), "y"),) if alarm else ()
    advice, why = advise(
        taken, 30, replace(BENEFIT, value=p), None, found, (6.0, 12.0), fitted=True, fall=fall
    )
    assert advice == expected
    raised = "raised slowly" in dose_now(case, NABIXIMOLS, taken, advice, found).advice
    assert raised == (p == 0.3 and not alarm and (fall is None or fall < 30.0))
    if expected == "continue":
        assert "a response as trials count it" in why[0]
        assert dose_now(case, NABIXIMOLS, taken, advice, found).advice.startswith("keep the dose")


@pytest.mark.parametrize(
    ("alarm", "expected"),
    [
        ("", "cannot_say"),
        ("mood", "cannot_say"),
        ("falls", "change"),
        ("pregnancy", "change"),
        ("above_label", "change"),
        ("psychosis", "stop"),
        ("contraindicated", "stop"),
    ],
)
def test_without_a_prediction_alarms_count_as_with_one(tmp_path: Path, alarm: str, expected: str) -> None:
    taken = taken_of(diary_of(tmp_path, text(2.5)), NABIXIMOLS)
    found = (Alarm(alarm, "x", (), "y"),) if alarm else ()
    for fall in (None, 45.0):
        advice, why = advise(
            taken, 30, None, None, found, (6.0, 12.0), fitted=False, fall=fall, without="no model"
        )
        assert advice == expected
        assert not alarm or "x" in why
        assert not any("probability" in each for each in why)
        dose = dose_now(make_case(a_case()), NABIXIMOLS, taken, advice, found).advice
        assert dose.startswith(("do not raise", "lower", "stop"))


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


@pytest.mark.parametrize(
    ("note", "alarm"), [("hearing voices", "psychosis"), ("suicidal thoughts", "suicide")]
)
def test_what_speaks_against_beginning_is_found_before_the_first_dose_too(
    tmp_path: Path, note: str, alarm: str
) -> None:
    line = f"{START - datetime.timedelta(days=2)},9,"
    said = "\n".join(f"{row}{note}" if row.startswith(line) else row for row in text(0.0).splitlines())
    found = alarms_of(tmp_path, said)
    assert list(found) == [alarm]
    assert "before the first dose" in found[alarm].text


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("2026-05-04,9,{},6,,", "2026-05-04,9,7-8,6,,hearing voices"),  # a rating that cannot be read
        ("2026-05-04,9,{},6,,", "2026-05-04,9,7,6,hearing voices, all night,"),  # a comma too many
        ("2026-05-04,9,{},6,,", "2026-05-04,9,7,6,,hearing voices\n2026-05-04,9,7,6,,"),  # two rows on a day
    ],
)
def test_what_a_row_that_is_left_out_says_of_harm_is_found(tmp_path: Path, old: str, new: str) -> None:
    lines = text(0.0).splitlines()
    k = next(k for k, line in enumerate(lines) if line.startswith(old[:10]))
    lines[k] = new
    diary = diary_of(tmp_path, "\n".join(lines) + "\n")
    assert any(each.row == k + 1 for each in diary.left_out)
    found = alarms_of(tmp_path, "\n".join(lines) + "\n")
    assert list(found) == ["psychosis"]
    assert found["psychosis"].rows == (k + 1,)


@pytest.mark.parametrize(
    ("sprays", "alarm"), [("60", ["dose_to_check"]), ("20", ["dose_to_check"]), ("8", [])]
)
def test_a_dose_that_is_too_high_is_asked_about_though_its_row_is_left_out(
    tmp_path: Path, sprays: str, alarm: list[str]
) -> None:
    said = text(0.0) + f"2026-06-10,9,7-8,{sprays},,\n"
    assert list(alarms_of(tmp_path, said)) == alarm


@pytest.mark.parametrize(
    ("change", "alarm"),
    [
        ({"history": {"conditions": ["schizophrenia"]}}, "contraindicated"),
        (
            {"person": {"weight_kg": 68.0, "age_years": 30.0, "sex": "female", "pregnancy": "current"}},
            "unsafe",
        ),
        ({"person": {"weight_kg": 68.0, "drives": True}}, "caution"),
    ],
)
def test_what_the_case_says_against_its_product_is_an_alarm(
    tmp_path: Path, change: dict[str, object], alarm: str
) -> None:
    case = make_case(a_case(**change))
    found = alarms_of(tmp_path, text(2.5), case)
    assert alarm in found
    taken = taken_of(diary_of(tmp_path, text(2.5)), NABIXIMOLS)
    advice, why = advise(taken, 30, BENEFIT, MET, tuple(found.values()), (6.0, 12.0), fitted=True)
    assert advice == {"contraindicated": "stop", "unsafe": "change", "caution": "continue"}[alarm]
    assert found[alarm].text in "; ".join(why)
    assert "raised" not in dose_now(case, NABIXIMOLS, taken, advice, tuple(found.values())).advice


@pytest.mark.parametrize(
    "alarm", ["above_label", "mood", "rising_use", "dose_to_check", "caution", "worse", "effect_lost"]
)
def test_no_dose_is_raised_beside_an_alarm(tmp_path: Path, alarm: str) -> None:
    """Days above the label are past, and the dose is now below its maximum."""
    taken = taken_of(diary_of(tmp_path, text(0.0)), NABIXIMOLS)
    found = (Alarm(alarm, "x", (), "y"),)
    for rule in (None, MET):
        advice, _ = advise(taken, 30, BENEFIT, rule, found, (6.0, 12.0), fitted=True)
        assert "raised" not in dose_now(make_case(a_case()), NABIXIMOLS, taken, advice, found).advice


def test_without_a_label_a_dose_that_does_harm_is_lowered_or_stopped(tmp_path: Path) -> None:
    case, oil = make_case(a_case()), product("oil")
    taken = taken_of(diary_of(tmp_path, text(0.0)), oil)
    falls = (Alarm("falls", "x", (), "y"),)
    assert dose_now(case, oil, taken, "change", falls).advice == "lower the dose"
    assert dose_now(case, oil, taken, "stop", falls).advice.startswith("stop")


@pytest.mark.parametrize(
    ("now", "met", "expected"),
    [
        (5.9, True, "effect_lost"),
        (5.9, False, None),
        (4.9, True, None),
        (6.0, True, "worse"),  # an important change upwards is as large as one downwards: 20 % of 5 is 1
        (6.0, None, "worse"),
    ],
)
def test_a_rating_that_is_back_or_worse_is_an_alarm_and_no_reason_to_go_on(
    tmp_path: Path, now: float, met: bool | None, expected: str | None
) -> None:
    taken, day = taken_of(diary_of(tmp_path, text(0.0)), NABIXIMOLS), np.arange(-7, 35)
    seen = Observed("pain_nrs", day, np.where(day < 0, 5.0, now))
    rule = None if met is None else replace(MET, met=met)
    found = tuple(of_ratings(seen, taken, 5.0, 20.0, rule))
    assert [each.id for each in found] == ([expected] if expected else [])
    few = replace(seen, day=day[:38], value=seen.value[:38])  # 3 days of the last week
    assert [*of_ratings(few, taken, 5.0, 20.0, rule)] == []
    if met is not False:
        for fitted in (True, False):
            advice, why = advise(taken, 30, BENEFIT, rule, found, (6.0, 12.0), fitted=fitted)
            assert (advice == "change" and why[0] == found[0].text) if found else advice != "stop"


def test_after_a_week_without_the_drug_going_on_is_no_advice(tmp_path: Path) -> None:
    lines = text(2.5, days=56).splitlines()
    for off, expected in ((14, "change"), (3, "continue")):
        said = [line.replace(",6,,", ",0,,") if k > 63 - off else line for k, line in enumerate(lines)]
        taken = taken_of(diary_of(tmp_path, "\n".join(said) + "\n"), NABIXIMOLS)
        advice, why = advise(taken, 56, BENEFIT, MET, (), (taken.recent, 12.0), fitted=True)
        dose = dose_now(make_case(a_case()), NABIXIMOLS, taken, advice, ())
        assert (advice, dose.ended) == (expected, off if off > 7 else 0)
        assert ("keep the dose" in dose.advice) == (expected == "continue")
        assert ("14 days" in why[0]) == (expected == "change")


def test_a_rating_that_was_0_before_treatment_decides_nothing(tmp_path: Path) -> None:
    taken = taken_of(diary_of(tmp_path, text(0.0)), NABIXIMOLS)
    for p in (0.01, 0.3, 0.9):
        found = replace(BENEFIT, value=p)
        advice, why = advise(taken, 30, found, None, (), (6.0, 12.0), fitted=True, baseline=0.0)
        assert advice == "cannot_say"
        assert "cannot show a benefit" in why[0]


@pytest.mark.parametrize(
    ("low", "high", "cell", "why"),
    [
        (19, 26, ",0,,", "no dose had been taken"),
        (22, 28, ",0,,", ""),  # six days
        (20, 22, ",6,,", ""),
    ],
)
def test_the_rule_asks_for_the_drug_in_its_week(
    tmp_path: Path, low: int, high: int, cell: str, why: str
) -> None:
    lines = text(2.5).splitlines()
    said = [line.replace(",6,,", cell) if low <= k - 8 < high else line for k, line in enumerate(lines)]
    taken = taken_of(diary_of(tmp_path, "\n".join(said) + "\n"), NABIXIMOLS)
    assert (why in _unchecked(taken, 7.0, 7, 28)) if why else _unchecked(taken, 7.0, 7, 28) == ""
    assert "entries" in _unchecked(taken, 7.0, 3, 28) or why
    assert _unchecked(taken, 0.0, 7, 28).startswith("the rating was 0")
    assert _unchecked(taken, None, 7, 28)


def test_another_product_than_the_case_s_has_neither_its_rule_nor_its_dose(tmp_path: Path) -> None:
    rows = ["date,spasticity_nrs,thc_mg,product,time"]
    rows += [
        f"{START + datetime.timedelta(days=k)},6,10,{'Sativex' if k < 20 else 'flower_vaporised'},20:00"
        for k in range(40)
    ]
    taken = taken_of(diary_of(tmp_path, "\n".join(rows) + "\n"), NABIXIMOLS)
    assert taken.mixed
    assert [bool(each) for each in taken.others] == [k >= 20 for k in range(40)]
    assert "another product" in _unchecked(taken, 7.0, 7, 28)
    advice, why = advise(taken, 40, BENEFIT, None, (), (4.0, 12.0), fitted=False)
    assert (advice, "another product was taken" in why[0]) == ("cannot_say", True)
    advice, why = advise(taken, 40, BENEFIT, MET, (), (4.0, 12.0), fitted=False)
    assert (advice, "another product was taken" in why[-1]) == ("cannot_say", True)
    assert "none is advised" in dose_now(make_case(a_case()), NABIXIMOLS, taken, advice, ()).advice
    assert any("On 20 of 40 days another product" in each for each in assumed(taken, NABIXIMOLS))


def test_a_row_with_a_dose_is_under_treatment_though_it_is_left_out(tmp_path: Path) -> None:
    """The first dose could not be read, so a later day counts as the first."""
    first = f"{START},9,"
    lines = [f"{START},9,7-8,6,,fell" if line.startswith(first) else line for line in text(0.0).splitlines()]
    diary = diary_of(tmp_path, "\n".join(lines) + "\n")
    taken = taken_of(diary, NABIXIMOLS)
    assert taken.start == START + datetime.timedelta(days=1)
    assert list(alarms_of(tmp_path, "\n".join(lines) + "\n")) == ["falls"]
    assert any(
        "Row 9, which was left out, has a dose before" in each for each in _notes_of_rows(diary, taken)
    )


def test_what_was_not_checked_is_said_beside_the_advice() -> None:
    """A misspelt schizophrenia is no alarm; that it was looked up nowhere has to be read."""
    case = make_case(
        {"case": "a", "person": {"age_years": 40, "sex": "male"}, "history": {"conditions": ["schizofrenia"]}}
    )
    stated, unstated = not_checked(case)
    assert "schizofrenia (schizophrenia?)" in stated
    assert "family history of psychosis" in unstated

"""A diary of a case for which the model makes no prediction: read, checked and described, with nothing predicted."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from tests.follow.followed import a_case, diary_of, text

from lissive.case import make_case
from lissive.cli.main import main
from lissive.errors import CaseError, DiaryError
from lissive.follow import FollowAnswer, follow_up
from lissive.follow.run import unpredicted
from lissive.report.follow_text import follow_line, follow_text

CAPSULE = {"product": "capsule", "thc_mg": 5, "doses_per_day": 2, "weeks": 12}
NOTHING_FITTED = ("als", "spinal_cord_injury", "muscle_injury", "exertional_cramp", "fibromyalgia")
NO_MODEL = ("low_back_pain", "stroke", "motor_neuron_disease", "nocturnal_cramps", "other")
OF_THE_MODEL = ("probability_benefit", "effect_pct", "forecast", "diagnostics")


def case_of(cause: str | None, **change: object) -> dict[str, object]:
    spasm = {"spasticity_nrs": 8.0} | ({"cause": cause} if cause else {})
    return a_case(spasm=spasm, **change)


def followed(
    folder: Path, said: str, cause: str | None = "fibromyalgia", outcome: str | None = None, **change: object
) -> FollowAnswer:
    return follow_up(make_case(case_of(cause, **change)), diary_of(folder, said), outcome=outcome)


@pytest.mark.parametrize(
    ("cause", "change", "why"),
    [
        *((cause, {}, "the model was fitted on no trial of nabiximols") for cause in NOTHING_FITTED),
        *((cause, {}, "there is no model of ") for cause in NO_MODEL),
        (None, {}, "spasm.cause, what causes the spasms"),
        ("multiple_sclerosis", {"plan": {"product": "nabilone"}}, "there is no model of nabilone"),
        ("multiple_sclerosis", {"plan": CAPSULE}, "fitted on no trial of cannabis extract in capsules"),
        ("multiple_sclerosis", {"plan": {"product": "nabiximols"}}, "plan.titration"),
    ],
)
def test_what_rests_on_the_model_is_null_with_a_reason(
    tmp_path: Path, cause: str | None, change: dict[str, object], why: str
) -> None:
    answer = followed(tmp_path, text(2.5), cause, outcome="spasticity_nrs", **change)
    found = json.loads(json.dumps(answer.to_json(), allow_nan=False))
    assert why in found["no_prediction"]
    assert [found[name] for name in OF_THE_MODEL] == [None] * 4
    assert found["fit"]["median"] is None
    assert len(found["fit"]["observed"]) == 42
    shown = " ".join(follow_text(answer).split())
    assert f"No probability and no weeks ahead: {found['no_prediction']}." in shown
    assert "WEEKS AHEAD" not in shown
    assert "takes off" not in shown
    assert "may be raised" not in shown
    # the label's rule is of nabiximols in multiple sclerosis alone, and needs no model
    is_label_s = cause == "multiple_sclerosis" and change["plan"] == {"product": "nabiximols"}
    assert (answer.rule_4_week is not None) == is_label_s
    assert answer.advice == ("continue" if is_label_s else "cannot_say")
    assert ("CONTINUE" in shown + follow_line(answer)) == is_label_s


def test_the_json_has_the_same_keys_with_and_without_a_prediction(tmp_path: Path) -> None:
    case, diary = make_case(case_of("multiple_sclerosis")), diary_of(tmp_path, text(2.5))
    told = follow_up(case, diary, subjects=80, threads=1, weeks=2).to_json()
    untold = followed(tmp_path, text(2.5), "stroke").to_json()
    assert set(told) == set(untold)
    assert set(told["fit"]) == set(untold["fit"])
    assert set(told["provenance"]) == set(untold["provenance"])


@pytest.mark.parametrize("name", ["nabilone", "topical"])
def test_a_product_without_a_model_in_the_diary_ends_the_prediction(tmp_path: Path, name: str) -> None:
    head, *rows = text(2.5).splitlines()
    named = [f"{head},product,thc_mg", *(f"{row},{name if k == 20 else ''}," for k, row in enumerate(rows))]
    found = followed(tmp_path, "\n".join(named) + "\n", "multiple_sclerosis")
    assert found.no_prediction is not None
    assert "of which there is no model" in found.no_prediction
    assert (found.probability_benefit, found.forecast) == (None, None)


@pytest.mark.parametrize("cause", ["fibromyalgia", "low_back_pain", None])
@pytest.mark.parametrize(
    ("note", "alarm", "advice"),
    [
        ("wants to die", "suicide", "stop"),
        ("hearing voices", "psychosis", "stop"),
        ("bin gestürzt", "falls", "change"),
        ("I am pregnant", "pregnancy", "change"),
        ("low mood", "mood", "cannot_say"),
    ],
)
def test_words_of_harm_are_alarms_as_with_a_prediction(
    tmp_path: Path, cause: str | None, note: str, alarm: str, advice: str
) -> None:
    found = followed(tmp_path, text(2.5, note=note), cause)
    assert [each.id for each in found.alarms] == [alarm]
    assert found.alarms[0].rows == (12,)
    assert found.advice == advice
    shown = follow_text(found)
    assert "ALARMS" in shown
    assert ("SEE THE ALARMS" in shown) == (advice == "cannot_say")


def test_doses_and_ratings_are_checked_as_with_a_prediction(tmp_path: Path) -> None:
    over = followed(tmp_path, text(2.5, sprays=14), "stroke")
    assert ("above_label" in {each.id for each in over.alarms}, over.advice) == (True, "change")
    assert "12" in over.dose.advice
    lines = text(2.5, days=70).splitlines()
    rising = [line.replace(",6,,", ",9,,") if k > 63 else line for k, line in enumerate(lines)]
    assert "rising_use" in {each.id for each in followed(tmp_path, "\n".join(rising) + "\n").alarms}
    # spasms are judged by and stay, spasticity is worse by three points: no rating says more than another
    worse = followed(tmp_path, text(-3.0), "spinal_cord_injury")
    assert worse.outcome == "spasms"
    assert [(each.id, "Spasticity" in each.text) for each in worse.alarms] == [("worse", True)]
    assert worse.advice == "change"


def test_the_diary_is_described_by_its_means(tmp_path: Path) -> None:
    lines = text(2.5, days=56).splitlines()
    off = [line.replace(",6,,", ",0,,") if 30 <= k - 8 < 42 else line for k, line in enumerate(lines)]
    found = followed(tmp_path, "\n".join(off) + "\n", outcome="spasticity_nrs")
    nrs = np.array([float(line.split(",")[2]) for line in off[1:]])
    seen = found.seen["spasticity_nrs"]
    assert seen.before == pytest.approx(nrs[:7].mean())
    assert seen.last_week == pytest.approx(nrs[-7:].mean())
    assert seen.fall_pct == pytest.approx(100 * (1 - nrs[-7:].mean() / nrs[:7].mean()))
    without = nrs[7:][30:42]
    assert seen.without_and_with is not None
    assert seen.without_and_with[0] == (pytest.approx(without.mean()), 12)
    assert seen.without_and_with[1][1] == 56 - 12
    shown = " ".join(follow_text(found).split())
    assert f"{without.mean():.1f} in weeks without the drug (12 entries)" in shown
    assert "not in random order" in shown
    assert "A diary alone cannot tell the drug from placebo" in shown


def test_nothing_is_made_up_where_the_time_before_is_not_known(tmp_path: Path) -> None:
    case = make_case(a_case(spasm={"cause": "stroke"}))
    found = follow_up(case, diary_of(tmp_path, text(2.5, before=0)))
    seen = found.seen["spasticity_nrs"]
    assert (seen.before, seen.fall_pct) == (None, None)
    assert "nothing is known of the time before" in " ".join(follow_text(found).split())


def test_where_only_another_rating_was_fitted_it_is_named(tmp_path: Path) -> None:
    case = make_case(case_of("multiple_sclerosis"))
    assert unpredicted(case, "spasticity_nrs") == ""
    assert "for spasticity_nrs and pain_nrs (--outcome), not for Spasms" in unpredicted(case, "spasms")


@pytest.mark.parametrize(
    ("said", "what"),
    [
        ("date,note\n2026-05-02,want to die\n", "rates nothing"),
        ("Datum,Steifheit,Bemerkung\n2026-05-02,5,want to die\n", "Unknown column names"),
        ("date,spasticity_nrs,note\n02.05.2026,5,want to die\n", "No row can be used"),
        ("date,spasticity_nrs,note\n2026-05-02,5,want to die\n", "no dose"),
        ("date,spasticity_nrs,sprays,note\n2026-05-02,5,4,want to die\n", "entries or more"),
    ],
)
def test_a_diary_that_is_refused_does_not_keep_an_alarm_back(tmp_path: Path, said: str, what: str) -> None:
    with pytest.raises(DiaryError, match=what) as refused:
        followed(tmp_path, said)
    assert "ALARM: thoughts of suicide or self-harm" in str(refused.value)
    assert "get help today" in str(refused.value)
    assert refused.value.do
    with pytest.raises(DiaryError, match=what) as calm:
        followed(tmp_path, said.replace("want to die", "slept well"))
    assert "ALARM" not in str(calm.value)


def test_without_a_product_the_doses_are_not_known_and_alarms_are_said(tmp_path: Path) -> None:
    with pytest.raises(CaseError, match="names no product.* ALARM: signs that a psychosis"):
        followed(tmp_path, text(2.5, note="hearing voices"), "stroke", plan={"weeks": 12})


def test_the_commands_print_and_write_without_a_prediction(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    case, diary, out = tmp_path / "case.json", tmp_path / "d.csv", tmp_path / "out"
    case.write_text(json.dumps(case_of("low_back_pain", diary="d.csv")), encoding="utf-8")
    diary.write_text(text(2.5), encoding="utf-8")
    command = ["follow", str(case), "--diary", str(diary), "--today", "2026-11-01"]
    assert main([*command, "--report", str(out)]) == 0
    assert capsys.readouterr().out.splitlines()[2] == "CANNOT SAY WHETHER IT WORKS"
    assert {each.name for each in out.iterdir()} == {"follow.json", "follow.png", "follow.svg"}
    assert "weeks ahead" not in (out / "follow.svg").read_text(encoding="utf-8")
    assert main([*command, "--report", str(out), "--force"]) == 0
    capsys.readouterr()
    assert main([*command, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["forecast"] is None
    assert main(["case", str(case)]) == 0
    assert "FOLLOW-UP    CANNOT SAY WHETHER IT WORKS" in capsys.readouterr().out
    diary.write_text("date,note\n2026-05-02,want to die\n", encoding="utf-8")
    assert main(command) == 2
    error = capsys.readouterr().err
    assert error.startswith("lissive: ")
    assert "ALARM" in error

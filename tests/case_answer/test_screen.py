"""The screen: parts by option, colour as a second signal, and what is found where it is looked for."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from lissive.case import causes, make_case, read_case
from lissive.case_answer import answer, compose
from lissive.case_answer.findings import findings
from lissive.case_answer.gates import gates
from lissive.case_answer.tables import rows
from lissive.cli.main import main
from lissive.evidence.case_answer import case_evidence
from lissive.report.case_evidence import trials_lines
from lissive.report.case_parts import case_text
from lissive.report.case_text import LINES, WIDTH, screen
from lissive.safety import Flag, SafetyAnswer

EXAMPLE = Path(__file__).parents[2] / "examples" / "ms-new-york.yaml"
LABELS = ["BOTTOM LINE", "CASE", "PLAN", "ACCESS", "SAFETY", "TRIALS", "THIS PERSON", "USUAL CARE", "NEXT"]
ALS = """case: als
as_of: 2026-11-22
place: {residence: GB}
spasm: {cause: als, spasms_per_day: 6}
history: {tried: [mexiletine], current: []}
plan: {product: nabiximols, titration: label, weeks: 12}
"""


def printed(capsys: pytest.CaptureFixture[str], *words: str | Path) -> str:
    assert main(["case", *map(str, words)]) == 0
    return capsys.readouterr().out


def test_the_answer_comes_first_and_fits(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    case = tmp_path / "case.yaml"
    case.write_text(ALS, encoding="utf-8")
    lines = printed(capsys, case).splitlines()
    assert len(lines) <= LINES
    assert max(map(len, lines)) <= WIDTH
    assert lines[0].startswith("BOTTOM LINE  May ease spasticity in ALS")
    starts = [label for label in LABELS if any(line.startswith(label) for line in lines)]
    assert starts == LABELS
    places = [next(k for k, line in enumerate(lines) if line.startswith(label)) for label in LABELS]
    assert places == sorted(places)
    assert "docs/intended-use.md" in lines[-1]
    assert "\033" not in "".join(lines)  # a pipe gets plain text


@pytest.mark.parametrize(
    ("option", "has", "lacks"),
    [
        ("--access", "1  Access", "3  Evidence"),
        ("--safety", "2  Safety", "1  Access"),
        ("--evidence", "3  Evidence for amyotrophic", "BOTTOM LINE"),
    ],
)
def test_one_part_is_printed_whole(
    option: str, has: str, lacks: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    case = tmp_path / "case.yaml"
    case.write_text(ALS, encoding="utf-8")
    text = printed(capsys, case, option)
    assert has in text
    assert lacks not in text
    assert "docs/intended-use.md" in text


def test_full_has_the_screen_and_every_part_and_marks_what_is_not_calibrated(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    case = tmp_path / "case.yaml"
    case.write_text(ALS.replace("weeks: 12", "weeks: 1"), encoding="utf-8")
    text = printed(capsys, case, "--full", "--subjects", "3")
    assert (
        text.index("BOTTOM LINE") < text.index("1  Access") < text.index("2  Safety") < text.index("3  Evid")
    )
    assert text.index("3  Evid") < text.index("4  Forecast, NOT CALIBRATED")


def test_colour_adds_nothing_to_the_words(monkeypatch: pytest.MonkeyPatch) -> None:
    flag = Flag("x", "contraindication", ("psychosis", "thc"), "contraindicated", "", "", (), "read")
    monkeypatch.setattr(compose, "safety_of", lambda case: SafetyAnswer((flag,), (), ()))
    found = answer(read_case(EXAMPLE), simulate=False)
    coloured = screen(found, colour=True)
    assert "\033[1;31mCONTRAINDICATED" in coloured
    assert re.sub(r"\033\[[0-9;]*m", "", coloured) == screen(found)


def test_means_stand_beside_means_and_are_named(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    case = tmp_path / "case.yaml"
    case.write_text(
        EXAMPLE.read_text(encoding="utf-8").replace("weeks: 12", "weeks: 6").replace("US-NY", "GB"),
        encoding="utf-8",
    )
    text = " ".join(printed(capsys, case, "--subjects", "4").split())
    said = re.search(
        r"means in week 6: drug ([\d.]+), placebo ([\d.]+), difference( before rounding)? ([-+][\d.]+) "
        r"\(trials -0.33†(?:: rely on TRIALS)?\)\.",
        text,
    )
    assert said
    drug, placebo, before, difference = said.groups()
    assert bool(before) == (round(float(drug) - float(placebo), 1) != float(difference))
    assert "age, sex: no effect" in text
    assert "median" not in text
    assert "k = 2, 519 participants: -0.33 (-0.62 to -0.03), favours the drug" in printed(
        capsys, case, "--evidence"
    )
    whole = printed(capsys, case, "--forecast", "--subjects", "4")
    assert "mean" in whole.split("drug minus placebo")[1][:80]


def test_a_case_that_says_nothing_is_answered() -> None:
    text = screen(answer(make_case({"case": "a"})))
    assert "The case names no cause of the spasms" in " ".join(text.split())
    assert "State spasm.cause" in " ".join(text.split()) or "State plan.product" in " ".join(text.split())


def test_the_bottom_line_is_found_in_the_first_three_lines_and_its_certainty_is_of_the_benefit() -> None:
    lines = screen(answer(read_case(EXAMPLE), simulate=False)).splitlines()
    first = " ".join(" ".join(lines[:3]).split())
    assert first.startswith(
        "BOTTOM LINE Nabiximols (Sativex) cannot be had in New York; probably eases stiffness a"
    )
    assert "little on average (moderate certainty), spasms only in early responders" in first


def test_a_guideline_takes_one_line_of_the_screen() -> None:
    assert [row for row in rows("guidelines") if len(f"Guideline: {row['text']}.") > WIDTH - 13] == []


def test_each_bottom_line_on_what_was_tested_says_how_certain_it_is() -> None:
    for row in rows("bottom_lines"):
        spasm, product = {"cause": row["cause"]}, row.parts("products")[0]
        plan = {"product": product} if product not in ("any", "none") else {}
        found = answer(make_case({"case": "a", "spasm": spasm, "plan": plan}), simulate=False).bottom_line
        assert ("certainty" in found.text) == (found.benefit not in ("not_tested", "not_known")), found.text


def test_nothing_is_said_of_a_plan_that_there_is_none_of() -> None:
    case = make_case({"case": "a", "spasm": {"cause": "multiple_sclerosis"}})
    assert "this plan" not in answer(case, simulate=False).bottom_line.text


def test_an_unknown_age_is_asked_for() -> None:
    said = {
        "case": "a",
        "as_of": "2026-11-22",
        "place": {"residence": "US-NY"},
        "plan": {"product": "nabiximols"},
    }
    text = " ".join(screen(answer(make_case(said), simulate=False)).split())
    assert "visit: not known (age not stated)" in text
    assert "Before certifying or prescribing: state the age" in text


def test_a_starting_value_that_is_not_stated_is_not_called_the_person_s() -> None:
    said = make_case(
        {
            "case": "a",
            "spasm": {"cause": "multiple_sclerosis"},
            "plan": {"product": "nabiximols", "titration": "label", "weeks": 1},
        }
    )
    text = " ".join(screen(answer(said, subjects=2)).split())
    assert "the case states no spasticity NRS" in text
    assert "now" not in text.split("THIS PERSON")[1].split("USUAL CARE")[0].replace("known", "")


def test_figures_of_one_group_alone_are_not_shown_and_means_have_a_scale() -> None:
    said = {"case": "a", "spasm": {"cause": "fibromyalgia"}, "plan": {"product": "nabilone"}}
    text = " ".join(screen(answer(make_case(said), simulate=False)).split())
    assert "nabilone -12.07" not in text
    als = {"case": "a", "spasm": {"cause": "als"}, "plan": {"product": "dronabinol"}}
    text = " ".join(screen(answer(make_case(als), simulate=False)).split())
    assert "Muscle tone change: nabiximols -0.11; placebo 0.16" in text


def test_the_screen_says_where_an_unknown_sign_could_change_a_finding() -> None:
    """Of the trials that come with Lissive it changes none by design; here Hansen's is said to."""
    case = make_case({"case": "a", "spasm": {"cause": "multiple_sclerosis"}})
    evidence = case_evidence(case)
    of = {each.answer.outcome.word: each for each in evidence.pooled}
    nrs = of["spasticity_nrs"].answer
    turned = tuple(replace(each, flips=each.result.design == "parallel") for each in nrs.either_sign)
    figure = replace(of["spasticity_nrs"], answer=replace(nrs, either_sign=turned))
    for pooled, said in (((figure,), True), ((of["spasticity_nrs"],), False)):
        found = findings(case, replace(evidence, pooled=pooled), gates(case, None))
        one = next(each for each in found if each.outcome == "spasticity_nrs")
        text = "\n".join(trials_lines(replace(answer(case, simulate=False), trials=(one,))))
        assert ("the unknown sign of Hansen 2023 could change this" in text) == said


def test_points_of_a_scale_are_not_headed_as_people() -> None:
    told = _said(spasm={"cause": "fibromyalgia"})
    assert "Drug minus placebo (95 % CI); certainty; trials, people" in told
    assert "Of 100 people" not in told
    assert "Of 100 people, drug / placebo (95 % CI)" in _said(spasm={"cause": "multiple_sclerosis"})


def _said(**more: object) -> str:
    case = {"case": "a", "as_of": "2026-11-22", "place": {"residence": "US-MA", "visit": "video"}, **more}
    return " ".join(screen(answer(make_case(case), simulate=False)).split())


def test_a_stroke_that_is_the_cause_is_flagged_as_one_beside_it() -> None:
    text = _said(spasm={"cause": "stroke"}, plan={"product": "nabilone"})
    assert "MAJOR: stroke: THC not recommended" in text
    assert "settle 1 major safety flag first" in text


def test_a_medicine_on_prescription_needs_no_programme() -> None:
    text = _said(
        person={"age_years": 61},
        spasm={"cause": "als", "spasms_per_day": 6},
        history={"conditions": []},
        plan={"product": "dronabinol"},
    )
    assert "available on prescription, off label." in text
    assert "on prescription, OFF LABEL, without the cannabis programme" in text
    assert "whether the rules allow it" not in text
    assert "find out" not in text


def test_what_is_stated_and_in_no_table_is_said_whole_and_advice_is_not_counted_as_a_flag_to_settle() -> None:
    text = _said(
        spasm={"cause": "multiple_sclerosis"},
        history={"conditions": ["cancer"], "current": [{"drug": "baclofen"}]},
        plan={"product": "nabilone"},
    )
    assert "STATED BUT NOT CHECKED (no rule in the tables): cancer." in text
    assert "MAJOR advice: Do not stop baclofen suddenly" in text
    assert "settle" not in text


def test_a_grave_harm_of_usual_care_is_never_left_out() -> None:
    text = _said(spasm={"cause": "nocturnal_cramps"}, plan={"product": "nabilone"})
    assert "quinine (works; FDA: against it for leg cramps, grave bleeding)" in text


# -- what trials found -----------------------------------------------------------------------------
def _trials(**more: object) -> str:
    case = {"case": "a", "as_of": "2026-11-22", "place": {"residence": "US-MA", "visit": "video"}, **more}
    lines = screen(answer(make_case(case), simulate=False)).splitlines()
    start = next(k for k, line in enumerate(lines) if line.startswith("TRIALS"))
    end = next(k for k, line in enumerate(lines) if line.startswith("THIS PERSON"))
    return "\n".join(lines[start:end])


def test_an_analysis_of_individual_patients_leads_a_small_pool_which_stands_beside_it() -> None:
    """Wade 2010: odds ratio 1.62 (1.15 to 2.28) in 666 people; at 24 of 100 without the drug, 34 (27 to 42)."""
    text = _trials(spasm={"cause": "multiple_sclerosis"}, plan={"product": "nabiximols"})
    lines = text.splitlines()
    place = next(k for k, line in enumerate(lines) if "30 % better" in line)
    row, below = lines[place : place + 2]
    assert re.search(r"better† 34 / 24 3 to 18 more +moderate 3, 666$", row)
    assert "individual patients (Wade 2010); pool of 2: 1 fewer to 24 more" in below


def test_a_measure_of_muscle_tone_is_not_shown_as_what_patients_rate() -> None:
    """Wilsey 2016 reports the Ashworth scale, which clinicians rate."""
    found = answer(
        make_case(
            {"case": "a", "spasm": {"cause": "spinal_cord_injury"}, "plan": {"product": "flower_vaporised"}}
        ),
        simulate=False,
    )
    rows = {(each.unused.study, each.topic) for each in found.evidence.in_words}
    assert ("wilsey_2016", "muscle tone (clinician-rated)") in rows
    assert ("wilsey_2016", "spasticity (patient-reported)") not in rows


@pytest.mark.parametrize("planned", ["dronabinol", "nabiximols"])
def test_the_trial_without_effect_after_spinal_cord_injury_and_its_harms_are_on_the_screen(
    planned: str,
) -> None:
    """NCT01606202, 116 people: pain -0.7 in both groups, adverse events in 46 of 56 and 29 of 60."""
    text = _trials(spasm={"cause": "spinal_cord_injury"}, plan={"product": planned})
    assert re.search(r"Any adverse event +82 / 48 18 to 43 more +moderate +1, 116", text)
    assert re.search(r"Pain \(0-10\) +0 \(-0.46 to 0.46\) +very low 1, 116", text)
    assert text.index("With nabilone:") < text.index("With nabiximols:") < text.index("Any adverse event")


def test_the_guideline_of_the_plan_is_named() -> None:
    assert "NICE NG144" in _trials(spasm={"cause": "multiple_sclerosis"}, plan={"product": "nabiximols"})
    assert "none with THC in chronic pain" in _trials(
        spasm={"cause": "fibromyalgia"}, plan={"product": "dronabinol"}
    )


@pytest.mark.slow
def test_every_row_has_its_columns_in_line() -> None:
    for cause in causes():
        for planned in ("nabiximols", "dronabinol", "flower_smoked", "cbd_oil"):
            text = _trials(spasm={"cause": cause}, plan={"product": planned})
            rows = [line for line in text.splitlines() if re.search(r"\d, \d+$", line)]
            assert all(line[63:64].strip() == "" and line[64:65].strip() for line in rows), text


def test_a_visit_that_is_not_arranged_is_not_called_free_of_barriers() -> None:
    text = _said(
        person={"age_years": 52}, place={"residence": "US-NY"}, spasm={"cause": "multiple_sclerosis"},
        plan={"product": "thc_oil"},
    )  # fmt: skip
    assert "no barrier" not in text
    assert "visit: nothing found against it; still to be arranged: visit, practitioner" in text
    said = {"case": "a", "as_of": "2026-11-22", "person": {"age_years": 52}, "place": {"residence": "US-NY"}}
    case = make_case({**said, "spasm": {"cause": "multiple_sclerosis"}})
    whole = " ".join(case_text(answer(case, simulate=False), ["access"]).split())
    assert "still to be arranged: visit, practitioner" in whole


def test_the_weightiest_caution_of_a_law_is_printed() -> None:
    text = _said(
        person={"age_years": 44}, place={"residence": "US-OH", "visit": "video", "practitioner": "MD"},
        spasm={"cause": "fibromyalgia"}, history={"conditions": []}, plan={"product": "flower_vaporised"},
    )  # fmt: skip
    assert "Caution: data incomplete: SB 56, signed in December 2025" in text


def test_quinine_stands_with_the_warning_against_it() -> None:
    text = _said(spasm={"cause": "als"}, history={"tried": [], "current": []}, plan={"product": "dronabinol"})
    assert "quinine (NICE: first choice for cramps; FDA: against it for leg cramps, grave bleeding)" in text


def test_both_trials_of_stretching_at_night_are_told() -> None:
    text = _said(spasm={"cause": "nocturnal_cramps"}, plan={"product": "nabilone"})
    assert "before sleep 1.2 fewer cramps a night in 80 people; no fewer in another 191" in text


@pytest.mark.parametrize(
    ("age", "sex", "word"),
    [(16, "female", "girl"), (17.9, "male", "boy"), (18, "female", "woman"), (18, "male", "man")],
)
def test_who_is_under_18_is_no_woman_and_no_man(age: float, sex: str, word: str) -> None:
    text = _said(person={"age_years": age, "sex": sex}, spasm={"cause": "cerebral_palsy"})
    assert f": {word} aged {age:g}, cerebral palsy" in text


def test_as_many_lines_say_major_as_there_are_flags_to_settle_and_advice_stands_after_them() -> None:
    case = {"history": {"current": ["baclofen"], "conditions": ["psychosis"], "alcohol": "some"}}
    found = answer(
        make_case(
            {"case": "a", "person": {"age_years": 16}, **case, "plan": {"product": "thc_oil", "thc_mg": 2.5}}
        ),
        simulate=False,
    )
    text = screen(found)
    assert "MAJOR advice: Do not stop baclofen suddenly" in text
    assert text.rindex("MAJOR: ") < text.index("MAJOR advice: ")
    assert f" {text.count('MAJOR: ')} major safety flag" in found.bottom_line.text


def test_which_way_is_better_stands_below_the_first_difference_and_in_a_head_of_words_alone() -> None:
    sci = _trials(spasm={"cause": "spinal_cord_injury"}, plan={"product": "nabilone"})
    assert re.search(r"Ashworth.*\n +below 0 favours the drug\n", sci)
    assert sci.count("favours") == 1
    als = _trials(spasm={"cause": "als"}, plan={"product": "dronabinol"})
    assert "Drug against placebo (lower is better); certainty; trials, people" in als
    healthy = _trials(spasm={"cause": "stroke"}, plan={"product": "nabiximols"})  # no figure, no direction
    assert "is better" not in healthy
    assert "favours" not in healthy


def test_a_visit_that_cannot_certify_is_to_be_arranged_anew() -> None:
    case = {"person": {"age_years": 40}, "spasm": {"cause": "multiple_sclerosis"}}
    florida = {"residence": "US-FL", "visit": "audio", "practitioner": "MD"}
    text = _said(place=florida, plan={"product": "edible"}, **case)
    assert "this visit cannot certify it" in text
    assert "arrange a visit that meets the rules" in text
    assert "arrange a visit" not in _said(
        place={**florida, "visit": "in_person"}, plan={"product": "edible"}, **case
    )
    assert "arrange a visit" not in _said(
        place={**florida, "residence": "US-ID"}, plan={"product": "edible"}, **case
    )


@pytest.mark.parametrize(
    ("spasm", "conditions", "word"),
    [
        ({"since": "2026-01-01"}, [], "chronic_low_back_pain"),
        ({}, ["chronic_pain"], "chronic_low_back_pain"),
        ({"since": "2026-06-01"}, [], "low_back_pain"),
        ({}, [], "low_back_pain"),
    ],
)
def test_trials_of_chronic_back_pain_are_those_of_a_chronic_one(spasm, conditions, word):
    about = {"cause": "low_back_pain", **spasm}
    given = {"case": "a", "as_of": "2026-07-01", "spasm": about, "history": {"conditions": conditions}}
    found = answer(make_case(given), simulate=False)
    assert found.evidence.cause == word
    assert ("karst_2025_VER01" in {each.study.id for each in found.evidence.controlled}) == (
        word != "low_back_pain"
    )

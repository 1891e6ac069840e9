"""Pooled answers as text: what a clinician reads."""

from __future__ import annotations

import math

import pytest

from lissive.evidence import outcomes, shipped_studies
from lissive.evidence.answer import answer_of, pooled_answer
from lissive.evidence.answer_types import PooledAnswer
from lissive.evidence.comparison import Comparison, Given, Group
from lissive.evidence.reviews import reproduce
from lissive.report.effect_words import absolute_words, group_words, interval, number, sides
from lissive.report.evidence_text import reproduced_text
from lissive.report.forest import alt_text, caption, lines
from lissive.report.pool_text import pool_text, study_table

MS = "multiple_sclerosis"


@pytest.fixture(scope="module")
def responders() -> PooledAnswer:
    return answer_of(shipped_studies(), "responders_30pct", cause=MS)


def test_each_design_has_its_own_figure_before_all_together(responders):
    text = pool_text(responders)
    parallel, enriched, everything = (
        text.index(w) for w in ("Parallel groups", "Enriched enrolment", "Pooled (all designs)")
    )
    assert parallel < enriched < everything
    assert "4.18 (1.62 to 10.8)" in text[enriched:everything]
    assert "differences between designs" in text


def test_recalled_studies_carry_their_mark_and_it_is_explained(responders):
    text = pool_text(responders)
    for row in responders.studies:
        assert (f"{row.effect.label}†" in text) == (row.effect.provenance == "recalled")
    assert "† unverified: quoted from memory" in text


def test_direction_is_in_words(responders):
    assert "Below 1: favours control. Above 1: favours the cannabinoid." in pool_text(responders)
    assert sides("lower")[0] == "favours the cannabinoid"


def test_what_is_left_out_is_listed_with_its_reason(responders):
    text = " ".join(pool_text(responders).split())
    for row in responders.left_out:
        assert " ".join(row.reason.rstrip(".").split()) in text
    assert responders.left_out


def test_number_needed_to_treat_goes_through_infinity(responders):
    assert "to infinity to NNTH" in absolute_words(responders)
    low = answer_of(shipped_studies(), "responders_30pct", cause=MS, baseline_risk=0.1)
    assert "10 % with control (as specified)" in absolute_words(low)


def test_no_study_is_said_in_words():
    text = pool_text(answer_of(shipped_studies(), "spasticity_nrs", cause="muscle_injury"))
    assert "no study in muscle injury reports a comparison" in text
    assert "Absence of evidence is not evidence of no effect." in text.replace("\n", " ")


@pytest.mark.parametrize(
    ("cause", "said"), [("stroke", "no change vs placebo"), ("cerebral_palsy", "no significant difference")]
)
def test_trials_that_found_nothing_are_not_said_to_be_unknown(cause, said):
    text = " ".join(pool_text(answer_of(shipped_studies(), "spasticity_nrs", cause=cause)).split())
    assert "Absence of evidence" not in text
    assert "What trials report is listed below" in text
    assert said in text


def test_a_prediction_beyond_the_scale_is_no_number_for_a_reader():
    """Three trials that differ, t on one degree of freedom: an interval of which no patient can have an end."""
    rows = [("a", -2.3, -3.6, -1.0), ("b", -0.5, -1.0, 0.0), ("c", -0.2, -0.6, 0.2)]
    made = [
        Comparison(s, s, "spasticity_nrs", MS, "parallel", given=Given("MD", e, low, high))
        for s, e, low, high in rows
    ]
    answer = pooled_answer(made, outcomes()["spasticity_nrs"], cause=MS, cause_label="multiple sclerosis")
    low = answer.to_json()["prediction_interval"][0]  # the computed numbers stay in the data
    assert low < -10
    assert answer.overall.prediction_beyond_scale
    text = " ".join(pool_text(answer).split())
    assert "exceeds the scale (not informative, k = 3)" in text
    assert "exceeds the outcome's scale" in text
    assert f"{low:.1f}" not in text
    assert f"{low:.1f}" not in alt_text(answer)
    assert "not informative" in [line.text for line in lines(answer)][-1]


def test_a_figure_says_how_many_trials_it_does_not_hold():
    """Ashworth in MS: two trials give numbers, nine others words and p values."""
    answer = answer_of(shipped_studies(), "ashworth", cause=MS)
    text = " ".join(pool_text(answer).split())
    assert "includes 2 of 11 trials that measured this outcome" in text
    assert "no significant between-group difference" in text
    assert "2 of 11 trials that measured this outcome" in caption(answer)
    # a crossover's 30 people count once, though it states a difference alone
    assert (answer.overall.pooled.n, "n 30" in text) == (241 + 30, True)


def test_either_sign_of_an_unknown_one_is_tried_and_a_changed_finding_is_said():
    """Stiffness: three zeros in place of Hansen's unsigned results decided the finding of the parallel trials."""
    answer = answer_of(shipped_studies(), "spasticity_nrs", cause=MS)
    text = " ".join(pool_text(answer).split())
    assert "Parallel groups" in text
    assert "Pooled, k = 3 -0.58 (-1.66 to 0.51)" in text
    assert "Sensitivity: Hansen 2023, not pooled, as the sign of the result is not known" in text
    signs = {(each.sign, each.result.design): each for each in answer.either_sign}
    assert set(signs) == {(sign, design) for sign in ("lower", "higher") for design in ("", "parallel")}
    assert signs["higher", ""].flips
    assert "This changes the finding." in text
    assert not signs["lower", ""].flips


def test_one_study_is_said_without_a_spread():
    one = answer_of(shipped_studies(), "disease_progression", cause=MS)
    assert one.k == 1
    text = pool_text(one)
    assert "that study's own" in text
    assert "I²" not in text


def test_lines_fit_a_terminal():
    text = pool_text(answer_of(shipped_studies(), "spasticity_nrs", cause=MS))
    table = study_table(answer_of(shipped_studies(), "spasticity_nrs", cause=MS))
    assert all(len(line) <= 110 for line in text.splitlines() if line not in table)


def test_outcomes_of_every_cause_have_a_text():
    assert "all causes" in pool_text(answer_of(shipped_studies(), "withdrawals_ae"))


@pytest.mark.parametrize(
    ("x", "measure", "shown"),
    [
        (0.0667, "RD", "0.067"),
        (-0.005, "MD", "-0.01"),
        (12.34, "OR", "12.3"),
        (1234.0, "OR", "1.23e+03"),
        (math.inf, "", "unbounded"),
    ],
)
def test_numbers(x, measure, shown):
    assert number(x, measure) == shown
    assert interval(None) == ""


def test_people_are_printed_whole_save_where_they_are_shared_out():
    assert group_words(Group("vaccinated", n=50634.0, events=186.0)) == "186/50634"
    assert group_words(Group("placebo", n=40 / 3, events=4.5)) == "4.5/13.3"


def test_published_stands_beside_computed():
    text = reproduced_text(reproduce())
    line = next(line for line in text.splitlines() if line.startswith("check_filippini_1_1"))
    assert line.count("OR 2.51 (1.56 to 4.04)") == 2
    assert "yes  reproduced†" in line
    outlier = next(line for line in text.splitlines() if line.startswith("meta_2025_outlier"))
    assert "NO  rejected" in outlier
    assert "Not recomputed" in text


def test_an_estimate_stands_beside_what_the_same_trial_reports_in_words():
    found = answer_of(shipped_studies(), "pain_responders_30pct", cause="fibromyalgia")
    (told,) = found.said_too
    assert (told.study, told.text) == ("vandedonk_2019", "no treatment superior to placebo")
    text = " ".join(pool_text(found).split())
    assert text.index("favours the cannabinoid") < text.index(
        "reports of spontaneous pain: no treatment superior"
    )
    # what other trials report, and what is of another complaint, is not of this estimate
    assert answer_of(shipped_studies(), "pain_nrs", cause="fibromyalgia").said_too == ()
    assert answer_of(shipped_studies(), "pgic", cause="als").said_too == ()

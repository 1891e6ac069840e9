"""The Python functions refuse what the commands refuse, as a LissiveError that says what is allowed."""

from __future__ import annotations

import datetime
import math
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

import lissive
from lissive.access.answer import Facts
from lissive.access.cases import compare, read_cases, read_question
from lissive.access.certificate import draft
from lissive.access.decide import decide, explain
from lissive.access.facts import facts_of_case, make_facts, read_facts
from lissive.access.rule import read_jurisdiction
from lissive.case import make_case, read_case
from lissive.errors import LissiveError
from lissive.evidence import read_studies, shipped_studies
from lissive.evidence.answer import answer_of
from lissive.evidence.case_answer import case_evidence
from lissive.evidence.catalog import exported, listed
from lissive.evidence.catalog import full_record as whole
from lissive.evidence.claim_match import matches
from lissive.evidence.comparing import comparisons
from lissive.evidence.effect import effect
from lissive.evidence.pooling import pool_effects as pool
from lissive.forecast import predict, responders, summary
from lissive.report.cite import cite
from lissive.studies import read_studies as read_pk
from lissive.studies.observation import Studies
from lissive.trials.design import make_design, read_design
from lissive.trials.people import draws
from lissive.trials.power import power as power_curve
from lissive.trials.published import read_published, shipped_published
from lissive.trials.reproduce import chosen
from lissive.trials.reproduce import reproduce_published as reproduce
from lissive.trials.summary import summary as trial_summary
from lissive.validation.run import validate

EXAMPLES = Path(__file__).parents[1] / "examples"
DAY = datetime.date(2020, 1, 1)
NOWHERE: tuple[Any, ...] = (None, 3, b"x.yaml", ["x.yaml"], "no such file.yaml", "a\0b.yaml", "/")
NO_COUNT: tuple[Any, ...] = (-1, 1.5, "5", None, math.nan, math.inf, True, [3])
WRONG_SEED = tuple(each for each in NO_COUNT if each is not None)  # none: the design's
NO_DAY: tuple[Any, ...] = (None, "2020-01-01", 20200101, datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC))
NO_STUDIES = Studies("none", (), ())
NO_THING: tuple[Any, ...] = (None, 3, "x", {})


@cache
def the_case():
    return read_case(EXAMPLES / "ms-new-york.yaml")


@cache
def design():
    return read_design(EXAMPLES / "trials" / "parallel.yaml")


@cache
def facts():
    return make_facts({"age": 40})


def stiffness(**options: Any) -> dict[str, Any]:
    return answer_of(shipped_studies(), **{"outcome": "spasticity_nrs", **options})


TRIES: dict[str, tuple[Callable[[Any], object], tuple[Any, ...]]] = {
    # files
    "lissive.load": (lissive.load, (None, 3, b"x", [], "", "x.ant", "/")),
    "read_case": (read_case, NOWHERE),
    "read_design": (lissive.read_design, NOWHERE),
    "read_facts": (read_facts, NOWHERE),
    "read_question": (read_question, NOWHERE),
    "read_cases": (read_cases, NOWHERE),
    "read_jurisdiction": (read_jurisdiction, NOWHERE),
    "evidence.read_studies": (read_studies, NOWHERE),
    "studies.read_studies": (read_pk, NOWHERE),
    "read_published": (read_published, NOWHERE),
    "cite": (cite, NOWHERE),
    # data
    "make_case": (
        make_case,
        (None, 3, "x", {3: 4}, {"case": 3}, {"case": "a", "person": {"weight_kg": "heavy"}}),
    ),
    "make_design": (make_design, (*NO_THING, {"trial": "a"})),
    "make_facts": (
        make_facts,
        (None, 3, "x", {"age": "x"}, {"age": math.nan}, {"dx": [3]}, {"flags": {3: True}}, {"symptoms": [1]}),
    ),
    "make_facts, months": (
        lambda v: make_facts({"symptoms": {"muscle_spasms": {"months": v}}}),
        ([1], "6", -1, 1501, True, math.nan, {}),
    ),
    "Facts, dx": (lambda v: Facts(dx=v), ("multiple_sclerosis", 3, (3,))),
    "Facts, age": (lambda v: Facts(age=v), ("x", -1, math.nan, True)),
    "Facts, symptoms": (lambda v: Facts(symptoms=v), (3, {"muscle_spasms": 3}, {3: None})),
    "Facts, ends": (lambda v: Facts(ends=v), NO_DAY[1:]),
    # a forecast
    "predict": (lambda v: predict(v, subjects=3), NO_THING),
    "predict, subjects": (lambda v: predict(the_case(), subjects=v), (0, *NO_COUNT)),
    "predict, seed": (lambda v: predict(the_case(), subjects=3, seed=v), NO_COUNT),
    "predict, threads": (
        lambda v: predict(the_case(), subjects=3, threads=v),
        (0, -1, 1.5, "5", math.nan, True),
    ),
    "predict, rtol": (lambda v: predict(the_case(), subjects=3, rtol=v), (0, -1, "5", None, math.nan, 1.0)),
    "forecast.summary": (summary, NO_THING),
    "responders": (lambda v: responders(v, 0.3, 4), NO_THING),
    # trials
    "run_trial": (lambda v: lissive.run_trial(v, replicates=1), NO_THING),
    "run_trial, replicates": (
        lambda v: lissive.run_trial(design(), replicates=v),
        (0, 100_001, 10**23, *NO_COUNT),
    ),
    "run_trial, seed": (lambda v: lissive.run_trial(design(), replicates=1, seed=v), WRONG_SEED),
    "run_trial, threads": (
        lambda v: lissive.run_trial(design(), replicates=1, threads=v),
        (0, 1.5, "5", True),
    ),
    "run_trial, folder": (lambda v: lissive.run_trial(design(), replicates=1, folder=v), (3, [], b"x")),
    "run_trial, responses": (
        lambda v: lissive.run_trial(design(), replicates=1, responses=v),
        ([], [3], 3, "x"),
    ),
    "trial summary": (trial_summary, NO_THING),
    "power_curve": (lambda v: power_curve(v, [8], replicates=1), NO_THING),
    "power_curve, sizes": (
        lambda v: power_curve(design(), v, replicates=1),
        ([], [0], [-4], [1.5], ["40"], None, 40, "40", [200_001], [10**12], [math.nan], [True]),
    ),
    "power_curve, endpoint": (lambda v: power_curve(design(), [8], endpoint=v, replicates=1), ("x", 3, [])),
    "power_curve, replicates": (lambda v: power_curve(design(), [8], replicates=v), (0, 10**12, *NO_COUNT)),
    "reproduce": (lambda v: reproduce(v, replicates=20), (*NO_THING, [])),
    "reproduce, replicates": (
        lambda v: reproduce(shipped_published(), replicates=v),
        (19, 10**12, *NO_COUNT),
    ),
    "chosen": (lambda v: chosen(shipped_published(), v), ("wade_2004", ["no such trial"], [3], 3)),
    "draws": (lambda v: draws(v, 1), (10**12, *NO_COUNT)),
    # access
    "decide": (lambda v: decide(v, "US-NY", DAY), (*NO_THING, {"age": 4})),
    "decide, jurisdiction": (lambda v: decide(facts(), v, DAY), (None, 3, [], "XX", "")),
    "decide, on": (lambda v: decide(facts(), "US-NY", v), NO_DAY),
    "explain, on": (lambda v: explain(facts(), "US-NY", v), NO_DAY),
    "compare": (lambda v: compare(v, DAY), NO_THING),
    "compare, on": (lambda v: compare(facts(), v), NO_DAY),
    "draft": (lambda v: draft(v, DAY), NO_THING),
    "draft, on": (lambda v: draft(the_case(), v), NO_DAY),
    "facts_of_case": (facts_of_case, NO_THING),
    # evidence
    "comparisons": (lambda v: comparisons(v, outcome="spasticity_nrs"), (*NO_THING, [])),
    "comparisons, outcome": (lambda v: comparisons(shipped_studies(), outcome=v), (None, 3, "x", [])),
    "comparisons, cause": (
        lambda v: comparisons(shipped_studies(), outcome="spasticity_nrs", cause=v),
        (3, "x", []),
    ),
    "answer_of": (lambda v: answer_of(v, "spasticity_nrs"), (*NO_THING, [])),
    "answer_of, measure": (lambda v: stiffness(measure=v), (3, "XX", [])),
    "answer_of, model": (lambda v: stiffness(model=v), (3, "x", None)),
    "answer_of, tau2": (lambda v: stiffness(tau2=v), (3, "x", None)),
    "answer_of, ci": (lambda v: stiffness(ci=v), (3, "x")),
    "answer_of, baseline_risk": (lambda v: stiffness(baseline_risk=v), ("x", math.nan, 2, -0.1)),
    "answer_of, correlation": (lambda v: stiffness(correlation=v), ("x", math.nan, 2, True)),
    "pool": (pool, (None, 3, "x", [3])),
    "effect": (lambda v: effect(v, "MD"), NO_THING),
    "effect, measure": (
        lambda v: effect(comparisons(shipped_studies(), outcome="spasticity_nrs")[0], v),
        (None, 3, "XX"),
    ),
    "listed, cause": (lambda v: listed(shipped_studies(), cause=v), (3, "x")),
    "whole": (lambda v: whole(v, shipped_studies()), (None, 3, "x")),
    "exported": (lambda v: exported(shipped_studies(), v), (None, 3, "xlsx")),
    "matches": (matches, (None, 3, [])),
    "case_evidence": (case_evidence, NO_THING),
    # validation
    "validate": (lambda v: validate(v, replicates=1), (3, "x", {}, [])),
    "validate, replicates": (lambda v: validate(NO_STUDIES, replicates=v), (0, 10**12, *NO_COUNT)),
    "validate, seed": (lambda v: validate(NO_STUDIES, replicates=1, seed=v), NO_COUNT),
    "validate, threads": (lambda v: validate(NO_STUDIES, replicates=1, threads=v), (0, 1.5, "x", True)),
}
"""A function, and values that it has to refuse."""


@pytest.mark.parametrize("name", TRIES)
def test_wrong_values_are_refused_with_what_is_allowed(name):
    call, values = TRIES[name]
    for value in values:
        with pytest.raises(LissiveError) as caught:
            call(value)
        said = str(caught.value)
        assert "Allowed:" in said or "What to do:" in said, (value, said)


def test_whole_numbers_are_whole_numbers_of_any_kind():
    import numpy as np

    one, other = draws(2, 1), draws(np.int64(2), 1.0)  # type: ignore[arg-type]
    assert one == other


def test_what_a_share_may_be_and_past_the_end():
    forecast = predict(the_case(), subjects=2)
    for share, week in ((2.0, 4), (math.nan, 4), ("x", 4), (0.2, -1), (0.2, "4"), (0.2, 1.5)):
        with pytest.raises(LissiveError, match="reduction is|week is"):
            responders(forecast, share, week)
    assert responders(forecast, 0.3, 99) is None

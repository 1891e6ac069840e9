"""Two readers' coding: how far they agree, and that the rules say what they agreed on or why not."""

from __future__ import annotations

import datetime
from dataclasses import replace
from functools import cache

import pytest

from lissive.access.answer import Facts, Level, Symptom
from lissive.access.coverage import ENOUGH, OPEN, UNKNOWN, agreement, coded, kappa
from lissive.access.decide import decide, version_on
from lissive.access.federal import form
from lissive.access.logic import evaluate, person
from lissive.access.procedure import by_video, certifiers
from lissive.access.rule import ADJECTIVES, rules

ON = datetime.date(2026, 11, 29)
FORMS = ("flower_smoked", "flower_vaporised", "oil", "capsule", "edible", "topical")


def table(a, b, c, d):
    """Pairs of a two by two table: both yes, first alone, second alone, neither."""
    return [("y", "y")] * a + [("y", "n")] * b + [("n", "y")] * c + [("n", "n")] * d


@pytest.mark.parametrize(
    ("pairs", "value"),
    [
        (table(20, 5, 10, 15), 0.4),  # worked examples of an encyclopaedia
        (table(45, 15, 25, 15), 0.1304),
        (table(25, 35, 5, 35), 0.2593),
        (list(zip("202201", "002202", strict=True)), 9 / 21),  # scikit-learn's example: 4/6, by chance 15/36
        (table(10, 0, 0, 10), 1.0),
        (table(25, 25, 25, 25), 0.0),
        (table(0, 5, 5, 0), -1.0),
    ],
)
def test_kappa_is_cohen_s(pairs, value):
    assert kappa(pairs) == pytest.approx(value, abs=5e-5)


@pytest.mark.parametrize("pairs", [[], table(7, 0, 0, 0)])
def test_kappa_says_nothing_where_chance_alone_agrees(pairs):
    assert kappa(pairs) is None


def test_every_jurisdiction_is_coded_once_in_every_field():
    rows = coded()
    fields, places = {each.field for each in rows}, {each.code for each in rows}
    assert len(rows) == len(fields) * len(places) == len({(each.code, each.field) for each in rows})
    assert places <= set(rules())


def test_what_both_found_alike_is_agreed_and_what_one_found_alone_is_unknown():
    for each in coded():
        one, other = each.pair
        if one == other:
            assert (each.agreed, each.settled) == (one, ""), each
        elif UNKNOWN in each.pair:
            assert each.agreed == UNKNOWN, each
        else:
            assert each.settled, each
            assert each.agreed in (*each.pair, OPEN), each
        assert each.urls or set(each.pair) == {UNKNOWN}, each


def test_a_field_on_which_they_agree_too_little_is_settled_row_by_row_or_said_to_be_open():
    for field in agreement():
        if field.kappa is not None and field.kappa < ENOUGH:
            assert field.open <= 2, field


# -- what the rules say, in the readers' codes --------------------------------------------------------
def level(version, **facts):
    return evaluate(version.logic, person(Facts(**{"age": 40, "resident": True, **facts}), ON)).level


def dx(version, word):
    words = {Level.E: "listed", Level.D: "any", Level.U: UNKNOWN, Level.N: "not_listed"}
    return words[level(version, dx=(word,))]


def pain(version):
    found = level(version, symptoms={"chronic_pain": Symptom()})
    if found is Level.N:
        found = level(version, symptoms={"pain": Symptom({"chronic": True})})
    return {Level.E: "listed", Level.D: "any", Level.U: "with_terms", Level.N: "not_listed"}[found]


def spasm(version):
    """Of a disease that no rule lists; then whether a rule asks for one that is of the nervous system, or listed."""
    every = dict.fromkeys(ADJECTIVES, True)
    of = {
        word: level(version, dx=("scoliosis",), symptoms={word: Symptom(every, "scoliosis", 60)})
        for word in ("muscle_spasms", "spasticity")
    }
    if of["muscle_spasms"] in (Level.E, Level.D):
        return "spasms" if of["muscle_spasms"] is Level.E else "any"
    if of["spasticity"] is Level.E:
        return "spasticity_only"
    mine = [each for each in version.logic.walk() if {each.symptom, *(each.symptom_any or ())} & {*of}]
    if any(each.cause not in (None, "none_required") for each in mine) and Level.U not in of.values():
        return "only_ms"
    return UNKNOWN if Level.U in of.values() else "not_listed"


def certifier(version):
    kinds = {each.split(" ")[0] for each in certifiers(version, ON)}
    if kinds - {"MD", "DO", "NP", "PA", "specialist"}:
        return "wider"
    return "plus_np_pa" if {"NP", "PA"} <= kinds else "plus_np" if "NP" in kinds else "physician"


def visitors(version):
    rule = version.reciprocity
    if rule is None or rule.recognised is None:
        return UNKNOWN
    words = (
        "registration",
        "card for",
        "cards for",
        "visiting patient card",
        "card after",
        "pass",
        "temporary",
    )
    applies = rule.pass_days or any(word in (rule.note or "") for word in words)
    return "none" if not rule.recognised else "pass" if applies else "own_card"


def minors(version):
    ill = {"dx": ("multiple_sclerosis", "epilepsy", "cancer", "als"), "age": 12}
    if level(version, **ill) is Level.N:
        return "no"
    if version.minors_caregiver is None:
        return UNKNOWN
    two = version.minor_second_practitioner or version.minor_paediatric
    return "two_practitioners" if two else "guardian"


def validity(version):
    days = version.certification_validity_days
    found = (
        version.certification_validity_months,
        version.card_validity_months,
        days and round(days / 30.44),
    )
    return str(min((each for each in found if each), default=UNKNOWN))


def said(holds):
    return UNKNOWN if holds is None else "yes" if holds else "no"


def has(code, name):
    row = form(code, name, ON)
    return said(row and row.allowed)


@cache
def ours(code):
    version = version_on(rules()[code], ON)
    caps = [row.thc_max_mg for name in FORMS if (row := form(code, name, ON))]
    return {
        "cond_ms": dx(version, "multiple_sclerosis"),
        "cond_als": dx(version, "als"),
        "cond_fibromyalgia": dx(version, "fibromyalgia"),
        "cond_pain": pain(version),
        "cond_spasm": spasm(version),
        "certifier": certifier(version),
        "first_video": said(by_video(version, ON)),
        "renewal_video": said(by_video(version, ON, renewal=True)),
        "visitors": visitors(version),
        "minors": minors(version),
        "validity": validity(version),
        "smoke": has(code, "flower_smoked"),
        "edible": has(code, "edible"),
        "thc_cap": "yes" if any(caps) else UNKNOWN,
    }


YES = {"listed", "any", "spasms"}
"""A list with an open clause beside it may be coded as either."""


def test_the_rules_say_what_the_readers_agreed_on_or_the_table_says_why_not():
    for each in coded():
        if each.agreed in (UNKNOWN, OPEN):
            assert not each.differs, each
            continue
        mine = ours(each.code)[each.field]
        same = mine == each.agreed or {mine, each.agreed} <= YES
        assert same == (not each.differs), (mine, each)


def test_no_rule_says_yes_where_the_readers_agreed_on_no():
    """What stands in the table as different is stricter here, or unknown, but for what is listed by a wider name."""
    lax = {
        ("US-NV", "cond_ms"),
        ("US-OR", "cond_ms"),
        ("US-OR", "cond_als"),
    }  # a group of diseases that holds it
    lax |= {("US-FL", name) for name in ("cond_pain", "cond_spasm", "cond_fibromyalgia")}  # at discretion
    for each in coded():
        if each.agreed in ("no", "none", "not_listed", "physician") and (each.code, each.field) not in lax:
            assert ours(each.code)[each.field] in (each.agreed, UNKNOWN), each


def test_what_was_not_settled_is_no_surer_than_what_is_unverified():
    spasms = {"muscle_spasms": Symptom({"severe": True, "persistent": True}, "multiple_sclerosis")}
    facts = Facts(40, True, None, ("multiple_sclerosis",), True, spasms, practitioner="MD", visit="video")
    answer = decide(facts, "US-CO", ON)
    assert (answer.procedural, answer.confidence) == ("blocked", "low")
    assert "conflict" in {each.kind for each in answer.cautions}
    nurse = decide(replace(facts, practitioner="NP", visit="in_person"), "US-NV", ON)
    assert nurse.procedural == "unknown"

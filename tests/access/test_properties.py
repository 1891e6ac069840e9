"""What holds of every rule, person and day."""

from __future__ import annotations

import datetime
from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from lissive.access.answer import Facts, Symptom, day
from lissive.access.conditions import conditions, flags
from lissive.access.decide import decide, version_on
from lissive.access.rule import ADJECTIVES, Clause, rules

ORDER = ("not_eligible", "unknown", "eligible_at_discretion", "eligible")
CLAUSES: list[Clause] = [
    clause for place in rules().values() for version in place.versions for clause in version.logic.walk()
]
LISTED = sorted({word for clause in CLAUSES for word in clause.dx_any or ()})
FLAGS = sorted(
    {word for clause in CLAUSES for word in (*clause.requires, *((clause.flag,) if clause.flag else ()))}
    | {word for word in LISTED if word in flags()}
)
SYMPTOMS = ("muscle_spasms", "spasticity", "pain", "chronic_pain", "nausea", "seizures", "cachexia")
CAUSES = (None, "unknown", "idiopathic", "multiple_sclerosis", "stroke", "statin_myopathy", "fibromyalgia")
DIAGNOSES = (*LISTED, "stroke", "lumbar_disc_herniation", "statin_myopathy")

maybe = st.sampled_from([True, False, None])
symptom = st.builds(
    Symptom,
    st.dictionaries(st.sampled_from([*ADJECTIVES, "refractory"]), maybe, max_size=4),
    st.sampled_from(CAUSES),
    st.sampled_from([None, 1.0, 3.0, 8.0]),
)
people = st.builds(
    Facts,
    age=st.sampled_from([None, 15.0, 17.0, 20.0, 21.0, 40.0, 65.0]),
    dx=st.lists(st.sampled_from(DIAGNOSES), max_size=3, unique=True).map(tuple),
    dx_complete=st.sampled_from([True, True, False]),
    symptoms=st.dictionaries(st.sampled_from(SYMPTOMS), st.one_of(st.none(), symptom, symptom), max_size=3),
    flags=st.dictionaries(st.sampled_from(FLAGS), st.booleans(), max_size=6),
)
ASKS_AGE = ("US-DC", "US-DE", "US-NH", "US-UT", "US-MP", "GB")
places = st.one_of(st.sampled_from(sorted(rules())), st.sampled_from(ASKS_AGE))
days = st.dates(datetime.date(1996, 1, 1), datetime.date(2027, 12, 31))
many = settings(max_examples=150)


def level(facts: Facts, code: str, on: datetime.date) -> int:
    return ORDER.index(decide(facts, code, on).status)


def words_of(code: str, on: datetime.date) -> list[str]:
    """The diagnoses that the rule of the day lists, so that drawn people meet it now and then."""
    version = version_on(rules()[code], on) or rules()[code].versions[-1]
    return sorted({word for clause in version.logic.walk() for word in clause.dx_any or ()} | {"stroke"})


@given(people, places, days, st.data())
@many
def test_adding_a_diagnosis_never_lowers_the_level(
    facts: Facts, code: str, on: datetime.date, data: Any
) -> None:
    dx: tuple[str, ...] = ()
    last = level(replace(facts, dx=dx), code, on)
    for more in data.draw(st.lists(st.sampled_from(words_of(code, on)), min_size=1, max_size=4, unique=True)):
        dx = (*dx, more)
        now = level(replace(facts, dx=dx), code, on)
        assert now >= last
        last = now


def supplied(facts: Facts, fact: str, holds: bool) -> Facts:
    """The facts with one that was missing, as the answer names it."""
    kind, *rest = fact.split(".")
    if kind == "age":
        return replace(facts, age=70.0 if holds else 10.0)
    if kind == "dx":
        return replace(facts, dx_complete=True)
    if kind == "flags":
        return replace(facts, flags={**facts.flags, rest[0]: holds})
    own = facts.symptoms.get(rest[0])
    if len(rest) == 1:
        symptoms: dict[str, Symptom | None] = dict(facts.symptoms)
        if holds:
            symptoms[rest[0]] = Symptom()
        else:
            del symptoms[rest[0]]
        return replace(facts, symptoms=symptoms)
    own = own or Symptom()  # entered as a diagnosis, with nothing more
    if rest[1] == "cause":
        changed = replace(own, cause="multiple_sclerosis" if holds else "idiopathic")
    elif rest[1] == "months":
        changed = replace(own, months=24.0 if holds else 0.0)
    else:
        changed = replace(own, attributes={**own.attributes, rest[1]: holds})
    return replace(facts, symptoms={**facts.symptoms, rest[0]: changed})


@given(people, places, days, st.booleans(), st.data())
@many
def test_supplying_what_is_missing_never_makes_unknown_what_was_known(
    facts: Facts, code: str, on: datetime.date, holds: bool, data: Any
) -> None:
    answer = decide(facts, code, on)
    for missing in answer.missing:
        found = decide(supplied(facts, missing.fact, holds), code, on)
        assert answer.status == "unknown" or found.status != "unknown"
    known = [name for name in FLAGS if name not in facts.flags]
    flag = data.draw(st.sampled_from(known))
    found = decide(replace(facts, flags={**facts.flags, flag: holds}), code, on)
    assert answer.status == "unknown" or found.status != "unknown"
    if facts.age is None:
        found = decide(replace(facts, age=30.0 if holds else 16.0), code, on)
        assert answer.status == "unknown" or found.status != "unknown"


def base_of(name: str) -> str:
    found = conditions()[name].base
    return found or name


EVERY = Symptom(dict.fromkeys((*ADJECTIVES, "refractory"), True), "multiple_sclerosis", 100.0)


@given(people, places, days)
@many
def test_an_answer_depends_only_on_the_facts_that_it_names(
    facts: Facts, code: str, on: datetime.date
) -> None:
    answer = decide(facts, code, on)
    named = set(answer.depends_on)

    def same(**changed: Any) -> bool:
        return decide(replace(facts, **changed), code, on).status == answer.status

    if "age" not in named:
        assert all(same(age=age) for age in (None, 5.0, 17.0, 18.0, 30.0, 80.0))
    if "dx" not in named:
        assert all(same(dx=dx, dx_complete=whole) for dx in ((), tuple(LISTED)) for whole in (True, False))
    free = [name for name in FLAGS if f"flags.{name}" not in named]
    kept = {name: value for name, value in facts.flags.items() if name not in free}
    assert all(same(flags={**kept, **dict.fromkeys(free, value)}) for value in (True, False))
    assert same(flags=kept)
    plain = {name.split(".")[1] for name in named if name.startswith("symptoms.")}
    plain |= {base_of(name) for name in plain}
    if "dx" not in named:  # what is listed among diagnoses may be a symptom too
        own = {k: v for k, v in facts.symptoms.items() if {k, base_of(k)} & plain}
        more = [name for name in SYMPTOMS if not {name, base_of(name)} & plain]
        assert all(same(symptoms={**own, **dict.fromkeys(more, each)}) for each in (EVERY, Symptom(), None))
        assert same(symptoms=own)


@given(people, places, days)
@many
def test_every_clause_that_fired_has_a_source_and_every_answer_its_reasons(
    facts: Facts, code: str, on: datetime.date
) -> None:
    answer = decide(facts, code, on)
    assert answer.notice
    assert answer.checked is not None
    assert answer.rule is not None or answer.cautions
    if ORDER.index(answer.status) >= 2:
        assert answer.fired
        assert answer.expires is None or answer.expires >= on
    for each in answer.fired:
        assert each.citation
        assert each.source_url or each.provenance == "recalled"
        assert each.quote is None or len(each.quote.split()) <= 25
    for missing in answer.missing:
        assert missing.would_change_to != answer.status or missing.if_not != answer.status


def test_versions_stand_in_order_and_never_overlap() -> None:
    for place in rules().values():
        for one, next_one in zip(place.versions, place.versions[1:], strict=False):
            assert one.ends is not None
            assert next_one.begins is not None
            assert day(one.ends) < day(next_one.begins), one.id

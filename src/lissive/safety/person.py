"""What a case says of a person and a product, in the words of the tables, and what it does not say."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass

from lissive.case import Case, product
from lissive.case.products import Product
from lissive.model.parameters import load_genotypes
from lissive.safety._table import plain
from lissive.safety.rules import conditions, contents, limits

STATED = "condition"
"""Begins what is stated and in no table, among what is not assessed."""
_ALIKE = 0.8
"""As `difflib` counts; a condition less alike is another one."""


@dataclass(frozen=True)
class Planned:
    """What is in the product that is planned."""

    name: str
    """As in the table of products; empty where the case names none."""
    label: str
    contents: frozenset[str]
    unsure: frozenset[str]
    """Of these it is not known whether they are in it."""
    cbd_mg_per_day: float | None
    small_cbd: bool
    smoked: bool

    @property
    def all(self) -> frozenset[str]:
        return self.contents | self.unsure


def planned(case: Case) -> Planned:
    """Without a product, what holds of THC and of CBD both."""
    name = case.plan.product
    if name is None:
        return Planned("", "", frozenset(), frozenset(("thc", "cbd")), None, False, False)
    what = product(name)
    has, unsure = set(contents().get(name, frozenset())), set[str]()
    most, mine = case.plan.most_mg_per_day(), (what.thc_mg_per_unit, what.cbd_mg_per_unit)
    for content, stated, per_unit in zip(("thc", "cbd"), most, mine, strict=True):
        amount = per_unit if stated is None else stated
        if amount is None:
            unsure.add(content)
        elif amount > 0:
            has.add(content)
    dose = _cbd_per_day(case, what)
    threshold = limits()["small_cbd"] * (case.person.weight_kg or limits()["weight"])
    small = "cbd" in unsure or (dose is not None and dose < threshold)
    return Planned(name, what.label, frozenset(has), frozenset(unsure), dose, small, "smoke" in has)


def _cbd_per_day(case: Case, what: Product) -> float | None:
    """The most CBD that the plan gives in a day [mg]; the label's most where the plan does not limit it."""
    _, stated = case.plan.most_mg_per_day()
    if stated:
        return stated
    per_unit, units = what.cbd_mg_per_unit, what.label_limit(case.person.weight_kg)
    return units * per_unit if per_unit and units is not None else None


_SAID = {
    "drives": "driving and machines",
    "surgery": "planned operation",
    "family_psychosis": "psychosis in the family",
    "pregnancy_planned": "planned pregnancy",
    "breast_feeding": "breast-feeding",
}


def words_of(case: Case) -> Iterator[tuple[str, str]]:
    """Words that cautions are about, each with how the case says it."""
    person, history = case.person, case.history
    yield from _ages(person.age_years)
    facts = {
        "pregnancy": person.pregnancy == "current",
        "pregnancy_planned": person.pregnancy == "planned",
        "breast_feeding": person.breast_feeding,
        "drives": person.drives,
        "family_psychosis": history.family_psychosis,
        "surgery": history.surgery,
    }
    yield from ((word, _SAID.get(word, word.replace("_", " "))) for word, holds in facts.items() if holds)
    if _low_cyp2c9(person.cyp2c9):
        yield "cyp2c9_low", f"CYP2C9 {person.cyp2c9}"
    cause = [case.spasm.cause] if case.spasm.cause else []
    for said in (
        *(history.conditions or ()),
        *cause,
    ):  # a stroke is one, whether it is the cause or beside it
        if (word := conditions().get(plain(said))) is not None:
            yield word, said


def _ages(age: float | None) -> Iterator[tuple[str, str]]:
    if age is None:
        return
    bounds, said = limits(), f"age {age:g}"
    if age < bounds["minor"]:
        yield "age_under_18", said
    elif age < bounds["young"] + 1:
        yield "age_18_to_25", said
    elif age >= bounds["older"]:
        yield "age_65_and_over", said


def _low_cyp2c9(pair: str | None) -> bool:
    if pair is None:
        return False
    known, turned = load_genotypes(), "/".join(reversed(pair.split("/")))
    found = known.get(pair) or known.get(turned)
    return found is not None and found.value <= limits()["low_cyp2c9"]


def not_assessed(case: Case, plan: Planned) -> Iterator[str]:
    """What the case does not say, so that nothing was looked up: what could harm most comes first."""
    person, history = case.person, case.history
    woman = person.sex != "male" and (person.age_years or 0.0) <= limits()["fertile"]
    asked = {
        "product": case.plan.product,
        "pregnancy": _said(case, "pregnancy", person.pregnancy) if woman else "",
        "current drugs": history.current,
        "other conditions": history.conditions,
        "family history of psychosis": _said(case, "family_psychosis", history.family_psychosis),
        "age": person.age_years,
        "breast-feeding": _said(case, "breast_feeding", person.breast_feeding) if woman else "",
        "driving and machines": _said(case, "drives", person.drives),
        "alcohol": history.alcohol,
        "opioids": history.current if history.opioids is None else history.opioids,
        "planned operation or anaesthesia": _said(case, "surgery", history.surgery),
    }
    yield from (what for what, said in asked.items() if said is None)
    if plan.label and "cbd" in plan.unsure:
        yield f"CBD content of {plan.label}"
    for said in history.conditions or ():
        if plain(said) not in conditions():
            near = difflib.get_close_matches(plain(said), list(conditions()), n=1, cutoff=_ALIKE)
            yield f"{STATED} {said} (no row in the tables{f'; {near[0]}?' if near else ''})"


def _said(case: Case, word: str, value: object) -> object:
    """A fact that stands among the conditions is said as well."""
    listed = {conditions().get(plain(each)) for each in case.history.conditions or ()}
    return word if word in listed else value

"""What a case says of a person and a product, in the words of the tables, and what it does not say."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass

from lissive.case import Case, product
from lissive.case.products import Product
from lissive.model.parameters import load_genotypes
from lissive.safety._table import plain
from lissive.safety.answer import UnknownCondition
from lissive.safety.rules import EXCIPIENTS, conditions, contents, limits

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
        return Planned("", "", frozenset(), frozenset(("thc", "cbd")) | EXCIPIENTS, None, False, False)
    what, listed = product(name), contents().get(name)
    is_said = "thc" in (listed or {})
    has = {each for each, always in (listed or {}).items() if always}
    unsure = set(listed or {}) - has
    if listed is None and what.route != "inhaled":  # no label: what it is made with is not known
        unsure |= EXCIPIENTS
    most, mine = case.plan.most_mg_per_day(), (what.thc_mg_per_unit, what.cbd_mg_per_unit)
    for content, stated, per_unit in zip(("thc", "cbd"), most, mine, strict=True):
        amount = per_unit if stated is None else stated
        if amount is None:
            unsure |= set() if is_said else {content}
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
    for said in (*(history.conditions or ()), *cause):  # a stroke is one, as the cause or beside it
        for word in read_as(said):
            yield word, said


_DENIED = frozenset("no not without never denies denied excluded negative".split())
_FAMILY = frozenset(
    "family familial mother father parent parents brother sister sibling siblings son daughter child relative".split()
)
_BESIDE = frozenset(
    "recent past previous prior old history known suspected possible chronic acute severe mild moderate stable "
    "unstable controlled uncontrolled treated recurrent in since with years weeks months ago".split()
)
"""Words that say when, how sure or how grave."""
_WHOLE_ONLY = frozenset(("aids", "nursing", "child pugh", "child pugh class", "fall", "mi", "af", "pilot"))
"""Names that mean something else within a longer one: hearing aids, nursing home, Child-Pugh class C."""


def read_as(said: str) -> tuple[str, ...]:
    """The words of the tables that a stated condition holds; none where it denies or is in no row.

    >>> read_as("recent heart attack"), read_as("kidney transplant"), read_as("no psychosis")
    (('heart_disease',), ('kidney_disease', 'immunosuppression'), ())
    >>> read_as("mother with schizophrenia"), read_as("family history of epilepsy")
    (('family_psychosis',), ())
    """
    known, words = conditions(), plain(said).split()
    whole = known.get(" ".join(words))
    if whole is None and _DENIED & set(words):
        return ()
    held = _held(words)
    found = held if whole is None else (whole, *(each for each in held if each == "immunosuppression"))
    of_another = _FAMILY & set(words) and "pugh" not in words
    if not of_another or whole not in (None, "family_psychosis"):
        return found
    return ("family_psychosis",) if {"psychosis", "family_psychosis"} & set(found) else ()


def _held(words: list[str]) -> tuple[str, ...]:
    """What the parts of a longer name mean; of parts that overlap, the longest."""
    taken, found = set[int](), dict[str, None]()
    for length in range(len(words) - 1, 0, -1):
        for at in range(len(words) - length + 1):
            part, places = " ".join(words[at : at + length]), set(range(at, at + length))
            if part in conditions() and part not in _WHOLE_ONLY and not places & taken:
                taken |= places
                found[conditions()[part]] = None
    return tuple(found)


def is_whole(said: str) -> bool:
    """Whether a stated condition is in a row as it is, or with words beside it that leave it what it is.

    >>> is_whole("recent heart attack"), is_whole("acne and heart attack")
    (True, False)
    """
    words = [each for each in plain(said).split() if each not in _BESIDE and not each.isdigit()]
    return plain(said) in conditions() or " ".join(words) in conditions()


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


def unstated(case: Case, plan: Planned) -> Iterator[str]:
    """What the case does not say, so that nothing was looked up: what could harm most comes first."""
    person, history = case.person, case.history
    woman = person.sex != "male" and (person.age_years or 0.0) <= limits()["fertile"]
    asked = {
        "pregnancy": _said(case, "pregnancy", person.pregnancy) if woman else "",
        "family history of psychosis": _said(case, "family_psychosis", history.family_psychosis),
        "current drugs": history.current,
        "other conditions": history.conditions,
        "breast-feeding": _said(case, "breast_feeding", person.breast_feeding) if woman else "",
        "age": person.age_years,
        "product": case.plan.product,
        "driving and machines": _said(case, "drives", person.drives),
        "alcohol": history.alcohol,
        "opioids": history.current if history.opioids is None else history.opioids,
        "planned operation or anaesthesia": _said(case, "surgery", history.surgery),
    }
    yield from (what for what, said in asked.items() if said is None)
    if plan.label and "cbd" in plan.unsure:
        yield f"CBD content of {plan.label}"


def unknown_conditions(case: Case) -> Iterator[UnknownCondition]:
    """Conditions that are stated and, as they are stated, in no row."""
    for said in case.history.conditions or ():
        if not is_whole(said):
            near = difflib.get_close_matches(plain(said), list(conditions()), n=1, cutoff=_ALIKE)
            part = ", ".join(word.replace("_", " ") for word in read_as(said))
            yield UnknownCondition(said, f"only as {part}" if part else f"{near[0]}?" if near else "")


def _said(case: Case, word: str, value: object) -> object:
    """A fact that stands among the conditions is said as well."""
    return word if any(word in read_as(each) for each in case.history.conditions or ()) else value

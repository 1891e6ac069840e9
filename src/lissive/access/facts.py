"""Facts about one person, from a file or from a case.

Flags that are left out are unknown; diagnoses and symptoms that are left out are absent; an attribute of a symptom
that is left out is unknown. `spasticity: null` says that it is unknown whether it is there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from lissive.access.answer import DAYS_PER_MONTH, Asked, Facts, Symptom
from lissive.access.conditions import Recognised, conditions, flag_names, recognise
from lissive.access.rule import ADJECTIVES, DATA, read_table
from lissive.case import Case
from lissive.case.facts import Day, Visit
from lissive.case.vocabulary import brands, meant, plain_word, practitioners
from lissive.errors import RuleError
from lissive.given import kind_of
from lissive.table import rows_of
from lissive.typed import Row, make_typed, nearest, raise_all, read_typed, refuse


# -- products --------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Kind:
    """A licensed medicine, or a form in which programmes have products."""

    name: str
    text: str
    is_medicine: bool
    form: str
    """The form that rules speak of; of a medicine its own name."""
    nearest: tuple[str, ...]
    """What comes nearest to it, where it is not to be had."""


@cache
def products() -> Mapping[str, Kind]:
    """Every product by its name."""
    rows = read_table(DATA / "products.tsv", _COLUMNS)
    return MappingProxyType(
        {
            row["product"]: Kind(
                row["product"], row["text"], row["kind"] == "medicine", row["form"], row.parts("nearest")
            )
            for row in rows
        }
    )


_COLUMNS = ("product", "kind", "form", "text", "nearest", "also")


@cache
def product_words() -> Mapping[str, str]:
    """What access understands beside the words of a case, to the product's name; and the names."""
    rows = read_table(DATA / "products.tsv", _COLUMNS)
    found = {row["product"]: row["product"] for row in rows}
    return MappingProxyType({**{word: row["product"] for row in rows for word in row.parts("also")}, **found})


def product_of(said: str) -> str | None:
    """The product that a word means.

    >>> product_of("Sativex"), product_of("oils"), product_of("bread")
    ('nabiximols', 'thc_oil', None)
    """
    word = meant("product", said, products())
    return word if word in products() else product_words().get(plain_word(word))


# -- facts of a file -------------------------------------------------------------------------------
CAUSE_WORDS = ("idiopathic", "unknown")
_ATTRIBUTES = (*ADJECTIVES, "cause", "months", "days")


class ProductRow(Row):
    """The product that is planned, by its name or by its form."""

    id: str | None = None
    form: str | None = None
    thc_mg: float | None = Field(default=None, ge=0, le=10_000, json_schema_extra={"unit": "mg"})
    cbd_mg: float | None = Field(default=None, ge=0, le=10_000, json_schema_extra={"unit": "mg"})

    @model_validator(mode="after")
    def _known(self) -> Self:
        for name in ("id", "form"):
            said = getattr(self, name)
            if said is not None and product_of(said) is None:
                known = sorted(products())
                nearly = [*product_words(), *(brand for each in known for brand in brands(each))]
                raise refuse(f"is {said!r}.{nearest(said, nearly)}", f"{', '.join(known)}.", field=name)
        if self.id is None and self.form is None:
            raise refuse("names no product.", "id or form.", "write one of the two.")
        return self

    def asked(self) -> Asked:
        """As the answer has it; a licensed medicine goes before a form."""
        found = [product_of(said) for said in (self.id, self.form) if said]
        return Asked(next(each for each in found if each), self.thc_mg, self.cbd_mg)


class FactRow(Row):
    """The facts as a file has them."""

    age: float | None = Field(default=None, ge=0, le=120, json_schema_extra={"unit": "years"})
    resident: bool | None = None
    visitor_card: bool | None = None
    dx: tuple[Annotated[str, Field(examples=["multiple_sclerosis"])], ...] = ()
    dx_complete: bool = True
    """False: there may be diagnoses that are not in dx."""
    symptoms: dict[str, Any] = Field(default_factory=dict)
    """Name to attributes; or true: it is there, false: it is not, null: whether it is there is unknown."""
    flags: dict[str, bool | None] = Field(default_factory=dict)
    practitioner: str | None = None
    visit: Visit | None = None
    initial: bool | None = None
    ends: Day | None = None
    """The last day, where the practitioner sets one."""
    specialty: bool | None = None
    waiver: bool | None = None
    guardian: bool | None = None
    second_practitioner: bool | None = None
    caregiver: bool | None = None
    moved_from: str | None = Field(default=None, pattern=r"^[A-Z]{2}(-[A-Z0-9]{1,3})?$", examples=["US-NY"])
    certified_on: Day | None = None
    product: ProductRow | None = None

    @model_validator(mode="after")
    def _words_known(self) -> Self:
        raise_all(self._wrong_words())
        return self

    def _wrong_words(self) -> Iterator[PydanticCustomError]:
        for number, said in enumerate(self.dx):
            if (found := recognise(said)).how == "malformed_code":
                yield refuse(f"is wrong: {found.note}", field=f"dx.{number}")
        for name, attributes in self.symptoms.items():
            yield from _wrong_symptom(name, attributes)
        yield from _contradictions(self.symptoms)
        for name in self.flags:
            if name not in flag_names():
                known = sorted(flag_names())
                yield refuse(
                    f"is not a known fact.{nearest(name, known)}",
                    f"{', '.join(known)}.",
                    field=f"flags.{name}",
                )
        who = self.practitioner
        if who is not None and plain_word(who) not in practitioners():
            known = sorted(set(practitioners().values()))
            yield refuse(
                f"is {who!r}.{nearest(who, practitioners())}", f"{', '.join(known)}.", field="practitioner"
            )

    def facts(self) -> Facts:
        """The facts, with names and codes as words of the vocabulary."""
        dx, symptoms, doubts = _conditions(self.dx)
        named: set[str] = set()
        for name, attributes in self.symptoms.items():
            found = recognise(name)
            word = found.symptom or name
            if attributes is False:
                continue
            known = {} if attributes is True else attributes
            one = None if known is None else _symptom(known, found, doubts)
            symptoms[word] = _merged(symptoms[word], one) if word in named else one
            named.add(word)
        who = None if self.practitioner is None else practitioners()[plain_word(self.practitioner)]
        flags = {flag_names()[name]: value for name, value in self.flags.items() if value is not None}
        made: dict[str, Any] = {each.name: getattr(self, each.name, None) for each in fields(Facts)}
        made |= {
            "dx": dx,
            "symptoms": symptoms,
            "flags": flags,
            "practitioner": who,
            "doubts": tuple(dict.fromkeys(doubts)),
            "product": self.product.asked() if self.product else None,
        }
        return Facts(**made)


def _merged(one: Symptom | None, other: Symptom | None) -> Symptom | None:
    """One symptom that was entered by two names, as cramps and muscle spasms; they do not contradict each other."""
    if one is None or other is None:
        return one or other
    known = {name: value for name, value in other.attributes.items() if value is not None}
    cause = other.cause if one.cause in (None, "unknown") else one.cause
    months = other.months if one.months is None else one.months
    return Symptom({**one.attributes, **known}, cause, months)


def _contradictions(symptoms: Mapping[str, Any]) -> Iterator[PydanticCustomError]:
    """Two names of one symptom of which the one says what the other denies."""
    said: dict[tuple[str, str], tuple[str, Any]] = {}
    for name, attributes in symptoms.items():
        word = recognise(name).symptom or name
        own = {"there": attributes is not False, **(attributes if isinstance(attributes, Mapping) else {})}
        for attribute, value in own.items():
            first, before = said.setdefault((word, attribute), (name, value))
            if value not in (before, None, "unknown") and before not in (None, "unknown"):
                field = f"symptoms.{name}" if attribute == "there" else f"symptoms.{name}.{attribute}"
                yield refuse(
                    f"contradicts {first}, which is the same symptom.", do="write it once.", field=field
                )


def _wrong_symptom(name: str, attributes: Any) -> Iterator[PydanticCustomError]:
    place = f"symptoms.{name}"
    if not isinstance(attributes, Mapping):
        if not isinstance(attributes, bool | None):
            allowed = "true, false, null where it is unknown, or what is known of it, as {severe: true}."
            yield refuse(f"is {attributes!r}.", allowed, "correct the value.", place)
        attributes = {}
    if recognise(name).symptom is None:
        known = [word for word, each in conditions().items() if each.is_symptom]
        yield refuse(f"is not a known symptom.{nearest(name, known)}", f"{', '.join(known)}.", field=place)
    for attribute, value in attributes.items():
        field = f"{place}.{attribute}"
        if attribute not in _adjectives():
            yield refuse(
                f"is not a known attribute.{nearest(attribute, _adjectives())}",
                f"{', '.join(_adjectives())}.",
                field=field,
            )
        elif attribute == "cause":
            if value is not None and (not isinstance(value, str) or recognise(value).how == "malformed_code"):
                yield refuse(f"is {value!r}.", "a diagnosis, idiopathic, unknown.", field=field)
        elif attribute in ("months", "days"):
            most = 1500 if attribute == "months" else 45_000
            if value is not None and not (
                isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= most
            ):
                yield refuse(f"is {value!r}.", f"0 to {most} {attribute}.", field=field)
            if attribute == "days" and value is not None and attributes.get("months") is not None:
                yield refuse("stands beside months.", "months or days.", "write one of the two.", field)
        elif not isinstance(value, bool | None):
            yield refuse(f"is {value!r}.", "true, false.", field=field)


def _adjectives() -> tuple[str, ...]:
    """What may be said of a symptom: the adjectives of the rules, and those that their words for pain hold."""
    more = [word for word, each in conditions().items() if each.kind == "adjective"]
    return tuple(dict.fromkeys((*_ATTRIBUTES, *more)))


def _conditions(entries: tuple[str, ...]) -> tuple[tuple[str, ...], dict[str, Symptom | None], list[str]]:
    """Diagnoses, symptoms that were entered as such, and what is not known."""
    dx: list[str] = []
    symptoms: dict[str, Symptom | None] = {}
    doubts: list[str] = []
    for said in entries:
        found = recognise(said)
        if not found.known:
            dx.append(said.strip())
            if (broad := _broad().get(said.strip())) is None:
                doubts.append(f"{found.note} What a rule lists is then unknown for it.")
            elif kinds := broad["may_be"].split():
                names = ", ".join(each.replace("_", " ") for each in kinds)
                doubts.append(
                    f"Which {broad['label']} it is decides where a rule lists one ({names}): name it."
                )
        if found.diagnosis:
            dx.append(found.diagnosis)
        elif found.symptom:
            symptoms[found.symptom] = Symptom(dict(found.attributes))
        dx += [word for word in found.also if conditions()[word].is_diagnosis]
    return tuple(dict.fromkeys(dx)), symptoms, doubts


@cache
def _broad() -> Mapping[str, Mapping[str, str]]:
    """Words of the case's form that are wider than a diagnosis, and the diagnoses of rules that may be meant."""
    return {row["word"]: row for row in rows_of(Path(__file__).parent / "broad.tsv")}


def _symptom(attributes: Mapping[str, Any], found: Recognised, doubts: list[str]) -> Symptom:
    stated = {k: v for k, v in attributes.items() if k not in ("cause", "months", "days")}
    known = {**found.attributes, **stated}
    cause = attributes.get("cause")
    if cause is not None and cause not in CAUSE_WORDS:
        meant = recognise(cause)
        if not meant.known:
            doubts.append(
                f"{meant.note} As a cause it passes where any disease does, and is unknown elsewhere."
            )
        cause = meant.diagnosis or meant.symptom or cause
    days = attributes.get("days")
    return Symptom(known, cause, attributes.get("months") if days is None else days / DAYS_PER_MONTH)


def read_facts(path: str | Path) -> Facts:
    """The facts in a YAML or JSON file.

    Raises       RuleError with file, line and field of each finding.
    """
    row = read_typed(path, FactRow, RuleError, example="age: 52", thing="the facts")
    return row.facts()


def make_facts(data: Mapping[str, Any], *, where: str = "") -> Facts:
    """The facts in plain data; raises as `read_facts` does.

    >>> make_facts({"dx": ["G35"], "symptoms": {"muscle_spasms": {"severe": True}}}).dx
    ('multiple_sclerosis',)
    """
    return make_typed(data, FactRow, RuleError, where=where, thing="the facts").facts()


def facts_of_case(case: Case, *, away: bool = False) -> Facts:
    """What a case says of these questions. What it does not say stays unknown.

    Ratings say that a symptom is there (more than 0) or not (0), never that it is severe. Other symptoms than
    spasms, spasticity and pain have no place in a case: they count as absent.

    Parameters
    ----------
    away : the question is asked for another place than that of residence.
    """
    kind_of("case", case, Case, wrong=RuleError, do="read it with read_case(FILE).")
    spasm, place = case.spasm, case.place
    conditions_said = case.history.conditions
    # "nocturnal cramps" and "another cause" name no diagnosis: which it is stays unknown
    cause = spasm.cause if spasm.cause and recognise(spasm.cause).diagnosis else None
    dx, more, doubts = _conditions((*((cause,) if cause else ()), *(conditions_said or ())))
    months = None
    if spasm.since is not None and case.as_of is not None:
        months = (case.as_of - spasm.since).days / DAYS_PER_MONTH
    symptoms: dict[str, Symptom | None] = dict(more)
    if spasm.spasms_per_day != 0:
        attributes = {"severe": spasm.severe, "persistent": spasm.persistent}
        symptoms["muscle_spasms"] = Symptom(attributes, cause, months)
    for name, rating in (("spasticity", spasm.spasticity_nrs), ("pain", spasm.pain_nrs)):
        if rating is None:
            symptoms.setdefault(name, None)
        elif rating > 0:
            symptoms[name] = Symptom({}, cause)
    return Facts(
        age=case.person.age_years,
        resident=None if place.residence is None else not away,
        dx=dx,
        dx_complete=conditions_said is not None and cause is not None,
        symptoms=symptoms,
        flags=_flags_of(case),
        practitioner=place.practitioner,
        visit=place.visit,
        doubts=tuple(doubts),
        product=_planned(case),
    )


def with_more(facts: Facts, more: Facts) -> Facts:
    """The facts of a case with what else is said of the person: further diagnoses, symptoms and flags are added,
    and anything else that is said replaces what the case has."""
    said = {
        each.name: getattr(more, each.name)
        for each in fields(Facts)
        if getattr(more, each.name) != getattr(Facts(), each.name)
    }
    together = {
        "dx": tuple(dict.fromkeys((*facts.dx, *more.dx))),
        "symptoms": {**facts.symptoms, **more.symptoms},
        "flags": {**facts.flags, **more.flags},
        "doubts": (*facts.doubts, *more.doubts),
    }
    return replace(facts, **{**said, **together})


def _planned(case: Case) -> Asked | None:
    """The product of the plan; what one dose has in it is said of products counted in mg of THC."""
    plan = case.plan
    said = product_of(plan.product) if plan.product is not None else None
    if said is None:
        return None
    return Asked(said, None if products()[said].is_medicine else plan.mg_per_unit()[0])


def _flags_of(case: Case) -> dict[str, bool]:
    """The further facts of a case, by the names that rules use."""
    names, said = flag_names(), case.flags or {}
    for name in said:
        if name not in names:
            raise RuleError(
                f"flags.{name} is not a known fact.{nearest(name, names)}",
                where=case.case,
                allowed=f"{', '.join(sorted(names))}.",
                do="correct the name, or take the line out.",
            )
    return {names[name]: value for name, value in said.items()}

"""The facts of a case, as frozen data. A fact that is absent (None) is unknown, never a default."""

from __future__ import annotations

import datetime
import itertools
import math
import re
from collections.abc import Iterator
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from lissive.case.fact import Facts, fact, is_mass, one_of, worded
from lissive.case.plan import Plan, too_much
from lissive.case.products import product
from lissive.case.vocabulary import (
    causes,
    meant,
    plain_word,
    practitioners,
    visits,
    with_present_names,
)
from lissive.typed import nearest, raise_all, refuse
from lissive.units import magnitude


def _date(value: Any) -> Any:
    try:
        return datetime.date.fromisoformat(value) if isinstance(value, str) else value
    except ValueError:
        raise refuse(f"is {value!r}.", "a valid date, as in 2026-11-22.") from None


Day = Annotated[datetime.date, BeforeValidator(_date)]
"""A calendar day, written 2026-11-22."""


def _joined(value: Any) -> Any:
    """A name as ids are written; capitals and blanks do not matter."""
    return "_".join(value.lower().split()) if isinstance(value, str) else value


Word = Annotated[
    str,
    BeforeValidator(_joined),
    Field(pattern=r"^[a-z0-9][a-z0-9_+-]*$", max_length=80, examples=["baclofen"]),
]
"""A name in small letters, words joined by _."""


DrugName = Annotated[
    str,
    Field(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9 _+.,/()'-]*$",
        max_length=80,
        examples=["baclofen", "St. John's wort"],
    ),
]
"""What a drug is called: its ingredient, or a brand."""


def practitioner_of(said: str) -> str:
    """The type of practitioner that a word means."""
    if (found := practitioners().get(plain_word(said))) is None:
        known = sorted(set(practitioners().values()))
        raise refuse(f"is {said!r}.{nearest(said, practitioners())}", f"{', '.join(known)}.")
    return found


Visit = Annotated[str, AfterValidator(lambda said: one_of("visit", said, visits()))]
"""How a visit takes place."""


class Person(Facts):
    """Who the case is about."""

    age_years: float | None = fact("Age.", unit="years", ge=0, le=120, examples=[52])
    sex: Annotated[Literal["female", "male"], worded("sex", "female", "male")] | None = fact(
        "Physiological sex."
    )
    weight_kg: float | None = fact("Body weight.", unit="kg", ge=20, le=350, examples=[68])
    cyp2c9: str | None = fact(
        "CYP2C9 diplotype in star alleles.", pattern=r"^\*\d+/\*\d+$", examples=["*1/*3"]
    )
    pregnancy: (
        Annotated[Literal["none", "planned", "current"], worded("pregnancy", "none", "planned", "current")]
        | None
    ) = fact("Pregnancy.")
    breast_feeding: bool | None = fact("Breast-feeding.")
    drives: bool | None = fact("Drives, or works with machines.")


class Place(Facts):
    """Where, and through whom, treatment would be certified or prescribed."""

    residence: str | None = fact(
        "Country, or country and state, by ISO 3166.",
        pattern=r"^[A-Z]{2}(-[A-Z0-9]{1,3})?$",
        examples=["US-NY"],
    )
    """In a file also by its name, as New York."""
    visit: Visit | None = fact("How the visit takes place.", examples=["in_person"])
    practitioner: str | None = fact("Who certifies.", examples=["NP"])

    @field_validator("residence", mode="before")
    @classmethod
    def _by_name(cls, value: Any) -> Any:
        return meant("residence", value, ()) if isinstance(value, str) else value

    @field_validator("practitioner")
    @classmethod
    def _known_practitioner(cls, value: str | None) -> str | None:
        return value if value is None else practitioner_of(value)


class Spasm(Facts):
    """The spasms as they are now, before the plan begins."""

    cause: str | None = fact("What causes the spasms.", examples=["multiple_sclerosis"])
    since: Day | None = fact("Day on which the spasms began.", examples=["2021-03-01"])
    spasms_per_day: float | None = fact(
        "Spasms on an average day.", unit="spasms a day", ge=0, le=1000, examples=[9]
    )
    severity_nrs: float | None = fact(
        "Spasm severity, numeric rating scale.", unit="NRS", ge=0, le=10, examples=[6]
    )
    spasticity_nrs: float | None = fact(
        "Spasticity over the last 24 h, numeric rating scale.", unit="NRS", ge=0, le=10, examples=[7]
    )
    pain_nrs: float | None = fact("Pain, numeric rating scale.", unit="NRS", ge=0, le=10, examples=[5])
    severe: bool | None = fact("Judged severe by the practitioner.")
    persistent: bool | None = fact("Judged persistent by the practitioner.")

    @model_validator(mode="before")
    @classmethod
    def _former_names(cls, data: Any) -> Any:
        return with_present_names("field", data)

    @field_validator("cause")
    @classmethod
    def _known_cause(cls, value: str | None) -> str | None:
        return value if value is None else one_of("cause", value, causes())


_NAME_AND_DOSE = re.compile(r"(.*?)(?:\s+(\d[\d.]*\s*[^\W\d]+\s*/\s*\w+))?", re.DOTALL)


class CurrentDrug(Facts):
    """One drug that is being taken."""

    drug: DrugName = Field(description="International non-proprietary name, or a brand.")
    dose: str | None = fact("What is taken in a day, with its unit.", examples=["60 mg/day"])

    @model_validator(mode="before")
    @classmethod
    def _name_alone(cls, data: Any) -> Any:
        """`baclofen`, `baclofen 60 mg/day` or `baclofen 20 mg tid` in place of the two fields."""
        if not isinstance(data, str):
            return data
        name, dose = _NAME_AND_DOSE.fullmatch(data.strip()).groups()  # type: ignore[union-attr]
        if dose is None:
            name, dose = as_prescribed(name)
        return {"drug": name, "dose": dose} if dose else {"drug": name}

    @field_validator("dose")
    @classmethod
    def _is_mass_per_day(cls, value: str | None) -> str | None:
        if value is not None:
            is_mass(value, "mg/day")
        return value

    @property
    def dose_mg_per_day(self) -> float | None:
        return None if self.dose is None else magnitude(self.dose, "mg/day")


Outcome = Literal["effective", "partly_effective", "not_effective", "not_tolerated"]
"""What came of a drug that was tried."""


class History(Facts):
    """What was tried and what is taken. An empty list says none; an absent one says unknown."""

    tried: tuple[Word, ...] | None = fact(
        "Drugs tried for the spasms before.", examples=[["baclofen", "tizanidine"]]
    )
    outcome: dict[Word, Outcome] | None = fact(
        "What came of a drug that was tried, by its name.",
        choice=True,
        examples=[{"baclofen": "not_tolerated"}],
    )
    current: tuple[CurrentDrug, ...] | None = fact(
        "Drugs taken now, with their doses.", examples=[["baclofen 60 mg/day"]]
    )
    conditions: tuple[Word, ...] | None = fact("Other conditions.", examples=[["psychosis"]])
    opioids: (
        Annotated[Literal["none", "past", "current"], worded("opioids", "none", "past", "current")] | None
    ) = fact("Use of opioids.")
    alcohol: (
        Annotated[Literal["none", "some", "heavy"], worded("alcohol", "none", "some", "heavy")] | None
    ) = fact("Use of alcohol.")
    family_psychosis: bool | None = fact("Psychosis in a parent, brother, sister or child.")
    surgery: bool | None = fact("An operation or anaesthesia is planned.")

    @model_validator(mode="after")
    def _outcome_of_tried(self) -> Self:
        raise_all(
            refuse(
                "is not among history.tried.",
                f"{', '.join(self.tried or ()) or 'none: nothing is listed there'}.",
                "add it there.",
                f"outcome.{name}",
            )
            for name in self.outcome or {}
            if name not in (self.tried or ())
        )
        return self


class Case(Facts):
    """One person, one question, one day."""

    case: str = Field(
        description="Name of the case; files are named after it.",
        pattern=r"^[A-Za-z0-9][A-Za-z0-9 ._-]*$",
        max_length=80,
        examples=["ms-new-york"],
    )
    as_of: Day | None = fact("Date of the question.", examples=["2026-11-22"])
    person: Person = Field(default=Person(), description="Who it is about.")
    place: Place = Field(default=Place(), description="Where, and through whom.")
    spasm: Spasm = Field(default=Spasm(), description="The spasms as they are now.")
    history: History = Field(default=History(), description="What was tried and what is taken.")
    plan: Plan = Field(default=Plan(), description="What would be taken, and for how long.")
    plans: tuple[Plan, ...] | None = fact(
        "Other plans, each forecast beside `plan` in the same virtual patients.",
        choice=True,
        max_length=6,
        examples=[[{"product": "oil", "thc_mg": 2.5, "doses_per_day": 2, "weeks": 12}]],
    )
    diary: str | None = fact(
        "File of the diary, beside the case.",
        choice=True,
        min_length=1,
        max_length=400,
        examples=["diary.csv"],
    )
    flags: dict[str, bool] | None = fact(
        "Further facts that rules of access ask for, by name.",
        choice=True,
        examples=[{"functional_limit": True}],
    )

    @model_validator(mode="before")
    @classmethod
    def _empty_is_absent(cls, data: Any) -> Any:
        """A part that is opened and left empty (`person:`) is as good as not there."""
        return {k: v for k, v in data.items() if v is not None} if isinstance(data, dict) else data

    @model_validator(mode="after")
    def _parts_agree(self) -> Self:
        raise_all(itertools.chain(self._check_days(), self._check_dose()))
        return self

    def _check_days(self) -> Iterator[PydanticCustomError]:
        since = self.spasm.since
        if since is not None and self.as_of is not None and since > self.as_of:
            yield refuse(f"is {since}, after as_of.", f"{self.as_of} or before.", field="spasm.since")

    def _check_dose(self) -> Iterator[PydanticCustomError]:
        named = [("plan", self.plan), *((f"plans[{k}]", each) for k, each in enumerate(self.plans or ()))]
        for where, plan in named:
            if plan.product is None:
                continue
            mine = product(plan.product)
            label, ceiling = mine.label_limit(self.person.weight_kg), mine.ceiling_per_day
            limits = [ceiling, None if plan.override else label]
            counted = min((limit for limit in limits if limit is not None), default=math.inf)
            for name, amount, of_cbd in plan.amounts(mine):
                most = counted if of_cbd is None else of_cbd
                if amount > most:
                    at_ceiling = most in (ceiling, of_cbd)
                    yield too_much(mine, plan, f"{where}.{name}", amount, most, at_ceiling=at_ceiling)


_TIMES = {
    1: "daily|once daily|once a day|once per day|per day|a day|qd|od|every day|each day|every morning|every evening"
    "|every night|at night|nightly|at bedtime|qhs|qam|qpm",
    2: "twice daily|twice a day|two times a day|2 times a day|bid|bd|b.i.d.|every 12 hours|q12h",
    3: "three times daily|three times a day|3 times a day|thrice daily|tid|tds|t.i.d.|every 8 hours|q8h",
    4: "four times daily|four times a day|4 times a day|qid|qds|q.i.d.|every 6 hours|q6h",
}
_A_DAY = {word: n for n, words in _TIMES.items() for word in words.split("|")}
_ROUTES = "po|p.o.|oral|orally|by mouth|tablet|tablets|tab|tabs|capsule|capsules"
_LESS_SURE = "weekly|once a week|prn|as needed|when needed|every other day|alternate days"
_ANY = "|".join(re.escape(each) for each in sorted([*_A_DAY, *_LESS_SURE.split("|")], key=len, reverse=True))
_AMOUNT = re.compile(
    r"(?P<name>.*?[^\s,(])[\s,(]+(?P<number>\d[\d.,/-]*)\s*(?P<unit>mg|mcg|µg|μg|g|ml|iu|units?)\b(?P<how>.*)",
    re.DOTALL | re.IGNORECASE,
)
_HOW_ALONE = re.compile(rf"(?P<name>.*?[^\s,])(?:[\s,]+(?:{_ROUTES}))?[\s,]+(?:{_ANY})\.?", re.IGNORECASE)
_ROUTE = re.compile(rf"\b(?:{_ROUTES})(?![\w.])", re.IGNORECASE)


def as_prescribed(text: str) -> tuple[str, str | None]:
    """The name, and the dose of a day with its unit; None where the text does not tell how much that is.

    >>> as_prescribed("baclofen 20 mg three times a day")
    ('baclofen', '60 mg/day')
    >>> as_prescribed("warfarin 5mg PO daily"), as_prescribed("warfarin 5 mg on Mondays")
    (('warfarin', '5 mg/day'), ('warfarin', None))
    >>> as_prescribed("St. John's wort"), as_prescribed("baclofen prn")
    (("St. John's wort", None), ('baclofen', None))
    """
    found = _AMOUNT.fullmatch(text)
    if found is None:
        alone = _HOW_ALONE.fullmatch(text)
        return (text if alone is None else alone["name"]), None
    how = _ROUTE.sub(" ", found["how"])
    times = _A_DAY.get(" ".join(how.casefold().strip(" ,.)(").split()))
    number, unit = found["number"], found["unit"].casefold()
    if (
        times is None
        or not re.fullmatch(r"\d+(\.\d+)?", number)
        or unit not in ("mg", "mcg", "µg", "μg", "g")
    ):
        return found["name"], None
    return found["name"], f"{times * float(number):g} {unit}/day"

"""A jurisdiction's rules as typed rows: versions by date, each with its logic, its wording and its sources.

Days stay as they are written ("2017-03-22", or "2017-03" and "2017" where the day is not known) until
`dates.py` reads them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache, cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from lissive import table
from lissive.access.answer import is_day, span
from lissive.errors import RuleError
from lissive.given import text_of
from lissive.table import TableRow
from lissive.typed import Row, nearest, read_typed, refuse

# -- rules -----------------------------------------------------------------------------------------
DateWord = Literal["day", "month", "year", "approx"]
Known = Literal["read", "recalled"]
SeverityLogic = Literal["and", "or"]
CAUSES = (
    "none_required",
    "any_chronic_or_debilitating_disease_or_its_treatment",
    "any_chronic_terminal_or_debilitating_disease_or_its_treatment",
    "any_chronic_medical_condition",
    "any_medical_condition_or_its_treatment",
    "any_disease",
    "central_nervous_system_disorder",
)
"""What a rule may ask of the cause of a symptom, beside a list of diagnoses."""
ADJECTIVES = (
    "severe", "persistent", "chronic", "painful", "debilitating", "intractable", "moderate_to_severe",
)  # fmt: skip
PRACTITIONERS = (
    "MD", "DO", "NP", "PA", "ND", "homeopath", "dentist", "podiatrist", "midwife", "optometrist", "CNS", "CRNA",
    "psychologist", "specialist",
)  # fmt: skip


def _day(text: str) -> str:
    if not is_day(text):
        raise refuse(f"is {text!r}.", "a valid date, as in 2017-03-22.", "correct it.")
    return text


def _when(text: str) -> str:
    if span(text) is None:
        raise refuse(
            f"is {text!r}.", 'a day, month or year, as in 2017-03-22, 2017-03 or "2017".', "correct it."
        )
    return text


Day = Annotated[str, AfterValidator(_day)]
When = Annotated[str, AfterValidator(_when)]
Words = tuple[Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_]*$", examples=["multiple_sclerosis"])], ...]


class Listed(Row):
    """A cause that must be one of these."""

    listed: Words = Field(min_length=1)


class Clause(Row):
    """One node of a rule's logic: one kind of test, with what limits it."""

    any_of: tuple[Clause, ...] | None = Field(default=None, min_length=1)
    all_of: tuple[Clause, ...] | None = Field(default=None, min_length=1)
    dx_any: Words | None = Field(default=None, min_length=1)
    symptom: str | None = None
    symptom_any: Words | None = Field(default=None, min_length=1)
    cause_of_symptom: Words | None = Field(default=None, min_length=1)
    """An injury or condition, of whatever kind, that has resulted in one of these symptoms."""
    flag: str | None = None
    discretion: str | None = None
    self_certify: Literal[True] | None = None
    never: Literal[True] | None = None
    unread: str | None = None
    """A part of the law that was not read: whatever it says is unknown."""
    age_min: int | None = Field(default=None, ge=0, le=120, json_schema_extra={"unit": "years"})
    # of a symptom
    severity: tuple[str, ...] = ()
    severity_logic: SeverityLogic = "and"
    cause: str | Listed | None = None
    duration_months_min: float | None = Field(default=None, ge=0, json_schema_extra={"unit": "months"})
    duration_days_min: float | None = Field(default=None, ge=0, json_schema_extra={"unit": "days"})
    duration_months_over: float | None = Field(default=None, ge=0, json_schema_extra={"unit": "months"})
    """More than so many months: that many are not enough."""
    duration_days_over: float | None = Field(default=None, ge=0, json_schema_extra={"unit": "days"})
    """More than so many days: that many are not enough."""
    # of any
    requires: Words = ()
    """Flags that must hold besides."""
    begins: When | None = Field(default=None, alias="from")
    until: When | None = None
    quoted: Literal[True] | None = None
    """The version's quote is the wording of this clause."""

    @cached_property
    def kind(self) -> str:
        """Which test it is; an age alone is a test, an age beside another is a limit of it."""
        found = [name for name in KINDS if getattr(self, name) is not None]
        return found[0] if found else ("age_min" if self.age_min is not None else "")

    @model_validator(mode="after")
    def _one_test(self) -> Self:
        found = [name for name in KINDS if getattr(self, name) is not None]
        if not self.kind or len(found) > 1:
            said = f"has {' and '.join(found)}" if found else "has no test"
            raise refuse(f"{said}.", f"one of {', '.join((*KINDS, 'age_min'))}.", "write one test a node.")
        limits = (
            self.severity
            or self.cause
            or self.duration_months_min
            or self.duration_months_over
            or self.duration_days_min
            or self.duration_days_over
        )
        if limits and self.kind not in ("symptom", "symptom_any"):
            raise refuse(
                "limits a clause that is not about a symptom.",
                "severity, cause and duration beside symptom or symptom_any.",
                "move them to the symptom.",
            )
        for word in self.severity:
            if word not in ADJECTIVES:
                raise refuse(f"is {word!r}.", f"{', '.join(ADJECTIVES)}.", "correct it.", "severity")
        if isinstance(self.cause, str) and self.cause not in CAUSES:
            raise refuse(
                f"is {self.cause!r}.", f"{', '.join(CAUSES)}, or {{listed: [...]}}.", "correct it.", "cause"
            )
        return self

    @property
    def children(self) -> tuple[Clause, ...]:
        return self.any_of or self.all_of or ()

    def walk(self) -> Iterator[Clause]:
        """This node and all below it."""
        yield self
        for child in self.children:
            yield from child.walk()


KINDS = (
    "any_of", "all_of", "dx_any", "symptom", "symptom_any", "cause_of_symptom", "flag", "discretion",
    "self_certify", "never", "unread",
)  # fmt: skip


class Practitioner(Row):
    """A kind of practitioner who may certify within limits."""

    type: Literal[*PRACTITIONERS, "other"]  # type: ignore[valid-type]
    begins: When | Literal["unknown"] | None = Field(default=None, alias="from")
    only: str | None = None


class Span(Row):
    """From a day to a day, as far as they are known."""

    begins: When = Field(alias="from")
    until: When


class Below(Row):
    """Below an age, from a day on."""

    age: int = Field(ge=18, le=30, json_schema_extra={"unit": "years"})
    begins: When | None = Field(default=None, alias="from")


class Telehealth(Row):
    """Whether a visit by video is enough; null is not known."""

    initial: bool | None
    renewal: bool | None = None
    renewal_seen: Day | None = None
    """From when a source says what `renewal` says; before that it is not known."""
    begins: When | None = Field(default=None, alias="from")
    needs: Literal["waiver"] | None = None
    """What the practitioner must hold for a first visit by video."""
    audio: bool | None = None
    """Whether sound without picture is enough where video is; null is not known."""
    emergency: Span | None = None
    """A time in which an emergency order may have allowed a first visit by video: then it is not known."""
    note: str | None = None


class Reciprocity(Row):
    """Whether visitors with a card of their home are recognised; null is not known."""

    recognised: bool | None
    begins: When | None = Field(default=None, alias="from")
    pass_days: int | None = Field(default=None, ge=1, le=366, json_schema_extra={"unit": "days"})
    """How long a visitor's own pass runs."""
    note: str | None = None


class Source(Row):
    """What was read."""

    url: str = Field(pattern=r"^https?://\S+$", examples=["https://www.nysenate.gov/legislation/laws/CAN/30"])
    title: str = Field(min_length=1)
    source_as_of: When | None = None
    read_on_page: str | None = None


class DatedCaution(Row):
    """A doubt about the rule that a reader has to know."""

    kind: Literal["conflict", "incomplete", "limited"]
    """Sources differ; something was not read; the rule protects less than its level says."""
    text: str = Field(min_length=1)
    begins: Day | None = Field(default=None, alias="from")
    until: Day | None = None


class Pending(Row):
    """A change that was on its way when the rule was checked. Enactment is never assumed."""

    bill: str
    begins: When = Field(alias="from")
    effect: str
    logic: Clause | None = None
    """The logic as the bill would have it, where it is known."""


class ProgrammeStatus(Row):
    """What kind of programme there was."""

    begins: Day | None = Field(alias="from")
    ends: Day | None = Field(alias="to")
    status: str
    provenance: Known


FIELDS = frozenset(
    "qualifying logic quote practitioners telehealth in_person certification_validity minors_caregiver registry_card "
    "limit product_limits reciprocity fee".split()
)
"""What fields_read and fields_recalled may name."""


class Version(Row):
    """The rule from one day to another, both within."""

    id: str = Field(min_length=1)
    begins: Day | None = Field(alias="from")
    ends: Day | None = Field(alias="to")
    date_precision: DateWord | None = None
    from_provenance: Known | Literal["computed"] | None = None
    citations: tuple[str, ...] = Field(min_length=1)
    quote: str | None
    wording: str | None = None
    """What the clause says, where the words of the law are not at hand."""
    spasm_alone_sufficient: (
        bool | Literal["any_underlying", "conjunctive_but_open", "discretion", "self_certify"]
    )
    qualifying: tuple[str, ...] = ()
    """Words for search and display; the logic decides."""
    logic: Clause
    practitioners: tuple[str | Practitioner, ...] | None
    practitioners_note: str | None = None
    telehealth: Telehealth | None
    in_person: str | None = None
    certification_validity_months: int | None = Field(
        default=None, ge=1, le=240, json_schema_extra={"unit": "months"}
    )
    certification_validity_days: int | None = Field(
        default=None, ge=1, le=3660, json_schema_extra={"unit": "days"}
    )
    no_expiry_if_terminal: Literal[True] | None = None
    apply_within_days: int | None = Field(default=None, ge=1, le=366, json_schema_extra={"unit": "days"})
    """By when the person has to have applied, or been enrolled, for the certification not to lapse."""
    card_validity_months: int | None = Field(default=None, ge=1, le=120, json_schema_extra={"unit": "months"})
    """How long the state's card runs, where it runs longer or shorter than the certification."""
    registry_card: str | None = None
    reciprocity: Reciprocity | None
    minors_caregiver: str | None = None
    minor_below: int = Field(default=18, ge=1, le=30, json_schema_extra={"unit": "years"})
    """Age below which a parent or guardian has to act."""
    minor_second_practitioner: Literal[True] | None = None
    """A second practitioner has to agree for a minor."""
    minor_paediatric: Literal[True] | None = None
    """One who certifies a minor has to be a paediatrician; no fact says so, and it stays unknown."""
    second_practitioner_below: Below | None = None
    """Adults below an age need a second practitioner too."""
    minor_practitioners: tuple[str, ...] = ()
    """Who alone may certify a minor, where that is fewer than for an adult."""
    limit: str | None = None
    product_limits: str | None = None
    fee: str | None = None
    provenance: Literal["read", "mixed", "recalled"]
    fields_read: tuple[str, ...]
    fields_recalled: tuple[str, ...]
    disputed: tuple[str, ...] = ()
    """Fields that two readers coded differently and that were not settled: no surer than what is unverified."""
    confidence: Literal["high", "medium", "low"]
    as_of: When | None
    cautions: tuple[DatedCaution, ...] = ()
    pending: tuple[Pending, ...] = ()
    note: str | None = None
    sources: tuple[Source, ...]

    def known(self, field: str) -> Known:
        """Whether a field, one of FIELDS, was read in a source, or is quoted from memory: unverified."""
        if field not in FIELDS:
            raise KeyError(field)
        return "read" if field in self.fields_read and field not in self.disputed else "recalled"

    @model_validator(mode="after")
    def _practitioners_known(self) -> Self:
        for number, each in enumerate(self.practitioners or ()):
            if isinstance(each, str) and each not in PRACTITIONERS:
                raise refuse(
                    f"is {each!r}.", f"{', '.join(PRACTITIONERS)}.", "correct it.", f"practitioners.{number}"
                )
        return self


class Jurisdiction(Row):
    """A state, territory or country, with the versions of its rule in order of date."""

    code: str = Field(pattern=r"^[A-Z]{2}(-[A-Z]{2})?$", examples=["US-NY"])
    name: str
    programme: str | None
    regulator: str | None
    verified: Day
    """When the file was last checked as a whole."""
    programme_status: tuple[ProgrammeStatus, ...]
    before_first: str | None = None
    """Why the first version is not the first rule: a day before it is then unknown, and not no."""
    versions: tuple[Version, ...] = Field(min_length=1)


# -- files -----------------------------------------------------------------------------------------
DATA = Path(__file__).parent / "data"
FOLDERS = ("us", "world")


def read_jurisdiction(path: str | Path, *, shipped: bool = False) -> Jurisdiction:
    """The rules in one file.

    Raises       RuleError with file and line of each finding.
    """
    return read_typed(
        path,
        Jurisdiction,
        RuleError,
        example="code: US-NY",
        thing="the jurisdiction",
        shipped=shipped,
    )


def paths() -> list[Path]:
    """The files, in order of their names."""
    return [path for folder in FOLDERS for path in sorted((DATA / folder).glob("[!_]*.yaml"))]


@cache
def files() -> Mapping[str, Path]:
    """The file of each jurisdiction by its code, which is its name: states and territories, then countries."""
    prefix = {"us": "US-", "world": ""}
    return MappingProxyType({f"{prefix[path.parent.name]}{path.stem.upper()}": path for path in paths()})


@cache
def _shipped(code: str) -> Jurisdiction:
    return read_jurisdiction(files()[code], shipped=True)


@cache
def rules() -> Mapping[str, Jurisdiction]:
    """Every jurisdiction by its code, in the order of `files`."""
    return MappingProxyType({code: _shipped(code) for code in files()})


def jurisdiction(code: str, known: Mapping[str, Jurisdiction] | None = None) -> Jurisdiction:
    """The jurisdiction of a code or a name, whatever its case.

    Raises       RuleError with the nearest.

    >>> jurisdiction("us-ny").name, jurisdiction("New York").code
    ('New York', 'US-NY')
    """
    wanted = text_of("jurisdiction", code, wrong=RuleError, example="US-NY").strip()
    if known is None and wanted.upper() in files():
        return _shipped(wanted.upper())  # one file is read, not all
    known = rules() if known is None else known
    if wanted.upper() in known:
        return known[wanted.upper()]
    names = {each.name.lower(): each for each in known.values()}
    if wanted.lower() in names:
        return names[wanted.lower()]
    raise RuleError(
        f"Unknown jurisdiction {code!r}.{_near(wanted, known, names)}",
        where="jurisdiction",
        allowed=f"{', '.join(known)}.",
        do="write a code, as US-NY or GB; `lissive access coverage` lists them.",
    )


def _near(wanted: str, known: Mapping[str, Jurisdiction], names: Mapping[str, Jurisdiction]) -> str:
    """A sentence with the code that was probably meant, or nothing."""
    state = known.get(f"US-{wanted.upper()}")
    if state is None:
        near = nearest(wanted.lower(), [*(each.lower() for each in known), *names])
        word = near.removeprefix(" Did you mean ").removesuffix("?")
        state = names.get(word) or known.get(word.upper())
    return f" Did you mean {state.code} ({state.name})?" if state else ""


def read_table(path: Path, columns: Sequence[str]) -> list[TableRow]:
    """The rows of a table that has exactly these columns, in this order."""
    return table.read_table(path, columns, RuleError, TableRow)

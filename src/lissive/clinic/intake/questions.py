"""What a patient is asked before a visit: only what the rule and safety need, in the order of what it would decide.

The questions of the case are those of `lissive.case`, in the words of questions.tsv and words.tsv.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from django.utils import timezone

from lissive.access.cases import code_of
from lissive.case import make_case
from lissive.case.ask import Question, with_answer
from lissive.clinic.booking.law import there
from lissive.clinic.forms import age_on, places
from lissive.clinic.models import Intake, Visit, VisitKind
from lissive.clinic.place import place
from lissive.errors import CaseError, LissiveError
from lissive.table import rows_of
from lissive.web.controls import as_said, control
from lissive.web.state import NAME as CASE_NAME
from lissive.web.state import State, questions_of

HERE = Path(__file__).parent
NAME, PLACE, OUTCOME, CONSENT = "name", "place", "outcome:", "consent:"
JOINT = " / "
"""Between the first and the family name in what is kept."""
UNKNOWN, NONE = "?", "none"
MOST = 2_000
PRACTITIONERS = frozenset({"spasm.severe", "spasm.persistent"})
"""Questions that are the practitioner's: taken as settled, so that nobody works out whether they decide."""
Options = tuple[tuple[str, str], ...]


# -- words -------------------------------------------------------------------------------------------
@cache
def _questions() -> Mapping[str, Mapping[str, str]]:
    return {row["field"]: row for row in rows_of(HERE / "questions.tsv")}


@cache
def _words() -> Mapping[tuple[str, str], Mapping[str, str]]:
    return {(row["kind"], row["word"]): row for row in rows_of(HERE / "words.tsv")}


def word(kind: str, name: str, tongue: str) -> str:
    """A word of words.tsv. Raises KeyError where there is none."""
    found = _words().get((kind, name)) or _words()["*", name]
    return found[tongue]


def ask_of(field: str, tongue: str) -> str:
    return _questions()[field][tongue]


def frame_words(tongue: str) -> dict[str, str]:
    return {name: row[tongue] for (kind, name), row in _words().items() if kind == "frame"}


# -- consents ----------------------------------------------------------------------------------------
@dataclass(frozen=True)
class ConsentText:
    kind: str
    version: str
    is_required: bool
    title: str
    text: str
    is_sample: bool = False
    """It is one of those that come with lissive."""

    @property
    def sha256(self) -> str:
        """Of title and text, as they were shown."""
        return hashlib.sha256(f"{self.title}\n{self.text}".encode()).hexdigest()


OWN = "consents.yaml"
"""In the data folder: the clinic's own texts, in place of the samples."""


def read_consents(path: Path) -> Mapping[str, Any]:
    """The texts of a file. Raises LissiveError where something of one is missing."""
    try:
        found = yaml.safe_load(path.read_text(encoding="utf-8"))
        for row in found.values():
            assert row["when"] in ("always", "remote")
            assert isinstance(row["required"], bool)
            assert isinstance(row["version"], str)
            assert all(
                isinstance(row[tongue][part], str) for tongue in ("en", "es") for part in ("title", "text")
            )
    except (
        OSError,
        ValueError,
        yaml.YAMLError,
        KeyError,
        TypeError,
        AttributeError,
        AssertionError,
    ) as error:
        raise LissiveError(
            f"The texts of the consents cannot be read ({type(error).__name__} {error}).",
            where=str(path),
            allowed="of each version (text), when (always, remote), required (true, false), title and text in en, es.",
            do=f"correct it after the example that comes with lissive: {HERE / OWN}.",
        ) from None
    return found  # type: ignore[no-any-return]


@cache
def _consents() -> tuple[Mapping[str, Any], bool]:
    """The texts, and whether they are the samples. The clinic's own are read once, when they are first shown."""
    own = place().data / OWN
    return (read_consents(own), False) if own.is_file() else (read_consents(HERE / OWN), True)


def consents(visit: Visit, tongue: str) -> list[ConsentText]:
    """The texts that are put before a visit, in order; what is voluntary last."""
    remote = visit.kind in (VisitKind.VIDEO, VisitKind.AUDIO)
    found, is_sample = _consents()
    return [
        ConsentText(
            kind, row["version"], row["required"], row[tongue]["title"], row[tongue]["text"], is_sample
        )
        for kind, row in found.items()
        if remote or row["when"] == "always"
    ]


def needs_guardian(visit: Visit) -> bool:
    """Whether the patient is too young, by the law of the place, to sign alone."""
    version = there(visit.patient.residence, visit.day).version if visit.patient.residence else None
    return age_on(visit.patient.born, visit.day) < (version.minor_below if version else 18)


def answers_of(intake: Intake) -> dict[str, str]:
    """By question what was answered; "?" for what was left open on purpose."""
    return {**intake.said, **dict.fromkeys(intake.passed, UNKNOWN)}


# -- one question ------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Item:
    """One question as it is put to the patient."""

    key: str
    kind: str
    """name, select, choice, several, list, day or consent"""
    ask: str
    hint: str = ""
    options: Options = ()
    consent: ConsentText | None = None

    @property
    def may_be_open(self) -> bool:
        """Whether "I do not know" is an answer."""
        return self.kind not in ("name", "consent") and self.key != PLACE


def state_of(visit: Visit, said: Mapping[str, str]) -> State:
    """The case that the patient's answers make, with what the booking says."""
    patient = visit.patient
    person: dict[str, Any] = {"age_years": age_on(patient.born, visit.day)}
    person |= {"sex": patient.sex} if patient.sex else {}
    where = {"residence": patient.residence} if patient.residence else {}
    place = {**where, "visit": visit.kind, "practitioner": visit.practitioner.profession}
    state = State({"case": CASE_NAME, "as_of": visit.day.isoformat(), "person": person, "place": place})
    for field in _questions():
        text = said.get(field, "")
        if text and "." in field:
            state = state.passing(field) if text == UNKNOWN else _answering(state, field, text)
    return _with_outcomes(state, said)


def _answering(state: State, field: str, text: str) -> State:
    try:
        return state.answering(field, text, today=timezone.localdate())
    except CaseError:  # of an earlier version
        return state


def _with_outcomes(state: State, said: Mapping[str, str]) -> State:
    tried = state.value("history.tried") or []
    found = {each: said[OUTCOME + each] for each in tried if said.get(OUTCOME + each, UNKNOWN) != UNKNOWN}
    if not found:
        return state
    data = {**state.data, "history": {**state.data["history"], "outcome": found}}
    make_case(data)
    return State(data, state.passed, state.gone)


def items(visit: Visit, said: Mapping[str, str], tongue: str) -> list[Item]:
    """Every question of this visit, in order, as far as it can be known what will be asked."""
    return list(_items(visit, state_of(visit, said), tongue))


def _items(visit: Visit, state: State, tongue: str) -> Iterator[Item]:
    yield _item(NAME, "name", tongue)
    if visit.kind != VisitKind.IN_PERSON:
        yield _item(PLACE, "select", tongue, options=(("", word("frame", "choose", tongue)), *places()))
    for one in questions_of(State(state.data, state.passed | PRACTITIONERS)):
        if one.field in _questions() and (one.field != "person.sex" or not visit.patient.sex):
            yield _of_case(one, state, tongue)
            if one.field == "history.tried":
                yield from _of_outcomes(state, tongue)
    for text in consents(visit, tongue):
        yield Item(
            CONSENT + text.kind,
            "consent",
            text.title,
            options=_options("consent", ("yes", "no"), tongue),
            consent=text,
        )


def _item(field: str, kind: str, tongue: str, *, options: Options = (), key: str = "", **more: str) -> Item:
    row = _questions()[field]
    return Item(key or field, kind, row[tongue].format(**more), row[f"hint_{tongue}"], options)


def _of_case(one: Question, state: State, tongue: str) -> Item:
    shown = control(one, state)
    options = _options(one.field, [key for key, _ in shown.options if key], tongue)
    return _item(one.field, shown.kind, tongue, options=options)


def _options(kind: str, keys: Any, tongue: str) -> Options:
    return tuple((key, word(kind, key, tongue)) for key in keys)


def _of_outcomes(state: State, tongue: str) -> Iterator[Item]:
    options = _options("outcome", ("effective", "partly_effective", "not_effective", "not_tolerated"), tongue)
    for drug in state.value("history.tried") or []:
        name = drug.replace("_", " ")
        yield _item("outcome", "choice", tongue, options=options, key=OUTCOME + drug, drug=name)


def first_open(asked: list[Item], said: Mapping[str, str]) -> int | None:
    """The place of the first question that was neither answered nor left open; None when none is."""
    return next((at for at, one in enumerate(asked) if one.key not in said), None)


# -- an answer ---------------------------------------------------------------------------------------
class NoAnswer(Exception):
    """What was typed is no answer; the text says what would be."""


def read(visit: Visit, intake: Intake, one: Item, typed: str) -> str:
    """What is kept of an answer that was typed. Raises NoAnswer."""
    tongue = intake.language
    if len(typed) > MOST or any(ord(each) < 32 and each not in "\r\n\t" for each in typed):
        raise NoAnswer(word("fault", "list", tongue))
    match one.kind:
        case "name":
            parts = [" ".join(part.split()) for part in typed.split(JOINT)]
            if len(parts) != 2 or not all(parts) or len(typed) > 200:
                raise NoAnswer(word("fault", "name", tongue))
            return JOINT.join(parts)
        case "consent":
            raise NotImplementedError  # signed apart
        case "choice" | "select" if typed not in dict(one.options) or not typed:
            raise NoAnswer(
                word("fault", "choice" if typed else "required" if one.key == PLACE else "empty", tongue)
            )
    if not typed:
        raise NoAnswer(word("fault", "empty", tongue))
    if "." in one.key and not one.key.startswith(OUTCOME):
        return _of_field(visit, intake, one, typed)
    return typed


def _of_field(visit: Visit, intake: Intake, one: Item, typed: str) -> str:
    state = state_of(visit, {**answers_of(intake), one.key: ""})
    text = (
        ", ".join(part.strip() for part in re.split(r"[,;\n]", typed) if part.strip())
        if one.kind in ("list", "several")
        else typed
    )
    try:
        today = timezone.localdate()
        data = with_answer(state.data, one.key, text, today=today, place_of=code_of)
    except CaseError:
        raise NoAnswer(
            word("fault", one.kind if one.kind in ("day", "list") else "choice", intake.language)
        ) from None
    if one.kind == "several" and NONE in text.split(", ") and text != NONE:
        raise NoAnswer(word("fault", "choice", intake.language))
    return as_said(State(data).value(one.key))


def words_of(one: Item, text: str, tongue: str) -> str:
    """An answer in the words in which it was chosen."""
    options = dict(one.options)
    if text in (UNKNOWN, NONE) and text not in options:
        return word("frame", "unknown" if text == UNKNOWN else "none", tongue)
    if one.kind == "name":
        return text.replace(JOINT, " ")
    if one.kind == "several":
        return ", ".join(options.get(each, each) for each in text.split(", "))
    return options.get(text, text)

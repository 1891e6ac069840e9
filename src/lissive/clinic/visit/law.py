"""What the place of a visit asks on its day, from the tables of access: steps with their clauses, credentials, look-up.

Nothing here names a place: `blocks.tsv` says how a block is worded, `credentials.tsv` by which words of a step or of
the state's form a credential is asked for.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

from lissive.access import jurisdiction
from lissive.access.conditions import flags
from lissive.access.decide import version_on
from lissive.access.rule import Version
from lissive.access.visit import Step, fields_of, visit_steps
from lissive.table import rows_of

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Clause:
    """What something rests on: the words, where they stand, and where they were read."""

    text: str = ""
    source: str = ""


@cache
def block_words() -> Mapping[str, Mapping[str, str]]:
    """How each block of access is said, by its word."""
    return {row["word"]: row for row in rows_of(HERE / "blocks.tsv")}


@lru_cache(maxsize=512)
def rule_on(code: str, on: datetime.date) -> Version | None:
    """The rule in force there on that day. Raises RuleError where there is no such place."""
    return version_on(jurisdiction(code), on)


@lru_cache(maxsize=512)
def steps_on(code: str, on: datetime.date) -> tuple[Step, ...]:
    """All that is known of a visit there on that day."""
    rule = rule_on(code, on)
    return () if rule is None else visit_steps(jurisdiction(code), rule, on)


def clause_of(code: str, on: datetime.date, kind: str) -> Clause:
    """What is said of one kind of step, with its citation; of visitors and of the list of conditions, the rule's."""
    rule = rule_on(code, on)
    if rule is not None and kind in ("rule", "visitors"):
        note = rule.reciprocity.note if rule.reciprocity else None
        quote = f"“{rule.quote}”" if rule.quote else rule.wording or ""
        said = quote if kind == "rule" else f"Visitors: {note}" if note else ""
        url = next((each.url for each in rule.sources), "")
        read = rule.known("logic" if kind == "rule" else "reciprocity") == "read"
        return Clause(f"{said} [{'; '.join(rule.citations)}]{'' if read else ' (unverified)'}".strip(), url)
    found = [each for each in steps_on(code, on) if each.kind == kind]
    url = next((each.source_url for each in found if each.source_url), None) or ""
    return Clause(" ".join(each.said for each in found), url)


# -- credentials -----------------------------------------------------------------------------------
@lru_cache(maxsize=512)
def credentials_on(code: str, on: datetime.date) -> Mapping[str, Clause]:
    """What a practitioner has to hold there beside the licence, by kind of credential, with what asks for it."""
    found: dict[str, Clause] = {}
    for row in rows_of(HERE / "credentials.tsv"):
        pattern = re.compile(row["pattern"], re.IGNORECASE)
        for kind, clause in _texts(code, on):
            if kind in row["in"].split() and pattern.search(clause.text):
                found.setdefault(row["credential"], clause)
    return found


def _texts(code: str, on: datetime.date) -> Iterator[tuple[str, Clause]]:
    """What the steps say, and the required fields on the practitioner of the state's form."""
    for each in steps_on(code, on):
        yield each.kind, Clause(each.said, each.source_url or "")
    for field in fields_of(code, on):
        if field.part == "practitioner" and field.need == "required":
            cited = f" [{field.citation}]" if field.citation else ""
            cited += "" if field.provenance == "read" else " (unverified)"
            yield "practitioner", Clause(f"On the form: {field.label}{cited}", field.source.url or "")


# -- questions -------------------------------------------------------------------------------------
def is_lookup_duty(code: str, on: datetime.date) -> bool | None:
    """Whether the monitoring programme must be looked into, by the words of the step; None where there is no step."""
    text = clause_of(code, on, "pmp").text
    return None if not text else re.search(r"\b(not|no longer)\b", text) is None


def asks_pregnancy(code: str, on: datetime.date) -> Clause | None:
    """What asks there whether a patient is pregnant."""
    found = (each for each in steps_on(code, on) if "pregnan" in each.text)
    return next((Clause(each.said, each.source_url or "") for each in found), None)


def is_judged(fact: str) -> bool:
    """Whether a practitioner judges a fact: an adjective of a symptom, whether one is there, or a fact that law asks.

    >>> is_judged("symptoms.muscle_spasms.severe"), is_judged("symptoms.pain.months"), is_judged("dx")
    (True, False, False)
    """
    part, _, name = fact.partition(".")
    return part == "flags" or (part == "symptoms" and name.rpartition(".")[2] not in ("cause", "months"))


def is_adjective(fact: str) -> bool:
    """Whether a practitioner judges it even where the case says it: not that there is a symptom, but what it is like.

    >>> is_adjective("symptoms.muscle_spasms"), is_adjective("symptoms.muscle_spasms.severe")
    (False, True)
    """
    return is_judged(fact) and (fact.count(".") > 1 or fact.startswith("flags."))


def question_of(fact: str) -> str:
    """What a judged fact asks.

    >>> question_of("symptoms.muscle_spasms.severe"), question_of("symptoms.pain")
    ('whether the muscle spasms are severe', 'whether there is pain')
    """
    part, _, name = fact.partition(".")
    if part == "flags":
        known = flags().get(name)
        return known.asks if known else f"whether this holds: {name.replace('_', ' ')}"
    symptom, _, adjective = name.partition(".")
    words = symptom.replace("_", " ")
    verb = "are" if words.endswith("s") else "is"
    if not adjective:
        return f"whether there {verb} {words}"
    return f"whether the {words} {verb} {adjective.replace('_', ' ')}"

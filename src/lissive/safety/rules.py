"""Interactions and cautions as tables: what meets what, how severe it is, and who says so."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType

from lissive.case import products
from lissive.safety._table import HERE, PROVENANCE, Row, day_read, plain, read_rows, read_table, sources
from lissive.safety.answer import SEVERITIES, Severity
from lissive.safety.drugs import ENZYMES, Drug, drugs

CONTENTS = tuple(
    "thc cbd smoke flower ethanol much_ethanol sesame_oil propylene_glycol peppermint_oil".split()
)
EXCIPIENTS = frozenset(CONTENTS) - {"thc", "cbd", "smoke", "flower", "much_ethanol"}
"""What an unlicensed product may contain without saying so."""
NONE = "-"
_TEXTS = ("mechanism", "advice", "watch", "short")


@dataclass(frozen=True)
class Text:
    """What a rule says, and where it is from."""

    mechanism: str
    advice: str
    watch: str
    short: str
    """At most 60 characters; `{drugs}` are those that it is about."""
    provenance: str
    """`read`, or `unverified`."""
    sources: tuple[str, ...]

    @property
    def day(self) -> str:
        return day_read(self.sources)


@dataclass(frozen=True)
class Interaction:
    """Drugs that do not go with something in a product."""

    id: str
    named: frozenset[str]
    classes: frozenset[str]
    enzymes: frozenset[str]
    with_: frozenset[str]
    """Contents of the product; empty: any product."""
    severity: Severity
    small: Severity
    """Where the daily dose of CBD is small, or its amount is not stated."""
    text: Text

    @property
    def by_substrate(self) -> bool:
        """Only says that an enzyme is met; a rule that names the drug says more."""
        return not self.named and not self.classes and all(each.endswith(_VICTIM) for each in self.enzymes)

    def meets(self, drug: Drug) -> bool:
        return (
            drug.name in self.named
            or bool(drug.classes & self.classes)
            or not self.enzymes.isdisjoint(drug.metabolism)
        )

    def read_for(self, drug: Drug) -> bool:
        """Whether the rule, and that the drug is one of those that it is about, were read."""
        if self.text.provenance != "read":
            return False
        if drug.name in self.named or drug.classes & self.classes:
            return True
        return any(drug.metabolism[enzyme] for enzyme in self.enzymes & set(drug.metabolism))


_VICTIM = ("_substrate", "_narrow")


@dataclass(frozen=True)
class Caution:
    """A condition or a fact about a person, and how severe it is with each kind of product."""

    id: str
    about: str
    severity: Mapping[str, Severity]
    """`thc`, `cbd`, `smoked` → severity; what is not there is no concern."""
    text: Text


def _severity(row: Row, column: str) -> Severity | None:
    found = row.one_of(column, (*SEVERITIES, NONE))
    return next((each for each in SEVERITIES if each == found), None)


def _text(row: Row, known: Collection[str]) -> Text:
    if empty := [column for column in _TEXTS if not row[column]]:
        raise row.error(f"{empty[0]} is empty.", do="write it; '-' is nothing to watch.")
    cited = row.cited(known)
    if row.one_of("provenance", PROVENANCE) == "read" and not day_read(cited):
        raise row.error("provenance is read, but no source has a day on which it was read.")
    if not cited:
        raise row.error("no source is named.", do="name it, or judgement.")
    mechanism, advice, watch, short = (row[column] for column in _TEXTS)
    return Text(mechanism, advice, watch, short, row["provenance"], cited)


def read_interactions(
    path: Path, known: Collection[str], table: Mapping[str, Drug]
) -> tuple[Interaction, ...]:
    """The interactions.

    Raises       SafetyError with the line: a drug, class, enzyme, content, severity or source that is not known.
    """
    columns = ("id", "drugs", "with", "severity", "small", *_TEXTS, "provenance", "source")
    classes = {each for drug in table.values() for each in drug.classes}
    found = []
    for row in read_table(path, columns, "id"):
        tokens = row.parts("drugs")
        sets = {mark: frozenset(each[1:] for each in tokens if each[0] == mark) for mark in "@#"}
        named = frozenset(each for each in tokens if each[0] not in "@#")
        for what, said, allowed in (
            ("drug", named, set(table)),
            ("class", sets["@"], classes),
            ("enzyme", sets["#"], ENZYMES),
        ):
            if unknown := sorted(said - allowed):
                raise row.error(f"the {what} {unknown[0]!r} is in no row of drugs.tsv.")
        if not tokens:
            raise row.error("drugs is empty.", do="name a drug, @class or #enzyme.")
        contents = frozenset(row.parts("with")) - {"any"}
        if wrong := sorted(contents - set(CONTENTS)):
            raise row.error(f"with has {wrong[0]!r}.", allowed=f"{', '.join(CONTENTS)}, any.")
        severity = _severity(row, "severity")
        if severity is None:
            raise row.error("severity is '-'.", allowed=f"{', '.join(SEVERITIES)}.")
        small = _severity(row, "small") or severity
        text = _text(row, known)
        found.append(Interaction(row["id"], named, sets["@"], sets["#"], contents, severity, small, text))
    return tuple(found)


def read_cautions(path: Path, known: Collection[str]) -> tuple[Caution, ...]:
    """The cautions.

    Raises       SafetyError with the line: a severity or source that is not known, or a caution about nothing.
    """
    columns = ("id", "about", "thc", "cbd", "smoked", *_TEXTS, "provenance", "source")
    found = []
    for row in read_table(path, columns, "id"):
        severity = {each: said for each in ("thc", "cbd", "smoked") if (said := _severity(row, each))}
        if not severity:
            raise row.error("it has no severity with any product.", do="give one, or take the row out.")
        found.append(Caution(row["id"], row["about"], MappingProxyType(severity), _text(row, known)))
    return tuple(found)


@cache
def interactions() -> tuple[Interaction, ...]:
    return read_interactions(HERE / "interactions.tsv", sources(), drugs())


@cache
def cautions() -> tuple[Caution, ...]:
    return read_cautions(HERE / "cautions.tsv", sources())


@cache
def conditions() -> Mapping[str, str]:
    """What a condition may be called, plain, to its word."""
    found: dict[str, str] = {}
    for row in read_table(HERE / "conditions.tsv", ("word", "names"), "word"):
        for name in {plain(each) for each in (row["word"], *row.parts("names", ";"))}:
            if found.setdefault(name, row["word"]) != row["word"]:
                raise row.error(f"the name {name!r} is one of {found[name]} as well.")
    return MappingProxyType(found)


@cache
def limits() -> Mapping[str, float]:
    columns = ("name", "value", "unit", "provenance", "source", "note")
    rows = read_table(HERE / "limits.tsv", columns, "name")
    return MappingProxyType({row["name"]: float(row["value"]) for row in rows})


@cache
def sizes(path: Path = HERE / "sizes.tsv") -> Mapping[tuple[str, str], tuple[tuple[str, str], ...]]:
    """(product, medicine) → (analyte, ratio of AUC) as the model simulates it."""
    columns = ("product", "medicine", "analyte", "value", "unit", "provenance", "source", "note")
    found: dict[tuple[str, str], tuple[tuple[str, str], ...]] = {}
    for row in read_rows(path, columns):
        key = row.one_of("product", products()), row["medicine"]
        found[key] = (*found.get(key, ()), (row["analyte"], row["value"]))
    return MappingProxyType(found)


@cache
def contents(path: Path = HERE / "contents.tsv") -> Mapping[str, Mapping[str, bool]]:
    """What a product has besides what its amounts say → whether each of its forms has it, or only some."""
    found: dict[str, dict[str, bool]] = {}
    columns = ("product", "content", "forms", "provenance", "source", "note")
    for row in read_rows(path, columns):
        mine = found.setdefault(row.one_of("product", products()), {})
        mine[row.one_of("content", CONTENTS)] = row.one_of("forms", ("all", "some")) == "all"
        row.one_of("provenance", PROVENANCE)
        row.cited(sources())
    return MappingProxyType(found)


@dataclass(frozen=True)
class Reason:
    """What drugs are usually taken for, which is asked where the case does not state it."""

    named: frozenset[str]
    classes: frozenset[str]
    word: str


@cache
def reasons() -> tuple[Reason, ...]:
    columns = ("drugs", "word", "provenance", "source")
    found = []
    for row in read_table(HERE / "reasons.tsv", columns, "drugs"):
        row.one_of("provenance", PROVENANCE)
        row.cited(sources())
        tokens = row.parts("drugs")
        classes = frozenset(each[1:] for each in tokens if each[0] == "@")
        word = row.one_of("word", set(conditions().values()))
        found.append(Reason(frozenset(each for each in tokens if each[0] != "@"), classes, word))
    return tuple(found)

"""What a condition is called: words of the rules, common names and ICD-10-CM codes, as one table.

>>> recognise("ALS").diagnosis, recognise("G35.A").diagnosis, recognise("M62.83x").symptom
('als', 'multiple_sclerosis', 'muscle_spasms')
>>> recognise("Z99.9").how, recognise("G3").how
('unmapped_code', 'malformed_code')

Spasm and spasticity are different symptoms, and neither is read into the other. What is not in the table is
unknown, and never "no". The codes' titles were read; that a code means a word of a statute is a reading of ours.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Literal

from lissive.access.rule import DATA, read_table
from lissive.table import TableRow
from lissive.typed import nearest

# -- conditions ------------------------------------------------------------------------------------
_HERE = Path(__file__).parent
_COLUMNS = ("word", "kind", "is_a", "base", "attributes", "names", "icd10cm", "provenance", "source", "note")
KINDS = ("diagnosis", "symptom", "both", "adjective", "label")
"""`both`: rules list it among diagnoses and among symptoms; `adjective`: a statutory one, which is kept as it
is said; `label`: a word of the data for search and display, which nobody has."""
PROVENANCE = ("read", "recalled")

Verdict = Literal["yes", "unknown", "no"]
How = Literal["word", "name", "code", "unmapped_code", "malformed_code", "unknown_name"]

_CODE = re.compile(r"[A-Z][0-9][0-9A-Z](?:\.[0-9A-Z]{1,4})?")
_RANGE = re.compile(r"([A-Z][0-9][0-9A-Z])-([A-Z][0-9][0-9A-Z])")
_LIKE_A_CODE = re.compile(r"[A-Z][-. ]?[0-9][0-9A-Z.,-]*")
CODE_FORM = (
    "a letter, a digit, a digit or letter, then a point and up to four more, as in G35, M62.83 or G12.21."
)


@dataclass(frozen=True)
class Condition:
    """One word of the rules' vocabulary."""

    word: str
    kind: str
    is_a: tuple[str, ...]
    """Words that having this one fulfils as well."""
    base: str
    """The plain condition that this one qualifies; empty where it qualifies none."""
    attributes: str
    """What it asks of the base, in words; `and` binds closer than `or`, as in `chronic and severe or intractable`."""
    names: tuple[str, ...]
    icd10cm: tuple[str, ...]
    """Codes, each with all below it, or ranges of categories; the longest that fits is taken."""
    provenance: str
    source: tuple[str, ...]
    note: str

    @property
    def is_diagnosis(self) -> bool:
        return self.kind in ("diagnosis", "both")

    @property
    def is_symptom(self) -> bool:
        return self.kind in ("symptom", "both")


@dataclass(frozen=True)
class Recognised:
    """What an entry was taken for. Neither diagnosis nor symptom: unknown, and never "no"."""

    said: str
    diagnosis: str | None
    symptom: str | None
    also: tuple[str, ...]
    """Further words that the same entry names."""
    attributes: Mapping[str, bool]
    """Statutory adjectives that the entry says of it."""
    how: How
    provenance: str
    note: str

    @property
    def known(self) -> bool:
        return self.diagnosis is not None or self.symptom is not None


def read_conditions(path: Path, sources: Collection[str]) -> dict[str, Condition]:
    """The table by word.

    Raises
    ------
    RuleError with file and line: a word twice, an unknown kind, provenance word, source or word that is pointed
    to, a code that is none, or a name that two words have.
    """
    rows = read_table(path, _COLUMNS)
    found: dict[str, Condition] = {}
    for row in rows:
        if row["word"] in found:
            raise row.error(f"Duplicate word {row['word']}.", do="keep one of the two.")
        found[row["word"]] = _condition(row, sources)
    named: dict[str, str] = {}
    for row in rows:
        _check_links(row, found)
        for name in _names_of(found[row["word"]]):
            if named.setdefault(name, row["word"]) != row["word"]:
                raise row.error(
                    f"the name {name!r} is one of {named[name]} as well.", do="leave it with one word."
                )
    return found


def _condition(row: TableRow, sources: Collection[str]) -> Condition:
    for column, allowed in (("kind", KINDS), ("provenance", PROVENANCE)):
        if row[column] not in allowed:
            raise row.error(f"{column} is {row[column]!r}.", allowed=f"{', '.join(allowed)}.")
    cited = tuple(key for key in row.parts("source") if key != "-")
    for key in cited:
        if key not in sources:
            raise row.error(
                f"source {key!r} is not in condition_sources.tsv.{nearest(key, sources)}",
                do="add the source there, or correct the key.",
            )
    if row["provenance"] == "read" and not cited:
        raise row.error("provenance is read, but no source is named.", do="name it, or write recalled.")
    codes = row.parts("icd10cm", ";")
    for code in codes:
        if not (_CODE.fullmatch(code) or _RANGE.fullmatch(code)):
            raise row.error(f"{code!r} is not an ICD-10-CM code.", allowed=CODE_FORM)
    return Condition(
        row["word"],
        row["kind"],
        row.parts("is_a"),
        row["base"],
        row["attributes"],
        row.parts("names", ";"),
        codes,
        row["provenance"],
        cited,
        row["note"],
    )


def _names_of(condition: Condition) -> frozenset[str]:
    """What an entry may call it, without case and punctuation; a label is only called by its word."""
    if condition.kind == "label":
        return frozenset()
    return frozenset(_plain(name) for name in (condition.word, *condition.names))


def _check_links(row: TableRow, found: Mapping[str, Condition]) -> None:
    for column in ("is_a", "base"):
        for word in row.parts(column):
            if word not in found:
                raise row.error(f"{column} names {word!r}, which is not in the table.{nearest(word, found)}")


@cache
def sources() -> Mapping[str, str]:
    """The citation of every source of the table, by key."""
    rows = read_table(_HERE / "condition_sources.tsv", ("key", "citation", "url", "seen"))
    return MappingProxyType({row["key"]: f"{row['citation']}. {row['url']}" for row in rows})


@cache
def conditions() -> Mapping[str, Condition]:
    """Every word that a rule or a person's facts may use."""
    return MappingProxyType(read_conditions(_HERE / "conditions.tsv", sources()))


@cache
def complete_codes() -> frozenset[str]:
    """The codes of the table that have none below them."""
    rows = read_table(_HERE / "complete_codes.tsv", ("code", "provenance", "source"))
    return frozenset(row["code"] for row in rows)


@cache
def _adjectives() -> tuple[str, ...]:
    """The statutory adjectives that an entry may say of a condition."""
    return tuple(each.word for each in conditions().values() if each.kind == "adjective")


# -- from an entry to a word ----------------------------------------------------------------------
def recognise(text: str) -> Recognised:
    """What a word, a name or a code means. Nothing is raised: `how` says what became of it.

    Parameters
    ----------
    text : a word of the rules (`multiple_sclerosis`), a name (`MS`, `severe fibromyalgia`), or an ICD-10-CM
        code (`G35.A`, `g1221`, `M62.83-`).
    """
    said = text.strip()
    if (word := said.lower()) in conditions() and _is_had(conditions()[word]):
        return replace(_with_adjectives(said, word, []), how="word")
    if _LIKE_A_CODE.fullmatch(said.upper()):
        return _by_code(said)
    return _by_name(said)


def _is_had(condition: Condition) -> bool:
    return condition.is_diagnosis or condition.is_symptom


def _recognised(
    said: str, words: tuple[str, ...], how: How, adjectives: Iterable[str] = (), note: str = ""
) -> Recognised:
    first = conditions()[words[0]]
    notes = [note, *dict.fromkeys(conditions()[word].note for word in words)]
    return Recognised(
        said,
        first.word if first.is_diagnosis else None,
        first.word if first.is_symptom else None,
        words[1:],
        MappingProxyType(dict.fromkeys(adjectives, True)),
        how,
        first.provenance,
        "; ".join(each for each in notes if each),
    )


def _unrecognised(said: str, how: How, note: str) -> Recognised:
    return Recognised(said, None, None, (), MappingProxyType({}), how, "unknown", note)


def _by_code(said: str) -> Recognised:
    code = _dotted(said)
    if not _CODE.fullmatch(code):
        return _unrecognised(
            said, "malformed_code", f"{said!r} is not an ICD-10-CM code. The form is {CODE_FORM}"
        )
    if found := _of_code(code):
        token, words = found
        if code != token and token in complete_codes():
            return _unrecognised(
                said, "malformed_code", f"{said!r} is not an ICD-10-CM code: nothing stands below {token}."
            )
        below = "" if token == code else f"{code} is read by {token}, the nearest above it in the table"
        return _recognised(said, words, "code", note=below)
    near = _near_codes(code)
    return _unrecognised(
        said,
        "unmapped_code",
        f"{code} is not in the table of conditions, so what it means for a rule is unknown.{near}",
    )


def _dotted(said: str) -> str:
    """Capital letters, the point after the third sign, without the dash of a code that is left open."""
    code = said.upper().replace(" ", "").removesuffix("-").removesuffix(".")
    return f"{code[:3]}.{code[3:]}" if len(code) > 3 and code[3] != "." and code.isalnum() else code


@cache
def _codes() -> Mapping[str, tuple[str, ...]]:
    """The words of each code or range in the table, in the table's order."""
    found: dict[str, list[str]] = {}
    for condition in conditions().values():
        for code in condition.icd10cm:
            found.setdefault(code, []).append(condition.word)
    return MappingProxyType({code: tuple(words) for code, words in found.items()})


def _of_code(code: str) -> tuple[str, tuple[str, ...]] | None:
    """The longest code of the table that this one is or stands below, else the range that holds it."""
    table = _codes()
    for length in range(len(code), 2, -1):
        if length != 4 and code[:length] in table:  # the fourth sign is the point
            return code[:length], table[code[:length]]
    for token, words in table.items():
        if (ends := _RANGE.fullmatch(token)) and ends[1] <= code[:3] <= ends[2]:
            return token, words
    return None


def _near_codes(code: str) -> str:
    """A sentence with the codes of the table that stand closest, or nothing."""
    same = sorted(each for each in _codes() if each[:3] == code[:3]) or sorted(
        each for each in _codes() if each[:2] == code[:2]
    )
    said = [f"{each} ({', '.join(_codes()[each])})" for each in same[:3]]
    return f" Nearest in the table: {', '.join(said)}." if said else ""


def _plain(text: str) -> str:
    """A name without case, accents, apostrophes and punctuation."""
    bare = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return " ".join(re.sub(r"[^a-z0-9/]+", " ", re.sub(r"['’`]", "", bare.lower())).split())


@cache
def _names() -> Mapping[str, str]:
    return MappingProxyType({name: each.word for each in conditions().values() for name in _names_of(each)})


def _by_name(said: str) -> Recognised:
    name = _plain(said)
    adjectives: list[str] = []
    table = _names()
    while name:
        word = table.get(name, "")
        if word and _is_had(conditions()[word]):
            return _with_adjectives(said, word, adjectives)
        if not (split := _leading_adjective(name)):
            break
        adjectives.append(split[0])
        name = split[1]
    whole = _plain(said)
    known = [each for each, word in table.items() if _is_had(conditions()[word])]
    return _unrecognised(
        said,
        "unknown_name",
        f"{said!r} is not in the table of conditions.{nearest(whole, known) if whole else ''}",
    )


def _leading_adjective(name: str) -> tuple[str, str] | None:
    for adjective in sorted(_adjectives(), key=len, reverse=True):
        lead = _plain(adjective) + " "
        if name.startswith(lead):
            return adjective, name.removeprefix(lead).removeprefix("and ")
    return None


def _with_adjectives(said: str, word: str, adjectives: list[str]) -> Recognised:
    """A diagnosis by its qualified word where the table has one; a symptom as the plain one and its adjectives."""
    own = conditions()[word]
    if not own.is_diagnosis:
        plain = conditions().get(own.base)
        more = own.attributes.split(" and ") if plain else []
        if plain is not None and plain.is_symptom and set(more) <= {*_adjectives()}:
            return _recognised(said, (plain.word,), "name", [*adjectives, *more])
        return _recognised(said, (word,), "name", adjectives)
    for condition in conditions().values():
        asked = set(condition.attributes.split(" and "))
        if adjectives and condition.base == word and asked == set(adjectives) and condition.is_diagnosis:
            return _recognised(said, (condition.word,), "name", adjectives)
    return _recognised(said, (word,), "name", adjectives)


# -- from what a person has to what a rule asks ----------------------------------------------------
def implied(words: Iterable[str]) -> frozenset[str]:
    """These words and all that having them fulfils. A word that the table lacks stands for itself.

    >>> sorted(implied(["terminal_cancer"]))
    ['cancer', 'terminal_cancer', 'terminal_illness']
    """
    found: set[str] = set()
    left = list(words)
    while left:
        word = left.pop()
        if word not in found:
            found.add(word)
            left += conditions()[word].is_a if word in conditions() else ()
    return frozenset(found)


def listed(word: str, diagnoses: Iterable[str]) -> Verdict:
    """Do these diagnoses fulfil what a rule lists?

    A qualified word of which only the base is known is unknown, and so is what a diagnosis that the table lacks
    may be.

    >>> listed("ibd", ["crohns"]), listed("fibromyalgia_severe", ["fibromyalgia"]), listed("als", ["stroke"])
    ('yes', 'unknown', 'no')
    """
    own = tuple(diagnoses)
    had = implied(own)
    if word in had:
        return "yes"
    table = conditions()
    if word not in table:
        return "no"
    open_ended = any(each not in table for each in own)
    return "unknown" if open_ended or table[word].base in had else "no"


# -- other words, and the figures of the method ----------------------------------------------------
@dataclass(frozen=True)
class Flag:
    """A further fact that holds, does not hold, or is unknown."""

    name: str
    asks: str
    """What has to be found out, in words."""
    absent_is_no: bool
    """Whether it does not hold unless it is stated: a thing that is given on application, or a diagnosis."""
    about: str = ""
    """The diagnosis that it is about: without that, it does not hold unless it is stated."""


@cache
def flags() -> Mapping[str, Flag]:
    """Every flag by its name; those that say how a diagnosis is qualified are named as that diagnosis is."""
    rows = read_table(DATA / "flags.tsv", ("flag", "asks", "unless_stated", "also", "note"))
    found = {}
    for row in rows:
        unless = row["unless_stated"]
        about = "" if unless in ("no", "unknown") else unless
        if about and about not in conditions():
            allowed = "no, unknown, or a diagnosis of conditions.tsv."
            raise row.error(f"unless_stated is {about!r}.{nearest(about, conditions())}", allowed=allowed)
        found[row["flag"]] = Flag(row["flag"], row["asks"], unless == "no", about)
    for word, condition in conditions().items():
        if condition.base and condition.is_diagnosis:
            base = condition.base.replace("_", " ")
            found.setdefault(word, Flag(word, f"whether the {base} is {condition.attributes}", False))
    return MappingProxyType(found)


@cache
def flag_names() -> Mapping[str, str]:
    """Every name that a flag may be given by, to the flag's own."""
    rows = read_table(DATA / "flags.tsv", ("flag", "asks", "unless_stated", "also", "note"))
    others = {other: row["flag"] for row in rows for other in row.parts("also")}
    return MappingProxyType({**{name: name for name in flags()}, **others})


@cache
def limits() -> Mapping[str, int]:
    """The figures of the method by name; their units are in limits.tsv."""
    rows = read_table(DATA / "limits.tsv", ("name", "value", "unit", "note"))
    return MappingProxyType({row["name"]: int(row["value"]) for row in rows})

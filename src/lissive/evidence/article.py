"""A text answered sentence by sentence: what it claims by the claims, the rest by what answers it (data/sources.yaml).

>>> [(each.kind, each.door) for each in answered("It protects nerve cells. It is a natural treatment.")]
[('effect', 'neuroprotection'), ('opinion', 'natural')]
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from pydantic import ConfigDict, Field

from lissive.case.vocabulary import causes, meant
from lissive.errors import EvidenceError
from lissive.evidence.claim import FAVOURABLE, MARKS, KeyNumber
from lissive.evidence.claim_match import EFFECT, Match, as_asked, matches
from lissive.evidence.claim_reading import read_as
from lissive.evidence.claim_voice import voice
from lissive.evidence.claim_words import marks_of
from lissive.evidence.read import DATA, Cited, marked
from lissive.evidence.words import known
from lissive.given import path_of, text_of
from lissive.table import TableRow, read_table
from lissive.typed import Row, typed

SOURCES = DATA / "sources.yaml"
KINDS = (
    *("effect", "mechanism", "law", "service", "usual care", "research"),
    *("opinion", "personal report", "burden", "other"),
)
_WORST_FIRST = tuple(MARKS)
_MOST_BYTES = 5_000_000
_SUBJECT = re.compile(
    r"cannab|marijuana|\bthc\b|\bcbd\b|hemp|weed\b|nabiximols|sativex|spasm|cramp|spastic|stiff|\bms\b|\bals\b"
)
_UNANSWERED = "No claim fits. That does not tell whether it is true."
_ELSEWHERE = "Not about cannabinoids, spasms or the rules on them."


class Door(Row):
    """What answers sentences that are no claim on an effect."""

    id: str = Field(pattern=r"^[a-z_]+$")
    kind: str
    pattern: str = Field(min_length=1)
    answer: str = Field(min_length=1)
    see: str = ""
    as_of: str = ""
    and_claims: bool = False
    """Whether the nearest claim is given as well."""
    numbers: tuple[KeyNumber, ...] = ()


class Statement(Row):
    """One statement of the source articles, in our words, and the door or claim that answers it."""

    n: int
    article: int
    kind: str
    door: str
    text: str = Field(min_length=1)


class SourcesFile(Row):
    model_config = ConfigDict(frozen=True, extra="allow", strict=True)

    doors: tuple[Door, ...]
    claim_kinds: Mapping[str, tuple[str, ...]]
    statements: tuple[Statement, ...]


@cache
def sources() -> SourcesFile:
    """The doors, and the statements of the source articles."""
    data, lines = marked(SOURCES, True, "doors: [{id: a, kind: law, pattern: new york, answer: Yes.}]")
    return typed(data, lines, SOURCES, SourcesFile, EvidenceError, thing="the file of sources")


@dataclass(frozen=True)
class Answered:
    """One sentence and its answer."""

    n: int
    text: str
    kind: str
    """One of KINDS."""
    door: str
    """Id of the claim or door that answers; empty where none does."""
    answer: str
    """Of the door; what is said where nothing answers. Empty where a claim answers."""
    claims: tuple[Match, ...] = ()
    """The nearest claim; of a sentence with several assertions one for each."""
    see: str = ""
    as_of: str = ""
    numbers: tuple[Cited, ...] = ()
    voice: str = ""
    """How it is said: one of `claim_voice.VOICES`, empty where as a fact."""

    @property
    def whole(self) -> Match | None:
        """The claim whose verdict the sentence takes as a whole; None where it takes none."""
        return worst_of(self.claims)

    @property
    def is_open(self) -> bool:
        """Whether it is on the subject and nothing answers it."""
        return not self.door and self.answer == _UNANSWERED

    def to_json(self) -> dict[str, Any]:
        return {
            "n": self.n,
            "text": self.text,
            "kind": self.kind,
            "door": self.door,
            "voice": self.voice,
            "verdict": self.whole.claim.verdict if self.whole else "",
            "answer": self.answer,
            "see": self.see,
            "as_of": self.as_of,
            "numbers": [asdict(each) for each in self.numbers],
            "claims": [each.to_json() for each in self.claims],
        }


def worst_of(found: Sequence[Match]) -> Match | None:
    """The worst of the claims that a sentence makes; None where it makes none, or where the worst is in favour and it
    says the opposite of another."""
    made = [each for each in found if not each.opposed]
    worst = min(made, key=lambda each: _WORST_FIRST.index(each.claim.verdict), default=None)
    is_mixed = worst is not None and len(made) < len(found) and worst.claim.verdict in FAVOURABLE
    return None if is_mixed else worst


def answered(text: str) -> tuple[Answered, ...]:
    """Every sentence of a text with its answer, in order; "that system" is the one last named."""
    text_of("text", text, wrong=EvidenceError, example="It eases stiffness. It is natural.")
    found, named = [], ""
    for n, sentence in enumerate(sentences(text), start=1):
        asked = (
            re.sub(r"\b([Tt]hat|[Tt]his) system\b", "the endocannabinoid system", sentence)
            if named
            else sentence
        )
        named = named or ("system" if "endocannabinoid" in asked.lower() else "")
        found.append(_said(_answer(n, sentence, asked)))
    return tuple(found)


def _said(row: Answered) -> Answered:
    """With how it is said, which is its kind where no door answers it."""
    said = voice(row.text)
    by_door = any(each.id == row.door for each in sources().doors)
    return replace(row, voice=said, kind=row.kind if by_door or not said else said)


def _answer(n: int, sentence: str, asked: str) -> Answered:
    folded = asked.lower().replace("’", "'")
    door = next((each for each in sources().doors if re.search(each.pattern, folded)), None)
    near = _claims(asked) if door is None or door.and_claims else ()
    if door is not None:
        numbers = tuple(each.cited for each in door.numbers)
        return Answered(n, sentence, door.kind, door.id, door.answer, near, door.see, door.as_of, numbers)
    if near:
        first, kinds = (worst_of(near) or near[0]).claim.id, sources().claim_kinds
        kind = next((word for word, ids in kinds.items() if first in ids), "effect")
        numbers = tuple(number.cited for each in near for number in each.claim.numbers)
        see = "; ".join(f"lissive evidence show {each.claim.id}" for each in near)
        return Answered(n, sentence, kind, first, "", near, see, "", numbers)
    return Answered(n, sentence, "other", "", _UNANSWERED if _SUBJECT.search(folded) else _ELSEWHERE)


_PARTS = re.compile(r"[,;:]\s*(?:and\s+|or\s+|but\s+)?|\s+(?:and|but|yet|as well as)\s+")
_WHOLE = ("other_condition", "animal", "children", "pregnancy", "cbd", "topical", "edible")
"""Marks beside conditions that hold for every part of a sentence."""


def _claims(asked: str) -> tuple[Match, ...]:
    """The claim nearest to each part of a sentence; the nearest to all of it where a part has none, or only names a
    second thing of one statement; or none.

    What a sentence names once, a condition or a product, holds for each part.
    """
    asked = read_as(asked).text
    near, marks = matches(asked)[:1], marks_of(asked)
    parts = [part for part in _PARTS.split(asked) if re.search(r"\w", part)]
    if near and not all(EFFECT.search(each) or marks_of(each) for each in parts):  # "pain and swelling"
        return tuple(near)
    found = [matches(part) for part in parts] if len(parts) > 1 else []
    if not found or not all(found) or any(_is_another(each[0], marks) for each in found):
        return tuple(near)
    firsts = [as_asked(each[0], asked, marks) for each in found]
    return tuple({each.claim.id: each for each in (*firsts, *near)}.values())


def _is_another(match: Match, marks: frozenset[str]) -> bool:
    """Whether a part's claim is of another treatment than the sentence, or favourable of what the sentence is not."""
    claim = match.claim
    if claim.of_other_treatment:
        return "cannabinoid" in marks
    return claim.verdict in FAVOURABLE and bool(marks & {*_WHOLE} - {*claim.marks, *claim.needs})


# -- reading -----------------------------------------------------------------------------------------
def read_article(path: str | Path) -> str:
    """The text of a file: plain text, or the visible text of a saved HTML page.

    Raises       EvidenceError where it cannot be read, is not UTF-8, is too large, or has no text in it.
    """
    file = path_of(path, wrong=EvidenceError)
    try:
        raw = file.read_bytes()
    except OSError as error:
        raise EvidenceError(
            f"The file cannot be read: {error.strerror}.", where=str(file), do="correct the path."
        ) from error
    return text_of_article(raw, str(file))


def text_of_article(raw: bytes, name: str) -> str:
    """The same of what stands in a file; `name` is what messages call it, and may end as HTML does."""
    do = "give a plain text file or a saved HTML page, in UTF-8."
    if len(raw) > _MOST_BYTES:
        raise EvidenceError(
            f"The file has {len(raw):,} bytes.", where=name, allowed=f"at most {_MOST_BYTES:,} bytes.", do=do
        )
    if raw.startswith(b"%PDF"):
        raise EvidenceError("The file is a PDF.", where=name, do="copy its text, and give that.")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise EvidenceError("The file is not valid UTF-8 text.", where=name, do=do) from error
    if "\x00" in text:
        raise EvidenceError("The file is not text.", where=name, do=do)
    if Path(name).suffix.lower() in (".html", ".htm", ".xhtml") or re.match(
        r"\s*<(!doctype|html)\b", text, re.I
    ):
        text = visible_text(text)
    if not sentences(text):
        raise EvidenceError("There is no sentence in the file.", where=name, do=do)
    return text


_BLOCKS = frozenset(
    "address article aside blockquote br dd div dl dt figcaption figure footer h1 h2 h3 h4 h5 h6 header hr li main nav "
    "ol option p pre section table td th title tr ul".split()
)
_UNSEEN = frozenset("script style noscript template svg select button".split())


class _Visible(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self.hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.hidden += tag in _UNSEEN
        if tag in _BLOCKS:
            self.parts.append("\n\n")

    def handle_endtag(self, tag: str) -> None:
        self.hidden = max(0, self.hidden - (tag in _UNSEEN))
        if tag in _BLOCKS:
            self.parts.append("\n\n")

    def handle_data(self, data: str) -> None:
        if not self.hidden:
            self.parts.append(re.sub(r"\s+", " ", data))


def visible_text(html: str) -> str:
    """What a reader sees of a page, blocks apart.

    >>> visible_text("<p>It is <b>safe</b>.</p><script>x</script>").strip()
    'It is safe.'
    """
    parser = _Visible()
    parser.feed(html)
    parser.close()
    return "".join(parser.parts)


_SHORT = re.compile(r"\b(?:Dr|Mr|Mrs|Ms|Prof|St|vs|e\.g|i\.e|etc|cf|approx|No|Inc|U\.S|Fig)\.$")
_END = re.compile(r"(?<=[.!?])[\"”’')\]]*\s+(?=[\"“‘'(\[]?[A-Z0-9])")
_ITEM = re.compile(r"^\s*(?:[-*•–]|\d+[.)])\s+")


def sentences(text: str) -> tuple[str, ...]:
    """The sentences of a text; a heading or an item of a list is one of its own.

    >>> sentences("It eases pain, e.g. in MS. Dr. Who says so!")
    ('It eases pain, e.g. in MS.', 'Dr. Who says so!')
    """
    return tuple(each for block in _blocks(text) for each in _of_block(block) if re.search(r"\w", each))


def _blocks(text: str) -> Iterator[str]:
    """Paragraphs with their lines joined, and the items of lists."""
    lines: list[str] = []
    for line in [*text.splitlines(), ""]:
        if lines and (not line.strip() or _ITEM.match(line)):
            yield " ".join(lines)
            lines = []
        if line.strip():
            lines.append(_ITEM.sub("", line).strip())


def _of_block(block: str) -> Iterator[str]:
    start = 0
    for found in _END.finditer(block):
        if not _SHORT.search(block[start : found.start()]):
            yield block[start : found.end()].strip()
            start = found.end()
    yield block[start:].strip()


# -- trials under way, or ended without results (data/under_way.tsv) --------------------------------
COLUMNS = (
    *("id", "other_id", "name", "causes", "about", "product", "comparator", "design", "n", "outcome"),
    *("status", "stated", "end", "results", "results_note", "source_url", "read", "note"),
)
OPEN = ("recruiting", "not_yet_recruiting", "by_invitation", "active_not_recruiting")
STATUS = (*OPEN, "completed", "terminated", "withdrawn", "unknown")
RESULTS = ("none_found", "reported", "unknown")


@dataclass(frozen=True)
class Registered:
    """One trial as a public register, a copy of it, or the trial's own protocol describes it.

    stated : the day that the page itself gives for the status, "" where it gives none; `read` is the day it was read.
    """

    id: str
    other_id: str
    name: str
    causes: tuple[str, ...]
    about: str
    product: str
    comparator: str
    design: str
    n: str
    outcome: str
    status: str
    stated: str
    end: str
    results: str
    results_note: str
    source_url: tuple[str, ...]
    read: str
    note: str

    @property
    def is_open(self) -> bool:
        """Whether it was still under way by the newest page that was read."""
        return self.status in OPEN

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "is_open": self.is_open}


@cache
def registered() -> tuple[Registered, ...]:
    """All of them, in the order of the file.

    Raises       EvidenceError where a row has a word that its column does not know.
    """
    return tuple(map(_row, read_table(DATA / "under_way.tsv", COLUMNS, EvidenceError, TableRow)))


def _row(row: TableRow) -> Registered:
    known = {"status": STATUS, "results": RESULTS}
    for column, allowed in known.items():
        if row[column] not in allowed:
            raise row.error(f"{column} is {row[column]!r}.", allowed=", ".join(allowed))
    if strange := [each for each in row.parts("causes") if each not in causes()]:
        raise row.error(f"the cause is {strange[0]!r}.", allowed=", ".join(causes()))
    parts = {"causes": row.parts("causes"), "source_url": row.parts("source_url", ";")}
    return Registered(**{name: parts.get(name, row[name]) for name in COLUMNS})  # type: ignore[arg-type]


def under_way(cause: str | None = None, *, every: bool = True) -> tuple[Registered, ...]:
    """Those of a cause, the open ones first.

    cause : an id of the table of causes, or a word for one (MS); None: all.
    every : False leaves out those that have ended, and those of which that is not known.

    >>> [each.id for each in under_way("cerebral_palsy")]
    ['NCT04634136', 'NCT02470325']

    Raises       EvidenceError for a cause that is not known, with the nearest.
    """
    if cause is not None:
        cause = meant("cause", cause, causes())
        known("cause", cause, causes())
    found = [each for each in registered() if cause is None or cause in each.causes]
    return tuple(sorted((one for one in found if every or one.is_open), key=lambda one: not one.is_open))

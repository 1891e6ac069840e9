"""Files of published trials, of reviews and of claims as typed rows, with the line of every field.

shipped_studies(); shipped_reviews()      what comes with Lissive; a user's own file: lint.py
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Literal

from pydantic import ConfigDict, Field, model_validator

from lissive.cache import store, stored
from lissive.case.vocabulary import meant
from lissive.errors import EvidenceError
from lissive.evidence.words import NOT_USED, Found, causes, designs, find, own_causes
from lissive.fingerprint import of_folder, of_texts
from lissive.given import kind_of
from lissive.marked import Loc, marked_text, read_marked
from lissive.publications import tidy
from lissive.publications.loose import results
from lissive.publications.names import read_name
from lissive.publications.own import OwnOutcome, own_outcomes
from lissive.publications.plan import Stated
from lissive.publications.tables import Figure, Result, figure, is_figure
from lissive.publications.words import Outcome, outcomes
from lissive.typed import Row, dotted, line_of, refuse, typed

DATA = Path(__file__).parent / "data"
TRIALS = DATA / "trials.yaml"
REVIEW_TRIALS = DATA / "review_trials.yaml"
META = DATA / "meta.yaml"
_MOST_FIELDS = 200_000
_FIGURE = ("value",)


class Entry(Row):
    """What every entry has; other fields are kept as they are."""

    model_config = ConfigDict(frozen=True, extra="allow", strict=True, allow_inf_nan=False)

    id: str = Field(min_length=1, pattern=r"\S")
    citation: str | None = None
    doi: str | None = None
    registry: str | None = None
    rejected: str | None = None
    """Why nothing of it is used; it is still shown."""


DOMAINS: Mapping[str, tuple[str, ...]] = {
    "RoB 2": ("randomisation", "deviations", "missing_data", "measurement", "selection"),
    "RoB 1": (
        *("sequence_generation", "allocation_concealment", "blinding_of_people", "blinding_of_assessment"),
        *("incomplete_data", "selective_reporting", "other"),
    ),
}
"""Cochrane's tools of 2019 and 2011, and their domains."""
JUDGEMENTS: Mapping[str, tuple[str, ...]] = {
    "RoB 2": ("low", "some concerns", "high"),
    "RoB 1": ("low", "unclear", "high"),
}


class RiskOfBias(Row):
    """Risk of bias of one trial, by domain, as the review `by` judged it. A domain that is not named is not known."""

    tool: Literal["RoB 2", "RoB 1"]
    by: str = Field(min_length=1)
    domains: Mapping[str, str] = Field(min_length=1)
    provenance: Literal["read", "derived", "recalled"] = "read"
    source_url: str = ""
    pointer: str = ""

    @model_validator(mode="after")
    def _known(self) -> RiskOfBias:
        for name, word in self.domains.items():
            for what, each, allowed in (("domain", name, DOMAINS), ("judgement", word, JUDGEMENTS)):
                if each not in allowed[self.tool]:
                    text = f"{each!r} is no {what} of {self.tool}."
                    raise refuse(text, f"{', '.join(allowed[self.tool])}.", do="correct it.", field="domains")
        return self

    @property
    def overall(self) -> str:
        """The worst of its domains; `in part` where some are not known and none is high."""
        worst = max(self.domains.values(), key=JUDGEMENTS[self.tool].index)
        return worst if worst == "high" or len(self.domains) == len(DOMAINS[self.tool]) else "in part"

    def __str__(self) -> str:
        words = {
            word: [n.replace("_", " ") for n, each in self.domains.items() if each == word]
            for word in JUDGEMENTS[self.tool]
        }
        said = "; ".join(f"{word}: {', '.join(names)}" for word, names in words.items() if names)
        rest = [n.replace("_", " ") for n in DOMAINS[self.tool] if n not in self.domains]
        unknown = f"; not known: {', '.join(rest)}" if rest else ""
        return f"{said}{unknown} ({self.tool}, {self.by})"


class Funding(Row):
    """Who paid for a trial, or was its sponsor in a register."""

    by: str = Field(min_length=1)
    industry: bool
    """Whether a company that makes or sells the product is among them."""
    provenance: Literal["read", "recalled"] = "read"
    source_url: str = ""
    pointer: str = ""


class Trial(Entry):
    """One published trial. Figures are plain, or {value, provenance, source_url, pointer, ...}; null is unknown."""

    cause: str | None = None
    intervention: str | None = None
    comparator: str | None = None
    design: str | Mapping[str, Any] | None = None
    """In words, or with every part named (`lissive.publications.tidy`)."""
    enriched: bool | None = None
    randomised: bool | None = None
    duration_weeks: Any = None
    arms: tuple[Mapping[str, Any], ...] | None = None
    outcomes: Mapping[str, Any] | None = None
    results: tuple[Mapping[str, Any], ...] | None = None
    adverse_events: Mapping[str, Any] | None = None
    funding: Funding | None = None
    """None where it was not read."""
    risk_of_bias: RiskOfBias | None = None
    """By domain, where a review's judgements were read."""
    risk_of_bias_notes: Any = None
    correlation: Any = None
    """Crossover: within person, between active and control."""
    icc: Any = None
    """Cluster trial: intracluster correlation; `cluster_size` is the mean number of participants of a cluster."""
    cluster_size: Any = None
    covariates: Mapping[str, Any] | None = None
    """Numbers of the trial for meta-regression, by name."""
    patients: str | None = None
    """Key of the participants; entries on the same participants have the same."""


class TrialsFile(Row):
    model_config = ConfigDict(frozen=True, extra="allow", strict=True, allow_inf_nan=False)

    outcomes: Mapping[str, OwnOutcome] | None = None
    """What a user's file says of outcomes that the tables do not have."""

    trials: tuple[Trial, ...]
    observational: tuple[Entry, ...] = ()


class ReviewsFile(Row):
    model_config = ConfigDict(frozen=True, extra="allow", strict=True, allow_inf_nan=False)

    reviews: tuple[Entry, ...]


@dataclass(frozen=True)
class Located:
    """An entry and its place in the file."""

    row: Entry
    kind: str
    """trial, observational, review."""
    data: Mapping[str, Any]
    path: Path
    lines: Mapping[Loc, int]
    at: Loc
    own: Mapping[str, Outcome] | None = None
    """Outcomes of the user's own file that no table has; None for an included entry."""
    declared: frozenset[str] = frozenset()
    """Those of them that the file itself declares."""
    people: str = ""
    """Key of the participants, where another entry has the same by its registry number or DOI."""
    kept: list[Any] = field(default_factory=list, compare=False, repr=False)
    """What `comparisons` made of it."""
    rows: list[Result] = field(default_factory=list, compare=False, repr=False)

    @property
    def id(self) -> str:
        return self.row.id

    @property
    def results(self) -> Sequence[Result]:
        """The rows of its outcomes and adverse events; none of a review."""
        if not self.rows and tidy.is_tidy(self.data):
            self.rows.extend(tidy.results(self.data))
        elif not self.rows and self.kind == "trial":
            self.rows.extend(results(self.data, self.own or {}, self.declared))
        return self.rows

    def outcome(self, word: str) -> Outcome:
        """What a word means in this entry's file."""
        return (self.own or {}).get(word) or outcomes()[word]

    def where(self, *loc: str | int) -> str:
        """`file:line` of a field, or of the nearest that is written around it."""
        place = (*self.at, *loc)
        while place and place not in self.lines:
            place = place[:-1]
        return f"{shown(self.path)}:{self.lines.get(place, 1)}"


def shown(path: Path) -> str:
    """A file as messages call it: one that ships by its place in the package, the same on every machine."""
    package = Path(__file__).parents[2]
    return path.relative_to(package).as_posix() if path.is_relative_to(package) else str(path)


@dataclass(frozen=True)
class Studies:
    """Published trials, and studies without a control group."""

    entries: tuple[Located, ...]
    unread: tuple[str, ...] = ()
    """A line for each field of a user's own file that nothing reads."""
    kept: list[Any] = field(default_factory=list, repr=False, compare=False)
    """All comparisons, once they were put together."""

    @property
    def trials(self) -> tuple[Located, ...]:
        return tuple(each for each in self.entries if each.kind == "trial")

    def __iter__(self) -> Iterator[Located]:
        return iter(self.entries)

    @property
    def outcomes(self) -> Mapping[str, Outcome]:
        """Word to outcome: those of the tables, and those that a user's own file names."""
        return {**outcomes(), **{word: each for entry in self for word, each in (entry.own or {}).items()}}

    @property
    def causes(self) -> Mapping[str, str]:
        """Word to label, as `outcomes`."""
        own = [entry.row for entry in self.trials if entry.own is not None]
        return {**causes(), **own_causes(own)}

    def word_of(self, outcome: str) -> str:
        """The outcome that a name of a user's own file is of; any other word as it is."""
        for entry in self.trials if outcome not in self.outcomes else ():
            for section in ("outcomes", "adverse_events") if entry.own is not None else ():
                names = getattr(entry.row, section, None) or {}
                if outcome in names and (key := read_name(outcome, tuple(names))).outcomes:
                    return key.outcomes[0]
        return meant("outcome", outcome, self.outcomes)


def is_studies(studies: Any) -> None:
    """Refuse anything but studies that were read."""
    do = "read them with read_studies(FILE), or take shipped_studies()."
    kind_of("studies", studies, Studies, wrong=EvidenceError, do=do)


def typed_studies(path: Path, *, keep: bool = False) -> Studies:
    """The same without the checks of `lint`; with `keep` the file is one that ships."""
    data, lines = marked(path, keep, "trials: [{id: smith_2020}]")
    return Studies(studies_in(data, lines, path, ships=keep))


def entries_of(text: str, path: Path) -> tuple[Located, ...]:
    """Trials, other studies and reviews of a file that ships, from its text; none where it is of something else."""
    example = "trials: [{id: smith_2020}]"
    data, lines = marked_text(
        text, path, wrong=EvidenceError, example=example, most_fields=_MOST_FIELDS, shipped=True
    )
    if "trials" in data:
        return studies_in(data, lines, path)
    return _reviews(data, lines, path) if "reviews" in data else ()


def studies_in(data: Any, lines: Mapping[Loc, int], path: Path, *, ships: bool = True) -> tuple[Located, ...]:
    data, stated = _expanded(data, lines, path)
    file = typed(data, lines, path, TrialsFile, EvidenceError, thing="the file of studies")
    rows: list[tuple[str, str, Sequence[Entry]]] = [
        ("trials", "trial", file.trials),
        ("observational", "observational", file.observational),
    ]
    own = None if ships else own_outcomes(file.trials, file.outcomes or {})
    declared = frozenset(file.outcomes or ())
    return tuple(
        Located(_stated(row, stated.get(k)), kind, data[name][k], path, lines, (name, k), own, declared)
        for name, kind, entries in rows
        for k, row in enumerate(entries)
    )


def _stated(row: Entry, design: Stated | None) -> Entry:
    """The entry with its design typed, where that names every part."""
    return row.model_copy(update={"design": design}) if design and isinstance(row, Trial) else row


def _expanded(data: Any, lines: Mapping[Loc, int], path: Path) -> tuple[Any, dict[int, Stated]]:
    """The same with the source beside each figure of the entries in the explicit form, and the designs of these."""
    trials = data.get("trials")
    made, designs, wrong = list(trials) if isinstance(trials, tuple) else [], {}, []
    for k, trial in enumerate(made):
        if not tidy.is_tidy(trial):
            continue
        inside = {loc[2:]: line for loc, line in lines.items() if loc[:2] == ("trials", k)}
        explicit = typed(
            tidy.without_remarks(trial), inside, path, tidy.Explicit, EvidenceError, thing="the trial"
        )
        designs[k] = explicit.design
        found: list[tuple[Loc, str]] = []
        made[k] = tidy.expanded(trial, found)
        wrong += [
            (f"{shown(path)}:{line_of(inside, loc)}", f"{trial.get('id')}: {dotted(loc)} {what}")
            for loc, what in found
        ]
    if wrong:
        do = "correct the name, or add what it names."
        raise EvidenceError.all_of([EvidenceError(what, where=where, do=do) for where, what in wrong])
    return ({**data, "trials": tuple(made)} if designs else data), designs


def typed_reviews(path: Path, *, keep: bool = False) -> tuple[Located, ...]:
    """The meta-analyses of a file."""
    data, lines = marked(path, keep, "reviews: [{id: smith_2020}]")
    return _reviews(data, lines, path)


def _reviews(data: Any, lines: Mapping[Loc, int], path: Path) -> tuple[Located, ...]:
    file = typed(data, lines, path, ReviewsFile, EvidenceError, thing="the file of reviews")
    return tuple(
        Located(row, "review", data["reviews"][k], path, lines, ("reviews", k))
        for k, row in enumerate(file.reviews)
    )


@cache
def shipped_studies() -> Studies:
    """The studies that come with Lissive: those read, and those known only through reviews and summaries."""
    return Studies((*typed_studies(TRIALS, keep=True), *typed_studies(REVIEW_TRIALS, keep=True)))


@cache
def shipped_reviews() -> tuple[Located, ...]:
    """Published meta-analyses, and computed checks of them."""
    return typed_reviews(META, keep=True)


def marked(path: Path, keep: bool, example: str) -> tuple[Any, Mapping[Loc, int]]:
    """Data and lines; of a shipped file what was read once, since that is six times as fast."""
    if not keep:
        return read_marked(path, wrong=EvidenceError, example=example, most_fields=_MOST_FIELDS)
    key = of_texts("marked", of_folder(Path(__file__).parents[1], "marked.py"), path.read_text("utf-8"))
    if (found := stored(key, ".json")) is not None:
        data, lines = json.loads(found)
        return _tuples(data), {tuple(loc): line for *loc, line in lines}
    data, read = read_marked(
        path, wrong=EvidenceError, example=example, most_fields=_MOST_FIELDS, shipped=True
    )
    store(key, ".json", json.dumps([data, [[*loc, line] for loc, line in read.items()]]).encode())
    return data, read


def _tuples(data: Any) -> Any:
    if isinstance(data, dict):
        return {key: _tuples(value) for key, value in data.items()}
    return tuple(_tuples(each) for each in data) if isinstance(data, list) else data


def bias_of(entry: Located) -> str:
    """The overall risk of bias of a trial; empty where its entry states none."""
    judged: RiskOfBias | None = getattr(entry.row, "risk_of_bias", None)
    return judged.overall if judged else ""


# -- designs ---------------------------------------------------------------------------------------
def design_of(entry: Located) -> Found:
    """The kind of a trial's design, and why nothing of it can be compared; from its words where it names no kind."""
    said = getattr(entry.row, "design", None) or ""
    if isinstance(said, str):
        unclear = f"design not stated or not recognised ({', '.join(designs())})"
        return find("designs", said) or Found(NOT_USED, unclear)
    return Found(said.kind or NOT_USED, said.not_compared or "")


# -- figures ---------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Cited:
    """Where one number comes from."""

    what: str
    value: object
    provenance: str
    url: str = ""
    pointer: str = ""
    note: str = ""


def cited(one: Figure) -> Cited:
    """Where a figure comes from; one without a provenance is taken as read."""
    return Cited(one.what, one.value, one.provenance or "read", one.url, one.pointer, one.note)


def figures(located: Located) -> Iterator[tuple[Loc, Cited]]:
    """Every figure of an entry with its place, in the order of the file."""
    if not tidy.is_tidy(located.data):
        yield from _figures(located.data, (), located.data)
        return
    around = {name: node for name, node in located.data.items() if name not in ("outcomes", "results")}
    yield from _figures(around, (), around)
    seen = set()
    for row in located.results:
        for one in (getattr(row, name) for name in tidy.FIGURES):
            if one is not None and one.provenance and one.what not in seen:
                seen.add(one.what)
                yield row.loc, cited(one)


_ABOUT = ("id", "citation", "doi", "registry", "rejected", "patients", "split", "extraction")


def _figures(node: Any, loc: Loc, around: Mapping[str, Any]) -> Iterator[tuple[Loc, Cited]]:
    if is_figure(node):
        yield loc, cited(figure(dotted(loc), {"source_url": around.get("source_url"), **node}))
    elif isinstance(node, Mapping):
        if "provenance" in node:  # a row that says once where all of its numbers come from
            inherited = {**around, **node}
            for name, value in node.items():
                if isinstance(value, int | float | tuple) and not isinstance(value, bool):
                    yield (
                        (*loc, name),
                        cited(
                            figure(
                                dotted((*loc, name)), {**inherited, "value": value, "note": node.get("note")}
                            )
                        ),
                    )
            return
        for name, value in node.items():
            if loc or name not in _ABOUT:
                yield from _figures(value, (*loc, name), around)
    elif isinstance(node, tuple):
        for k, each in enumerate(node):
            yield from _figures(each, (*loc, k), around)

"""The studies, reviews and claims: a list of them, and everything on one.

listed(shipped_studies(), cause="als")      a row for each study
full_record("wade_2004", shipped_studies())   every number with where it comes from, what is used, and conflicts
"""

from __future__ import annotations

import difflib
import io
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from lissive.errors import EvidenceError
from lissive.evidence.claim import Claim, Conflict, claim_of, conflicts_of, shipped_claims
from lissive.evidence.comparing import every
from lissive.evidence.comparison import NOT_ASSESSED, Comparison, Unused, about, cause_word, label_of
from lissive.evidence.read import Cited, Funding, Located, Studies, figures, is_studies, shipped_reviews
from lissive.evidence.words import NOT_USED, designs, known
from lissive.files import write_rows
from lissive.given import text_of
from lissive.publications.arms import role
from lissive.publications.tables import number, plain


@dataclass(frozen=True)
class StudyEntry:
    """One study in a list."""

    id: str
    label: str
    kind: str
    """trial, observational."""
    citation: str
    doi: str
    registry: str
    cause: str
    cause_as_said: str
    design: str
    """Empty without a control group."""
    product: str
    products: tuple[str, ...]
    """All products that its arms received."""
    intervention: str
    people: float | None
    weeks: float | str | None
    funding: Funding | None
    """None where who paid is not noted."""
    outcomes: tuple[str, ...]
    """Those with a comparison."""
    in_words: tuple[str, ...]
    """Those that are reported without one."""
    patients: str
    not_compared: str
    """Why nothing of it can be compared; empty where it can."""
    where: str

    @property
    def is_controlled(self) -> bool:
        return self.kind == "trial" and not self.not_compared

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "funding": None if self.funding is None else self.funding.model_dump()}


@dataclass(frozen=True)
class Numbered:
    """One figure of an entry, and its line."""

    cited: Cited
    where: str

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self.cited), "where": self.where}


@dataclass(frozen=True)
class Record:
    """Everything on one entry that studies and reviews share."""

    id: str
    kind: str
    citation: str
    doi: str
    rejected: str
    note: str
    where: str
    numbers: tuple[Numbered, ...]
    conflicts: tuple[Conflict, ...]
    claims: tuple[str, ...]
    """Claims that are based on it."""

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "numbers": [each.to_json() for each in self.numbers]}


@dataclass(frozen=True)
class ReviewRecord:
    """Everything on one review."""

    entry: Record
    label: str
    purpose: str
    outcomes: tuple[Mapping[str, object], ...]
    """What each of its results is of: outcome, model, note."""

    def to_json(self) -> dict[str, Any]:
        more = {"label": self.label, "purpose": self.purpose, "outcomes": list(self.outcomes)}
        return {**self.entry.to_json(), **more}


@dataclass(frozen=True)
class StudyRecord:
    """Everything on one study."""

    entry: Record
    study: StudyEntry
    comparator: str
    design_as_said: str
    risk_of_bias: str
    """By domain, and who judged it."""
    same_people_as: tuple[str, ...]
    used: tuple[Comparison, ...]
    left_out: tuple[Unused, ...]

    def to_json(self) -> dict[str, Any]:
        return {
            **self.study.to_json(),
            **self.entry.to_json(),
            "comparator": self.comparator,
            "design_as_said": self.design_as_said,
            "risk_of_bias": self.risk_of_bias,
            "same_people_as": list(self.same_people_as),
            "used": [asdict(each) for each in self.used],
            "left_out": [each.to_json() for each in self.left_out],
        }


def listed(
    studies: Studies, *, cause: str | None = None, outcome: str | None = None, design: str | None = None
) -> list[StudyEntry]:
    """Each study that fits, in the order of the files; studies without a control group too.

    Raises       EvidenceError for a word that is not known, with the nearest.
    """
    outcome = None if outcome is None else studies.word_of(outcome)
    cause = cause_word(studies, cause)
    for kind, word, allowed in (
        ("cause", cause, studies.causes),
        ("outcome", outcome, studies.outcomes),
        ("design", design, designs()),
    ):
        if word is not None:
            known(kind, word, allowed)
    made, unused = every(studies)
    rows = [_entry(each, made, unused) for each in studies]
    return [
        row
        for row in rows
        if (cause is None or row.cause == cause)
        and (design is None or row.design == design)
        and (outcome is None or outcome in row.outcomes or outcome in row.in_words)
    ]


def _entry(entry: Located, made: Sequence[Comparison], unused: Sequence[Unused]) -> StudyEntry:
    mine = about(entry)
    own = [each for each in made if each.study == entry.id]
    with_numbers = tuple(dict.fromkeys(each.outcome for each in own))
    other = dict.fromkeys(each.outcome for each in unused if each.study == entry.id and each.outcome)
    row: Any = entry.row
    return StudyEntry(
        id=entry.id,
        label=mine.label,
        kind=entry.kind,
        citation=row.citation or "",
        doi=row.doi or "",
        registry=row.registry or "",
        cause=mine.cause,
        cause_as_said=getattr(row, "cause", None) or "",
        design="" if mine.design == NOT_USED else mine.design,
        product=mine.product,
        products=tuple(
            word
            for word in dict.fromkeys((mine.product, *(word for each in own for word in each.products)))
            if word
        ),
        intervention=getattr(row, "intervention", None) or "",
        people=participants(entry),
        weeks=plain(getattr(row, "duration_weeks", None)),
        funding=getattr(row, "funding", None),
        outcomes=with_numbers,
        in_words=tuple(word for word in other if word not in with_numbers),
        patients=mine.patients,
        not_compared=mine.why,
        where=entry.where("id"),
    )


def participants(entry: Located) -> float | None:
    """Participants of a trial: its total, otherwise the sum of its arms; None where that is not known."""
    rows = getattr(entry.row, "arms", None) or ()
    fields = ("n_randomised", "n_analysed", "n_treated", "n_enrolled", "n_completed", "n")
    counted = [
        (role(str(row.get("arm"))), next((n for f in fields if (n := number(row.get(f))) is not None), None))
        for row in rows
    ]
    totals = [n for kind, n in counted if kind == "total" and n is not None]
    if totals:
        return max(totals)
    arms = [n for kind, n in counted if kind != "total"]
    return sum(n for n in arms if n is not None) if arms and None not in arms else None


def ids(studies: Studies) -> dict[str, str]:
    """Every id that can be shown, and its kind."""
    found = {entry.id: entry.kind for entry in studies}
    found |= {entry.id: "review" for entry in shipped_reviews()}
    return found | {claim.id: "claim" for claim in shipped_claims()}


def full_record(id: str, studies: Studies) -> StudyRecord | ReviewRecord | Claim:
    """Everything on one study, review or claim.

    Raises       EvidenceError for an unknown id, with the nearest.
    """
    is_studies(studies)
    text_of("ID", id, wrong=EvidenceError, example="wade_2004")
    if (claim := claim_of(id)) is not None:
        return claim
    entry = next((each for each in (*studies, *shipped_reviews()) if each.id == id), None)
    if entry is None:
        raise _no_such(id, ids(studies))
    return _of_review(entry) if entry.kind == "review" else _of_study(entry, studies)


def _no_such(id: str, known_ids: Iterable[str]) -> EvidenceError:
    words = list(known_ids)
    folded = {word.lower(): word for word in words}
    near = [folded[each] for each in difflib.get_close_matches(id.lower(), folded, n=5, cutoff=0.5)]
    near += [word for word in words if len(id) > 2 and id.lower() in word.lower() and word not in near]
    return EvidenceError(
        f"Unknown study, review or claim {id!r}.",
        where="ID",
        allowed=f"{', '.join(near[:8]) or f'one of {len(words)} ids'}.",
        do="choose an id from `lissive evidence list` or `lissive evidence claims`.",
    )


def _record(entry: Located) -> Record:
    return Record(
        id=entry.id,
        kind=entry.kind,
        citation=entry.row.citation or "",
        doi=entry.row.doi or "",
        rejected=entry.row.rejected or "",
        note=str(entry.data.get("note") or entry.data.get("risk_of_bias_notes") or ""),
        where=entry.where("id"),
        numbers=tuple(Numbered(cited, entry.where(*loc)) for loc, cited in figures(entry)),
        conflicts=conflicts_of(entry.id),
        claims=()
        if entry.own is not None
        else tuple(each.id for each in shipped_claims() if _names(each, entry)),
    )


def _names(claim: Claim, entry: Located) -> bool:
    """Whether a claim names a study that comes with Lissive: by author and year, or by the trial's own name."""
    text = f"{claim.reasoning} {[each.what for each in claim.numbers]}"
    words = [each for each in label_of(entry.id, entry.row.citation or "").split() if not each.isdigit()]
    acronym = words[-1] if re.fullmatch(r"[A-Z][A-Z0-9]{3,}", words[-1]) else ""
    author = re.escape(" ".join(entry.id.split("_")[:2]))
    by_acronym = bool(acronym) and bool(re.search(rf"\b{acronym}\b", text))
    return by_acronym or bool(re.search(rf"\b{author}\b", text, re.IGNORECASE))


def _of_review(entry: Located) -> ReviewRecord:
    outcomes = tuple(
        {name: plain(value) for name, value in row.items() if name in ("outcome", "model", "note")}
        for row in entry.data.get("outcomes") or ()
        if isinstance(row, Mapping)
    )
    return ReviewRecord(_record(entry), label_of(entry.id), str(entry.data.get("purpose") or ""), outcomes)


def _design_said(entry: Located) -> str:
    """The design in the words of the publication."""
    design = getattr(entry.row, "design", None) or ""
    return design if isinstance(design, str) else design.said or ""


def _of_study(entry: Located, studies: Studies) -> StudyRecord:
    made, unused = every(studies)
    study = _entry(entry, made, unused)
    return StudyRecord(
        entry=_record(entry),
        study=study,
        comparator=getattr(entry.row, "comparator", None) or "",
        design_as_said=_design_said(entry),
        risk_of_bias=str(getattr(entry.row, "risk_of_bias", None) or NOT_ASSESSED),
        same_people_as=tuple(
            each.id for each in studies if each.id != entry.id and about(each).patients == study.patients
        ),
        used=tuple(each for each in made if each.study == entry.id),
        left_out=tuple(each for each in unused if each.study == entry.id),
    )


# -- as files for other programs: CSV, JSON, BibTeX, RIS --------------------------------------------
FORMATS = ("csv", "json", "bibtex", "ris")
_CITATION = re.compile(
    r"^(?P<authors>[^.]+(?:, et al)?)\. "
    r"(?:(?P<title>.+?(?:[?!](?= )|(?=\. )))\.? )?(?P<journal>[^.;]+?) (?P<year>(?:19|20)\d\d)"
    r"(?:;(?P<volume>\d+)(?:\([^)]*\))?(?::(?P<pages>[\w-]+))?)?"
)
_COLUMNS = (
    "study label outcome cause design product active_arm active_n active_events active_mean active_sd "
    "active_person_time control_arm control_n control_events control_mean control_sd control_person_time measure "
    "estimate low high level se correlation treatments better provenance patients sources note"
).split()


def exported(studies: Studies, format: str) -> str:
    """Everything in one format: a row for each comparison (CSV), an entry for each study and review (BibTeX, RIS)."""
    known("format", format, FORMATS)
    made, unused = every(studies)
    if format == "csv":
        return _csv(made)
    if format == "json":
        answer = {
            "studies": [each.to_json() for each in listed(studies)],
            "comparisons": [asdict(each) for each in made],
            "left_out": [each.to_json() for each in unused],
            "claims": [each.to_json() for each in shipped_claims()],
        }
        return json.dumps(answer, indent=1, allow_nan=False) + "\n"
    entries = [
        (each.id, each.row.citation or each.id, each.row.doi or "")
        for each in (*studies, *shipped_reviews())
        if each.row.citation
    ]
    form = _bibtex if format == "bibtex" else _ris
    return "\n".join(form(*each) for each in entries)


def _csv(made: Sequence[Comparison]) -> str:
    out = io.StringIO()
    flat = map(_flat, made)
    write_rows(out, [_COLUMNS, *([_rounded(row.get(name)) for name in _COLUMNS] for row in flat)])
    return out.getvalue()


def _flat(one: Comparison) -> Mapping[str, object]:
    flat: dict[str, object] = {
        name: getattr(one, name) for name in ("study", "label", "outcome", "cause", "design")
    }
    flat |= {name: getattr(one, name) for name in ("better", "provenance", "patients", "note")}
    for side in ("active", "control"):
        group = getattr(one, side)
        flat |= {f"{side}_{name}": value for name, value in asdict(group).items()} if group else {}
    if one.given:
        flat |= asdict(one.given)
    sources = dict.fromkeys(each.url for each in one.cited if each.url)
    return flat | {
        "product": " ".join(one.products),
        "correlation": one.correlation,
        "treatments": one.treatments,
        "sources": " ".join(url.replace(" ", "%20") for url in sources),
    }


def _rounded(value: object) -> object:
    return f"{value:.10g}" if isinstance(value, float) else value


def parts_of(citation: str) -> dict[str, str]:
    """Authors, title, journal, year, volume and pages of a citation, where it is written in that order.

    >>> parts_of("Rog DJ, Young CA. Neurology 2005;65:812-819")["journal"]
    'Neurology'
    """
    found = _CITATION.match(citation)
    if found:
        return {name: text for name, text in found.groupdict().items() if text}
    year = re.search(r"\b(?:19|20)\d\d\b", citation)
    return {"year": year[0]} if year else {}


def _authors(parts: Mapping[str, str]) -> list[str]:
    """`Wade DT, Makela P, et al` as Wade, DT; Makela, P; others."""
    found = []
    for name in parts.get("authors", "").split(", "):
        family, _, initials = name.strip().rpartition(" ")
        found.append(
            "others" if name.startswith("et al") else f"{family}, {initials}" if family else initials
        )
    return [name for name in found if name]


def _bibtex(id: str, citation: str, doi: str) -> str:
    parts = parts_of(citation)
    is_article = "journal" in parts
    fields = {
        "author": " and ".join(_authors(parts)) if is_article else "",
        "title": parts.get("title", "" if is_article else citation),
        "journal": parts.get("journal", ""),
        "year": parts.get("year", ""),
        "volume": parts.get("volume", ""),
        "pages": parts.get("pages", "").replace("-", "--"),
        "doi": doi,
        "note": _plain(citation) if is_article else "",
    }
    lines = [
        f"  {name} = {{{text if name == 'doi' else _escaped(text)}}},"
        for name, text in fields.items()
        if text
    ]
    return "\n".join([f"@{'article' if is_article else 'misc'}{{{id},", *lines, "}", ""])


def _plain(text: str) -> str:
    return " ".join(text.split())


def _escaped(text: str) -> str:
    """BibTeX's own signs as text."""
    return re.sub(r"([&%$#_{}])", r"\\\1", text).replace("<", r"\textless{}").replace(">", r"\textgreater{}")


def _ris(id: str, citation: str, doi: str) -> str:
    parts = parts_of(citation)
    first, _, last = parts.get("pages", "").partition("-")
    lines = [("TY", "JOUR" if "journal" in parts else "GEN"), ("ID", id)]
    lines += [("AU", name) for name in _authors(parts) if name != "others"] if "journal" in parts else []
    lines += [
        ("TI", parts.get("title", "" if "journal" in parts else _plain(citation))),
        ("JO", parts.get("journal", "")),
        ("PY", parts.get("year", "")),
        ("VL", parts.get("volume", "")),
        ("SP", first),
        ("EP", last),
        ("DO", doi),
        ("N1", _plain(citation)),
    ]
    return "\n".join([*(f"{tag}  - {text}" for tag, text in lines if text), "ER  - ", ""])

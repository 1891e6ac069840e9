"""Law by place: for each jurisdiction the rule of the day and its history, what people in some common situations are
answered, the visit, the products, federal law; the map; what changed lately."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from markupsafe import Markup

from lissive.access.answer import Answer, Asked, Cited, Facts, Product, days_later
from lissive.access.cases import Change, changes, group_of, tiles
from lissive.access.decide import decide, version_on
from lissive.access.facts import make_facts, products
from lissive.access.federal import form
from lissive.access.routes import clause_text
from lissive.access.rule import Jurisdiction, Version, rules
from lissive.access.visit import Step, visit_steps
from lissive.report.access_text import (
    CAUTIONS,
    ROUTE,
    STATUS,
    caution_text,
    federal_lines,
    is_blocked,
    procedural_text,
)
from lissive.report.compare_text import why
from lissive.report.table import Table, table
from lissive.report.words import upper_first
from lissive.site.build import Page, joined, link, unverified, verdict, weak
from lissive.site.standing import (
    KIND,
    SPASTICITY_IS,
    bottom_line,
    known,
    only_spasticity,
    product_words,
    rule_cell,
    status_text,
    visit_cell,
    warned,
)

LATELY = 730
"""What changed lately: in so many days."""
_SPASMS = {"severe": True, "persistent": True}
_MS: Mapping[str, Any] = {
    "age": 45,
    "resident": True,
    "dx": ["multiple_sclerosis"],
    "symptoms": {"muscle_spasms": {**_SPASMS, "cause": "multiple_sclerosis"}},
    "practitioner": "MD",
    "visit": "in_person",
    "initial": True,
}
STANDARD = (
    "an adult of 45 who lives there, with multiple sclerosis and severe, persistent muscle spasms, at a first visit in "
    "person to a physician"
)
"""Whom the first line of each page is about."""
_SITUATIONS: Sequence[tuple[str, Mapping[str, Any], str]] = (
    ("Multiple sclerosis, spasms; physician, in person", {}, "multiple_sclerosis"),
    ("The same, first visit by video", {"visit": "video"}, ""),
    ("The same, nurse practitioner", {"practitioner": "NP"}, ""),
    ("The same, a visitor with a card of their home", {"resident": False, "visitor_card": True}, ""),
    ("The same, aged 16, with a parent", {"age": 16, "guardian": True}, ""),
    ("The same, aged 12, with a parent", {"age": 12, "guardian": True}, ""),
    (
        "Spinal cord injury, spasms",
        {
            "dx": ["spinal_cord_injury"],
            "symptoms": {"muscle_spasms": {**_SPASMS, "cause": "spinal_cord_injury"}},
        },
        "spinal_cord_injury",
    ),
    (
        "Severe spasms, no cause found",
        {"dx": [], "symptoms": {"muscle_spasms": {**_SPASMS, "cause": "idiopathic"}}},
        "other",
    ),
    (
        "Cramps at night, not severe",
        {
            "dx": [],
            "symptoms": {
                "nocturnal leg cramps": {"severe": False, "persistent": True, "cause": "idiopathic"}
            },
        },
        "nocturnal_cramps",
    ),
)
"""Situations that people ask about: what differs from the first, and the cause of which the evidence is said."""


@cache
def situations() -> tuple[tuple[str, Facts, str], ...]:
    """Each with its facts and cause; the first is the standard person."""
    return tuple((label, make_facts({**_MS, **other}), cause) for label, other, cause in _SITUATIONS)


def standard_person() -> Facts:
    return situations()[0][1]


@dataclass(frozen=True)
class Place:
    """One jurisdiction on the day."""

    rule: Jurisdiction
    version: Version | None
    answer: Answer
    """To the standard person."""

    @property
    def path(self) -> str:
        return f"law/{self.rule.code.lower()}.html"

    @property
    def mark(self) -> str:
        """Of a rule that was not checked."""
        return unverified(self.version.known("logic")) if self.version else ""

    @property
    def href(self) -> str:
        """From another page of the law."""
        return self.path.removeprefix("law/")


def places(on: datetime.date, codes: Sequence[str] | None = None) -> list[Place]:
    """Those of the codes, or all, by name within their group."""
    found = [
        Place(rule, version_on(rule, on), decide(standard_person(), code, on))
        for code, rule in rules().items()
        if codes is None or code in codes
    ]
    return sorted(found, key=lambda each: (each.rule.code.count("-") == 0, each.rule.name))


def pages(on: datetime.date, codes: Sequence[str] | None = None) -> Iterator[Page]:
    every = places(on, codes)
    read = last_checked(every)
    lately = changes(days_later(on, -LATELY) or on, on)
    yield Page("law/index.html", "Law by place", "law.html.j2", read, _index(every, on))
    for each in every:
        yield _page(each, on, lately)


def last_checked(every: Sequence[Place]) -> str:
    """When the rules of all these places were checked last, at least."""
    first = min(each.rule.verified for each in every)
    return f"Rules last checked on {first} or later; their sources may be older."


# -- the index, with the map ------------------------------------------------------------------------
def _index(every: Sequence[Place], on: datetime.date) -> dict[str, Any]:
    there = {each.rule.code: each for each in every}
    drawn = [
        {
            "place": there[code],
            "x": tile.column * 80,
            "y": tile.row * 80,
            "kind": KIND[there[code].answer.status],
            "short": code.removeprefix("US-"),
            "what": f"{there[code].rule.name}: {status_text(there[code].answer)}",
        }
        for code, tile in tiles().items()
        if tile.group == "state" and code in there
    ]
    counts = [(status, sum(each.answer.status == status for each in every)) for status in STATUS]
    return {
        "search": True,
        "person": STANDARD,
        "tiles": drawn,
        "height": 80 * (1 + max((tile.row for tile in tiles().values() if tile.group == "state"), default=0)),
        "others": [
            (name, [each for each in every if group_of(each.rule.code) == group])
            for name, group in (("Territories", "territory"), ("Other countries", "country"))
        ],
        "kinds": KIND,
        "counts": [(verdict(STATUS[status], KIND[status]), number) for status, number in counts],
        "table": table(
            "Every jurisdiction", "place|the rule|visit|why|rule since|sources to", map(_row, every)
        ),
    }


def _row(each: Place) -> tuple[str, ...]:
    answer = each.answer
    return (
        joined([Markup('<a href="{}">{}</a>').format(each.href, each.rule.name)]),
        joined(
            [verdict(status_text(answer), KIND[answer.status]), only_spasticity(standard_person(), answer)]
        ),
        procedural_text(answer),
        upper_first(why(answer)),
        each.version.begins or "-" if each.version else "no rule",
        answer.sources_to or "not dated",
    )


# -- one place --------------------------------------------------------------------------------------
def _page(place: Place, on: datetime.date, lately: Sequence[Change]) -> Page:
    answer, rule = place.answer, place.rule
    to = f"sources dated to {answer.sources_to}" if answer.sources_to else "no source is dated"
    read = f"Rules of {rule.name} last checked on {rule.verified}; {to}."
    read += f" Confidence in the reading of the rule: {answer.confidence}."
    of_here = [
        each for each in lately if each.jurisdiction in (rule.code, rule.code[:2] if "-" in rule.code else "")
    ]
    content = {
        "place": rule,
        "person": STANDARD,
        "answer": answer,
        "bottom_line": bottom_line(answer, standard_person()),
        "kind": "unsure" if is_blocked(answer) and answer.status != "not_eligible" else KIND[answer.status],
        "smoke": _smoke(rule.code, on),
        "why": list(_why(answer)),
        "missing": [
            f"{upper_first(each.asks)}: if so, {STATUS[each.would_change_to]}; if not, {STATUS[each.if_not]}."
            for each in answer.missing
        ],
        "situations": _situations(rule.code, on),
        "rule": list(_rule(place)),
        "visit": list(_visit(place, on)),
        "products": _products(rule.code, on),
        "routes": [each.text for each in answer.alternatives],
        "dates": answer.dates,
        "federal": list(federal_lines(answer.federal, "dronabinol")),
        "cautions": [caution_text(each) for each in answer.cautions],
        "lately": [(each.on, each.jurisdiction, what_changed(each), each.citation) for each in of_here],
        "history": [_version(each) for each in reversed(rule.versions)],
    }
    return Page(place.path, rule.name, "place.html.j2", read, content)


def _smoke(code: str, on: datetime.date) -> str:
    """Where smoking is left out, which a reader of "eligible" may not expect."""
    row = form(code, "flower_smoked", on)
    barred = row is not None and not row.allowed and row.source.provenance == "read"
    return "The programme does not allow cannabis to be smoked." if barred else ""


def _why(answer: Answer) -> Iterator[Markup]:
    quoted = set[str]()
    for each in answer.fired:
        quote = f" “{each.quote}”" if each.quote and each.quote not in quoted else ""
        quoted.add(each.quote or "")
        yield joined(
            [
                f"{upper_first(each.what)}.{quote}",
                link(each.citation, each.source_url),
                unverified(each.provenance),
            ]
        )
    if answer.status == "unknown" and answer.missing:
        yield Markup(
            "The rule is known; whether this person meets it is not, because the facts below are not stated."
        )
    if answer.status == "not_eligible":
        yield Markup("No clause of the rule is met." if answer.rule else "No rule is in force.")
        if only_spasticity(standard_person(), answer):
            yield Markup(SPASTICITY_IS)


def _situations(code: str, on: datetime.date) -> Table:
    rows = []
    for label, facts, cause in situations():
        answer = decide(facts, code, on)
        cells = rule_cell(facts, answer), visit_cell(facts, answer)
        rows.append((label, *cells, joined([*warned(facts), known(cause)])))
    head = "situation|the rule|visit and practitioner|not the law: is it safe, does it help"
    return table("What the rule says of some common situations", head, rows)


def _days(version: Version) -> str:
    about = {"month": " (to the month)", "year": " (to the year)", "approx": " (about)"}.get(
        version.date_precision or "", ""
    )
    began = version.begins or "an unknown day"
    return f"{began} to {version.ends or 'now'}{about}{unverified(version.from_provenance or '')}"


def _clauses(version: Version) -> Iterator[str]:
    """What the rule says of spasms, and of whatever the practitioner finds."""
    for clause in version.logic.walk():
        if clause.symptom in ("muscle_spasms", "spasticity") or clause.discretion or clause.self_certify:
            yield f"{upper_first(clause_text(clause))}{unverified(version.known('logic'))}."


def _rule(place: Place) -> Iterator[tuple[str, object]]:
    yield "Programme", place.rule.programme or "No programme"
    if place.rule.regulator:
        yield "Run by", place.rule.regulator
    version = place.version
    if version is None:
        return
    yield "Rule", f"{version.id}, {_days(version)}"
    if version.quote:
        yield "In its words", f"“{version.quote}”{unverified(version.known('quote'))}"
    elif version.wording:
        yield "In short", upper_first(version.wording)
    if clauses := list(_clauses(version)):
        alone = "This alone is not enough: what is not known, above, is asked as well."
        yield "On spasms", joined([*clauses, alone if place.answer.status == "unknown" else ""])
    source = next(iter(version.sources), None)
    yield "Law", link("; ".join(version.citations), source.url if source else None)


LABELS = {
    "who": "Who certifies", "course": "Course", "relationship": "Relationship", "visit": "Visit, video",
    "pmp": "Monitoring programme", "form": "Form", "registration": "Card", "fee": "Fee", "validity": "Validity",
    "renewal": "Renewal", "supply": "Supply", "products": "Products", "minors": "Minors", "caregivers": "Caregivers",
    "records": "Records", "conflicts": "Conflicts of interest",
}  # fmt: skip


def _visit(place: Place, on: datetime.date) -> Iterator[tuple[str, object]]:
    """What a visit entails, by kind; visitors; that video was not read where it was not."""
    version = place.version
    if version is None or version.logic.kind == "never":
        return
    by_kind: dict[str, list[Step]] = {}
    for step in visit_steps(place.rule, version, on):
        by_kind.setdefault(step.kind, []).append(step)
    for kind, label in LABELS.items():
        if kind in by_kind:
            grown = kind == "products" and all("home grow" in each.text for each in by_kind[kind])
            steps = [
                replace(each, text=each.text.removeprefix("Products: home grow ")) for each in by_kind[kind]
            ]
            yield "Growing at home" if grown else label, joined(map(_step, steps))
        elif kind == "visit":
            yield label, "Whether a visit by video is enough was not read."
    rule = version.reciprocity
    recognised = {True: "recognised", False: "not recognised", None: "not known"}[
        rule.recognised if rule else None
    ]
    note = f" ({rule.note})" if rule and rule.note else ""
    doubt = unverified(version.known("reciprocity")) if rule else ""
    buys = may_buy(rule.note if rule else None)
    yield "Visitors", f"Cards of other places: {recognised}{note}{doubt}. May buy as a visitor: {buys}."


def may_buy(note: str | None) -> str:
    """Whether a visitor may buy, by the words of the rule for visitors; no other word is read as a yes.

    >>> may_buy("a defence for possession only; no purchase"), may_buy("visiting patients with home card")
    ('no', 'not said')
    >>> may_buy("visitors 21+ may buy adult-use"), may_buy("non-residents can also buy 3-day cards")
    ('yes, as adult use', 'not said')
    """
    if re.search(r"\bno purchase\b", note or ""):
        return "no"
    if re.search(r"\bbuy (?!\d+-day)|\bfor purchase\b", note or ""):
        return "yes, as adult use" if "adult-use" in (note or "") else "yes"
    return "not said"


def _step(step: Step) -> Markup:
    note = f" ({step.note})" if step.note else ""
    if not step.citation:
        source = link("source", step.source_url) if step.source_url else ""
    else:
        source = link(step.citation, step.source_url)
    return joined(
        [
            f"{upper_first(step.text)}{unverified(step.provenance)}{note}",
            joined(["[", source, "]"], "") if source else "",
        ]
    )


@cache
def product_answer(name: str, code: str, on: datetime.date) -> Product:
    """Whether the standard person can have a product there on that day."""
    return decide(replace(standard_person(), product=Asked(name)), code, on).product


def _products(code: str, on: datetime.date) -> Table:
    rows = []
    for name, kind in products().items():
        found = product_answer(name, code, on)
        video = ""
        if found.status == "obtainable" and found.by_video != "unknown":
            until = f" (until {found.until}; what follows is not known)" if found.until else ""
            video = f"By video: {found.by_video}{until}."
        nearest = (
            f"Nearest: {'; '.join(products()[each].text for each in found.nearest)}." if found.nearest else ""
        )
        sources = joined(map(_cited, found.sources), "; ")
        by = f", {ROUTE[found.route]}" if found.route and found.status == "obtainable" else ""
        rows.append(
            (
                upper_first(kind.text),
                verdict(f"{product_words(found, code, on)}{by}", KIND.get(found.status, "unsure")),
                joined([found.why, nearest, video]),
                sources,
            )
        )
    return table("Whether each product can be had", "product|answer|why|sources", rows)


def _cited(one: Cited) -> Markup:
    return joined([link(one.title, one.url), weak(one.title, one.url), unverified(one.provenance)], "")


def _version(version: Version) -> dict[str, Any]:
    return {
        "version": version,
        "days": _days(version),
        "quote": version.quote,
        "quote_doubt": unverified(version.known("quote")),
        "clauses": list(_clauses(version)),
        "cautions": [f"{upper_first(CAUTIONS[each.kind])}: {each.text}" for each in version.cautions],
        "pending": [f"{each.bill} (from {each.begins}): {each.effect}." for each in version.pending],
    }


# -- what changed ---------------------------------------------------------------------------------------
def what_changed(change: Change) -> str:
    """What changed; of a new version also what it says, where the law's words are not at hand, or a note."""
    place = rules().get(change.jurisdiction)
    version = next((each for each in place.versions if each.id == change.rule), None) if place else None
    more = (
        (version.wording or version.note or "") if version and change.what.startswith("a new version") else ""
    )
    return " ".join(f"{upper_first(each.removesuffix('.'))}." for each in (change.what, more) if each)

"""One study's comparison of an active with a control group on one outcome, with where its numbers come from.

Comparison(study="zajicek_2012", outcome="responders_relief", cause="multiple_sclerosis", design="parallel",
           active=Group("active", n=143, events=42), control=Group("placebo", n=134, events=21), ...)
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cache
from typing import Any

from lissive.case.vocabulary import meant
from lissive.errors import EvidenceError
from lissive.evidence.read import Cited, Located, Studies, cited, design_of
from lissive.evidence.words import NOT_USED, find, slug, table
from lissive.given import text_of
from lissive.publications.tables import Result, number

MEASURES = ("OR", "RR", "RD", "HR", "IRR", "MD", "SMD", "GMR")
"""Odds ratio, risk ratio, risk difference, hazard ratio, rate ratio, mean difference, standardised mean difference,
ratio of geometric means."""
RATIOS = ("OR", "RR", "HR", "IRR", "GMR")
"""Measures that are analysed as their natural logarithm; 1 is no effect."""
DESIGNS = ("parallel", "enriched", "withdrawal", "crossover")
CHOSEN = ("enriched", "withdrawal")
"""Designs that randomise only people who had answered to the drug."""
SINGLE = "single"
"""The groups that took the drug, taken alone: no comparison."""
NOT_ASSESSED = "not assessed here"
"""Of the risk of bias of a study whose entry states none."""
PROVENANCES = ("read", "derived", "recalled")
"""From the strongest to the weakest: checked against its source, calculated from such numbers, unverified."""


@dataclass(frozen=True)
class Group:
    """One side of a comparison on one outcome. In a crossover both sides are the same participants."""

    arm: str
    n: float | None = None
    events: float | None = None
    mean: float | None = None
    sd: float | None = None
    """Standard deviation of what `mean` is the mean of, between participants; never a standard error."""
    person_time: float | None = None
    """Of a rate: the time that all participants were followed, in one unit for both groups."""


@dataclass(frozen=True)
class Given:
    """A difference or ratio, active against control, that the study reports; ratios as such, not as logarithms."""

    measure: str
    estimate: float
    low: float | None = None
    high: float | None = None
    se: float | None = None
    """Standard error on the scale of analysis: of the logarithm where the measure is a ratio."""
    level: float = 0.95


@dataclass(frozen=True)
class Comparison:
    """What one study reports on one outcome."""

    study: str
    label: str
    outcome: str
    cause: str
    design: str
    product: str = ""
    """Empty where arms of different products are combined; `products` has them all."""
    products: tuple[str, ...] = ()
    active: Group | None = None
    control: Group | None = None
    given: Given | None = None
    correlation: float | None = None
    """Crossover: between a person's values under active and under control; `assumed` says why, if not stated."""
    assumed: str = ""
    treatments: int = 1
    """Crossover: active treatments of each person, whose mean is compared."""
    better: str = "lower"
    """Which way of the outcome is benefit: lower, higher."""
    provenance: str = "read"
    """The weakest of what is used: read, derived, recalled."""
    cited: tuple[Cited, ...] = ()
    unsigned: str = ""
    """Why the sign of its difference is not known: it is then no estimate, and is not pooled."""
    patients: str = ""
    """Key of the participants: comparisons with the same key have the same participants. "" is a key of its own."""
    note: str = ""
    risk_of_bias: str = ""
    """low, some concerns, unclear, high; in part where not every domain is judged; empty where none is."""


def weakest(provenances: tuple[str, ...]) -> str:
    """The least trustworthy of some provenance words; read where there are none.

    >>> weakest(("read", "recalled", "derived"))
    'recalled'
    """
    return max(provenances, key=PROVENANCES.index, default="read")


def is_usable(active: Group | None, control: Group | None) -> bool:
    """Whether two groups can be compared by their own numbers."""
    sides = [each for each in (active, control) if each is not None and (each.n or each.person_time)]
    counted = all(each.events is not None for each in sides)
    measured = all(each.n and each.mean is not None and each.sd is not None for each in sides)
    return len(sides) == 2 and (counted or measured)


def lacking(active: Group | None, control: Group | None) -> str:
    """What they lack for that."""
    sides = [each for each in (active, control) if each is not None]
    if len(sides) < 2:
        return "one arm only"
    if any(each.mean is not None and each.sd is None for each in sides):
        return "means without a standard deviation, and no interval of the difference"
    return "number of participants not reported"


def one_group(groups: Sequence[Group]) -> Group:
    """Groups of different persons as one; what one of them lacks is lacking.

    >>> both = one_group([Group("a", 30, mean=5.0, sd=2.0), Group("b", 30, mean=6.0, sd=2.0)])
    >>> both.n, both.mean, round(both.sd, 4)
    (60, 5.5, 2.0461)
    """
    arm = " + ".join(each.arm for each in groups)
    n, events, time = (_sum(groups, name) for name in ("n", "events", "person_time"))
    means = [(each.n, each.mean, each.sd) for each in groups if each.n and each.mean is not None]
    mean = sd = None
    if n and len(means) == len(groups):
        mean = sum(m * x for m, x, _ in means) / n
        spread = [(m - 1) * s**2 + m * (x - mean) ** 2 for m, x, s in means if s is not None]
        sd = math.sqrt(sum(spread) / (n - 1)) if len(spread) == len(groups) and n > 1 else None
    return Group(arm, n=n, events=events, mean=mean, sd=sd, person_time=time)


def _sum(groups: Sequence[Group], name: str) -> float | None:
    values = [value for each in groups if (value := getattr(each, name)) is not None]
    return sum(values) if len(values) == len(groups) else None


def mean_of_treatments(groups: Sequence[Group]) -> Group:
    """Treatments of the same persons as their mean; the deviation is that under one treatment."""
    k, found = len(groups), {}
    for name in ("events", "mean"):
        values = [value for each in groups if (value := getattr(each, name)) is not None]
        found[name] = sum(values) / k if len(values) == k else None
    sds = [each.sd for each in groups if each.sd is not None]
    sizes = [each.n for each in groups if each.n is not None]
    return Group(
        " + ".join(each.arm for each in groups),
        n=min(sizes, default=None),
        sd=math.sqrt(sum(sd**2 for sd in sds) / k) if len(sds) == k else None,
        **found,
    )


def clustered(one: Comparison, design_effect: float) -> Comparison:
    """A cluster trial's groups with as many participants as they are worth; its own estimate is taken as adjusted."""
    if design_effect == 1.0:
        return one
    groups = [None if each is None else _shrunk(each, design_effect) for each in (one.active, one.control)]
    note = f"participants and events divided by {design_effect:.3g}, the design effect of its clusters"
    if one.given is not None:
        note += "; its own estimate is taken as adjusted for them"
    return replace(one, active=groups[0], control=groups[1], note="; ".join(filter(None, (one.note, note))))


def _shrunk(group: Group, by: float) -> Group:
    less = {name: value / by for name in ("n", "events") if (value := getattr(group, name)) is not None}
    return replace(group, **less)


# -- what enters no comparison ----------------------------------------------------------------------
@dataclass(frozen=True)
class Unused:
    """One block or figure that enters no comparison, and why."""

    study: str
    key: str
    reason: str
    outcome: str = ""
    """Empty where it is of no known outcome."""
    text: str = ""
    """What the trial reports: its words, or else its figures as words."""
    cited: tuple[Cited, ...] = ()
    either: Comparison | None = None
    """The comparison as printed, where it is left out because its sign is not known."""

    @property
    def provenance(self) -> str:
        """Of its weakest figure."""
        return weakest(tuple(each.provenance for each in self.cited))

    @property
    def kind(self) -> str:
        """per protocol, a subgroup, sign not known: shown beside the figures wherever they are shown."""
        if self.either is not None:
            return "sign not known"
        return next((word for word in (PER_PROTOCOL, SUBGROUP) if self.reason.startswith(word)), "")

    def to_json(self) -> dict[str, Any]:
        return {
            "study": self.study,
            "key": self.key,
            "reason": self.reason,
            "outcome": self.outcome,
            "said": self.text,
            "cited": [asdict(each) for each in self.cited],
        }


def per_protocol(study: str, outcome: str, rows: Sequence[Result]) -> Iterator[Unused]:
    """Per-protocol figures: shown, not pooled."""
    mine = [row for row in rows if row.per_protocol]
    if mine:
        reason = f"{PER_PROTOCOL} ({', '.join(sorted({row.detail for row in mine}))}): shown, not pooled"
        yield Unused(study, rows[0].name.text, reason, outcome, words_of(mine), cited_in(mine))


def of_subgroup(whose: str) -> str:
    """The reason why a subgroup's figures are not pooled."""
    return f"{SUBGROUP}, {whose.rstrip('.')}: shown, not pooled"


def words_of(rows: Sequence[Result]) -> str:
    """What rows report: their words, or otherwise their figures as words."""
    said = (row for row in rows if row.statistic == "words" and row.value is not None)
    if text := next(
        (str(row.value.value) for row in said if row.value and not row.arm and row.detail != "note"), ""
    ):
        return text
    return _joined(_line_words(list(group)) for _, group in itertools.groupby(rows, key=lambda row: row.line))


def comparison_words(one: Comparison) -> str:
    """What a comparison found: the difference that it reports, and its groups."""
    given = one.given
    stated = ""
    if given is not None:
        ends = "" if given.low is None or given.high is None else f" ({given.low:.3g} to {given.high:.3g})"
        stated = f"{given.measure} {given.estimate:.3g}{ends}"
    return _joined((stated, groups_words(one.active, one.control)))


def groups_words(active: Group | None, control: Group | None) -> str:
    """Both groups, each with its participants; nothing without their figures."""
    return _joined(_group_words(each) for each in (active, control) if each is not None)


def _group_words(group: Group) -> str:
    n = "" if group.n is None else f" (n {group.n:.4g})"
    if group.events is not None:
        return f"{group.arm} {group.events:g}{n.replace('(n', 'of').rstrip(')')}"
    return "" if group.mean is None else f"{group.arm} {group.mean:g}{n}"


PER_PROTOCOL, SUBGROUP = "per protocol", "a subgroup"
"""How the reasons begin of figures that are not of all randomised participants."""
IN_WORDS = "reported in words"


def _joined(parts: Iterable[str]) -> str:
    return "; ".join(part for part in parts if part)


def _line_words(rows: Sequence[Result]) -> str:
    """One line of the file: its arm, and what was found; nothing where it has no number, or is of no arm."""
    if rows[0].time and not rows[0].arm:
        return ""
    parts = [text for row in rows if (text := _figure_words(row))]
    p = next((row.p for row in rows if row.p is not None and row.p.value is not None), None)
    parts += [f"p {_short(p.value)}"] if p else []
    return f"{rows[0].arm} {', '.join(parts)}".strip() if parts else ""


def _figure_words(row: Result) -> str:
    value = row.value.number if row.value else None
    if row.statistic == "share":
        of = f"{_short(row.events.value)} of {_short(row.n.value)}" if row.events and row.n else ""
        return ", ".join(part for part in (of, "" if value is None else f"{_short(value)} %") if part)
    if value is None:
        return ""
    ends = row.ci.ends if row.ci else None
    interval = f" ({_short(ends[0])} to {_short(ends[1])})" if ends else ""
    if row.statistic == "difference":
        return f"difference {_short(value)}{interval}"
    if row.statistic == "change":
        return _short(value) if row.arm else f"change {_short(value)}"
    if row.statistic in ("mean", "end"):
        return _short(value)
    return f"{_short(value)}{interval}" if row.statistic in MEASURES or row.detail == "value" else ""


def _short(value: Any) -> str:
    return f"{value:g}" if isinstance(value, int | float) else str(value)


_FIGURES = ("value", "events", "n", "sd", "se", "ci", "iqr", "p", "person_time")


def cited_in(rows: Sequence[Result]) -> tuple[Cited, ...]:
    """The figures of rows that say where they are from."""
    found = (one for row in rows for name in _FIGURES if (one := getattr(row, name)) is not None)
    return tuple(dict.fromkeys(cited(one) for one in found if one.provenance))


# -- what a trial studied ---------------------------------------------------------------------------
@dataclass(frozen=True)
class About:
    """What one trial studied, in the words of the tables."""

    study: str
    label: str
    cause: str
    design: str
    """parallel, enriched, withdrawal, crossover; `-` without a control group."""
    product: str
    patients: str
    why: str = ""
    """Why nothing of it can be compared; empty where it can."""
    design_effect: float = 1.0
    """By which a cluster trial has fewer participants than it counts: 1 + (cluster size - 1) icc."""


def about(entry: Located) -> About:
    """Cause, design and product of a trial: as the file names them, otherwise from its words."""
    row, size = entry.row, 1.0
    said = getattr(row, "design", None) or ""
    if isinstance(said, str):
        stated = getattr(row, "cause", None) or ""
        found, made = find("causes", stated), find("products", getattr(row, "intervention", None) or "")
        cause = found.word if found else slug(stated) if entry.own is not None else ""
        product = made.word if made else ""
        design, why = _compared(entry)
        if not why and "cluster" in said.lower():
            size, why = _design_effect(entry)
    else:
        cause, product = said.cause or "", said.product or ""
        design, why = design_of(entry)
        design = NOT_USED if why else design
    if row.rejected:
        why = f"rejected: {row.rejected}"
    patients = getattr(row, "patients", None) or entry.people or entry.id
    return About(
        entry.id, label_of(entry.id, row.citation or ""), cause, design, product, patients, why, size
    )


def _compared(entry: Located) -> tuple[str, str]:
    """Kind of the design, and why nothing can be compared, from the words of an entry."""
    row = entry.row
    design, note = design_of(entry)
    why = note if design == NOT_USED else ""
    if design == "parallel" and getattr(row, "enriched", None):
        design = "enriched"
    if entry.kind != "trial":
        return NOT_USED, "observational, without a control group"
    if getattr(row, "randomised", None) is False:
        return NOT_USED, "not randomised"
    against = find("comparators", getattr(row, "comparator", None) or "control")
    if not why and (against is None or against.word == NOT_USED):
        return NOT_USED, f"compared with {getattr(row, 'comparator', '')}, not placebo"
    return design, why


def _design_effect(entry: Located) -> tuple[float, str]:
    """Of a cluster trial, and why it has none (Cochrane Handbook 23.1.4)."""
    icc, size = (number(getattr(entry.row, name, None)) for name in ("icc", "cluster_size"))
    if icc is None or size is None:
        return (
            1.0,
            "a cluster trial without its intracluster correlation and cluster size (icc, cluster_size)",
        )
    if not 0.0 <= icc < 1.0 or size < 1.0:
        return 1.0, f"icc {icc:g} with a cluster size of {size:g} is impossible (0 to below 1; 1 or more)"
    return 1.0 + (size - 1.0) * icc, ""


def cause_word(studies: Studies, cause: str | None) -> str | None:
    """The word of a cause that is given as a study has it (MS); any other unchanged."""
    if cause is None or text_of("cause", cause, wrong=EvidenceError, example="als") in studies.causes:
        return cause
    stated = (about(each).cause for each in studies.trials if getattr(each.row, "cause", None) == cause)
    return next((word for word in stated if word), None) or meant("cause", cause, studies.causes)


@cache
def label_of(id: str, citation: str = "") -> str:
    """The id as it is printed: its words as the citation spells them, where it has them.

    >>> label_of("zajicek_2012_MUSEC"), label_of("nct01606176_gw"), label_of("vandedonk_2019", "van de Donk T, et al.")
    ('Zajicek 2012 MUSEC', 'NCT01606176 GW', 'van de Donk 2019')
    """
    words = [each for each in id.split("_") if each]
    name = list(itertools.takewhile(str.isalpha, words))
    spelt = re.match(r"[ '-]?".join("".join(name)) + r"\b", citation, re.IGNORECASE) if name else None
    rest = words[len(name) :] if spelt else words
    return " ".join([*([spelt[0]] if spelt else []), *(_word(each, citation) for each in rest)])


def _word(word: str, citation: str) -> str:
    if word.startswith("nct") or word in ("gw", "sci", "cbd"):
        return word.upper()
    spelt = re.search(rf"\b{re.escape(word)}\b", citation, re.IGNORECASE)
    return spelt[0] if spelt and spelt[0].isupper() else word[:1].upper() + word[1:]


# Figures of uncertain meaning (read_as.tsv), by their use. `sign`: the sign of a difference is not known (the means of
# groups are used where there are any; otherwise either sign is tried beside the pool). `subgroup`: of a part of
# the participants (shown, not pooled, as a per-protocol figure is).


def why_unsigned(entry: Located, outcome: str, given: Given) -> str:
    """Why the sign of a stated difference is not known; empty where it is."""
    row = _row(entry.id, outcome)
    if row is not None and row["use"] == "sign":
        return row["why"]
    convention = (getattr(entry.row, "outcomes", None) or {}).get("sign_convention")
    if isinstance(convention, str) and "not" in convention and given.measure == "MD":
        return f"sign of its differences uncertain: {convention}"
    return ""


def subgroup_of(study: str, outcome: str) -> str:
    """The subgroup that a study's figures of an outcome are of; empty where they are of all."""
    row = _row(study, outcome)
    return row["why"] if row is not None and row["use"] == "subgroup" else ""


def _row(study: str, outcome: str) -> Mapping[str, str] | None:
    return next((row for row in table("read_as") if (row["study"], row["outcome"]) == (study, outcome)), None)

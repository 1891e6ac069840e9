"""One study's comparison of an active with a control group on one outcome, with where its numbers come from.

Comparison(study="zajicek_2012", outcome="responders_relief", cause="multiple_sclerosis", design="parallel",
           active=Group("active", n=143, events=42), control=Group("placebo", n=134, events=21), ...)
"""

from __future__ import annotations

from dataclasses import dataclass

MEASURES = ("OR", "RR", "RD", "HR", "IRR", "MD", "SMD", "GMR")
"""Odds ratio, risk ratio, risk difference, hazard ratio, rate ratio, mean difference, standardised mean difference,
ratio of geometric means."""
RATIOS = ("OR", "RR", "HR", "IRR", "GMR")
"""Measures that are analysed as their natural logarithm; 1 is no effect."""
DESIGNS = ("parallel", "enriched", "withdrawal", "crossover")
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
class Cited:
    """Where one number comes from."""

    what: str
    value: object
    provenance: str
    url: str = ""
    pointer: str = ""
    note: str = ""


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


def weakest(provenances: tuple[str, ...]) -> str:
    """The least trustworthy of some provenance words; read where there are none.

    >>> weakest(("read", "recalled", "derived"))
    'recalled'
    """
    return max(provenances, key=PROVENANCES.index, default="read")

"""What could hurt: the typed answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

Severity = Literal["contraindicated", "major", "moderate", "minor"]
SEVERITIES: tuple[Severity, ...] = ("contraindicated", "major", "moderate", "minor")

DECISIVE = frozenset(
    ("pregnancy", "breast-feeding", "current drugs", "other conditions", "family history of psychosis", "age")
)
"""What may forbid a product: where it is not stated, nothing here says that it may be taken."""


@dataclass(frozen=True)
class Flag:
    """One thing that could hurt this person with this product."""

    id: str
    kind: Literal["interaction", "contraindication", "caution"]
    substances: tuple[str, ...]
    """The drugs, or the drug and the condition, that it is about."""
    severity: Severity
    mechanism: str
    advice: str
    """What to do, and what to watch."""
    sources: tuple[str, ...]
    provenance: str
    """`read` and the day on which a source was read last, or `unverified`."""
    watch: str = ""
    """What to look for."""
    short: str = ""
    """One line of at most 60 characters."""

    def to_json(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "kind": self.kind,
            "substances": list(self.substances),
            "severity": self.severity,
            "mechanism": self.mechanism,
            "advice": self.advice,
            "watch": self.watch,
            "short": self.short,
            "sources": list(self.sources),
            "provenance": self.provenance,
        }


@dataclass(frozen=True)
class UnknownDrug:
    """A name that is in no table: nothing is known of its interactions here."""

    name: str
    meant: tuple[str, ...]
    """Names that are spelled almost so."""


@dataclass(frozen=True)
class UnknownCondition:
    """A condition that is stated and, as it is stated, in no row."""

    name: str
    hint: str
    """What may be meant, or as what alone it was looked up; empty where neither is known."""

    def __str__(self) -> str:
        return f"{self.name} ({self.hint})" if self.hint else self.name


@dataclass(frozen=True)
class Source:
    """Who says so."""

    citation: str
    url: str
    seen: str
    """What of it was read, and when."""


@dataclass(frozen=True)
class SafetyAnswer:
    """The flags of a case, the most severe first, and what could not be looked at."""

    flags: tuple[Flag, ...]
    unknown_drugs: tuple[UnknownDrug, ...]
    unstated: tuple[str, ...]
    """What the case does not say: `pregnancy`, `driving`, `current drugs` …"""
    without_flag: tuple[str, ...] = ()
    """Drugs that are known and that no rule here is about; which is not "no interaction"."""
    cited: Mapping[str, Source] = field(default_factory=dict)
    """The sources of the flags, by key."""
    asks: tuple[str, ...] = ()
    """What a drug points to and the case does not state: `whether clobazam is taken for epilepsy`."""
    unknown_conditions: tuple[UnknownCondition, ...] = ()

    @property
    def unchecked_conditions(self) -> tuple[str, ...]:
        """Conditions that are stated and in no row, with what may be meant."""
        return tuple(map(str, self.unknown_conditions))

    @property
    def not_assessed(self) -> tuple[str, ...]:
        """What could not be looked up: not stated, or in no row."""
        hints = ((each.name, f"; {each.hint}" if each.hint else "") for each in self.unknown_conditions)
        return (*self.unstated, *(f"condition {name} (no row in the tables{hint})" for name, hint in hints))

    @property
    def decisive(self) -> tuple[str, ...]:
        """What of that may forbid the product."""
        return tuple(each for each in self.unstated if each in DECISIVE)

    def worst(self, *severities: Severity) -> Sequence[Flag]:
        return [flag for flag in self.flags if flag.severity in severities]

    def to_json(self) -> dict[str, Any]:
        return {
            "flags": [flag.to_json() for flag in self.flags],
            "unknown_drugs": [{"name": each.name, "meant": list(each.meant)} for each in self.unknown_drugs],
            "not_assessed": list(self.not_assessed),
            "without_flag": list(self.without_flag),
            "asks": list(self.asks),
            "sources": {key: asdict(each) for key, each in self.cited.items()},
        }

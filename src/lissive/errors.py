"""What can go wrong, said so that the reader can act: what, where, what is allowed, what to do.

    LissiveError
    ├── CaseError          a case file says something impossible or unknown
    ├── ModelError         a model text cannot be read or is out of scope
    │   ├── UnitError      quantities that do not go together
    │   └── ParameterError a parameter table or an override is wrong
    ├── EventError         a dosing table is wrong
    ├── DesignError        a trial's design says something impossible, or cannot be carried out
    ├── StudyError         a file of observations is wrong, or may not be used as asked
    ├── EvidenceError      a file of published studies is wrong, or what was asked of it cannot be answered
    ├── RuleError          a rule of a jurisdiction is wrong, or facts that no rule can read
    ├── DiaryError         a diary cannot be read, or does not say enough
    ├── SafetyError        a table of interactions or cautions is wrong
    ├── InterchangeError   a PEtab problem, a SED-ML file or an OMEX archive is wrong, or asks for what is out of scope
    └── SimulationError    a run cannot be done as asked

A solve that fails for one subject raises nothing: that subject's `status` says so.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Self

_LONG = re.compile(r"\S{400,}")
"""A cell that went wrong is not said in full."""


class LissiveError(Exception):
    """A mistake in what was given, with its place and its remedy.

    Parameters
    ----------
    what : one sentence with the ids and values that are wrong.
    where : `file:line` or the field's dotted path.
    allowed : what would have been right.
    do : what to do now.

    >>> print(LissiveError("weight_kg is 0.", where="case.yaml:4", allowed="20 to 350 kg."))
    case.yaml:4: weight_kg is 0. Allowed: 20 to 350 kg.
    """

    findings: tuple[LissiveError, ...] = ()
    """What an error of a whole file is made of (`all_of`)."""

    def __init__(self, what: str, *, where: str = "", allowed: str = "", do: str = "") -> None:
        self.what, self.where, self.allowed, self.do = what, where, allowed, do
        super().__init__(self._text())

    @classmethod
    def all_of(cls, findings: Sequence[LissiveError]) -> Self:
        """All that is wrong with one file as one error of this kind, a line for each finding.

        >>> print(CaseError.all_of([CaseError("Unknown field x.", where="a:1"), CaseError("weeks is 0.", where="a:2")]))
        a:1: Unknown field x.
        a:2: weeks is 0.
        """
        error = cls("\n".join(str(each) for each in findings))
        error.findings = tuple(findings)
        return error

    def _text(self) -> str:
        what = _LONG.sub(lambda found: f"{found[0][:60]}... ({len(found[0])} characters)", self.what)
        text = f"{self.where}: {what}" if self.where else what
        if self.allowed:
            text += f" Allowed: {self.allowed}"
        if self.do:
            text += f" What to do: {self.do}"
        return text


class CaseError(LissiveError):
    """A case file says something impossible or unknown."""


class ModelError(LissiveError):
    """A model text cannot be read, is inconsistent, or is out of scope."""


class UnitError(ModelError):
    """Quantities whose units do not go together."""


class ParameterError(ModelError):
    """A parameter table or an override of a parameter is wrong."""


class EventError(LissiveError):
    """A dosing table is wrong."""


class StudyError(LissiveError):
    """A file of observations is wrong, or may not be used as asked."""


class DesignError(LissiveError):
    """A trial's design says something impossible, or cannot be carried out."""


class SimulationError(LissiveError):
    """A run cannot be done as asked."""


class EvidenceError(LissiveError):
    """A file of published studies is wrong, or what was asked of it cannot be answered."""


class RuleError(LissiveError):
    """A rule of a jurisdiction is wrong, or facts that no rule can read."""


class DiaryError(LissiveError):
    """A diary cannot be read, or does not say enough for what was asked."""


class SafetyError(LissiveError):
    """A table of interactions or cautions is wrong."""


class InterchangeError(LissiveError):
    """A PEtab problem, a SED-ML file or an OMEX archive is wrong, or asks for what is out of scope."""

"""A rule's clauses in words."""

from __future__ import annotations

from collections.abc import Callable

from lissive.access.conditions import implied
from lissive.access.logic import cause_text, duration_text
from lissive.access.rule import Clause
from lissive.access.verdict import Verdict


def said(word: str) -> str:
    """A word of the vocabulary as one reads it.

    >>> said("multiple_sclerosis")
    'multiple sclerosis'
    """
    return word.replace("_", " ")


def clause_text(clause: Clause, verdict: Verdict | None = None) -> str:
    """What a clause asks; with the verdict, also which of several met it."""
    text = _TEXTS[clause.kind](clause)
    if verdict is not None and verdict.met and clause.kind in ("dx_any", "symptom_any", "cause_of_symptom"):
        text = (
            f"{said(verdict.met)} ({text})" if len(clause.dx_any or clause.symptom_any or "xx") > 1 else text
        )
    parts = [text]
    if clause.age_min is not None and clause.kind != "age_min":
        parts.append(f"at {clause.age_min} or older")
    if clause.requires:
        parts.append(f"requires: {', '.join(said(each) for each in clause.requires)}")
    if clause.begins:
        parts.append(f"from {clause.begins}")
    if clause.until:
        parts.append(f"until {clause.until}")
    return "; ".join(parts)


def _diagnoses(clause: Clause) -> str:
    words = [said(word) for word in clause.dx_any or ()]
    shown = ", ".join(words[:6]) + (f" and {len(words) - 6} more" if len(words) > 6 else "")
    return f"a listed diagnosis: {shown}" if len(words) > 1 else words[0]


def _symptom(clause: Clause) -> str:
    named = clause.symptom_any or (clause.symptom or "",)
    words = [said(word) for word in named if not any(word in implied([o]) for o in named if o != word)]
    parts = [" or ".join(words)]
    if clause.severity:
        parts.append(f" {clause.severity_logic} ".join(said(each) for each in clause.severity))
    if clause.cause == "none_required":
        parts.append("whatever the cause")
    elif clause.cause is not None:
        parts.append(f"caused by {cause_text(clause.cause)}")
    if how_long := duration_text(clause):
        parts.append(f"for {how_long}")
    return ", ".join(parts)


def _caused(clause: Clause) -> str:
    words = ", ".join(said(word) for word in clause.cause_of_symptom or ())
    return f"an injury or condition that has resulted in one of: {words}"


_TEXTS: dict[str, Callable[[Clause], str]] = {
    "any_of": lambda clause: "any of",
    "all_of": lambda clause: "all of",
    "dx_any": _diagnoses,
    "symptom": _symptom,
    "symptom_any": _symptom,
    "cause_of_symptom": _caused,
    "flag": lambda clause: said(clause.flag or ""),
    "discretion": lambda clause: f"the practitioner's discretion: {said(clause.discretion or '')}",
    "self_certify": lambda clause: "self-certification",
    "never": lambda clause: "no route",
    "unread": lambda clause: f"not read: {clause.unread}",
    "age_min": lambda clause: f"{clause.age_min} years or older",
}

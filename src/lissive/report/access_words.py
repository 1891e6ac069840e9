"""What the words of an answer on access are called on screen and on paper."""

from __future__ import annotations

from collections.abc import Mapping

from lissive.access.answer import Answer, Facts

STATUS: Mapping[str, str] = {
    "eligible": "eligible",
    "eligible_at_discretion": "at the practitioner's discretion",
    "unknown": "unknown: facts are missing",
    "not_eligible": "not eligible",
}
"""From most to least."""

PROCEDURAL: Mapping[str, str] = {
    "ok": "visit and practitioner as the rule asks",
    "blocked": "blocked as the visit is planned",
    "unknown": "visit or practitioner not settled",
}


BLOCKS: Mapping[str, str] = {
    "no_programme": "no programme",
    "practitioner_type": "practitioner",
    "practitioner_unknown": "practitioner?",
    "residency": "residence",
    "telehealth_initial_not_allowed": "first by video",
    "telehealth_renewal_not_allowed": "renewal by video",
    "telehealth_unknown": "by video?",
}
"""What stands in the way, or is not known, in few words."""


def blocks_said(answer: Answer) -> str:
    """The procedural answer, with what stands in the way.

    >>> from datetime import date
    >>> blocks_said(Answer("US-KY", "Kentucky", date(2025, 3, 1), "eligible", "blocked", ("residency",)))
    'blocked: residence'
    """
    if answer.procedural == "ok":
        return "ok"
    said = ", ".join(BLOCKS.get(each, each.replace("_", " ")) for each in answer.blocks)
    return f"{answer.procedural}: {said}".removesuffix(": ")


def is_blocked(answer: Answer) -> bool:
    """Whether the visit stands in the way, and not the lack of any programme."""
    return answer.procedural == "blocked" and "no_programme" not in answer.blocks


def facts_said(facts: Facts) -> str:
    """Who is asked about, in a line.

    >>> facts_said(Facts(age=45, dx=("multiple_sclerosis",)))
    'aged 45; multiple sclerosis'
    """
    parts = [f"aged {facts.age:g}"] if facts.age is not None else []
    parts += [_words(each) for each in facts.dx] or ["no diagnosis"]
    for name, symptom in facts.symptoms.items():
        held = [_words(k) for k, v in symptom.attributes.items() if v] if symptom is not None else ["perhaps"]
        parts.append(f"{_words(name)} ({', '.join(held)})" if held else _words(name))
    if facts.visit is not None:
        parts.append("by video" if facts.visit == "telehealth" else "in person")
    parts += [facts.practitioner] if facts.practitioner else []
    return "; ".join(parts)


def _words(word: str) -> str:
    return word.replace("_", " ")

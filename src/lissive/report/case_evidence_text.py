"""The evidence of a case as text: figures with designs apart, what trials say in words, claims, what is not known."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

_WIDTH = 110
_MOST_WORDS = 6
_DESIGNS = {
    "parallel": "parallel groups",
    "enriched": "enriched (responders to the drug alone)",
    "withdrawal": "withdrawal",
    "crossover": "crossover",
}
_WHICH = {
    "benefit": "better with the drug",
    "harm": "worse with the drug",
    "either": "no difference is within it",
}


def case_evidence_text(found: Mapping[str, Any]) -> str:
    """Section 2 of a case."""
    parts = [_head(found), _figures(found["pooled"]), _in_words(found["in_words"])]
    if found["near_studies"] and not _controlled(found["studies"]):
        names = ", ".join(each["id"] for each in found["near_studies"])
        parts.append(_wrapped(f"Studied near it, and not the same: {names}."))
    parts += [_claims(found["claims"]), _list("What is not known:", found["not_known"])]
    parts.append(_wrapped("Every number with its source: lissive evidence show ID; lissive evidence pool."))
    return "\n".join(part for part in parts if part)


def _controlled(studies: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return [each for each in studies if each["kind"] == "trial" and not each["not_compared"]]


def _head(found: Mapping[str, Any]) -> str:
    if found["cause"] is None:
        return "2  Evidence: the case names no cause."
    trials = _controlled(found["studies"])
    fitting = [each["id"] for each in trials if each["fits_product"]]
    if not trials:
        return f"2  Evidence for {found['cause_label']}: no controlled trial."
    kind = f" of {found['product_label']}" if found["product_label"] else ""
    names = f": {', '.join(fitting)}" if fitting else ""
    controlled = f"{len(trials)} controlled trial{'' if len(trials) == 1 else 's'}"
    head = f"2  Evidence for {found['cause_label']}: {controlled}, {len(fitting)}{kind}"
    return textwrap.fill(f"{head}{names}.", _WIDTH, subsequent_indent="   ")


def _figures(rows: Sequence[Mapping[str, Any]]) -> str:
    lines = []
    for row in rows:
        other = " [of other products too]" if row["of_all_products"] else ""
        mark = f" [{len(row['recalled'])} of {row['k']} quoted from memory]" if row["recalled"] else ""
        lines.append(_wrapped(f"{row['outcome_label']}{other}, {row['measure_label']}{mark}:"))
        lines += [_wrapped(_design(each), "     ") for each in row["by_design"]]
    return "\n".join(lines)


def _design(row: Mapping[str, Any]) -> str:
    """One design's figure: designs answer different questions, and are not put together here."""
    which = _DESIGNS.get(row["design"], row["design"])
    studies = f"{row['k']} stud{'y' if row['k'] == 1 else 'ies'}"
    said = (
        f"- {which}, {studies}: {_number(row['estimate'])} ({_range(row['ci'])}), {_WHICH[row['direction']]}"
    )
    if row["prediction_interval"] is not None:
        said += f"; in a further study {_range(row['prediction_interval'])}"
    return f"{said}."


def _range(ends: Sequence[float | None]) -> str:
    return " to ".join(_number(end) for end in ends)


def _number(x: float | None) -> str:
    return "unbounded" if x is None else f"{x:.2f}"


def _in_words(rows: Sequence[Mapping[str, str]]) -> str:
    said = [f"{row['study']}, {row['outcome']}: {row['said']}" for row in rows[:_MOST_WORDS]]
    if len(rows) > _MOST_WORDS:
        said.append(f"and {len(rows) - _MOST_WORDS} more; lissive evidence list")
    return _list("Trials that are in no figure, and what they say:", said)


def _claims(rows: Sequence[Mapping[str, Any]]) -> str:
    said = [
        f"{row['claim']} {row['verdict_label'].upper()} (certainty {row['certainty'].replace('_', ' ')}; {row['id']})."
        for row in rows
    ]
    head = "Popular claims that bear on it (certainty is our own judgement; more of one: lissive evidence show ID):"
    return _list(head, said)


def _list(head: str, lines: Sequence[str]) -> str:
    return "\n".join([_wrapped(head), *(_wrapped(f"- {line}") for line in lines)]) if lines else ""


def _wrapped(text: str, indent: str = "   ") -> str:
    more = "  " if text.startswith("- ") else ""
    return textwrap.fill(
        text,
        _WIDTH,
        initial_indent=indent,
        subsequent_indent=indent + more,
        break_long_words=False,
        break_on_hyphens=False,
    )

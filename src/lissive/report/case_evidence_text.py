"""The evidence of a case as text: figures with designs apart, what trials say in words, claims, what is not known."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

from lissive.report.pool_words import counted, people

_WIDTH = 110
_DESIGNS = {
    "parallel": "parallel groups",
    "enriched": "enriched (responders to the drug alone)",
    "withdrawal": "withdrawal",
    "crossover": "crossover",
}
_WHICH = {
    "benefit": "better with {drug}",
    "harm": "worse with {drug}",
    "either": "no difference is within it",
}


def case_evidence_text(found: Mapping[str, Any]) -> str:
    """Section 2 of a case."""
    parts = [_head(found), *_topics(found)]
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


def _topics(found: Mapping[str, Any]) -> list[str]:
    """A paragraph for each thing that patients ask about, in the order of its table."""
    rows = [*found["pooled"], *found["in_words"]]
    have = {row["topic"] for row in rows}
    return [_topic(topic, found) for topic in found["topics"] if topic in have]


def _topic(topic: str, found: Mapping[str, Any]) -> str:
    """Figures and words of the planned product, then those of others: what others found does not stand first."""
    figures = [row for row in found["pooled"] if row["topic"] == topic]
    said = [row for row in found["in_words"] if row["topic"] == topic]
    weeks = {each["id"]: each["weeks"] for each in found["studies"]}
    lines = [_wrapped(f"{_upper(topic)}")]
    for other in (False, True):
        mine = [row for row in figures if row["of_all_products"] == other]
        words = [row for row in said if row["fits_product"] != other]
        for row in mine:
            lines.append(_wrapped(_figure_head(row, found["product"]), "     "))
            lines += [_wrapped(_design(each, row, weeks), "     ") for each in row["by_design"]]
        if words:
            lines.append(_wrapped(_words_head(bool(mine), other and found["product"] is not None), "     "))
            lines += [_wrapped(_words(row), "     ") for row in words]
    return "\n".join(lines)


def _words_head(beside: bool, other: bool) -> str:
    where = "In no figure" if beside else "Without a figure"
    return f"{where}, of other products:" if other else f"{where}:"


def _figure_head(row: Mapping[str, Any], planned: str | None) -> str:
    """What is pooled, in which unit, of which products; a figure of other products says so before its number."""
    unit = f" in {row['unit']}" if row["measure"] == "MD" else ""
    products = ", ".join(row["products"])
    other = ""
    if row["of_all_products"] and products:
        other = f"Of other products only: {products}. " if planned else f"Of {products}. "
    mark = f" [{len(row['recalled'])} of {row['k']} quoted from memory]" if row["recalled"] else ""
    label = "" if row["outcome_label"] == row["topic"] else f"{row['outcome_label']}, "
    return f"{other}{_upper(label + row['measure_label'])}{unit}{mark}:"


def _design(row: Mapping[str, Any], figure: Mapping[str, Any], weeks: Mapping[str, Any]) -> str:
    """One design's figure: designs answer different questions, and are not put together here."""
    which = _DESIGNS.get(row["design"], row["design"])
    drug = "that product" if figure["of_all_products"] else "the drug"
    size = f", {people(row)}" if row["n_stated_by"] else ""
    found = _WHICH[row["direction"]].format(drug=drug)
    of = f"{which}, {counted(row)}{size}{_weeks(row, weeks)}"
    said = f"- {of}: {_number(row['estimate'])} ({_range(row['ci'])}), {found}"
    if row["prediction_beyond_scale"]:
        said += f"; {counted(row)} cannot tell what a further one would find"
    elif row["prediction_interval"] is not None:
        said += f"; in a further study {_range(row['prediction_interval'])}"
    return f"{said}."


def _weeks(row: Mapping[str, Any], weeks: Mapping[str, Any]) -> str:
    """How long a single study was; three days say little of twelve weeks."""
    long = weeks.get(row["studies"][0]) if row["k"] == 1 else None
    if long is None:
        return ""
    return f", {long}" if isinstance(long, str) else f", {long:g} weeks"


def _words(row: Mapping[str, Any]) -> str:
    product = f", {row['product_label']}" if row["product_label"] and not row["fits_product"] else ""
    return f"- {row['study']}{product}, {row['key']}: {row['said']}"


def _upper(text: str) -> str:
    return text[:1].upper() + text[1:]


def _range(ends: Sequence[float | None]) -> str:
    return " to ".join(_number(end) for end in ends)


def _number(x: float | None) -> str:
    return "unbounded" if x is None else f"{x:.2f}"


def _claims(rows: Sequence[Mapping[str, Any]]) -> str:
    said = [
        f"{row['claim']} {row['verdict_label'].upper()} (certainty {row['certainty'].replace('_', ' ')}): "
        f"{row['answer']} [{row['id']}]"
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

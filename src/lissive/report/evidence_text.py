"""Studies, single entries and claims as text; a number quoted from memory has a mark, and each leads to its source."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

WIDTH = 110
RECALLED = "[quoted from memory]"
LIMITS = (
    "Mostly abstracts and single tables were read; nearly all trials of nabiximols were run by its maker, and "
    "whoever feels the drug knows the arm. Decision support, not a prescription."
)
_CERTAINTY = {"very_low": "very low", "not_graded": "not graded"}


def list_text(rows: Sequence[Mapping[str, Any]], asked: Mapping[str, str | None]) -> str:
    """A line for each study: id, people, design, product, what it has numbers of."""
    said = ", ".join(f"{name} {word}" for name, word in asked.items() if word)
    if not rows:
        return f"No study fits{f': {said}' if said else ''}."
    table = [["study", "people", "cause", "design", "product", "numbers of"]]
    for row in rows:
        n = "?" if row["people"] is None else f"{row['people']:g}"
        about = [row["cause"] or "?", row["design"] or "no control", row["product"] or "?"]
        table.append([row["id"], n, *about, ", ".join(row["outcomes"]) or _none(row)])
    head = f"{len(rows)} {'study' if len(rows) == 1 else 'studies'}{f' ({said})' if said else ''}."
    end = "Every number of one with its source: lissive evidence show ID."
    return "\n\n".join([head, _aligned(table), end])


def _none(row: Mapping[str, Any]) -> str:
    if row["not_compared"]:
        return f"- ({row['not_compared']})"
    return (
        f"- (not pooled: {', '.join(row['in_words'])})"
        if row["in_words"]
        else "- (none that can be compared)"
    )


def show_text(one: Mapping[str, Any]) -> str:
    """Everything on one study, review or claim."""
    if one["kind"] == "claim":
        return "\n\n".join(
            [claim_text(one), _wrapped(f"Why: {one['reasoning']}", "  "), _conflicts(one)]
        ).rstrip()
    parts = [_head(one), _conflicts(one)]
    if one["kind"] in ("trial", "observational"):
        parts += [_used(one), _left(one)]
    parts += [_numbers(one["numbers"]), _places(one["numbers"])]
    if one["claims"]:
        parts.append(_wrapped(f"Claims that rest on it: {', '.join(one['claims'])}."))
    return "\n\n".join(part for part in parts if part)


def _head(one: Mapping[str, Any]) -> str:
    lines = [f"{one['label']}  ({one['kind']}, {one['where']})", one["citation"]]
    lines += [f"doi:{one['doi']}"] if one["doi"] else []
    lines += [one["purpose"]] if one.get("purpose") else []
    lines += [f"REJECTED: {one['rejected']}."] if one["rejected"] else []
    if one["kind"] in ("trial", "observational"):
        n = "an unknown number of" if one["people"] is None else f"{one['people']:g}"
        lines.append(
            f"{n} people; {one['cause_as_said'] or 'cause not stated'}; {one['intervention']} against "
            f"{one['comparator'] or 'nothing'}; {one['design_as_said'] or 'design not stated'}"
        )
        lines += [f"Not compared: {one['not_compared']}."] if one["not_compared"] else []
        lines += (
            [f"The same people as {', '.join(one['same_people_as'])}; they count once."]
            if one["same_people_as"]
            else []
        )
    for row in one["outcomes"] if one["kind"] == "review" else ():
        lines.append(" · ".join(str(value) for value in row.values() if value))
    lines += [f"Note: {one['note']}"] if one["note"] else []
    return "\n".join(_wrapped(line, "  " if k else "") for k, line in enumerate(lines) if line)


def _conflicts(one: Mapping[str, Any]) -> str:
    if not one["conflicts"]:
        return ""
    lines = [
        _wrapped(f"- {row['about']}: {row['said']}; but {row['against']}. Kept: {row['kept']}.", "  ")
        for row in one["conflicts"]
    ]
    return "\n".join(["Sources in conflict:", *lines])


def _used(one: Mapping[str, Any]) -> str:
    if not one["used"]:
        return "Nothing of it can be pooled."
    lines = []
    for row in one["used"]:
        given = row["given"]
        said = [] if given is None else [f"{given['measure']} {_short(given['estimate'])}{_interval(given)}"]
        said += [f"{_group(row['active'])} against {_group(row['control'])}"] if row["active"] else []
        mark = f" {RECALLED}" if row["provenance"] == "recalled" else ""
        note = f" ({row['note']})" if row["note"] else ""
        lines.append(_wrapped(f"- {row['outcome']}: {'; '.join(said)}{mark}{note}", "  "))
    return "\n".join(["What is used:", *lines])


def _interval(given: Mapping[str, Any]) -> str:
    if given["low"] is not None and given["high"] is not None:
        return f" ({_short(given['low'])} to {_short(given['high'])})"
    return "" if given["se"] is None else f" (SE {given['se']:.3g})"


def _group(group: Mapping[str, Any]) -> str:
    n = "?" if group["n"] is None else f"{group['n']:g}"
    if group["events"] is not None:
        return f"{group['events']:g} of {n} ({group['arm']})"
    sd = "" if group["sd"] is None else f" ± {_short(group['sd'])}"
    return f"{_short(group['mean'])}{sd}, n {n} ({group['arm']})"


def _left(one: Mapping[str, Any]) -> str:
    if not one["left_out"]:
        return ""
    lines = []
    for row in one["left_out"]:
        quoted = any(each["value"] == row["said"] for each in row["cited"])
        said = f'"{row["said"]}"' if quoted else row["said"]
        said = f": {said}" if said else ""
        lines.append(_wrapped(f"- {row['key']}: {row['reason']}{said}", "  "))
    return "\n".join(["What is not pooled, and why:", *lines])


def _numbers(numbers: Sequence[Mapping[str, Any]]) -> str:
    """Each figure with its provenance, a number for its source, and the place in it."""
    if not numbers:
        return "None of its figures says where it is from."
    urls = _urls(numbers)
    rows = [["figure", "value", "how", "source", "where in it"]]
    for each in numbers:
        source = f"[{urls.index(each['url']) + 1}]" if each["url"] else ""
        where = "; ".join(text for text in (each["pointer"], each["note"]) if text)
        rows.append([each["what"], value_text(each["value"]), _how(each["provenance"]), source, where])
    return "\n".join(["Every figure:", _aligned(rows, last=40)])


def _places(numbers: Sequence[Mapping[str, Any]]) -> str:
    return "\n".join(f"  [{k}] {url}" for k, url in enumerate(_urls(numbers), start=1))


def _urls(numbers: Iterable[Mapping[str, Any]]) -> list[str]:
    return list(dict.fromkeys(each["url"] for each in numbers if each["url"]))


def _how(provenance: str) -> str:
    return "RECALLED" if provenance == "recalled" else provenance


def claim_text(one: Mapping[str, Any]) -> str:
    """One claim: verdict, certainty, the numbers that decide with their sources, what would change it."""
    grade = _CERTAINTY.get(one["certainty"], one["certainty"])
    lines = [
        _wrapped(f"{one['claim']}  [{one['id']}]"),
        _wrapped(f"{one['verdict_label'].upper()}. {one['answer']}", "  "),
        _wrapped(f"Certainty: {grade} (our own judgement, in the manner of GRADE).", "  "),
    ]
    for each in one["numbers"]:
        mark = f" {RECALLED}" if each["provenance"] == "recalled" else ""
        lines.append(_wrapped(f"- {each['what']}: {value_text(each['value'])}{mark}", "  "))
        lines.append(f"    {each['url']} ({each['pointer']})" if each["url"] else f"    {each['pointer']}")
    lines.append(_wrapped(f"What would change this: {one['would_change']}", "  "))
    return "\n".join(lines)


def claims_text(
    near: Sequence[Mapping[str, Any]], every: Sequence[Mapping[str, Any]], about: str | None
) -> str:
    """Claims that are near what was asked; where none is, that, and a line for each."""
    if about is not None and not near:
        head = f"No claim here is near {about!r}. That does not say whether it is true. The claims are:"
        return "\n".join([_wrapped(head), "", *(_line(one) for one in every), "", LIMITS_LINES])
    if about is not None:
        return "\n\n".join([*(claim_text(one) for one in near), LIMITS_LINES])
    head = (
        "Popular claims and what trials say. One in full: lissive evidence show ID, or claims --about TEXT."
    )
    return "\n".join([head, "", *(_line(one) for one in every), "", LIMITS_LINES])


def _line(one: Mapping[str, Any]) -> str:
    grade = _CERTAINTY.get(one["certainty"], one["certainty"])
    said = f"{one['id']}: {one['claim']} {one['verdict_label'].upper()} (certainty {grade})."
    return _wrapped(f"- {said}")


def value_text(value: Any) -> str:
    """A figure as it is printed: 2.51, -0.91 to -0.18 stays a list of two."""
    if value is None:
        return "unknown"
    if isinstance(value, list | tuple):
        return ", ".join(_short(each) for each in value)
    return _short(value)


def _short(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, int | float) and not isinstance(value, bool) else str(value)


def _wrapped(text: str, indent: str = "") -> str:
    return textwrap.fill(
        text,
        WIDTH,
        initial_indent=indent,
        subsequent_indent=indent + ("  " if text.startswith("- ") else ""),
        break_long_words=False,
        break_on_hyphens=False,
    )


LIMITS_LINES = _wrapped(LIMITS)


def _aligned(rows: Sequence[Sequence[str]], last: int = 60) -> str:
    """Columns side by side; what is too long in the last is wrapped below itself."""
    widths = [max(len(row[k]) for row in rows) for k in range(len(rows[0]) - 1)]
    start = 2 + sum(width + 2 for width in widths)
    lines = []
    for row in rows:
        head = "  " + "".join(cell.ljust(width + 2) for cell, width in zip(row[:-1], widths, strict=True))
        tail = textwrap.wrap(row[-1], max(last, WIDTH - start), break_long_words=False) or [""]
        lines.append((head + tail[0]).rstrip())
        lines += [" " * start + more for more in tail[1:]]
    return "\n".join([lines[0], "  " + "-" * min(WIDTH, max(len(line) for line in lines) - 2), *lines[1:]])

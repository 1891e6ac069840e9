"""The explicit form of an entry, as in the file that comes with Lissive: every figure in a row, and nothing inferred.

    sources: {a: {provenance: read, source_url: ..., pointer: Table 1}}
    design: {said: parallel, kind: parallel, cause: multiple_sclerosis, product: nabiximols, virtual: {...}}
    outcomes: {spasticity_vas_0_100: {is: spasticity_nrs, measure: spasticity_nrs, top: 100, at_visits: true}}
    results:
    - {of: spasticity_vas_0_100, arm: nabiximols, statistic: change, value: -31.2, n: 20, from: {value: a, n: low}}

`from` names the source of a row, or of each of its figures; low, medium and high are recalled with that confidence.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from lissive.marked import Loc
from lissive.publications.loose import SECTIONS, UNCLEAR
from lissive.publications.tables import STATISTICS, Name, Result, figure, number, plain, text_of

CONFIDENCES = {each: {"provenance": "recalled", "confidence": each} for each in ("low", "medium", "high")}
FIGURES = ("value", "sd", "se", "ci", "p", "iqr", "n", "events", "person_time")
_WORDS = (
    "of",
    "arm",
    "statistic",
    "level",
    "week",
    "time",
    "detail",
    "subgroup",
    "per_protocol",
    "note",
    "from",
)
_NAMES = {
    **dict.fromkeys("measure falls_by_pct kind sign top at_visits since_screening week why not_modelled".split()),
    "is": "outcomes", "top_is_best": "flipped",
}  # fmt: skip
"""Field of a definition to that of a `Name`, where it is another; `harm` says that it is an adverse event."""
_PRINTED = {
    "change": ("change_mean", "change_sd", "change_se"), "end": ("end_mean", "end_sd", "end_se"),
    "mean": ("mean", "sd", "se"), "baseline": ("baseline_mean", "baseline_sd", "se"),
    "difference": ("diff", "diff_sd", "se"), "median": ("median", "sd", "se"), "share": ("pct", "sd", "se"),
}  # fmt: skip
"""What a value and its spread are called where files are loose: their names in messages and lists."""


def is_tidy(data: Mapping[str, Any]) -> bool:
    return "results" in data


def expanded(data: Mapping[str, Any], wrong: list[tuple[Loc, str]]) -> dict[str, Any]:
    """The entry with the source of each figure beside it; what is wrong with its rows is put into `wrong`."""
    sources = {**CONFIDENCES, **(data.get("sources") or {})}
    names = data.get("outcomes") or {}
    for k, row in enumerate(data["results"] or ()):
        loc: Loc = ("results", k)
        if not isinstance(row, Mapping):
            wrong.append((loc, "is no row."))
            continue
        for field in row:
            if field not in (*FIGURES, *_WORDS):
                allowed = ", ".join((*FIGURES, *_WORDS))
                wrong.append(((*loc, field), f"is a field that is not read. Allowed: {allowed}."))
        if row.get("of") not in names:
            wrong.append((loc, f"is of {row.get('of')!r}, which outcomes does not define."))
        if row.get("statistic") not in STATISTICS:
            wrong.append(
                (loc, f"has the statistic {row.get('statistic')!r}. Allowed: {', '.join(STATISTICS)}.")
            )
    for name, node in names.items():
        unknown = set(node) - {*_NAMES, "harm"} if isinstance(node, Mapping) else set()
        wrong += [(("outcomes", name, each), "is a field that is not read.") for each in sorted(unknown)]
    return {
        field: _expanded(node, sources, (field,), wrong) for field, node in data.items() if field != "sources"
    }


def _expanded(node: Any, sources: Mapping[str, Any], loc: Loc, wrong: list[tuple[Loc, str]]) -> Any:
    if isinstance(node, tuple):
        return tuple(_expanded(each, sources, (*loc, k), wrong) for k, each in enumerate(node))
    if not isinstance(node, Mapping):
        return node
    origin, made = node.get("from"), {}
    for field, value in node.items():
        key = origin.get(field) if isinstance(origin, Mapping) else origin
        if field == "from":
            continue
        if key is None or field in _WORDS or isinstance(value, Mapping):
            made[field] = _expanded(value, sources, (*loc, field), wrong)
        elif key in sources:
            made[field] = {"value": value, **sources[key]}
        else:
            wrong.append(((*loc, "from"), f"names the source {key!r}, which sources does not have."))
    return made["value"] if set(node) == {"value", "from"} and "value" in made else made


def results(data: Mapping[str, Any]) -> Iterator[Result]:
    """All rows of an entry in this form, those of one outcome together."""
    rows: dict[str, list[tuple[int, Mapping[str, Any]]]] = {}
    for k, row in enumerate(data["results"] or ()):
        rows.setdefault(str(row["of"]), []).append((k, row))
    for text, node in (data.get("outcomes") or {}).items():
        if not isinstance(node, Mapping):
            name = Name(text, text, why="not an outcome of treatment against control")
            yield Result(name, SECTIONS[0], "", "words", figure(text, node), place=text, line=text)
            continue
        name = _name(text, node)
        base = Result(name, SECTIONS[bool(node.get("harm"))], "", "other", place=text, line=text)
        made = [_result(base, k, row) for k, row in rows.get(text, [])]
        yield from made or [base]


def _name(text: str, node: Mapping[str, Any]) -> Name:
    fields = {_NAMES[field] or field: value for field, value in node.items() if field in _NAMES}
    fields["outcomes"] = tuple(str(fields.get("outcomes") or "").split())
    return Name(text, text, **fields)


def _result(base: Result, k: int, row: Mapping[str, Any]) -> Result:
    text, arm, time = base.name.text, text_of(row.get("arm")), text_of(row.get("time"))
    detail, statistic = text_of(row.get("detail")), str(row["statistic"])
    line = ".".join(part for part in (text, arm or time) if part)
    called = printed(row)
    if statistic not in ("share", "p") and plain(row.get("value")) is None:
        statistic = "other"
    is_bare = not arm and not time and detail in ("", UNCLEAR) and statistic in ("other", "words", "share")
    called["value"] = detail or called["value"]
    found: dict[str, Any] = {
        field: figure(text if is_bare else f"{line}.{called.get(field, field)}", row[field], row)
        for field in FIGURES
        if plain(row.get(field)) is not None
    }
    return replace(
        base, arm=arm, statistic=statistic, level=number(row.get("level")) or 0.95, week=number(row.get("week")),
        time=time, detail=detail, subgroup=text_of(row.get("subgroup")), per_protocol=bool(row.get("per_protocol")),
        place=f"{line}.{detail}" if detail not in ("", UNCLEAR) else line, line=line,
        loc=("results", k), **found,
    )  # fmt: skip


def printed(row: Mapping[str, Any]) -> dict[str, str]:
    """Fields of a row to the names that they have in loose files."""
    return dict(zip(FIGURES[:3], _PRINTED.get(str(row.get("statistic")), FIGURES[:3]), strict=True))


def as_printed(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row with its figures under the names that the checks of loose files know."""
    called = printed(row)
    return {called.get(field, field): node for field, node in row.items()}

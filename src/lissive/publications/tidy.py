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
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from lissive.marked import Loc
from lissive.publications.loose import REMARKS, SECTIONS, UNCLEAR
from lissive.publications.plan import Stated
from lissive.publications.tables import STATISTICS, Name, Result, figure, number, plain, text_of
from lissive.typed import Row

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
_PRINTED = {
    "change": ("change_mean", "change_sd", "change_se"), "end": ("end_mean", "end_sd", "end_se"),
    "mean": ("mean", "sd", "se"), "baseline": ("baseline_mean", "baseline_sd", "se"),
    "difference": ("diff", "diff_sd", "se"), "median": ("median", "sd", "se"), "share": ("pct", "sd", "se"),
}  # fmt: skip
"""What a value and its spread are called where files are loose: their names in messages and lists."""


class Definition(Row):
    """What the name of an outcome means: the fields of a `Name`, in the words of the file."""

    outcomes: str = Field("", alias="is")
    measure: str = ""
    falls_by_pct: float | None = Field(None, gt=0, le=100)
    kind: str = ""
    sign: Literal[1, -1] = 1
    top: float | None = Field(None, gt=0)
    flipped: bool = Field(False, alias="top_is_best")
    at_visits: bool = False
    since_screening: bool = False
    week: float | None = Field(None, gt=0)
    why: str = ""
    not_modelled: str = ""
    harm: bool = False
    """An adverse event."""


class Line(Row):
    """One row."""

    of: str
    arm: str | None = None
    statistic: Literal[STATISTICS]  # type: ignore[valid-type]
    value: Any = None
    sd: Any = None
    se: Any = None
    ci: Any = None
    p: Any = None
    iqr: Any = None
    n: Any = None
    events: Any = None
    person_time: Any = None
    level: float = Field(0.95, ge=0.5, lt=1)
    week: float | None = Field(None, gt=0)
    time: str | None = None
    detail: str | None = None
    subgroup: str | None = None
    per_protocol: bool = False
    note: str | None = None
    origin: Any = Field(None, alias="from")


class Explicit(BaseModel):
    """The parts of an entry that only this form has."""

    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)

    design: Stated
    sources: Mapping[str, Mapping[str, str]] = {}
    outcomes: Mapping[str, Definition] = {}
    results: tuple[Line, ...]


def is_tidy(data: object) -> bool:
    return isinstance(data, Mapping) and "results" in data


def without_remarks(data: Mapping[str, Any]) -> dict[str, Any]:
    """The entry without remarks among its outcomes, which are no definitions."""
    names = data.get("outcomes")
    kept = (
        {name: node for name, node in names.items() if name not in REMARKS}
        if isinstance(names, Mapping)
        else names
    )
    return {**data, "outcomes": kept or {}}


def expanded(data: Mapping[str, Any], wrong: list[tuple[Loc, str]]) -> dict[str, Any]:
    """The entry with the source of each figure beside it; what is named and not there is put into `wrong`."""
    sources = {**CONFIDENCES, **data.get("sources", {})}
    for k, row in enumerate(data["results"]):
        if row["of"] not in (data.get("outcomes") or {}):
            wrong.append((("results", k), f"is of {row['of']!r}, which outcomes does not define."))
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
        elif isinstance(key, str) and key in sources:
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
    fields = Definition.model_validate(dict(node)).model_dump(exclude={"harm"})
    return Name(
        text, text, **{**fields, "outcomes": tuple(fields["outcomes"].split()), "sign": float(fields["sign"])}
    )


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

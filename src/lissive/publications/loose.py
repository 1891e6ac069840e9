"""From the outcomes of an entry, in whatever form a file has them, to rows.

An outcome is a list of rows by arm; a row by itself; a mapping whose fields start with the names of arms
(`placebo_pct: 33`); a ratio with its interval; one number; words. Nothing is dropped: what is no figure of a known
kind is a row of the statistic `other` or `words`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from typing import Any

from lissive.marked import Loc
from lissive.publications.arms import role, split_field
from lissive.publications.names import is_share, own_name, read_name, with_top
from lissive.publications.tables import (
    STATISTICS,
    Figure,
    Name,
    Result,
    figure,
    is_figure,
    plain,
)
from lissive.publications.words import Outcome, outcomes

SECTIONS = ("outcomes", "adverse_events")
REMARKS = ("note", "notes", "sign_convention")
"""Names among outcomes that are none."""
WORDS = ("result", "significant", "itt_significant", "status")
"""Fields that say something in words."""
PERCENT = {"pct": 1.0, "percent": 1.0, "share": 100.0, "proportion": 100.0, "fraction": 100.0}
UNCLEAR = "count or percent"
"""A bare number of a share: which of the two it is, is not stated."""
_VALUES = {
    "change_mean": "change", "mean_change": "change", "change": "change", "mean": "mean", "end_mean": "end",
    "end": "end", "diff": "difference", "difference": "difference", "md": "difference",
    "mean_difference": "difference", "median": "median", "baseline_mean": "baseline",
    "or": "OR", "odds_ratio": "OR", "hr": "HR", "hazard_ratio": "HR", "rr": "RR", "risk_ratio": "RR",
}  # fmt: skip
"""Field to the statistic that it is, the first of a statistic first."""
_SPREADS = {"change": "change_", "end": "end_", "difference": "diff_", "baseline": "baseline_"}
INTERVALS = {"ci": 0.95, "ci_95": 0.95, "ci95": 0.95, "ci_90": 0.90, "ci90": 0.90, "ci_99": 0.99}
"""Field of an interval to its level, where the row states no other."""
_BESIDE = (
    "arm n N events person_time ci level sd se p iqr week at_week time subgroup scale note notes provenance confidence "
    "source_url url pointer formula comment citation consistency_check definition"
).split()
READ = tuple(
    dict.fromkeys(("arm", "n", "N", "events", *PERCENT, *_VALUES, "value", *INTERVALS, *_BESIDE, *WORDS))
)
"""Fields of a row that are read, or kept beside it."""
_COMMON = ("baseline_mean", "baseline_sd", "scale", "week", "at_week", "provenance", "source_url", "pointer")
"""Fields beside the arms' own that hold for each of them."""


def results(
    data: Mapping[str, Any], own: Mapping[str, Outcome], declared: Collection[str] = ()
) -> Iterator[Result]:
    """All rows of one entry.

    own : outcomes that the file itself declares, or that no table has, by the names that they have in it.
    declared : those of them that it declares.
    """
    known = {**outcomes(), **own}
    arms = _arms(data)
    control = next((arm for arm in arms if role(arm) == "control"), None)
    for section in SECTIONS:
        nodes = data.get(section)
        if not isinstance(nodes, Mapping):
            continue
        for text, node in nodes.items():
            name = read_name(text, tuple(nodes))
            name = own_name(name, declared=name.stem in declared) if name.stem in own else name
            reader = _Reader(name, section, arms, control, share=is_share(name, known))
            made = list(reader.node(node))
            yield from made or [reader.base]


def _arms(data: Mapping[str, Any]) -> list[str]:
    """The names of arms: those listed, and those that rows of outcomes name."""
    rows = [row for row in data.get("arms") or () if isinstance(row, Mapping)]
    for section in SECTIONS:
        nodes = data.get(section)
        for node in nodes.values() if isinstance(nodes, Mapping) else ():
            rows += [row for row in node if isinstance(row, Mapping)] if isinstance(node, tuple) else []
    names = [str(plain(row["arm"])) for row in rows if plain(row.get("arm"))]
    return list(dict.fromkeys([*(name for name in names if role(name) != "total"), "placebo"]))


class _Reader:
    """One outcome of one entry."""

    def __init__(
        self, name: Name, section: str, arms: list[str], control: str | None, *, share: bool
    ) -> None:
        self.name, self.section, self.arms, self.control, self.share = name, section, arms, control, share
        loc = (section, name.text)
        self.base = Result(name, section, "", "other", place=name.text, line=name.text, loc=loc)

    def node(self, node: Any) -> Iterator[Result]:
        text = self.name.text
        if node is None:
            return
        if isinstance(node, tuple) and any(isinstance(each, Mapping) for each in node):
            for k, row in enumerate(node):
                yield from self.listed(k, row)
        elif not isinstance(node, Mapping) or is_figure(node):
            yield self.bare(node)
        elif "arm" in node:
            yield from self.listed(0, node)
        elif _is_bare(node):
            yield self.bare(node)
        else:
            yield from self.mapping(text, node)

    def bare(self, node: Any) -> Result:
        """One value: a ratio, a share in percent, a count, a p value, words."""
        text, kind, one = self.name.text, self.name.kind, figure(self.name.text, node)
        if one.number is None:
            return replace(
                self.base, statistic="other" if isinstance(one.value, tuple) else "words", value=one
            )
        if kind == "p":
            return replace(self.base, statistic="p", p=one)
        if kind in STATISTICS and kind not in ("change", "end", "difference"):
            return replace(self.base, statistic=kind, value=one)
        if not self.share:
            return replace(self.base, value=one)
        if re.search(r"(?<!responders)_(?:pct|percent)$", text.lower()) and not self.name.falls_by_pct:
            return replace(self.base, statistic="share", value=one)
        if self.name.measure in ("withdrawal", "withdrawal_adverse"):
            return replace(self.base, statistic="share", events=one)
        return replace(self.base, value=one, detail=UNCLEAR)

    def listed(self, k: int, row: Any) -> Iterator[Result]:
        text = self.name.text
        if not isinstance(row, Mapping):
            yield replace(
                self.base, place=f"{text}.{k}", line=f"{text}[{k}]", value=figure(f"{text}[{k}]", row)
            )
            return
        arm = str(plain(row.get("arm")) or "")
        yield from self.row(f"{text}.{arm or k}", f"{text}[{k}]", arm, row, (*self.base.loc, k))

    def mapping(self, text: str, node: Mapping[str, Any]) -> Iterator[Result]:
        """Fields that start with the name of an arm are of that arm; the others of none, or of all."""
        split: dict[str, dict[str, Any]] = {}
        shared: dict[str, Any] = {}
        for field, value in node.items():
            arm, rest = split_field(field, self.arms, self.control)
            ends = re.fullmatch(r"(.+)_(pct|percent|n)", field)
            if not arm and ends and self.share:
                arm, rest = ends[1], ends[2]
            if not arm:
                shared[field] = value
            elif not rest and isinstance(value, Mapping) and not is_figure(value):
                split.setdefault(arm, {}).update(value)
            else:
                percent = re.search(r"_(?:pct|percent)$", text.lower())
                split.setdefault(arm, {})[rest or self.alone(percent is not None)] = value
        common = {field: shared[field] for field in _COMMON if field in shared}
        for arm, fields in split.items():
            yield from self.row(f"{text}.{arm}", f"{text}.{arm}", arm, {**common, **fields}, self.base.loc)
        if split and set(shared) <= {*_BESIDE, *INTERVALS, *_COMMON}:  # nothing but what holds for all arms
            shared = {"p": shared["p"]} if "p" in shared else {}
        if shared:
            yield from self.row(text, text, "", shared, self.base.loc)

    def alone(self, percent: bool) -> str:
        """What a number is that stands behind the name of an arm and nothing else."""
        return ("pct" if percent else UNCLEAR) if self.share else "value"

    def row(self, place: str, line: str, arm: str, raw: Mapping[str, Any], loc: Loc) -> Iterator[Result]:
        """The statistics of one row, each with its own spread; what is none of them one by one."""
        row, name = _Fields(place, _lifted(raw)), self.name
        if found := re.search(r"0\s?(?:-|–|to)\s?(\d+)", row.text("scale")):
            name = with_top(name, float(found[1]))
        level = next((value for each, value in INTERVALS.items() if row.at(each)), 0.95)
        base = replace(
            self.base, name=name, arm=arm, place=place, line=line, loc=loc, p=row.at("p"), ci=row.first(*INTERVALS),
            week=row.number("week") or row.number("at_week") or name.week, level=row.number("level") or level,
            time=row.text("time") or ("" if arm else line.partition("[")[2].rstrip("]")), subgroup=row.text("subgroup"),
        )  # fmt: skip
        made = list(self.measured(base, row)) or list(self.counts(base, row))
        yield from made
        yield from self.rest(base, row, any_made=bool(made))

    def measured(self, base: Result, row: _Fields) -> Iterator[Result]:
        """Means, changes, differences and ratios, each once."""
        found: set[str] = set()
        for field, statistic in {**_VALUES, **self.by_kind()}.items():
            value = row.at(field)
            if value is None or value.number is None or statistic in found:
                continue
            found.add(statistic)
            prefix, whole = _SPREADS.get(statistic, ""), statistic != "baseline"
            row.used |= {field, f"{prefix}sd", f"{prefix}se"}
            yield replace(
                base, statistic=statistic, value=value, n=row.first("N", "n"),
                sd=row.first(f"{prefix}sd", *(("sd",) if whole else ())),
                se=row.first(f"{prefix}se", *(("se",) if whole else ())),
                ci=base.ci if whole else None, p=base.p if whole else None,
                iqr=row.at("iqr") if statistic == "median" else None,
            )  # fmt: skip

    def by_kind(self) -> dict[str, str]:
        """What a mean or a value is where the name says so."""
        kind = self.name.kind
        if kind in ("change", "end"):
            return {"mean": kind, "value": kind}
        return {"value": kind} if kind in STATISTICS else {}

    def counts(self, base: Result, row: _Fields) -> Iterator[Result]:
        """The share of a row: its percentage, or its counts; n is the events where N is the participants."""
        counted = "events" in row.fields  # given as null, they are not reported: n is then not the events
        percent = next((name for name in PERCENT if row.number(name) is not None), "")
        if not (self.share or counted or percent):
            return
        events, people = (row.at("events"), row.first("N", "n")) if counted else (row.at("n"), row.at("N"))
        row.used |= {*PERCENT, "n"}
        value = row.at(percent)
        if value is None and (events is None or events.number is None):
            return
        if value is not None and PERCENT[percent] != 1.0:
            value = replace(value, value=PERCENT[percent] * value.value)
        yield replace(
            base, statistic="share", value=value, events=events, n=people, person_time=row.at("person_time")
        )

    def rest(self, base: Result, row: _Fields, *, any_made: bool) -> Iterator[Result]:
        """Fields that are no figure of a known kind, and figures per protocol."""
        bare = replace(base, p=None, ci=None)
        for field in [each for each in row.fields if each not in row.used]:
            place, value = f"{base.place}.{field}", row.at(field)
            one = replace(bare, value=value, place=base.place if field == UNCLEAR else place, detail=field)
            if "_pp" in field or field.startswith("pp_"):
                what = _VALUES.get(field.replace("_pp", ""), "share" if field == "pct_pp" else "other")
                is_p = field.endswith("_p")
                one = replace(
                    one, statistic="p" if is_p else what, per_protocol=True, p=value if is_p else None
                )
            elif field in WORDS or (value is not None and isinstance(value.value, str)):
                one = replace(one, statistic="words", p=base.p)
            any_made = True
            yield one
        if not any_made:
            yield replace(base, statistic="p" if base.p is not None else "other")


class _Fields:
    """The fields of one row, and which of them were read."""

    def __init__(self, place: str, fields: Mapping[str, Any]) -> None:
        self.place, self.fields = place, fields
        self.used = {*_BESIDE, *INTERVALS}

    def at(self, field: str) -> Figure | None:
        """A figure; None where the row has none of this name, or says that it is unknown."""
        if plain(self.fields.get(field)) is None:
            return None
        return figure(f"{self.place}.{field}", self.fields[field], self.fields)

    def first(self, *fields: str) -> Figure | None:
        return next((one for field in fields if (one := self.at(field))), None)

    def number(self, field: str) -> float | None:
        one = self.at(field)
        return one.number if one else None

    def text(self, field: str) -> str:
        return str(plain(self.fields.get(field)) or "")


def _is_bare(node: Mapping[str, Any]) -> bool:
    """Whether it is one value without where it is from, and no row of several."""
    return (
        set(node) <= {"value", "note", "confidence", "pointer", "formula"}
        and not isinstance(node.get("value"), Mapping)
        and "value" in node
    )


def _lifted(fields: Mapping[str, Any]) -> dict[str, Any]:
    """A row whose spread and interval stand beside its figure, where they were written into it.

    >>> _lifted({"change_mean": {"value": -1.2, "sd": 2.0}})["change_sd"]
    2.0
    """
    made = dict(fields)
    for field, statistic in _VALUES.items():
        node = fields.get(field)
        if not isinstance(node, Mapping):
            continue
        for name in ("sd", "se", "ci", "p", "n"):
            if name in node:
                prefix = _SPREADS.get(statistic, "") if name in ("sd", "se") else ""
                made.setdefault(f"{prefix}{name}", node[name])
    return made


def sign_convention(data: Mapping[str, Any]) -> str:
    """What an entry says of which sign is better."""
    found = (
        (data.get("outcomes") or {}).get("sign_convention")
        if isinstance(data.get("outcomes"), Mapping)
        else None
    )
    return found if isinstance(found, str) else ""

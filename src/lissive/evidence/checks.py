"""Parts of `lint`: the rows of an entry, fields that nothing reads, sources, and differences beside their groups."""

from __future__ import annotations

import difflib
import itertools
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from statistics import NormalDist
from typing import Any

from lissive.evidence.blocks import Block, blocks, people_in
from lissive.evidence.comparison import PROVENANCES
from lissive.evidence.read import Located, design_of
from lissive.publications.arms import role
from lissive.publications.loose import INTERVALS, READ, UNCLEAR
from lissive.publications.tables import RATIOS, Figure, Result, figure, is_figure, number, plain
from lissive.publications.tidy import as_printed, is_tidy, printed
from lissive.typed import dotted, nearest

SIZE = 2 * NormalDist().inv_cdf(0.975)
"""Width of a 95 % interval in standard errors."""


_NAME = "correct the name, or delete the field."
_REMEDIES = {
    "fields": _NAME,
    "row fields": _NAME,
    "own outcomes": _NAME,
    "ids": "give each entry an id of its own.",
    "numbers": "write numbers as they are printed, null where there is none, and a name of its own for each arm.",
    "rows": "keep one of the rows.",
}
"""By the name of the check."""


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong: which check says so, of which entry, where, and what."""

    check: str
    id: str
    where: str
    what: str

    @property
    def do(self) -> str:
        return _REMEDIES.get(self.check, "compare it with the publication, and correct it.")


@dataclass(frozen=True)
class Place:
    """One mapping of an entry whose values may be figures."""

    entry: Located
    loc: tuple[str | int, ...]
    node: Mapping[str, Any]
    block: str | None
    """Name of the outcome it belongs to; None outside the outcomes of a trial."""
    siblings: tuple[str, ...]

    def at(self, name: str) -> Place:
        """The place of one of its fields, by the name that it has in the file."""
        is_row = self.loc[:1] == ("results",)
        own = {there: here for here, there in printed(self.node).items()} if is_row else {}
        return replace(self, loc=(*self.loc, own.get(name, name)))


def places(entries: Iterable[Located]) -> Iterator[Place]:
    """Every mapping with fields of its own, from the top down; entries that are rejected are passed over."""
    for entry in entries:
        if not entry.row.rejected:
            yield from _walk(entry, entry.data, (), None, ())


def _walk(
    entry: Located, node: Any, loc: tuple[str | int, ...], block: str | None, siblings: tuple[str, ...]
) -> Iterator[Place]:
    if isinstance(node, tuple):
        for k, each in enumerate(node):
            yield from _walk(entry, each, (*loc, k), block, siblings)
    elif len(loc) == 2 and loc[0] == "results" and isinstance(node, Mapping):
        yield Place(entry, loc, as_printed(node), str(node.get("of")), tuple(entry.data["outcomes"] or ()))
    elif isinstance(node, Mapping) and not is_figure(node):
        yield Place(entry, loc, node, block, siblings)
        is_section = loc in (("outcomes",), ("adverse_events",)) and entry.kind == "trial"
        for name, each in node.items():
            yield from _walk(
                entry,
                each,
                (*loc, name),
                name if is_section else block,
                tuple(node) if is_section else siblings,
            )


def ends_of(node: Any) -> tuple[float, float] | None:
    """Both ends of an interval, where they are two numbers."""
    ends = plain(node)
    if isinstance(ends, tuple) and len(ends) == 2 and all(isinstance(each, int | float) for each in ends):
        return float(ends[0]), float(ends[1])
    return None


def fault_at(check: str, place: Place, what: str) -> Fault:
    return Fault(check, place.entry.id, place.entry.where(*place.loc), f"{dotted(place.loc)} {what}")


_MEANS = ("mean", "change_mean", "mean_change", "change", "end_mean", "median")
_SHOWN = re.compile(
    r"(?:.+_)?pp(?:_.+)?|p_.+|.+_p|baseline_.+|.+_significant|nnt_.+|F|interaction|time|weeks|se_or_sd|"
    r"sd_change_implied|rate_per_py"
)
"""Fields that are kept beside those that are read."""


def row_fields(entries: tuple[Located, ...]) -> Iterator[Fault]:
    """Fields of a row of figures that nothing reads: a misspelt deviation would be dropped in silence.

    Of a user's own file; a row of which nothing is read is listed as left out.
    """
    for entry in entries:
        is_loose = entry.own is not None and not entry.row.rejected and not is_tidy(entry.data)
        rows = entry.results if is_loose else ()
        for _, group in itertools.groupby(rows, key=lambda row: row.line):
            line = list(group)
            unread = [row for row in line if row.statistic in ("other", "words") and row.detail not in READ]
            if len(unread) == len(line):
                continue
            for row in unread:
                if row.detail and row.detail != UNCLEAR and not _SHOWN.fullmatch(row.detail):
                    hint = nearest(row.detail, READ) or f" Allowed: {', '.join(READ)}."
                    what = f"{dotted((*row.loc, row.detail))} is a field that is not read.{hint}"
                    yield Fault("row fields", entry.id, entry.where(*row.loc, row.detail), what)


def two_sizes(entries: tuple[Located, ...]) -> Iterator[Fault]:
    """Two numbers of participants in one row; a level that is none."""
    for place in _rows(entries):
        row = place.node
        n, total = number(row.get("n")), number(row.get("N"))
        of_means = any(number(row.get(name)) is not None for name in _MEANS)
        if n is not None and total is not None and n != total and (of_means or "events" in row):
            what = f"is {n:g} and N is {total:g}: both are participants of this row. Leave one."
            yield fault_at("sizes", place.at("n"), what)
        level, p = number(row.get("level")), number(row.get("p"))
        if level is not None and not 0.5 <= level < 1:
            what = f"is {level:g}. Allowed: 0.5 to below 1, such as 0.9 for a 90 % interval."
            yield fault_at("sizes", place.at("level"), what)
        if p is not None and not 0 <= p <= 1:
            yield fault_at("sizes", place.at("p"), f"is {p:g}. Allowed: 0 to 1.")
        given = [name for name in INTERVALS if plain(row.get(name)) is not None]
        if len(given) > 1:
            what = f"stands beside {given[1]}: both are intervals of this row. Leave one, with its level."
            yield fault_at("sizes", place.at(given[0]), what)


_TWICE = 1.5
"""How many times two standard errors of one figure may differ by rounding."""


def two_errors(entries: tuple[Located, ...]) -> Iterator[Fault]:
    """A deviation, a standard error and an interval of one row that cannot all be right: only one of them is used."""
    for entry in (each for each in entries if each.own is not None and not each.row.rejected):
        for row in entry.results:
            found = dict(_errors(row))
            least, most = (which(found, key=found.__getitem__, default="") for which in (min, max))
            if found and found[least] * _TWICE < found[most]:
                said = ", ".join(f"{name} gives {size:.3g}" for name, size in found.items())
                what = f"{dotted(row.loc)} has two standard errors ({said}): correct or leave out one."
                yield Fault("sizes", entry.id, entry.where(*row.loc), what)


def _errors(row: Result) -> Iterator[tuple[str, float]]:
    """Each standard error that a row of means, of a difference or of a logarithm gives."""
    is_mean = row.statistic in ("mean", "change", "end")
    if not is_mean and row.statistic not in ("difference", "SMD") and not row.statistic.startswith("ln "):
        return
    n = row.n.number if row.n else None
    if is_mean and row.sd and row.sd.number and n:
        yield "sd", row.sd.number / math.sqrt(n)
    if row.se and row.se.number:
        yield "se", row.se.number
    if row.ci and row.ci.ends and row.ci.ends[0] < row.ci.ends[1]:
        yield "interval", (row.ci.ends[1] - row.ci.ends[0]) / 2 / NormalDist().inv_cdf(0.5 + row.level / 2)


_COMPARED = ("mean", "change", "end", "median", "share", "difference", *RATIOS, "SMD")


def twice(entries: tuple[Located, ...]) -> Iterator[Fault]:
    """A second row of the same arm, outcome and time: only one of them would be used."""
    for entry in (each for each in entries if each.own is not None and not each.row.rejected):
        first: dict[tuple[Any, ...], Result] = {}
        for row in entry.results:
            kind = row.statistic.removeprefix("ln ")
            if kind not in _COMPARED or row.per_protocol or (kind in _COMPARED[:5] and not row.arm):
                continue
            key = (row.section, row.name.text, row.arm, row.statistic, row.week, row.subgroup)
            other = first.setdefault(key, row)
            if (other.loc, other.line) != (row.loc, row.line):
                whose = f"of {row.arm}" if row.arm else "of the difference"
                what = f"{dotted(row.loc)} is a second row {whose}: leave one, or give each its week as a number."
                yield Fault("rows", entry.id, entry.where(*row.loc), what)


def near_own(entries: tuple[Located, ...]) -> Iterator[Fault]:
    """Names of outcomes that resemble one that the file declares, and are none of the tables."""
    for entry in entries:
        mine = {row.name.text: row for row in entry.results if entry.declared and not is_tidy(entry.data)}
        for text, row in mine.items():
            word = row.name.stem or text
            if word in entry.declared or word not in (entry.own or {}):
                continue
            if near := difflib.get_close_matches(word, entry.declared, n=1, cutoff=0.8):
                what = (
                    f"{dotted((row.section, text))} is no outcome that the file declares. Did you mean {near[0]}? "
                    f"If it is another, add {word} to the outcomes of the file."
                )
                yield Fault("fields", entry.id, entry.where(row.section, text), what)


_FOLLOWED = ("n_analysed", "n_primary", "n_treated", "n_completed")
_RANDOMISED = ("n_randomised",)


def randomised(entries: tuple[Located, ...]) -> Iterator[Fault]:
    """More participants analysed than were randomised, in an arm or in all; fewer are usual."""
    for entry in entries:
        if entry.kind != "trial" or entry.row.rejected:
            continue
        arms = getattr(entry.row, "arms", None) or ()
        for k, arm in enumerate(arms):
            most = figure(f"arms[{k}].n_randomised", arm.get("n_randomised"))
            for name in _FOLLOWED:
                yield from _too_many(entry, ("arms", k, name), number(arm.get(name)), most)
        for row in entry.results:
            n = row.n.number if row.n else None
            yield from _too_many(entry, row.loc, n, people_in(entry, row.arm, _RANDOMISED))
        if design_of(entry).word != "parallel" or "total" not in (
            role(str(plain(arm.get("arm")))) for arm in arms
        ):
            continue
        made = {block.key.text: block for block in blocks(entry) if isinstance(block, Block)}
        for name, block in made.items():  # once, where one name is of several outcomes
            sides = [side.group.n or 0.0 for arm, side in block.sides.items() if role(arm) != "total"]
            yield from _too_many(entry, ("outcomes", name), sum(sides), people_in(entry, "", _RANDOMISED))


def _too_many(
    entry: Located, loc: tuple[str | int, ...], n: float | None, of: Figure | None
) -> Iterator[Fault]:
    if n is not None and of is not None and of.number is not None and n > of.number:
        what = f"has {n:g} participants, more than the {of.number:g} randomised ({of.what}): correct one of them."
        yield Fault("randomised", entry.id, entry.where(*loc), f"{dotted(loc)} {what}")


def _rows(entries: tuple[Located, ...]) -> Iterator[Place]:
    """Rows of a user's own file with a figure."""
    for place in places(entry for entry in entries if entry.own is not None):
        if place.block is not None:
            yield place


def sources(entries: tuple[Located, ...]) -> Iterator[Fault]:
    """Figures that do not state their provenance or source."""
    for entry in entries:
        yield from _sources(entry, entry.data, (), {})
        if entry.kind != "review" and not (entry.row.citation or entry.row.doi or entry.row.registry):
            yield Fault("source", entry.id, entry.where("id"), "has no citation, DOI or registry number.")


def _sources(
    entry: Located, node: Any, loc: tuple[str | int, ...], around: Mapping[str, Any]
) -> Iterator[Fault]:
    if isinstance(node, tuple):
        for k, each in enumerate(node):
            yield from _sources(entry, each, (*loc, k), around)
        return
    if not isinstance(node, Mapping):
        return
    context = {
        **around,
        **{name: node[name] for name in ("provenance", "source_url", "pointer") if node.get(name)},
    }
    if is_figure(node) or ("provenance" in node and loc):
        for check, what in (("provenance", _word(node, context)), ("source", _unsourced(node, context))):
            if what:
                yield Fault(check, entry.id, entry.where(*loc), f"{dotted(loc)} {what}")
        return
    said = (
        "of" in node and number(node.get("value")) is None
    )  # a row that reports words, or that nothing is known
    if (
        "value" in node
        and not said
        and not isinstance(node["value"], Mapping)
        and not context.get("provenance")
    ):
        yield Fault("source", entry.id, entry.where(*loc), f"{dotted(loc)} has no provenance.")
    for name, each in node.items():
        if isinstance(each, Mapping | tuple):
            yield from _sources(entry, each, (*loc, name), context)


def _word(node: Mapping[str, Any], context: Mapping[str, Any]) -> str:
    """What is wrong with the word of provenance."""
    word = context.get("provenance")
    if plain(node.get("value", 0)) is None and word is None:
        return ""
    if word is None:
        return f"has no provenance; one of {', '.join(PROVENANCES)}."
    if word not in PROVENANCES:
        return f"has the provenance {word!r}; one of {', '.join(PROVENANCES)}."
    return ""


def _unsourced(node: Mapping[str, Any], context: Mapping[str, Any]) -> str:
    """What a figure lacks of its source; empty where it has all."""
    word = context.get("provenance")
    if word == "read" and not context.get("source_url"):
        return "has provenance read but no source_url."
    url = str(context.get("source_url", ""))
    if word == "read" and url.startswith("http") and len(url.split()) > 1:
        return "has a source_url that is no address, since it has a space; notes on it go to pointer."
    if word == "read" and not (context.get("pointer") or node.get("analysis")):
        return "has provenance read but no pointer (place in the source)."
    if word == "derived" and not (node.get("formula") or node.get("note")):
        return "has provenance derived but no formula."
    return ""


def against_interval(entry: Located) -> Iterator[Fault]:
    """Standard deviations too small for the interval of the difference, by about the square root of n."""
    for block, stated, (active, control) in _stated(entry):
        if stated.measure != "MD" or stated.low is None or stated.high is None:
            continue
        if not (active.n and control.n and active.sd and control.sd):
            continue
        wide = (stated.high - stated.low) / SIZE
        narrow = math.sqrt(active.sd**2 / active.n + control.sd**2 / control.n)
        if wide / narrow > math.sqrt(min(active.n, control.n)) / 2 > 1.5:
            what = (
                f"has standard deviations {active.sd:g} and {control.sd:g}, {wide / narrow:.1f} times too small for "
                "the interval of the difference: they look like standard errors."
            )
            yield Fault(
                "se", entry.id, entry.where("outcomes", block.key.text), f"outcomes.{block.key.text} {what}"
            )


def _stated(entry: Located) -> Iterator[tuple[Block, Any, tuple[Any, Any]]]:
    """Blocks with groups, each with the difference that the same trial states of the same arm and outcome."""
    if entry.kind != "trial":
        return
    found = [each for each in blocks(entry) if isinstance(each, Block)]
    for block in found:
        control = next((s.group for a, s in block.sides.items() if role(a) == "control"), None)
        for arm, side in block.sides.items():
            if control is None or role(arm) != "active":
                continue
            for other in found:
                for name, (given, _) in other.given.items():
                    if other.outcome == block.outcome and name in (arm, ""):
                        yield block, given, (side.group, control)


def signs(entries: tuple[Located, ...]) -> Iterator[Fault]:
    """A reported difference in the opposite direction to its groups' means or proportions."""
    for entry in entries:
        if entry.row.rejected or _says_unsure(entry):
            continue
        for block, given, (active, control) in _stated(entry):
            other = _difference(given.measure, active, control)
            if other is None:
                continue
            stated = (
                math.log(given.estimate) if given.measure != "MD" and given.estimate > 0 else given.estimate
            )
            if stated * other < 0 and abs(stated - other) > _doubt(given, stated):
                what = (
                    f"is {'higher' if other > 0 else 'lower'} than control by its groups, and "
                    f"{'higher' if stated > 0 else 'lower'} by the reported difference ({given.measure} "
                    f"{given.estimate:g}); if the sign is not known, state that in sign_convention."
                )
                yield Fault(
                    "signs",
                    entry.id,
                    entry.where("outcomes", block.key.text),
                    f"outcomes.{block.key.text} {what}",
                )


def _says_unsure(entry: Located) -> bool:
    outcomes = getattr(entry.row, "outcomes", None)
    return isinstance(outcomes, Mapping) and isinstance(outcomes.get("sign_convention"), str)


def _doubt(given: Any, stated: float) -> float:
    """How far rounding and adjustment may move a difference: half a standard error."""
    if given.se is not None:
        return float(given.se) / 2
    if given.low is None or given.high is None:
        return abs(stated)
    if given.measure == "MD":
        return float(given.high - given.low) / SIZE / 2
    return math.log(given.high / given.low) / SIZE / 2 if 0 < given.low < given.high else 0.0


def _difference(measure: str, active: Any, control: Any) -> float | None:
    if measure == "MD" and active.mean is not None and control.mean is not None:
        return float(active.mean - control.mean)
    if measure in ("OR", "RR") and active.events and control.events and active.n and control.n:
        return math.log((active.events / active.n) / (control.events / control.n))
    return None

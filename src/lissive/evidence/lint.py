"""What is wrong with files of studies and reviews: `lissive check` and `--studies FILE` ask the same.

A figure that is known to be wrong stays in a shipped file only with `rejected: reason` on its entry, and is not used.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from lissive.evidence._lint_figures import SIZE, Place, ends_of, places
from lissive.evidence.bias import why_unbelievable
from lissive.evidence.comparison import PROVENANCES
from lissive.evidence.extract import Block, blocks, people_of, role
from lissive.evidence.keys import parse_key
from lissive.evidence.read import Located, dotted, is_figure, number, plain
from lissive.evidence.words import assumption, outcomes

_RATIO_NAMES = ("or", "rr", "hr", "odds_ratio", "risk_ratio", "hazard_ratio")
_ESTIMATES = ("diff", "value", "change_mean", "mean", "pooled", "effect", "end_mean")
_REGISTRY = re.compile(r"NCT\d{8}|ISRCTN\d{8}|\b\d{4}-\d{6}-\d{2}\b")
_ROUNDING = 1e-9


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong: which check says so, of which entry, where, and what."""

    check: str
    id: str
    where: str
    what: str


def findings(entries: Iterable[Located]) -> list[Fault]:
    """All that is wrong, in the order of the checks."""
    every = tuple(entries)
    return [fault for look in LOOKS.values() for fault in look(every)]


def _fault(check: str, place: Place, what: str) -> Fault:
    return Fault(check, place.entry.id, place.entry.where(*place.loc), f"{dotted(place.loc)} {what}")


_NUMERIC = re.compile(
    r"(?:.*_)?(?:mean|sd|se|diff|pct)|n|N|n_(?:randomised|analysed|treated|completed|enrolled)"
)
"""Names of fields in which only a number makes sense."""


def numbers(entries: tuple[Located, ...]) -> Iterator[Fault]:
    for place in places(entries):
        if place.entry.kind == "review":
            continue
        for name, node in place.node.items():
            value = plain(node)
            if _NUMERIC.fullmatch(name) and isinstance(value, str | bool):
                yield _fault("numbers", place.at(name), f"is {value!r}, and has to be a number, or null.")
        ci = plain(place.node.get("ci"))
        if ci is not None and not isinstance(ci, Mapping) and ends_of(ci) is None:
            yield _fault("numbers", place.at("ci"), "has to be two numbers, the lower first.")


# -- single figures --------------------------------------------------------------------------------
def counts(entries: tuple[Located, ...]) -> Iterator[Fault]:
    for place in places(entries):
        row = place.node
        for name, most in (
            ("n", "N"),
            ("events", "N"),
            ("e", "n1"),
            ("c", "n2"),
            ("e_n", "eN"),
            ("c_n", "cN"),
        ):
            n, total = number(row.get(name)), number(row.get(most))
            if n is not None and total is not None and n > total:
                yield _fault(
                    "counts", place.at(name), f"is {n:g}, more than the {total:g} people it is of ({most})."
                )
        for name, value in row.items():
            size = number(value)
            if size is None:
                continue
            if re.fullmatch(r"[nN]|n_[a-z0-9_]+|events|e_n|c_n|eN|cN", name) and size < 0:
                yield _fault("counts", place.at(name), f"is {size:g}, a number of people below 0.")
            if _is_share(name, place) and not 0 <= size <= 100:
                yield _fault("counts", place.at(name), f"is {size:g} %, which lies outside 0 to 100.")
        n, total, pct = (number(row.get(name)) for name in ("n", "N", "pct"))
        if n is not None and total and pct is not None and abs(100 * n / total - pct) > max(1.0, 100 / total):
            said = f"is {pct:g}, and {n:g} of {total:g} is {100 * n / total:.1f} %."
            yield _fault("counts", place.at("pct"), said)


def _is_share(name: str, place: Place) -> bool:
    around = " ".join(str(part) for part in place.loc)
    return bool(re.fullmatch(r"pct|.+_pct", name)) and not re.search(
        r"reduction|change|increase", f"{around} {name}"
    )


def spreads(entries: tuple[Located, ...]) -> Iterator[Fault]:
    """Deviations that cannot be: below 0, or beyond half of the range that the scale allows."""
    for place in places(entries):
        for name in [each for each in place.node if re.fullmatch(r"(?:.*_)?(?:sd|se)", each)]:
            size = number(place.node[name])
            if size is None:
                continue
            if size < 0 or (size == 0 and name.endswith("sd")):
                yield _fault("sd", place.at(name), f"is {size:g}, and a spread is over 0.")
                continue
            most = _most(place, name)
            if most is not None and name.endswith("sd") and size > most * (1 + _ROUNDING):
                yield _fault(
                    "sd", place.at(name), f"is {size:g}, and on its scale no deviation is beyond {most:.3g}."
                )


def _most(place: Place, name: str) -> float | None:
    """The largest deviation that the scale allows; of changes twice that of values."""
    top = _top(place)
    if top is None:
        return None
    n = number(place.node.get("n")) or number(place.node.get("N"))
    n = n or people_of(place.entry, str(place.node.get("arm", "")))
    small = math.sqrt(n / (n - 1)) if n and n > 1 else math.sqrt(2)
    reach = 1.0 if re.match(r"end|baseline", name) else 2.0
    return assumption("largest_sd_of_range") * top * reach * small


def _top(place: Place) -> float | None:
    """Upper end of the scale of a block of outcomes, where its name says it."""
    if place.block is None:
        return None
    key = parse_key(place.block, place.siblings)
    if key.top is not None:
        return key.top
    known = outcomes().get(key.outcomes[0]) if key.outcomes else None
    if known is None or known.kind != "mean" or re.search(r"vas|crs|total|sum", place.block.lower()):
        return None
    return known.upper


def errors_as_spreads(entries: tuple[Located, ...]) -> Iterator[Fault]:
    """Standard errors that stand as deviations, and deviations that stand as standard errors."""
    least = assumption("smallest_sd_of_range")
    for place in places(entries):
        top = _top(place)
        for name in [each for each in place.node if re.fullmatch(r"(?:.*_)?sd", each) and each != "se_or_sd"]:
            size = number(place.node[name])
            if top is not None and size is not None and 0 < size < least * top:
                what = f"is {size:g}, below {100 * least:g} % of its scale: it looks like a standard error."
                yield _fault("se", place.at(name), what)
        n = number(place.node.get("n")) or number(place.node.get("N"))
        for name in [each for each in place.node if re.fullmatch(r"(?:.*_)?se", each)]:
            size = number(place.node[name])
            if top is not None and size is not None and n and size * math.sqrt(n) > 2 * top:
                what = f"is {size:g}; times the square root of {n:g} it is beyond the scale: it looks like a deviation."
                yield _fault("se", place.at(name), what)
    for entry in entries:
        yield from _against_interval(entry)


def _against_interval(entry: Located) -> Iterator[Fault]:
    """Deviations that are too small for the interval of the difference, by about the square root of the people."""
    for block, stated, (active, control) in _stated(entry):
        if stated.measure != "MD" or stated.low is None or stated.high is None:
            continue
        if not (active.n and control.n and active.sd and control.sd):
            continue
        wide = (stated.high - stated.low) / SIZE
        narrow = math.sqrt(active.sd**2 / active.n + control.sd**2 / control.n)
        if wide / narrow > math.sqrt(min(active.n, control.n)) / 2 > 1.5:
            what = (
                f"has deviations {active.sd:g} and {control.sd:g}, which are {wide / narrow:.1f} times too small for "
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
    """A stated difference that goes the other way than the means or shares of its groups."""
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
                    f"goes {'up' if other > 0 else 'down'} against control by its groups, and "
                    f"{'up' if stated > 0 else 'down'} by the difference that is stated ({given.measure} "
                    f"{given.estimate:g}); if the sign is not known, say so in sign_convention."
                )
                yield Fault(
                    "signs",
                    entry.id,
                    entry.where("outcomes", block.key.text),
                    f"outcomes.{block.key.text} {what}",
                )


def _says_unsure(entry: Located) -> bool:
    rooms = getattr(entry.row, "outcomes", None)
    return isinstance(rooms, Mapping) and isinstance(rooms.get("sign_convention"), str)


def _doubt(given: Any, stated: float) -> float:
    """How far rounding and adjusting may take a difference: half a standard error."""
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


def intervals(entries: tuple[Located, ...]) -> Iterator[Fault]:
    """Intervals that are none, or that do not hold their estimate."""
    for place in places(entries):
        ends = ends_of(place.node.get("ci"))
        if ends is None:
            continue
        low, high = ends
        if low > high:
            yield _fault("interval", place.at("ci"), f"is {low:g} to {high:g}: the lower end comes first.")
            continue
        name = next(
            (each for each in (*_ESTIMATES, *_RATIO_NAMES) if number(_inner(place.node, each)) is not None),
            None,
        )
        if name is None:
            continue
        estimate = number(_inner(place.node, name))
        assert estimate is not None
        slack = 0.5 * 10.0 ** -_places(low, high, estimate)
        if not low - slack <= estimate <= high + slack:
            yield _fault(
                "interval", place.at("ci"), f"is {low:g} to {high:g}, and {name} {estimate:g} is not in it."
            )
        if (_is_ratio(place) or name in _RATIO_NAMES) and low <= 0:
            yield _fault("interval", place.at("ci"), f"is {low:g} to {high:g}, and a ratio is over 0.")


def _inner(row: Mapping[str, Any], name: str) -> Any:
    return row.get(name)


def _is_ratio(place: Place) -> bool:
    return place.block is not None and parse_key(place.block, place.siblings).kind in (
        "OR",
        "RR",
        "HR",
        "GMR",
    )


def _places(*values: float) -> int:
    """Decimals that the figures are printed with."""
    return max(len(f"{value:.6g}".partition(".")[2]) for value in values)


# -- between entries -------------------------------------------------------------------------------
def patients(entries: tuple[Located, ...]) -> Iterator[Fault]:
    """Entries on the same people (by registry number or DOI) that do not say so; ids that come twice."""
    seen: dict[str, Located] = {}
    ids: dict[str, Located] = {}
    for entry in entries:
        first = ids.setdefault(entry.id, entry)
        if first is not entry:
            yield Fault("ids", entry.id, entry.where("id"), f"id comes twice, first at {first.where('id')}.")
            continue
        if entry.kind != "trial":
            continue
        for field, number_ in registered(entry):
            other = seen.setdefault(number_, entry)
            if other is not entry and _key(other) != _key(entry):
                what = (
                    f"{field} {number_} is that of {other.id} too ({other.where('id')}): the same people would count "
                    "twice. Give both the same `patients: NAME`."
                )
                yield Fault("patients", entry.id, entry.where(field), what)
                break


def registered(entry: Located) -> Iterator[tuple[str, str]]:
    """Numbers that only one trial has, each with its field: the DOI, and numbers of registries."""
    if entry.row.doi:
        yield "doi", entry.row.doi.lower()
    for found in _REGISTRY.findall(entry.row.registry or ""):
        yield "registry", found


def _key(entry: Located) -> str:
    return getattr(entry.row, "patients", None) or f"/{entry.id}"


def effects(entries: tuple[Located, ...]) -> Iterator[Fault]:
    """Effects that no comparison of people has."""
    for entry in entries:
        if entry.row.rejected:
            continue
        if entry.kind == "review":
            yield from _pooled(entry)
            continue
        for block in (
            (each for each in blocks(entry) if isinstance(each, Block)) if entry.kind == "trial" else ()
        ):
            control = next((s.group for a, s in block.sides.items() if role(a) == "control"), None)
            for arm, side in block.sides.items():
                if control is None or arm == control.arm or not (side.group.sd and control.sd):
                    continue
                assert side.group.mean is not None
                assert control.mean is not None
                smd = (side.group.mean - control.mean) / math.hypot(side.group.sd, control.sd) * math.sqrt(2)
                if why := why_unbelievable("SMD", smd):
                    yield Fault(
                        "effect",
                        entry.id,
                        entry.where("outcomes", block.key.text),
                        f"outcomes.{block.key.text}: {why}.",
                    )


def _pooled(entry: Located) -> Iterator[Fault]:
    for k, row in enumerate(entry.data.get("outcomes") or ()):
        estimate = number(row.get("pooled")) if isinstance(row, Mapping) else None
        if estimate is None:
            continue
        said = f"{row.get('measure', '')} {row.get('model', '')} {row.get('outcome', '')}"
        measure = next(
            (each for each in ("SMD", "OR", "RR", "RD", "MD") if re.search(rf"\b{each}\b", said)), "MD"
        )
        # an interval that does not hold its estimate is the business of `interval`
        if why := why_unbelievable(measure, estimate, None, number(row.get("i2") or row.get("i2_pct"))):
            yield Fault(
                "effect", entry.id, entry.where("outcomes", k, "pooled"), f"outcomes[{k}].pooled: {why}."
            )


# -- where figures come from -----------------------------------------------------------------------
def sources(entries: tuple[Located, ...]) -> Iterator[Fault]:
    """Figures that do not say how they were come by, or from where."""
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
    said = {
        **around,
        **{name: node[name] for name in ("provenance", "source_url", "pointer") if node.get(name)},
    }
    if is_figure(node) or ("provenance" in node and loc):
        if what := _unsourced(node, said):
            yield Fault("source", entry.id, entry.where(*loc), f"{dotted(loc)} {what}")
        return
    if set(node) & {"value"} and not isinstance(node["value"], Mapping) and not said.get("provenance"):
        yield Fault("source", entry.id, entry.where(*loc), f"{dotted(loc)} has no provenance.")
    for name, each in node.items():
        if isinstance(each, Mapping | tuple):
            yield from _sources(entry, each, (*loc, name), said)


def _unsourced(node: Mapping[str, Any], said: Mapping[str, Any]) -> str:
    """What a figure lacks; nothing where it has all."""
    word = said.get("provenance")
    if plain(node.get("value", 0)) is None and word is None:
        return ""
    if word is None:
        return f"has no provenance; one of {', '.join(PROVENANCES)}."
    if word not in PROVENANCES:
        return f"has the provenance {word!r}; one of {', '.join(PROVENANCES)}."
    if word == "read" and not said.get("source_url"):
        return "was read, and does not say where (source_url)."
    if word == "read" and not (said.get("pointer") or node.get("analysis")):
        return "was read, and does not say where in its source (pointer)."
    if word == "derived" and not (node.get("formula") or node.get("note")):
        return "is derived, and does not say how (formula)."
    return ""


LOOKS: Mapping[str, Callable[[tuple[Located, ...]], Iterator[Fault]]] = {
    "numbers": numbers,
    "signs": signs,
    "sd": spreads,
    "se": errors_as_spreads,
    "counts": counts,
    "interval": intervals,
    "patients": patients,
    "effect": effects,
    "source": sources,
}
"""Name of a check to what looks."""

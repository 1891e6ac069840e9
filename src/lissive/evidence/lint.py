"""What is wrong with files of studies and reviews: `lissive check` and `--studies FILE` ask the same.

A figure known to be wrong stays in an included file only with `rejected: reason` on its entry, and is not used.
"""

from __future__ import annotations

import difflib
import itertools
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from lissive.errors import EvidenceError
from lissive.evidence.blocks import Block, blocks, people_of
from lissive.evidence.checks import (
    Fault,
    Place,
    against_interval,
    ends_of,
    fault_at,
    near_own,
    places,
    randomised,
    row_fields,
    signs,
    sources,
    twice,
    two_errors,
    two_sizes,
)
from lissive.evidence.heterogeneity import limits, why_unbelievable
from lissive.evidence.read import Located, Studies, Trial, TrialsFile, marked, shipped_studies, studies_in
from lissive.evidence.words import assumption, outcomes
from lissive.given import path_of
from lissive.marked import Loc
from lissive.publications.arms import N_HARMS, N_MEANS, role
from lissive.publications.loose import INTERVALS, PERCENT
from lissive.publications.tables import RATIOS, Name, number, plain, text_of
from lissive.typed import dotted, line_of, nearest

_RATIO_NAMES = ("or", "rr", "hr", "odds_ratio", "risk_ratio", "hazard_ratio")
_ESTIMATES = ("diff", "value", "change_mean", "mean", "pooled", "effect", "end_mean")
_REGISTRY = re.compile(r"NCT\d{8}|ISRCTN\d{8}|\b\d{4}-\d{6}-\d{2}\b")
_ROUNDING = 1e-9


def findings(entries: Iterable[Located]) -> list[Fault]:
    """All that is wrong, in the order of the checks."""
    every = tuple(entries)
    found = {name: list(look(every)) for name, look in LOOKS.items() if name not in CALCULATED}
    said = itertools.chain.from_iterable(found.values())
    wrong = {fault.id for fault in said if fault.check not in ("patients", "source")}
    sound = tuple(entry for entry in every if entry.id not in wrong)
    found |= {name: list(LOOKS[name](sound)) for name in CALCULATED}
    return [fault for name in LOOKS for fault in found[name]]


_NUMERIC = re.compile(
    r"(?:.*_)?(?:mean|sd|se|diff|pct)|n|N|events|n_(?:randomised|analysed|treated|completed|enrolled)|"
    r"level|median|person_time|correlation|icc|cluster_size"
)
"""Names of fields in which only a number makes sense."""
_DOSES = ("max_dose", "mean_dose")


def numbers(entries: tuple[Located, ...]) -> Iterator[Fault]:
    for place in places(entries):
        if place.entry.kind == "review":
            continue
        for name, node in place.node.items():
            value = plain(node)
            is_dose = bool(place.loc) and place.loc[0] in _DOSES and name not in ("note", "provenance")
            if isinstance(value, str | bool) and (is_dose or _NUMERIC.fullmatch(name)):
                yield fault_at("numbers", place.at(name), f"is {value!r}; it must be a number or null.")
            size = number(value)
            if size is not None and (size <= 0 if name in _RATIO_NAMES else size < 0 and is_dose):
                yield fault_at("numbers", place.at(name), f"is {size:g}; it must be positive.")
        for name in (*INTERVALS, "iqr"):
            ci = plain(place.node.get(name))
            if ci is not None and not isinstance(ci, Mapping) and ends_of(ci) is None:
                yield fault_at("numbers", place.at(name), "must be two numbers, the lower first.")
    for entry in entries:
        yield from _arms(entry)


def _arms(entry: Located) -> Iterator[Fault]:
    """Arms without a name of their own."""
    seen: set[str] = set()
    for k, row in enumerate(getattr(entry.row, "arms", None) or ()):
        arm = text_of(row.get("arm", row.get("name")))
        if not arm or arm in seen:
            what = f"is {arm!r}, a duplicate." if arm else "has no name: give it one, as in arm: placebo."
            yield Fault("numbers", entry.id, entry.where("arms", k, "arm"), f"arms[{k}].arm {what}")
        seen.add(arm)


# -- single figures --------------------------------------------------------------------------------
def counts(entries: tuple[Located, ...]) -> Iterator[Fault]:
    for place in places(entries):
        row = place.node
        for name, most in (
            ("n", "N"),
            ("events", "N"),
            ("events", "n"),
            ("e", "n1"),
            ("c", "n2"),
            ("e_n", "eN"),
            ("c_n", "cN"),
        ):
            n, total = number(row.get(name)), number(row.get(most))
            if n is not None and total is not None and n > total:
                yield fault_at(
                    "counts",
                    place.at(name),
                    f"is {n:g}, more than the {total:g} participants it is of ({most}).",
                )
        for name, value in row.items():
            size = number(value)
            if size is None:
                continue
            if re.fullmatch(r"[nN]|n_[a-z0-9_]+|events|e_n|c_n|eN|cN", name):
                if size < 0:
                    yield fault_at(
                        "counts", place.at(name), f"is {size:g}, a negative number of participants."
                    )
                elif size != int(size):
                    yield fault_at("counts", place.at(name), f"is {size:g}; it must be a whole number.")
            if _is_share(name, place) and not 0 <= size <= 100:
                yield fault_at("counts", place.at(name), f"is {size:g} %, outside 0 to 100.")
            elif PERCENT.get(name, 1.0) != 1.0 and place.block is not None and not 0 <= size <= 1:
                yield fault_at("counts", place.at(name), f"is {size:g}, outside 0 to 1.")
        n, total, pct = (number(row.get(name)) for name in ("n", "N", "pct"))
        if n is not None and total and pct is not None and abs(100 * n / total - pct) > max(1.0, 100 / total):
            text = f"is {pct:g}, and {n:g} of {total:g} is {100 * n / total:.1f} %."
            yield fault_at("counts", place.at("pct"), text)


def _is_share(name: str, place: Place) -> bool:
    around = " ".join(str(part) for part in place.loc)
    return bool(re.fullmatch(r"pct|.+_pct", name)) and not re.search(
        r"reduction|change|increase", f"{around} {name}"
    )


def spreads(entries: tuple[Located, ...]) -> Iterator[Fault]:
    """Impossible standard deviations: negative, or beyond half of the range of the scale."""
    for place in places(entries):
        for name in [each for each in place.node if re.fullmatch(r"(?:.*_)?(?:sd|se)", each)]:
            size = number(place.node[name])
            if size is None:
                continue
            if size < 0 or (size == 0 and name.endswith("sd")):
                yield fault_at("sd", place.at(name), f"is {size:g}; it must be positive.")
                continue
            most = _most(place, name)
            if most is not None and name.endswith("sd") and size > most * (1 + _ROUNDING):
                yield fault_at(
                    "sd", place.at(name), f"is {size:g}; the largest possible on its scale is {most:.3g}."
                )


def _most(place: Place, name: str) -> float | None:
    """The largest standard deviation that the scale allows; of changes twice that of values."""
    top = _top(place)
    if top is None:
        return None
    n = number(place.node.get("n")) or number(place.node.get("N"))
    n = n or people_of(place.entry, str(place.node.get("arm", "")))
    small = math.sqrt(n / (n - 1)) if n and n > 1 else math.sqrt(2)
    reach = 1.0 if re.match(r"end|baseline", name) else 2.0
    return assumption("largest_sd_of_range") * top * reach * small


def _top(place: Place) -> float | None:
    """Upper end of the scale of a block of outcomes, where its name or the file itself says it."""
    name = _name(place)
    if name is None or name.top is not None:
        return name.top if name else None
    word = name.stem if name.stem in (place.entry.own or {}) else next(iter(name.outcomes), "")
    known = (place.entry.own or {}).get(word) or outcomes().get(word)
    if known is None or known.kind != "mean" or re.search(r"vas|crs|total|sum", name.text.lower()):
        return None
    return known.upper


def _name(place: Place) -> Name | None:
    """What the name of a place's outcome says."""
    return next((row.name for row in place.entry.results if row.name.text == place.block), None)


_BETWEEN = re.compile(r"(?:change_mean|mean_change|change|diff)(?:_pp)?")
_AT = re.compile(r"(?:end|baseline)_mean")


def scales(entries: tuple[Located, ...]) -> Iterator[Fault]:
    """Means and differences beyond the scale that their block's name states; impossible counts."""
    for place in places(entries):
        top = _top(place)
        for name, node in place.node.items():
            size = number(node)
            if size is None:
                continue
            if top is not None and (
                abs(size) > top if _BETWEEN.fullmatch(name) else _AT.fullmatch(name) and not 0 <= size <= top
            ):
                yield fault_at("scale", place.at(name), f"is {size:g}; its scale is 0 to {top:g}.")
            if re.fullmatch(r"[nN]|n_[a-z0-9_]+|events", name) and size > limits()["most_people"]:
                yield fault_at("scale", place.at(name), f"is {size:g}, more than the world population.")


def fields(entries: tuple[Located, ...]) -> Iterator[Fault]:
    """Names of fields that are not read and resemble fields that are."""
    for entry in entries:
        known = list(type(entry.row).model_fields) if entry.kind == "trial" else []
        for name in entry.row.model_extra or {} if known else ():
            near = [
                each for each in known if each[0] == name[0]
            ]  # titration is not a misspelling of citation
            for meant in difflib.get_close_matches(name, near, n=1, cutoff=0.8):
                what = f"Unknown field {name}. Did you mean {meant}?"
                yield Fault("fields", entry.id, entry.where(name), what)


def errors_as_spreads(entries: tuple[Located, ...]) -> Iterator[Fault]:
    """Standard errors entered as standard deviations, and the reverse."""
    least = assumption("smallest_sd_of_range")
    for place in places(entries):
        top = _top(place)
        for name in [each for each in place.node if re.fullmatch(r"(?:.*_)?sd", each) and each != "se_or_sd"]:
            size = number(place.node[name])
            if top is not None and size is not None and 0 < size < least * top:
                what = f"is {size:g}, below {100 * least:g} % of its scale: it looks like a standard error."
                yield fault_at("se", place.at(name), what)
        n = number(place.node.get("n")) or number(place.node.get("N"))
        for name in [each for each in place.node if re.fullmatch(r"(?:.*_)?se", each)]:
            size = number(place.node[name])
            if top is not None and size is not None and n and size * math.sqrt(n) > 2 * top:
                what = f"is {size:g}; times sqrt({n:g}) it exceeds the scale: it looks like a standard deviation."
                yield fault_at("se", place.at(name), what)
    for entry in entries:
        yield from against_interval(entry)


def intervals(entries: tuple[Located, ...]) -> Iterator[Fault]:
    """Invalid intervals, or intervals that do not include their estimate."""
    for place in places(entries):
        for field in INTERVALS:
            ends = ends_of(place.node.get(field))
            if ends is not None and (what := _off(place, *ends)):
                yield fault_at("interval", place.at(field), f"is {ends[0]:g} to {ends[1]:g}{what}")


def _off(place: Place, low: float, high: float) -> str:
    """What is wrong with an interval; empty where nothing is."""
    if low > high:
        return ": the lower limit must come first."
    found = ((each, number(place.node.get(each))) for each in (*_ESTIMATES, *_RATIO_NAMES))
    name, estimate = next((each for each in found if each[1] is not None), ("", None))
    if estimate is None:
        return ""
    slack = 0.5 * 10.0 ** -_places(low, high, estimate)
    if not low - slack <= estimate <= high + slack:
        return f" and does not include {name} {estimate:g}."
    return "; a ratio must be positive." if (_is_ratio(place) or name in _RATIO_NAMES) and low <= 0 else ""


def _is_ratio(place: Place) -> bool:
    name = _name(place)
    return name is not None and name.kind in RATIOS


def _places(*values: float) -> int:
    """Decimals that the figures are printed with."""
    return max(len(f"{value:.6g}".partition(".")[2]) for value in values)


# -- between entries -------------------------------------------------------------------------------
def patients(entries: tuple[Located, ...]) -> Iterator[Fault]:
    """Entries on the same participants (by registry number or DOI) that do not state it; duplicate ids."""
    seen: dict[str, Located] = {}
    ids: dict[str, Located] = {}
    for entry in entries:
        first = ids.setdefault(entry.id, entry)
        if first is not entry:
            yield Fault("ids", entry.id, entry.where("id"), f"duplicate id, first at {first.where('id')}.")
            continue
        if entry.kind != "trial":
            continue
        for field, number_ in registered(entry):
            other = seen.setdefault(number_, entry)
            if other is not entry and _key(other) != _key(entry):
                what = (
                    f"{field} {number_} is also that of {other.id} ({other.where('id')}): its participants would count "
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
    """Implausible effects."""
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
        text = f"{row.get('measure', '')} {row.get('model', '')} {row.get('outcome', '')}"
        named = [each for each in ("SMD", "OR", "RR", "RD", "MD") if re.search(rf"\b{each}\b", text)]
        measure = named[0] if named else "MD"
        # an interval that does not include its estimate is found by `interval`
        if why := why_unbelievable(measure, estimate, None, number(row.get("i2") or row.get("i2_pct"))):
            yield Fault(
                "effect", entry.id, entry.where("outcomes", k, "pooled"), f"outcomes[{k}].pooled: {why}."
            )


LOOKS: Mapping[str, Callable[[tuple[Located, ...]], Iterator[Fault]]] = {
    "numbers": numbers,
    "fields": fields,
    "row fields": row_fields,
    "own outcomes": near_own,
    "sizes": two_sizes,
    "rows": twice,
    "errors": two_errors,
    "scale": scales,
    "signs": signs,
    "sd": spreads,
    "se": errors_as_spreads,
    "counts": counts,
    "randomised": randomised,
    "interval": intervals,
    "patients": patients,
    "effect": effects,
    "source": sources,
}
"""Name of a check to what looks."""
CALCULATED = ("row fields", "own outcomes", "rows", "errors", "signs", "se", "randomised", "effect")
"""Checks that calculate: only with entries whose figures can be."""


# -- a user's own file ------------------------------------------------------------------------------
def read_studies(path: str | Path) -> Studies:
    """The studies of a file, in the format of data/trials.yaml.

    Raises       EvidenceError with every finding: id, field and line.
    """
    path = path_of(path, wrong=EvidenceError)
    data, lines = marked(path, False, "trials: [{id: smith_2020}]")
    studies = Studies(studies_in(data, lines, path, ships=False), tuple(_unread(data, lines, path)))
    # the same participants are merged below; the sources of a user's figures are theirs to know
    wrong = [each for each in findings(studies) if each.check not in ("patients", "source")]
    if wrong:
        every = [EvidenceError(f"{each.id}: {each.what}", where=each.where, do=each.do) for each in wrong]
        raise EvidenceError.all_of(every)
    return Studies(tuple(_same_people(studies)), studies.unread)


def studies_of(given: Studies | str | Path | None) -> Studies:
    """Studies as they are given: already read, a file, or those that come with Lissive."""
    if given is None:
        return shipped_studies()
    return given if isinstance(given, Studies) else read_studies(given)


def _same_people(studies: Studies) -> Iterator[Located]:
    """The entries, those with the same registry number or DOI under one key, so that nobody counts twice."""
    first: dict[str, str] = {}
    for entry in studies:
        numbers = [number for _, number in registered(entry)] if entry.kind == "trial" else []
        key = next((first[number] for number in numbers if number in first), entry.id)
        first.update((number, key) for number in numbers)
        yield replace(entry, people=key, kept=[])


# -- fields that nothing reads: they are kept, and that is said ------------------------------------
_FILE = {*TrialsFile.model_fields, *"schema_version generated legend meta note notes".split()}
_ENTRY = {
    *Trial.model_fields,
    *(
        "titration max_dose mean_dose blinding inclusion split extraction sources run_in_weeks washout_days source_url "
        "pointer note notes"
    ).split(),
}
_ARM = {"arm", "age", "status", "note", "notes", *N_MEANS, *N_HARMS}
_COUNT = re.compile(r"n_[a-z0-9_]+")
"""Of an arm, how many people came how far: shown, whatever the name."""


def _unread(data: Mapping[str, Any], lines: Mapping[Loc, int], path: Path) -> Iterator[str]:
    """A line for each field that is not read: of the file, of a trial, of an arm."""
    for loc, known in _read_at(data):
        node = data
        for part in loc:
            node = node[part]  # type: ignore[index]
        for name in node:
            if name in known or (known is _ARM and _COUNT.fullmatch(name)):
                continue
            said = f"{dotted((*loc[2:], name))} is a field that is not read"
            id = f" {data['trials'][loc[1]]['id']}:" if loc else ""
            yield f"{path}:{line_of(lines, (*loc, name))}:{id} {said}.{nearest(name, known)}"


def _read_at(data: Mapping[str, Any]) -> Iterator[tuple[Loc, set[str]]]:
    yield (), _FILE
    for k, trial in enumerate(data["trials"]):
        yield ("trials", k), _ENTRY
        for i, _ in enumerate(trial.get("arms") or ()):
            yield ("trials", k, "arms", i), _ARM

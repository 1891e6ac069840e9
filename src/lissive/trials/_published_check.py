"""What is wrong with the figures of one entry, whether or not it can be held against the model."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from lissive.marked import Loc
from lissive.trials import _published_words as words
from lissive.trials._published_parts import Entry, is_leaf, is_number, plain, text_of

_NUMERIC = re.compile(
    r"(.*_)?(mean|sd|se|diff|pct|percent|n|N|or|hr|change|odds_ratio|hazard_ratio|sprays|sprays_day|mg_day"
    r"|n_[a-z0-9_]+|at_week|mg_session)|week|share|proportion|fraction|run_in_weeks|washout_days"
)
"""Names of fields in which only a number makes sense."""
_COUNT = re.compile(r"(.*_)?[nN]|n_[a-z_]+")
_SPREAD = re.compile(r"(.*_)?(sd|se)")
_SHARE = re.compile(r"(.*_)?(pct|percent)")
_SIGNED = re.compile(r"change|reduction|improvement|diff|fall|rise")
_ESTIMATES = (
    "diff difference md or odds_ratio hr hazard_ratio value change_mean mean_change change mean".split()
)
_RATIOS = {"or", "odds_ratio", "hr", "hazard_ratio"}
SHARES = ("share", "proportion", "fraction")
"""Names of shares that are not in percent."""
_DOSES = ("max_dose", "mean_dose")
MOST_PEOPLE = 200_000
ROUNDING = 1e-9


def check_entry(entry: Entry) -> None:
    """Put every figure that cannot be into the entry's findings."""
    data = entry.data
    for field in ("arms", "outcomes", "adverse_events", *_DOSES):
        _walk(entry, data.get(field), (field,))
    _check_names(entry)
    for field in ("run_in_weeks", "washout_days"):
        _number(entry, field, data.get(field), (field,))
    duration = plain(data.get("duration_weeks"))
    if is_number(duration) and duration <= 0:
        entry.wrong(("duration_weeks",), f"duration_weeks is {duration:g}.", allowed="over 0.")
    _provenance(entry, data.get("duration_weeks"), ("duration_weeks",))


def _check_names(entry: Entry) -> None:
    """Each arm has a name of its own."""
    rows, seen = entry.data.get("arms"), set()
    for k, row in enumerate(rows if isinstance(rows, tuple) else ()):
        name = text_of(row.get("arm")) if isinstance(row, Mapping) else ""
        if not name:
            entry.wrong(("arms", k), "The arm has no name.", do="give it one, as in arm: placebo.")
        elif name in seen:
            entry.wrong(("arms", k, "arm"), f"The arm {name!r} is a duplicate.", do="keep one of the two.")
        seen.add(name)


def _walk(entry: Entry, node: Any, loc: Loc) -> None:
    if isinstance(node, tuple):
        for k, each in enumerate(node):
            _walk(entry, each, (*loc, k))
        return
    if not isinstance(node, Mapping):
        return
    _provenance(entry, node, loc)
    if is_leaf(node):
        return
    for field, value in node.items():
        if not isinstance(plain(value), Mapping) and is_leaf(plain(value)):
            _number(entry, field, value, (*loc, field))
        _walk(entry, value, (*loc, field))
    _check_share(entry, node, loc)
    _check_interval(entry, node, loc)


def _provenance(entry: Entry, node: Any, loc: Loc) -> None:
    said = node.get("provenance") if isinstance(node, Mapping) else None
    if said is not None and words.find("provenance", said) is None:
        entry.wrong(
            (*loc, "provenance"),
            f"provenance {said!r} is unknown.",
            allowed=f"{words.allowed('provenance')}.",
        )


def _number(entry: Entry, field: str, node: Any, loc: Loc) -> None:
    """One value: a number where its name wants one, within what can be."""
    value = plain(node)
    is_dose = loc[0] in _DOSES
    if value is None or not (is_dose or _NUMERIC.fullmatch(field)):
        return
    if field in ("note", "result", "provenance"):
        return
    if not is_number(value):
        entry.wrong(
            loc,
            f"{field} is {value!r}.",
            allowed="a number, or null where it is not known.",
            do="correct it.",
        )
        return
    share = _SHARE.fullmatch(field) and not any(_SIGNED.search(str(part)) for part in loc)
    if _COUNT.fullmatch(field) and not (float(value).is_integer() and 0 <= value <= MOST_PEOPLE):
        entry.wrong(loc, f"{field} is {value:g}.", allowed=f"a whole number from 0 to {MOST_PEOPLE}.")
    elif share and not 0 <= value <= 100:
        entry.wrong(loc, f"{field} is {value:g}.", allowed="0 to 100 %.")
    elif field in SHARES and not 0 <= value <= 1:
        entry.wrong(loc, f"{field} is {value:g}.", allowed="0 to 1.")
    elif (_SPREAD.fullmatch(field) or is_dose or field in ("week", "at_week")) and value < 0:
        entry.wrong(loc, f"{field} is {value:g}.", allowed="0 or more.")
    elif field in _RATIOS and value <= 0:
        entry.wrong(loc, f"{field} is {value:g}.", allowed="over 0.")


def _check_share(entry: Entry, row: Mapping[str, Any], loc: Loc) -> None:
    for few, many in (("n", "N"), ("n_completed", "n_randomised"), ("n_analysed", "n_randomised")):
        n, of = plain(row.get(few)), plain(row.get(many))
        if is_number(n) and is_number(of) and n > of:
            entry.wrong((*loc, few), f"{few} is {n:g}, more than {many}, {of:g}.", allowed=f"up to {of:g}.")
    if plain(row.get("N")) == 0:
        entry.wrong((*loc, "N"), "N is 0.", allowed="1 or more.")


def _check_interval(entry: Entry, row: Mapping[str, Any], loc: Loc) -> None:
    node = row.get("ci")
    ends = plain(node)
    if node is None or ends is None:
        return
    place: Loc = (*loc, "ci")
    if not (isinstance(ends, tuple) and len(ends) == 2 and all(is_number(each) for each in ends)):
        entry.wrong(place, f"ci is {ends!r}.", allowed="two numbers, as in [-1.3, -0.2].")
        return
    if ends[0] > ends[1]:
        entry.wrong(place, f"ci runs from {ends[0]:g} down to {ends[1]:g}.", allowed="the lower end first.")
        return
    field, value = next(
        ((name, plain(row[name])) for name in _ESTIMATES if is_number(plain(row.get(name)))), ("", None)
    )
    if value is not None and not ends[0] - ROUNDING <= value <= ends[1] + ROUNDING:
        entry.wrong(
            place,
            f"ci from {ends[0]:g} to {ends[1]:g} does not include its {field}, {value:g}.",
            allowed=f"an interval around {value:g}.",
        )
    is_ratio = field in _RATIOS or str(loc[-1]).endswith(("_or", "_hr"))
    if is_ratio and ends[0] <= 0:
        entry.wrong(place, f"ci of a ratio starts at {ends[0]:g}.", allowed="over 0.")

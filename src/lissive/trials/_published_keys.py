"""The name of an outcome in the file, taken apart: what is measured, on which scale, which way is better."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from lissive.trials import _published_words as words
from lissive.trials.parts import MEASURES

_KINDS = {
    "difference": r"_(?:between|vs_placebo|vs_control|difference|diff)$",
    "odds_ratio": r"_(?:or|odds_ratio)$",
    "hazard_ratio": r"_(?:hr|hazard_ratio)$",
    "p": r"_(?:p|p_value|pvalue)$",
}
_NEUTRAL = {
    "nrs",
    "vas",
    "crs",
    "arms",
    "all",
    "mean",
    "score",
    "scale",
    "change",
    "end",
    "s",
    "reported",
    "patient",
}
"""Parts of a name that do not change what is measured."""
_ALIKE = {
    r"(?:number_of_)?(?:spasm|cramp)s?(?:_number|_count|_frequency)?(?:_per|_a)?_(?:day|daily)": "spasms_per_day",
    r"daily_(?:number_of_)?(?:spasm|cramp)s?(?:_number|_count|_frequency)?": "spasms_per_day",
    r"(?:spasm|cramp)s?_(?:severity|intensity)": "spasm_severity",
}
"""Names that are put together in many ways, and the one of the table."""
SHARES = ("pgic", "pgic_much", "dizziness", "withdrawal", "withdrawal_adverse", "failure")
"""Endpoints that happen to somebody or do not."""
IMPRESSION = ("pgic", "pgic_much")
P_ALONE = "a p value alone is on no scale of the model"


@dataclass(frozen=True)
class Key:
    """One name. `why` says why it is of no use; it is empty where it is of use."""

    text: str
    measure: str = ""
    falls_by_pct: float | None = None
    kind: str = ""
    """difference, odds_ratio, hazard_ratio, p, change, end; empty where the fields say."""
    sign: float = 1.0
    """-1 where the name counts improvement as positive."""
    top: float | None = None
    """Upper end of the scale that it is printed on."""
    reversed: bool = False
    """Whether the top of the scale is the best."""
    week: float | None = None
    at_visits: bool = False
    """Whether the scale is one that is asked at visits (category ratings, visual analogue scales)."""
    since_screening: bool = False
    why: str = ""

    @property
    def endpoint(self) -> str:
        """As `Endpoint.name`."""
        return f"{self.measure}_responders_{self.falls_by_pct:g}pct" if self.falls_by_pct else self.measure

    @property
    def is_share(self) -> bool:
        return self.falls_by_pct is not None or self.measure in SHARES


def parse_key(text: str, others: Iterable[str] = (), relief: str = "") -> Key:
    """What a name says; what it leaves open (a scale, a measure) is looked up in the entry's `others`.

    Parameters
    ----------
    relief : the measure of responders to nothing in particular; empty where it is not known yet.

    >>> key = parse_key("modified_ashworth_sum_0_30"); key.measure, key.top
    ('ashworth', 30.0)
    >>> parse_key("spasms_between", ["spasms_crs_0_10"]).top, parse_key("relief_or", ["relief_from_stiffness"]).kind
    (10.0, 'odds_ratio')
    >>> parse_key("pain_responders_30pct").endpoint, parse_key("spasm_frequency_effect_size_d").why
    ('pain_nrs_responders_30pct', 'an effect in standard deviations is on no scale of the model')
    """
    rest, made = text.lower(), Key(text)
    if found := re.search(r"_?(?:at_)?(?:week|wk)_?(\d+(?:\.\d+)?)$", rest):
        rest, made = rest[: found.start()], replace(made, week=float(found[1]))
    for kind, pattern in _KINDS.items():
        if found := re.search(pattern, rest):
            rest, made = rest[: found.start()], replace(made, kind=kind)
            break
    if made.kind == "p":
        return replace(made, why=P_ALONE)
    if why := _void(rest):
        return replace(made, why=why)
    if (exact := words.find("measure", rest)) and exact.word == rest:
        return _scaled(_named(made, exact), rest, others)
    if found := re.search(r"_(?:since|from)_screening", rest):
        rest, made = rest.replace(found[0], ""), replace(made, since_screening=True)
    if found := re.search(r"(?:^|_)responders?_(\d+(?:\.\d+)?)(?:_?pct|_?percent)?$", rest):
        rest, made = rest[: found.start()], replace(made, falls_by_pct=float(found[1]))
        if not rest.strip("_") or not rest:
            return replace(made, measure=relief or "spasticity_nrs")
    return _measured(made, rest, others)


def _void(rest: str) -> str:
    """Why a name is of no use, whatever it measures."""
    found = (
        each for each in words.table("void") if re.search(rf"(?:^|_){re.escape(each.word)}(?:_|$)", rest)
    )
    return next((each.note for each in found), "")


def _named(made: Key, word: words.Word) -> Key:
    if word.means == words.NOT_MODELLED:
        return replace(made, why=word.note)
    return replace(made, measure=word.means)


def _measured(made: Key, rest: str, others: Iterable[str]) -> Key:
    """The measure, once what surrounds its name is taken off."""
    if "higher_better" in rest:
        rest, made = rest.replace("_higher_better", ""), replace(made, reversed=True)
    if found := re.search(r"_(?:reduction|improvement)(_pct)?", rest):
        if found[1]:
            return replace(made, why="a change in percent is on no scale of the model")
        rest, made = rest.replace(found[0], ""), replace(made, sign=-1.0, kind=made.kind or "change")
    for kind in ("change", "end"):
        if re.search(rf"(?:^|_){kind}(?:_|$)", rest) and not made.kind:
            made = replace(made, kind=kind)
    base = re.sub(r"(?:_sum|_total)?_0_\d+(?=_|$)", "", rest)
    name = "_".join(part for part in base.split("_") if part not in {*_NEUTRAL, "sum", "total"})
    name = name.removesuffix("_mm").removesuffix("_cm")
    for pattern, usual in _ALIKE.items():
        name = usual if re.fullmatch(pattern, name) else name
    exact = next((each for each in words.table("measure") if each.word == name), None)
    if exact is None:
        return replace(made, why="the model has no such measure")
    return _scaled(_named(made, exact), rest, others)


def _scaled(made: Key, rest: str, others: Iterable[str]) -> Key:
    """The scale that the name states, its sibling's where it states none."""
    if made.why or made.falls_by_pct is not None or made.measure in SHARES:
        return made
    parts = rest.split("_")
    made = replace(made, at_visits="crs" in parts or "vas" in parts)
    top = _stated_top(rest)
    sibling = _sibling(made, rest, others) if top is None else None
    if sibling:
        top = _stated_top(sibling.lower())
        made = replace(made, at_visits=bool({"crs", "vas"} & set(sibling.lower().split("_"))))
    kind = MEASURES[made.measure].kind
    if kind == "count" or made.measure == "walk_timed":
        return made
    if top is None and made.measure == "ashworth":
        if {"sum", "total"} & {*parts, *(sibling or "").lower().split("_")}:
            return replace(made, why="a total whose top is not stated cannot be put on the mean item's scale")
        top = 4.0
    if top is None and ("nrs" in parts or (sibling and "nrs" in sibling.lower().split("_"))):
        top = 10.0
    return replace(made, top=top)


def _stated_top(rest: str) -> float | None:
    if found := re.search(r"_0_(\d+)(?=_|$)", rest):
        return float(found[1])
    if found := re.search(r"_(mm|cm)(?=_|$)", rest):
        return 100.0 if found[1] == "mm" else 10.0
    return None


def _sibling(made: Key, rest: str, others: Iterable[str]) -> str | None:
    """The one other name that goes on where this one ends: spasms_crs_0_10 for spasms."""
    if made.kind not in ("difference", "odds_ratio"):
        return None
    found = [each for each in others if each.lower().startswith(f"{rest}_") and each != made.text]
    found = [each for each in found if not any(re.search(p, each.lower()) for p in _KINDS.values())]
    found = [each for each in found if not _void(each.lower())]
    return found[0] if len(found) == 1 else None


def scale_of(key: Key, values: Iterable[float]) -> tuple[float, str]:
    """Factor from the printed scale to the model's, and why there is none.

    A rating on a visual scale without a stated top is on 0 to 100 where any of its figures is beyond 10.

    >>> scale_of(parse_key("pain_vas_0_100"), [30.0]), scale_of(parse_key("modified_ashworth"), [-7.0])[1]
    ((0.1, ''), 'beyond 4: no mean of items, and the top of the total is not stated')
    """
    if key.measure not in MEASURES or key.is_share:
        return 1.0, ""
    if MEASURES[key.measure].kind == "count" or key.measure == "walk_timed":
        return 1.0, ""
    model_top, top = MEASURES[key.measure].upper, key.top
    largest = max((abs(each) for each in values), default=0.0)
    if top is None and key.at_visits and largest > 10.0:
        top = 100.0
    if top is None:
        return 1.0, "the top of its scale is not stated (as in _0_10 or _0_100)"
    if largest > top:
        if key.measure == "ashworth" and top == model_top:
            return 1.0, "beyond 4: no mean of items, and the top of the total is not stated"
        return 1.0, f"beyond {top:g}, the top of its scale"
    return model_top / top, ""

"""The name of an outcome, taken apart: what is measured, how it is reported, on which scale, which way is better.

>>> name = read_name("ashworth_total_reduction_vs_placebo"); name.outcomes, name.kind, name.sign
(('ashworth_total',), 'difference', -1.0)
>>> read_name("pain_vas_0_100_higher_better").top, read_name("relief_or").kind
(100.0, 'OR')
>>> name = read_name("modified_ashworth_sum_0_30"); name.outcomes, name.measure, name.top
(('ashworth',), 'ashworth', 30.0)
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path

from lissive.publications.tables import RATIOS, Name
from lissive.publications.words import NOT_MODELLED, Outcome, find, outcomes, table
from lissive.table import rows_of

UNKNOWN = "not an outcome of this review"
"""Why a name that no pattern matches is not compared."""
NO_MEASURE = "the model has no such measure"
P_ALONE = "a p value alone is on no scale of the model"
RELIEF = "relief"
"""The measure of responders to nothing in particular: that which the trial's treatment is for."""
SHARES = ("pgic", "pgic_much", "dizziness", "withdrawal", "withdrawal_adverse", "failure")
"""Measures that happen to somebody or do not."""
_KINDS = {
    **{f"ln {each}": rf"_(?:ln|log)_?{each.lower()}$" for each in RATIOS},
    "difference": r"_(?:between|vs_placebo|vs_control|difference|diff)$",
    "OR": r"_(?:or|odds_ratio)$",
    "RR": r"_(?:rr|risk_ratio|relative_risk)$",
    "HR": r"_(?:hr|hazard_ratio)$",
    "IRR": r"_(?:irr|rate_ratio)$",
    "SMD": r"_(?:smd|hedges_g)$",
    "GMR": r"_(?:gmr|geometric_mean_ratio|ratio)$",
    "p": r"_(?:p|p_value|pvalue)$",
}
_TOPS = {"nrs": 10.0, "mm": 100.0, "cm": 10.0}
_NEUTRAL = set("nrs vas crs arms all mean score scale change end s reported patient sum total mm cm".split())
"""Parts of a name that do not change what is measured."""
_ALIKE = {
    r"(?:number_of_)?(?:spasm|cramp)s?(?:_number|_count|_frequency)?(?:_per|_a)?_(?:day|daily)": "spasms_per_day",
    r"daily_(?:number_of_)?(?:spasm|cramp)s?(?:_number|_count|_frequency)?": "spasms_per_day",
    r"(?:spasm|cramp)s?_(?:severity|intensity)": "spasm_severity",
}
"""Names that are put together in many ways, and the one of the table."""


@cache
def _patterns() -> tuple[Mapping[str, str], ...]:
    return tuple(rows_of(Path(__file__).with_name("names.tsv")))


@cache
def read_name(text: str, others: tuple[str, ...] = ()) -> Name:
    """What a name says; what it leaves open (its scale, whose responders) is looked up in the entry's `others`."""
    rest, week = text.lower(), None
    if found := re.search(r"_?(?:at_)?(?:week|wk)_?(\d+(?:\.\d+)?)$", rest):
        rest, week = rest[: found.start()], float(found[1])
    whole, kind = rest, ""
    for each, pattern in _KINDS.items():
        if found := re.search(pattern, rest):
            rest, kind = rest[: found.start()], each
            break
    stem = rest if whole == text.lower() else text.lower()
    row = next((row for row in _patterns() if re.search(row["pattern"], rest)), None)
    words, why = (tuple(row["outcome"].split()), "") if row else ((), UNKNOWN)
    if row is not None and row["outcome"] == NOT_MODELLED:
        words, why = (), row["note"]
    if kind == "p":
        why = "only a p value"
    words = tuple(_of_pain(word, rest, others) for word in words)
    top = _top(rest, kind, others, text)
    if words == ("ashworth_total",) and top is not None:
        words = ("ashworth",)  # a sum whose top is known is put on the scale of one item
    better = re.search(r"_(?:reduction|improvement)(?:_|$)", rest)
    percent = bool(better) and (rest.endswith("_pct") or "_pct_" in rest)
    kind = kind or _when(rest) or ("change" if better and not percent else "")
    made = Name(
        text, stem, words, kind=kind, sign=-1.0 if better and not percent else 1.0, top=top, week=week, why=why,
        flipped="higher_better" in rest, at_visits=_at_visits(rest, kind, others, text),
    )  # fmt: skip
    return _modelled(made, rest, percent=percent)


def own_name(name: Name, *, declared: bool) -> Name:
    """The same of an outcome of a user's own file, by the name that it has there.

    One that the file declares is what it says, whatever a pattern of names would make of it.
    """
    made = replace(name, outcomes=(name.stem,), why="" if name.kind != "p" else name.why)
    if declared and name.stem not in outcomes():
        made = replace(made, measure="", not_modelled=NO_MEASURE)
    return made


def with_top(name: Name, top: float) -> Name:
    """The same where its row states the top of its scale."""
    words = ("ashworth",) if name.outcomes == ("ashworth_total",) else name.outcomes
    return replace(name, top=top, outcomes=words, not_modelled="" if name.measure else name.not_modelled)


def _of_pain(word: str, rest: str, others: Iterable[str]) -> str:
    """Responders without a named symptom are those of the trial's subject: pain where it measures no spasticity."""
    if not re.match(r"responders_\d", rest) or f"pain_{word}" not in outcomes():
        return word
    siblings = " ".join(others).lower()
    is_pain = "pain" in siblings and not re.search(r"spastic|stiff|ashworth|nrs", siblings)
    return f"pain_{word}" if is_pain else word


def _top(rest: str, kind: str, others: Iterable[str], text: str) -> float | None:
    if found := re.search(r"_0_(\d+)(?=_|$)", rest):
        return float(found[1])
    for part in rest.split("_"):
        if part in _TOPS:
            return _TOPS[part]
    tops = {
        top for each in _longer(rest, kind, others, text) if (top := _top(each, "", (), each)) is not None
    }
    return tops.pop() if len(tops) == 1 else None


def _longer(rest: str, kind: str, others: Iterable[str], text: str) -> list[str]:
    """Names that go on where that of a comparison ends: stiffness_between has the scale of stiffness_crs_0_10."""
    if kind not in ("difference", "OR"):
        return []
    return [each.lower() for each in others if each != text and each.lower().startswith(f"{rest}_")]


def _at_visits(rest: str, kind: str, others: Iterable[str], text: str) -> bool:
    names = [rest, *(_longer(rest, kind, others, text) if not re.search(r"_0_\d+(?:_|$)", rest) else ())]
    return any({"crs", "vas"} & set(each.split("_")) for each in names)


def _when(rest: str) -> str:
    return next((kind for kind in ("change", "end") if re.search(rf"(?:^|_){kind}(?:_|$)", rest)), "")


# -- what virtual trials measure -------------------------------------------------------------------
def _modelled(made: Name, rest: str, *, percent: bool) -> Name:
    """The same with its measure, or why virtual trials have none."""
    if made.kind == "p":
        return replace(made, not_modelled=P_ALONE)
    void = (each for each in table("void") if re.search(rf"(?:^|_){re.escape(each.word)}(?:_|$)", rest))
    if why := next((each.note for each in void), ""):
        return replace(made, not_modelled=why)
    if (exact := find("measure", rest)) and exact.word == rest:
        return _named(made, exact.means, exact.note, rest)
    if found := re.search(r"_(?:since|from)_screening", rest):
        rest, made = rest.replace(found[0], ""), replace(made, since_screening=True)
    if found := re.search(r"(?:^|_)responders?_(\d+(?:\.\d+)?)(?:_?pct|_?percent)?$", rest):
        rest, made = rest[: found.start()], replace(made, falls_by_pct=float(found[1]))
        if not rest.strip("_"):
            return replace(made, measure=RELIEF)
    if percent:
        return replace(made, not_modelled="a change in percent is on no scale of the model")
    rest = re.sub(r"_(?:pct|percent)$", "", rest)  # dizziness_pct: 14
    whole = re.sub(r"_(?:reduction|improvement|higher_better)(?=_|$)", "", rest)
    base = re.sub(r"_0_\d+(?=_|$)", "", whole)
    name = "_".join(part for part in base.split("_") if part not in _NEUTRAL)
    name = next((usual for pattern, usual in _ALIKE.items() if re.fullmatch(pattern, name)), name)
    exact = next((each for each in table("measure") if each.word == name), None)
    return _named(made, *((exact.means, exact.note) if exact else (NOT_MODELLED, NO_MEASURE)), rest)


def _named(made: Name, means: str, note: str, rest: str) -> Name:
    if means == NOT_MODELLED:
        return replace(made, not_modelled=note)
    why = ""
    if means == "ashworth" and made.top is None and {"sum", "total"} & set(rest.split("_")):
        why = "a total whose top is not stated cannot be put on the mean item's scale"
    return replace(made, measure=means, not_modelled=why)


def is_share(name: Name, known: Mapping[str, Outcome]) -> bool:
    """Whether it happens to somebody or does not."""
    if name.falls_by_pct is not None or name.measure in SHARES:
        return True
    return any(known[word].kind == "share" for word in name.outcomes if word in known)

"""Sizes of an effect that a text states, and whether the evidence behind a claim gives them.

>>> [each.text for each in sizes("It halves spasms in 7 of 10 patients")]
['halves', '7 of 10']
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

from lissive.evidence.answer import answer_of, by_rule
from lissive.evidence.claim import Claim
from lissive.evidence.claim_fit import Limit
from lissive.evidence.claim_words import named_products
from lissive.evidence.read import shipped_studies
from lissive.evidence.words import product_label, products, table

_WORDS = "a one two three four five six seven eight nine ten twelve twenty hundred".split()
_NUMBERS = dict(zip(_WORDS, (1, *range(1, 11), 12, 20, 100), strict=True)) | {"an": 1, "a hundred": 100}
_N = rf"(?:\d+(?:\.\d+)?|a hundred|an|{'|'.join(_WORDS)})"
_PERCENT = re.compile(
    r"(\d+(?:\.\d+)?)(?:\s*(?:-|–|to|and|%)\s*(\d+(?:\.\d+)?))?\s?(?:%|per ?cents?\b)"
    r"(?! (?:\w+ )?(?:thc|cbd|oil|cream))"
)
_OF = re.compile(
    rf"\b({_N}) (?:\w+ )?(?:in|of|out of)(?: every| the)? ({_N})\b"
    r"(?! (?:minutes?|hours?|days?|weeks?|months?|years?)\b)"
)
_POINTS = re.compile(rf"\b({_N}) points?\b")
_SHARE = re.compile(
    r"(?: of)?(?: all| the| my| our| these)?(?: \w+){0,2}? "
    r"(?:patients?|people|users?|participants?|sufferers|those|respond)"
)
_CONTROL = re.compile(r"(?: \w+){0,3} (?:placebo|control|dummy)")
_BY = re.compile(r"\b(?:by|in|cuts?|to) (?:about |around |over |more than |up to |nearly |almost )?$")
_LESS = re.compile(r" (?:less|fewer|lower|reduction|drop|decrease|fall|decline|improvement)")
_OWN = ("points", "control")
"""What only a size of the same kind is compared with."""
_NEAR, _NEAR_WORD, _NEAR_POINTS = 1.0, 2.5, 0.1
"""How far a percentage, a fraction in words and points may be from what the evidence gives."""


class Size(NamedTuple):
    """One size in a text. No `percent`: a word without a number. `of`: share, control, less, points, or not known."""

    text: str
    percent: tuple[float, ...] = ()
    near: float = _NEAR
    of: str = ""


class Given(NamedTuple):
    """One size that the evidence gives: per cent (or points) with the drug, and its words."""

    percent: tuple[float, ...]
    of: str
    text: str
    responders: bool = False
    """Whether it is of people who had answered to the drug."""


@cache
def _table() -> tuple[tuple[re.Pattern[str], tuple[float, ...]], ...]:
    return tuple(
        (re.compile(row["pattern"]), (float(row["percent"]),) if row["percent"] else ())
        for row in table("claim_sizes")
    )


def sizes(text: str) -> tuple[Size, ...]:
    """The sizes of an effect that a text states, in order; doses, strengths and times are none."""
    folded = " ".join(text.lower().replace("’", "'").split())
    found: list[tuple[int, Size]] = []
    for each in _PERCENT.finditer(folded):
        ends = tuple(float(end) for end in each.groups() if end)
        found.append((each.start(), Size(each.group(), ends, _NEAR, _of(folded, *each.span()))))
    for each in _OF.finditer(folded):
        part, whole = (_number(end) for end in each.groups())
        if whole >= max(2, part):
            found.append((each.start(), Size(each.group(), (100 * part / whole,), _NEAR_WORD, "share")))
    found += [
        (each.start(), Size(each.group(), (_number(each.group(1)),), _NEAR_POINTS, "points"))
        for each in _POINTS.finditer(folded)
    ]
    for pattern, percent in _table():
        for each in pattern.finditer(folded):
            of = _of(folded, *each.span()) if percent else ""
            found.append((each.start(), Size(each.group(), percent, _NEAR_WORD, of)))
    return tuple(size for _, size in sorted(found, key=lambda each: each[0]))


def _number(word: str) -> float:
    return float(_NUMBERS[word]) if word in _NUMBERS else float(word)


def _of(text: str, start: int, end: int) -> str:
    """What a percentage is of, by the words about it: a share of people, or less of a symptom."""
    after = text[end : end + 40]
    if _CONTROL.match(after):
        return "control"
    if _SHARE.match(after):
        return "share"
    is_less = _BY.search(text[:start]) or _LESS.match(after) or text[start:end].startswith("halv")
    return "less" if is_less else ""


@cache
def given_sizes(claim: Claim, product: str | None = None) -> tuple[Given, ...]:
    """The sizes that the evidence gives for a claim, of one product where one is named: of its key numbers, and of
    what can be pooled."""
    return (*_of_numbers(claim, product), *_of_pools(claim, product))


def _of_numbers(claim: Claim, product: str | None) -> Iterator[Given]:
    names = {*re.findall(r"\w{3,}", product_label(product or ""))} - {"oral", "cannabis", "mouth"}
    for number in claim.numbers:
        values = number.value if isinstance(number.value, tuple) else (number.value,)
        ends = [float(each) for each in values if isinstance(each, int | float)]
        what = number.what
        if not ends or re.search("interval|adverse|discontinued|stopped", what):
            continue
        if product is not None and not any(name in what for name in names):
            continue
        words, chosen = f"{what}: {', '.join(f'{each:g}' for each in ends)}", "respon" in what
        if "per cent of placebo" in what:
            yield Given((100 - ends[0],), "less", words)
        elif "per cent" in what and re.search(r"\bfewer|\bless\b|reduc", what):
            yield Given(tuple(ends), "less", words, chosen)
        elif "per cent" in what:
            yield Given(tuple(ends[:1]), "share", words, chosen)
            yield Given(tuple(ends[1:2]), "control", words, chosen)
        elif "a day" in what and len(ends) == 2:
            yield Given((100 * (1 - min(ends) / max(ends)),), "less", words)
        elif re.search(r"points|mean difference", what):
            yield Given((abs(ends[0] - ends[-1]) if len(ends) == 2 else abs(ends[0]),), "points", words)


def _of_pools(claim: Claim, product: str | None) -> Iterator[Given]:
    studies = shipped_studies()
    for answer in by_rule(claim, studies):
        if product in products() and answer.outcome.better == "higher":
            answer = answer_of(studies, answer.outcome.word, cause=answer.cause or None, product=product)
        for one in answer.by_design:
            if one.absolute is None or answer.outcome.better != "higher":
                continue
            chosen = one.design in ("enriched", "withdrawal")
            who = "in people who had answered to the drug" if chosen else f"in {one.design} trials"
            active, control = 100 * one.absolute.risk, 100 * one.absolute.baseline
            words = f"{answer.outcome.label}, {who}: {active:.0f} % with the drug and {control:.0f} % with placebo"
            yield Given((active,), "share", words, chosen)
            yield Given((control,), "control", words, chosen)


def size_limits(claim: Claim, text: str) -> list[Limit]:
    """What the evidence says to the sizes that a text states: not shown where it does not give one of them, the claim's
    own verdict where it gives them all; nothing where the text states none."""
    stated = sizes(text)
    if not stated:
        return []
    named = named_products(text) or (None,)
    given = [each for product in named for each in given_sizes(claim, product)]
    of_responders = re.search(r"\brespon", text.lower()) is not None
    usable = [each for each in given if of_responders or not each.responders]
    missing = [each.text for each in stated if not any(_is(each, one) for one in usable)]
    if not missing:
        same = [one.text for one in usable if any(_is(each, one) for each in stated)]
        return [Limit(claim.verdict, f"The size: {'; '.join(dict.fromkeys(same))}.")]
    has = (
        f"It gives: {'; '.join(dict.fromkeys(each.text for each in given))}."
        if given
        else "It gives no such figure."
    )
    return [Limit("not_shown", f"The evidence does not give the size “{'”, “'.join(missing)}”. {has}")]


def _is(size: Size, one: Given) -> bool:
    if not size.percent or (size.of and one.of != size.of) or (one.of in _OWN and one.of != size.of):
        return False
    return bool(one.percent) and all(
        any(abs(each - value) <= size.near for value in one.percent) for each in size.percent
    )

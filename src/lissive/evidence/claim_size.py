"""Sizes of an effect that a text states, and whether the evidence behind a claim gives them.

>>> [each.text for each in sizes("It halves spasms in 7 of 10 patients")]
['halves', '7 of 10']
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import NamedTuple

from lissive.evidence.answer import by_rule
from lissive.evidence.claim import Claim
from lissive.evidence.claim_fit import Limit
from lissive.evidence.read import shipped_studies

_NUMBERS = dict(
    zip("one two three four five six seven eight nine ten twelve twenty".split(), [*range(1, 11), 12, 20], strict=True)
) | {"hundred": 100, "a hundred": 100, "a": 1, "an": 1}
_N = r"(?:\d+(?:\.\d+)?|an?|one|two|three|four|five|six|seven|eight|nine|ten|twelve|twenty|(?:a )?hundred)"
_PERCENT = re.compile(
    r"(\d+(?:\.\d+)?)(?:\s*(?:-|–|to|and|%)\s*(\d+(?:\.\d+)?))?\s?(?:%|per ?cents?\b)(?! (?:\w+ )?(?:thc|cbd|oil|cream))"
)
_OF = re.compile(
    rf"\b({_N}) (?:\w+ )?(?:in|of|out of)(?: every| the)? ({_N})\b(?! (?:minutes?|hours?|days?|weeks?|months?|years?)\b)"
)
_PARTS: Mapping[str, float] = {
    r"\bhal(?:f|ves?|ved|ving)\b(?! (?:an? )?(?:hour|gumm|joint|dose|pill|tablet|gram|day|year|way|asleep))": 50,
    r"\b(?:two|2).thirds?\b": 66.7,
    r"(?<!two )(?<!two-)\b(?:a|one) third\b": 33.3,
    r"\b(?:three|3).quarters?\b": 75,
    r"(?<!three )(?<!three-)\b(?:a|one) quarter\b": 25,
}
_WORDS = re.compile(
    r"\b(?:(?:almost|nearly|virtually|practically|basically) (?:all|every\w*|any\w*|always|no\b|none|gone)|hardly any(?:one|body)?"
    r"|(?:vast |great |overwhelming )?majority|most (?:\w+ ){0,2}(?:people|patients|users|cases|of|sufferers|men|women)|in most\b"
    r"|most (?:\w+ )?(?:with|who)|(?:two|three|four|five|six|ten|several|many|\d+)(?:fold|-fold| times| ?x\b)|twofold|manifold"
    r"|twice|doubl\w+|tripl\w+|quadrupl\w+|dramatic\w*|massive\w*|huge\w*|drastic\w*|enormous\w*|tremendous\w*"
    r"|vastly|immense\w*|radical\w*|substantial\w*|striking\w*|great(?:ly| deal)|remarkabl\w+|extreme\w* (?:well|effective)"
    r"|(?:highly|very|extremely|incredibly|hugely|most) (?:effective|efficacious|successful|helpful)|powerful\w*|instant\w*"
    r"|reliabl[ey]|consistent\w*|without (?:exception|fail)|a lot\b|big (?:difference|effect|improvement|reduction|drop)"
    r"|large (?:effect|reduction|improvement|drop)|wonders\b|amazing\w*|incredibl[ey]|like magic|unlimited|normal again"
    r"|instead of (?:\d+|two|three|four|five|six|seven|eight|nine|ten|twelve|twenty|thirty|dozens?))\b"
)
_SMALLER = re.compile(r"\b(?:less|fewer|lower|reduc\w+|decreas\w+|drop\w*|fall\w*|fell|cuts?|down|by|halv\w+|improve\w*)\b")
_PEOPLE = re.compile(r"\b(?:patients?|people|users?|participants?|sufferers|those|of (?:us|them)|respond\w*|everyone|persons?)\b")
_POINTS = re.compile(rf"\b({_N})(?:\.\d+)? points?\b")
_NEAR, _NEAR_WORD = 1.0, 2.5
"""How far, in percentage points, a percentage and a fraction in words may be from what the evidence gives."""


class Size(NamedTuple):
    """One size in a text. `percent` is None of a word without a number; `of` is share, less, points or empty."""

    text: str
    percent: tuple[float, ...] = ()
    near: float = _NEAR
    of: str = ""


class Given(NamedTuple):
    """One size that the evidence gives: per cent with the drug, and its words."""

    percent: tuple[float, ...]
    of: str
    text: str
    responders: bool = False
    """Whether it is of people who had answered to the drug."""


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
    for pattern, percent in _PARTS.items():
        found += [
            (each.start(), Size(each.group(), (percent,), _NEAR_WORD, _of(folded, *each.span())))
            for each in re.finditer(pattern, folded)
        ]
    found += [(each.start(), Size(each.group())) for each in _WORDS.finditer(folded)]
    found += [
        (each.start(), Size(each.group(), (_number(each.group(1)),), 0.1, "points")) for each in _POINTS.finditer(folded)
    ]
    return tuple(size for _, size in sorted(found, key=lambda each: each[0]))


def _number(word: str) -> float:
    return float(_NUMBERS[word]) if word in _NUMBERS else float(word)


def _of(text: str, start: int, end: int) -> str:
    """What a percentage is of, by the words about it: a share of people, or less of a symptom."""
    after = text[end : end + 40]
    if re.match(r"(?: of)?(?: all| the| my| our| these)?(?: \w+){0,2}? (?:patients?|people|users?|participants?|sufferers|those|respond)", after):
        return "share"
    if re.search(r"\b(?:by|in|cuts?|to) (?:about |around |over |more than |up to |nearly |almost )?$", text[:start]) or re.match(
        r" (?:less|fewer|lower|reduction|drop|decrease|fall|decline|improvement)", after
    ):
        return "less"
    return "less" if text[start:end].startswith("halv") else ""


@cache
def given_sizes(claim: Claim) -> tuple[Given, ...]:
    """The sizes that the evidence gives for a claim: of its key numbers, and of what can be pooled, as per cent."""
    return (*_of_numbers(claim), *_of_pools(claim))


def _of_numbers(claim: Claim) -> Iterator[Given]:
    for number in claim.numbers:
        values = number.value if isinstance(number.value, tuple) else (number.value,)
        ends = [float(each) for each in values if isinstance(each, int | float)]
        words = f"{number.what}: {', '.join(f'{each:g}' for each in ends)}"
        chosen = "respond" in number.what
        if not ends or "interval" in number.what:
            continue
        if "per cent of placebo" in number.what:
            yield Given((100 - ends[0],), "less", words)
        elif "per cent" in number.what and re.search(r"\bfewer|\bless\b|reduc", number.what):
            yield Given(tuple(ends), "less", words, chosen)
        elif "per cent" in number.what:
            yield Given(tuple(ends[:1]), "share", words, chosen)
        elif "a day" in number.what and len(ends) == 2:
            yield Given((100 * (1 - min(ends) / max(ends)),), "less", words)
        elif re.search(r"points|difference", number.what):
            yield Given((abs(ends[0] - ends[1]) if len(ends) == 2 else abs(ends[0]),), "points", words)


def _of_pools(claim: Claim) -> Iterator[Given]:
    for answer in by_rule(claim, shipped_studies()):
        for one in answer.by_design:
            if one.absolute is None:
                continue
            control, active = 100 * one.absolute.baseline, 100 * one.absolute.risk
            chosen = one.design in ("enriched", "withdrawal")
            who = "in people who had answered to the drug" if chosen else f"in {one.design} trials"
            words = f"{answer.outcome.label.lower()}, {who}: {active:.0f} % with the drug and {control:.0f} % with placebo"
            yield Given((active,), "share", words, chosen)


def size_limits(claim: Claim, text: str) -> list[Limit]:
    """Why the sizes that a text states are not given by the evidence; none where it states none, or all are given."""
    stated = sizes(text)
    if not stated:
        return []
    given = given_sizes(claim)
    of_responders = re.search(r"\brespon", text.lower()) is not None
    usable = [each for each in given if of_responders or not each.responders]
    missing = [each.text for each in stated if not any(_is(each, one) for one in usable)]
    if not missing:
        return []
    has = f"What it gives: {'; '.join(each.text for each in given)}." if given else "It gives no figure of that kind."
    return [Limit("not_shown", f"The evidence does not give the size “{'”, “'.join(missing)}”. {has}")]


def _is(size: Size, one: Given) -> bool:
    if not size.percent or (size.of and one.of != size.of):
        return False
    return all(any(abs(each - value) <= size.near for value in one.percent) for each in size.percent)

"""The claims that answer a text in plain words, or none: a text is never answered by a weaker or neighbouring claim.

>>> [match.claim.id for match in matches("cannabis protects nerve cells")]
['neuroprotection']
>>> matches("marijuana cures cancer")
[]

Two steps. What a text asserts beyond its subject (a cure, a replacement, safety, a product, a condition) are its marks
(claim_marks.tsv); only claims that are about all of them can answer it. Among those the most similar in wording is
taken: synonyms are merged by synonyms.tsv, words count the more, the fewer claims they stand in. Nothing is learned.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from lissive.errors import EvidenceError
from lissive.evidence.claim import Claim, shipped_claims
from lissive.evidence.words import NOT_USED, causes, table
from lissive.given import text_of

_LEAST, _LEAST_FAVOURABLE, _BESIDE = 0.3, 0.5, 0.75
"""Share of what was asked that a claim has to have in common with it; more, where its verdict is favourable; and the
share of the best one's to stand beside it."""
_NAMED = 0.3
"""Added to the similarity where the claim is about what the text names, in proportion to the marks."""
_COVERED = 0.2
"""Added in proportion to the words of the claim that are in the text: one that says more than was asked is further."""
_FAVOURABLE = ("supported", "partly")
_NOT = re.compile(r"\b(?:not|no|never|nobody|none|cannot|without|neither|hardly|n't)\b|n't\b|\bfew\b")
_COMMON = {"relief", "causal", "cannabinoid"}
"""Marks that any claim may answer that does not bar them."""
_STATED_OTHERWISE = ("failed", "cbd")
"""Marks with words of denial that deny nothing of a cannabinoid: other drugs that did not work, CBD without THC."""


@dataclass(frozen=True)
class Match:
    """A claim that answers a text."""

    claim: Claim
    similarity: float
    """From 0 on; 1 is all of the wording."""
    opposed: bool
    """Whether the text seems to say the opposite of the claim: one of them is a denial."""

    def to_json(self) -> dict[str, Any]:
        return {**self.claim.to_json(), "similarity": self.similarity, "opposed": self.opposed}


@cache
def _patterns() -> tuple[tuple[str, re.Pattern[str]], ...]:
    return tuple((row["mark"], re.compile(row["pattern"])) for row in table("claim_marks"))


def marks_of(text: str) -> frozenset[str]:
    """What a text asserts or names beyond its subject.

    >>> sorted(marks_of("It replaces baclofen"))
    ['baclofen', 'replace']
    """
    folded = " ".join(text.lower().replace("’", "'").split())
    return frozenset(mark for mark, pattern in _patterns() if pattern.search(folded))


def _may_answer(claim: Claim, marks: frozenset[str]) -> bool:
    if marks & set(claim.bars):
        return False
    named = marks & set(causes())
    about = marks - named - _COMMON
    if about - {*claim.marks, *claim.needs} or (claim.needs and not marks & set(claim.needs)):
        return False
    return not named or not claim.causes or named <= {*claim.causes, *claim.marks, *claim.needs}


def matches(text: str, claims: Sequence[Claim] | None = None) -> list[Match]:
    """Claims that answer a text, the most similar first; none where none does."""
    text = text_of("text", text, wrong=EvidenceError, example="cannabis heals MS")
    every = shipped_claims() if claims is None else claims
    asked, marks = concepts(text), marks_of(text)
    texts = [(concepts(f"{each.claim} {each.id.replace('_', ' ')}"), concepts(each.answer)) for each in every]
    weight = {
        word: math.log((1 + len(every)) / (0.5 + sum(word in title for title, _ in texts))) for word in asked
    }
    total = sum(weight.values())
    found = []
    for claim, (title, more) in zip(every, texts, strict=True):
        if not _may_answer(claim, marks) or not (asked & title or marks & set(claim.needs)):
            continue
        shared = sum(weight[word] * (1.0 if word in title else 0.6) for word in asked & (title | more))
        named = len(marks & {*claim.needs, *claim.causes})
        score = (shared / total if total else 0.0) + _NAMED * named / max(1, len(marks - _COMMON))
        covered = len(asked & title) / max(1, len(title))
        least = _LEAST_FAVOURABLE if claim.verdict in _FAVOURABLE else _LEAST
        if score >= least:
            found.append(Match(claim, score + _COVERED * covered, _denies(text) != _denies(claim.claim)))
    best = max((each.similarity for each in found), default=0.0)
    near = [each for each in found if each.similarity >= _BESIDE * best]
    return sorted(near, key=lambda each: -each.similarity)


def _denies(text: str) -> bool:
    """Whether a text is a denial."""
    rest = text.lower().replace("’", "'")
    for mark, pattern in _patterns():
        if mark in _STATED_OTHERWISE and not pattern.pattern.startswith("^"):
            rest = pattern.sub(" ", rest)
    if any(mark == "failed" and pattern.search(rest) for mark, pattern in _patterns()):
        return False
    return bool(_NOT.search(rest))


@cache
def concepts(text: str) -> frozenset[str]:
    """What the words of a text stand for, without those that say nothing here."""
    means = {row["word"]: row["means"] for row in table("synonyms")}
    found: set[str] = set()
    for word in re.findall(r"[a-z]+", text.lower().replace("anti-", "anti").replace("neuro-", "neuro")):
        meaning = means.get(word) or means.get(_stem(word)) or _stem(word)
        found.update(part for part in meaning.split() if part != NOT_USED)
    return frozenset(found)


def _stem(word: str) -> str:
    """Without the usual endings.

    >>> _stem("protects"), _stem("protective"), _stem("cells")
    ('protect', 'protect', 'cell')
    """
    for ending in ("ations", "ation", "ives", "ive", "ions", "ion", "ing", "ers", "er", "ed", "es", "s"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word.removesuffix(ending)
    return word

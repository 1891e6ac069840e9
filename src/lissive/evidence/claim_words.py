"""The words of a text: what they stand for (synonyms.tsv) and what they assert (claim_marks.tsv).

>>> sorted(concepts("Weed loosens my legs")), sorted(marks_of("It replaces baclofen"))
(['stiff'], ['baclofen', 'replace'])
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache

from lissive.evidence.claim import Claim
from lissive.evidence.words import NOT_USED, table

_BARE = r"\bthc\b"
"""A product only where no other is named: THC is in all of them."""
_OF_CLAIMS = ("topical", "edible")
"""Products that claims are about."""
SYMPTOMS = frozenset({"spasm", "stiff", "pain", "sleep", "inflam"})
"""What the words of a symptom stand for."""
_DOUBLING = re.compile(r"[^aeiou][aeiou][^aeiouwxy]")
_PLACES = {"US", "UK", "EU", "NY", "OK"}
"""Two capital letters that name no condition."""
_ADVERB = re.compile(r"[a-z]{5,}ly$")
"""A word that says how, unless the table knows it."""
TREATMENTS = {
    "cannabinoid",
    "baclofen",
    "tizanidine",
    "gabapentin",
    "mexiletine",
    "botulinum",
    "opioid",
    "homeopathy",
}
OTHER_DRUGS = {"painkiller", "other_remedy", "usual_drugs", "other_condition"}
"""Marks of drugs, remedies and conditions that no claim is about."""


@cache
def patterns() -> tuple[tuple[str, re.Pattern[str]], ...]:
    return tuple((row["mark"], re.compile(row["pattern"])) for row in table("claim_marks"))


def marks_of(text: str) -> frozenset[str]:
    """What a text asserts or names beyond its subject.

    >>> sorted(marks_of("It replaces baclofen"))
    ['baclofen', 'replace']
    """
    return frozenset(marked(text))


def marked(text: str) -> dict[str, frozenset[str]]:
    """Each mark of a text, with the concepts of the words that stand for it."""
    folded = " ".join(text.lower().replace("’", "'").split())
    found: dict[str, frozenset[str]] = {}
    for mark, pattern in patterns():
        if (match := pattern.search(folded)) is not None:
            words = "" if ".*" in pattern.pattern else _whole(folded, *match.span())
            found[mark] = found.get(mark, frozenset()) | concepts(words)
    return found


def _whole(text: str, start: int, end: int) -> str:
    """The words of a text that a stretch of it touches."""
    return text[text.rfind(" ", 0, start) + 1 : end] + re.split(r"[^a-z]", text[end:], maxsplit=1)[0]


@cache
def _means() -> Mapping[str, str]:
    """Word to what it stands for."""
    return {word: row["means"] for row in table("synonyms") for word in row["words"].split()}


@cache
def known_concepts() -> frozenset[str]:
    """What any word of the table stands for: an effect, a condition or a drug."""
    return frozenset(part for meaning in _means().values() for part in meaning.split())


@cache
def _phrases() -> tuple[tuple[re.Pattern[str], str], ...]:
    return tuple((re.compile(row["pattern"]), row["words"]) for row in table("phrases"))


def _folded(text: str) -> str:
    """In small letters, with phrases put as the word that they stand for (phrases.tsv)."""
    folded = text.lower()
    for pattern, words in _phrases():
        folded = pattern.sub(words, folded)
    return folded


@cache
def concepts(text: str) -> frozenset[str]:
    """What the words of a text stand for, without those that say nothing here."""
    means = _means()
    found: set[str] = set()
    for word in re.findall(r"[a-z]+", _folded(text)):
        meaning = (
            means.get(word) or means.get(_stem(word)) or (NOT_USED if _ADVERB.match(word) else _stem(word))
        )
        found.update(part for part in meaning.split() if part != NOT_USED)
    return frozenset(found)


@cache
def _own_words(text: str) -> frozenset[str]:
    words = re.findall(r"[a-z]+", text.lower())
    return frozenset(words).union(map(_stem, words))


@cache
def _products() -> tuple[tuple[str, re.Pattern[str]], ...]:
    return tuple((row["product"], re.compile(row["named"])) for row in table("product_names"))


def named_products(text: str) -> tuple[str, ...]:
    """The products that a text names; none where it speaks of cannabis or cannabinoids as such.

    >>> named_products("Marinol eases stiffness"), named_products("marijuana eases stiffness")
    (('dronabinol',), ())
    """
    folded = " ".join(text.lower().replace("’", "'").split())
    found = [(word, pattern) for word, pattern in _products() if pattern.search(folded)]
    clear = dict.fromkeys(word for word, pattern in found if not pattern.pattern.startswith(_BARE))
    return tuple(clear or dict.fromkeys(word for word, _ in found))


@cache
def frame(name: str) -> frozenset[str]:
    """The words of one frame of claim_frames.tsv."""
    return frozenset(
        word for row in table("claim_frames") if row["frame"] == name for word in row["words"].split()
    )


def without_marks(text: str, marks: set[str]) -> str:
    """A text without the words of some marks, and without names of products."""
    folded = _without_products(" ".join(text.lower().replace("’", "'").split()))
    for mark, pattern in patterns():
        if mark in marks and ".*" not in pattern.pattern:
            folded = re.sub(rf"\w*(?:{pattern.pattern})\w*", " ", folded)
    return folded


def without_products_of_no_claim(text: str) -> str:
    """A text without the names of products that no claim is about, which say nothing of its effect."""
    for word, pattern in _products():
        text = text if word in _OF_CLAIMS else pattern.sub(" ", text.lower())
    return text


def _without_products(text: str) -> str:
    for _, pattern in _products():
        text = pattern.sub(" ", text)
    return text


def strange(text: str, claim: Claim) -> bool:
    """Whether a text has a word that neither the tables nor the claim knows: it may be another condition or drug."""
    own, means = _own_words(f"{claim.claim} {claim.answer} {claim.id.replace('_', ' ')}"), _means()
    return _has_strange_letters(text) or any(
        len(word) > 1 and not {*_forms(word)} & {*means, *own} and not marks_of(word)
        for word in re.findall(r"[a-z]+", _without_products(text.lower()))
    )


def _has_strange_letters(text: str) -> bool:
    """Whether two capital letters in a text of small ones stand for something unknown, as AS does for spondylitis."""
    found = {*re.findall(r"(?<![\w.-])[A-Z]{2}(?![\w.-])", text)} if re.search(r"[a-z]{2}", text) else set()
    return any(not marks_of(each) for each in found - _PLACES)


def known_words() -> frozenset[str]:
    """Every word of the table of synonyms."""
    return frozenset(_means())


@cache
def is_known(word: str) -> bool:
    """Whether a word, or its stem, is in the tables or asserts or names something by itself."""
    known = {*_means(), *frame("subject"), *frame("helping"), *frame("slot")}
    return bool({*_forms(word)} & known) or bool(marks_of(word)) or bool(named_products(word))


def _forms(word: str) -> Iterator[str]:
    """A word, its stem, and what an adverb is made of; no stem of three letters that would double its last one.

    >>> list(_forms("easing")), list(_forms("cutes")), "gradual" in _forms("gradually")
    (['easing', 'eas'], ['cutes'], True)
    """
    yield word
    stem = _stem(word)
    if stem != word and (len(stem) > 3 or not (word.endswith("s") or _DOUBLING.fullmatch(stem))):
        yield stem
    if _ADVERB.match(word):
        base = word.removesuffix("ly")
        yield from (base, _stem(base), f"{base}e", f"{base}le", f"{base}l")
        yield from (base.removesuffix("al"), f"{base.removesuffix('i')}y")


def _stem(word: str) -> str:
    """Without the usual endings.

    >>> _stem("protects"), _stem("protective"), _stem("cells")
    ('protect', 'protect', 'cell')
    """
    for ending in ("ations", "ation", "ives", "ive", "ions", "ion", "ing", "ers", "er", "ed", "es", "s"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word.removesuffix(ending)
    return word

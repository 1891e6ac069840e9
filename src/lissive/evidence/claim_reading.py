"""A text as it is read before it is matched: words of chat, lay names and brands (lay_words.tsv), typing errors.

>>> read_as("canabis for wry neck").text
'cannabis for torticollis'

A word that nothing here knows is read as a word of the tables that is one edit away (two in words of 9 letters or
more): a letter missing, added or changed, or two letters swapped. It is left as it is where two such words differ in
meaning, and is read as the name of a drug or a condition only from one edit away and with 6 letters or more. An edit is
the restricted Damerau-Levenshtein one (optimal string alignment).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

from lissive.evidence.claim import shipped_claims
from lissive.evidence.claim_words import (
    OTHER_DRUGS,
    TREATMENTS,
    concepts,
    frame,
    is_known,
    known_words,
    marks_of,
)
from lissive.evidence.words import causes, table

_NAME, _FAR = 6, 9
"""Letters from which a word may be read as a name, and from which two edits are allowed."""
_PAIRS = frozenset({"sz", "zs", "ck", "kc", "iy", "yi"})
"""Letters that sound alike; others are changed only in words of `_NAME` letters or more."""

_SPELLING = "spelling"
"""Note of rows of lay_words.tsv that are misspelt words, further from what is meant than an edit."""


class Corrected(NamedTuple):
    """A word that was read as another."""

    said: str
    read_as: str


class Reading(NamedTuple):
    """A text as it is matched, and the words in it that were corrected."""

    text: str
    corrected: tuple[Corrected, ...] = ()


@cache
def _lay_words(is_spelling: bool) -> tuple[tuple[re.Pattern[str], str], ...]:
    rows = (row for row in table("lay_words") if (row["note"] == _SPELLING) is is_spelling)
    return tuple((re.compile(row["pattern"], re.IGNORECASE), row["words"]) for row in rows)


def read_as(text: str) -> Reading:
    """A text with its typing errors corrected, and its words of chat and lay names put as the tables have them.

    >>> read_as("ur spazms: cannibis for myotonia").corrected
    (Corrected(said='spazms', read_as='spasms'), Corrected(said='cannibis', read_as='cannabis'))
    """
    found: list[Corrected] = []

    def right(word: re.Match[str]) -> str:
        usual = (words for pattern, words in _lay_words(True) if pattern.fullmatch(word.group()))
        meant = next(usual, "") or corrected(word.group().lower())
        if not meant:
            return word.group()
        if word.group().lower() not in (
            f"{meant}s",
            meant.removesuffix("s"),
        ):  # a form of the word is no error
            found.append(Corrected(word.group(), meant))
        return meant

    spelled = re.sub(r"(?<![\w'])[A-Za-z]{4,}(?![\w'])", right, text.replace("’", "'"))
    return Reading(_put(spelled), tuple(dict.fromkeys(found)))


def _put(text: str) -> str:
    for pattern, words in _lay_words(False):
        text = pattern.sub(words, text)
    return text


@cache
def corrected(word: str) -> str:
    """The word that a misspelt one is read as; empty where it is known, or nothing is near enough.

    >>> corrected("endocanabinoid"), corrected("myotonia"), corrected("stoke")
    ('endocannabinoid', '', '')
    """
    if is_known(word) or word in _vocabulary() or word in frame("own") or _put(word) != word:
        return ""
    most = 2 if len(word) >= _FAR else 1
    near: list[tuple[int, bool, str]] = []
    for each in _vocabulary():
        if each[0] == word[0] and abs(len(each) - len(word)) <= most:
            edits = _edits(word, each)
            near += [(edits, not _is_slip(word, each), each)] if edits <= most else []
    able = [each for each in near if _may_be(word, each[2], each[0])]
    if not able:
        return ""
    first = min(each[:2] for each in able)
    best = [each[2] for each in able if each[:2] == first]
    if len({_meaning(each) for each in best}) > 1:
        return ""
    return "" if _means_nothing(best[0]) and _is_unsure(first, near) else best[0]


def _is_unsure(first: tuple[int, bool], near: Sequence[tuple[int, bool, str]]) -> bool:
    """Whether a word that says nothing is no safe reading: another one means something, or is as near."""
    others = [each for each in near if each[0] <= 1]
    is_same = len([each for each in others if first[1] or not each[1]]) == 1
    return not is_same or any(not _means_nothing(each[2]) for each in others)


def _meaning(word: str) -> tuple[frozenset[str], frozenset[str]]:
    return concepts(word), marks_of(word)


def _means_nothing(word: str) -> bool:
    return not any(_meaning(word))


def _may_be(word: str, meant: str, edits: int) -> bool:
    if (edits > 1 and _sound(word) != _sound(meant)) or (edits == 1 and not _is_likely(word, meant)):
        return False
    if _is_name(meant):
        return edits == 1 and len(word) >= _NAME
    if _means_nothing(meant):
        is_missing = len(meant) == len(word) + 1 and len(word) >= _NAME - 1 and word[-1] == meant[-1]
        return edits == 1 and len(word) > 4 and (is_missing or _is_slip(word, meant))
    return len(word) >= _NAME or _is_slip(word, meant)


@cache
def _is_name(word: str) -> bool:
    """Whether a word names a drug or a condition."""
    return bool(marks_of(word) & {*causes(), *TREATMENTS, *OTHER_DRUGS})


@cache
def _vocabulary() -> tuple[str, ...]:
    titles = " ".join(f"{each.claim} {each.answer}" for each in shipped_claims()).lower()
    words = {
        *known_words(),
        *frame("subject"),
        *frame("helping"),
        *frame("strong"),
        *re.findall(r"[a-z]+", titles),
    }
    return tuple(sorted(each for each in words if len(each) >= 4))


def _sound(word: str) -> str:
    """The consonants of a word, one for those that sound alike or are doubled.

    >>> _sound("stifnees") == _sound("stiffness"), _sound("contraception") == _sound("contraction")
    (True, False)
    """
    alike = word.replace("ph", "f").translate(str.maketrans("zck", "sss", "aeiouyh"))
    return re.sub(r"(.)\1+", r"\1", alike)


def _is_likely(word: str, meant: str) -> bool:
    """Whether a changed letter is a vowel for a vowel, sounds alike, or is beside the right one on the keyboard."""
    at = [k for k, (said, right) in enumerate(zip(word, meant, strict=False)) if said != right]
    if len(word) != len(meant) or len(at) != 1:
        return True
    said, right = word[at[0]], meant[at[0]]
    return {said, right} <= {*"aeiouy"} or said + right in _PAIRS or right in _beside(said)


@cache
def _beside(letter: str) -> frozenset[str]:
    """The keys beside a letter in its row of the keyboard."""
    rows = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
    row = next((each for each in rows if letter in each), "")
    at = row.find(letter)
    return frozenset(row[max(0, at - 1) : at] + row[at + 1 : at + 2])


def _is_slip(word: str, meant: str) -> bool:
    """Whether the letters are the same but for two swapped, one doubled or not, or one that sounds alike.

    >>> _is_slip("realy", "really"), _is_slip("clamp", "cramp")
    (True, False)
    """
    if re.sub(r"(.)\1+", r"\1", word) == re.sub(r"(.)\1+", r"\1", meant):
        return True
    if len(word) != len(meant):
        return False
    at = [k for k, (said, right) in enumerate(zip(word, meant, strict=True)) if said != right]
    if len(at) == 2 and at[1] == at[0] + 1:
        return word[at[0]] == meant[at[1]] and word[at[1]] == meant[at[0]]
    return len(at) == 1 and word[at[0]] + meant[at[0]] in _PAIRS


def _edits(one: str, other: str) -> int:
    """Letters missing, added, changed or swapped between two words.

    >>> _edits("canabis", "cannabis"), _edits("crmap", "cramp"), _edits("spasm", "spasm")
    (1, 1, 0)
    """
    before, last = list[int](), list(range(len(other) + 1))
    for i, letter in enumerate(one, start=1):
        row = [i]
        for k, right in enumerate(other, start=1):
            cost = min(last[k] + 1, row[-1] + 1, last[k - 1] + (letter != right))
            if i > 1 and k > 1 and letter == other[k - 2] and one[i - 2] == right:
                cost = min(cost, before[k - 2] + 1)
            row.append(cost)
        before, last = last, row
    return last[-1]

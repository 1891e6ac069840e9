"""The claims that answer a text in plain words.

>>> [each.claim.id for each in matches("cannabis protects nerve cells")]
['neuroprotection']

What a text asserts beyond its subject (a cure, a replacement, safety, a product, a condition) are its marks
(claim_marks.tsv); only claims that are about all of them can answer it: never a weaker or neighbouring one. Among
those the most similar in wording is taken: synonyms are merged (synonyms.tsv), words count the more, the fewer claims
they stand in. Nothing is learned.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from lissive.errors import EvidenceError
from lissive.evidence.claim import FAVOURABLE, Claim, shipped_claims
from lissive.evidence.claim_denial import opposes
from lissive.evidence.claim_helped import tells_of_help
from lissive.evidence.claim_reading import read_as
from lissive.evidence.claim_words import (
    SYMPTOMS,
    TREATMENTS,
    concepts,
    frame,
    known_concepts,
    marked,
    marks_of,
    named_products,
    strange,
    without_marks,
    without_products_of_no_claim,
)
from lissive.evidence.words import causes
from lissive.given import text_of

_LEAST, _LEAST_FAVOURABLE, _BESIDE = 0.3, 0.5, 0.75
"""Share of what was asked that a claim has to have in common with it; more, where its verdict is favourable; and the
share of the best one's to stand beside it."""
_NAMED = 0.3
"""Added to the similarity where the claim is about what the text names, in proportion to the marks."""
_COMPLAINT = {"spasm", "stiff", "intense"}
"""What every claim is about, whichever of them it names."""
_COVERED = 0.2
"""Added in proportion to the words of the claim that are in the text: one that says more than was asked is further."""
_PLACEBO = re.compile(
    r"\b(?:(?:superior|better|more effective|more|greater|less|fewer|compared|as|in contrast|relative|versus|vs|"
    r"against) )?"
    r"(?:than|with|on|against|to|versus|vs|over|from)(?: a| the)? (?:placebo|dummy)\w*(?: group)?",
    re.IGNORECASE,
)
"""The comparison that every trial makes, which is no better than another treatment."""
_RELIEF = re.compile(r"\b(?:relie\w+|eased?|better|improv\w*|respon\w+|benefit\w*|help\w*|works?)\b")
EFFECT = re.compile(
    r"\b(?:eas|reliev|reduc|less|loosen|calm|sooth|help|work|improv|decreas|lower|relax|treat|stop|cut|mak|tak|giv|let|"
    r"keep|kill|dull|few|becom|are|is|get|got|felt|feel|had|has|drop|fall|fell|go|went|for|good|against|better)\w*"
)
"""What an effect is told with; before it stands what has it."""
_SLOT = re.compile(
    r"\b(?:spasm|cramp|stiff|spastic|tight|pain)\w* (?:from|after|due to|because of)(?: the| a| an| my)? ([a-z]+)"
)
"""What a symptom comes from."""
_COUNTED = {"frequent"}
"""What a trial of another drug counted, where its claim says only that it helps."""
_SYMPTOM_WORDS = frozenset({*SYMPTOMS, "intense", "frequent"})
_COMMON = {"relief", "causal", "cannabinoid", "inflammatory_cause"}
"""Marks that any claim may answer that does not bar them."""
_STRONGER = {"stop_spasms", "prevent", "everyone", "ends", "relax"}
"""Marks that a claim may answer whose verdict is that not even less is shown, or that it is not so."""
_DETAILS = {"share", "onset", "hoped"}
"""Marks that a claim may answer whose verdict is not favourable."""
_HELD = {"share", "smoked"}
"""Marks that a favourable verdict is held against afterwards: sizes and products (`claim_size`, `claim_fit`)."""
_OTHER = {"other_remedy", "painkiller", "physiotherapy"}
_OF_OTHERS = {"usual_drugs", "opioid"}
_COMPARING = {"cannabinoid", "replace", "superior", "failed"}
"""Marks of treatments that no claim is about, and with which one they are compared with a cannabinoid."""


@dataclass(frozen=True)
class Match:
    """A claim that answers a text."""

    claim: Claim
    similarity: float
    """From 0 on; 1 is all of the wording."""
    opposed: bool
    """Whether the text seems to say the opposite of the claim: one of them is a denial."""
    own_verdict: str
    """Of the claim as worded. `claim` has the verdict on what was asked, which may be less: see `claim_fit`."""

    @property
    def is_less(self) -> bool:
        """Whether the verdict on what was asked is less than the claim's own."""
        return self.claim.verdict != self.own_verdict

    def to_json(self) -> dict[str, Any]:
        more = {"similarity": self.similarity, "opposed": self.opposed, "own_verdict": self.own_verdict}
        return {**self.claim.to_json(), **more}


def _may_answer(claim: Claim, marks: frozenset[str]) -> bool:
    if marks & set(claim.bars) or (marks & _OTHER and not marks & _COMPARING):
        return False
    is_ours = "cannabinoid" in marks or claim.of_other_treatment
    if marks & _OF_OTHERS and not is_ours and not {*claim.needs} & {*_OF_OTHERS, *_COMPARING, "interactions"}:
        return False
    named = marks & set(causes())
    about = marks - named - _COMMON
    about -= _STRONGER if claim.verdict not in FAVOURABLE else set()
    about -= _HELD if claim.verdict in FAVOURABLE else _DETAILS
    if about - {*claim.marks, *claim.needs} or (claim.needs and not marks & set(claim.needs)):
        return False
    return not named or not claim.causes or named <= {*claim.causes, *claim.marks, *claim.needs}


def matches(text: str, claims: Sequence[Claim] | None = None) -> list[Match]:
    """Claims that answer a text, the most similar first; none where none does.

    >>> matches("marijuana cures cancer")
    []
    """
    text = text_of("text", text, wrong=EvidenceError, example="cannabis heals MS")
    every = shipped_claims() if claims is None else claims
    full = text = read_as(text).text
    right = _PLACEBO.sub(" effective ", full)
    asked, stated = (
        concepts(without_products_of_no_claim(right)),
        marked(_PLACEBO.sub(" effective ", text)) | marked(right),
    )
    marks = frozenset(stated)
    asked -= set() if "failed" in marks else {"fail"}
    if not asked and "share" in marks and _RELIEF.search(right.lower()):
        right += " (stiffness)"
        asked = concepts(right)
    texts = [(concepts(f"{each.claim} {each.id.replace('_', ' ')}"), concepts(each.answer)) for each in every]
    weight = {
        word: math.log((1 + len(every)) / (0.5 + sum(word in title for title, _ in texts))) for word in asked
    }
    total = sum(weight.values())
    answers = [_may_answer(each, marks) for each in every]
    besides = _COMPLAINT.union(
        *(stated[each] for each in marks & set(causes())),
        *(
            title
            for each, fits, (title, _) in zip(every, answers, texts, strict=True)
            if fits and each.verdict in FAVOURABLE and not each.of_mechanism
        ),
    )
    found = []
    for claim, fits, (title, more) in zip(every, answers, texts, strict=True):
        if not fits or not (asked & title or marks & set(claim.needs)):
            continue
        covered = len(asked & title) / max(1, len(title))
        title = title.union(*(stated[each] for each in marks & {*claim.needs, *claim.marks, *claim.causes}))
        favourable = claim.verdict in FAVOURABLE
        ours = {
            *title,
            *besides,
            *({*more, "mobility", "nerve"} if claim.of_mechanism else ()),
            *(_COUNTED if claim.of_other_treatment else ()),
        }
        if favourable and (
            asked & known_concepts() - ours or _is_of_another(claim, title, asked, right, marks)
        ):
            continue
        shared = sum(weight[word] * (1.0 if word in title else 0.6) for word in asked & (title | more))
        share = shared / total if total else 1.0
        score = share + _NAMED * len(marks & {*claim.needs, *claim.causes}) / max(1, len(marks - _COMMON))
        if (share if favourable else score) >= (_LEAST_FAVOURABLE if favourable else _LEAST):
            opposed = opposes(text, claim)
            if favourable and not (opposed or claim.of_mechanism or tells_of_help(text)):
                continue
            found.append(Match(claim, score + _COVERED * covered, opposed, claim.verdict))
    best = max((each.similarity for each in found), default=0.0)
    near = [each for each in found if each.similarity >= _BESIDE * best]
    return [as_asked(each, full, marks) for each in sorted(near, key=lambda each: -each.similarity)]


def nearest(text: str) -> Claim | None:
    """The claim that is nearest in wording, whether or not it answers; of a drug that is named, the claim on that drug.

    >>> nearest("Botox helps ALS spasticity").id
    'botulinum_toxin'
    """
    right = read_as(text).text
    asked, marks = concepts(right), frozenset(marked(right))

    def near(claim: Claim) -> tuple[int, float]:
        title = concepts(claim.claim)
        return len(marks & {*claim.needs} & TREATMENTS), len(asked & title) / math.sqrt(max(1, len(title)))

    best = max(shipped_claims(), key=near)
    return best if near(best) > (0, 0.0) else None


def _is_of_another(
    claim: Claim, title: frozenset[str], asked: frozenset[str], text: str, marks: frozenset[str]
) -> bool:
    """Whether a text is of a word that nothing here knows, of another symptom than a drug was tried in, or of another
    treatment, which stands where "it" or a cannabinoid would."""
    if strange(text, claim) or (not claim.needs and not asked & title & SYMPTOMS):
        return True
    if (not claim.needs and "pain" in title - asked) or _says_more(claim, text):
        return True
    if any(not marks_of(word) and word not in frame("slot") for word in _SLOT.findall(text.lower())):
        return True
    if claim.of_other_treatment:
        if (marks_of(claim.claim) & {*causes()}) - marks:
            return True
        cramp = "cramp" in text.lower() and "cramp" not in claim.claim
        return cramp or bool(asked & (SYMPTOMS - {"spasm"}) - title)
    if marks & TREATMENTS or named_products(text):
        return False
    return bool(_unexplained(EFFECT.split(text.lower(), maxsplit=1)[0], frame("subject")))


def _says_more(claim: Claim, text: str) -> bool:
    """Whether a text says more of a condition than that cannabis helps in it or eases its symptoms."""
    conditions = {*claim.needs} & {*claim.causes}
    if not conditions:
        return False
    rest = without_marks(text, {*conditions, "cannabinoid", "share"})
    return bool(_unexplained(rest, frame("subject") | frame("helping")))


def _unexplained(text: str, known: frozenset[str]) -> list[str]:
    words = re.findall(r"[a-z]{2,}", text.lower())
    return [each for each in words if each not in known and not concepts(each) & _SYMPTOM_WORDS]


def as_asked(match: Match, text: str, marks: frozenset[str]) -> Match:
    """With the verdict on what the text names: the products and conditions that trials studied, and its sizes."""
    if match.claim.verdict not in FAVOURABLE or match.claim.of_mechanism:
        return match
    from lissive.evidence.claim_fit import limited, limits
    from lissive.evidence.claim_size import size_limits

    found = [*limits(match.claim, text, marks), *size_limits(match.claim, text)]
    return replace(match, claim=limited(match.claim, found))

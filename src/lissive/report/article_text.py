"""An article, answered sentence by sentence, as text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from lissive.evidence.article import KINDS, Answered
from lissive.evidence.claim_voice import VOICES
from lissive.report.evidence_text import LIMITS, NEAREST
from lissive.report.words import count, listed, paragraphs, wrapped


def article_text(rows: Sequence[Answered]) -> str:
    """How many sentences of which kind, then each with its answer."""
    return paragraphs([wrapped(summary(rows)), *map(_sentence, rows), LIMITS])


def summary(rows: Sequence[Answered]) -> str:
    """Sentences by kind; those that make claims by the worst verdict in them."""
    kinds = Counter(row.kind for row in rows)
    parts = [f"{kinds[kind]} {kind}" for kind in KINDS if kinds[kind]]
    wholes = [row.whole for row in rows if row.claims]
    verdicts = Counter(each.claim.verdict_label if each else "the opposite of a claim" for each in wholes)
    claims = f" Claims: {listed([f'{n} {name}' for name, n in verdicts.most_common()])}." if verdicts else ""
    unanswered = sum(row.is_open for row in rows)
    left = f" Without an answer: {unanswered}." if unanswered else ""
    return f"{count(len(rows), 'sentence')}: {listed(parts)}.{claims}{left}"


def lines_of(row: Answered) -> list[str]:
    """What is said of a sentence, line by line."""
    lines = [VOICES[row.voice]] if row.voice else []
    lines += [as_a_whole(row)] if len(row.claims) > 1 else []
    for each in row.claims:
        claim = each.claim
        verdict = f"{claim.verdict_label.upper()} (certainty {claim.certainty_words})."
        on = "On what the sentence says: " if each.is_less and not each.opposed else ""
        on = "The claim, not the sentence, is " if each.opposed else on
        lines.append(f"{NEAREST[each.opposed]}: {claim.claim} {on}{verdict}")
        lines.append(f"{claim.answer} {claim.certainty_reason}".rstrip())
    lines += [row.answer] if row.answer else []
    if row.as_of:
        lines.append(f"As of {row.as_of}.")
    if row.see:
        lines.append(f"More: {row.see}")
    return lines


def as_a_whole(row: Answered) -> str:
    """The verdict of a sentence with several claims."""
    if row.whole is None:
        return "As a whole: no verdict, as the sentence says the opposite of one of these claims."
    return f"As a whole: {row.whole.claim.verdict_label.upper()}, the worst of {len(row.claims)} claims."


def _sentence(row: Answered) -> str:
    said = [wrapped(line, "    ") for line in lines_of(row)]
    return "\n".join([wrapped(f"{row.n}. {row.text}"), f"    {row.kind.upper()}", *said])

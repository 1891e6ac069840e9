"""An article answered sentence by sentence, as text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from lissive.evidence.article import KINDS, Answered
from lissive.report.evidence_text import LIMITS, OPPOSED
from lissive.report.words import count, listed, paragraphs, wrapped


def article_text(rows: Sequence[Answered]) -> str:
    """How many sentences of which kind, then each with its answer."""
    return paragraphs([wrapped(summary(rows)), *map(_sentence, rows), LIMITS])


def summary(rows: Sequence[Answered]) -> str:
    """Sentences by kind, and claims by verdict."""
    kinds = Counter(row.kind for row in rows)
    parts = [f"{kinds[kind]} {kind}" for kind in KINDS if kinds[kind]]
    verdicts = Counter(each.claim.verdict_label for row in rows for each in row.claims)
    claims = f" Claims: {listed([f'{n} {name}' for name, n in verdicts.most_common()])}." if verdicts else ""
    unanswered = sum(row.is_open for row in rows)
    left = f" Without an answer: {unanswered}." if unanswered else ""
    return f"{count(len(rows), 'sentence')}: {listed(parts)}.{claims}{left}"


def lines_of(row: Answered) -> list[str]:
    """What is said of a sentence, line by line."""
    lines = []
    for each in row.claims:
        claim = each.claim
        lines.append(
            f"Nearest claim: {claim.claim} {claim.verdict_label.upper()} (certainty {claim.certainty_label})."
        )
        lines += [OPPOSED] if each.opposed else []
        lines.append(claim.answer)
    lines += [row.answer] if row.answer else []
    if row.as_of:
        lines.append(f"As of {row.as_of}.")
    if row.see:
        lines.append(f"More: {row.see}")
    return lines


def _sentence(row: Answered) -> str:
    said = [wrapped(line, "    ") for line in lines_of(row)]
    return "\n".join([wrapped(f"{row.n}. {row.text}"), f"    {row.kind.upper()}", *said])

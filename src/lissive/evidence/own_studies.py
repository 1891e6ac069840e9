"""A user's own file of studies, read and checked.

studies = read_studies("mine.yaml")       the format of data/trials.yaml; raises every finding at once
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from lissive.errors import EvidenceError
from lissive.evidence.lint import findings, registered
from lissive.evidence.read import Located, Studies, shipped_studies, typed_studies
from lissive.given import path_of


def read_studies(path: str | Path) -> Studies:
    """The studies of a file, in the format of data/trials.yaml.

    Raises       EvidenceError with every finding: id, field and line.
    """
    studies = typed_studies(path_of(path, wrong=EvidenceError))
    # the same participants are merged below; the sources of a user's figures are theirs to know
    wrong = [each for each in findings(studies) if each.check not in ("patients", "source")]
    if wrong:
        raise EvidenceError.all_of(
            [EvidenceError(f"{each.id}: {each.what}", where=each.where) for each in wrong]
        )
    return Studies(tuple(_same_people(studies)), studies.unread)


def studies_of(given: Studies | str | Path | None) -> Studies:
    """Studies as they are given: already read, a file, or those that come with Lissive."""
    if isinstance(given, Studies):
        return given
    return shipped_studies() if given is None else read_studies(given)


def _same_people(studies: Studies) -> Iterator[Located]:
    """The entries, those with the same registry number or DOI under one key, so that nobody counts twice."""
    first: dict[str, str] = {}
    for entry in studies:
        numbers = [number for _, number in registered(entry)] if entry.kind == "trial" else []
        key = next((first[number] for number in numbers if number in first), entry.id)
        first.update((number, key) for number in numbers)
        yield replace(entry, people=key, kept=[])

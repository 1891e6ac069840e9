"""A user's own file of studies, read and checked.

studies = read_studies("mine.yaml")       the format of data/trials.yaml; raises every finding at once
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from lissive.errors import EvidenceError
from lissive.evidence.lint import findings, registered
from lissive.evidence.read import Located, Studies, Trial, TrialsFile, marked, shipped_studies, studies_in
from lissive.given import path_of
from lissive.marked import Loc
from lissive.publications.arms import N_HARMS, N_MEANS
from lissive.publications.tables import dotted
from lissive.typed import line_of, nearest


def read_studies(path: str | Path) -> Studies:
    """The studies of a file, in the format of data/trials.yaml.

    Raises       EvidenceError with every finding: id, field and line.
    """
    path = path_of(path, wrong=EvidenceError)
    data, lines = marked(path, False, "trials: [{id: smith_2020}]")
    studies = Studies(studies_in(data, lines, path, ships=False), tuple(_unread(data, lines, path)))
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


# -- fields that nothing reads: they are kept, and that is said ------------------------------------
_FILE = {*TrialsFile.model_fields, *"schema_version generated legend meta note notes".split()}
_ENTRY = {
    *Trial.model_fields,
    *(
        "titration max_dose mean_dose blinding inclusion split extraction sources run_in_weeks washout_days source_url "
        "pointer note notes"
    ).split(),
}
_ARM = {"arm", "age", "status", "note", "notes", *N_MEANS, *N_HARMS}
_COUNT = re.compile(r"n_[a-z0-9_]+")
"""Of an arm, how many people came how far: shown, whatever the name."""


def _unread(data: Mapping[str, Any], lines: Mapping[Loc, int], path: Path) -> Iterator[str]:
    """A line for each field that is not read: of the file, of a trial, of an arm."""
    for loc, known in _places(data):
        node = data
        for part in loc:
            node = node[part]  # type: ignore[index]
        for name in node:
            if name in known or (known is _ARM and _COUNT.fullmatch(name)):
                continue
            said = f"{dotted((*loc[2:], name))} is a field that is not read"
            id = f" {data['trials'][loc[1]]['id']}:" if loc else ""
            yield f"{path}:{line_of(lines, (*loc, name))}:{id} {said}.{nearest(name, known)}"


def _places(data: Mapping[str, Any]) -> Iterator[tuple[Loc, set[str]]]:
    yield (), _FILE
    for k, trial in enumerate(data["trials"]):
        yield ("trials", k), _ENTRY
        for i, _ in enumerate(trial.get("arms") or ()):
            yield ("trials", k, "arms", i), _ARM

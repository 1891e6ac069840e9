"""Fields of a user's own file of studies that nothing reads: they are kept, and that is said."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from lissive.evidence.arms import N_HARMS, N_MEANS
from lissive.evidence.read import Trial, TrialsFile, dotted
from lissive.marked import Loc
from lissive.typed import line_of, nearest

_FILE = {*TrialsFile.model_fields, *"schema_version generated legend meta note notes".split()}
_ENTRY = {
    *Trial.model_fields,
    *"titration max_dose mean_dose blinding inclusion split extraction source_url pointer note notes".split(),
}
_ARM = {"arm", "age", "status", "note", "notes", *N_MEANS, *N_HARMS}
_COUNT = re.compile(r"n_[a-z0-9_]+")
"""Of an arm, how many people came how far: shown, whatever the name."""


def unread(data: Mapping[str, Any], lines: Mapping[Loc, int], path: Path) -> Iterator[str]:
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

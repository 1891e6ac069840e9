"""From a file of published studies to observations, to what is left out and why, or to all that is wrong."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from lissive.errors import StudyError
from lissive.given import path_of
from lissive.marked import Loc, read_marked
from lissive.studies import words
from lissive.studies.arm import make_arm
from lissive.studies.entry import Entry
from lissive.studies.measures import observations_of
from lissive.studies.observation import PRINTED, Observation, Studies

SHIPPED = Path(__file__).parent / "pk.yaml"
_MOST_FIELDS = 200_000

STUDY_FIELDS = set(
    "id citation doi doi_provenance source_url population dose matrix analytes split split_note notes sampling_h"
    " lloq_ng_mL control".split()
)


def read_studies(path: str | Path) -> Studies:
    """The observations of a file, and what of it cannot be used.

    Raises
    ------
    StudyError with every finding: an unknown analyte, route, unit, statistic, split or
        provenance, a null or a word where a number is needed, a number that cannot be, an id that comes twice.
    """
    path = path_of(path, wrong=StudyError)
    data, lines = read_marked(
        path, wrong=StudyError, top=tuple, example="- id: a study", most_fields=_MOST_FIELDS
    )
    entries = [
        Entry(k, each if isinstance(each, Mapping) else {}, path, lines) for k, each in enumerate(data)
    ]
    _check_ids(entries)
    found: list[Observation] = []
    for entry in entries:
        found.extend(_of_entry(entry))
    pairs = _pairs(entries, found)
    findings = {str(each): each for entry in entries for each in entry.findings}
    if findings:
        raise StudyError.all_of(list(findings.values()))
    skipped = [each for entry in entries for each in entry.skipped]
    return Studies(str(path), (*found, *pairs), tuple(skipped))


@cache
def shipped_studies() -> Studies:
    """The studies that come with Lissive."""
    return read_studies(SHIPPED)


def _check_ids(entries: list[Entry]) -> None:
    seen: dict[str, Entry] = {}
    for entry in entries:
        if not isinstance(entry.data.get("id"), str) or not entry.id.strip():
            entry.wrong(("id",), "The study has no id.", do="give it a name of its own, as in id: smith2020.")
            continue
        if entry.id in seen:
            first = seen[entry.id].lines[(seen[entry.id].number, "id")]
            entry.wrong(
                ("id",),
                f"The id comes twice, first on line {first}.",
                do="give each study a name of its own.",
            )
        seen.setdefault(entry.id, entry)


def _of_entry(entry: Entry) -> list[Observation]:
    data = entry.data
    for field in data:
        if field not in STUDY_FIELDS:
            entry.skip(field, "a field that is not read")
    split = entry.word("split", data.get("split"), ("split",))
    arm = make_arm(entry)
    analytes = data.get("analytes")
    if not isinstance(analytes, tuple) or not analytes:
        entry.wrong(("analytes",), "The study has no list of analytes.", allowed="one or more entries.")
        return []
    found: list[Observation] = []
    for k, row in enumerate(analytes):
        loc: Loc = ("analytes", k)
        if not isinstance(row, Mapping):
            entry.wrong(loc, "This is no entry of an analyte.", allowed="analyte, provenance and metrics.")
            continue
        provenance = entry.word("provenance", row.get("provenance"), (*loc, "provenance"))
        for name in _analytes(entry, row, (*loc, "analyte")):
            words_of = (split.means if split else "", provenance.means if provenance else "")
            found.extend(observations_of(entry, row, loc, name, *words_of, arm))
    if split and split.means == "context":
        entry.skip("all", f"context: {data.get('split_note') or 'not to be scored, by its own split'}")
        return []
    return _only(entry, found)


def _only(entry: Entry, found: list[Observation]) -> list[Observation]:
    """What the split's own note leaves: `CBD Cmax only` drops every other analyte and metric."""
    note = re.split(r"\bonly\b", str(entry.data.get("split_note") or ""))
    if len(note) == 1:
        return found
    named = set(re.findall(r"[\w-]+", note[0]))
    analytes = {name for name in PRINTED.values() if name in named} or set(PRINTED.values())
    metrics = {name for name in words.metrics() if name in named}
    kept = [o for o in found if PRINTED[o.analyte] in analytes and (_metric(o) in metrics or not metrics)]
    for each in found:
        if each not in kept:
            entry.skip(
                f"{PRINTED[each.analyte]} {each.metric}",
                f"the split's note says {entry.data['split_note']!r}",
            )
    return kept


def _metric(one: Observation) -> str:
    """The metric's name in the file, without the condition of a ratio."""
    return "conc_time" if one.metric == "C" else one.metric.split("[")[0]


def _analytes(entry: Entry, row: Mapping[str, Any], loc: Loc) -> list[str]:
    """Model names of an analyte, or of several that share an entry (THC/CBD)."""
    text = row.get("analyte")
    means = [entry.word("analyte", part, loc) for part in str(text).split("/")]
    known = [word.means for word in means if word]
    if words.NOT_MODELLED in known:
        reasons = {word.note for word in means if word and word.note}
        entry.skip(str(text), ", ".join(sorted(reasons)))
        return []
    return known


def _pairs(entries: list[Entry], found: list[Observation]) -> list[Observation]:
    """Ratios of a treated arm to its control: what was seen with the medicine over what was seen without."""
    ids = {entry.id for entry in entries}
    controls = {entry.id: control for entry in entries if (control := _control(entry, ids))}
    by_key = {(o.study, o.analyte, o.measure, o.window): o for o in found}
    pairs = []
    for mine in (o for o in found if o.study in controls and o.measure in ("Cmax", "AUC")):
        other = by_key.get((controls[mine.study], mine.analyte, mine.measure, mine.window))
        if other is None:
            continue
        recalled = "recalled" in (mine.provenance, other.provenance)
        pairs.append(
            Observation(
                mine.study,
                mine.analyte,
                f"ratio_{mine.measure}",
                f"ratio_{mine.measure}",
                "ratio",
                mine.value / other.value,
                "1",
                mine.stat,
                "recalled" if recalled else "read",
                mine.split,
                mine.arm,
                replace(other.arm, study=mine.study),
                mine.window,
                assumed=mine.assumed,
                doi=mine.doi,
            )
        )
    return pairs


def _control(entry: Entry, ids: set[str]) -> str | None:
    """The study that this one is held against: the one that it names, else x_control of x_treated."""
    control = entry.data.get("control")
    if control is None:
        usual = entry.id.removesuffix("_treated") + "_control"
        return usual if usual in ids else None
    if isinstance(control, str) and control in ids - {entry.id}:
        return control
    entry.wrong(
        ("control",),
        f"control {control!r} is no other study of this file.",
        allowed="the id of another study, or none.",
    )
    return None

"""From a file of published trials to designs that can be simulated and the figures that they found.

The format is that of the shipped file, `lissive/evidence/data/trials.yaml`: `trials` is a list of entries with id,
citation, cause, intervention, comparator, design, enriched, randomised, duration_weeks, titration, max_dose,
mean_dose, inclusion, arms, outcomes, adverse_events and split. Values are numbers, or {value, provenance, ...} with
a provenance of read, recalled or derived; null is unknown. Weeks of a run-in and days of a wash-out may be given as
`run_in_weeks` and `washout_days` where the design's words do not say them.

Nothing is dropped silently: what is not used stands in `skipped` with its reason, and what an entry does not say and
was assumed in `assumed`.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from lissive.errors import StudyError
from lissive.evidence import TRIALS
from lissive.given import path_of
from lissive.marked import read_marked
from lissive.model.parameters import load_parameters
from lissive.trials import _published_words as words
from lissive.trials._published_check import check_entry
from lissive.trials._published_design import build_design
from lissive.trials._published_dose import observe_doses, observe_leaving
from lissive.trials._published_frame import Frame, make_frame
from lissive.trials._published_observed import observe
from lissive.trials._published_parts import (
    CannotBuild,
    Entry,
    Observed,
    Published,
    PublishedTrial,
    Skipped,
    text_of,
)
from lissive.trials.parts import MEASURES

__all__ = [
    "Observed",
    "Published",
    "PublishedTrial",
    "Skipped",
    "read_published",
    "shipped_published",
]

_MOST_FIELDS = 200_000
_FIELDS = set(
    "id citation doi registry cause intervention comparator design enriched randomised duration_weeks titration"
    " max_dose mean_dose blinding inclusion arms outcomes adverse_events risk_of_bias_notes split extraction"
    " run_in_weeks washout_days provenance patients rejected".split()
)
_LATER = ("stopped_treatment_early",)
"""Names of an endpoint that stand back behind any other of it: stopping a drug is not leaving the trial."""


def read_published(path: str | Path) -> Published:
    """The trials of a file, and what of it is not used.

    Raises
    ------
    StudyError with every finding: no id or one that is a duplicate, an unknown split or provenance, a
        word where a number is needed, a share above 1, an interval that does not hold its estimate, a spread below 0.
    """
    path = path_of(path, wrong=StudyError)
    data, lines = read_marked(path, wrong=StudyError, example="trials: [{id: a}]", most_fields=_MOST_FIELDS)
    rows = data.get("trials")
    if not isinstance(rows, tuple):
        raise StudyError(
            "The file has no list of trials.", where=f"{path}:1", allowed="trials: [{id: ...}, ...]."
        )
    entries = [
        Entry(k, each if isinstance(each, Mapping) else {}, path, lines) for k, each in enumerate(rows)
    ]
    _check_ids(entries)
    by_id = {entry.id: entry for entry in entries}
    trials = [made for entry in entries if (made := _read(entry, by_id))]
    if findings := [each for entry in entries for each in entry.findings]:
        raise StudyError.all_of(list({str(each): each for each in findings}.values()))
    skipped = [each for entry in entries for each in entry.skipped]
    return Published(str(path), tuple(trials), (*skipped, *_not_trials(data)))


@cache
def shipped_published() -> Published:
    """The trials that come with Lissive."""
    return read_published(TRIALS)


def _check_ids(entries: Sequence[Entry]) -> None:
    seen: dict[str, Entry] = {}
    for entry in entries:
        if not isinstance(entry.data.get("id"), str) or not entry.id.strip():
            entry.wrong(("id",), "The trial has no id.", do="give it a name of its own, as in id: smith2020.")
        elif entry.id in seen:
            first = entry.lines["trials", seen[entry.id].number, "id"]
            entry.wrong(
                ("id",),
                f"The id is a duplicate, first on line {first}.",
                do="give each trial a name of its own.",
            )
        seen.setdefault(entry.id, entry)


def _not_trials(data: Mapping[str, Any]) -> list[Skipped]:
    """Entries of studies without randomisation, which are kept for other uses."""
    rows = data.get("observational")
    named = [each for each in rows if isinstance(each, Mapping)] if isinstance(rows, tuple) else []
    return [Skipped(str(each.get("id")), "all", "observational: no trial") for each in named]


def _read(entry: Entry, siblings: Mapping[str, Entry]) -> PublishedTrial | None:
    """One entry; None where it cannot be built, and it then says why."""
    said = entry.data.get("split")
    split = words.find("split", said) if said is not None else None
    if split is None:
        entry.wrong(("split",), f"split {said!r} is unknown.", allowed=f"{words.allowed('split')}.")
    check_entry(entry)
    if entry.findings:
        return None
    for name in entry.data:
        if name not in _FIELDS:
            entry.skip(name, "a field that is not read")
    try:
        return _build(entry, siblings, split.means if split else "")
    except CannotBuild as error:
        entry.skip("all", str(error))
        return None


def _build(entry: Entry, siblings: Mapping[str, Entry], split: str) -> PublishedTrial:
    frame = make_frame(entry, siblings)
    found = [*observe(entry, frame), *observe_leaving(entry, frame), *observe_doses(entry, frame)]
    if entry.findings:
        raise CannotBuild("its figures are wrong")
    observed = _once(entry, found)
    _set_baseline(entry, frame)
    design = build_design(entry, frame, observed)
    citation = text_of(entry.data.get("citation"))
    return PublishedTrial(entry.id, split, citation, design, tuple(observed), tuple(entry.assumed))


def _once(entry: Entry, found: Sequence[Observed]) -> list[Observed]:
    """Of figures that say the same of the same, the one on the model's own scale; the others are skipped."""
    kept: dict[tuple[object, ...], Observed] = {}
    for one in found:
        what = (one.arm, one.against, one.endpoint, one.statistic, one.week)
        other = kept.get(what)
        if other is not None:
            one, other = sorted((other, one), key=_rank)
            entry.skip(other.printed, f"{one.printed} gives the same and is used")
        kept[what] = one
    return list(kept.values())


def _rank(one: Observed) -> int:
    if any(name in one.printed for name in _LATER):
        return 2
    return 1 if any(scale in one.printed for scale in ("vas", "_mm", "higher_better")) else 0


def _set_baseline(entry: Entry, frame: Frame) -> None:
    """Means before treatment over all arms, for the measures that the model has a level of."""
    for measure, rows in frame.levels.items():
        name = MEASURES[measure].baseline
        if name == "-":
            entry.skip(f"baseline of {measure}", "the model has no such baseline")
            continue
        weights, means = [row[0] for row in rows], [row[1] for row in rows]
        mean = statistics.fmean(means, weights)
        spreads = [(row[0], row[2]) for row in rows if row[2] is not None]
        if spreads:
            sd = statistics.fmean([sd * sd for _, sd in spreads], [n for n, _ in spreads]) ** 0.5
        else:
            # the spread of a log-normal quantity is about its coefficient of variation
            sd = mean * (load_parameters(frame.cause)[name].spread or 0.0)
            entry.assume(f"Baseline SD of {measure} is not stated: from the tables.")
        frame.baseline[measure] = {"mean": round(mean, 6), "sd": round(sd, 6)}
    if frame.baseline:
        entry.assume("Baseline ratings are those of the enrolled, and are used for the screened.")

"""From a file of published trials to designs that can be simulated and the figures that they found.

The file is read as `lissive.evidence` reads it, into the same rows (`lissive.publications`): a figure that is pooled is
the figure that the model is held against. Nothing is dropped silently: what is not used stands in `skipped` with its
reason, and what an entry does not say and was assumed in `assumed`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from lissive.errors import EvidenceError, StudyError
from lissive.evidence.lint import read_studies
from lissive.evidence.read import TRIALS, Studies, typed_studies
from lissive.given import path_of
from lissive.model.parameters import load_parameters
from lissive.publications import words
from lissive.publications.entry import CannotBuild, Entry, Skipped
from lissive.publications.plan import read_plan
from lissive.publications.tables import text_of
from lissive.trials._published_design import build_design
from lissive.trials._published_dose import observe_doses, observe_leaving
from lissive.trials._published_observed import Observed, Seen, baselines, observe
from lissive.trials.design import Design

__all__ = [
    "Observed",
    "Published",
    "PublishedTrial",
    "Skipped",
    "read_published",
    "shipped_published",
]

_FIELDS = set(
    "id citation doi registry cause intervention comparator design enriched randomised duration_weeks titration"
    " max_dose mean_dose blinding inclusion arms outcomes adverse_events risk_of_bias_notes split extraction"
    " run_in_weeks washout_days provenance patients rejected results".split()
)
_LATER = ("stopped_treatment_early",)
"""Names of an endpoint that stand back behind any other of it: stopping a drug is not leaving the trial."""


@dataclass(frozen=True)
class PublishedTrial:
    """A trial that can be simulated, and what it found."""

    id: str
    split: str
    """calibration | validation | context."""
    citation: str
    design: Design
    observed: tuple[Observed, ...]
    assumed: tuple[str, ...]
    """What the entry does not say and was assumed, in sentences."""


@dataclass(frozen=True)
class Published:
    """A whole file."""

    path: str
    trials: tuple[PublishedTrial, ...]
    skipped: tuple[Skipped, ...]


def read_published(path: str | Path) -> Published:
    """The trials of a file, and what of it is not used.

    Raises
    ------
    StudyError with every finding: what `lissive evidence --studies` finds in the file, and an unknown split.
    """
    path = path_of(path, wrong=StudyError)
    try:
        studies = read_studies(path)
    except EvidenceError as error:
        found = [
            StudyError(each.what, where=each.where, allowed=each.allowed, do=each.do)
            for each in (error.findings or (error,))
            if isinstance(each, EvidenceError)
        ]
        raise StudyError.all_of(found) from None
    return _published(studies, path)


@cache
def shipped_published() -> Published:
    """The trials that come with Lissive."""
    return _published(typed_studies(TRIALS, keep=True), TRIALS)


def _published(studies: Studies, path: Path) -> Published:
    entries = {
        each.id: Entry(each.data, each.results, each.where, getattr(each.row, "design", None))
        for each in studies.trials
    }
    trials = [made for entry in entries.values() if (made := _read(entry, entries))]
    if wrong := list(dict.fromkeys(each for entry in entries.values() for each in entry.wrong)):
        raise StudyError.all_of([StudyError(what, where=where) for where, what in wrong])
    skipped = [each for entry in entries.values() for each in entry.skipped]
    return Published(str(path), tuple(trials), (*skipped, *_not_trials(studies)))


def _not_trials(studies: Studies) -> Iterator[Skipped]:
    """Entries of studies without randomisation, which are kept for other uses."""
    for each in studies:
        if each.kind == "observational":
            yield Skipped(each.id, "all", "observational: no trial")


def _read(entry: Entry, siblings: Mapping[str, Entry]) -> PublishedTrial | None:
    """One entry; None where it cannot be built, and it then says why."""
    said = entry.data.get("split")
    split = words.find("split", said) if said is not None else None
    if split is None:
        entry.refuse(("split",), f"split {said!r} is unknown. Allowed: {words.allowed('split')}.")
        return None
    for name in entry.data:
        if name not in _FIELDS:
            entry.skip(name, "a field that is not read")
    try:
        return _build(entry, siblings, split.means)
    except CannotBuild as error:
        entry.skip("all", str(error))
        return None


def _build(entry: Entry, siblings: Mapping[str, Entry], split: str) -> PublishedTrial:
    seen = Seen(read_plan(entry, siblings))
    found = [*observe(entry, seen), *observe_leaving(entry, seen), *observe_doses(entry, seen)]
    if entry.wrong:
        raise CannotBuild("its figures are wrong")
    observed = _once(entry, found)
    spread = {name: each.spread or 0.0 for name, each in load_parameters(seen.plan.cause).items()}
    design = build_design(entry, seen, observed, baselines(entry, seen, spread))
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

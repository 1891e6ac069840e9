"""From a file of published trials to designs that can be simulated and the figures that they found.

The file is read as `lissive.evidence` reads it, into the same rows (`lissive.publications`): a figure that is pooled is
the figure that the model is held against. Nothing is dropped silently: what is not used stands in `skipped` with its
reason, and what an entry does not say and was assumed in `assumed`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from lissive.errors import DesignError, EvidenceError, StudyError
from lissive.evidence.lint import read_studies
from lissive.evidence.read import TRIALS, Studies, typed_studies
from lissive.given import path_of
from lissive.model.parameters import load_parameters
from lissive.publications import words
from lissive.publications.entry import CannotBuild, Entry, Skipped
from lissive.publications.plan import Plan, read_plan
from lissive.publications.tables import text_of
from lissive.trials._published_observed import baselines, observe
from lissive.trials._published_parts import Observed, Seen, observe_doses, observe_leaving
from lissive.trials.design import Design, make_design
from lissive.trials.parts import MEASURES

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
EARLY_WEEK = 4.0
"""A visit that every longer trial has."""
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
        do = "compare it with the publication, and correct it."
        raise StudyError.all_of([StudyError(what, where=where, do=do) for where, what in wrong])
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


# -- the design ---------------------------------------------------------------------------------------
def build_design(
    entry: Entry, seen: Seen, observed: Sequence[Observed], baseline: Mapping[str, Mapping[str, float]]
) -> Design:
    """The design, with an endpoint for each that is observed.

    Raises
    ------
    CannotBuild where nothing is observed, or the design is refused; with its findings.
    """
    if not observed:
        raise CannotBuild("none of its figures can be compared with the model")
    plan = seen.plan
    weeks = {plan.weeks, *(one.week for one in observed if one.week is not None)}
    if plan.weeks > EARLY_WEEK:
        weeks.add(EARLY_WEEK)
    inclusion = dict(_inclusion(entry, plan))
    data: dict[str, Any] = {
        "trial": re.sub(r"[^A-Za-z0-9_.-]+", "_", entry.id).lstrip("_.-")[:80] or "trial",
        "title": text_of(entry.data.get("citation")),
        "population": {"cause": plan.cause, "baseline": baseline, "inclusion": inclusion},
        "arms": plan.arms,
        "weeks": plan.weeks,
        "visits_weeks": tuple(sorted(weeks)),
        "endpoints": _endpoints(seen, observed),
        "relief": plan.relief,
        "rated_at_visits": seen.rated_at_visits,
        "after_dose_h": plan.after_dose_h,
        **_people(entry, plan),
    }
    if plan.run_in:
        data["run_in"] = plan.run_in
    if plan.crossover:
        data["crossover"] = plan.crossover
    try:
        return make_design(data)
    except DesignError as error:
        raise CannotBuild(f"no design can be built: {error}") from None


def _inclusion(entry: Entry, plan: Plan) -> Iterator[tuple[str, Mapping[str, float]]]:
    """The criteria on ratings that the model has a level of before treatment."""
    for measure, ends in plan.inclusion.items():
        if measure in MEASURES and MEASURES[measure].baseline != "-":
            yield measure, ends
        else:
            entry.assume(
                f"The inclusion criterion on {measure} is not applied: the model has no baseline of it."
            )


def _people(entry: Entry, plan: Plan) -> dict[str, Any]:
    """How many are randomised, and how they are shared out over the arms."""
    groups = plan.groups
    if plan.crossover:
        everybody = groups.everybody or groups.total
        n = (
            everybody.randomised
            if everybody
            else max((g.randomised or 0 for g in groups.arms.values()), default=0)
        )
        if not n:
            raise CannotBuild("how many were randomised is not stated")
        return {"patients": max(n, len(plan.crossover["sequences"]))}
    sizes = {name: groups.arms[name].randomised for name in plan.arms}
    known = {name: size for name, size in sizes.items() if size is not None}
    if len(known) == len(sizes):
        _say_which(entry, plan)
        return {"patients": sum(known.values()), **({"ratio": known} if len(known) > 1 else {})}
    total = groups.total or groups.everybody
    n = total.randomised if total else None
    if n is None:
        raise CannotBuild("how many were randomised is not stated")
    entry.assume("Numbers per arm are not stated: equal.")
    return {"patients": n}


def _say_which(entry: Entry, plan: Plan) -> None:
    """Which number stands for those who were randomised, where that one is not given."""
    for name in plan.arms:
        group = plan.groups.arms[name]
        if group.count("n_randomised") is None:
            used = next(each for each in ("n_treated", "n_analysed", "n_enrolled", "n") if group.count(each))
            entry.assume(f"{used} is used for the number randomised.")


def _endpoints(seen: Seen, observed: Sequence[Observed]) -> list[dict[str, Any]]:
    """One for each name and week, in the file's order."""
    made: dict[tuple[str, float | None], dict[str, Any]] = {}
    for one in observed:
        fields: dict[str, Any] = {}
        measure, found = one.endpoint, re.fullmatch(r"(.*)_responders_([\d.]+)pct", one.endpoint)
        if found:
            measure = found[1]
            fields = {"falls_by_pct": float(found[2]), "since": seen.plan.since}
        if one.endpoint in seen.since_screening:
            fields["since"] = "screening"
        if measure == "failure":
            fields["rises_by_pct"] = seen.plan.failure_pct
        if one.week is not None:
            fields["at_week"] = one.week
        made.setdefault((one.endpoint, one.week), {"measure": measure, **fields})
    return list(made.values())

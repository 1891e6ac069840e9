"""What became of a trial's participants, over replicates: screened, in the run-in, randomised, discontinued."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from lissive.trials.design import Design
from lissive.trials.endpoint import GroupFlow
from lissive.trials.observe import Flow


@dataclass(frozen=True)
class Count:
    """A number of patients: its mean, least and most over replicates."""

    mean: float
    min: int
    max: int


@dataclass(frozen=True)
class GroupDisposition:
    """What became of those who were randomised to one arm (in a crossover: to one sequence)."""

    group: str
    """As `design.shares` has it."""
    label: str
    """The arm, or the arms of a sequence in their order."""
    randomised: Count
    adverse: Count
    no_effect: Count
    other: Count
    completed: Count


@dataclass(frozen=True)
class Disposition:
    """Participant disposition, as a CONSORT diagram has it; see `observe.Flow`."""

    screened: Count
    entered: Count
    left_run_in: Count
    not_kept: Count
    randomised: Count
    failed: Count
    groups: tuple[GroupDisposition, ...]
    short: int = 0
    """Replicates in which fewer were randomised than the design says."""


def disposition(design: Design, flows: Sequence[Flow], rows: Sequence[GroupFlow]) -> Disposition:
    """Each number's mean and range over replicates; of each group (in a crossover: sequence) what became of it."""
    groups = (_group(design, rows, name) for name in design.shares)
    counted = {name: _count(getattr(flow, name) for flow in flows) for name in Flow.__annotations__}
    planned = design.patients or 0
    short = sum(flow.randomised + flow.failed < planned for flow in flows)
    return Disposition(
        **counted, groups=tuple(group for group in groups if group.randomised.max), short=short
    )


def _group(design: Design, rows: Sequence[GroupFlow], name: str) -> GroupDisposition:
    mine = [row for row in rows if row.group == name]
    what = ("randomised", "adverse", "no_effect", "other", "completed")
    counted = {each: _count(getattr(row, each) for row in mine) for each in what}
    return GroupDisposition(name, group_label(design, name), **counted)


def group_label(design: Design, name: str) -> str:
    """A group as a reader knows it: the arm, or the arms of a sequence in their order."""
    return " then ".join(design.crossover.sequences[int(name)]) if design.crossover else name


def _count(values: Iterable[int]) -> Count:
    known = list(values)
    return Count(float(np.mean(known)), min(known), max(known))

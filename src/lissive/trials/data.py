"""The data of a virtual trial: everybody who was randomised, as observed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from lissive.arrays import BoolArray, FloatArray, IntArray

STAYED, ADVERSE, NO_EFFECT, OTHER = 0, 1, 2, 3
WHY_LEFT = {STAYED: "", ADVERSE: "side effects", NO_EFFECT: "no effect", OTHER: "other"}


@dataclass(frozen=True)
class Flow:
    """Participant flow, as a CONSORT diagram counts it."""

    screened: int
    entered: int
    """Enrolled: into the run-in, or else to randomisation."""
    left_run_in: int
    not_kept: int
    """Completed the run-in and were not randomised."""
    randomised: int
    failed: int
    """Virtual patients whose equations could not be solved; they are left out of everything."""


@dataclass(frozen=True, kw_only=True)
class Records:
    """What was observed of everybody who was randomised, of one replicate or of several together.

    Ratings are in the measure's unit and as observed: with the error of ratings, diary days left blank, and nothing
    (NaN) after somebody left. A parallel trial has one period.
    """

    screening_id: IntArray
    """(patient,) number at screening, from 0."""
    group: IntArray
    """(patient,) place in `design.shares`: the arm, or in a crossover the sequence."""
    stratum: IntArray
    """(patient,) number of the stratum at randomisation; all 0 where there are none."""
    treatment: IntArray
    """(patient, period) place in `design.arms`."""
    screening: Mapping[str, FloatArray]
    """Measure to (patient,): before everything."""
    baseline: Mapping[str, FloatArray]
    """Measure to (patient, period): just before the period."""
    values: Mapping[str, FloatArray]
    """Measure to (patient, period, visit)."""
    filled: IntArray
    """(patient, period, visit) days of diary behind a visit's values."""
    dose: FloatArray
    """(patient, period, visit) units a day over the week before."""
    left: FloatArray
    """(patient,) days since randomisation; infinite who stayed."""
    left_why: IntArray
    """(patient,) see WHY_LEFT."""
    dizzy: BoolArray
    """(patient, period)"""
    failed_day: FloatArray
    """(patient,) days from randomisation to treatment failure; infinite where none. All NaN if not asked for."""

    def __len__(self) -> int:
        return len(self.screening_id)

    @property
    def periods(self) -> int:
        return int(self.treatment.shape[1])

    def of(self, members: IntArray) -> dict[str, Any]:
        """Every field, of these patients alone."""

        def part(value: Any) -> Any:
            return {k: v[members] for k, v in value.items()} if isinstance(value, Mapping) else value[members]

        return {each.name: part(getattr(self, each.name)) for each in fields(Records)}


@dataclass(frozen=True, kw_only=True)
class TrialData(Records):
    """One replicate of a trial."""

    replicate: int
    impression: Mapping[str, float]
    """Measure to the improvement, as a proportion, from which these patients rate themselves so."""
    flow: Flow

"""What was measured, on whom, after which doses: plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

ANALYTES = ("THC", "OH_THC", "COOH_THC", "CBD", "OH_CBD", "COOH_CBD")
"""Names in the model: `C_THC` and so on."""

PRINTED = dict(zip(ANALYTES, "THC 11-OH-THC THC-COOH CBD 7-OH-CBD 7-COOH-CBD".split(), strict=True))

KINDS = ("CBD", "THC", "THC-COOH")
"""Substances whose published means differ from the predictions each in its own way; a drug with its metabolites."""

LAST, INFINITE = -1.0, float("inf")
"""Ends of a window: the last time with a concentration that can be quantified; and extrapolated beyond."""


def kind_of(name: str) -> str:
    """Of KINDS, that of an analyte or of a kinetic parameter.

    >>> kind_of("OH_THC"), kind_of("V1_COOH"), kind_of("CL_COOH_CBD")
    ('THC', 'THC-COOH', 'CBD')
    """
    return "CBD" if "CBD" in name else "THC-COOH" if "COOH" in name else "THC"


class Before(NamedTuple):
    """Use of THC before the first dose of a study."""

    route: str
    thc_mg: float
    every_h: float
    doses: int
    rest_h: float
    """From its last dose to the study's first."""

    @property
    def length(self) -> float:
        return (self.doses - 1) * self.every_h + self.rest_h


@dataclass(frozen=True)
class Arm:
    """A group of people and what they took. Amounts are mg (mg/kg where `per_kg`), times h."""

    study: str
    n: int
    route: str
    """spray, oral, iv, smoked, vaporised or nebulised."""
    thc_mg: float
    cbd_mg: float
    per_kg: bool = False
    dose_times: tuple[float, ...] = (0.0,)
    """Starts of the doses, the first at 0; observations are on the last one's clock."""
    before: Before | None = None
    residual: float = 0.0
    """THC in plasma before the first dose [ng/mL], from earlier use; the tissues of 70 kg are in balance with it."""
    duration: float = 0.0
    """Of each dose: an infusion, or smoking."""
    clock_after: float = 0.0
    """How long after the last dose's start the clock of the observations starts."""
    fed: float = 0.0
    weight: tuple[float, float] | None = None
    """Mean and standard deviation, kg."""
    female: float | None = None
    """Share of women."""
    given: Mapping[str, float] = field(default_factory=dict)
    """Model parameters that the arm fixes: enzyme activities, genotype, liver."""
    sampling: tuple[float, ...] = ()
    """Sampling times on the observations' clock; what is usual for the route where the study gives none."""
    lloq: Mapping[str, float] = field(default_factory=dict)
    """Analyte to the lowest concentration that the assay quantified, ng/mL in the matrix."""
    matrix: Mapping[str, float] = field(default_factory=dict)
    """Analyte to the factor from plasma to the matrix that was measured."""
    several_doses: bool = False
    """The entry speaks of several doses at once; the amounts are the middle ones, good for ratios only."""
    assumed: tuple[str, ...] = ()
    """What the study does not say and was taken."""

    def __hash__(self) -> int:  # the mappings have none of their own
        return hash((self.study, self.n, self.route, self.thc_mg, self.cbd_mg, self.fed))


def interval_of(arm: Arm) -> float:
    """Between the last two doses [h]."""
    return arm.dose_times[-1] - arm.dose_times[-2] if len(arm.dose_times) > 1 else INFINITE


@dataclass(frozen=True)
class Observation:
    """One published number."""

    study: str
    analyte: str
    metric: str
    """As the file calls it, with the condition where it is one of several: ratio_AUC[mild]."""
    measure: str
    """What is computed: Cmax, Tmax, AUC, conc, thalf, CL, Vz, accumulation, ratio_AUC, ratio_Cmax, ratio_CL."""
    group: str
    """exposure, time, clearance or ratio."""
    value: float
    unit: str
    stat: str
    """mean, median or geomean of the arm."""
    provenance: str
    split: str
    arm: Arm
    reference: Arm | None = None
    """A ratio is `arm` over this."""
    window: tuple[float, float] = (0.0, LAST)
    time: float | None = None
    cv: float | None = None
    """Coefficient of variation between the people of the arm, where it was printed."""
    assumed: tuple[str, ...] = ()
    doi: str = ""
    publication: str = ""
    """What its publication is known by: its doi, else its address, citation or place in the file."""
    sibling: str = ""
    """Of what is held out: why it is no independent test of the fit, if it is none."""

    @property
    def scored_as(self) -> str:
        """calibration, validation, or sibling where it is held out but no independent test."""
        return "sibling" if self.sibling else self.split

    @property
    def label(self) -> str:
        """study, analyte and metric in the words of the field."""
        at = "" if self.time is None else f" at {self.time:g} h"
        return f"{self.study} {PRINTED[self.analyte]} {self.metric}{at}"


@dataclass(frozen=True)
class Skipped:
    """Something in the file that is not scored, and why."""

    study: str
    what: str
    why: str


@dataclass(frozen=True)
class Studies:
    """All that a file holds: nothing of it is in neither list."""

    path: str
    observations: tuple[Observation, ...]
    skipped: tuple[Skipped, ...]

    def of_split(self, *splits: str) -> tuple[Observation, ...]:
        return tuple(each for each in self.observations if each.split in splits)

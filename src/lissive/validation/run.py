"""A validation: published observations beside predictions, targets of the other modules, and sensitivity on demand."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from lissive.errors import ParameterError, StudyError
from lissive.extras import need
from lissive.given import path_of, threads_of, whole
from lissive.simulation.kinetics import (
    between_study,
    prior_errors,
    standard_errors,
    uncertainty,
    within_study,
)
from lissive.studies import Prediction, Skipped, Studies, predict_studies, read_studies, shipped_studies
from lissive.studies.run import Beside
from lissive.table import rows_of
from lissive.validation.identifiability import Identifiability, identifiability
from lissive.validation.scenario import Contraction, contraction
from lissive.validation.score import MOST_REPLICATES, Ratios, Row, Scores, ratio_summary, row, summary
from lissive.validation.sensitivity import Sensitivity, sensitivity
from lissive.validation.targets import TargetResult, targets

SPLITS = ("calibration", "sibling", "validation")
"""What is scored apart (Observation.scored_as)."""
Progress = Callable[[str, float], None]


@dataclass(frozen=True)
class Dependence:
    """What the clinical outputs depend on, and what data can tell of it."""

    indices: Sensitivity
    identifiability: Identifiability
    contraction: tuple[Contraction, ...]
    """What the calibration has learned of each fitted parameter."""

    def to_json(self) -> dict[str, Any]:
        return {
            "indices": self.indices.to_json(),
            "identifiability": self.identifiability.to_json(),
            "contraction": [asdict(each) for each in self.contraction],
        }


@dataclass(frozen=True)
class Validation:
    """The answer of `lissive validate`."""

    path: str
    predictions: tuple[Prediction, ...]
    skipped: tuple[Skipped, ...]
    replicates: int
    seed: int
    targets: tuple[TargetResult, ...] = ()
    """Empty where they were not asked for."""
    sensitivity: Dependence | None = None

    @cached_property
    def rows(self) -> tuple[Row, ...]:
        return tuple(row(each) for each in self.predictions)

    @cached_property
    def summary(self) -> tuple[Scores, ...]:
        return summary(self.predictions)

    @cached_property
    def summary_by_split(self) -> dict[str, tuple[Scores, ...]]:
        """Of SPLITS."""
        return {
            split: summary([p for p in self.predictions if p.observation.scored_as == split])
            for split in SPLITS
        }

    @cached_property
    def ratios(self) -> Ratios:
        return ratio_summary(self.predictions)

    def to_json(self) -> dict[str, Any]:
        """Plain data, as `lissive validate --json` prints it."""
        return {
            "summary": [each.to_json() for each in self.summary],
            "rows": [asdict(each) for each in self.rows],
            "skipped": [{"study": s.study, "why": f"{s.what}: {s.why}"} for s in self.skipped],
            "summary_by_split": {
                split: [each.to_json() for each in found] for split, found in self.summary_by_split.items()
            },
            "ratios": asdict(self.ratios),
            "studies": self.path,
            "replicates": self.replicates,
            "seed": self.seed,
            "targets": [each.to_json() for each in self.targets],
            "sensitivity": None if self.sensitivity is None else self.sensitivity.to_json(),
        }


def validate(
    studies: str | Path | Studies | None = None,
    *,
    replicates: int = 200,
    seed: int = 1,
    with_targets: bool = True,
    with_sensitivity: bool = False,
    threads: int | None = None,
    progress: Progress | None = None,
) -> Validation:
    """Simulate every observation of the studies as it was made, `replicates` times each, and compare.

    Parameters
    ----------
    studies : a file of studies; those that come with Lissive if not given.
    with_targets : also the targets of the endocannabinoid and spasm modules.
    with_sensitivity : also what the clinical outputs depend on, and what data can tell: some minutes more.
    progress : called with a step ("arms", "sensitivity") and the proportion of it that is done.
    """
    if studies is None:
        studies = shipped_studies()
    elif not isinstance(studies, Studies):
        studies = read_studies(path_of(studies, wrong=StudyError, name="studies"))
    replicates = whole("replicates", replicates, wrong=StudyError, most=MOST_REPLICATES)
    seed = whole("seed", seed, wrong=StudyError, least=0)
    cores = threads_of(threads, wrong=StudyError)
    if with_sensitivity:
        need("sensitivity", "Sensitivity analysis")
    arms = len(studies.observations)
    predictions = predict_studies(
        studies.observations,
        replicates=replicates,
        seed=seed,
        threads=cores,
        beside=Beside(uncertainty, between_study(), within_study()),
        progress=None if progress is None else lambda done: progress("arms", done / max(arms, 1)),
    )
    unscored = tuple(
        Skipped(p.observation.study, p.observation.metric, "no simulated person had enough concentrations")
        for p in predictions
        if not np.isfinite(p.predicted)
    )
    return Validation(
        studies.path,
        tuple(p for p in predictions if np.isfinite(p.predicted)),
        (*studies.skipped, *unscored),
        replicates,
        seed,
        tuple(targets(threads=cores)) if with_targets else (),
        dependence(seed=seed, threads=cores, progress=progress) if with_sensitivity else None,
    )


def dependence(*, seed: int = 1, threads: int | None = None, progress: Progress | None = None) -> Dependence:
    """Sensitivity of the clinical outputs, identifiability, and what the calibration has learned."""
    errors = standard_errors()
    return Dependence(
        sensitivity(
            log_sd=errors,
            threads=threads,
            seed=seed,
            progress=None if progress is None else lambda done: progress("sensitivity", done / 100.0),
        ),
        identifiability(log_sd=errors, threads=threads),
        contraction(prior_errors(), errors),
    )


# -- aims for the pharmacokinetics -----------------------------------------------------------------
BOUNDS = ("at most", "at least")


@dataclass(frozen=True)
class Aim:
    """One aim and what was found."""

    what: str
    """gmfe, within_2 and other scores of an analyte's exposure; or ratios."""
    analyte: str
    """As printed; `-` for ratios."""
    split: str
    text: str
    bound: str
    """at most, or at least."""
    limit: float
    value: float | None
    """None where nothing was observed that it could be judged by."""
    n: int
    """Observations behind it, those read and those recalled."""

    @property
    def met(self) -> bool | None:
        if self.value is None:
            return None
        return self.value <= self.limit if self.bound == "at most" else self.value >= self.limit


def aims(validation: Validation) -> list[Aim]:
    """Every aim, over all observations of its split, read and recalled.

    Raises
    ------
    ParameterError
        For a bound that is no bound.
    """
    return [_aim(row, validation) for row in rows_of(Path(__file__).with_name("reach.tsv"))]


def _aim(row: dict[str, str], validation: Validation) -> Aim:
    if row["measure"] not in BOUNDS:
        raise ParameterError(
            f"measure is {row['measure']!r}.", where=f"reach.tsv: {row['text']}", allowed=", ".join(BOUNDS)
        )
    value: float | None
    if row["what"] == "ratios":
        value, n = validation.ratios.share, validation.ratios.n
    else:
        found = overall(validation.summary_by_split[row["split"]], row["analyte"])
        value, n = (getattr(found, row["what"]), found.n) if found else (None, 0)
    return Aim(
        row["what"], row["analyte"], row["split"], row["text"], row["measure"], float(row["limit"]), value, n
    )


def overall(summary: Sequence[Scores], analyte: str, provenance: str = "all") -> Scores | None:
    """The scores of an analyte's exposure over all routes, from a summary; None where it was not observed."""
    key = (analyte, "all", provenance, "all")
    return next(
        (row for row in summary if (row.analyte, row.route, row.provenance, row.metric) == key),
        None,
    )

"""What the page on credibility shows and no other page does: priors that data do not move, and the ledgers.

Contexts of use and what is accepted in each: contexts.tsv, written before the results. Fits that were ever shipped:
fits.tsv. What the answers do when a prior is moved: prior_sensitivity.tsv, made by `prior_sensitivity`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lissive.calibrate.response import SUM_BETWEEN, priors
from lissive.fingerprint import of_bytes
from lissive.model.parameters import FOLDER, load_parameters
from lissive.table import rows_of
from lissive.trials.conduct import conduct
from lissive.trials.design import Design, make_design
from lissive.trials.people import DRAWS, Response
from lissive.trials.published import shipped_published

HERE = Path(__file__).parent
FOUND = HERE.parent / "calibrate" / "found"
LITTLE = 0.2
"""Contraction of the posterior below which data hardly moved a prior: nine tenths of its spread are left."""
FITS = {"response": DRAWS, "kinetics": FOLDER / "fitted.tsv"}
"""What is fitted to the file that a fit is known by."""
OUTCOMES = ("spasms_per_day", "spasticity_nrs", "pain_nrs", "sleep_nrs")
PATIENTS, WEEKS = 150, 12
Z90 = 1.645


@dataclass(frozen=True)
class Unmoved:
    """A parameter that trials say little or nothing of, and the ends of what it may be."""

    name: str
    low: float
    high: float
    why: str
    """prior (5 % to 95 %), range (ranges.tsv), or half (half and one and a half times the value)."""
    contraction: float | None
    """None where it is not fitted."""


def unmoved() -> tuple[Unmoved, ...]:
    """Fitted parameters whose prior hardly moved, and every largest effect of CB1 (`Im_`), fitted or not."""
    fitted = {row["name"]: float(row["contraction"]) for row in rows_of(FOUND / "response.tsv")}
    ranges = {row["name"]: row for row in rows_of(FOLDER / "ranges.tsv")}
    prior = {each.name: each for each in priors()}
    known = load_parameters()
    names = [name for name, c in fitted.items() if c < LITTLE and name in known]
    names += [name for name in known if name.startswith("Im_") and name not in names]
    found = []
    for name in names:
        if name in prior:
            low, high = (float(prior[name].at(z)) for z in (-Z90, Z90))
            found.append(Unmoved(name, low, high, "prior", fitted.get(name)))
        elif name in ranges:
            low, high = (float(ranges[name][end]) for end in ("lower", "upper"))
            found.append(Unmoved(name, low, high, "range", None))
        else:
            value = known[name].value
            found.append(Unmoved(name, 0.5 * value, 1.5 * value, "half", None))
    return tuple(found)


def unmoved_elsewhere() -> list[str]:
    """Fitted parameters whose prior hardly moved, and that are of trials, doses or ratings, not of the model."""
    known = load_parameters()
    rows = rows_of(FOUND / "response.tsv")
    return [row["name"] for row in rows if float(row["contraction"]) < LITTLE and row["name"] not in known]


def _design(patients: int) -> Design:
    arm = {"product": "nabiximols", "most_per_day": 12, "units_counted": "spray"}
    return make_design(
        {
            "trial": "sensitivity",
            "population": {"cause": "multiple_sclerosis", "inclusion": {"spasticity_nrs": {"at_least": 4}}},
            "patients": patients,
            "arms": {"drug": arm, "placebo": {**arm, "placebo": True}},
            "weeks": WEEKS,
            "visits_weeks": [WEEKS],
            "endpoints": [{"measure": name} for name in OUTCOMES],
        }
    )


def effects(values: Mapping[str, float], patients: int = PATIENTS) -> dict[str, float]:
    """Outcome to the mean difference, drug less placebo, of the same people at week 12; of spasms in percent."""
    design = _design(patients)
    answer = Response({**values, **dict.fromkeys(SUM_BETWEEN, 0.0)})
    arms = [conduct(design, [0], seed=1, responses=[answer], all_on=arm)[0] for arm in design.arms]
    found = {}
    for name in OUTCOMES:
        drug, placebo = (float(np.nanmean(each.values[name])) for each in arms)
        found[name] = 100.0 * (drug / placebo - 1.0) if name == "spasms_per_day" else drug - placebo
    return found


def prior_sensitivity(patients: int = PATIENTS) -> Iterator[dict[str, str]]:
    """A row for each parameter that data do not move: the effects at either end of what it may be."""
    for each in unmoved():
        low, high = (effects({each.name: value}, patients) for value in (each.low, each.high))
        yield {
            "name": each.name,
            "low": f"{each.low:.3g}",
            "high": f"{each.high:.3g}",
            "why": each.why,
            "contraction": "-" if each.contraction is None else f"{each.contraction:.2f}",
            **{
                f"{name}_{end}": f"{of[name]:.2f}"
                for name in OUTCOMES
                for end, of in (("low", low), ("high", high))
            },
        }


# -- the ledgers -------------------------------------------------------------------------------------
def current_fits() -> dict[str, str]:
    """What is fitted to the hash of the fit that ships now."""
    return {what: of_bytes(path.read_bytes(), 12) for what, path in FITS.items()}


def unlisted() -> list[str]:
    """Fits that ship now and are not the last of their kind in the ledger, each as the line to be added."""
    last = {row["what"]: row["sha256"] for row in rows_of(HERE / "fits.tsv")}
    return [f"{what}\tDATE\t{now}\tWHY" for what, now in current_fits().items() if last.get(what) != now]


def seen() -> list[tuple[str, str, int]]:
    """Trials that are not fitted on: id, split, and how many of their figures the shipped tables show."""
    return [
        (trial.id, trial.split, len(trial.observed))
        for trial in shipped_published().trials
        if trial.split != "calibration"
    ]

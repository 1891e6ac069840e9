"""Who is in a trial: how people respond, posterior draws of it, screening and enrolment.

A response is the parameters that say how people respond where they are not to be the tables' own: one answer of a
calibration. Names are those of the model's parameters; `spread of NAME` is how one differs between people, `titration
NAME`, `rating NAME` and `between NAME` are rows of simulation/titration.tsv, simulation/ratings.tsv and between.tsv.

Patient k of a replicate is the same person whatever else the design says: each of their numbers comes from a stream
of its own, at their own place.
"""

from __future__ import annotations

import csv
import hashlib
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from scipy.special import expit, logit, ndtr, ndtri

from lissive.arrays import BoolArray, FloatArray, IntArray
from lissive.errors import DesignError
from lissive.given import whole
from lissive.model.parameters import Parameter, load_parameters
from lissive.simulation.days import thresholds
from lissive.simulation.draw import Centres, draw, tables
from lissive.simulation.kinetics import kinetics
from lissive.simulation.ratings import figures
from lissive.simulation.streams import normals, uniforms
from lissive.table import constants, rows_of
from lissive.trials.design import Design
from lissive.trials.observe import observe_visit, ratings_of
from lissive.trials.parts import MEASURES, MOST_REPLICATES
from lissive.typed import nearest

SPREAD, TITRATION, RATING, BETWEEN = "spread of ", "titration ", "rating ", "between "
_REFIT = "take the table that lissive calibrate response wrote."
TIED = {"tau_THC": "tau_OH"}
"""Parameters that no trial tells apart: the second follows the first in proportion."""
LOWER_OVER_RAISE = constants(Path(__file__).with_name("assumptions.tsv"))["lower_over_raise"]
MOVED = {
    "placebo": ("max_placebo_spasm", "max_placebo_pain"),
    "effect": ("gain_tone", "Im_pain_brain"),
    "leaving": ("h_drop", "h_drop_adverse", "h_drop_nocebo"),
    "adverse": ("h_drop_adverse", "h_drop_nocebo"),
    "pain": ("max_placebo_pain",),
    "dizziness": ("h_dizzy", "h_dizzy_drug"),
    "dose": ("titration willing",),
    "dose_spread": ("titration willing_spread",),
    "noise": ("rating course_sd", "rating rating_sd", "rating visit_sd"),
}
"""Between-trial random effects: on placebo response, drug effect, discontinuation, that for side effects apart, the
placebo response of pain apart, dizziness, doses, how people differ in them, and how ratings fluctuate."""


@cache
def between_trials() -> Mapping[str, float]:
    """The figures of between.tsv."""
    return {row["name"]: float(row["value"]) for row in rows_of(Path(__file__).parent / "between.tsv")}


@cache
def of_cause(cause: str) -> tuple[Mapping[str, str], ...]:
    """What is to be thought of a cause that no trial was fitted on (causes.tsv); nothing of one that was."""
    return tuple(row for row in rows_of(Path(__file__).parent / "causes.tsv") if row["cause"] == cause)


_SCALES: Mapping[str, tuple[Callable[[float], Any], Callable[[float], Any]]] = {
    "none": (float, float),
    "log": (np.log, np.exp),
    "logit": (logit, expit),
}


@dataclass(frozen=True)
class Response:
    """One set of values; what is not named is as the tables have it."""

    values: Mapping[str, float] = field(default_factory=dict)

    def typical(self, cause: str, seed: int) -> dict[str, float]:
        """Centres of the model's parameters, in the trial of this seed.

        Trials differ beyond chance (`MOVED`, between.tsv). Of a cause
        without a trial to fit on, effect and placebo response are not those of another cause: they are drawn from
        what is known beforehand (causes.tsv), once for all patients.
        """
        known = tables(cause)[0]
        centre = {name: value for name, value in self.values.items() if name in known}
        for name, other in TIED.items():
            if name in centre and other not in centre:
                centre[other] = known[other].value * centre[name] / known[name].value
        for row in of_cause(cause):
            by = float(row["sd"]) * float(normals(seed, f"cause: {row['name']}", 1)[0])
            there, back = _SCALES[row["scale"]]
            centre[row["name"]] = float(back(there(float(row["value"])) + by))
        spread = {**between_trials(), **self._after(BETWEEN)}
        for kind, names in MOVED.items():
            by = spread[kind] * _of_trial(seed, kind)
            for name in (each for each in names if each in known):
                centre[name] = _moved(known[name], centre.get(name, known[name].value), by)
        return centre

    def spread(self) -> dict[str, float]:
        """Spreads of the model's parameters between people."""
        return self._after(SPREAD)

    def titration(self, seed: int | None = None) -> dict[str, float]:
        """All figures of titration, in the trial of this seed; both bounds of intoxication move together."""
        own = self._after(TITRATION)
        if "raise_below" in own:
            own["lower_above"] = LOWER_OVER_RAISE * own["raise_below"]
        return self._in_trial(("dose", "dose_spread"), TITRATION, {**thresholds(), **own}, seed)

    def rating(self, seed: int | None = None) -> dict[str, float]:
        """All figures of ratings, in the trial of this seed; as trials are on average if none is given.

        Populations and instruments differ: in one trial all ratings fluctuate more than in another (between.tsv).
        """
        return self._in_trial(("noise",), RATING, {**figures(), **self._after(RATING)}, seed)

    def _in_trial(
        self, kinds: Sequence[str], prefix: str, figure: Mapping[str, float], seed: int | None
    ) -> dict[str, float]:
        """Figures that are multiplied by a number of the trial of this seed, one of each kind; as they are if no seed
        is given."""
        found = dict(figure)
        if seed is None:
            return found
        for kind in kinds:
            by = float(np.exp({**between_trials(), **self._after(BETWEEN)}[kind] * _of_trial(seed, kind)))
            for name in MOVED[kind]:
                found[name.removeprefix(prefix)] *= by
        return found

    def _after(self, prefix: str) -> dict[str, float]:
        return {name.removeprefix(prefix): v for name, v in self.values.items() if name.startswith(prefix)}


def _of_trial(seed: int, kind: str) -> float:
    """The standard normal number of a trial of this seed, of one way in which trials differ."""
    return float(normals(seed, f"between trials: {kind}", 1)[0])


def _moved(row: Parameter, value: float, by: float) -> float:
    """Up or down on the scale on which it can be anything: shares on the logit, others on the logarithm."""
    share = row.distribution == "logitnormal" or row.name.startswith("Im_")
    return float(expit(logit(value) + by)) if share else float(value * np.exp(by))


TABLES = Response()
"""All as in the tables."""


# -- posterior draws of the calibrated response: a table, one draw a row -------------------------------
DRAWS = Path(__file__).parent / "response_draws.csv"


def draws(n: int, seed: int, path: Path | None = None) -> list[Response]:
    """`n` rows drawn with replacement, each with kinetics of its own; draw k is the same one, however many there are.

    Parameters
    ----------
    path : the table; the one that comes with Lissive if not given.

    Raises       DesignError where there is no such table, a column is no parameter, or a row is not numbers.
    """
    n = whole("n", n, wrong=DesignError, least=0, most=MOST_REPLICATES)
    seed = whole("seed", seed, wrong=DesignError, least=0)
    rows = _rows(path or DRAWS)
    places = (uniforms(seed, "response draws", n) * len(rows)).astype(int)
    return with_kinetics([rows[place] for place in places], seed)


def with_kinetics(responses: Sequence[Response], seed: int) -> list[Response]:
    """Response k with the kinetics of draw k; what a response says of kinetics itself stands."""
    drawn = kinetics(len(responses), seed)
    return [Response({**own, **each.values}) for own, each in zip(drawn, responses, strict=True)]


def _rows(path: Path) -> list[Response]:
    try:
        with path.open(encoding="utf-8", newline="") as file:
            head, *lines = [line for line in csv.reader(file) if line]
    except FileNotFoundError:
        raise DesignError(
            "There are no posterior draws.",
            where=str(path),
            do="omit --assurance: all replicates then have the tables' parameters.",
        ) from None
    except ValueError:
        raise DesignError(
            "The table is empty.", where=str(path), allowed="a header, and a row for each draw.", do=_REFIT
        ) from None
    _check_names(head, path)
    if not lines:
        raise DesignError(
            "The table has no draw.", where=str(path), allowed="a row for each draw.", do=_REFIT
        )
    return [Response(_values(head, line, path, number)) for number, line in enumerate(lines, 2)]


def _check_names(head: list[str], path: Path) -> None:
    """A name that no table knows would be passed over in silence."""
    known = {*load_parameters()}
    known |= {SPREAD + name for name in known}
    known |= {TITRATION + name for name in thresholds()} | {RATING + name for name in figures()}
    known |= {BETWEEN + name for name in between_trials()}
    for name in head:
        if name not in known:
            raise DesignError(
                f"Unknown parameter {name!r}.{nearest(name, known)}",
                where=f"{path}:1",
                allowed=f"names of the model's parameters, also after {SPREAD!r}; {TITRATION!r}, {RATING!r} or "
                f"{BETWEEN!r} and one of their parameters.",
                do="correct the header, or remove the column.",
            )


def _values(head: list[str], line: list[str], path: Path, number: int) -> dict[str, float]:
    try:
        values = {name: float(text) for name, text in zip(head, line, strict=True)}
    except ValueError:
        values = {"": math.nan}
    if not all(math.isfinite(value) for value in values.values()):
        raise DesignError(
            "The row does not have a number for each parameter.",
            where=f"{path}:{number}",
            allowed=f"{len(head)} finite numbers.",
            do="correct the row, or remove it.",
        )
    return values


# -- screening and enrolment ----------------------------------------------------------------------------
@dataclass(frozen=True)
class People:
    """Those enrolled, of one replicate."""

    replicate: int
    seed: int
    screening_id: IntArray
    parameters: Mapping[str, FloatArray]
    """Model parameter to (patient,)."""
    screening: Mapping[str, FloatArray]
    screened: int
    response: Response

    def __len__(self) -> int:
        return len(self.screening_id)

    def take(self, members: IntArray) -> People:
        """These people alone."""
        return replace(
            self,
            screening_id=self.screening_id[members],
            parameters={name: values[members] for name, values in self.parameters.items()},
            screening={name: values[members] for name, values in self.screening.items()},
        )

    @classmethod
    def joined(cls, parts: Sequence[People]) -> People:
        """Those who were enrolled one after the other, as one."""

        def one(name: str) -> dict[str, FloatArray]:
            return {k: np.concatenate([getattr(p, name)[k] for p in parts]) for k in getattr(parts[0], name)}

        numbers = np.concatenate([each.screening_id for each in parts])
        return replace(
            parts[-1], screening_id=numbers, parameters=one("parameters"), screening=one("screening")
        )


def seed_of(seed: int, replicate: int) -> int:
    """A replicate's own seed.

    >>> seed_of(1, 2) != seed_of(1, 3)
    True
    """
    return int.from_bytes(hashlib.sha256(f"trial {seed}/{replicate}".encode()).digest()[:8], "big")


def recruit(
    design: Design,
    replicate: int,
    *,
    seed: int,
    response: Response,
    needed: int | None = None,
    first: int = 0,
) -> People:
    """Draw people until as many are enrolled as are needed, or as many were screened as the design allows.

    Parameters
    ----------
    needed : how many are to be enrolled; as many as enter a run-in, or else are randomised, if not given.
    first : number of the first person to be screened.

    Raises       DesignError where nobody of all who may be screened meets the criteria.
    """
    own = seed_of(seed, replicate)
    if needed is None:
        needed = (
            design.run_in.patients if design.run_in and design.run_in.patients else design.patients
        ) or 0
    limit = design.population.most_screened
    # who has used the drug for long meets the criteria, or not, on it
    choosy = bool(design.population.inclusion) and not (design.run_in and design.run_in.established)
    asked, let_in = first, np.zeros(0, np.int64)
    parts: list[tuple[Mapping[str, FloatArray], Mapping[str, FloatArray]]] = []
    while not parts or (len(let_in) < needed and asked < limit):
        block = _block(needed - len(let_in), len(let_in), asked - first, limit - asked, choosy)
        drawn = _drawn(design, own, response, asked, block)
        numbers = np.arange(asked, asked + block)
        ratings = _screening_ratings(design, own, numbers, drawn, response)
        good = fits(design, ratings, block) if choosy else np.ones(block, bool)
        let_in = np.concatenate([let_in, numbers[good]])
        parts.append(({k: v[good] for k, v in drawn.items()}, {k: v[good] for k, v in ratings.items()}))
        asked += block
    if not len(let_in) and not first and needed:
        said = ", ".join(
            f"{name} {f'from {r.at_least:g} ' if r.at_least is not None else ''}"
            f"{f'to {r.at_most:g}' if r.at_most is not None else ''}".strip()
            for name, r in design.population.inclusion.items()
        )
        raise DesignError(
            f"{asked} were screened, and nobody met the criteria ({said}).",
            where="population.inclusion",
            allowed="criteria that enough people meet.",
            do="widen inclusion, correct population.baseline, or raise population.most_screened.",
        )
    parameters = {name: np.concatenate([p[name] for p, _ in parts])[:needed] for name in parts[0][0]}
    ratings = {name: np.concatenate([r[name] for _, r in parts])[:needed] for name in parts[0][1]}
    screened = int(let_in[needed - 1]) + 1 if 0 < needed <= len(let_in) else asked
    return People(replicate, own, let_in[:needed], parameters, ratings, screened, response)


def _block(missing: int, found: int, asked: int, left: int, choosy: bool) -> int:
    """How many to ask next; it changes nobody."""
    left = min(left, _ASKED_AT_ONCE)
    if not choosy or missing <= 0:
        return max(min(missing, left), 0)
    share = max(found / asked, 0.02) if asked else 0.8
    return min(int(missing / share * 1.1) + 8, left)


_ASKED_AT_ONCE = 20_000


def _drawn(design: Design, own: int, response: Response, first: int, n: int) -> dict[str, FloatArray]:
    """(patient,) values of all parameters of people number `first` and on."""
    population = design.population
    given: dict[str, float] = {
        "placebo_on": 1.0,
        "in_trial": 1.0,
        "healing_on": 1.0,
        "heavy_user": float(population.heavy_users),
    }
    if population.fed is not None:
        given["fed"] = float(population.fed)
    people = draw(
        n,
        seed=own,
        cause=population.cause,
        given=given,
        first=first,
        own=Centres(response.typical(population.cause, own), response.spread()),
        lasting=True,
    )
    values = people.columns(n)
    for measure, wanted in population.baseline.items():
        u = uniforms(own, f"parameter: {MEASURES[measure].baseline}", n, first)
        values[MEASURES[measure].baseline] = _between(u, wanted.mean, wanted.sd, measure)
    return values


def _between(u: FloatArray, mean: float, sd: float, measure: str) -> FloatArray:
    """Normal, cut off at the ends of the measure; just above its lower end, as a share of it is taken."""
    top = MEASURES[measure].upper
    lower = 0.05 * mean if mean else 0.05
    if sd == 0.0:
        return np.full(len(u), min(max(mean, lower), top))
    low, high = ndtr((lower - mean) / sd), ndtr((top - mean) / sd)
    values: FloatArray = mean + sd * ndtri(low + u * (high - low))
    return values


def _screening_ratings(
    design: Design,
    seed: int,
    screening_id: IntArray,
    parameters: Mapping[str, FloatArray],
    response: Response,
) -> dict[str, FloatArray]:
    """Measure to (patient,): what inclusion looks at, before everything."""
    ratings = ratings_of(design, seed, screening_id, 0, response.rating(seed))
    found = {"": np.zeros(len(screening_id))}
    for name in design.population.inclusion:
        level = np.repeat(parameters[MEASURES[name].baseline][:, None], design.diary_days, axis=1)
        found[name] = observe_visit(design, ratings, name, level, -1)
    return found


def fits(design: Design, ratings: Mapping[str, FloatArray], n: int) -> BoolArray:
    """(patient,) whether the inclusion criteria are met by these ratings of `n` people."""
    met = np.ones(n, dtype=bool)
    for name, wanted in design.population.inclusion.items():
        if wanted.at_least is not None:
            met &= ratings[name] >= wanted.at_least
        if wanted.at_most is not None:
            met &= ratings[name] <= wanted.at_most
    return met

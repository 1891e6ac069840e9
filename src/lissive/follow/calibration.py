"""How far the probability of benefit and the ranges of a follow-up can be trusted: simulated people with a known truth.

Everybody takes the same doses, so that one set of virtual people serves as the prior of all. People are drawn from the
model, or from generators that are not it; each set's figures are given apart. Nothing is fitted on the result.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from scipy.special import expit, logit

from lissive.arrays import BoolArray, FloatArray
from lissive.case import make_case
from lissive.chunks import HERE, How, run_chunks
from lissive.errors import SimulationError
from lissive.files import new_folder
from lissive.fingerprint import of_folder
from lissive.follow.advise import decisions
from lissive.follow.diary import Day, Diary, Dose
from lissive.follow.doses import schedule_of, taken_of
from lissive.follow.people import People, first_people, levels, placebo_of
from lissive.follow.update import (
    LEVEL_MEAN,
    LEVEL_SD,
    SCALE,
    Observed,
    drawn_levels,
    expected,
    sampled,
    update,
)
from lissive.forecast.predict import DRAWS
from lissive.forecast.treatment import treatment
from lissive.given import threads_of, whole
from lissive.model import load
from lissive.simulation.origin import model_hash
from lissive.simulation.streams import normals
from lissive.trials.people import DRAWS as RESPONSES
from lissive.versions import stamped

BEFORE, TREATED, AHEAD = 7, 84, 28
KEPT = 0.85
"""Proportion of days with an entry (assumed)."""
WEEK = 7
RULE_DAY, RULE_FALL = 28, 0.2
SPRAYS = tuple(min(1 + day // 2, 8) for day in range(TREATED))
SAMPLES = 400
YEAR = 12.0
CASE = {
    "case": "check",
    "spasm": {"cause": "multiple_sclerosis"},
    "plan": {"product": "nabiximols", "titration": "fixed", "sprays_per_day": 8, "weeks": 12},
}

SETS = {
    "model": "as the model has it",
    "no_drug_effect": "the drug does nothing; placebo, ups and downs as the model has them",
    "persistent_placebo": "the drug does nothing; a placebo response of 35 % within days, which stays",
    "flares": "one relapse each: 3 points more at a random time, half gone in two weeks",
    "selective_gaps": "on a bad day the diary is mostly left blank",
    "favourite_numbers": "ratings are rounded to 0, 2, 5, 8 or 10",
}
"""Who is simulated; only the first is the model."""


@dataclass(frozen=True)
class Set:
    """The figures of one set of people."""

    name: str
    what: str
    people: int
    coverage_90: float
    """Of the mean rating of the fourth week ahead, by its 90 % interval."""
    coverage_50: float
    effect_coverage_90: float
    effect_coverage_50: float
    benefit: float
    """Proportion in whom the drug truly takes off the threshold."""
    mean_probability: float
    mean_prior: float
    slope: tuple[float, float, float] | None
    """Of the truth on the logit of the probability: estimate, 95 % interval; None if all or none benefit."""
    ece: tuple[float, float, float]
    """Expected calibration error in five bins: estimate, 95 % bootstrap interval."""
    brier: Mapping[str, float]
    """Of the probability; of its prior; of the rule taken as 0 or 1; of always 1."""
    within_a_tenth: float
    """Proportion whose probability is within 0.1 of its prior."""
    policies: Mapping[str, tuple[float, float]]
    """Policy to (months on a drug that does not help, months of benefit lost) a year and person."""
    ess: tuple[float, float]
    """Median, smallest."""


@dataclass(frozen=True)
class Calibration:
    """The whole study."""

    threshold: float
    people: int
    prior_people: int
    seed: int
    sets: tuple[Set, ...]
    curve: tuple[tuple[float, float, int], ...]
    """Of the model's own people, by bin: mean probability, proportion with the benefit, people."""

    def to_json(self) -> dict[str, Any]:
        return stamped(asdict(self), "model")


def calibration_study(
    people: int = 2000,
    *,
    prior_people: int = 4000,
    seed: int = 1,
    threads: int | None = None,
    progress: Callable[[float], None] | None = None,
    folder: Path | None = None,
    how: How = HERE,
) -> Calibration:
    """Follow `people` simulated people up in each set.

    Parameters
    ----------
    progress : called with the proportion that is done, where nothing is kept in chunks.
    folder : where each finished chunk is kept; nothing is written if not given.
    how : where chunks are worked on, and whether those in `folder` are continued.

    Raises       SimulationError for a number that cannot be.
    """
    people = whole("people", people, wrong=SimulationError, least=20)
    prior_people = whole("prior_people", prior_people, wrong=SimulationError, least=DRAWS)
    seed = whole("seed", seed, wrong=SimulationError, least=0)
    size = -(-prior_people // DRAWS) * DRAWS
    cores = threads_of(threads, wrong=SimulationError)
    if folder is None:
        study = _study(_solved(size + people, seed, cores), size, people, seed)
        found = {name: _rows(study, name, _told(people, progress, k)) for k, name in enumerate(SETS)}
    else:
        with new_folder(folder):
            found = _rows_in(folder, size, people, seed, cores, how)
    threshold = _threshold()
    of_model = found["model"]
    return Calibration(
        100.0 * threshold,
        people,
        size,
        seed,
        tuple(_score(name, rows, threshold, seed) for name, rows in found.items()),
        _curve(of_model[:, 0], of_model[:, 2] >= threshold),
    )


def _threshold() -> float:
    return decisions()["threshold spasticity_nrs"] / 100.0


@dataclass(frozen=True)
class _Study:
    """What all sets share: the people of the prior, as far as the diary goes and to the end, and those with a truth."""

    past: People
    drawn: Any
    longer: Any
    truth: People
    seed: int


def _study(solved: People, size: int, people: int, seed: int) -> _Study:
    prior, truth = solved.take(np.arange(size)), solved.take(np.arange(size, size + people))
    past = replace(
        prior,
        outputs={name: value[:, :TREATED] for name, value in prior.outputs.items()},
        believing=prior.believing[:TREATED],
    )
    outcome = "spasticity_nrs"
    return _Study(past, drawn_levels(past, outcome), drawn_levels(prior, outcome), truth, seed)


def _rows(study: _Study, name: str, members: Iterable[int]) -> FloatArray:
    """What was found of these people of a set, a row each: a person's numbers do not depend on the others."""
    made, k = _make(study.truth, name, study.seed), list(SETS).index(name)
    past, drawn, longer = study.past, study.drawn, study.longer
    return np.array(
        [
            _one(past, drawn, longer, made, i, _threshold(), np.random.default_rng([study.seed, k, i]))
            for i in members
        ]
    )


def _told(people: int, progress: Callable[[float], None] | None, k: int) -> Iterator[int]:
    for i in range(people):
        if progress:
            progress((k + i / people) / len(SETS))
        yield i


# -- the same in chunks ---------------------------------------------------------------------------------
AT_ONCE = 50


def _rows_in(
    folder: Path, size: int, people: int, seed: int, threads: int, how: How
) -> dict[str, FloatArray]:
    """Set to its rows: first the people solved, in one chunk that all others read, then some people of a set each."""
    package = Path(__file__).parents[1]
    made_by = (
        of_folder(package, "**/*.tsv"),
        of_folder(package, "**/*.py"),
        of_folder(RESPONSES.parent, RESPONSES.name),
    )
    inputs = [size, people, seed, model_hash(load("lissive")), *made_by]
    first = {"people.npz": (size + people, seed, threads if how.cluster is None else 1)}
    (solved,) = run_chunks(
        _solve_people, first, folder / "people", inputs=inputs, how=replace(how, progress=None)
    )
    chunks = {
        f"{name}-{start + 1:05d}.npy": (
            solved.resolve(),
            size,
            people,
            seed,
            name,
            range(start, min(start + AT_ONCE, people)),
        )
        for name in SETS
        for start in range(0, people, AT_ONCE)
    }
    paths = run_chunks(_write_rows, chunks, folder / "sets", inputs=inputs, how=how)
    of_set = zip(chunks.values(), paths, strict=True)
    kept = [(argument[4], np.load(path, allow_pickle=False)) for argument, path in of_set]
    return {name: np.concatenate([rows for set_, rows in kept if set_ == name]) for name in SETS}


def _solve_people(argument: tuple[int, int, int], place: Path) -> None:
    solved = _solved(*argument)
    arrays = {f"{kind} {name}": v for kind in _KINDS for name, v in getattr(solved, kind).items()}
    with place.open("wb") as file:
        np.savez(file, believing=solved.believing, **arrays)


_KINDS = ("outputs", "parameters", "rating")


@lru_cache(maxsize=1)
def _study_in(path: Path, size: int, people: int, seed: int) -> _Study:
    """The study of the solved people in a file, read once in each process."""
    found: dict[str, dict[str, FloatArray]] = {kind: {} for kind in _KINDS}
    with np.load(path, allow_pickle=False) as kept:
        for key in kept.files:
            kind, _, name = key.partition(" ")
            if name:
                found[kind][name] = kept[key]
        solved = People(found["outputs"], found["parameters"], found["rating"], kept["believing"])
        return _study(solved, size, people, seed)


def _write_rows(argument: tuple[Path, int, int, int, str, range], place: Path) -> None:
    *whose, name, members = argument
    with place.open("wb") as file:
        np.save(file, _rows(_study_in(*whose), name, members))


def _solved(subjects: int, seed: int, threads: int) -> People:
    case, equations = make_case(CASE), load("lissive")
    plan = treatment(case, equations)
    start = datetime.date(2026, 1, 5)
    days = tuple(
        Day(start + datetime.timedelta(days=k), (k,), {}, (Dose(sprays=float(n)),))
        for k, n in enumerate(SPRAYS)
    )
    taken = taken_of(Diary("check", days, len(days), ()), plan.product)
    schedule = schedule_of(equations, taken, plan.product, continuing=AHEAD)
    return first_people(
        case, plan, equations, schedule, TREATED + AHEAD, numbers=range(subjects), seed=seed, threads=threads
    )


# -- people with a known truth ----------------------------------------------------------------------------
@dataclass(frozen=True)
class _Made:
    """(person, day) diaries from BEFORE days before the first dose on; NaN where there is no entry."""

    entries: FloatArray
    ahead: FloatArray
    """(person,) mean rating of the last week ahead."""
    effect: FloatArray
    """(person,) what the drug truly takes off at the end of the diary."""


def _make(truth: People, name: str, seed: int) -> _Made:
    n, days = len(truth), BEFORE + TREATED + AHEAD
    random = np.random.default_rng([seed, 1000 + list(SETS).index(name)])
    effects = levels(truth, "spasticity_nrs", placebo_of(truth, "spasticity_nrs", np.arange(n)))
    drug, without = effects.drug, effects.without
    if name in ("no_drug_effect", "persistent_placebo"):
        drug = without
    if name == "persistent_placebo":
        drug = without = np.broadcast_to(
            1.0 - 0.35 * -np.expm1(-(np.arange(TREATED + AHEAD) + 0.5) / 3.0), drug.shape
        )
    level = np.clip(LEVEL_MEAN + LEVEL_SD * normals(seed, "check: level", n), 2.0, 9.0)
    sd, memory = truth.rating["course_sd"], truth.rating["course_days"]
    course = np.empty((n, days))
    course[:, 0] = random.standard_normal(n) * sd
    keep = np.exp(-1.0 / memory)
    for day in range(1, days):
        course[:, day] = keep * course[:, day - 1] + sd * np.sqrt(1.0 - keep**2) * random.standard_normal(n)
    x = np.concatenate([np.ones((n, BEFORE)), drug], axis=1)
    mean = level[:, None] * x + course
    if name == "flares":
        begin = random.integers(BEFORE, BEFORE + TREATED, n)[:, None]
        since = np.arange(days)[None] - begin
        mean = mean + np.where(since >= 0, 3.0 * 0.5 ** (np.maximum(since, 0) / 14.0), 0.0)
    rated = np.clip(mean + truth.rating["rating_sd"][:, None] * random.standard_normal((n, days)), 0.0, SCALE)
    if name == "favourite_numbers":
        favourite = np.array([0.0, 2.0, 5.0, 8.0, 10.0])
        rated = favourite[np.abs(rated[..., None] - favourite).argmin(axis=-1)]
    kept: BoolArray = random.random((n, days)) < KEPT
    if name == "selective_gaps":
        kept = random.random((n, days)) < np.where(rated > level[:, None] + 0.5, 0.35, 0.95)
    entries = np.where(kept, rated, np.nan)[:, : BEFORE + TREATED]
    part = slice(TREATED - WEEK, TREATED)
    effect = 1.0 - drug[:, part].mean(axis=1) / without[:, part].mean(axis=1)
    return _Made(entries, rated[:, -WEEK:].mean(axis=1), effect)


def _one(
    past: People, drawn: Any, longer: Any, made: _Made, i: int, threshold: float, random: np.random.Generator
) -> tuple[float, ...]:
    """Probability, prior, true effect, its place and the later rating's in their posteriors, ESS, fall."""
    entries = made.entries[i]
    day = np.flatnonzero(~np.isnan(entries))
    found = update(past, Observed("spasticity_nrs", day - BEFORE, entries[day]), drawn)
    effect, weights, true = found.effect(), found.weights, made.effect[i]
    helped = effect >= threshold
    value, place = float((weights * helped).sum()), float((weights * (effect < true)).sum())
    days = np.arange(-BEFORE, TREATED + AHEAD)
    draw = sampled(found, SAMPLES, days, random)
    x = np.stack([longer[p].drug[k, -WEEK:] for k, p in zip(draw.person, draw.partner, strict=True)])
    ahead = expected(found, replace(draw, course=draw.course[:, -WEEK:]), x)
    noise = found.people.rating["rating_sd"][draw.person][:, None] * random.standard_normal(ahead.shape)
    weekly = np.clip(ahead + noise, 0.0, SCALE).mean(axis=1)
    later = float((weekly < made.ahead[i]).mean())
    return value, float(helped.mean()), float(made.effect[i]), place, later, found.ess, _fall(entries)


def _fall(entries: FloatArray) -> float:
    """What the four-week rule looks at; NaN where a week has no entry, or the baseline is 0."""
    weeks = (entries[:BEFORE], entries[BEFORE + RULE_DAY - WEEK : BEFORE + RULE_DAY])
    before, after = (
        float(week[~np.isnan(week)].mean()) if (~np.isnan(week)).any() else np.nan for week in weeks
    )
    return 1.0 - after / before if before > 0.0 else np.nan


# -- scores -----------------------------------------------------------------------------------------------
def _score(name: str, rows: FloatArray, threshold: float, seed: int) -> Set:
    p, prior, effect, place, later, ess, fall = rows.T
    truth = (effect >= threshold).astype(float)
    met = np.where(np.isnan(fall), 1.0, (fall >= RULE_FALL).astype(float))
    return Set(
        name,
        SETS[name],
        len(rows),
        _inside(later, 0.9),
        _inside(later, 0.5),
        _inside(place, 0.9),
        _inside(place, 0.5),
        float(truth.mean()),
        float(p.mean()),
        float(prior.mean()),
        slope(p, truth),
        ece(p, truth, seed),
        {
            "probability": float(((p - truth) ** 2).mean()),
            "prior": float(((prior - truth) ** 2).mean()),
            "four_week_rule": float(((met - truth) ** 2).mean()),
            "always_continue": float(((1.0 - truth) ** 2).mean()),
        },
        float((np.abs(p - prior) <= 0.1).mean()),
        _policies(p, met, truth),
        (float(np.median(ess)), float(ess.min())),
    )


def _inside(place: FloatArray, share: float) -> float:
    return float((np.abs(place - 0.5) <= share / 2.0).mean())


def _policies(p: FloatArray, met: FloatArray, truth: FloatArray) -> dict[str, tuple[float, float]]:
    """Months a year on a drug that does not help, and months of benefit that are lost, on average."""
    month_4w, month_12w = RULE_DAY / 365.25 * YEAR, TREATED / 365.25 * YEAR
    stop_below = decisions()["stop_below"]
    ends = {
        "always_continue": np.full(len(p), YEAR),
        "four_week_rule": np.where(met > 0, YEAR, month_4w),
        f"stop_at_12_weeks_under_{stop_below:g}": np.where(p >= stop_below, YEAR, month_12w),
        "rule_and_probability": np.where(met == 0, month_4w, np.where(p >= stop_below, YEAR, month_12w)),
    }
    return {
        name: (float((end * (1.0 - truth)).mean()), float(((YEAR - end) * truth).mean()))
        for name, end in ends.items()
    }


def slope(p: FloatArray, truth: FloatArray) -> tuple[float, float, float] | None:
    """Slope of a logistic regression of the truth on the logit of the probability, with its 95 % interval (Wald)."""
    if truth.min() == truth.max():
        return None
    x = np.column_stack([np.ones(len(p)), logit(np.clip(p, 1e-3, 1.0 - 1e-3))])
    beta = np.zeros(2)
    for _ in range(50):
        mu = expit(x @ beta)
        step = np.linalg.solve((x * (mu * (1.0 - mu))[:, None]).T @ x + 1e-9 * np.eye(2), x.T @ (truth - mu))
        beta = beta + np.clip(step, -2.0, 2.0)
        if np.abs(step).max() < 1e-10:
            break
    mu = expit(x @ beta)
    error = float(np.sqrt(np.linalg.inv((x * (mu * (1.0 - mu))[:, None]).T @ x)[1, 1]))
    return float(beta[1]), float(beta[1] - 1.96 * error), float(beta[1] + 1.96 * error)


def ece(p: FloatArray, truth: FloatArray, seed: int, times: int = 500) -> tuple[float, float, float]:
    """Expected calibration error in five bins of equal size, with a bootstrap interval over people."""
    random = np.random.default_rng([seed, 77])
    again = [_ece(p[k], truth[k]) for k in (random.integers(0, len(p), len(p)) for _ in range(times))]
    low, high = np.quantile(again, (0.025, 0.975))
    return _ece(p, truth), float(low), float(high)


def _ece(p: FloatArray, truth: FloatArray) -> float:
    return sum(n * abs(mean - seen) for mean, seen, n in _curve(p, truth)) / len(p)


def _curve(p: FloatArray, truth: Any, bins: int = 5) -> tuple[tuple[float, float, int], ...]:
    parts = np.array_split(np.argsort(p, kind="stable"), bins)
    return tuple((float(p[k].mean()), float(np.mean(truth[k])), len(k)) for k in parts if len(k))

"""The likelihood of a diary against dense linear algebra, and the people against the whole model."""

from __future__ import annotations

import datetime
from dataclasses import replace

import numpy as np
import pytest
from scipy.special import log_ndtr
from scipy.stats import kstest, linregress, multivariate_normal

from lissive.arrays import FloatArray
from lissive.case import Case, make_case
from lissive.follow import people as crowd
from lissive.follow.diary import Day, Diary, Dose
from lissive.follow.doses import schedule_of, taken_of
from lissive.follow.update import (
    LEVEL_MEAN,
    LEVEL_SD,
    Course,
    Observed,
    _marginal,
    _uncensored,
    censored,
    drawn_levels,
    effective,
    pareto_k,
    resampled,
    smoothed,
    update,
)
from lissive.forecast.treatment import treatment
from lissive.model import load
from lissive.simulation.engine import Tolerances, build
from lissive.simulation.run import to_doses
from lissive.simulation.schedule import Regimen

DAY = np.array([-7, -5, -1, -1, 0, 1, 4, 9, 10, 30])
SD, MEMORY, ERROR = 1.2, 26.0, 1.5
START = datetime.date(2026, 5, 1)


def covariance(a: FloatArray, b: FloatArray) -> FloatArray:
    return SD**2 * np.exp(-np.abs(a[:, None] - b[None]) / MEMORY)


def one_course(rows: int = 1) -> Course:
    return Course(np.full(rows, SD), np.full(rows, MEMORY), np.full((rows, 1), ERROR**2))


def test_the_marginal_likelihood_is_that_of_the_dense_normal() -> None:
    random = np.random.default_rng(1)
    x = random.uniform(0.5, 1.0, (2, 3, len(DAY)))
    y = random.normal(6.0, 2.0, len(DAY))
    fit, given = _marginal(np.moveaxis(x, -1, 0), y, Observed("spasticity_nrs", DAY, y), one_course(2))
    noise = covariance(DAY, DAY) + ERROR**2 * np.eye(len(DAY))
    dense = np.empty((2, 3))
    for k in range(2):
        for p in range(3):
            total = noise + LEVEL_SD**2 * np.outer(x[k, p], x[k, p])
            dense[k, p] = multivariate_normal.logpdf(y, LEVEL_MEAN * x[k, p], total)
    assert np.allclose(fit - fit[0, 0], dense - dense[0, 0], rtol=0, atol=1e-9)
    # the level of the last person, by conditioning in full
    gain = LEVEL_SD**2 * x[1, 2] @ np.linalg.inv(total)
    assert given.level[1, 2] == pytest.approx(LEVEL_MEAN + gain @ (y - LEVEL_MEAN * x[1, 2]), rel=1e-9)
    assert given.level_sd[1, 2] ** 2 == pytest.approx(LEVEL_SD**2 * (1.0 - gain @ x[1, 2]), rel=1e-9)


def test_a_rating_at_the_end_of_the_scale_is_one_there_or_beyond() -> None:
    """Slope and curvature are those of log Φ (finite differences); one such rating, against quadrature."""
    z, h = np.linspace(-6.0, 4.0, 21), 1e-4
    slope = (log_ndtr(z + h) - log_ndtr(z - h)) / (2 * h)
    bend = (log_ndtr(z + h) - 2 * log_ndtr(z) + log_ndtr(z - h)) / h**2
    step, variance = censored(z)
    assert step / variance == pytest.approx(slope, rel=1e-6)
    assert 1.0 / variance == pytest.approx(-bend, rel=1e-3, abs=2e-6)
    observed = Observed("spasticity_nrs", np.array([0]), np.array([10.0]))
    course = Course(np.array([1e-6]), np.array([26.0]), np.array([[1.5**2]]))
    value, seen = _uncensored(observed, course)
    weight = 1.0 / seen.error_var[0, 0]
    mode = (LEVEL_MEAN / LEVEL_SD**2 + weight * value[0]) / (1.0 / LEVEL_SD**2 + weight)
    grid = np.linspace(-5.0, 25.0, 30_001)
    posterior = log_ndtr((grid - 9.5) / 1.5) - 0.5 * ((grid - LEVEL_MEAN) / LEVEL_SD) ** 2
    assert mode == pytest.approx(grid[posterior.argmax()], abs=2e-3)
    exact = np.exp(posterior - posterior.max())
    mean = (exact * grid).sum() / exact.sum()
    assert (
        abs(mode - mean) < 0.25
    )  # the Gaussian's mean is the mode; taken as the rating 10 itself it would be 8.9
    inside = Observed("spasticity_nrs", np.array([0, 1]), np.array([4.0, 6.0]))
    assert _uncensored(inside, course) == (inside.value, course) or _uncensored(inside, course)[1] is course


def test_the_course_is_that_of_the_dense_conditional() -> None:
    grid = np.arange(-7, 41)
    y = np.random.default_rng(2).normal(0.0, 2.0, len(DAY))
    noise = covariance(DAY, DAY) + ERROR**2 * np.eye(len(DAY))
    gain = covariance(grid, DAY) @ np.linalg.inv(noise)
    found = smoothed(one_course(), DAY, y[None], grid, None)[0]
    assert np.allclose(found, gain @ y, atol=1e-10)
    n = 5_000
    drawn = smoothed(one_course(n), DAY, np.tile(y, (n, 1)), grid, np.random.default_rng(3))
    left = covariance(grid, grid) - gain @ covariance(DAY, grid)
    error = np.sqrt(np.diag(left)[:, None] * np.diag(left)[None] / n)  # of a covariance, at most √2 of this
    assert (np.abs(np.cov(drawn.T) - left) < 6 * error).all()


def test_paretos_k_is_that_of_arviz() -> None:
    """arviz 0.23.4, psislw, of the same numbers; also arviz-stats 0.8.0 by its own draws: 0.04, 0.20, 0.75, 1.05."""
    reference = {0.5: 0.0734331868, 1.0: 0.2457677071, 2.0: 0.6034435649, 4.0: 1.3512260691}
    for sd, k in reference.items():
        assert pareto_k(sd * np.random.default_rng(1).standard_normal(2000)) == pytest.approx(k, abs=1e-9)
    assert np.isnan(pareto_k(np.zeros(100)))
    assert effective(np.log(np.array([0.5, 0.5, 1e-300]))) == pytest.approx(2.0)


def test_systematic_resampling_takes_each_in_proportion() -> None:
    places = resampled(np.array([[0.1, 0.4], [0.3, 0.2]]), 1000)
    assert np.bincount(places).tolist() == [100, 400, 300, 200]


def a_case(**spasm: object) -> Case:
    return make_case(
        {
            "case": "a",
            "person": {"weight_kg": 68.0},
            "spasm": {"cause": "multiple_sclerosis", "spasticity_nrs": 7.0, "pain_nrs": 5.0, "severity_nrs": 6.0,
                      "spasms_per_day": 9.0, **spasm},
            "plan": {"product": "nabiximols", "titration": "fixed", "sprays_per_day": 6, "weeks": 4, "fed": True},
        }
    )  # fmt: skip


def a_diary(
    values: list[float | None], sprays: int = 6, *, before: int = 7, column: str = "spasticity_nrs"
) -> Diary:
    """Daily values from `before` days before the first dose on."""
    days = []
    for k, value in enumerate(values):
        day = k - before
        if value is not None:
            doses = (Dose(sprays=float(sprays if day >= 0 else 0)),)
            days.append(Day(START + datetime.timedelta(days=day), (k + 2,), {column: value}, doses))
    return Diary("d.csv", tuple(days), len(days), ())


def some_people(days: int = 28, subjects: int = 40) -> tuple[crowd.People, Case]:
    case, equations = a_case(), load("lissive")
    plan = treatment(case, equations)
    taken = taken_of(a_diary([7.0] * (7 + days)), plan.product)
    schedule = schedule_of(equations, taken, plan.product, continuing=14)
    return crowd.first_people(
        case, plan, equations, schedule, days, numbers=range(subjects), seed=1, threads=1
    ), case


@pytest.fixture(scope="module")
def people() -> crowd.People:
    return some_people()[0]


WHOLE = {
    "spasticity_nrs": ("NRS", "NRS0"),
    "spasms": ("spasms_per_day", "spasms0"),
    "pain_nrs": ("pain", "pain0"),
    "severity": ("spasm_severity", "severity0"),
}


@pytest.fixture(scope="module")
def whole_model(people: crowd.People) -> dict[str, np.ndarray]:
    """Each outcome over its baseline, (person, day), with placebo in the equations."""
    equations, case = load("lissive"), a_case()
    plan = treatment(case, equations)
    schedule = schedule_of(
        equations, taken_of(a_diary([7.0] * 35), plan.product), plan.product, continuing=14
    )
    kernel = build(equations, [output for output, _ in WHOLE.values()])
    batch = kernel.start(40, {**people.parameters, "placebo_on": 1.0}, tolerances=Tolerances(rtol=1e-4))
    seen = batch.advance(
        28 * 24.0, to_doses(Regimen.same(schedule, 40), kernel), edges=24.0 * np.arange(29), stop=True
    )
    return {
        outcome: seen.mean[:, :, kernel.outputs.index(output)] / people.parameters[baseline][:, None]
        for outcome, (output, baseline) in WHOLE.items()
    }


@pytest.mark.parametrize("outcome", ["spasticity_nrs", "spasms", "pain_nrs", "severity"])
def test_drug_and_placebo_put_together_are_the_whole_model(
    people: crowd.People, whole_model: dict[str, np.ndarray], outcome: str
) -> None:
    """The placebo response is put on outside of the equations: the same as solving all of them at once."""
    whole = whole_model[outcome]
    parts = crowd.levels(people, outcome, crowd.placebo_of(people, outcome, np.arange(40))).drug
    assert np.abs(parts - whole).mean() < 0.002
    assert (1.0 - whole[:, -1]).mean() > 0.1  # there is something to be got right
    assert np.abs(parts - whole).max() < 0.02


def test_without_the_drug_placebo_alone_is_left(people: crowd.People) -> None:
    none = {"active_tone": 1.0, "NRS": people.parameters["NRS0"][:, None]}
    outputs = {
        **people.outputs,
        **{k: np.broadcast_to(v, people.outputs["acute"].shape) for k, v in none.items()},
    }
    off = replace(people, outputs=outputs)
    found = crowd.levels(off, "spasticity_nrs", crowd.placebo_of(people, "spasticity_nrs", np.arange(40)))
    assert np.allclose(found.drug, found.without, atol=1e-12)
    most = (people.parameters["max_placebo_spasm"] * (1 + 0.01 * people.parameters["psi"] * 100))[:, None]
    assert (found.without <= 1.0).all()
    assert (found.without >= 1.0 - most).all()


def test_partners_share_the_posterior_draw_and_differ() -> None:
    of = crowd.People({"acute": np.ones((120, 1))}, {}, {}, np.ones(1))
    every = crowd.partners(of, 3)
    assert all((each % 40 == np.arange(120) % 40).all() for each in every)
    assert (np.stack(every)[:, 0] == [0, 40, 80]).all()


def test_a_diary_of_one_person_finds_who_is_like_it(people: crowd.People) -> None:
    """Entries made from one person's own levels, nearly without noise, give that kind of person the weight."""
    strong = int(np.argmin(people.outputs["active_tone"][:, -1]))
    level = crowd.levels(people, "spasticity_nrs", crowd.placebo_of(people, "spasticity_nrs", np.arange(40)))
    day = np.arange(-7, 28)
    x = np.where(day < 0, 1.0, level.drug[strong][np.maximum(day, 0)])
    quiet = replace(
        people, rating={**people.rating, "rating_sd": np.full(40, 0.1), "course_sd": np.full(40, 0.05)}
    )
    found = update(quiet, Observed("spasticity_nrs", day, 7.0 * x))
    effect = found.effect()
    prior, posterior = effect.mean(), (found.weights * effect).sum()
    assert abs(posterior - effect[strong, 0]) < abs(prior - effect[strong, 0])
    assert found.weights.sum() == pytest.approx(1.0)


@pytest.mark.slow
def test_the_posterior_is_that_of_how_the_diary_came_about(people: crowd.People) -> None:
    """People of the prior itself, with the noise that the update assumes: the true effect rises by 1 for each 1 of its
    posterior mean, and has any place in its posterior alike. A variance counted twice shows as a slope over 1."""
    random, n, times = np.random.default_rng(11), len(people), 800
    quiet = replace(people, rating={**people.rating, "rating_sd": np.full(n, 0.6)})
    drawn, day = drawn_levels(quiet, "spasticity_nrs"), np.arange(-7, 28)
    sd, memory = quiet.rating["course_sd"], quiet.rating["course_days"]
    mean, true, place = (np.empty(times) for _ in range(3))
    for k in range(times):
        one = int(random.integers(n))
        x = np.where(day < 0, 1.0, drawn[0].drug[one][np.maximum(day, 0)])
        shape = np.exp(-np.abs(day[:, None] - day[None]) / memory[one]) * sd[one] ** 2
        noise = random.multivariate_normal(np.zeros(len(day)), shape + 0.36 * np.eye(len(day)))
        level = np.clip(random.normal(LEVEL_MEAN, LEVEL_SD), 2.0, 9.0)
        found = update(quiet, Observed("spasticity_nrs", day, np.clip(level * x + noise, 0.0, 10.0)), drawn)
        effect = found.effect()
        true[k], mean[k] = effect[one, 0], (found.weights * effect).sum()
        at = found.weights[effect == true[k]].sum()
        place[k] = found.weights[effect < true[k]].sum() + random.random() * at
    slope, error = linregress(mean, true)[::4]
    assert error < 0.08
    assert abs(slope - 1.0) < 2.5 * error
    assert kstest(place, "uniform").pvalue > 0.001


def test_counts_are_weighed_as_their_negative_binomial(people: crowd.People) -> None:
    """Against a direct sum over the level of the negative binomial likelihood, where there is no slow fluctuation."""
    from scipy.stats import nbinom, norm

    still = replace(people, rating={**people.rating, "count_course_sd": np.full(40, 1e-6)})
    random = np.random.default_rng(5)
    day = np.arange(-7, 28)
    k = float(people.rating["count_dispersion"][0])
    y = random.negative_binomial(1 / k, 1 / (1 + k * np.where(day < 0, 12.0, 8.0))).astype(float)
    found = update(still, Observed("spasms", day, y, level_log_sd=0.944, level=8.0))
    grid = np.linspace(np.log(4.0), np.log(30.0), 400)
    direct = np.empty((40, 2))
    for i in range(40):
        for p in range(2):
            x = np.where(day < 0, 1.0, found.drawn[p].drug[i][np.maximum(day, 0)])
            mean = np.exp(grid)[:, None] * x[None]
            each = nbinom.logpmf(y, 1 / k, 1 / (1 + k * mean)).sum(1) + norm.logpdf(grid, np.log(8.0), 0.944)
            direct[i, p] = np.log(np.exp(each - each.max()).sum()) + each.max()
    mine = found.log_likelihood[:, :2] - found.log_likelihood[0, 0]
    wanted = direct - direct[0, 0]
    near = wanted > wanted.max() - 4.0  # the rest has next to no weight
    assert np.corrcoef(mine[near], wanted[near])[0, 1] > 0.98
    assert np.abs(mine - wanted)[near].max() < 0.6

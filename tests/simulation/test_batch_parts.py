"""A part of a batch goes on as it would have in the whole; parameters may change on the way."""

from __future__ import annotations

import numpy as np
import pytest

from lissive.model import load
from lissive.simulation.engine import Tolerances, build
from lissive.simulation.ratings import MOST_DAYS, by_day, stretches
from lissive.simulation.streams import uniforms

RATES = np.array([0.05, 0.1, 0.2, 0.4, 0.8])


@pytest.fixture(scope="module")
def kernel(tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "decay.ant"
    path.write_text("model decay\n  k = 0.1; S = 10\n  S' = -k*S\nend\n", encoding="utf-8")
    return build(load(path), ["S"])


def test_a_part_goes_on_to_the_bit_as_it_would_have_in_the_whole(kernel) -> None:
    def begun():
        batch = kernel.start(5, {"k": RATES}, tolerances=Tolerances(rtol=1e-6))
        batch.advance(5.0, stop=True)
        return batch

    whole, members = begun(), np.array([3, 0])
    part = begun().take(members)
    there = whole.advance(20.0, times=[20.0], stop=True).values[members]
    assert (part.advance(20.0, times=[20.0], stop=True).values == there).all()


def test_the_whole_is_untouched_by_what_its_part_does(kernel) -> None:
    batch = kernel.start(5, {"k": RATES})
    before = batch.y.copy()
    batch.take(np.array([1, 2])).advance(10.0)
    assert (batch.y == before).all()


def test_parameters_may_change_on_the_way(kernel) -> None:
    batch = kernel.start(2, {"k": np.array([0.1, 0.2])}, tolerances=Tolerances(rtol=1e-8))
    batch.advance(10.0, stop=True)
    batch.give({"k": np.array([0.0, 0.5])})
    found = batch.advance(14.0, times=[14.0], stop=True).values[:, 0, 0]
    assert found == pytest.approx([10 * np.exp(-1.0), 10 * np.exp(-2.0 - 2.0)], rel=1e-6)


def test_who_rests_stays_and_is_not_looked_at_and_the_others_go_on_to_the_bit(kernel) -> None:
    whole, some = (kernel.start(5, {"k": RATES}, tolerances=Tolerances(rtol=1e-6)) for _ in range(2))
    resting = np.array([False, True, False, True, False])
    every = whole.advance(5.0, edges=[0.0, 5.0], stop=True)
    seen = some.advance(5.0, edges=[0.0, 5.0], stop=True, resting=resting)
    assert (some.y[~resting] == whole.y[~resting]).all()
    assert (seen.mean[~resting] == every.mean[~resting]).all()
    assert np.isnan(seen.mean[resting]).all()
    assert (some.y[resting] == 10.0).all()
    assert (some.time == np.where(resting, 0.0, 5.0)).all()
    assert (some.status == 0).all()


def test_they_may_change_for_some(kernel) -> None:
    batch = kernel.start(3, {"k": np.array([0.1, 0.2, 0.3])}, tolerances=Tolerances(rtol=1e-8))
    batch.advance(10.0, stop=True)
    batch.change(np.array([2, 0]), {"k": np.array([0.5, 0.0])})
    found = batch.advance(14.0, times=[14.0], stop=True).values[:, 0, 0]
    assert found == pytest.approx([10 * np.exp(-1.0), 10 * np.exp(-2.8), 10 * np.exp(-3.0 - 2.0)], rel=1e-6)


# -- ratings ---------------------------------------------------------------------------------------------
def test_a_subjects_numbers_are_theirs_whoever_and_however_long() -> None:
    few = by_day(7, "x", np.array([2]), 5)
    many = by_day(7, "x", np.arange(10), 300)
    assert (many[2, :5] == few[0]).all()
    assert (by_day(7, "x", np.array([9, 2]), 5)[1] == few[0]).all()
    assert (few[0] == uniforms(7, "x", 5, first=2 * MOST_DAYS)).all()
    assert by_day(7, "x", np.zeros(0, int), 5).shape == (0, 5)


def test_too_many_days() -> None:
    from lissive.errors import SimulationError

    with pytest.raises(SimulationError, match=str(MOST_DAYS)):
        by_day(1, "x", np.arange(2), MOST_DAYS + 1)


def test_stretches_have_the_spread_and_memory_that_are_asked_for() -> None:
    course = stretches(3, "pain", np.arange(4000), 60, sd=2.0, memory=28.0)
    assert course[:, 0].std() == pytest.approx(2.0, rel=0.05)
    assert course[:, 59].std() == pytest.approx(2.0, rel=0.05)
    apart = np.corrcoef(course[:, 10], course[:, 38])[0, 1]
    assert apart == pytest.approx(np.exp(-1.0), abs=0.05)

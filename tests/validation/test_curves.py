"""Curves of concentration over time: of the right arms, in the right matrix, with the published points on them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from lissive.studies import Arm, Observation, Studies, shipped_studies
from lissive.studies.observation import PRINTED
from lissive.validation.score import Curve, curves, points_of

ARM = Arm("study2020", 6, "oral", 10.0, 0.0, sampling=(0.0, 0.5, 1.0, 2.0, 4.0, 8.0))


def seen(metric: str, value: float, **other: object) -> Observation:
    fields = {
        "split": "calibration",
        "provenance": "read",
        "arm": ARM,
        "group": "exposure",
        "unit": "ng/mL",
    } | other
    return Observation("study2020", "THC", metric, metric, value=value, stat="mean", **fields)  # type: ignore[arg-type]


def of(*observations: Observation) -> list[Curve]:
    return curves(Studies("nowhere", observations, ()), replicates_people=60)


@pytest.fixture(scope="module")
def shipped() -> dict[tuple[str, str], Curve]:
    return {
        (each.study, each.analyte): each
        for each in curves(shipped_studies(), replicates_people=12, threads=2)
    }


def test_a_peak_needs_its_time_and_is_recalled_where_either_is() -> None:
    assert points_of([seen("Cmax", 3.0)], "THC") == ()
    (peak,) = points_of([seen("Cmax", 3.0), seen("Tmax", 1.5, group="time", provenance="recalled")], "THC")
    assert (peak.time, peak.value, peak.what, peak.provenance) == (1.5, 3.0, "peak", "recalled")


def test_the_band_holds_the_median_and_starts_from_nothing() -> None:
    (curve,) = of(seen("conc", 1.0, time=2.0))
    assert curve.people >= 60
    assert curve.median[0] == 0.0
    assert (curve.p05 <= curve.median).all()
    assert (curve.median <= curve.p95).all()
    assert curve.median.max() > 0.0
    assert 2.0 in curve.times
    assert curve.times[-1] >= 2.0


def test_a_curve_in_blood_is_that_in_plasma_times_the_factor() -> None:
    plain, blood = (
        of(seen("conc", 1.0, time=2.0, arm=replace(ARM, matrix={"THC": factor})))[0] for factor in (1.0, 0.63)
    )
    np.testing.assert_allclose(blood.p95, 0.63 * plain.p95)


def test_twice_the_dose_is_twice_the_concentration() -> None:
    low, high = (of(seen("conc", 1.0, time=2.0, arm=replace(ARM, thc_mg=mg)))[0] for mg in (10.0, 20.0))
    np.testing.assert_allclose(high.median, 2.0 * low.median, rtol=1e-3, atol=1e-4)


def test_a_study_of_ratios_alone_has_no_curve() -> None:
    assert of(seen("ratio_AUC", 2.0, group="ratio", reference=ARM)) == []


def test_every_shipped_arm_that_can_be_drawn_is(shipped: dict[tuple[str, str], Curve]) -> None:
    for one in shipped_studies().observations:
        if one.measure == "conc":
            curve = shipped[one.study, PRINTED[one.analyte]]
            assert any(point.time == one.time and point.value == one.value for point in curve.points)
    for curve in shipped.values():
        assert np.isfinite(curve.median).all()
        assert curve.points
        assert all(curve.times[0] <= point.time <= curve.times[-1] for point in curve.points)


def test_the_same_seed_gives_the_same_curves() -> None:
    one, other = (of(seen("conc", 1.0, time=2.0))[0] for _ in range(2))
    np.testing.assert_array_equal(one.median, other.median)

"""What the fit simulates: the same as the validation does, but without jumps."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from lissive.calibrate.pk import FINE, LIMITS, blurred, peak_time, predictor
from lissive.model.parameters import load_parameters
from lissive.studies import Arm, Observation, predict_studies
from lissive.studies.observation import ANALYTES, LAST

TIMES = (0.5, 1.0, 2.0, 4.0, 8.0)
ORAL = Arm("swallowed", 12, "oral", 10.0, 10.0, sampling=TIMES)


def seen(measure: str, analyte: str = "THC", **fields: object) -> Observation:
    group = "time" if measure == "Tmax" else "exposure"
    return Observation(
        "swallowed", analyte, measure, measure, group, 1.0, "1", "mean", "read", "calibration", ORAL,
        window=(0.0, LAST), **fields,  # type: ignore[arg-type]
    )  # fmt: skip


def profiles(of_thc: np.ndarray) -> np.ndarray:
    """(subject, time, analyte) with THC alone."""
    values = np.zeros((*of_thc.shape, len(ANALYTES)))
    values[:, :, ANALYTES.index("THC")] = of_thc
    return values


class TestPredictions:
    def test_they_are_those_of_the_validation_where_nothing_is_blurred(self):
        rows = [seen("Cmax"), seen("AUC", "CBD"), seen("conc", time=2.0)]
        theirs = [
            each.predicted
            for each in predict_studies(rows, replicates=1, seed=1, parameters={"CL_THC": 40.0}, evenly=True)
        ]
        np.testing.assert_allclose(predictor(rows, ORAL.n)({"CL_THC": 40.0}), theirs, rtol=1e-3)

    def test_a_time_of_the_peak_is_near_the_one_on_a_fine_grid(self):
        fine = replace(ORAL, sampling=tuple(FINE.tolist()))
        (theirs,) = predict_studies(
            [replace(seen("Tmax"), arm=fine)], replicates=1, seed=1, parameters={}, evenly=True
        )
        assert predictor([seen("Tmax")], ORAL.n)({})[0] == pytest.approx(theirs.predicted, abs=0.01)

    def test_thc_does_nothing_to_cbd(self):
        """So CBD is fitted first, and its fit stands whatever THC's turns out to be."""
        ask = predictor([seen("Cmax", "CBD"), seen("AUC", "OH_CBD")], ORAL.n)
        thc = {
            n: row.value for n, row in load_parameters().items() if n in ("CL_THC", "V1_THC", "Fa_THC_oral")
        }
        np.testing.assert_allclose(
            ask({name: 0.7 * value for name, value in thc.items()}), ask(thc), rtol=1e-4
        )


class TestPeaks:
    def test_the_top_of_a_parabola_is_found_between_the_times(self):
        tops = np.array([0.123, 1.234, 5.678])
        curves = 10.0 - (FINE - tops[:, None]) ** 2
        found = peak_time(seen("Tmax"), ORAL, FINE, profiles(np.maximum(curves, 0.0)))
        np.testing.assert_allclose(found.reshape(len(LIMITS), -1), np.tile(tops, (len(LIMITS), 1)), rtol=1e-9)

    def test_it_does_not_jump(self):
        tops = np.linspace(0.9, 1.1, 401)
        curves = np.exp(-(np.abs(FINE - tops[:, None]) ** 1.5))
        found = peak_time(seen("Tmax"), ORAL, FINE, profiles(curves))[: len(tops)]
        assert np.abs(np.diff(found)).max() < 0.01 < 0.05
        assert np.diff(found).min() >= 0

    def test_without_a_quantifiable_concentration_there_is_none(self):
        arm = replace(ORAL, lloq={"THC": 1.0})
        curves = np.stack([0.1 * np.exp(-FINE), 10.0 * np.exp(-FINE)])
        found = peak_time(seen("Tmax"), arm, FINE, profiles(curves)).reshape(len(LIMITS), 2)
        assert np.isnan(found[:, 0]).all()
        assert not np.isnan(found[:, 1]).any()


class TestLimits:
    times = np.array([0.0, *TIMES])

    def test_who_is_at_the_limit_counts_by_half(self):
        arm = replace(ORAL, lloq={"THC": 1.0})
        curve = np.array([[0.0, 0.5, 1.0, 0.9, 0.5, 0.2]])
        found = blurred(seen("Cmax"), arm, self.times, profiles(curve))
        assert np.isfinite(found).sum() == len(LIMITS) / 2
        np.testing.assert_allclose(found[np.isfinite(found)], 1.0)

    @pytest.mark.parametrize("measure", ["Cmax", "AUC"])
    def test_who_is_far_over_it_is_as_they_were(self, measure):
        curve = profiles(np.array([[0.0, 5.0, 9.0, 7.0, 5.0, 3.0]]))
        plain = blurred(seen(measure), ORAL, self.times, curve)
        limited = blurred(seen(measure), replace(ORAL, lloq={"THC": 1.0}), self.times, curve)
        assert plain.shape == (1,)
        np.testing.assert_allclose(limited, np.full(len(LIMITS), plain[0]))

    def test_the_limits_are_the_assays_on_average(self):
        assert np.log(LIMITS).mean() == pytest.approx(0.0, abs=1e-12)
        assert np.log(LIMITS).std() == pytest.approx(0.2, rel=0.1)

"""Non-compartmental analysis against the closed forms of the textbook's models."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from lissive.studies import nca
from lissive.studies.nca import Profiles

TIMES = np.array([0.0, 0.25, 0.5, 1.0, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0, 16.0, 24.0])


def profiles(*subjects, times=TIMES, lloq=0.0) -> Profiles:
    return Profiles(np.asarray(times, float), np.array(subjects, float), lloq)


def bolus(k: float, c0: float = 10.0, times=TIMES):
    return c0 * np.exp(-k * np.asarray(times))


class TestOneExponential:
    """C = C0 exp(-k t): every measure has a closed form, and the logarithmic trapezoid none of the usual error."""

    def test_everything_is_exact(self):
        made = profiles(bolus(0.1), bolus(0.7, 3.0))
        assert_allclose(nca.peak(made)[0], [10.0, 3.0])
        assert_allclose(nca.peak(made)[1], [0.0, 0.0])
        assert_allclose(nca.slope(made), [0.1, 0.7])
        assert_allclose(nca.half_life(made), [np.log(2) / 0.1, np.log(2) / 0.7])
        assert_allclose(nca.area_to_infinity(made, 0.0), [100.0, 3.0 / 0.7])
        to_24 = [100.0 * (1 - np.exp(-2.4)), 3.0 / 0.7 * (1 - np.exp(-0.7 * 24))]
        assert_allclose(nca.area_to_last(made, 0.0), to_24)
        assert_allclose(nca.area(made, 0.0, 24.0), to_24)

    @pytest.mark.parametrize(("start", "end"), [(0.0, 5.0), (0.3, 0.4), (0.7, 9.9), (1.0, 1.5), (2.0, 24.0)])
    def test_a_window_may_lie_between_sampling_times(self, start, end):
        exact = 10.0 / 0.3 * (np.exp(-0.3 * start) - np.exp(-0.3 * end))
        assert_allclose(nca.area(profiles(bolus(0.3)), start, end), exact)

    def test_areas_of_neighbouring_windows_add_up(self):
        made = profiles(bolus(0.3))
        parts = nca.area(made, 0.0, 3.3) + nca.area(made, 3.3, 11.0) + nca.area(made, 11.0, 24.0)
        assert_allclose(parts, nca.area(made, 0.0, 24.0))

    def test_a_window_beyond_the_last_sample_ends_there(self):
        made = profiles(bolus(0.3))
        assert_allclose(nca.area(made, 0.0, 1000.0), nca.area(made, 0.0, 24.0))

    def test_an_injection_is_extrapolated_back_to_its_moment(self):
        seen = bolus(0.9)
        seen[0] = 0.0  # nobody is bled at the moment of the injection
        back = nca.from_injection(profiles(seen))
        assert_allclose(back.values[0, 0], 10.0)
        assert_allclose(nca.area_to_infinity(back, 0.0), 10.0 / 0.9)

    def test_without_a_fall_the_first_sample_is_the_start(self):
        back = nca.from_injection(profiles([0.0, 4.0, 5.0, 3.0], times=[0, 1, 2, 3]))
        assert_allclose(back.values[0], [4.0, 4.0, 5.0, 3.0])

    def test_what_was_given_is_not_changed(self):
        made = profiles([0.0, 4.0, 2.0, 1.0], times=[0, 1, 2, 3])
        nca.from_injection(made)
        assert_allclose(made.values[0], [0.0, 4.0, 2.0, 1.0])


class TestTwoExponentials:
    """C = A exp(-a t) + B exp(-b t), sampled as densely as studies of injections are."""

    A, a, B, b = 8.0, 2.0, 2.0, 0.08
    times = np.concatenate([np.linspace(0, 4, 81), np.linspace(4.5, 48, 88)])

    def made(self) -> Profiles:
        t = self.times
        return profiles(self.A * np.exp(-self.a * t) + self.B * np.exp(-self.b * t), times=t)

    def test_the_terminal_slope_is_the_slower_one(self):
        assert_allclose(nca.slope(self.made()), self.b, rtol=0.01)

    def test_areas(self):
        whole = self.A / self.a + self.B / self.b
        assert_allclose(nca.area_to_infinity(self.made(), 0.0), whole, rtol=0.003)
        left = self.B / self.b * np.exp(-self.b * 48)
        assert_allclose(nca.area_to_last(self.made(), 0.0), whole - left, rtol=0.001)

    def test_back_extrapolation_falls_short_by_the_bend_between_two_samples(self):
        """The line through the samples at t1 and t2 on the logarithm, by hand; it is under A + B."""
        t = np.array([0.0, 0.1, 0.2, 1.0, 4.0])
        c = self.A * np.exp(-self.a * t) + self.B * np.exp(-self.b * t)
        back = nca.from_injection(profiles(np.where(t > 0, c, 0.0), times=t)).values[0, 0]
        assert_allclose(back, np.exp(2 * np.log(c[1]) - np.log(c[2])))
        assert 0.97 * (self.A + self.B) < back < self.A + self.B


class TestByMouth:
    """One compartment with first-order absorption (Bateman)."""

    ka, k, scale = 1.4, 0.12, 20.0
    times = np.concatenate([np.arange(0, 6, 0.05), np.arange(6, 60.1, 1.0)])

    def made(self) -> Profiles:
        t, ka, k = self.times, self.ka, self.k
        return profiles(self.scale * ka / (ka - k) * (np.exp(-k * t) - np.exp(-ka * t)), times=t)

    def test_peak(self):
        at = np.log(self.ka / self.k) / (self.ka - self.k)
        height, when = nca.peak(self.made())
        assert abs(when[0] - at) <= 0.025 + 1e-9  # the nearest sampling time
        assert_allclose(height, self.scale * np.exp(-self.k * at), rtol=1e-3)

    def test_areas_and_half_life(self):
        made = self.made()
        assert_allclose(nca.area_to_infinity(made, 0.0), self.scale / self.k, rtol=1e-3)
        # the earliest points that are used still hold a little of the absorption
        assert_allclose(nca.half_life(made), np.log(2) / self.k, rtol=5e-3)
        t, ka, k = 60.0, self.ka, self.k
        tail = self.scale * ka / (ka - k) * (np.exp(-k * t) / k - np.exp(-ka * t) / ka)
        assert_allclose(nca.area_to_last(made, 0.0), self.scale / self.k - tail, rtol=1e-3)

    @pytest.mark.parametrize(("start", "end"), [(0.0, 4.02), (0.33, 12.5)])
    def test_windows(self, start, end):
        def inside(t):
            ka, k = self.ka, self.k
            return self.scale * ka / (ka - k) * (-np.exp(-k * t) / k + np.exp(-ka * t) / ka)

        assert_allclose(nca.area(self.made(), start, end), inside(end) - inside(start), rtol=1e-3)


class TestTrapezoids:
    def test_linear_up_is_exact_for_lines(self):
        made = profiles(3.0 * TIMES)
        assert_allclose(nca.area_to_last(made, 0.0), 1.5 * 24.0**2)
        assert_allclose(nca.area(made, 5.0, 7.0), 1.5 * (49 - 25))

    def test_up_is_linear_and_down_logarithmic(self):
        made = profiles([0.0, 4.0, 1.0], times=[0, 2, 6])
        assert_allclose(nca.area_to_last(made, 0.0), 4.0 + 4 * (4.0 - 1.0) / np.log(4.0))

    def test_a_plateau_is_a_rectangle(self):
        assert_allclose(nca.area_to_last(profiles(np.full(12, 2.0)), 0.0), 48.0)

    def test_a_fall_by_the_last_bit_is_still_a_plateau(self):
        made = profiles([1e-3, np.nextafter(1e-3, 0.0), np.nextafter(1e-3, 0.0)], times=range(3))
        assert_allclose(nca.area_to_last(made, 0.0), 2e-3, rtol=1e-12)

    def test_a_plateau_has_no_half_life(self):
        assert np.isnan(nca.half_life(profiles(np.full(12, 2.0)))).all()

    def test_a_profile_that_only_rises_has_no_half_life(self):
        made = profiles(1.0 + TIMES)
        assert np.isnan(nca.half_life(made)).all()
        assert np.isnan(nca.area_to_infinity(made, 0.0)).all()


class TestTerminalSlope:
    def test_three_points_after_the_peak_are_enough(self):
        made = profiles([0.0, 9.0, 4.0, 2.0, 1.0], times=[0, 1, 2, 3, 4])
        assert_allclose(nca.half_life(made), 1.0)

    def test_the_peak_itself_does_not_count(self):
        """8, 4, 2 fall by a half each hour, but 8 is the peak: only two points are left."""
        assert np.isnan(nca.half_life(profiles([0.0, 8.0, 4.0, 2.0], times=[0, 1, 2, 3]))).all()

    def test_the_line_is_that_of_least_squares(self):
        t, c = np.array([2.0, 3.0, 5.0]), np.array([4.0, 2.5, 0.9])
        made = profiles([0.0, 9.0, *c], times=[0, 1, *t])
        assert_allclose(nca.slope(made), -np.polyfit(t, np.log(c), 1)[0])

    def test_noise_before_the_terminal_phase_is_left_out(self):
        """The last four lie on a line; every longer stretch fits worse, so they are what is used."""
        made = profiles([0.0, 50.0, 20.0, 35.0, 8.0, 4.0, 2.0, 1.0], times=range(8))
        assert_allclose(nca.half_life(made), 1.0)

    def test_of_fits_that_are_as_good_the_longest_is_taken(self):
        """Five points with a bend so slight that adjusted r² stays within 0.0001 of the last three's: all five."""
        t = np.arange(2.0, 7.0)
        logs = 5.0 - 0.5 * t + np.array([0.0, 2e-3, 0.0, 0.0, 0.0])
        made = profiles([0.0, 400.0, *np.exp(logs)], times=[0, 1, *t])
        assert_allclose(nca.slope(made), -np.polyfit(t, logs, 1)[0], rtol=1e-12)

    def test_each_subject_has_its_own_stretch(self):
        t = np.arange(8.0)
        steady = 64.0 * 0.5**t
        late = np.array([0.0, 1.0, 2.0, 3.0, 40.0, 10.0, 2.5, 0.625])
        alone = [nca.half_life(profiles(each, times=t))[0] for each in (steady, late)]
        assert_allclose(nca.half_life(profiles(steady, late, times=t)), alone)
        assert_allclose(alone, [1.0, 0.5])


class TestLimitOfQuantification:
    def test_before_the_peak_it_counts_as_none(self):
        made = profiles([0.0, 0.4, 4.0, 2.0, 1.0], times=range(5), lloq=0.5)
        assert_allclose(made.quantified[0, :3], [0.0, 0.0, 4.0])
        assert_allclose(nca.area(made, 0.0, 2.0), 2.0)  # from none at 1 h up to 4 at 2 h

    def test_after_the_peak_it_ends_the_profile(self):
        seen = [0.0, 8.0, 4.0, 2.0, 1.0, 0.4, 0.2]
        made = profiles(seen, times=range(7), lloq=0.5)
        until_4 = 4.0 + (8.0 - 1.0) / np.log(2.0)
        assert_allclose(nca.area_to_last(made, 0.0), until_4)
        assert_allclose(nca.area(made, 0.0, 6.0), until_4)  # no slope down to nothing between 4 and 5 h
        assert_allclose(nca.half_life(made), 1.0)
        assert_allclose(nca.area_to_infinity(made, 0.0), until_4 + 1.0 / np.log(2.0))

    def test_what_comes_back_after_the_end_does_not_count(self):
        made = profiles([0.0, 8.0, 4.0, 2.0, 1.0, 0.4, 3.0], times=range(7), lloq=0.5)
        assert nca.last(made).tolist() == [4]
        assert_allclose(nca.area(made, 0.0, 6.0), 4.0 + 7.0 / np.log(2.0))

    def test_a_value_at_the_limit_is_quantified(self):
        made = profiles([0.0, 2.0, 0.5], times=range(3), lloq=0.5)
        assert nca.last(made).tolist() == [2]

    def test_too_few_left_for_a_half_life(self):
        made = profiles([0.0, 8.0, 4.0, 2.0, 0.4], times=range(5), lloq=0.5)
        assert np.isnan(nca.half_life(made)).all()
        assert np.isnan(nca.area_to_infinity(made, 0.0)).all()
        assert np.isfinite(nca.area_to_last(made, 0.0)).all()

    def test_nothing_quantifiable_is_no_number_anywhere(self):
        made = profiles([0.0, 0.1, 0.3, 0.2, 0.1], [0.0, 8.0, 4.0, 2.0, 1.0], times=range(5), lloq=0.5)
        measures = [
            *nca.peak(made),
            nca.half_life(made),
            nca.area(made, 0.0, 4.0),
            nca.area_to_last(made, 0.0),
            nca.area_to_infinity(made, 0.0),
        ]
        for each in measures:
            assert np.isnan(each).tolist() == [True, False]


POSITIVE = st.floats(1e-3, 1e3)
SEEN = st.lists(POSITIVE, min_size=len(TIMES), max_size=len(TIMES))


@settings(max_examples=60)
@given(seen=SEEN, factor=st.integers(-9, 9).map(lambda power: 2.0**power))
def test_twice_the_concentration_is_twice_the_exposure_at_the_same_time(seen, factor):
    """Powers of two are exact: by others, two neighbouring numbers may become one, and the peak another time."""
    one, other = profiles(seen), profiles(factor * np.array(seen))
    assert_allclose(nca.peak(other)[0], factor * nca.peak(one)[0], rtol=1e-9)
    assert_allclose(nca.peak(other)[1], nca.peak(one)[1])
    for area in (lambda p: nca.area_to_last(p, 0.0), lambda p: nca.area(p, 0.6, 13.0)):
        assert_allclose(area(other), factor * area(one), rtol=1e-9)


@settings(max_examples=60)
@given(k=st.floats(0.02, 0.6), c0=POSITIVE, stretch=st.floats(0.1, 10.0))
def test_slower_time_is_a_longer_half_life_and_a_larger_area(k, c0, stretch):
    fast, slow = profiles(bolus(k, c0)), profiles(bolus(k, c0), times=stretch * TIMES)
    assert_allclose(nca.half_life(slow), stretch * nca.half_life(fast), rtol=1e-9)
    for area in (nca.area_to_infinity, nca.area_to_last):
        assert_allclose(area(slow, 0.0), stretch * area(fast, 0.0), rtol=1e-9)


@settings(max_examples=60)
@given(seen=SEEN, cut=st.floats(0.01, 23.99))
def test_two_parts_of_a_profile_are_the_whole(seen, cut):
    """Between samples a profile is a line or an exponential, so it may be cut anywhere."""
    made = profiles(seen)
    parts = nca.area(made, 0.0, cut) + nca.area(made, cut, 24.0)
    assert_allclose(parts, nca.area_to_last(made, 0.0), rtol=1e-9)


@settings(max_examples=60)
@given(seen=SEEN, lloq=POSITIVE)
def test_a_limit_of_quantification_keeps_the_peak_and_never_lengthens_a_profile(seen, lloq):
    free, limited = profiles(seen), profiles(seen, lloq=lloq)
    assume(max(seen) >= lloq)
    assert nca.peak(limited)[0] == nca.peak(free)[0] == max(seen)
    assert nca.last(limited)[0] <= nca.last(free)[0]

"""Each calibration trial predicted by a fit on the others: draws of its figures, as they would be published.

On the emulator, from draws that `structures.compare` made without the trial. The chance of who takes part is the
baseline's (`baseline.published`), so that the two differ in what they expect and in how trials differ alone.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence

import numpy as np

from lissive.arrays import FloatArray
from lissive.calibrate.baseline import ASHWORTH, family_of, published
from lissive.calibrate.emulator import Emulator
from lissive.calibrate.prior import Prior
from lissive.calibrate.response_data import Datum
from lissive.calibrate.response_likelihood import groups, likelihood_of
from lissive.calibrate.structures import Score
from lissive.trials.published import Observed, PublishedTrial


def predictions(
    score: Score,
    data: Sequence[Datum],
    trials: Sequence[PublishedTrial],
    wanted: Sequence[Prior],
    emulator: Emulator,
    *,
    seed: int = 1,
) -> Iterator[tuple[Observed, FloatArray]]:
    """Every figure of which the baseline says something, and (draw,) what was said of it without its trial.

    The figure itself, its interval and its error are not looked at, only its kind and its number of people. A
    difference that is not fitted on is that of its arms.
    """
    likelihood = likelihood_of(data, wanted, emulator)
    for group, places in groups(data).items():
        z = score.without[group]
        rng = np.random.default_rng([seed, zlib.crc32(group.encode())])
        told, shifts = likelihood.expected(z)
        own = rng.standard_normal((len(shifts), len(z), 1))
        moved = told[:, places] + (own * shifts[:, :, places]).sum(axis=0)
        expected = moved + emulator.error[places] * rng.standard_normal(moved.shape)
        fitted = [data[k].observed for k in places]
        for trial in (trials[place] for place in dict.fromkeys(data[k].trial for k in places)):
            for observed in trial.observed:
                value = _of(fitted, expected, observed)
                if value is not None and family_of(observed):
                    scale = ASHWORTH if observed.endpoint == "ashworth" else 1.0
                    yield observed, published(trial.design, observed, scale * value, rng)


def _of(fitted: Sequence[Observed], expected: FloatArray, wanted: Observed) -> FloatArray | None:
    """(draw,) of one figure; None of a kind that nothing is expected of."""
    if wanted in fitted:
        return np.asarray(expected[:, fitted.index(wanted)])
    if wanted.statistic != "difference":
        return None
    change = wanted.endpoint, "change", wanted.week
    arms = {
        o.arm: k
        for k, o in enumerate(fitted)
        if o.trial == wanted.trial and (o.endpoint, o.statistic, o.week) == change
    }
    if not {wanted.arm, wanted.against} <= arms.keys():
        return None
    return np.asarray(expected[:, arms[wanted.arm]] - expected[:, arms[str(wanted.against)]])

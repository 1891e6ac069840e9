"""What a fit says of two things that no figure of a trial is: how far two weeks' ratings of an untreated person are
apart, and how much more an enriched trial favours the drug than a parallel one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lissive.arrays import FloatArray
from lissive.calibrate.baseline import patients_of
from lissive.calibrate.response import Posterior
from lissive.calibrate.response_likelihood import retest, retest_spread
from lissive.calibrate.structures import Score

HEAD = ("name", "published", "median", "lower", "upper", "unit", "what")
PARALLEL, ENRICHED = "collin_2007", "novotna_2011_phaseB"
RESPONDERS = "spasticity_nrs_responders_30pct"


def reached(posterior: Posterior, scores: Sequence[Score]) -> list[dict[str, str]]:
    """A row for each that these figures tell: published, and median with the 5th and 95th percentile.

    Parameters
    ----------
    scores : the structures that were compared, the best first; draws of it without the enriched trial are used.
    """
    z = posterior.z.reshape(-1, len(posterior.priors))
    rows = []
    spread = retest_spread(posterior.priors, z)
    if spread is not None:
        what = "Standard deviation of a week's mean rating of one person who is not treated"
        rows.append(_row("retest", retest()["within_sd"], spread, "NRS", what))
    published = _ratio(posterior, np.array([[d.value for d in posterior.data]]))
    if published is not None:
        what = "Odds ratio of responders at 30 % in the enriched trial over that in the parallel one"
        draws = {"enriched_over_parallel": (z, what)}
        without = scores[0].without.get(patients_of(ENRICHED)) if scores else None
        if without is not None:
            draws["enriched_unseen_over_parallel"] = (without, f"{what}, by a fit without the enriched trial")
        for name, (each, said) in draws.items():
            found = _ratio(posterior, posterior.emulator(each))
            assert found is not None
            rows.append(_row(name, float(published[0]), found, "1", said))
    return rows


def _row(name: str, published: float, draws: FloatArray, unit: str, what: str) -> dict[str, str]:
    lower, median, upper = (f"{each:.4g}" for each in np.quantile(draws, (0.05, 0.5, 0.95)))
    row = (name, f"{published:.4g}", median, lower, upper, unit, what)
    return dict(zip(HEAD, row, strict=True))


def _ratio(posterior: Posterior, figures: FloatArray) -> FloatArray | None:
    """(draw,) of the mean trial, from (draw, figure) on the scales of the fit; None where a figure is not fitted."""
    places = {
        (o.trial, o.arm, o.statistic): k
        for k, o in enumerate(datum.observed for datum in posterior.data)
        if o.endpoint == RESPONDERS and o.week is None
    }
    wanted = (
        (PARALLEL, "nabiximols", "share"),
        (PARALLEL, "placebo", "share"),
        (ENRICHED, "nabiximols", "odds_ratio"),
    )
    if not all(each in places for each in wanted):
        return None
    drug, placebo, ratio = (figures[:, places[each]] for each in wanted)
    return np.asarray(np.exp(ratio - (drug - placebo)))

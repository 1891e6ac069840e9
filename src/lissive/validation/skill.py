"""Published trials predicted by the model and by the baseline, scored on the same figures: which predicts better?

Coverage alone is won by wide intervals; the scores here are proper: the best expected score is that of the forecaster
who says what is true (Gneiting and Raftery, J Am Stat Assoc 2007;102:359). CRPS is the mean absolute error of a whole
distribution; the interval score is the width of the 90 % interval and twenty times what lies outside it; less is
better.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from lissive.arrays import FloatArray
from lissive.calibrate.baseline import (
    ALL_TERMS,
    USUAL,
    Baseline,
    Widths,
    fit_baseline,
    shipped_baseline,
)
from lissive.chunks import HERE, How
from lissive.files import write_text
from lissive.forecast.better import baseline_outcomes
from lissive.table import rows_of
from lissive.trials.people import draws
from lissive.trials.published import Observed, PublishedTrial, read_published, shipped_published
from lissive.trials.reproduce import Reproduction, Row, chosen, reproduce_published

ALPHA = 0.1
"""Of a 90 % interval."""
TENTHS = {"share": 10.0}
"""Shares and ratings are scored in points of ten, so that one mean may be taken over them; ratios, doses and spreads by
their logarithm."""


# -- proper scores -----------------------------------------------------------------------------------
def crps(values: FloatArray, observed: float) -> float:
    """Continuous ranked probability score of the distribution that a sample is of: E|X - y| - E|X - X'|/2.

    X' is another value than X (Ferro 2014, Q J R Meteorol Soc 140:1917): so a small sample is not scored worse than
    a large one of the same distribution.

    >>> crps(np.array([1.0, 3.0]), 1.0), crps(np.array([2.0]), 5.0)
    (0.0, 3.0)
    """
    x = np.sort(np.asarray(values, dtype=float))
    # half of E|X - X'|: in order, each value is above those before it and below those after it
    spread = float((x * (2.0 * np.arange(len(x)) + 1.0 - len(x))).sum()) / (len(x) * max(len(x) - 1, 1))
    return float(np.abs(x - observed).mean()) - spread


def interval_score(lower: float, upper: float, observed: float, alpha: float = ALPHA) -> float:
    """Width, and 2/alpha times how far the observed is outside.

    >>> interval_score(0.0, 1.0, 0.5), interval_score(0.0, 1.0, 1.5)
    (1.0, 11.0)
    """
    outside = max(lower - observed, 0.0, observed - upper)
    return upper - lower + 2.0 / alpha * outside


@dataclass(frozen=True)
class Told:
    """What was said of one figure beforehand, and its scores on the scale of scoring."""

    predicted: float
    """Mean; of ratios the median."""
    lower: float
    upper: float
    """90 % predictive interval."""
    inside: bool
    crps: float
    interval_score: float


def told(observed: Observed, values: FloatArray) -> Told:
    """Scores of draws of a figure, as it is published."""
    x = values[np.isfinite(values)]
    lower, upper = np.quantile(x, [0.05, 0.95])
    middle = np.median(x) if observed.statistic.endswith("_ratio") else x.mean()
    on = _scale(observed)
    y, low, high = (float(on(np.array(each))) for each in (observed.value, lower, upper))
    return Told(
        float(middle), float(lower), float(upper), bool(lower <= observed.value <= upper),
        crps(on(x), y), interval_score(low, high, y),
    )  # fmt: skip


def _scale(observed: Observed) -> Callable[[FloatArray], FloatArray]:
    if observed.statistic in ("change_sd", "sd", "odds_ratio", "hazard_ratio") or observed.endpoint == "dose":
        return lambda x: np.log(np.maximum(x, 1e-6))
    factor = 2.5 if observed.endpoint == "ashworth" else TENTHS.get(observed.statistic, 1.0)
    return lambda x: factor * x


@dataclass(frozen=True)
class Scores:
    """Means over figures."""

    n: int
    coverage: float
    crps: float
    interval_score: float


def scores(found: Sequence[Told]) -> Scores | None:
    """None of no figure."""
    if not found:
        return None
    means = np.array([(each.inside, each.crps, each.interval_score) for each in found]).mean(axis=0)
    return Scores(len(found), *(float(each) for each in means))


# -- model and baseline on the same figures --------------------------------------------------------------
@dataclass(frozen=True)
class Both:
    """One figure, said of by both."""

    row: Row
    model: Told
    baseline: Told
    baseline_left_out: Told | None
    """Fitted without the figure's trial; None where it was not fitted on it."""
    model_left_out: Told | None
    """The same of the model, on its emulator (calibrate/found/left_out.tsv)."""

    @property
    def outcome(self) -> str:
        return self.row.observed.endpoint.split("_responders")[0]


@dataclass(frozen=True)
class Side:
    """The two forecasters' scores on the same figures."""

    model: Scores
    baseline: Scores
    shown: Scores
    """As forecasts show it: of each outcome the one that predicts calibration trials better (forecast/better.tsv)."""

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self.model), "baseline": asdict(self.baseline), "shown": asdict(self.shown)}


def _side_of(said: Sequence[tuple[str, Told, Told]]) -> Side | None:
    """Of outcomes, and what model and baseline say of each; None of no figure."""
    instead = baseline_outcomes()
    each_side = (
        [model for _, model, _ in said],
        [baseline for _, _, baseline in said],
        [baseline if outcome in instead else model for outcome, model, baseline in said],
    )
    model, baseline, shown = map(scores, each_side)
    return Side(model, baseline, shown) if model and baseline and shown else None


def _side(found: Sequence[Both]) -> Side | None:
    return _side_of([(each.outcome, each.model, each.baseline) for each in found])


def _unseen(found: Sequence[Both]) -> Side | None:
    """The same of figures that both predicted without their trial."""
    pairs = [(b.outcome, b.model_left_out, b.baseline_left_out) for b in found]
    return _side_of([(outcome, model, baseline) for outcome, model, baseline in pairs if model and baseline])


@dataclass(frozen=True)
class Scored(Reproduction):
    """The answer of `lissive trial reproduce`: the figures, and which of the two predicts them better."""

    both: tuple[Both, ...]

    @property
    def score(self) -> Side | None:
        return _side(self.both)

    def score_by(self, of: Callable[[Both], str]) -> dict[str, Side]:
        """A word of each figure (split, outcome) to the scores of those that have it."""
        words = dict.fromkeys(of(each) for each in self.both)
        found = {w: _side([each for each in self.both if of(each) == w]) for w in words}
        return {word: side for word, side in found.items() if side}

    @property
    def left_out(self) -> Side | None:
        """Each trial predicted by a fit on the others; of figures of which both do so."""
        return _unseen(self.both)

    def to_json(self) -> dict[str, Any]:
        said = super().to_json()
        for each, row in zip(self.rows, said["endpoints"], strict=True):
            row["baseline"] = next((_told_json(b.baseline) for b in self.both if b.row is each), None)
        left_out = self.left_out
        return {
            **said,
            "score": {
                **(self.score.to_json() if self.score else {}),
                "by_split": {k: v.to_json() for k, v in self.score_by(lambda b: b.row.split).items()},
                "by_outcome": {k: v.to_json() for k, v in self.score_by(lambda b: b.outcome).items()},
                "leave_one_trial_out": left_out.to_json() if left_out else None,
            },
        }


def _told_json(one: Told) -> dict[str, Any]:
    return {"predicted": one.predicted, "pi90": [one.lower, one.upper], "inside": one.inside}


def scored(found: Reproduction, baseline: Baseline) -> Scored:
    """Model and baseline on every figure that both say something of."""
    trials = {trial.id: trial for trial in found.trials}
    both = []
    for row in found.rows:
        trial = trials[row.observed.trial]
        values = baseline.samples(trial.design, row.observed)
        if values is None:
            continue
        own = trial.id in baseline.trials
        other = shipped_baseline(trial.id).samples(trial.design, row.observed) if own else None
        both.append(
            Both(
                row,
                told(row.observed, row.values),
                told(row.observed, values),
                None if other is None else told(row.observed, other),
                model_left_out().get(_key(row.observed)),
            )
        )
    return Scored(found.rows, found.skipped, found.replicates, found.trials, tuple(both))


# -- the model without each trial: what its fit left on file -------------------------------------------------
LEFT_OUT = Path(__file__).parents[1] / "calibrate" / "found" / "left_out.tsv"
LEFT_OUT_HEAD = (
    *("trial", "arm", "against", "endpoint", "statistic", "week", "observed"),
    *("predicted", "lower", "upper", "inside", "crps", "interval_score"),
)
OF_FIGURE = 7
"""Columns that say which figure it is."""


def _key(one: Observed) -> tuple[str, ...]:
    week = "-" if one.week is None else f"{one.week:g}"
    return one.trial, one.arm, one.against or "-", one.endpoint, one.statistic, week, f"{one.value:.4g}"


def write_left_out(found: Iterable[tuple[Observed, FloatArray]], folder: Path) -> Path:
    """Each figure, and what was said of it by a fit without its trial (`calibrate.left_out.predictions`)."""
    lines = ["\t".join(LEFT_OUT_HEAD)]
    for observed, values in found:
        one = told(observed, values)
        said = (one.predicted, one.lower, one.upper, float(one.inside), one.crps, one.interval_score)
        lines.append("\t".join([*_key(observed), *(f"{each:.4g}" for each in said)]))
    return write_text(folder / LEFT_OUT.name, "\n".join(lines) + "\n")


@cache
def model_left_out() -> Mapping[tuple[str, ...], Told]:
    """Which figure to what the shipped model's fit said of it without its trial."""
    rows = [tuple(row.values()) for row in rows_of(LEFT_OUT)]
    numbers = [(row[:OF_FIGURE], [float(each) for each in row[OF_FIGURE:]]) for row in rows]
    return {key: Told(x[0], x[1], x[2], x[3] == 1.0, x[4], x[5]) for key, x in numbers}


def reproduce(
    trials: Path | None = None,
    *,
    only: Sequence[str] = (),
    replicates: int = 200,
    seed: int = 1,
    threads: int | None = None,
    progress: Callable[[float], None] | None = None,
    folder: Path | None = None,
    how: How = HERE,
) -> Scored:
    """Simulate published trials at their published size, each replicate with a draw of the calibrated parameters.

    Parameters
    ----------
    trials : a file of published trials; those that come with Lissive if not given.
    only : ids of the trials to be simulated; all if none is named.
    progress : called with the proportion that is done.
    folder, how : where chunks are kept and worked on, as in `reproduce_published`.

    Raises       DesignError for an unknown id, or fewer replicates than an interval needs.
    """
    published = shipped_published() if trials is None else read_published(trials)
    found = reproduce_published(
        chosen(published, only),
        replicates=replicates,
        seed=seed,
        responses=draws(replicates, seed),
        threads=threads,
        progress=progress,
        folder=folder,
        how=how,
    )
    return scored(found, shipped_baseline())


# -- which of the two a forecast shows ---------------------------------------------------------------------
BETTER_HEAD = ("outcome", "better", "n", "model_crps", "baseline_crps", "basis")
FITTED, UNSEEN = "both_fitted", "leave_one_trial_out"
"""On what is decided: each trial predicted by a fit on the others; where none of an outcome is, on figures that both
were fitted on."""


def better_rows(found: Scored) -> list[dict[str, str]]:
    """By outcome, which predicts better; of calibration figures alone."""
    rows = []
    mine = [each for each in found.both if each.row.split == "calibration"]
    for outcome in dict.fromkeys(each.outcome for each in mine):
        both = [each for each in mine if each.outcome == outcome]
        unseen = _unseen(both)
        side = unseen or _side(both)
        assert side is not None
        model, baseline = round(side.model.crps, 3), round(side.baseline.crps, 3)  # as printed
        better = "model" if model < baseline else "baseline"
        basis = UNSEEN if unseen else FITTED
        line = (outcome, better, str(side.model.n), f"{model:.3f}", f"{baseline:.3f}", basis)
        rows.append(dict(zip(BETTER_HEAD, line, strict=True)))
    return rows


def write_better(found: Scored, path: Path) -> None:
    """The table that a forecast reads."""
    lines = [BETTER_HEAD, *(row.values() for row in better_rows(found))]
    write_text(path, "".join("\t".join(line) + "\n" for line in lines))


# -- what form the baseline has --------------------------------------------------------------------------
FORMS: Mapping[str, tuple[tuple[str, ...], Widths]] = {
    "outcome and treatment alone": ((), USUAL),
    "and design": (("design",), USUAL),
    "and design, week": (("design", "week"), USUAL),
    "and design, product": (("design", "product"), USUAL),
    "and design, week, product, cause": (ALL_TERMS, USUAL),
    "the same, slopes 0.1": (ALL_TERMS, Widths(slope=0.1)),
    "the same, slopes 0.5": (ALL_TERMS, Widths(slope=0.5)),
    "the same, slopes 1": (ALL_TERMS, Widths(slope=1.0)),
    "the same, outcomes 0.25": (ALL_TERMS, Widths(kind=0.25)),
    "the same, outcomes 1": (ALL_TERMS, Widths(kind=1.0)),
    "the same, outcomes 2": (ALL_TERMS, Widths(kind=2.0)),
}
"""What was compared: terms, and prior widths of slopes and of how outcomes differ (docs/concepts/baseline.md)."""


def without_each(trials: Sequence[PublishedTrial], form: tuple[tuple[str, ...], Widths]) -> Scores | None:
    """Every calibration trial predicted by a baseline that is fitted on the others."""
    found = []
    for trial in (t for t in trials if t.split == "calibration" and t.id in shipped_baseline().trials):
        fitted = fit_baseline(trials, without=trial.id, terms=form[0], widths=form[1])
        for observed in trial.observed:
            values = fitted.samples(trial.design, observed)
            if values is not None:
                found.append(told(observed, values))
    return scores(found)

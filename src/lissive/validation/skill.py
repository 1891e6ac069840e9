"""Published trials predicted by the model and by the baseline, scored on the same figures: which predicts better?

Coverage alone is won by wide intervals, so scores are proper (`validation.proper`). What both say together is scored
too (`validation.pool`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, astuple, dataclass
from functools import cache
from pathlib import Path
from typing import Any

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
from lissive.forecast.better import baseline_outcomes, forget
from lissive.table import rows_of
from lissive.trials.people import draws
from lissive.trials.published import Observed, PublishedTrial, read_published, shipped_published
from lissive.trials.reproduce import Reproduction, Row, chosen, reproduce_published
from lissive.validation.pool import pool_weight, pooled, write_pool
from lissive.validation.proper import Scores, Told, scores, told


# -- model and baseline on the same figures --------------------------------------------------------------
@dataclass(frozen=True)
class Sides:
    """What is said of one figure."""

    model: Told
    baseline: Told
    pooled: Told


@dataclass(frozen=True)
class Both:
    """One figure, said of by both."""

    row: Row
    said: Sides
    left_out: Sides | None
    """By fits without the figure's trial, the model's on its emulator (calibrate/found/left_out.tsv); None of a figure
    that was not fitted on, or of which the two do not both say so."""

    @property
    def outcome(self) -> str:
        return self.row.observed.endpoint.split("_responders")[0]


@dataclass(frozen=True)
class Side:
    """The forecasters' scores on the same figures."""

    model: Scores
    baseline: Scores
    pooled: Scores
    """Of the linear pool of the two, as predictions on record give it."""
    shown: Scores
    """As forecasts show it: of each outcome the one that predicts calibration trials better (forecast/better.tsv)."""

    def to_json(self) -> dict[str, Any]:
        others = {name: asdict(getattr(self, name)) for name in ("baseline", "pooled", "shown")}
        return {**asdict(self.model), **others}


def _side_of(said: Sequence[tuple[str, Sides]]) -> Side | None:
    """Of outcomes, and what is said of each; None of no figure."""
    instead = baseline_outcomes()
    each_side = (
        [each.model for _, each in said],
        [each.baseline for _, each in said],
        [each.pooled for _, each in said],
        [each.baseline if outcome in instead else each.model for outcome, each in said],
    )
    model, baseline, together, shown = map(scores, each_side)
    return Side(model, baseline, together, shown) if model and baseline and together and shown else None


def _side(found: Sequence[Both]) -> Side | None:
    return _side_of([(each.outcome, each.said) for each in found])


def _unseen(found: Sequence[Both]) -> Side | None:
    """The same of figures that both predicted without their trial."""
    return _side_of([(each.outcome, each.left_out) for each in found if each.left_out])


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
            said_of = next((b.said for b in self.both if b.row is each), None)
            row["baseline"] = _told_json(said_of.baseline) if said_of else None
            row["pooled"] = _told_json(said_of.pooled) if said_of else None
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
        trial, one = trials[row.observed.trial], row.observed
        values = baseline.samples(trial.design, one)
        if values is None:
            continue
        together = told(one, pooled(row.values, values, pool_weight()))
        other = shipped_baseline(trial.id).samples(trial.design, one) if trial.id in baseline.trials else None
        mine = model_left_out().get(_key(one))
        unseen = None if other is None or mine is None else Sides(mine[0], told(one, other), mine[1])
        both.append(Both(row, Sides(told(one, row.values), told(one, values), together), unseen))
    return Scored(found.rows, found.skipped, found.replicates, found.trials, tuple(both))


# -- the model without each trial: what its fit left on file -------------------------------------------------
LEFT_OUT = Path(__file__).parents[1] / "calibrate" / "found" / "left_out.tsv"
OF_FIGURE = ("trial", "arm", "against", "endpoint", "statistic", "week", "observed")
OF_SIDE = ("predicted", "lower", "upper", "inside", "crps", "interval_score")
LEFT_OUT_HEAD = (*OF_FIGURE, *OF_SIDE, *(f"pooled_{each}" for each in OF_SIDE))


def _key(one: Observed) -> tuple[str, ...]:
    week = "-" if one.week is None else f"{one.week:g}"
    return one.trial, one.arm, one.against or "-", one.endpoint, one.statistic, week, f"{one.value:.4g}"


def write_left_out(
    found: Iterable[tuple[Observed, FloatArray]], trials: Sequence[PublishedTrial], folder: Path
) -> list[Path]:
    """Each figure, and what was said of it by fits without its trial: the model (`calibrate.left_out.predictions`) and
    the pool of it and the baseline; beside it how the pool's weight was chosen (pool.tsv)."""
    designs = {trial.id: trial.design for trial in trials}
    pairs = []
    for observed, values in found:
        other = shipped_baseline(observed.trial).samples(designs[observed.trial], observed)
        if other is not None:
            pairs.append((observed, values, other))
    pool = write_pool(pairs, folder)
    weight = pool_weight(pool)
    lines = ["\t".join(LEFT_OUT_HEAD)]
    for observed, values, other in pairs:
        sides = told(observed, values), told(observed, pooled(values, other, weight))
        lines.append(
            "\t".join([*_key(observed), *(f"{float(x):.4g}" for one in sides for x in astuple(one))])
        )
    return [write_text(folder / LEFT_OUT.name, "\n".join(lines) + "\n"), pool]


def _told(x: Sequence[float]) -> Told:
    predicted, lower, upper, inside, *scored = x
    return Told(predicted, lower, upper, inside == 1.0, *scored)


@cache
def model_left_out() -> Mapping[tuple[str, ...], tuple[Told, Told]]:
    """Which figure to what fits without its trial said of it: the model's, and the pool of it and the baseline."""
    found = {}
    for row in rows_of(LEFT_OUT):
        x = [float(row[each]) for each in LEFT_OUT_HEAD[len(OF_FIGURE) :]]
        found[tuple(row[each] for each in OF_FIGURE)] = _told(x[: len(OF_SIDE)]), _told(x[len(OF_SIDE) :])
    return found


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
    forget()  # what forecasts show is scored by it


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

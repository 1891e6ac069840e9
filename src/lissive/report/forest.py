"""Forest and funnel of a pooled answer (`evidence.answer`), and the table of the same. Draws; computes no effect.

Square: a study, area proportional to weight; hollow if unverified. Diamond: pooled estimate; a thin grey one where it
is of several designs, which answer different questions. Green line: prediction interval. Colours: Okabe and Ito."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from lissive.errors import EvidenceError
from lissive.evidence.answer_types import PooledAnswer, Result, StudyRow, finite
from lissive.evidence.comparison import NOT_ASSESSED, RATIOS, Comparison, Group
from lissive.evidence.effect import ALONE, null, shown
from lissive.evidence.heterogeneity import Egger
from lissive.files import atomic_path, write_csv
from lissive.report.effect_words import (
    DESIGN_NAMES,
    INTERVALS,
    ci_name,
    group_words,
    i_squared,
    k_words,
    p_value,
    participants,
    pooled_words,
    predicted,
    row_label,
    row_words,
    said_too_words,
    sides,
    studies,
    title,
)
from lissive.report.figures import plainly, settings

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BLUE, ORANGE, BLACK, GREEN, GREY = "#0072B2", "#D55E00", "#1b1b1b", "#009E73", "#555555"
LIGHT = "#999999"
PREDICTION = 1.2
_COLUMNS = {
    name: name
    for name in "row design study label provenance risk_of_bias n active control estimate low high".split()
}
_COLUMNS |= {"row": "kind", "weight_pct": "weight"}
"""Of the table, and the field of a line that stands in it."""
WIDE, NARROW = 10.2, 4.5
"""Inches: for paper and screens; for a phone, where words stand above what they are about."""
_CAPTION = 180  # characters in a line of the caption


def forest_figure(answer: PooledAnswer, *, narrow: bool = False) -> Figure:
    """The forest plot. Raises EvidenceError where there is no study to plot."""
    _needs(answer)
    rows = lines(answer)
    step = 2 if narrow else 1
    told = 0.12 * len(
        textwrap.wrap(caption(answer), _CAPTION)
    )  # inches of the caption, of which a phone has none
    above, below = (0.34, 0.62) if narrow else (0.58, 0.52 + told)
    height = above + below + (0.29 if narrow else 0.3) + (0.2 if narrow else 0.24) * step * len(rows)

    def draw(ax: Axes) -> None:
        ends = _limits(answer)
        if answer.measure in RATIOS:
            ax.set_xscale("log")
            _plain_ticks(ax, ends)
        ax.set(xlim=ends, ylim=(step * len(rows) - 0.4, -1.1))
        if answer.measure not in ALONE:
            marked = [k for k, line in enumerate(rows) if line.kind != "heading"]
            _no_difference(ax, null(answer.measure), [step * k for k in marked] if narrow else [])
        for k, line in enumerate(rows):
            at = step * k + (0.55 if narrow else 0.0)
            _draw(ax, line, at, ends)
            (_words_above if narrow else _words_beside)(ax, line, at, answer)
        _axes(ax, answer, narrow)

    left, wide = (0.05, 0.9) if narrow else (0.39, 0.285)
    box = (left, below / height, wide, 1.0 - (below + above) / height)
    return _placed(NARROW if narrow else WIDE, height, box, draw)


def funnel_figure(answer: PooledAnswer) -> Figure:
    """Effect against standard error, with the 95 % funnel about the pooled figure.

    Raises
    ------
    EvidenceError
        With the reason where there are too few studies.
    """
    overall, small = _needs(answer), answer.small_studies
    egger = small.egger
    if egger is None:
        raise EvidenceError(
            small.refused, where="--funnel", do="leave --funnel out; the forest plot can be drawn."
        )

    def draw(ax: Axes) -> None:
        from scipy.special import ndtri

        z, deepest = float(ndtri(0.975)), 1.08 * max(row.effect.se for row in answer.studies)
        middle = overall.pooled.y
        for row in answer.studies:
            full = "white" if row.effect.provenance == "recalled" else BLUE
            ax.plot(
                row.effect.y, row.effect.se, "o", markerfacecolor=full, markeredgecolor=BLUE, markersize=5
            )
        ax.plot([middle - z * deepest, middle, middle + z * deepest], [deepest, 0, deepest], "--", color=GREY)
        ax.axvline(middle, color=GREY, linewidth=0.8)
        ax.set(ylim=(deepest, 0.0), ylabel="standard error")
        log = "logarithm of the " if answer.measure in RATIOS else ""
        ax.set_xlabel(f"{log}{answer.measure_label}")
        ax.set_title(f"{title(answer)}\n{_egger(egger)}", loc="left", fontsize=9)
        ax.spines[["top", "right"]].set_visible(False)
        below, above = sides(answer.outcome.better)
        ax.text(0.0, -0.17, f"← {below}", transform=ax.transAxes, fontsize=7.5, ha="left", va="top")
        ax.text(1.0, -0.17, f"{above} →", transform=ax.transAxes, fontsize=7.5, ha="right", va="top")
        ax.figure.text(0.02, 0.015, textwrap.fill(caption(answer), 96), fontsize=7, color=GREY)

    return _placed(6.4, 4.8, (0.12, 0.22, 0.84, 0.65), draw)


def _egger(found: Egger) -> str:
    return f"Egger's test: intercept {found.intercept:.2f}, {p_value(found.p)}; hollow: unverified"


def alt_text(answer: PooledAnswer) -> str:
    """The forest plot in a sentence, for readers who cannot see it."""
    overall = answer.overall
    if overall is None:
        return f"{title(answer)}: no study to plot."
    further = ""
    if overall.pooled.prediction_interval is not None:
        further = f"; {100 * answer.level:g} % prediction interval {predicted(overall)}"
    found = f"{answer.measure} {pooled_words(overall.pooled)}"
    text = f"{title(answer)}: {studies(len(overall.studies))}, {found}{further}."
    return " ".join([text, *said_too_words(answer)])


def brief_caption(answer: PooledAnswer) -> str:
    """k, n, and of how many trials."""
    held, looked = len(answer.study_ids), answer.trials_looked or 0
    part = f"; {held} of {looked} trials that measured this outcome" if held < looked else ""
    pooled = _needs(answer).pooled
    return f"k = {pooled.k}, {participants(pooled)}{part}."


def caption(answer: PooledAnswer) -> str:
    """k, n, method, and what was searched."""
    pooled, kinds = _needs(answer).pooled, ""
    if pooled.k > 1:
        kinds = f" {pooled.model.capitalize()} effects, {pooled.method}"
        kinds += f", τ² {pooled.tau2_by}" if pooled.tau2_by else ""
        kinds += f", CI {INTERVALS[pooled.ci_by]}."
    day = answer.searched.partition(":")[0]
    judged = any(row.comparison.risk_of_bias for row in answer.studies)
    bias = f"RoB: risk of bias; n/a: {NOT_ASSESSED}." if judged else f"Risk of bias (RoB): {NOT_ASSESSED}."
    tail = " ".join([bias, *([f"{day}."] if day else []), *said_too_words(answer)])
    marks = "Hollow, †: unverified (source not checked); ‡: calculated from figures that were checked."
    return f"{brief_caption(answer)}{kinds} {marks} {tail}"


def write_figure(answer: PooledAnswer, path: Path, *, funnel: bool = False) -> Path:
    """The figure as .svg or .png, whole or not at all."""
    figure = funnel_figure(answer) if funnel else forest_figure(answer)
    with atomic_path(path) as place, plainly():
        if path.suffix.lower() == ".svg":
            figure.savefig(place, metadata={"Date": None, "Title": alt_text(answer)})
        else:
            figure.savefig(place, dpi=150)
    return path


def write_table(answer: PooledAnswer, path: Path) -> Path:
    """The lines of the forest plot as .csv, with all digits."""
    every = [line for line in lines(answer) if line.kind != "heading"]
    shown = [replace(line, kind="overall") if line.kind == "across" else line for line in every]
    cells = [[getattr(line, field) for field in _COLUMNS.values()] for line in shown]
    # an infinite end is an empty cell
    rows = [[finite(cell) if isinstance(cell, float) else cell for cell in row] for row in cells]
    return write_csv(path, [list(_COLUMNS), *rows])


def _needs(answer: PooledAnswer) -> Result:
    if answer.overall is not None:
        return answer.overall
    raise EvidenceError(
        f"No study to plot: no comparison can be pooled ({title(answer)}).",
        where="answer",
        do="see `lissive evidence pool` for what is not pooled and why.",
    )


# -- marks ------------------------------------------------------------------------------------------------
def _draw(ax: Axes, line: Line, at: float, ends: tuple[float, float]) -> None:
    if line.estimate is None:
        return
    low, high = (_inside(end, ends, k) for k, end in enumerate((line.low, line.high)))
    if line.kind == "study":
        ax.plot([low, high], [at, at], color=BLUE, linewidth=1.1, solid_capstyle="butt")
        for k, end in enumerate((line.low, line.high)):
            if end is not None and not ends[0] <= end <= ends[1]:
                ax.plot(ends[k], at, "<>"[k], color=BLUE, markersize=4, clip_on=False)
        if ends[0] <= line.estimate <= ends[1]:
            full = "white" if line.provenance == "recalled" else BLUE
            size = 2.0 + 8.0 * math.sqrt((line.weight or 0.0) / 100.0)
            ax.plot(line.estimate, at, "s", markersize=size, markerfacecolor=full, markeredgecolor=BLUE)
    elif line.kind == "prediction":
        ax.plot([low, high], [at, at], "|-", color=GREEN, linewidth=PREDICTION, markersize=5)
    else:
        hue, tall = {"overall": (BLACK, 0.3), "across": (LIGHT, 0.15)}.get(line.kind, (ORANGE, 0.3))
        middle = min(max(line.estimate, ends[0]), ends[1])
        corners = [(low, at), (middle, at - tall), (high, at), (middle, at + tall)]
        ax.fill(*zip(*corners, strict=True), color=hue, linewidth=0)


def _no_difference(ax: Axes, at: float, tops: list[float]) -> None:
    """The line of no difference: whole, or under the words of each line (`tops`), so that it touches none of them."""
    if not tops:
        ax.axvline(at, color=GREY, linewidth=0.8, zorder=0)
    for top in tops:
        below = 1.6 if top == tops[-1] else 1.0  # the last one stands on the axis
        ax.plot([at, at], [top + 0.12, top + below], color=GREY, linewidth=0.8, zorder=0)


def _inside(end: float | None, ends: tuple[float, float], k: int) -> float:
    return ends[k] if end is None else min(max(end, ends[0]), ends[1])


# -- words ------------------------------------------------------------------------------------------------
def _words_beside(ax: Axes, line: Line, at: float, answer: PooledAnswer) -> None:
    place = ax.get_yaxis_transform()
    style: dict[str, Any] = {"transform": place, "va": "center", "fontsize": 8, "clip_on": False}
    bold = "bold" if line.kind in ("heading", "overall") else "normal"
    indent = 0.0 if line.kind in ("heading", "overall", "across", "prediction") else 0.04
    ax.text(-1.32 + indent, at, _short(line.label, 32), fontweight=bold, **style)
    if line.kind == "study":
        ax.text(-0.36, at, line.active, ha="right", **style)
        ax.text(-0.06, at, line.control, ha="right", **style)
        ax.text(1.78, at, f"{line.weight:.0f} %", ha="right", **style)
        ax.text(1.86, at, _BIAS.get(line.risk_of_bias, line.risk_of_bias), **style)
    if line.text:
        ax.text(1.06, at, line.text, fontweight=bold, **style)


def _short(label: str, most: int) -> str:
    """A label of so many characters at most, with its mark of provenance; the table behind the plot has it whole."""
    if len(label) <= most:
        return label
    mark = label[-1] if label[-1] in "†‡" else ""
    return f"{label[: most - 1 - len(mark)].rstrip()}…{mark}"


_BIAS = {"": "n/a", "some concerns": "some"}
"""Short words of the column of the risk of bias."""


def _words_above(ax: Axes, line: Line, at: float, answer: PooledAnswer) -> None:
    place = ax.get_yaxis_transform()
    style: dict[str, Any] = {"transform": place, "va": "center", "fontsize": 8.5, "clip_on": False}
    bold = "bold" if line.kind in ("heading", "overall") else "normal"
    up = at - 0.85 if line.kind != "heading" else at - 0.3
    arms = f", {line.arms}" if line.arms else ""
    ax.text(0.0, up, f"{_short(line.label, 39 - len(arms))}{arms}", fontweight=bold, **style)
    if line.text:
        ax.text(1.0, up, line.text, ha="right", fontweight=bold, **style)


def _axes(ax: Axes, answer: PooledAnswer, narrow: bool) -> None:
    below, above = sides(answer.outcome.better, answer.measure)
    size = 8.5 if narrow else 8
    scale = f" [{answer.outcome.unit}]" if answer.measure == "MD" else ""
    ax.set_xlabel(f"{answer.measure_label}{scale}", fontsize=size)
    # words about no difference would run into each other where that is near an end of the axis
    for x, side, text in ((0.0, "left", f"← {below}"), (1.0, "right", f"{above} →")) if below else ():
        ax.text(x, 1.01, text, transform=ax.transAxes, fontsize=size - 0.5, ha=side, va="bottom")
    ax.set_yticks([])
    ax.spines[["top", "right", "left"]].set_visible(False)
    if narrow:
        return
    place = ax.get_yaxis_transform()
    style: dict[str, Any] = {"transform": place, "va": "center", "fontsize": 8, "color": GREY}
    ax.text(-0.36, -0.75, "cannabinoid", ha="right", **style)
    ax.text(-0.06, -0.75, "control", ha="right", **style)
    ax.text(1.06, -0.75, f"{answer.measure} ({ci_name(answer.level)})", **style)
    ax.text(1.78, -0.75, "weight", ha="right", **style)
    ax.text(1.86, -0.75, "RoB", **style)
    counted = any(line.active and "/" in line.active for line in lines(answer))
    timed = any(row.comparison.active and row.comparison.active.person_time for row in answer.studies)
    shown = f"events/{'time' if timed else 'n'}" if counted else "mean, n"
    for x in (-0.36, -0.06):
        ax.text(x, 0.0, shown, ha="right", **{**style, "fontsize": 7})
    height = ax.figure.bbox.height / ax.figure.dpi
    ax.figure.text(0.012, 1 - 0.1 / height, title(answer), fontsize=10, fontweight="bold", va="top")
    ax.figure.text(0.012, 0.015, textwrap.fill(caption(answer), _CAPTION), fontsize=7, color=GREY)


def _limits(answer: PooledAnswer) -> tuple[float, float]:
    """Limits of the axis: all studies, except where one interval is far wider than most."""
    ys, ses = [row.effect.y for row in answer.studies], [row.effect.se for row in answer.studies]
    most = 2.5 * 1.96 * median(ses)
    low = min(y - min(1.96 * se, most) for y, se in zip(ys, ses, strict=True))
    high = max(y + min(1.96 * se, most) for y, se in zip(ys, ses, strict=True))
    pooled = _needs(answer).pooled
    for y in (pooled.low_y, pooled.high_y, *(pooled.predicted_y or ())):
        low, high = min(low, max(y, low - most)), max(high, min(y, high + most))
    if answer.measure not in ALONE:
        low, high = min(low, 0.0), max(high, 0.0)
    pad = 0.04 * (high - low)
    return shown(answer.measure, low - pad), shown(answer.measure, high + pad)


def _plain_ticks(ax: Axes, ends: tuple[float, float]) -> None:
    from matplotlib.ticker import FixedLocator, NullFormatter, NullLocator

    decades = [base * 10.0**k for k in range(-6, 7) for base in (1.0, 2.0, 5.0)]
    found = [tick for tick in decades if ends[0] <= tick <= ends[1]]
    while len(found) > 9:
        found = found[::2] if 1.0 in found[::2] else found[1::2]
    ax.xaxis.set_major_locator(FixedLocator(found))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.xaxis.set_minor_formatter(NullFormatter())
    ax.xaxis.set_major_formatter(lambda x, _: f"{x:g}")


def _placed(
    width: float, height: float, box: tuple[float, float, float, float], draw: Callable[[Axes], object]
) -> Figure:
    """One panel at a fixed place, as words stand beside it."""
    from matplotlib.figure import Figure

    with settings():
        figure = Figure(figsize=(width, height))
        draw(figure.add_axes(box))
        figure.draw_without_rendering()  # places everything now, while the settings hold
    return figure


# -- the lines, from top to bottom -----------------------------------------------------------------
@dataclass(frozen=True)
class Line:
    """One line. `kind` is heading, study, together (of one design), overall, across (several designs), prediction."""

    kind: str
    label: str
    design: str = ""
    study: str = ""
    provenance: str = ""
    n: float | None = None
    active: str = ""
    control: str = ""
    estimate: float | None = None
    low: float | None = None
    high: float | None = None
    weight: float | None = None
    text: str = ""
    """Estimate and interval in words."""
    risk_of_bias: str = ""
    """Empty where it is not assessed here."""
    arms: str = ""
    """Participants of both arms, with their events where these were counted."""


def lines(answer: PooledAnswer) -> list[Line]:
    """Studies under their designs, each design's pooled estimate, all designs pooled, and the prediction interval."""
    return list(_lines(answer))


def _lines(answer: PooledAnswer) -> Iterator[Line]:
    overall, several = answer.overall, len(answer.by_design) > 1
    if overall is None:
        return
    for group in answer.by_design:
        yield Line("heading", DESIGN_NAMES[group.design].capitalize(), group.design)
        yield from (_study(row) for row in answer.studies if row.effect.design == group.design)
        if group.pooled.k > 1 and several:
            yield _pooled("together", f"Pooled, {k_words(group.studies)}", group)
    if answer.k > 1:
        kind, label = ("across", "Pooled (all designs)") if several else ("overall", "Pooled")
        yield _pooled(kind, label, overall)
    if (further := overall.pooled.prediction_interval) is not None:
        nothing = overall.prediction_beyond_scale  # then nothing is drawn
        yield Line(
            "prediction",
            f"{100 * answer.level:g} % prediction interval",
            estimate=None if nothing else overall.pooled.estimate,
            low=further[0],
            high=further[1],
            text=predicted(overall),
        )


def _study(row: StudyRow) -> Line:
    effect = row.effect
    return Line(
        "study",
        row_label(row),
        effect.design,
        effect.study,
        effect.provenance,
        effect.n,
        _brief(row.comparison.active),
        _brief(row.comparison.control),
        effect.estimate,
        *row.ci,
        row.weight,
        row_words(row),
        row.comparison.risk_of_bias,
        _arms(row.comparison),
    )


def _arms(one: Comparison) -> str:
    groups = [each for each in (one.active, one.control) if each is not None and each.n]
    if groups and all(each.events is not None for each in groups):
        return " v ".join(map(_brief, groups))
    return f"n {' v '.join(f'{each.n:.0f}' for each in groups)}" if groups else ""


def _brief(group: Group | None) -> str:
    """A group's events and participants, or its mean and participants; the deviation is in the table."""
    words = group_words(group)
    size = (
        f", n {group.n:.0f}"
        if group is not None and group.n and group.mean is not None and "/" not in words
        else ""
    )
    return words.split(" (")[0] + size


def _pooled(kind: str, label: str, result: Result) -> Line:
    pooled = result.pooled
    return Line(
        kind,
        f"{label}, {i_squared(pooled)}",
        result.design,
        n=pooled.n if pooled.n_stated_by else None,
        estimate=pooled.estimate,
        low=pooled.ci[0],
        high=pooled.ci[1],
        text=pooled_words(pooled),
    )

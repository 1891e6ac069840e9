"""Forest and funnel plots, and the table of the same."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.transforms import Bbox

from lissive.errors import EvidenceError
from lissive.evidence import shipped_studies
from lissive.evidence.answer import answer_of, pooled_answer
from lissive.evidence.answer_types import PooledAnswer
from lissive.evidence.comparison import Comparison, Given
from lissive.evidence.words import outcomes
from lissive.report.forest import (
    GREEN,
    alt_text,
    caption,
    forest_figure,
    funnel_figure,
    lines,
    write_figure,
    write_table,
)


@pytest.fixture(scope="module")
def answer() -> PooledAnswer:
    return answer_of(shipped_studies(), "responders_30pct", cause="multiple_sclerosis")


def of(k: int) -> PooledAnswer:
    """k studies of stiffness, of different sizes."""
    made = [
        Comparison(
            f"s{i}",
            f"S {i}",
            "o",
            "c",
            "parallel",
            given=Given("MD", -0.1 * i, se=0.2 + 0.05 * i),
            better="lower",
        )
        for i in range(k)
    ]
    return pooled_answer(made, outcomes()["spasticity_nrs"])


def test_squares_have_areas_by_weight_and_recalled_ones_are_hollow(answer):
    ax = forest_figure(answer).axes[0]
    squares = [line for line in ax.lines if line.get_marker() == "s"]
    areas = [square.get_markersize() for square in squares]
    weights = [row.weight for row in answer.studies]
    assert sorted(range(len(areas)), key=areas.__getitem__) == sorted(
        range(len(weights)), key=weights.__getitem__
    )
    hollow = [square.get_markerfacecolor() == "white" for square in squares]
    assert hollow == [row.effect.provenance == "recalled" for row in answer.studies]


def test_diamonds_span_their_intervals_and_the_bar_the_prediction(answer):
    ax = forest_figure(answer).axes[0]
    spans = [(patch.get_xy()[:, 0].min(), patch.get_xy()[:, 0].max()) for patch in ax.patches]
    expected = [*(group.pooled.ci for group in answer.by_design), answer.overall.pooled.ci]
    assert spans == [pytest.approx(ends) for ends in expected]
    bar = next(line for line in ax.lines if line.get_color() == GREEN)
    assert bar.get_linewidth() < 1.5
    heights = [np.ptp(patch.get_xy()[:, 1]) for patch in ax.patches]
    assert heights[-1] < min(heights[:-1])  # that of several designs is not the loudest mark
    low, high = ax.get_xlim()
    predicted = answer.overall.pooled.prediction_interval
    assert list(bar.get_xdata()) == pytest.approx([max(predicted[0], low), min(predicted[1], high)])


def test_ratios_have_a_logarithmic_axis_and_differences_a_plain_one(answer):
    assert forest_figure(answer).axes[0].get_xscale() == "log"
    assert forest_figure(of(3)).axes[0].get_xscale() == "linear"


@pytest.mark.parametrize("narrow", [False, True])
def test_direction_of_benefit_stands_in_words_on_the_right_sides(answer, narrow):
    for each, order in ((answer, ("control", "the cannabinoid")), (of(3), ("the cannabinoid", "control"))):
        words = [text.get_text() for text in forest_figure(each, narrow=narrow).axes[0].texts]
        assert f"← favours {order[0]}" in words
        assert f"favours {order[1]} →" in words


def touching(ones: Iterable[Bbox], others: Iterable[Bbox]) -> list[tuple[Bbox, Bbox]]:
    """Pairs of boxes that lie on each other, with two pixels of grace in height."""
    return [
        (one, other)
        for one in ones
        for other in others
        if one is not other
        and one.x0 < other.x1 - 1
        and other.x0 < one.x1 - 1
        and one.y0 < other.y1 - 2
        and other.y0 < one.y1 - 2
    ]


CLEAR = [
    ("multiple_sclerosis", "withdrawals_ae", "RD"),
    ("multiple_sclerosis", "withdrawals_ae", "OR"),
    ("multiple_sclerosis", "spasticity_nrs", "MD"),
    ("multiple_sclerosis", "ashworth_total", "MD"),
    ("multiple_sclerosis", "dizziness", "RD"),
    ("fibromyalgia", "pain_responders_30pct", "OR"),  # one trial
    (None, "pain_any_scale", "SMD"),  # twelve, of two designs
]


@pytest.mark.parametrize(("cause", "outcome", "measure"), CLEAR)
@pytest.mark.parametrize("narrow", [False, True])
def test_no_word_is_touched_by_another_or_by_a_line(cause, outcome, measure, narrow):
    shown = answer_of(shipped_studies(), outcome, cause=cause, measure=measure)
    clear_of_each_other(forest_figure(shown, narrow=narrow))


@pytest.mark.parametrize("narrow", [False, True])
def test_a_long_name_of_a_study_is_cut_short_and_keeps_its_mark(narrow):
    first, *rest = of(3).studies
    long = replace(
        first, effect=replace(first.effect, label="A study group of many names " * 4, provenance="recalled")
    )
    figure = forest_figure(replace(of(3), studies=(long, *rest)), narrow=narrow)
    assert any("…†" in text.get_text() for text in figure.axes[0].texts)
    clear_of_each_other(figure)


def clear_of_each_other(figure: Figure) -> None:
    figure.canvas.draw()
    ax = figure.axes[0]
    words = [
        text.get_window_extent() for text in (*ax.texts, *figure.texts, ax.xaxis.label) if text.get_text()
    ]
    assert all(box.x0 >= -1 and box.x1 <= figure.bbox.width + 1 for box in words)
    assert touching(words, words) == []
    lines = [line.get_window_extent().padded(2) for line in ax.lines]
    assert touching(words, lines) == []


def test_participants_of_both_arms_and_the_risk_of_bias_stand_in_every_row(answer):
    words = [text.get_text() for text in forest_figure(answer).axes[0].texts]
    assert {"48/120", "14/64", "41/53", "17/53", "RoB"} <= set(words)
    assert words.count("n/a") == 4  # no review's judgement of these trials was read
    assert "n 120 v 64" in "".join(
        text.get_text() for text in forest_figure(of_means(), narrow=True).axes[0].texts
    )


def of_means() -> PooledAnswer:
    return answer_of(shipped_studies(), "spasticity_nrs", cause="multiple_sclerosis")


def test_caption_says_k_n_and_the_day(answer):
    text = caption(answer)
    assert text.startswith("k = 4, 866 participants")
    assert text.endswith("Searched until 2026-11-29.")


def test_one_measure_of_a_trial_is_drawn_with_what_the_trial_found_besides():
    one = answer_of(shipped_studies(), "pain_responders_30pct", cause="fibromyalgia")
    for text in (caption(one), alt_text(one)):
        assert "reports of spontaneous pain: no treatment superior to placebo" in text


def test_text_alternative_says_the_figure_and_the_prediction(answer):
    assert alt_text(answer).endswith(
        "4 studies, OR 2.65 (0.90 to 7.79); 95 % prediction interval 0.15 to 46.4."
    )


def test_table_holds_every_line_with_all_digits(answer, tmp_path: Path):
    path = write_table(answer, tmp_path / "t.csv")
    rows = list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))
    assert [row["row"] for row in rows].count("study") == 4
    assert len(rows) == len([line for line in lines(answer) if line.kind != "heading"])
    overall = next(row for row in rows if row["row"] == "overall")
    assert float(overall["estimate"]) == answer.overall.pooled.estimate


def test_files_are_the_same_each_time(answer, tmp_path: Path):
    one, other = (write_figure(answer, tmp_path / name) for name in ("a.svg", "b.svg"))
    assert one.read_bytes() == other.read_bytes()
    assert b"<dc:date>" not in one.read_bytes()
    assert write_figure(answer, tmp_path / "a.png").read_bytes()[:4] == b"\x89PNG"


def test_nothing_to_draw_is_refused():
    nothing = answer_of(shipped_studies(), "spasticity_nrs", cause="cerebral_palsy")
    with pytest.raises(EvidenceError, match="No study to plot"):
        forest_figure(nothing)
    assert "no study to plot" in alt_text(nothing)


def test_one_study_is_drawn_without_a_diamond():
    assert forest_figure(of(1)).axes[0].patches[:] == []


def test_interval_without_end_is_drawn_to_the_edge():
    wide = of(3)
    first, *rest = wide.studies
    endless = replace(first, effect=replace(first.effect, v=math.inf))
    assert endless.ci == (-math.inf, math.inf)
    figure = forest_figure(replace(wide, studies=(endless, *rest)))
    assert {line.get_marker() for line in figure.axes[0].lines} >= {"<", ">"}


def test_funnel_needs_ten_studies():
    with pytest.raises(EvidenceError, match="too few"):
        funnel_figure(of(9))
    ax = funnel_figure(of(10)).axes[0]
    assert sum(line.get_marker() == "o" for line in ax.lines) == 10
    assert ax.get_ylim()[1] == 0.0  # exact studies on top
    assert "Egger" in ax.get_title(loc="left")

"""Figures of a follow-up: the diary beside the fit and the weeks ahead; a printable diary page."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

import numpy as np

from lissive.case import product
from lissive.follow.answer import Ahead, FollowAnswer
from lissive.follow.calibration import Calibration
from lissive.follow.diary import Diary
from lissive.follow.n_of_1 import ON, NOf1Plan
from lissive.follow.n_of_1_analysis import NOf1Answer
from lissive.report.figures import BLUE, GREY, INK, ORANGE, drawn

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def follow_figure(answer: FollowAnswer) -> Figure:
    """What was written; where the model makes a prediction, also what the fit expects of one day, and the weeks ahead
    with and without the drug."""

    def draw(ax: Axes) -> None:
        fit, day = answer.fit, np.array(answer.fit.day)
        seen = np.array([np.nan if each is None else each for each in fit.observed])
        if fit.p05 and fit.p95 and fit.median:
            ax.fill_between(
                day, fit.p05, fit.p95, color=GREY, alpha=0.15, lw=0, label="one day's entry, 90 %"
            )
            ax.plot(day, fit.median, color=GREY, lw=1.0, label="one day's entry, median")
        ax.plot(day, seen, "o", ms=2.5, color=INK, label="diary")
        if answer.forecast:
            _weeks_ahead(ax, answer.forecast, answer.treated_days, ended=bool(answer.dose.ended))
        for at, style, name in ((0.0, "-", "first dose"), (answer.treated_days, ":", "end of the diary")):
            ax.axvline(at, color="black", lw=0.6, ls=style)
            ax.annotate(name, (at, 0.0), xytext=(3, 4), textcoords="offset points", fontsize=7)
        ax.set_xlabel("day since the first dose")
        ax.set_ylabel(answer.label)
        ax.set_ylim(bottom=0.0)
        ax.legend(frameon=False, ncols=3, fontsize=7, loc="upper center", bbox_to_anchor=(0.5, -0.14))

    return drawn(7.0, 4.0, draw)


def _weeks_ahead(ax: Axes, ahead: Ahead, begin: int, *, ended: bool) -> None:
    weeks = begin + 7.0 * np.array(ahead.weeks) - 3.5
    found = ahead.outcomes[ahead.primary]
    for side, colour, style, name in (
        (found.continuing, BLUE, "-", "beginning again" if ended else "going on"),
        (found.stopping, ORANGE, "--", "staying without it" if ended else "stopping"),
    ):
        ax.fill_between(weeks, side.p05, side.p95, color=colour, alpha=0.15, lw=0)
        ax.plot(weeks, side.median, style, color=colour, lw=1.5, label=f"{name}, week's mean, 90 %")


def sheet_html(title: str, first: datetime.date, days: int, *, sprays: bool) -> str:
    """A diary to be printed: a row a day; the dose in sprays, else in mg of THC and CBD."""
    from markupsafe import escape

    head = (
        "Date",
        "Spasms",
        "Severity 0-10",
        "Spasticity 0-10",
        "Pain 0-10",
        "Sleep trouble 0-10",
        *(("Sprays",) if sprays else ("THC mg in the day", "CBD mg in the day")),
        "Side effects, note",
    )
    rows = "".join(
        f"<tr><td>{first + datetime.timedelta(days=k)}</td>{'<td></td>' * (len(head) - 1)}</tr>"
        for k in range(days)
    )
    doses = "sprays" if sprays else "thc_mg,cbd_mg"
    columns = f"date,spasms,severity,spasticity_nrs,pain_nrs,sleep_nrs,{doses},side_effects,note"
    return _page(
        title,
        "<p>Fill in one row every evening, for a week before the first dose and then every day. 0 is none, "
        "10 the worst that "
        "you can imagine. Leave blank what you did not note; write 0 only where it was none. Call a "
        "clinician for a fall, low "
        "mood, seeing or hearing things that others do not, or if you feel unsafe.</p>"
        f"<table><thead><tr>{''.join(f'<th>{escape(each)}</th>' for each in head)}</tr></thead>"
        f"<tbody>{rows}</tbody></table>"
        f"<p>To be typed into a file with the columns {columns}.</p>",
    )


def _page(title: str, body: str) -> str:
    from markupsafe import escape

    return f"""<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>
<style>
@page {{ size: A4; margin: 12mm }}
body {{ font: 10pt/1.3 Report, "Report Rest", "DejaVu Sans", sans-serif }}
h1 {{ font-size: 13pt; margin: 0 0 2mm }} p {{ margin: 2mm 0 }}
table {{ border-collapse: collapse; width: 100% }}
th, td {{ border: 0.3mm solid #555; height: 6mm; padding: 0 1.5mm; text-align: left; font-size: 8.5pt }}
th:last-child {{ width: 34% }} td:first-child {{ white-space: nowrap }}
thead {{ display: table-header-group }}
</style></head><body>
<h1>{escape(title)}</h1>
{body}
</body></html>
"""


def plan_html(plan: NOf1Plan) -> str:
    """A sheet of the periods to be printed; of a blinded trial without the key, and with a column for the guess.

    What is not used by the forecast is for who plans, and not on it.
    """
    from markupsafe import escape

    drug = product(plan.product).label
    ways = {True: f"with {drug}", False: f"without {drug}"}
    guess = ("Which do you think it was?",) if plan.blinded else ()
    head = ("From", "To", "Kit", "Treatment", *guess)
    rows = "".join(
        f"<tr><td>{each.first}</td><td>{each.last}</td><td>{each.kit}</td>"
        f"<td>{'kit, as labelled' if plan.blinded else escape(ways[each.treatment == ON])}</td>"
        f"{'<td></td>' * len(guess)}</tr>"
        for each in plan.periods
    )
    notes = "".join(f"<li>{escape(each)}</li>" for each in plan.notes if "forecast" not in each)
    return _page(
        f"n-of-1 trial of {drug}: {plan.case}",
        "<p>Keep the diary every evening in all periods.</p><table><thead><tr>"
        f"{''.join(f'<th>{each}</th>' for each in head)}</tr></thead><tbody>{rows}</tbody></table><ul>{notes}</ul>",
    )


def n_of_1_figure(diary: Diary, plan: NOf1Plan, found: NOf1Answer) -> Figure:
    """All entries, periods with the drug shaded, and the mean of the days of each period that are analysed."""

    def draw(ax: Axes) -> None:
        start = plan.periods[0].first
        rated = [
            ((d.date - start).days, d.ratings[found.outcome])
            for d in diary.days
            if found.outcome in d.ratings
        ]
        ax.plot(*zip(*rated, strict=True), "o", ms=2.5, color=INK, label="diary")
        for each in plan.periods:
            first, begin, last = ((when - start).days for when in (each.first, each.analysed_from, each.last))
            on = each.treatment == ON
            ax.axvspan(first - 0.5, last + 0.5, color=BLUE if on else GREY, alpha=0.12, lw=0)
            inside = [value for day, value in rated if begin <= day <= last]
            if inside:
                ax.plot(
                    [begin, last],
                    [np.mean(inside)] * 2,
                    color=BLUE if on else ORANGE,
                    lw=2,
                    ls="-" if on else "--",
                )
        ax.set_xlabel("day (shaded blue: with the drug; lines: means of the days analysed)")
        ax.set_ylabel(found.label)
        ax.set_ylim(bottom=0.0)

    return drawn(7.0, 3.2, draw)


def calibration_figure(found: Calibration) -> Figure:
    """The calibration curve of the model's own people."""

    def draw(ax: Axes) -> None:
        mean, seen, people = (np.array(column, float) for column in zip(*found.curve, strict=True))
        error = 1.96 * np.sqrt(np.maximum(seen * (1.0 - seen), 0.25 / people) / people)
        ax.plot([0, 1], [0, 1], color=GREY, lw=0.8)
        ax.errorbar(
            mean, seen, yerr=np.minimum(error, [seen, 1.0 - seen]), fmt="o-", color=BLUE, ms=4, lw=1.2
        )
        ax.set_xlabel("probability of benefit, mean of the bin")
        ax.set_ylabel("proportion who benefit")
        ax.set_xlim(0, 1)
        ax.set_ylim(0, 1)

    return drawn(3.6, 3.4, draw)

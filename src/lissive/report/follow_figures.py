"""Figures of a follow-up: the diary beside the fit and the weeks ahead; a printable diary page."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

import numpy as np

from lissive.follow.answer import FollowAnswer
from lissive.report.figures import BLUE, GREY, ORANGE, drawn

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def follow_figure(answer: FollowAnswer) -> Figure:
    """What was written, what the fit expects of one day, and the weeks ahead with and without the drug."""

    def draw(ax: Axes) -> None:
        fit, ahead = answer.fit, answer.forecast.outcomes[answer.forecast.primary]
        day = np.array(fit.day)
        seen = np.array([np.nan if each is None else each for each in fit.observed])
        ax.fill_between(day, fit.p05, fit.p95, color=GREY, alpha=0.15, lw=0, label="one day's entry, 90 %")
        ax.plot(day, fit.median, color=GREY, lw=1.0)
        ax.plot(day, seen, "o", ms=2.5, color="black", label="diary")
        weeks = answer.treated_days + 7.0 * np.array(answer.forecast.weeks) - 3.5
        for side, colour, style, name in (
            (ahead.continuing, BLUE, "-", "going on"),
            (ahead.stopping, ORANGE, "--", "stopping"),
        ):
            ax.fill_between(weeks, side.p05, side.p95, color=colour, alpha=0.15, lw=0)
            ax.plot(weeks, side.median, style, color=colour, lw=1.5, label=f"{name}, week's mean, 90 %")
        ax.axvline(0.0, color="black", lw=0.6)
        ax.axvline(answer.treated_days, color="black", lw=0.6, ls=":")
        ax.set_xlabel("day since the first dose")
        ax.set_ylabel(answer.label)
        ax.set_ylim(bottom=0.0)
        ax.legend(frameon=False, ncols=2, fontsize=7)

    return drawn(7.0, 3.6, draw)


def sheet_html(title: str, first: datetime.date, days: int, dose: str) -> str:
    """A diary to be printed: a row a day."""
    from markupsafe import escape

    head = (
        "Date",
        "Spasms",
        "Severity 0-10",
        "Spasticity 0-10",
        "Pain 0-10",
        "Sleep trouble 0-10",
        dose,
        "Side effects, note",
    )
    rows = "".join(
        f"<tr><td>{first + datetime.timedelta(days=k)}</td>{'<td></td>' * (len(head) - 1)}</tr>"
        for k in range(days)
    )
    columns = "date,spasms,severity,spasticity_nrs,pain_nrs,sleep_nrs,sprays,side_effects,note"
    return f"""<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>
<style>
@page {{ size: A4; margin: 12mm }}
body {{ font: 10pt/1.3 "DejaVu Sans", sans-serif }}
h1 {{ font-size: 13pt; margin: 0 0 2mm }}
table {{ border-collapse: collapse; width: 100% }}
th, td {{ border: 0.3mm solid #555; height: 7mm; padding: 0 1.5mm; text-align: left; font-size: 8.5pt }}
th:last-child {{ width: 34% }}
thead {{ display: table-header-group }}
</style></head><body>
<h1>{escape(title)}</h1>
<p>Fill in one row every evening, for a week before the first dose and then every day. 0 is none, 10 the worst that you can imagine.
Leave blank what you did not note; write 0 only where it was none. Call a clinician for a fall, low mood, seeing or
hearing things, or if you feel unsafe.</p>
<table><thead><tr>{"".join(f"<th>{escape(each)}</th>" for each in head)}</tr></thead><tbody>{rows}</tbody></table>
<p>To be typed into a file with the columns {columns}.</p>
</body></html>
"""

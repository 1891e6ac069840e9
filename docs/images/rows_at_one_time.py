"""Draws rows-at-one-time.svg: what happens first at one time of a dosing table.

.venv/bin/python docs/images/rows_at_one_time.py
"""

from pathlib import Path

import matplotlib as mpl
import pandas as pd
from matplotlib.figure import Figure

import lissive
from lissive.model.read import read_antimony

MODEL = """model one_compartment
  compartment body = 20;  substanceOnly species central in body = 0;  CL = 5;
  elimination: central => ;  CL/body*central;
end"""
ROWS = [  # TIME EVID AMT II ADDL
    (0, 1, 100, 12, 1),
    (12, 0, 0, 0, 0),
    (12, 1, 50, 0, 0),
    (12, 0, 0, 0, 0),
]
BLUE, RED, GREY = "#0b5394", "#b3261e", "#666666"


def draw() -> Figure:
    model = read_antimony(MODEL)
    events = pd.DataFrame(ROWS, columns=["TIME", "EVID", "AMT", "II", "ADDL"]).assign(ID=1, CMT="central")
    times = [x / 20 for x in range(0, 321)]
    curve = lissive.simulate(model, events=events, times=times, select=["central"])["central"].values[0]
    first, second = lissive.simulate(model, events=events, select=["central"])["central"].values[0]
    before, after = first - 100, float(curve[times.index(12.0)])
    figure = Figure(figsize=(9.0, 3.6), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=[1, 1.7], sharey=True)
    left.plot(times, curve, color=BLUE)
    left.axvline(12, color=GREY, lw=0.8, ls=":")
    left.set(
        xlabel="time (h)",
        ylabel="amount in central (mg)",
        xticks=[0, 4, 8, 12, 16],
        title="100 mg at 0 h, II 12, ADDL 1",
    )
    steps = [
        ("infusions\nend", before, "step"),
        ("additional and\nlagged doses\n+100", first, "dose"),
        ("row 2\nobservation", first, "seen"),
        ("row 3\ndose +50", second, "dose"),
        ("row 4\nobservation", second, "seen"),
        ("output time\n12 h", after, "seen"),
    ]
    right.step(range(len(steps)), [y for _, y, _ in steps], where="mid", color=GREY, lw=0.8)
    for x, (_, y, kind) in enumerate(steps):
        right.plot(x, y, "o" if kind == "seen" else "s", color=BLUE if kind == "seen" else RED, ms=7)
        right.annotate(f"{y:.2f}", (x, y), xytext=(0, 8), textcoords="offset points", ha="center", fontsize=9)
    right.set(title="at 12 h, from left to right", ylim=(0, 185), xlim=(-0.6, 5.6))
    right.set_xticks(range(len(steps)), [label for label, _, _ in steps], fontsize=8)
    right.plot([], [], "o", color=BLUE, label="seen")
    right.plot([], [], "s", color=RED, label="happens")
    right.legend(frameon=False, loc="upper left", fontsize=9)
    for axes in (left, right):
        axes.spines[["top", "right"]].set_visible(False)
    return figure


if __name__ == "__main__":
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "lissive"}):
        draw().savefig(Path(__file__).with_name("rows-at-one-time.svg"), metadata={"Date": None})

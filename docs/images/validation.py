"""Draws validation.svg: how far each prediction of docs/validation.md is from what was published.

.venv/bin/python docs/images/validation.py
"""

import re
from hashlib import sha256
from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure

HERE = Path(__file__).parent
PAGE = HERE.parent / "validation.md"
BLUE, ORANGE, GREY = "#0072B2", "#D55E00", "#555555"
EXPOSURE = r"Cmax|Cmin|Cavg|AUC.*|C at .*"
ROWS = [  # label, analytes, metrics, routes
    ("THC after the spray", "THC", EXPOSURE, "spray"),
    ("THC by mouth", "THC", EXPOSURE, "oral"),
    ("THC smoked or vaporised", "THC", EXPOSURE, "smoked|vaporised"),
    ("CBD", "CBD", EXPOSURE, ".*"),
    ("Times of peaks", "THC|CBD", "Tmax", ".*"),
    ("Half-lives", "THC|CBD", "thalf", ".*"),
    ("Effect of food, medicines,\ngenes, liver disease", ".*", ".*ratio.*", "held"),
]
Point = tuple[int, float, bool]
"""Row of the picture, predicted / observed, whether held out."""


def points(page: Path = PAGE) -> list[Point]:
    """Every figure of the page that belongs to a row of the picture."""
    found = []
    for line in page.read_text(encoding="utf-8").replace("\\", "").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split(" | ")]
        if len(cells) == 11 and cells[3] in ("calibration", "held-out"):
            analyte, metric, split, route, fold = cells[1], cells[2], cells[3], cells[4], cells[9]
        elif len(cells) == 9 and cells[7] in ("met", "not met"):
            analyte, metric, split, route, fold = cells[1], cells[2], "held-out", "held", cells[6]
        else:
            continue
        for k, (_, *wanted) in enumerate(ROWS):
            if all(re.fullmatch(a, b) for a, b in zip(wanted, (analyte, metric, route), strict=True)):
                found.append((k, float(fold), split == "held-out"))
                break
    return found


def description(found: list[Point]) -> str:
    """What it was made from."""
    return f"{len(found)} figures of validation.md, {sha256(repr(found).encode()).hexdigest()[:12]}"


def draw(found: list[Point]) -> Figure:
    figure = Figure(figsize=(7.4, 3.6), layout="constrained", facecolor="white")
    ax = figure.subplots()
    ax.axvspan(0.5, 2.0, color="#e9eef2", lw=0)
    ax.axvline(1.0, color=GREY, lw=0.8)
    for held, mark, hue in ((False, "o", BLUE), (True, "s", ORANGE)):
        mine = [(k, fold) for k, fold, is_held in found if is_held is held]
        # fitted above the row's line, held out below it
        ax.plot(
            [fold for _, fold in mine],
            [k + (0.14 if held else -0.14) for k, _ in mine],
            mark,
            ms=5,
            mec=hue,
            mfc="white" if held else hue,
            alpha=0.85,
            ls="none",
            label=f"held out from the fit ({len(mine)})" if held else f"the fit could use it ({len(mine)})",
        )
    ax.set_yticks(range(len(ROWS)), [label for label, *_ in ROWS])
    ax.set_ylim(len(ROWS) - 0.5, -0.6)
    ax.set_xscale("log")
    ticks = [0.125, 0.25, 0.5, 1, 2, 4]
    ax.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    ax.minorticks_off()
    ax.set_xlabel("predicted / published: 1 is exact, grey is within a factor of 2")
    ax.legend(frameon=False, loc="upper center", bbox_to_anchor=(0.4, 1.14), ncols=2, handletextpad=0.2)
    ax.spines[["top", "right", "left"]].set_visible(False)
    ax.tick_params(axis="y", length=0)
    return figure


if __name__ == "__main__":
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "lissive", "font.family": "sans-serif"}):
        every = points()
        draw(every).savefig(
            HERE / "validation.svg", metadata={"Date": None, "Description": description(every)}
        )

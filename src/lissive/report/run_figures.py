"""Figures of a simulation: what was simulated over time, and a visual predictive check."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lissive.arrays import FloatArray
from lissive.errors import SimulationError
from lissive.files import Beside, atomic_path, write_csv
from lissive.report.figures import BLUE, FAINT, GREY, INK, ORANGE, settings
from lissive.simulation.population.vpc import HEADING

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from lissive.simulation.population.vpc import Check

ENDINGS = (".png", ".svg", ".pdf")
MOST_PANELS, MOST_LINES = 12, 12
"""More outputs are refused; more subjects are a band in place of lines."""


def looks(
    plot: Path | None, vpc: Path | None
) -> tuple[Callable[[xr.Dataset], None], list[Path], Beside | None]:
    """What draws these figures of a run, the files that it writes, and the one of them that nobody named.

    Raises       SimulationError for a file extension that there is no figure in.
    """
    for option, path in (("--plot", plot), ("--vpc", vpc)):
        if path is not None:
            _ending(path, option)

    def look(run: xr.Dataset) -> None:
        figures = [(draw_run(run), plot)] if plot else []
        if vpc:
            check = _check(run)
            figures.append((draw_check(check), vpc))
        for figure, path in figures:
            _save(figure, path)
        if vpc:
            write_csv(vpc.with_suffix(".csv"), check.rows())

    table = vpc.with_suffix(".csv") if vpc else None
    beside = Beside([table], table, ",".join(HEADING)) if table else None
    return look, [path for path in (plot, vpc, table) if path], beside


def plot(run: xr.Dataset, path: str | Path) -> Path:
    """A figure of a run of `simulate`: a line for each subject, or the median and 90 % of more than 12 subjects.

    path : .png, .svg or .pdf.

    Raises       SimulationError for more than 12 outputs, and for a run in which nothing went well.
    """
    path = _ending(Path(path), "path")
    _save(draw_run(run), path)
    return path


def vpc(
    run: xr.Dataset, path: str | Path, *, output: str | None = None, bins: int | None = None
) -> list[list[Any]]:
    """A visual predictive check of a population run as a figure; gives its table, the heading first.

    run : of `simulate` with a population, replicates, and events that have the observations in the column DV.
    path : .png, .svg or .pdf.
    output, bins : see `visual_check`.
    """
    path = _ending(Path(path), "path")
    check = _check(run, output, bins)
    _save(draw_check(check), path)
    return check.rows()


def _check(run: xr.Dataset, output: str | None = None, bins: int | None = None) -> Check:
    from lissive.simulation.population.vpc import visual_check

    return visual_check(run, output, bins)


def _ending(path: Path, where: str) -> Path:
    if path.suffix.lower() not in ENDINGS:
        raise SimulationError(
            f"Unsupported file extension {path.suffix!r}.",
            where=where,
            allowed=f"{', '.join(ENDINGS)}.",
            do="give the figure a name with one of these extensions.",
        )
    return path


def _save(figure: Figure, path: Path) -> None:
    from lissive.report.figures import plainly

    with atomic_path(path) as place, plainly():
        figure.savefig(place, dpi=150, metadata={"Date": None} if path.suffix == ".svg" else None)


# -- a run ------------------------------------------------------------------------------------------
def draw_run(run: xr.Dataset) -> Figure:
    """A panel for each output."""
    outputs = _outputs(run)
    if len(outputs) > MOST_PANELS:
        raise SimulationError(
            f"The run has {len(outputs)} outputs.",
            where="plot",
            allowed=f"up to {MOST_PANELS} in one figure.",
            do="select fewer.",
        )
    well = run["status"].values == 0
    if not well.any():
        raise SimulationError("No subject's run went well.", where="plot", do="read their messages.")
    columns = min(len(outputs), 3)
    lines = -(-len(outputs) // columns)
    with settings():
        figure, axes = _panels(lines, columns, 3.4 if columns > 1 else 5.2, 2.6 if columns > 1 else 3.4)
        for axis, name in zip(axes.ravel(), outputs, strict=False):
            _panel(axis, run, name, well)
        for axis in axes.ravel()[len(outputs) :]:
            axis.set_visible(False)
        axes[0, 0].set_title(_who(run, well), loc="left", fontsize=8)
        figure.draw_without_rendering()
    return figure


def _outputs(run: xr.Dataset) -> list[str]:
    names = [str(name) for name in run.data_vars if name not in ("status", "message")]
    return [n for n in names if not (n.startswith(("PRED_", "DV_")) and n.split("_", 1)[1] in names)]


def _panels(rows: int, columns: int, width: float, height: float) -> tuple[Figure, Any]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width * columns, height * rows), layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False)
    for axis in axes.ravel():
        axis.spines[["top", "right"]].set_visible(False)
    return figure, axes


def _who(run: xr.Dataset, well: Any) -> str:
    people = f"{int(well.sum())} run{'s' if well.sum() > 1 else ''}"
    failed = int((~well).sum())
    band = _is_band(run, well)
    return (
        people
        + (": median and 5th to 95th percentile" if band else "")
        + (f"; {failed} failed, left out" if failed else "")
    )


def _is_band(run: xr.Dataset, well: Any) -> bool:
    return int(well.sum()) > MOST_LINES and run["time"].ndim == 1


def _panel(axis: Axes, run: xr.Dataset, name: str, well: Any) -> None:
    values = run[name].values[well]
    times = run["time"].values
    if _is_band(run, well):
        low, middle, high = np.nanpercentile(values, (5, 50, 95), axis=0)
        axis.fill_between(times, low, high, color=BLUE, alpha=0.25, lw=0)
        axis.plot(times, middle, color=BLUE, lw=1.5)
    else:
        own = np.broadcast_to(times, run[name].shape)[well]
        for time, line in zip(own, values, strict=True):
            order = np.argsort(time, kind="stable")
            axis.plot(
                time[order], line[order], color=BLUE, lw=1.0, alpha=max(0.15, min(1.0, 6 / len(values)))
            )
    axis.set_xlabel(_label("time", str(run["time"].attrs.get("units", ""))))
    axis.set_ylabel(
        _label(str(run[name].attrs.get("long_name", name)), str(run[name].attrs.get("units", "")))
    )


def _label(name: str, unit: str) -> str:
    return f"{name} [{unit}]" if unit else name


# -- a visual predictive check ------------------------------------------------------------------------
def draw_check(check: Check) -> Figure:
    """Observed percentiles as lines, and the band in which the replicates' percentiles lie."""
    with settings():
        figure, axes = _panels(1, 1, 5.6, 3.8)
        axis = axes[0, 0]
        axis.plot(*check.points.T, "o", ms=2.2, color=FAINT, mec=GREY, mew=0.3, label="observed")
        hues = (ORANGE, BLUE, ORANGE)
        for k, (hue, observed) in enumerate(zip(hues, check.observed, strict=True)):
            _percentile(axis, check.time, check.simulated[k], observed, hue, first=k < 2, middle=k == 1)
        axis.set_xlabel(_label("time", check.time_unit))
        axis.set_ylabel(_label(check.output, check.unit))
        axis.set_title(
            f"Visual predictive check: {len(check.points)} observations, {check.replicates} replicates",
            loc="left",
            fontsize=8,
        )
        figure.legend(loc="outside lower center", ncols=2, fontsize=6.5, frameon=False)
        figure.draw_without_rendering()
    return figure


def _percentile(
    axis: Axes,
    time: FloatArray,
    band: FloatArray,
    observed: FloatArray,
    hue: str,
    *,
    first: bool,
    middle: bool,
) -> None:
    what = "median" if middle else "5th and 95th percentile"
    axis.fill_between(
        time, band[0], band[2], color=hue, alpha=0.25, lw=0,
        label=f"{what}, simulated (95 % of replicates)" if first else None,
    )  # fmt: skip
    axis.plot(
        time,
        observed,
        color=INK,
        lw=1.2,
        ls="-" if middle else "--",
        label=f"{what}, observed" if first else None,
    )

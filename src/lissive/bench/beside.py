"""Lissive's solver beside others: error against a tight reference, and processor time a patient."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from lissive.bench import metafor, petab
from lissive.bench.accuracy import Solved, scale_of, scaled_error, solve, worst
from lissive.bench.peers import RIVALS, RUN_S, SETUP_S, Process, Rival, by_turns, missing, version_of
from lissive.bench.problems import SEED, names, problem
from lissive.bench.run import _load, _plain, machine
from lissive.bench.speed import LEAST, OURS, our_table, ratio_at_equal_error
from lissive.errors import LissiveError
from lissive.version import __version__

SHARE = 1e-3
"""The others' absolute tolerance of each state, by rtol times its largest value; ours: of the largest so far."""
TOLERANCES = (1e-4, 1e-6, 1e-8)
MOST_S = 25.0
"""Processor seconds on one model after which a solver is asked no further."""
BATCH = 64
"""Patients that ours solves at once; the others solve one at a time."""


def chosen(words: Sequence[str]) -> list[Rival]:
    """The rivals of these names; `all` is every one. Raises LissiveError for a name that is none."""
    known = {each.name: each for each in RIVALS}
    if unknown := [word for word in words if word not in (*known, "all")]:
        raise LissiveError(
            f'"{unknown[0]}" is no solver that is known here.',
            where="--peers",
            allowed=f"all, {', '.join(known)}.",
            do="name one of these; --peers again for another.",
        )
    return [each for each in RIVALS if "all" in words or each.name in words]


def beside(
    words: Sequence[str],
    *,
    models: Sequence[str] = (),
    days: int | None = None,
    patients: int = 1,
    repeats: int = 2,
    problems: Sequence[Path] = (),
    say: Callable[[str], None] = lambda _: None,
) -> dict[str, Any]:
    """Every chosen solver on every problem, by turns; what cannot be run is named with the reason.

    problems : PEtab problems, files or folders; they and pooling beside metafor come after the models.
    """
    petab.problems_in(problems)
    rivals = chosen(words)
    report: dict[str, Any] = {
        "lissive_version": __version__,
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "seed": SEED,
        "machine": machine(),
        "versions": {each.name: version_of(each) for each in rivals if not missing(each)},
        "about": {each.name: each.about for each in rivals},
        "missing": {each.name: why for each in rivals if (why := missing(each))},
        "models": [],
    }
    for name in models or names():
        report["models"].append(_one(name, rivals, days, patients, repeats, say))
    report["petab"] = petab.measured(problems, repeats, say)
    report["metafor"] = metafor.measured(say)
    report["machine"]["load_after"] = _load()
    found: dict[str, Any] = _plain(report)
    return found


def _one(
    name: str,
    rivals: Sequence[Rival],
    days: int | None,
    patients: int,
    repeats: int,
    say: Callable[[str], None],
) -> dict[str, Any]:
    given = problem(name, days)
    say(f"{name}: reference")
    solved = solve(given, BATCH, rtol=1e-11)
    ours = our_table(solved, TOLERANCES, patients, repeats)
    start = solved.kernel.start(len(solved), solved.patients).y
    say(f"{name}: set-up of the others")
    processes = [Process(each, name, days) for each in rivals if not missing(each)]
    rows: dict[tuple[str, float], list[dict[str, Any]]] = {}
    gave_up: set[str] = set()
    spent: dict[str, float] = {}
    for rtol, each in by_turns(processes, TOLERANCES, repeats):
        if each.rival.name in gave_up:
            continue
        say(f"{name}: {each.rival.name} at {rtol:g}")
        for patient in range(patients):
            row = _run(solved, start, each, patient, rtol)
            rows.setdefault((each.rival.name, rtol), []).append(row)
            spent[each.rival.name] = spent.get(each.rival.name, 0.0) + row["seconds"]
            if spent[each.rival.name] > MOST_S:  # that says enough: it is not asked for the rest
                gave_up.add(each.rival.name)
                break
    ended = {each.rival.name: each.end() for each in processes}
    theirs = [_row(peer, rtol, each) for (peer, rtol), each in rows.items()]
    return {
        "model": name,
        "states": len(given.equations.states),
        "days": given.days,
        "doses": given.dosed_days * len(given.dosing),
        "patients": patients,
        "rows": [*ours, *theirs],
        "processes": ended,
        "ratio_at_equal_error": {
            peer: ratio_at_equal_error(_points(ours), _points(each))
            for peer, each in _by_peer(theirs).items()
        },
    }


def _run(solved: Solved, start: Any, process: Process, patient: int, rtol: float) -> dict[str, Any]:
    size = scale_of(solved.reference.values)[patient, 0, : start.shape[1]]
    mine = {name: float(value[patient]) for name, value in solved.patients.items()}
    values, seconds, why = process.run(mine, start[patient], rtol, np.maximum(rtol * SHARE * size, LEAST))
    reference = solved.reference.values[patient : patient + 1]
    error = np.inf if values is None else worst(scaled_error(values[None], reference))
    return {"patient": patient, "seconds": seconds, "error": error, "why": why}


def _row(peer: str, rtol: float, runs: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    best: dict[int, float] = {}
    for each in runs:
        if np.isfinite(each["error"]):
            best[each["patient"]] = min(best.get(each["patient"], np.inf), each["seconds"])
    failed = [each for each in runs if not np.isfinite(each["error"])]
    return {
        "engine": peer,
        "rtol": rtol,
        "seconds_per_patient": float(np.mean(list(best.values()))) if best else None,
        "max_error": max((each["error"] for each in runs if np.isfinite(each["error"])), default=None),
        "failed": len({each["patient"] for each in failed}),
        "why": failed[0]["why"] if failed else "",
    }


def _by_peer(rows: Sequence[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for each in rows:
        found.setdefault(each["engine"], []).append(each)
    return found


def _points(rows: Sequence[Mapping[str, Any]]) -> list[tuple[float, float]]:
    return [
        (row["max_error"], row["seconds_per_patient"])
        for row in rows
        if not row["failed"] and row["max_error"] is not None
    ]


ABOUT = (
    "Every solver gets the same model, parameters, doses and output times. Error is the largest over outputs and "
    "hours, by the output's own largest value, against a run of Lissive at a relative tolerance of 1e-11, which "
    "`lissive bench` compares with libRoadRunner at its tightest.",
    "",
    "Time is processor time a patient from parameters to outputs, one thread each, the best of the repeats; the "
    f"solvers take turns. Lissive solves {BATCH} patients at once, the others one at a time: that is how each is used, "
    "and it is a part of the ratio. Those whose rates are in Python pay for that in every call; that is what a user "
    "gets who writes the equations as a function. A solver is asked no further when it has "
    f"taken {MOST_S:.0f} s of a model, or {RUN_S:.0f} s for one patient; its set-up ends after {SETUP_S:.0f} s.",
    "",
)


# -- shown -----------------------------------------------------------------------------------------
def as_page(report: Mapping[str, Any], plot: str = "") -> str:
    """The page of docs, and of the terminal."""
    from lissive.report.table import as_markdown, table

    machine_of = report["machine"]
    lines = [
        "# Beside other solvers",
        "",
        f"Made by `lissive bench --peers all` on {report['date'][:10]}: {machine_of['processor']}, "
        f"{machine_of['cores']} cores, load {machine_of['load_before']:.1f} before and "
        f"{machine_of['load_after']:.1f} after, Lissive {report['lissive_version']}.",
        "",
        *ABOUT,
    ]
    for model in report["models"]:
        lines += [
            f"## {model['model']}: {model['states']} states, {model['days']} days, {model['doses']} doses",
            "",
        ]
        rows = [
            (
                row["engine"],
                f"{row['rtol']:.0e}",
                _said(row["seconds_per_patient"]),
                _said(row["max_error"]),
                row.get("why") or ("" if not row["failed"] else f"{row['failed']} failed"),
            )
            for row in model["rows"]
        ]
        lines += [
            as_markdown(table("", "solver|relative tolerance|seconds a patient|largest error|remark", rows)),
            "",
        ]
        ratios = [
            (
                peer,
                report["about"][peer],
                f"{each['middle']:.3g} ({each['least']:.2g} to {each['most']:.2g})"
                if each
                else "no error that both reach",
                _said(model["processes"][peer].get("setup_s")),
                _said(model["processes"][peer].get("mib")),
            )
            for peer, each in model["ratio_at_equal_error"].items()
        ]
        lines += [
            as_markdown(
                table(
                    "",
                    "solver|method|their time by ours at equal error|set-up [s]|memory beyond the start [MiB]",
                    ratios,
                )
            ),
            "",
        ]
        lines += [f"- {peer}: {found['not']}" for peer, found in model["processes"].items() if "not" in found]
    lines += ["", *(f"- {peer}: {why}." for peer, why in report["missing"].items())]
    if plot:
        lines += ["", f"![Time a patient against error, for each solver and model]({plot})"]
    lines += ["", *petab.lines(report.get("petab", ())), *metafor.lines(report.get("metafor", {}))]
    return "\n".join(lines).rstrip() + "\n"


def _said(x: float | None) -> str:
    return "" if x is None else f"{x:.3g}"


def draw(report: Mapping[str, Any], path: Path) -> None:
    """Work against precision, a panel a model, as SVG."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    models = report["models"]
    figure, panels = plt.subplots(1, len(models), figsize=(4.6 * len(models), 4.4), squeeze=False)
    marks = "osv^D<>Ph*"
    engines = [OURS, *report["about"]]
    for panel, model in zip(panels[0], models, strict=True):
        for k, engine in enumerate(engines):
            points = sorted(_points([row for row in model["rows"] if row["engine"] == engine]))
            if points:
                error, seconds = zip(*points, strict=True)
                panel.loglog(
                    error,
                    seconds,
                    marker=marks[k % len(marks)],
                    label=engine,
                    lw=2.2 if engine == OURS else 1.1,
                )
        panel.set(
            title=model["model"],
            xlabel="largest error, by the output's largest value",
            ylabel="processor seconds a patient",
        )
        panel.grid(which="major", alpha=0.3)
    lines, names = panels[0][0].get_legend_handles_labels()
    figure.legend(
        lines, names, ncols=len(names), loc="upper center", bbox_to_anchor=(0.5, 0.02), frameon=False
    )
    figure.tight_layout()
    figure.savefig(path, format="svg", metadata={"Date": None}, bbox_inches="tight")
    plt.close(figure)

"""All measures in one run, each with its limit."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

import numpy as np

from lissive.bench import process
from lissive.bench import speed as compare
from lissive.bench.accuracy import Solved, accuracy, our_run, solve
from lissive.bench.peak import share_of_peak
from lissive.bench.peer import RESTARTS, present
from lissive.bench.problems import SEED, names, problem, table
from lissive.errors import LissiveError
from lissive.version import __version__

PARTS = ("accuracy", "speed", "threads", "ready", "memory", "case")

Say = Callable[[str], None]


@dataclass(frozen=True)
class Size:
    """How much is done."""

    patients: int = 64
    compared: int = 4
    """Patients that libRoadRunner runs too."""
    tolerances: tuple[float, ...] = (1e-4, 1e-5, 1e-6, 1e-7, 1e-8)
    peer_tolerances: tuple[float, ...] = (1e-4, 1e-5, 1e-6, 1e-7, 1e-8)
    reference_rtol: float = 1e-11
    repeats: int = 3
    peer_repeats: int = 2
    both_ways: bool = True
    """Whether both ways of giving libRoadRunner its doses are tried."""
    threads_subjects: int = 512
    subjects: int = 10_000
    case_subjects: int = 1_000
    days: int | None = None
    """Problems cut short."""


FULL = Size()
QUICK = Size(
    patients=8,
    compared=1,
    tolerances=(1e-4, 1e-6, 1e-8),
    peer_tolerances=(1e-5, 1e-7),
    repeats=2,
    peer_repeats=1,
    both_ways=False,
    threads_subjects=128,
    subjects=500,
    case_subjects=100,
    days=14,
)


@dataclass(frozen=True)
class Check:
    """One measured number beside its limit."""

    name: str
    about: str
    measured: float | None
    unit: str
    kind: str
    """at most, at least, or none."""
    limit: float | None
    met: bool | None
    """None where there is no limit, or nothing was measured."""


def check(name: str, measured: float | None, what: str = "", *, judged: bool = True) -> Check:
    """A measured number with its limit from limits.tsv; `what` says of which model."""
    rows = {row["name"]: row for row in table("limits")}
    row = rows.get(f"{name}:{what}") or rows[name]  # a model may have a limit of its own
    limit = float(row["limit"]) if row["limit"] else None
    met = None
    if limit is not None and judged:
        least = row["kind"] == "at least"
        met = measured is not None and (measured >= limit if least else measured <= limit)
    about = f"{what}: {row['about']}" if what else row["about"]
    return Check(f"{name}.{what}" if what else name, about, measured, row["unit"], row["kind"], limit, met)


def bench(
    *, quick: bool = False, only: Sequence[str] = (), size: Size | None = None, say: Say | None = None
) -> dict[str, Any]:
    """Measure all, or only these parts and models."""
    allowed = [*PARTS, *names()]
    if unknown := [word for word in only if word not in allowed]:
        raise LissiveError(
            f'"{unknown[0]}" is nothing that is measured.',
            where="--only",
            allowed=f"{', '.join(allowed)}.",
            do="name one of these (--only again for another), or leave --only out to measure all.",
        )
    size = size or (QUICK if quick else FULL)
    tell = say or (lambda _: None)
    models = [name for name in names() if name in only] or list(names())
    parts = [part for part in PARTS if part in only]
    if not parts:
        parts = ["accuracy", "speed"] if any(name in only for name in names()) else list(PARTS)
    report: dict[str, Any] = {
        "lissive_version": __version__,
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "quick": quick,
        "seed": SEED,
        "settings": asdict(size),
        "machine": machine(),
        "numpy_loop_seconds": {"before": numpy_loop()},
        "models": [],
    }
    checks: list[Check] = []
    if "accuracy" in parts or "speed" in parts:
        _models(models, parts, size, report, checks, tell)
    if "threads" in parts:
        tell("two threads against one")
        report["threads"] = threads(size)
        checks.append(check("threads_ratio", report["threads"]["ratio"]))
    if "ready" in parts:
        tell("from text to kernel")
        report["ready"] = process.ready(1 if quick else size.repeats)
        report["version_seconds"] = process.version(5)
        for name, seconds in report["ready"].items():
            checks.append(check("ready_cold", seconds["cold"], name))
            checks.append(check("ready_warm", seconds["warm"], name))
        checks.append(check("version", report["version_seconds"]))
    if "memory" in parts:
        tell(f"memory, {size.subjects} subjects")
        report["memory"] = found = process.memory(size.subjects)
        whole = size.subjects >= FULL.subjects
        what = "" if whole else f"{size.subjects} subjects only"
        checks.append(check("memory_peak", found["peak_gib"], what, judged=whole))
        checks.append(check("memory_time", found["seconds"], what, judged=whole))
    if "case" in parts:
        tell(f"a case, {size.case_subjects} subjects")
        report["case"] = process.case(size.case_subjects, 1 if quick else 2)
        whole = size.case_subjects >= FULL.case_subjects
        what = "" if whole else f"{size.case_subjects} subjects only"
        checks.append(check("case", report["case"]["seconds"], what, judged=whole))
    report["numpy_loop_seconds"]["after"] = numpy_loop()
    report["machine"]["load_after"] = _load()
    report["checks"] = [asdict(each) for each in checks]
    report["met"] = all(each.met is not False for each in checks)
    plain: dict[str, Any] = _plain(report)
    return plain


def _plain(thing: Any) -> Any:
    """As JSON has it: lists, and nothing where a number is not finite."""
    if isinstance(thing, dict):
        return {key: _plain(value) for key, value in thing.items()}
    if isinstance(thing, list | tuple):
        return [_plain(value) for value in thing]
    return None if isinstance(thing, float) and not np.isfinite(thing) else thing


def _models(
    models: Sequence[str],
    parts: Sequence[str],
    size: Size,
    report: dict[str, Any],
    checks: list[Check],
    tell: Say,
) -> None:
    if not present():
        report["skipped"] = "libRoadRunner is not installed (pip install libroadrunner): nothing is compared."
    for name in models:
        tell(f"{name}: reference at rtol {size.reference_rtol:g}")
        given = problem(name, size.days)
        solved = solve(given, size.patients, rtol=size.reference_rtol, threads=os.cpu_count() or 1)
        entry: dict[str, Any] = {
            "model": name,
            "states": len(given.equations.states),
            "outputs": len(given.outputs),
            "days": given.days,
            "doses": given.dosed_days * len(given.dosing),
            "patients": len(solved),
            "reference_rtol": size.reference_rtol,
        }
        report["models"].append(entry)
        if "accuracy" in parts:
            tell(f"{name}: accuracy")
            entry["accuracy"] = accuracy(solved, size.tolerances)
            largest = max(row["max_error_over_rtol"] for row in entry["accuracy"])
            spread = max(row["rms_error_over_rtol"] for row in entry["accuracy"])
            checks.append(check("error_over_rtol", largest, name))
            checks.append(check("rms_over_rtol", spread, name))
        _against_peer(solved, entry, "speed" in parts, size, checks, tell)


def _against_peer(
    solved: Solved, entry: dict[str, Any], timed: bool, size: Size, checks: list[Check], tell: Say
) -> None:
    """Agreement, and where it is asked for speed."""
    name = entry["model"]
    ours = []
    if timed:
        tell(f"{name}: speed")
        ours = compare.our_table(solved, size.tolerances, size.compared, size.repeats)
        entry["peak"] = share_of_peak(solved, size.repeats)
    entry["engines"] = ours
    entry["ratio_at_equal_error"] = {}
    for row in ours:
        row["patient_weeks_per_second"] = entry["days"] / 7 / row["seconds_per_patient"]
    if not present():
        return
    tell(f"{name}: libRoadRunner")
    rival = compare.Comparison(solved, size.compared)
    way = RESTARTS
    if timed and size.both_ways:
        way, entry["seconds_by_way_of_dosing"] = rival.faster_way(size.peer_repeats)
    entry["agreement"] = agreed = rival.agreement(way)
    checks.append(check("peer_difference", agreed["max_difference"] if agreed else None, name))
    if not timed:
        return
    theirs = rival.table(way, size.peer_tolerances, size.peer_repeats)
    for row in theirs:
        if row["seconds_per_patient"]:
            row["patient_weeks_per_second"] = entry["days"] / 7 / row["seconds_per_patient"]
    entry["engines"] = [*ours, *theirs]
    ratio = compare.ratio_at_equal_error(compare.points(ours), compare.points(theirs))
    middle = ratio["middle"] if ratio else None
    entry["ratio_at_equal_error"] = {compare.PEER: middle}
    entry["ratio_range"] = {compare.PEER: ratio}
    checks.append(check("speed_ratio", middle, name))


def threads(size: Size, rtol: float = 1e-4) -> dict[str, Any]:
    """Wall seconds with one thread and with two, by turns; the best of each."""
    given = problem(names()[0], size.days)
    from lissive.simulation.engine import build

    kernel = build(given.equations, given.outputs)
    people = given.patients(size.threads_subjects)
    wall: dict[int, list[float]] = {1: [], 2: []}
    for _ in range(size.repeats):
        for count in (1, 2):
            wall[count].append(our_run(given, kernel, people, rtol, threads=count, hours=False, days=True)[3])
    one, two = min(wall[1]), min(wall[2])
    return {
        "model": given.name,
        "subjects": size.threads_subjects,
        "days": given.days,
        "one": one,
        "two": two,
        "ratio": one / two,
    }


def numpy_loop() -> float:
    """Seconds of a fixed loop over small arrays: how fast this machine is just now."""
    best = np.inf
    for _ in range(3):
        x = np.linspace(0.0, 1.0, 1000)
        start = time.perf_counter()
        for _ in range(5000):
            x = np.sqrt(x * x + 1e-6) * 0.999
        best = min(best, time.perf_counter() - start)
    return float(best)


def machine() -> dict[str, Any]:
    packages = ["numpy", "llvmlite", "scipy", *(["libroadrunner"] if present() else [])]
    return {
        "processor": processor(),
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "versions": {name: version(name) for name in packages},
        "load_before": _load(),
    }


def processor() -> str:
    """Its name, as the system says it."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            for line in file:
                if line.startswith("model name"):
                    return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def _load() -> float | None:
    return os.getloadavg()[0] if hasattr(os, "getloadavg") else None

"""Measures of whole processes: start, memory, a case from end to end."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from lissive.bench.foreign import foreign
from lissive.bench.problems import HERE, model_place, names
from lissive.errors import SimulationError
from lissive.model.source import antimony_to_sbml

GIB = 2**30
OUTPUTS, RTOL = 12, 1e-4


def run(*words: str, cache: str | None = None, any_code: bool = False) -> tuple[float, str]:
    """Wall seconds of `python -m ...`, and what it printed."""
    environment = dict(os.environ)
    if cache is not None:
        environment["LISSIVE_CACHE"] = cache
    start = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", *words], env=environment, capture_output=True, text=True, check=False
    )
    seconds = time.perf_counter() - start
    if done.returncode and not any_code:
        raise SimulationError(f"{' '.join(words)} failed: {done.stderr.strip()[-500:]}", where="bench")
    return seconds, done.stdout


def version(repeats: int) -> float:
    return min(run("lissive", "--version")[0] for _ in range(repeats))


def ready(repeats: int) -> dict[str, dict[str, float]]:
    """Model to seconds with an empty and with a full cache, imports included."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "foreign.xml"
        file.write_text(antimony_to_sbml(foreign(), "foreign"), encoding="utf-8")
        places = {name: str(model_place(name)) for name in names()} | {"foreign": str(file)}
        return {name: _ready(place, repeats) for name, place in places.items()}


def _ready(place: str, repeats: int) -> dict[str, float]:
    cold, warm = [], []
    words = ("lissive.bench.child", "ready", place)
    for _ in range(repeats):
        with tempfile.TemporaryDirectory() as cache:
            cold.append(run(*words, cache=cache)[0])
            warm += [run(*words, cache=cache)[0] for _ in range(2)]
    return {"cold": min(cold), "warm": min(warm)}


def memory(subjects: int) -> dict[str, Any]:
    _, printed = run("lissive.bench.child", "memory", str(subjects), str(OUTPUTS), str(RTOL))
    answer: dict[str, Any] = json.loads(printed)
    peak = answer.pop("peak_bytes")
    return {"subjects": subjects, "rtol": RTOL, "peak_gib": None if peak is None else peak / GIB, **answer}


def case(subjects: int, repeats: int) -> dict[str, Any]:
    """`lissive case` with a full cache."""
    file = str(HERE / "case.yaml")
    run("lissive", "case", file, "--subjects", "8", "--json", any_code=True)
    seconds, failed = [], 0
    for _ in range(repeats):
        took, printed = run("lissive", "case", file, "--subjects", str(subjects), "--json", any_code=True)
        seconds.append(took)
        failed = int(json.loads(printed)["forecast"]["failed"])
    return {"subjects": subjects, "seconds": min(seconds), "failed": failed, "threads": os.cpu_count() or 1}

"""Measures of whole processes: start, memory, a case from end to end."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

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
        said, command = done.stderr.strip()[-500:], f"python -m {' '.join(words)}"
        raise SimulationError(
            f"{' '.join(words)} failed: {said}",
            where="bench",
            do=f"run {command} alone, and mend what it says.",
        )
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


STATES, BINDINGS = 50, 3
SEED = 1


def foreign(states: int = STATES, bindings: int = BINDINGS) -> str:
    """Antimony: each state is made, decays, and binds with others drawn at random; the same text each time.

    >>> foreign(3, 1).count("species")
    3
    """
    draw = random.Random(SEED)
    lines = [
        f"model foreign{states}",
        "compartment c = 1;",
        *(f"species x{i} in c = {draw.uniform(0.1, 2.0):.3f};" for i in range(states)),
    ]
    for i in range(states):
        lines.append(f"make{i}: => x{i}; c*{_rate(lines, draw, f'a{i}', 0.05, 0.5)};")
        lines.append(f"loss{i}: x{i} => ; c*{_rate(lines, draw, f'b{i}', 0.05, 0.5)}*x{i};")
        for k in range(bindings):
            other, made = draw.sample(range(states), 2)
            on, off = (_rate(lines, draw, f"{name}{i}_{k}", 0.1, 5.0) for name in ("on", "off"))
            lines.append(f"bind{i}_{k}: x{i} + x{other} -> x{made}; c*({on}*x{i}*x{other} - {off}*x{made});")
    return "\n".join([*lines, "end"])


def _rate(lines: list[str], draw: random.Random, name: str, least: float, most: float) -> str:
    lines.append(f"{name} = {draw.uniform(least, most):.4f};")
    return name

"""What has to be measured in a process of its own: `python -m lissive.bench.child WHAT ...` prints JSON."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any


def ready(place: str) -> dict[str, Any]:
    """From a model's text to a kernel that can be run, and nothing that this does not need."""
    from lissive.model import load
    from lissive.simulation.engine import build

    equations = load(place)
    kernel = build(equations, equations.states)
    return {"states": len(kernel.states)}


def memory(subjects: int, outputs: int, rtol: float) -> dict[str, Any]:
    """Many virtual patients through `simulate`, as a user does it."""
    from lissive.bench.problems import DAY, dosing_table, problem

    given = problem("lissive")
    start = time.perf_counter()
    from lissive.simulation.solve import simulate

    run = simulate(
        given.equations,
        events=dosing_table(given),
        subjects=subjects,
        until=given.until,
        every=DAY,
        select=list(given.outputs[-outputs:]),
        parameters=dict(given.fixed),
        rtol=rtol,
    )
    return {
        "seconds": time.perf_counter() - start,
        "peak_bytes": peak_bytes(),
        "failed": int((run["status"].values != 0).sum()),
        "shape": [run.sizes["subject"], run.sizes["time"], len(run.data_vars) - 2],
    }


def peak_bytes() -> int | None:
    """The most memory that this process has had.

    Linux says it in /proc; its `getrusage` would count the process that started this one as well.
    """
    try:
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    try:
        import resource
    except ImportError:  # Windows
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def main(words: Sequence[str]) -> None:
    what, *rest = words
    answer = ready(rest[0]) if what == "ready" else memory(int(rest[0]), int(rest[1]), float(rest[2]))
    print(json.dumps(answer))


if __name__ == "__main__":
    main(sys.argv[1:])

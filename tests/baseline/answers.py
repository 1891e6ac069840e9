"""What is asked at the public doors: small questions, fixed seeds, answers as plain JSON."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from lissive.cli.main import main

HERE = Path(__file__).parent
TOP = HERE.parents[1]
EXAMPLES = TOP / "examples"


def asked(*words: str | Path) -> Any:
    """What `lissive WORDS --json` prints."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        code = main([str(word) for word in (*words, "--json")])
    assert code == 0, f"lissive {words} ends with {code}: {printed.getvalue()[:500]}"
    return json.loads(printed.getvalue())


def _case(name: str) -> Any:
    return asked("case", HERE / "cases" / f"{name}.yaml", "--subjects", "16", "--seed", "5")


def _access(name: str) -> Any:
    """The whole answer to each worked case, as `lissive access --facts` gives it to one."""
    from lissive.access.cases import compare_cases

    compared = compare_cases(TOP / "tests" / "cases" / f"{name}.yaml")
    return {each.case.id: _with_schedule(each.answer.to_json()) for each in compared}


def _with_schedule(answer: dict[str, Any]) -> dict[str, Any]:
    """Of federal law, which is the same in every state, the schedule alone; of the product what was asked."""
    law = answer.pop("federal")
    if answer["product"]["status"] == "not_asked":
        del answer["product"]
    return {**answer, "schedule": law["schedule"] if law else None}


def _simulate(*words: str | Path) -> Any:
    """The summary, and the file that was written, by column."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "run.csv"
        summary = asked("simulate", *words, "--out", out)
        with out.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
    return {
        "summary": {name: value for name, value in summary.items() if name != "out"},
        "columns": {name: [float(row[name]) for row in rows] for name in rows[0]},
    }


def _trial(name: str) -> Any:
    return asked("trial", "run", HERE / "trials" / f"{name}.yaml", "--replicates", "3", "--seed", "5")


def _reproduce(*words: str | Path) -> Any:
    return asked("trial", "reproduce", "--replicates", "20", "--seed", "5", *words)


MS = ("--cause", "multiple_sclerosis")
POOLS: dict[str, tuple[str, ...]] = {
    "stiffness": ("--outcome", "spasticity_nrs", *MS),
    "responders": ("--outcome", "responders_30pct", *MS, "--baseline-risk", "0.3"),
    "ashworth": ("--outcome", "ashworth", "--measure", "SMD", "--tau2", "DL", "--ci", "Wald"),
    "pain": ("--outcome", "pain_nrs", "--tau2", "PM", "--ci", "mHK", "--correlation", "0.5"),
    "dizziness": ("--outcome", "dizziness", "--measure", "RR", "--model", "fixed", "--method", "MH"),
}
TIMES = ("--until", "48", "--every", "6")

QUICK: dict[str, Callable[[], Any]] = {
    **{f"case-{name}": partial(_case, name) for name in ("als", "injury")},
    **{name.replace("_", "-"): partial(_access, name) for name in ("access", "access_edges", "access_more")},
    **{f"pool-{name}": partial(asked, "evidence", "pool", *words) for name, words in POOLS.items()},
    "claims": partial(asked, "evidence", "claims"),
    "simulate-example": partial(
        _simulate, EXAMPLES / "one_compartment.ant", "--events", EXAMPLES / "events.csv", *TIMES
    ),
    "simulate-people": partial(
        _simulate, "lissive", "--events", HERE / "doses.csv", "--subjects", "4", "--seed", "5", *TIMES
    ),
    **{f"trial-{name}": partial(_trial, name) for name in ("parallel", "crossover", "withdrawal")},
}
SLOW: dict[str, Callable[[], Any]] = {
    "case-ms": partial(_case, "ms"),
    "validate": partial(asked, "validate", "--replicates", "2", "--seed", "5"),
    "reproduce-shipped": partial(_reproduce, "--only", "svendsen_2004", "--only", "corey_bloom_2012"),
    "reproduce-own": partial(_reproduce, "--trials", HERE / "published.yaml"),
}

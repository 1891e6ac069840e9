"""Pooling beside R's metafor: the same effects, REML with Hartung and Knapp's interval; numbers and time."""

from __future__ import annotations

import csv
import io
import math
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from lissive.evidence.answer import pool
from lissive.evidence.effect import Effect
from lissive.evidence.pooling import pool_effects

LEAST = 3
"""Studies of an outcome that is compared; with fewer the interval is Wald's."""
FITS = 50
NUMBERS = ("y", "se", "low", "high", "tau2")
SETS = (
    ("spasticity_nrs", "multiple_sclerosis"),
    ("responders_30pct", "multiple_sclerosis"),
    ("pain_nrs", None),
    ("withdrawals_ae", None),
)
"""Outcomes and causes of the shipped studies."""


def missing() -> str:
    """Why metafor cannot be run here; nothing where it can."""
    if shutil.which("Rscript") is None:
        return "R is not installed (on Debian: apt install r-cran-metafor)"
    done = subprocess.run(
        ["Rscript", "-e", "library(metafor)"], capture_output=True, text=True, check=False, timeout=120
    )
    return "" if done.returncode == 0 else "R has no package metafor (on Debian: apt install r-cran-metafor)"


def data_sets() -> dict[str, list[Effect]]:
    """What is pooled: the shipped studies of some outcomes, all designs together."""
    found = {}
    for outcome, cause in SETS:
        effects = [row.effect for row in pool(outcome, cause).studies]
        if len(effects) >= LEAST:
            found[f"{outcome} {cause or 'all causes'}"] = effects
    return found


def measured(say: Callable[[str], None] = lambda _: None) -> dict[str, Any]:
    """Each data set by both; `not` where metafor cannot be run."""
    if why := missing():
        return {"not": why}
    say("metafor")
    sets = data_sets()
    theirs, version = _theirs(sets)
    return {"version": version, "sets": [_one(name, sets[name], theirs[name]) for name in sets]}


def _one(name: str, effects: Sequence[Effect], theirs: Mapping[str, float]) -> dict[str, Any]:
    before = time.process_time()
    for _ in range(FITS):
        found = pool_effects(effects, tau2="REML", ci="HK")
    seconds = (time.process_time() - before) / FITS
    assert found is not None
    ours = dict(zip(NUMBERS, (found.y, found.se, found.low_y, found.high_y, found.tau2), strict=True))
    size = max(abs(theirs["high"] - theirs["low"]), 1e-12)
    return {
        "set": name,
        "measure": effects[0].measure,
        "studies": len(effects),
        "ours": ours,
        "theirs": {key: theirs[key] for key in NUMBERS},
        "largest_difference": max(abs(ours[key] - theirs[key]) for key in NUMBERS[:4]) / size,
        "seconds": seconds,
        "their_seconds": theirs["seconds"],
    }


def _theirs(sets: Mapping[str, Sequence[Effect]]) -> tuple[dict[str, dict[str, float]], str]:
    given = io.StringIO()
    writer = csv.writer(given)
    writer.writerow(("set", "y", "v"))
    writer.writerows((name, repr(each.y), repr(each.v)) for name, effects in sets.items() for each in effects)
    script = Path(__file__).with_suffix(".R")
    done = subprocess.run(
        ["Rscript", str(script)],
        input=given.getvalue(),
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
    )
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    last = rows.pop()
    numbers = (*NUMBERS, "seconds")
    found = {row["set"]: {key: float(row[key]) for key in numbers} for row in rows}
    if not all(math.isfinite(value) for row in found.values() for value in row.values()):
        raise RuntimeError("metafor gave no number")
    return found, f"metafor {last['y']}, R {last['se']}"


def lines(found: Mapping[str, Any]) -> Iterator[str]:
    """The part of the page."""
    from lissive.report.table import as_markdown, table

    if not found:
        return
    yield from ("## Pooling, beside metafor", "")
    if "not" in found:
        yield from (f"- metafor: {found['not']}.", "")
        return
    yield (
        f"The shipped studies of some outcomes, all designs together, by REML with Hartung and Knapp's interval; "
        f"{found['version']}. Log odds ratios and differences, as they are pooled. The difference is the largest of "
        "estimate, standard error and bounds, by the width of the interval. Time is processor time a fit, without the "
        "start of R or Python."
    )
    yield ""
    rows = [
        (
            each["set"].replace("_", " "),
            str(each["studies"]),
            *(
                f"{each[who]['y']:.4f} ({each[who]['low']:.4f} to {each[who]['high']:.4f})"
                for who in ("ours", "theirs")
            ),
            f"{each['largest_difference']:.1g}",
            f"{1000 * each['seconds']:.2g}",
            f"{1000 * each['their_seconds']:.2g}",
        )
        for each in found["sets"]
    ]
    heads = "outcome|studies|Lissive (95 % CI)|metafor (95 % CI)|difference|Lissive [ms]|metafor [ms]"
    yield as_markdown(table("", heads, rows))
    yield ""

"""Cases of the public SBML Test Suite through the door that users take: `simulate` on an SBML file."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from lissive.simulation.solve import simulate

SHARED = Path(__file__).resolve().parents[2].parent / "shared"
CASES, EVENTS = SHARED / "sbml-cases", SHARED / "sbml-events"

pytestmark = pytest.mark.skipif(
    not CASES.is_dir(), reason="the SBML Test Suite cases are not beside the checkout"
)


def _cases(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.glob("*") if p.is_dir()) or ["none"]


@pytest.mark.parametrize("case", _cases(CASES))
def test_case_of_the_test_suite_passes_at_the_default_tolerance(case: str) -> None:
    _check(CASES / case)


@pytest.mark.slow
@pytest.mark.skipif(
    not EVENTS.is_dir(), reason="the SBML Test Suite cases with events are not beside the checkout"
)
@pytest.mark.parametrize("case", _cases(EVENTS))
def test_case_with_events_passes_at_the_default_tolerance(case: str) -> None:
    _check(EVENTS / case)


def _check(folder: Path) -> None:
    lines = next(folder.glob("*-settings.txt")).read_text().splitlines()
    settings = {k.strip(): v.strip() for k, _, v in (line.partition(":") for line in lines)}
    with next(folder.glob("*-results.csv")).open() as file:
        header, *rows = list(csv.reader(file))
    expected = np.array([[float(x) for x in row] for row in rows if row])
    concentrations = {n.strip() for n in settings["concentration"].split(",")}
    columns = [f"[{c.strip()}]" if c.strip() in concentrations else c.strip() for c in header[1:]]
    run = simulate(next(folder.glob("*.xml")), times=expected[:, 0], select=columns)  # type: ignore[operator]
    assert run["status"].item() == 0, run["message"].item()
    got = np.stack([run[c].values[0] for c in columns], axis=1)
    wanted = expected[:, 1:]
    allowed = float(settings["absolute"]) + float(settings["relative"]) * np.abs(wanted)
    with np.errstate(invalid="ignore"):
        good = (np.abs(got - wanted) <= allowed) | (got == wanted) | (np.isnan(got) & np.isnan(wanted))
    assert good.all(), f"{columns}: {got[~good][:5]} not {wanted[~good][:5]}"

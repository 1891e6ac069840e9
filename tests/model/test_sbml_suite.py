"""Cases of the public SBML Test Suite, which are data beside the checkout and no part of it."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from lissive.model.read import read_sbml

from .oracle import integrate

CASES = Path(__file__).resolve().parents[2].parent / "shared" / "sbml-cases"

pytestmark = pytest.mark.skipif(not CASES.is_dir(), reason=f"the SBML Test Suite cases are not at {CASES}")


def _settings(folder: Path) -> dict[str, str]:
    lines = next(folder.glob("*-settings.txt")).read_text().splitlines()
    return {k.strip(): v.strip() for k, _, v in (line.partition(":") for line in lines)}


def _names(text: str) -> list[str]:
    return [n.strip() for n in text.split(",") if n.strip()]


@pytest.mark.parametrize("case", sorted(p.name for p in CASES.glob("*") if p.is_dir()) or ["none"])
def test_case_of_the_test_suite_is_reproduced(case: str) -> None:
    folder = CASES / case
    settings = _settings(folder)
    model = next(folder.glob("*.xml"))
    equations = read_sbml(model.read_text(), model.name)
    with next(folder.glob("*-results.csv")).open() as file:
        header, *rows = list(csv.reader(file))
    expected = np.array([[float(x) for x in row] for row in rows if row])
    concentrations = set(_names(settings["concentration"]))
    columns = [h.strip() for h in header[1:]]
    got = integrate(
        equations,
        expected[:, 0].tolist(),
        [f"[{c}]" if c in concentrations else c for c in columns],
        rtol=1e-9,
    )
    wanted = expected[:, 1:]
    allowed = float(settings["absolute"]) + float(settings["relative"]) * np.abs(wanted)
    with np.errstate(invalid="ignore"):
        good = (np.abs(got - wanted) <= allowed) | (got == wanted) | (np.isnan(got) & np.isnan(wanted))
    assert good.all(), (
        f"{columns} at {expected[~good.all(axis=1), 0][:5]}: {got[~good][:5]} not {wanted[~good][:5]}"
    )

"""Sizes of interactions that the model simulates: the table is what the model says today."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

import lissive.safety
from lissive.studies.arm import SMOKING_H, with_medicine
from lissive.studies.observation import ANALYTES, PRINTED, Arm
from lissive.studies.run import simulate_arm

TABLE = Path(lissive.safety.__file__).with_name("sizes.tsv")
TIMES = np.concatenate([np.arange(0, 12, 0.25), np.arange(12, 49, 1.0)])
MEDICINES = ("fluconazole", "itraconazole", "ketoconazole", "rifampicin")
PRODUCTS = {
    "nabiximols": {"route": "spray", "thc_mg": 10.8, "cbd_mg": 10.0},
    "dronabinol": {"route": "oral", "thc_mg": 10.0, "cbd_mg": 0.0},
    "cannabidiol_solution": {
        "route": "oral",
        "thc_mg": 0.0,
        "cbd_mg": 750.0,
        "fed": 1.0,
        "given": {"oil_CBD": 1.0},
    },
    "flower_smoked": {"route": "smoked", "thc_mg": 10.0, "cbd_mg": 0.0, "duration": SMOKING_H},
    "flower_vaporised": {"route": "vaporised", "thc_mg": 10.0, "cbd_mg": 0.0, "duration": SMOKING_H},
}


def sizes() -> dict[tuple[str, str, str], float]:
    """AUC over 48 h of one dose with a medicine over that without: geometric mean of 100 people spread evenly."""
    found = {}
    for product, said in PRODUCTS.items():
        bare = {**said.get("given", {}), "heavy_user": 0.0}
        for medicine in MEDICINES:
            given = [bare, {**bare, **with_medicine(medicine)}]
            without, with_ = (
                np.trapezoid(
                    simulate_arm(Arm("sizes", 100, **{**said, "given": each}), TIMES, 1, seed=1, evenly=True),
                    TIMES,
                    axis=1,
                )
                for each in given
            )
            for analyte in ("THC", "OH_THC", "CBD"):
                own = ANALYTES.index(analyte)
                if (without[:, own] > 0).all():
                    ratio = np.exp(np.mean(np.log(with_[:, own] / without[:, own])))
                    found[product, medicine, PRINTED[analyte]] = float(ratio)
    return found


def test_the_table_has_the_sizes_that_the_model_gives():
    with TABLE.open(encoding="utf-8") as file:
        rows = {
            (row["product"], row["medicine"], row["analyte"]): row
            for row in csv.DictReader(file, delimiter="\t")
        }
    now = sizes()
    assert set(rows) == set(now)
    for key, row in rows.items():
        assert float(row["value"]) == pytest.approx(now[key], abs=0.02), key

"""A replicate of many patients in blocks."""

from __future__ import annotations

import pytest
from tests.trials.alike import assert_same

from lissive.trials import blocks
from lissive.trials.conduct import conduct

# -- a replicate of many, in blocks -----------------------------------------------------------------
KEEP = {"measure": "spasticity_nrs", "falls_by_pct": 20.0}
STRATA = [{"measure": "spasticity_nrs", "cut": 6.0}]
CROSSED = {"sequences": [["drug", "placebo"], ["placebo", "drug"]], "washout_days": 3}


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"strata": STRATA},
        {"run_in": {"arm": "drug", "weeks": 1, "keep": KEEP, "washout_days": 2}, "strata": STRATA},
        {"run_in": {"arm": "drug", "weeks": 1, "patients": 14, "keep_dose": True}},
        {"run_in": {"arm": "drug", "weeks": 2, "established": True}},
        {"crossover": CROSSED, "weeks": 1.0, "visits_weeks": [1.0]},
    ],
    ids=["parallel", "strata", "responders", "entering", "established", "crossover"],
)
def test_a_replicate_in_blocks_is_that_of_one_piece(small, monkeypatch, changes):
    design = small(**changes)
    whole = conduct(design, [2], seed=7)
    sizes: list[int] = []
    begin = blocks.go_through_run_in

    def seen(design, people, settings):
        sizes.append(sum(map(len, people)))
        return begin(design, people, settings)

    monkeypatch.setattr(blocks, "PATIENTS_AT_ONCE", 5)
    monkeypatch.setattr(blocks, "go_through_run_in", seen)
    monkeypatch.setattr("lissive.trials.conduct.go_through_run_in", seen)
    parts = conduct(design, [2], seed=7)
    assert max(sizes) == 5
    assert len(sizes) >= 3
    assert_same(whole[0], parts[0])

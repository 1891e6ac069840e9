"""What the tests of published share."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from tests.copies import with_changes

from lissive.trials.published import Published, read_published

SMALL: dict[str, Any] = {
    "id": "doe2010",
    "citation": "Doe J. A trial",
    "cause": "MS",
    "intervention": "nabiximols",
    "comparator": "placebo",
    "design": "parallel",
    "randomised": True,
    "duration_weeks": 6,
    "titration": "self-titrated",
    "max_dose": {"sprays_day": 12},
    "inclusion": "NRS >=4",
    "arms": [{"arm": "nabiximols", "n_randomised": 40}, {"arm": "placebo", "n_randomised": 40}],
    "outcomes": {
        "spasticity_nrs": [
            {"arm": "nabiximols", "change_mean": -1.5, "change_sd": 1.6},
            {"arm": "placebo", "change_mean": -1.0, "change_sd": 1.6},
        ],
        "spasticity_nrs_between": {"diff": -0.5, "ci": [-1.2, 0.2]},
        "responders_30pct": [
            {"arm": "nabiximols", "n": 16, "N": 40},
            {"arm": "placebo", "n": 10, "N": 40},
        ],
    },
    "adverse_events": {},
    "split": "validation",
}


def changed(*changes: tuple[tuple[str | int, ...], Any]) -> dict[str, Any]:
    return with_changes(SMALL, *changes)


def read(tmp_path: Path, *trials: Mapping[str, Any]) -> Published:
    path = tmp_path / "trials.yaml"
    path.write_text(yaml.safe_dump({"trials": list(trials)}, sort_keys=False), encoding="utf-8")
    return read_published(path)


def why(published: Published, what: str, trial: str = "doe2010") -> str:
    (found,) = (each.why for each in published.skipped if (each.trial, each.what) == (trial, what))
    return found

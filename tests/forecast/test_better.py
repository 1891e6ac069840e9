"""Where a meta-regression predicts trials better than the model, a forecast shows its figure and says so."""

from __future__ import annotations

import csv

import pytest

from lissive.errors import SimulationError
from lissive.forecast import better
from lissive.forecast.better import BETTER, COLUMNS, ENDPOINTS, baseline_figures

HEAD = "\t".join(COLUMNS)


def _table(tmp_path, *lines: str):
    path = tmp_path / "better.tsv"
    path.write_text("\n".join([HEAD, *lines]) + "\n", encoding="utf-8")
    return path


def test_only_outcomes_that_the_baseline_predicts_better_have_its_figure(tmp_path) -> None:
    path = _table(
        tmp_path,
        "pain_nrs\tbaseline\t31\t0.421\t0.368\tboth_fitted",
        "spasticity_nrs\tmodel\t25\t0.391\t0.455\tboth_fitted",
        "withdrawal\tbaseline\t4\t0.957\t0.345\tboth_fitted",
        "pgic\tbaseline\t4\t0.270\t0.231\tboth_fitted",
    )
    found = baseline_figures("multiple_sclerosis", "nabiximols", 12, path)
    assert set(found) == {"pain_nrs", "stopped_early"}  # an impression is no outcome of a forecast
    pain = found["pain_nrs"]
    assert (pain.week, pain.n, pain.model_crps, pain.baseline_crps) == (12, 31, 0.421, 0.368)
    assert -2.0 < pain.p05 < pain.mean < 0.0 < pain.p95 < 1.0
    assert -1.0 < found["stopped_early"].p05 < found["stopped_early"].p95 < 1.0


@pytest.mark.parametrize(
    ("cause", "product"),
    [("als", "nabiximols"), ("fibromyalgia", "thc_oil"), ("multiple_sclerosis", "flower_smoked"), ("", "")],
)
def test_where_no_trial_of_the_product_in_the_cause_was_fitted_no_effect_is_lent(
    tmp_path, cause, product
) -> None:
    path = _table(tmp_path, "pain_nrs\tbaseline\t31\t0.421\t0.368\tboth_fitted")
    assert baseline_figures("multiple_sclerosis", "nabiximols", 12, path)
    assert baseline_figures(cause, product, 12, path) == {}


def test_a_longer_plan_stops_more(tmp_path) -> None:
    path = _table(tmp_path, "withdrawal\tbaseline\t4\t0.957\t0.345\tboth_fitted")
    short, long = (baseline_figures("multiple_sclerosis", "nabiximols", weeks, path) for weeks in (12, 48))
    assert long["stopped_early"].mean > short["stopped_early"].mean


def test_a_damaged_table_is_refused(tmp_path) -> None:
    path = tmp_path / "better.tsv"
    path.write_text("outcome\tbetter\n", encoding="utf-8")
    with pytest.raises(SimulationError, match="header"):
        baseline_figures("multiple_sclerosis", "nabiximols", 12, path)


def test_the_shipped_table_is_whole_and_agrees_with_itself() -> None:
    with BETTER.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    assert {"spasticity_nrs", "pain_nrs", "sleep_nrs"} <= {row["outcome"] for row in rows}
    for row in rows:
        loses = float(row["model_crps"]) >= float(row["baseline_crps"])
        assert row["better"] == ("baseline" if loses else "model")
        assert row["basis"] in ("leave_one_trial_out", "both_fitted")
    shown = {row["outcome"] for row in rows if row["better"] == "baseline"}
    names = {name for name in ENDPOINTS if better._CALLED.get(name, name) in shown}
    assert set(baseline_figures("multiple_sclerosis", "nabiximols", 12)) == names

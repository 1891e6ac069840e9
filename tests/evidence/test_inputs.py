"""What a user's own rows may hold beside counts and means, each against metafor, the Handbook, or a closed form."""

from __future__ import annotations

import json
import math
from pathlib import Path
from statistics import NormalDist
from typing import Any

import pytest
import yaml

from lissive.errors import EvidenceError
from lissive.evidence import pool
from lissive.evidence.answer_types import PooledAnswer
from lissive.report.pool_text import pool_text

METAFOR: dict[str, Any] = json.loads(Path(__file__).with_name("metafor.json").read_text(encoding="utf-8"))


@pytest.fixture
def ask(tmp_path: Path):  # type: ignore[no-untyped-def]
    def _ask(
        outcome: str, *blocks: dict[str, Any], trial: dict[str, Any] | None = None, **asked: Any
    ) -> PooledAnswer:
        trials = [
            {"id": f"t{k}", "design": "parallel", **(trial or {}), "outcomes": each}
            for k, each in enumerate(blocks)
        ]
        path = tmp_path / "mine.yaml"
        path.write_text(yaml.safe_dump({"trials": trials}), encoding="utf-8")
        return pool(outcome, studies=path, **asked)

    return _ask


def only(answer: PooledAnswer) -> tuple[str, float, float]:
    (row,) = answer.studies
    return answer.measure, row.effect.y, row.effect.se


def test_rates_are_metafors(ask) -> None:  # type: ignore[no-untyped-def]
    """Infections per catheter day, nine trials, one of them with a single event in each group."""
    data = METAFOR["rates_data"]
    rows = zip(data["x1"], data["t1"], data["x2"], data["t2"], strict=True)
    blocks = [
        {
            "infection": [
                {"arm": "drug", "events": a, "person_time": t},
                {"arm": "control", "events": c, "person_time": u},
            ]
        }
        for a, t, c, u in rows
    ]
    found = ask("infection", *blocks, ci="Wald")
    assert found.measure == "IRR"
    assert [row.effect.y for row in found.studies] == pytest.approx(METAFOR["rates"]["each"])
    assert [row.effect.v for row in found.studies] == pytest.approx(METAFOR["rates"]["v"])
    pooled = found.overall.pooled
    theirs = [METAFOR["rates"][name] for name in ("y", "se", "tau2")]
    assert (pooled.y, pooled.se, pooled.tau2) == pytest.approx(theirs, rel=1e-4)


def test_a_hazard_ratio_is_read_on_the_logarithm(ask) -> None:  # type: ignore[no-untyped-def]
    found = only(ask("relapse", {"relapse_hr": {"value": 0.8, "ci": [0.5, 1.28]}}))
    assert found == ("HR", pytest.approx(math.log(0.8)), pytest.approx(math.log(1.28 / 0.5) / (2 * 1.959964)))


@pytest.mark.parametrize(
    ("name", "measure"), [("lnor", "OR"), ("log_rr", "RR"), ("ln_hr", "HR"), ("lnirr", "IRR")]
)
def test_a_logarithm_with_its_error_is_the_ratio(ask, name: str, measure: str) -> None:  # type: ignore[no-untyped-def]
    found = only(ask("relapse", {f"relapse_{name}": {"value": 0.4, "se": 0.2}}))
    assert found == (measure, pytest.approx(0.4), pytest.approx(0.2))


def test_a_ratio_with_an_error_of_unknown_scale_is_left_out(ask) -> None:  # type: ignore[no-untyped-def]
    found = ask("relapse", {"relapse_or": {"value": 1.5, "se": 0.2}})
    assert "give its logarithm, as relapse_ln_or" in found.left_out[0].reason


def test_a_standardised_difference_with_its_error(ask) -> None:  # type: ignore[no-untyped-def]
    found = ask(
        "wellness",
        {"wellness_smd": {"value": 0.5, "se": 0.2}},
        {"wellness_smd": {"value": 0.3, "ci": [0.1, 0.5]}},
    )
    assert found.measure == "SMD"
    assert [row.effect.y for row in found.studies] == [0.5, 0.3]
    assert found.studies[1].effect.se == pytest.approx(0.2 / 1.959964)


def test_a_difference_with_its_exact_p_value(ask) -> None:  # type: ignore[no-untyped-def]
    """Cochrane Handbook 6.5.2.3: 3.8 with p = 0.008 in 25 and 22 people is t = 2.78 on 45 degrees, so an SE of 1.37."""
    arms = [{"arm": "drug", "n": 25}, {"arm": "placebo", "n": 22}]
    found = ask("wellness", {"wellness_between": {"diff": 3.8, "p": 0.008}}, trial={"arms": arms})
    assert only(found)[1:] == (3.8, pytest.approx(1.37, abs=0.005))
    assert found.studies[0].effect.provenance == "derived"
    (plain,) = ask(
        "wellness", {"wellness_between": {"diff": 1.96, "p": 0.05}}
    ).studies  # z where nobody is counted
    assert plain.effect.se == pytest.approx(1.0, abs=1e-4)


@pytest.mark.parametrize(
    "row", [{"diff": 1.2, "p": "<0.05"}, {"diff": 1.2, "p": 0}, {"diff": 0, "p": 0.4}, {"diff": 1.2, "p": 1}]
)
def test_a_p_value_that_gives_no_error_is_not_used(ask, row: dict[str, Any]) -> None:  # type: ignore[no-untyped-def]
    found = ask("wellness", {"wellness_between": row})
    assert found.k == 0
    assert "a difference without interval, standard error or exact p value" in found.left_out[0].reason


def test_a_median_with_its_quartiles(ask) -> None:  # type: ignore[no-untyped-def]
    """Quartiles of a normal distribution give its mean and, in many people, its deviation; the method is named."""
    quarter = NormalDist(5, 2).inv_cdf(0.25)
    row = {"n": 4000, "median": 5, "iqr": [quarter, 10 - quarter]}
    found = ask("wellness", {"wellness": [{"arm": "drug", **row}, {"arm": "placebo", **row}]})
    (one,) = found.studies
    assert (one.comparison.active.mean, one.comparison.active.sd) == (
        pytest.approx(5),
        pytest.approx(2, rel=1e-3),
    )
    assert "Wan and others 2014" in one.comparison.note
    assert one.effect.provenance == "derived"


def test_a_cluster_trial_counts_as_many_as_it_is_worth(ask) -> None:  # type: ignore[no-untyped-def]
    """Cochrane Handbook 23.1.4: 63/295 and 84/330 in classes of 29.8, ICC 0.02, are 40.0/187.2 and 53.3/209.4."""
    block = {"relapse": [{"arm": "drug", "n": 63, "N": 295}, {"arm": "control", "n": 84, "N": 330}]}
    design = {"design": "cluster", "icc": 0.02, "cluster_size": 29.8}
    (row,) = ask("relapse", block, trial=design).studies
    active, control = row.comparison.active, row.comparison.control
    assert (active.events, active.n) == (pytest.approx(40.0, abs=0.05), pytest.approx(187.2, abs=0.05))
    assert (control.events, control.n) == (pytest.approx(53.3, abs=0.05), pytest.approx(209.4, abs=0.05))
    without = ask("relapse", block, trial={"design": "cluster randomised"})
    assert "icc, cluster_size" in without.left_out[0].reason


def test_a_covariate_and_a_level_are_asked_for(ask) -> None:  # type: ignore[no-untyped-def]
    blocks = [{"wellness_between": {"diff": d, "se": 0.5}} for d in (1.0, 2.0, 3.2)]
    found = ask("wellness", *blocks, level=0.9)
    assert found.overall.pooled.level == found.studies[0].level == 0.9
    assert found.studies[0].ci == pytest.approx((1 - 1.644854 * 0.5, 1 + 1.644854 * 0.5), rel=1e-5)
    assert "(90 % CI)" in pool_text(found)
    assert "95 %" not in pool_text(found)
    with pytest.raises(EvidenceError, match=r"No trial states a number for the covariate 'dose'"):
        ask("wellness", *blocks, covariate="dose")

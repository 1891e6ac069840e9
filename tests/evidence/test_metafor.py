"""Pooling against stored results of metafor: metafor.json, made by metafor.R, which names the version."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from lissive.errors import EvidenceError
from lissive.evidence import pool
from lissive.evidence.comparing import combined
from lissive.evidence.comparison import Comparison, Given, Group
from lissive.evidence.effect import effect
from lissive.evidence.heterogeneity import regress
from lissive.evidence.pooling import Pooled, difference_between, pool_effects

from .published_examples import bcg, counts

METAFOR: dict[str, Any] = json.loads(Path(__file__).with_name("metafor.json").read_text(encoding="utf-8"))
RARE = ((2, 1000, 0, 500), (3, 1500, 1, 500), (1, 800, 0, 200), (4, 2000, 0, 600))
FEW = ((3, 100, 1, 100), (2, 100, 0, 100))


def same(found: Pooled, name: str) -> None:
    theirs = METAFOR[name]
    ours = (found.y, found.se, found.low_y, found.high_y, found.tau2)
    assert ours == pytest.approx(
        [theirs[key] for key in ("y", "se", "low", "high", "tau2")], rel=2e-5, abs=2e-7
    )


@pytest.mark.parametrize("measure", ["OR", "RR"])
@pytest.mark.parametrize(("name", "rows"), [("rare", RARE), ("few", FEW)])
def test_mantel_haenszel_with_empty_cells(measure: str, name: str, rows: tuple[tuple[int, ...], ...]) -> None:
    effects = [effect(counts(f"s{k}", a, n - a, c, m - c), measure) for k, (a, n, c, m) in enumerate(rows)]
    same(pool_effects(effects, model="fixed", method="MH"), f"MH {measure} {name}")


def test_mantel_haenszel_risk_difference_with_empty_cells() -> None:
    """The estimate alone: metafor's variance is Sato's, ours and RevMan's Greenland and Robins'."""
    effects = [effect(counts(f"s{k}", a, n - a, c, m - c), "RD") for k, (a, n, c, m) in enumerate(RARE)]
    found = pool_effects(effects, model="fixed", method="MH")
    assert found.y == pytest.approx(METAFOR["MH RD rare"]["y"])


@pytest.mark.parametrize(("name", "rows"), [("rare", RARE), ("few", FEW)])
def test_petos_odds_ratio(name: str, rows: tuple[tuple[int, ...], ...]) -> None:
    effects = [effect(counts(f"s{k}", a, n - a, c, m - c), "OR") for k, (a, n, c, m) in enumerate(rows)]
    found = pool_effects(effects, model="fixed", method="Peto")
    same(found, f"Peto {name}")
    assert found.q == pytest.approx(METAFOR[f"Peto {name}"]["q"])


@pytest.mark.parametrize("by", ["REML", "DL", "PM", "SJ"])
def test_every_estimator_of_tau2(by: str) -> None:
    same(pool_effects(bcg("RR"), tau2=by, ci="Wald"), f"BCG RR {by}")


def test_an_interval_of_another_level() -> None:
    same(pool_effects(bcg("RR"), ci="HK", level=0.9), "BCG RR 90")


def test_designs_are_compared_by_walds_errors() -> None:
    """Three studies each that agree by chance: by Hartung-Knapp's errors Q was 337.5."""
    groups = []
    for k, middle in enumerate((1.0, 1.3)):
        rows = [
            Comparison(f"{k}{i}", "", "o", "c", "parallel", given=Given("MD", middle + d, se=0.5))
            for i, d in enumerate((0.0, 0.02, -0.02))
        ]
        groups.append(pool_effects([effect(row, "MD") for row in rows], ci="HK"))
    found = difference_between(groups)
    assert (found.q, found.p) == pytest.approx((METAFOR["between"]["q"], METAFOR["between"]["p"]), rel=1e-6)


def test_arms_of_one_trial_are_what_their_covariance_makes_of_them() -> None:
    """Two arms of 30 and a control group of 31, sd 2: as reported differences, and as groups with their own mean."""
    control = Group("placebo", 31, mean=4, sd=2)
    arms = [
        Comparison("m1", "", "o", "c", "parallel", active=Group(name, 30, mean=mean, sd=2), control=control)
        for name, mean in (("low", 5), ("high", 6))
    ]
    error = 2 * (1 / 30 + 1 / 31) ** 0.5
    stated = [
        Comparison("m1", "", "o", "c", "parallel", active=Group(each.active.arm, 30), control=Group("placebo", 31),
                   given=Given("MD", each.active.mean - 4, se=error)) for each in arms
    ]  # fmt: skip
    found = effect(combined(stated, "M1"), "MD")
    assert (found.y, found.se) == pytest.approx((METAFOR["arms"]["y"], METAFOR["arms"]["se"]), rel=1e-6)
    of_groups = effect(combined(arms, "M1"), "MD")
    assert of_groups.y == pytest.approx(1.5)
    # the deviation of the joined group counts the arms' difference as well: (58 * 4 + 60 * 0.25) / 59
    assert of_groups.v == pytest.approx((58 * 4 + 15) / 59 / 60 + 4 / 31)
    assert found.n == of_groups.n == 91


def test_meta_regression_on_one_covariate() -> None:
    """BCG and the latitude of the trial."""
    latitude = (44, 55, 42, 52, 13, 44, 19, 13, 27, 42, 18, 33, 33)
    found = regress(bcg("RR"), {f"s{k}": float(x) for k, x in enumerate(latitude)}, "ablat")
    theirs = METAFOR["BCG ablat knha"]
    assert (found.intercept, found.slope) == pytest.approx(theirs["b"], rel=1e-5)
    computed = (found.slope_se, found.slope_low, found.slope_high, found.p)
    assert computed == pytest.approx([theirs[name][1] for name in ("se", "low", "high", "p")], rel=1e-4)
    assert (found.tau2, found.q, found.explained) == pytest.approx(
        [theirs[n] for n in ("tau2", "qe", "r2")], rel=1e-4
    )


@pytest.mark.parametrize("values", [{}, {"s0": 1.0, "s1": 2.0}, dict.fromkeys(("s0", "s1", "s2"), 4.0)])
def test_no_slope_is_made_of_too_few_values(values: dict[str, float]) -> None:
    with pytest.raises(EvidenceError, match="give no slope"):
        regress(bcg("RR"), values, "ablat")


def test_shares_of_single_groups(tmp_path: Path) -> None:
    """As escalc(measure = "PLO"): 0.5 is added where no one had an event, to that study alone."""
    rows = ((3, 40), (10, 60), (0, 12), (25, 90))
    path = tmp_path / "mine.yaml"
    lines = [
        f"- {{id: s{k}, design: open label, outcomes: {{relapsed: [{{arm: drug, n: {x}, N: {n}}}]}}}}\n"
        for k, (x, n) in enumerate(rows)
    ]
    path.write_text("outcomes: {relapsed: {kind: share}}\ntrials:\n" + "".join(lines), encoding="utf-8")
    answer = pool("relapsed", studies=path, measure="plo", ci="Wald")
    same(answer.overall.pooled, "proportions")
    assert [row.effect.y for row in answer.studies] == pytest.approx(METAFOR["proportions"]["each"])
    assert [row.effect.v for row in answer.studies] == pytest.approx(METAFOR["proportions"]["v"])
    assert answer.overall.direction == "none"
    assert answer.to_json()["p"] is None
    assert pool("relapsed", studies=path).k == 0  # only where it is asked for

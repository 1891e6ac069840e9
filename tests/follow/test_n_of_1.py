"""n-of-1 trials: the schedule, its washout and power, and the analysis against a mixed model and a known truth."""

from __future__ import annotations

import datetime
import json
import re
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from lissive.arrays import FloatArray
from lissive.case import make_case
from lissive.cli.main import main
from lissive.errors import DiaryError
from lissive.follow import n_of_1
from lissive.follow.diary import Day, Diary, read_diary
from lissive.follow.n_of_1 import OFF, ON, NOf1Plan, Period, plan_n_of_1, read_plan
from lissive.follow.n_of_1_analysis import analyse_n_of_1, fit_pairs
from lissive.report.follow_figures import plan_html
from lissive.report.follow_text import analysis_text

START = datetime.date(2026, 1, 5)
CASE = {
    "case": "a",
    "person": {"weight_kg": 68.0},
    "spasm": {"cause": "multiple_sclerosis", "spasticity_nrs": 7.0},
    "plan": {"product": "nabiximols", "titration": "fixed", "sprays_per_day": 8, "weeks": 4, "fed": True},
}


@pytest.fixture(scope="module")
def plan() -> NOf1Plan:
    return plan_n_of_1(make_case(CASE), start=START, pairs=4, threads=1)


def test_each_pair_has_both_and_periods_follow_each_other(plan: NOf1Plan) -> None:
    assert [each.pair for each in plan.periods] == [1, 1, 2, 2, 3, 3, 4, 4]
    for k in range(4):
        assert {each.treatment for each in plan.periods[2 * k : 2 * k + 2]} == {ON, OFF}
    for one, after in zip(plan.periods, plan.periods[1:], strict=False):
        assert after.first == one.last + datetime.timedelta(days=1)
        assert one.analysed_from == one.first + datetime.timedelta(days=plan.washout)
    assert plan.periods[0].first == START


def test_the_washout_ends_with_the_day_on_which_a_tenth_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of nine people in ten a half, then a tenth is left; the tenth person, who keeps it, does not count."""
    left = np.concatenate([np.full(n_of_1.ON_DAYS, 0.3), [0.15, 0.03], np.zeros(n_of_1.OFF_DAYS - 2)])
    effect = np.vstack([np.tile(left, (9, 1)), np.full(len(left), 0.3)])
    monkeypatch.setattr(n_of_1, "_effect", lambda people, outcome: effect)
    people = n_of_1.People({"acute": effect}, {}, {}, np.ones(effect.shape[1]))
    assert n_of_1._washout(people, "spasticity_nrs") == 2


@pytest.mark.parametrize("size", [0.0, 0.3])
def test_without_an_effect_or_with_one_that_stays_the_model_gives_no_washout(
    size: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    effect = np.full((10, n_of_1.ON_DAYS + n_of_1.OFF_DAYS), size)
    monkeypatch.setattr(n_of_1, "_effect", lambda people, outcome: effect)
    people = n_of_1.People({"acute": effect}, {}, {}, np.ones(effect.shape[1]))
    assert n_of_1._washout(people, "spasticity_nrs") is None


def test_a_plan_says_what_it_cannot_know_and_what_the_case_says_against_it() -> None:
    spasm = {"cause": "exertional_cramp", "severity_nrs": 7.0}
    product = {"product": "cbd_oil", "cbd_mg": 50, "doses_per_day": 2, "weeks": 8}
    found = plan_n_of_1(make_case({**CASE, "spasm": spasm, "plan": product}), start=START, threads=1)
    assert found.washout == n_of_1.OFF_DAYS
    assert any("the longest that is planned" in each for each in found.notes)
    assert found.outcome == "severity"  # of cramps none counts spasticity
    ill = make_case({**CASE, "history": {"conditions": ["schizophrenia"]}})
    assert plan_n_of_1(ill, start=START, threads=1).notes[0].startswith("CONTRAINDICATED: SCHIZOPHRENIA")


def test_the_order_is_random_and_that_of_its_seed() -> None:
    from lissive.follow.n_of_1 import _periods

    def first_on(seed: int) -> list[bool]:
        return [bool(each) for each in np.random.default_rng([seed, 3]).integers(0, 2, 5)]

    orders = {tuple(first_on(seed)) for seed in range(40)}
    assert len(orders) > 15
    order = first_on(3)
    assert [p.treatment == ON for p in _periods(order, START, 20, 10, 3)[::2]] == order


def test_the_washout_covers_the_slow_answer_of_the_rating(plan: NOf1Plan) -> None:
    """The rating follows with a time constant of 72 h: a tenth is left after 72·ln 10 h = 6.9 days."""
    assert 7 <= plan.washout <= 28
    assert plan.days == plan.washout + 10


def test_the_sheet_names_the_drug_and_asks_no_guess_where_nothing_is_hidden(plan: NOf1Plan) -> None:
    sheet = plan_html(plan)
    rows = re.findall(r"<td>(with|without) nabiximols \(Sativex\)</td>", sheet)
    assert rows == ["with" if each.treatment == ON else "without" for each in plan.periods]
    assert "Which do you think it was?" not in sheet
    assert any("forecast" in each for each in plan.notes)
    assert "forecast" not in sheet


def test_more_pairs_have_more_power(plan: NOf1Plan) -> None:
    power = [plan.power_by_pairs[n] for n in sorted(plan.power_by_pairs)]
    assert power == sorted(power)
    assert 0.05 < power[0] < power[-1] <= 1.0


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"days": 5}, "washout"),
        ({"pairs": 1}, "pairs is 1"),
        ({"outcome": "spasms"}, "outcome"),
        ({"threshold": 0.0}, "threshold"),
    ],
)
def test_a_plan_that_cannot_be_is_refused(change: dict[str, object], said: str) -> None:
    with pytest.raises(DiaryError, match=said):
        plan_n_of_1(make_case(CASE), start=START, threads=1, **change)  # type: ignore[arg-type]


# -- the analysis ---------------------------------------------------------------------------------------
def a_trial(
    effect: float, *, seed: int, pairs: int = 3, days: int = 12, spread: float = 0.0
) -> tuple[FloatArray, ...]:
    random = np.random.default_rng(seed)
    on = np.repeat([side for _ in range(pairs) for side in random.permutation([1.0, 0.0])], days)
    pair = np.repeat(np.arange(pairs), 2 * days)
    before = np.concatenate([np.zeros(days), on[:-days]])
    own = effect + spread * random.standard_normal(pairs)
    y = (
        6.0
        + 0.4 * random.standard_normal(pairs)[pair]
        + own[pair] * on
        + 1.3 * random.standard_normal(len(on))
    )
    return y, np.arange(len(on)), on, pair, before


def test_without_hierarchy_or_correlation_it_is_the_regression_with_a_ridge() -> None:
    """Closed form: least squares with one pseudo-observation of carry-over, and Student's t of n - 3."""
    from scipy.stats import t as student

    y, day, on, pair, before = a_trial(-1.0, seed=3)
    found = fit_pairs(y, day, on, pair, before, ratios=(0.0,), correlations=(0.0,))
    x = np.column_stack([np.ones(len(y)), day - day.mean(), on, before])
    precision = x.T @ x + np.diag([0, 0, 0, 4.0])
    mean = np.linalg.solve(precision, x.T @ y)
    rest = y @ y - mean @ precision @ mean
    scale = np.sqrt(rest / (len(y) - 3) * np.linalg.inv(precision)[2, 2])
    assert found.average(2) == pytest.approx(mean[2], abs=1e-9)
    assert found.quantile(2, 0.025) == pytest.approx(
        mean[2] + scale * student.ppf(0.025, len(y) - 3), abs=1e-6
    )


def test_the_estimate_is_near_that_of_a_mixed_model() -> None:
    """statsmodels' MixedLM (REML) with levels of pairs; the interval is not narrower, as it knows less."""
    import pandas as pd
    import statsmodels.formula.api as smf

    y, day, on, pair, before = a_trial(-1.2, seed=5, pairs=5)
    data = pd.DataFrame({"y": y, "day": day - day.mean(), "on": on, "pair": pair})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        mixed = smf.mixedlm("y ~ day + on", data, groups="pair").fit()
    found = fit_pairs(y, day, on, pair, before, ratios=(0.0, 0.3, 0.8), correlations=(0.0, 0.3))
    assert found.average(2) == pytest.approx(mixed.params["on"], abs=0.5 * mixed.bse["on"])
    width = found.quantile(2, 0.975) - found.quantile(2, 0.025)
    assert 3.9 * mixed.bse["on"] < width < 3.0 * 3.9 * mixed.bse["on"]


def test_a_published_crossover_gives_its_published_difference() -> None:
    """Hours of sleep gained by ten patients on each of two drugs (Cushny and Peebles 1905; Student 1908).

    Paired t test: 1.58, 95 % interval 0.70 to 2.46, P = 0.003 (R, t.test of datasets::sleep). Levels of pairs here are
    those of people, and differ more than a person's own.
    """
    first = [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0]
    second = [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4]
    pair, on = np.tile(np.arange(10), 2), np.repeat([0.0, 1.0], 10)
    day = 2 * pair + np.where(pair % 2 == 0, on, 1 - on).astype(int)  # each drug first as often as the other
    y = np.array(first + second)
    found = fit_pairs(y, day, on, pair, np.zeros(20), ratios=(0.0, 1.0, 2.0, 4.0), correlations=(0.0,))
    assert found.average(2) == pytest.approx(1.58, abs=1e-6)
    assert [found.quantile(2, p) for p in (0.025, 0.975)] == pytest.approx([0.70, 2.46], abs=0.05)
    assert 1.0 - found.probability_below(2, 0.0) > 0.997


def test_its_intervals_hold_the_truth_as_often_as_they_say() -> None:
    held = 0
    for seed in range(60):
        y, day, on, pair, before = a_trial(-1.0, seed=seed, spread=0.3)
        found = fit_pairs(y, day, on, pair, before, ratios=(0.0, 0.3, 0.8), correlations=(0.0, 0.3))
        held += 0.05 < found.probability_below(2, -1.0) < 0.95
    assert held >= 48  # of 60; 54 expected, and 47 or fewer by chance in 1 of 100 where it is 90 %


def periods(days: int = 12, washout: int = 4) -> list[Period]:
    found = []
    for k, side in enumerate((ON, OFF, OFF, ON)):
        first = START + datetime.timedelta(days=days * k)
        found.append(
            Period(
                k // 2 + 1,
                "x",
                side,
                first,
                first + datetime.timedelta(days=days - 1),
                first + datetime.timedelta(days=washout),
            )
        )
    return found


def a_diary(on: float, off: float, washed: float) -> Diary:
    """Entries of two values, with another one on washout days."""
    days = []
    for k in range(48):
        side = (k // 12) in (0, 3)
        value = washed if k % 12 < 4 else (on if side else off) + (0.5 if k % 2 else -0.5)
        days.append(Day(START + datetime.timedelta(days=k), (k + 2,), {"spasticity_nrs": value}, None))
    return Diary("d.csv", tuple(days), 48, ())


def test_an_analysis_says_harm_other_doses_than_the_plan_s_and_pairs_that_are_missing(tmp_path: Path) -> None:
    planned, random, later = periods(), np.random.default_rng(2), datetime.timedelta(days=100)
    for each in planned[:2]:
        days = {name: getattr(each, name) + later for name in ("first", "last", "analysed_from")}
        planned.append(replace(each, pair=3, **days))
    rows = ["date,spasticity_nrs,sprays,note"]
    for each in planned[:4]:
        for k in range((each.last - each.first).days + 1):
            date = each.first + datetime.timedelta(days=k)
            dose = 0 if each.treatment == ON else 6  # the other way round
            rows.append(f"{date},{random.integers(3, 8)},{dose},{'hearing voices' if k == 1 else ''}")
    (tmp_path / "d.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    diary = read_diary(tmp_path / "d.csv", today=datetime.date(2026, 12, 1))
    found = analyse_n_of_1(diary, planned, threshold=18.0)
    used = sum((each.last - each.analysed_from).days + 1 for each in planned[:4])
    assert [each.id for each in found.alarms] == ["psychosis", "other_doses"]
    assert f"not the plan's on {used} of the days used" in found.alarms[1].text
    blind = analyse_n_of_1(diary, planned, threshold=18.0, blinded=True)
    assert f"on {used // 2} of the days used" in blind.alarms[1].text  # a dummy may be written as the drug is
    assert "Pairs without an entry that can be used: 3." in found.notes
    assert analysis_text(found).startswith("ALARMS\n  - Signs that a psychosis screen asks for: 4 days")
    assert found.to_json()["alarms"][0]["id"] == "psychosis"


def test_washout_days_are_left_out_and_pairs_are_shown() -> None:
    one, other = (
        analyse_n_of_1(a_diary(4.0, 6.0, washed), periods(), threshold=18.0) for washed in (5.0, 10.0)
    )
    assert one == other
    assert (one.days_used, one.days_left_out) == (32, 16)
    assert one.pairs == ((1, 4.0, 6.0), (2, 4.0, 6.0))
    assert one.difference == pytest.approx(-2.0, abs=0.3)
    assert one.probability_better > 0.95
    assert analyse_n_of_1(a_diary(6.0, 4.0, 5.0), periods(), threshold=18.0).probability_better < 0.05


def test_a_diary_of_other_days_is_refused() -> None:
    later = [
        replace(
            p, **{n: getattr(p, n) + datetime.timedelta(days=400) for n in ("first", "last", "analysed_from")}
        )
        for p in periods()
    ]  # type: ignore[arg-type]
    with pytest.raises(DiaryError, match="0 days with the drug and 0 without"):
        analyse_n_of_1(a_diary(4.0, 6.0, 5.0), later, threshold=18.0)
    with pytest.raises(DiaryError, match="outcome"):
        analyse_n_of_1(a_diary(4.0, 6.0, 5.0), periods(), outcome="note", threshold=18.0)


def test_ratings_that_never_vary_tell_nothing() -> None:
    """The error's variance is estimated as 0: neither a difference nor a probability is a number."""
    flat = Diary(
        "d.csv", tuple(replace(d, ratings={"spasticity_nrs": 5.0}) for d in a_diary(0, 0, 0).days), 48, ()
    )
    with pytest.raises(DiaryError, match="does not vary"):
        analyse_n_of_1(flat, periods(), threshold=18.0)


@pytest.mark.parametrize(
    "change",
    [
        {"pair": "x"},
        {"pair": float("nan")},
        {"treatment": "half"},
        {"first": "2026-13-01"},
        {"last": "9999-12-31"},
        {"last": "2026-02-20"},  # over the next one
        None,
    ],
)
def test_a_plan_that_was_spoilt_is_refused(
    plan: NOf1Plan, change: dict[str, object] | None, tmp_path: Path
) -> None:
    data, file = plan.to_json(), tmp_path / "plan.json"
    assert read_plan(_written(file, json.dumps(data))) == plan
    data["periods"][0].update(change or {})
    text = json.dumps(data) if change else "[" * 100_000
    with pytest.raises(DiaryError, match=r"no plan of an n-of-1 trial|A period of the plan is wrong"):
        read_plan(_written(file, text))


def _written(file: Path, text: str) -> Path:
    file.write_text(text, encoding="utf-8")
    return file


def test_from_a_plan_to_its_analysis_by_the_commands(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    case, out = tmp_path / "case.json", tmp_path / "plan"
    case.write_text(json.dumps(CASE), encoding="utf-8")
    command = [
        "follow",
        "plan",
        str(case),
        "--n-of-1",
        "--start",
        "2026-01-05",
        "--blinded",
        "--out",
        str(out),
    ]
    assert main(command) == 0
    sheet, plan = (out / "sheet.html").read_text(encoding="utf-8"), read_plan(out / "plan.json")
    assert "on the drug" not in sheet + capsys.readouterr().out
    assert "1A" in sheet
    assert "Which do you think it was?" in sheet
    rows = ["date,spasticity_nrs"]
    for each in plan.periods:
        for k in range((each.last - each.first).days + 1):
            value = (3 if each.treatment == ON else 6) + k % 2
            rows += [f"{each.first + datetime.timedelta(days=k)},{value}"]
    (tmp_path / "d.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    analyse = [
        "follow",
        "analyse",
        "--plan",
        str(out / "plan.json"),
        "--diary",
        str(tmp_path / "d.csv"),
        "--today",
        "2026-12-01",
    ]
    assert main([*analyse, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["difference"] == pytest.approx(-3.0, abs=0.3)
    (out / "plan.json").write_text("{}", encoding="utf-8")
    assert main(analyse) == 2
    assert "no plan of an n-of-1 trial" in capsys.readouterr().err
    assert main(["follow", "plan", str(case)]) == 2
    for late in (["plan", str(case), "--n-of-1", "--start"], ["sheet", str(case), "--from"]):
        assert main(["follow", *late, "9999-12-20"]) == 2
        assert "Allowed: a day from 2000-01-01 to 2199-12-31" in capsys.readouterr().err

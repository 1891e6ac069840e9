"""Dosing columns, the order of rows and parameters that vary in time against closed forms of one compartment."""

from __future__ import annotations

import io
import json

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

import lissive
from lissive.errors import EventError, ParameterError
from lissive.model.read import read_antimony
from lissive.simulation.output import write

K = 0.25
MODEL = """
model one
  compartment body = 20;
  substanceOnly species depot in body = 0, central in body = 0;
  CL = 8; ka = 1.5; R_central = 25;
  absorption: depot => central; ka*depot;
  J: central => ; CL/body*central;
end
"""


@pytest.fixture(scope="module")
def model():
    return read_antimony(MODEL.replace("CL = 8", "CL = 5"))


@pytest.fixture
def run(model):
    """The amount in `central` at the observation rows of a table, one list for each run."""

    def of(text, *, select="central", model=model, **given):
        events = pd.read_csv(io.StringIO(text.replace(" ", "")), na_values=".", dtype={"CMT": str, "ID": str})
        return lissive.simulate(model, events=events, select=[select], rtol=1e-10, **given)[select].values

    return of


def left(t, k=K):
    """The part of a dose at once that is there after t."""
    return np.where(np.asarray(t) >= 0, np.exp(-k * np.maximum(t, 0)), 0.0)


def infused(t, rate, length, k=K):
    """The amount at t of an infusion from 0 on."""
    t = np.asarray(t, dtype=float)
    running = np.clip(t, 0, length)
    return rate / k * (1 - np.exp(-k * running)) * np.exp(-k * np.maximum(t - length, 0))


def series(t, amount, interval, k=K):
    """An endless series, the last of which was given at 0 (the next is not)."""
    return amount * np.exp(-k * np.asarray(t)) / (1 - np.exp(-k * interval))


# -- F, LAG, DUR, RATE ------------------------------------------------------------------------------
def test_f_scales_a_dose_and_its_additional_ones(run):
    got = run("ID,TIME,EVID,AMT,CMT,II,ADDL,F\n1,0,1,100,central,6,2,0.4\n1,20,0,.,.,.,.,.")
    assert_allclose(got, [[sum(40 * left(20 - at) for at in (0, 6, 12))]], rtol=1e-8)


def test_f_leaves_a_rate_and_shortens_its_infusion(run):
    got = run("ID,TIME,EVID,AMT,CMT,RATE,F\n1,0,1,100,central,25,0.5\n1,2,0,.,.,.,.\n1,4,0,.,.,.,.")
    assert_allclose(got, [infused([2, 4], rate=25, length=2)], rtol=1e-8)


@pytest.mark.parametrize("rate", ["0", "-2", "."])
def test_f_leaves_a_duration_and_lowers_its_rate(run, rate):
    got = run(
        f"ID,TIME,EVID,AMT,CMT,RATE,DUR,F\n1,0,1,100,central,{rate},4,0.5\n1,2,0,.,.,.,.,.\n1,4,0,.,.,.,.,."
    )
    assert_allclose(got, [infused([2, 4], rate=12.5, length=4)], rtol=1e-8)
    assert got[0, 1] == pytest.approx(31.61, abs=0.005)


@pytest.mark.parametrize("name", ["LAG", "ALAG", "lag", "Alag"])
def test_a_lag_holds_for_all_doses_of_its_row_and_no_other(run, name):
    rows = ["1,0,1,100,central,6,1,1.5", "1,3,1,10,central,.,.,.", "1,1,0,.,.,.,.,."]
    text = "\n".join([f"ID,TIME,EVID,AMT,CMT,II,ADDL,{name}", rows[0], rows[2], rows[1], "1,12,0,.,.,.,.,."])
    assert_allclose(run(text), [[0.0, 100 * (left(10.5) + left(4.5)) + 10 * left(9)]], rtol=1e-8, atol=1e-12)


def test_a_lagged_infusion_begins_and_ends_later(run):
    got = run(
        "ID,TIME,EVID,AMT,CMT,DUR,LAG\n1,0,1,100,central,4,1\n"
        + "".join(f"1,{t},0,.,.,.,.\n" for t in (1, 3, 8))
    )
    assert_allclose(got, [infused(np.array([0, 2, 7]), rate=25, length=4)], rtol=1e-8, atol=1e-9)


@pytest.mark.parametrize(("lag", "interval"), [(2.0, 12.0), (11.5, 12.0), (12.0, 12.0)])
def test_a_steady_state_of_lagged_doses(run, lag, interval):
    """All implied doses are lagged too: at TIME the last one was given an interval less the lag ago."""
    times = [0.0, lag / 2, lag + 1, 30.0]
    rows = "".join(f"1,{t},0,.,.,.,.,.,.\n" for t in times)
    got = run(f"ID,TIME,EVID,AMT,CMT,II,ADDL,SS,LAG\n1,0,1,100,central,{interval},1,1,{lag}\n" + rows)
    since = interval - lag
    want = [
        series(since, 100, interval),
        series(since + lag / 2, 100, interval),
        series(1, 100, interval),
        series(30 - lag, 100, interval) + 100 * left(30 - lag - interval),
    ]
    assert_allclose(got[0], want, rtol=1e-5)


@pytest.mark.parametrize("mode", ["DUR", "RATE"])
@pytest.mark.parametrize("lag", [0.0, 2.0, 9.0])
def test_a_steady_state_of_lagged_infusions_is_what_a_long_run_comes_to(run, mode, lag):
    """5 h of infusion every 12 h: with a lag of 9 h the last one still runs at TIME."""
    dose = "100,central,5,0" if mode == "DUR" else "100,central,0,20"
    head = "ID,TIME,EVID,AMT,CMT,DUR,RATE,II,ADDL,SS,LAG\n"

    def rows(start):
        return "".join(f"1,{start + t},0,.,.,.,.,.,.,.,.\n" for t in (0, 3, 9.5, 14, 22))

    steady = run(f"{head}1,0,1,{dose},12,1,1,{lag}\n" + rows(0))
    long = run(f"{head}1,0,1,{dose},12,41,0,{lag}\n" + rows(480))
    assert_allclose(steady, long, rtol=2e-5)


def test_f_and_duration_at_a_steady_state(run):
    """F on a duration: the rate; on a rate: the length; 100 every 12 h."""
    head = "ID,TIME,EVID,AMT,CMT,DUR,RATE,F,II,SS\n"
    lasting = run(head + "1,0,1,100,central,4,0,0.5,12,1\n1,4,0,.,.,.,.,.,.,.")
    fixed = run(head + "1,0,1,100,central,0,25,0.5,12,1\n1,2,0,.,.,.,.,.,.,.")
    gone = 1 - np.exp(-K * 12)
    assert_allclose(lasting, [[infused(4.0, 12.5, 4) / gone]], rtol=1e-5)
    assert_allclose(fixed, [[infused(2.0, 25, 2) / gone]], rtol=1e-5)


def test_rate_of_minus_one_is_a_parameter_of_each_subject(run, model):
    text = "ID,TIME,EVID,AMT,CMT,RATE,F\n1,0,1,100,central,-1,0.5\n1,1,0,.,.,.,.\n1,6,0,.,.,.,."
    assert_allclose(run(text), [infused([1, 6], rate=25, length=2)], rtol=1e-8)
    assert_allclose(run(text, parameters={"R_central": 50}), [infused([1, 6], rate=50, length=1)], rtol=1e-8)
    people = pd.DataFrame({"ID": [1, 2], "R_central": [10.0, 20.0]})
    want = [infused([1, 6], rate=10, length=5), infused([1, 6], rate=20, length=2.5)]
    assert_allclose(run(text, subjects=people), want, rtol=1e-8)


@pytest.mark.parametrize(("mode", "rates"), [("nocb", (10, 40)), ("locf", (30, 10))])
def test_a_rate_that_varies_goes_on_until_all_is_given(run, mode, rates):
    """100 in all, at one rate up to 2 h, at another after: 80 or 40 are left by then."""
    text = "ID,TIME,EVID,AMT,CMT,RATE,R_central\n1,0,1,100,central,-1,30\n1,2,0,.,.,.,10\n1,20,0,.,.,.,40"
    first, second = rates
    rest = (100 - 2 * first) / second
    at_two = infused(2.0, first, 2)
    want = [at_two, at_two * left(18) + infused(18.0, second, rest)]
    assert_allclose(run(text, covariates=mode), [want], rtol=1e-8)


def test_the_constant_infusion_of_a_parameter(run):
    text = "ID,TIME,EVID,AMT,CMT,RATE,SS\n1,0,1,0,central,-1,1\n1,3,0,.,.,.,."
    assert_allclose(run(text), [[25 / K * left(3)]], rtol=1e-5)


@pytest.mark.parametrize(
    ("head", "row", "says"),
    [
        ("RATE,DUR", "25,4", "RATE is 25 and DUR is 4: each says how long"),
        ("RATE,DUR", "-1,4", "RATE is -1 and DUR is 4: each says how long"),
        ("RATE,DUR", "-2,.", "RATE is -2, which takes the duration from DUR, but DUR is empty"),
        ("RATE", "-2", "RATE is -2, which takes the duration from DUR, but DUR is empty"),
        ("DUR", "-4", "DUR is -4. Allowed: over 0"),
        ("F", "0", "F is 0. Allowed: over 0; empty for 1"),
        ("F", "-1", "F is -1."),
        ("F", "half", "F is 'half'. Allowed: a number"),
        ("LAG", "-1", "LAG is -1."),
        ("LAG,ALAG", "1,1", "LAG and ALAG are two names of one thing"),
        ("LAG,II,SS", "13,12,1", "LAG is 13, more than II, 12, at a steady state"),
        ("DUR,II,SS", "5000,1,1", "5000 infusions run at once"),
        ("D1", "4", "The column D1 is not read"),
        ("ALAG2", "4", "The column ALAG2 is not read"),
        ("DURA", "4", "The column DURA is unknown. Did you mean DUR"),
    ],
)  # fmt: skip
def test_what_cannot_be_applied_is_refused(run, head, row, says):
    with pytest.raises(EventError, match=says):
        run(f"ID,TIME,EVID,AMT,CMT,{head}\n1,0,1,100,central,{row}\n1,4,0,.,.{',.' * len(row.split(','))}")


def test_f_on_a_constant_infusion_is_refused(run):
    with pytest.raises(EventError, match="F, LAG and DUR do not act on a constant infusion"):
        run("ID,TIME,EVID,AMT,CMT,RATE,SS,F\n1,0,1,0,central,5,1,0.5\n1,4,0,.,.,.,.,.")


@pytest.mark.parametrize("column", ["F", "DUR", "f", "LAG", "RATE"])
def test_a_name_that_the_model_has_too_is_refused_by_name(run, column):
    own = read_antimony(MODEL.replace("ka = 1.5;", f"ka = 1.5; {column.upper()} = 1;"))
    written = column if column != "RATE" else "RATE"
    with pytest.raises(
        EventError, match=f"The column {written} changes a dose, but model one has {column.upper()} of"
    ):
        run(f"ID,TIME,EVID,AMT,CMT,{column}\n1,0,1,100,central,1\n1,4,0,.,.,.", model=own)


def test_innocent_names_are_no_dosing_columns(run):
    got = run("ID,TIME,AMT,CMT,SEX,FLAG,AGE,WT,DATE\n1,0,100,central,F,1,40,70,x\n1,4,.,.,F,1,40,70,x")
    assert_allclose(got, [[100 * left(4)]], rtol=1e-8)


# -- order at one time ------------------------------------------------------------------------------
def test_an_observation_before_a_dose_is_a_trough_and_after_it_a_peak(run):
    head = "ID,TIME,EVID,AMT,CMT\n1,0,1,100,central\n"
    trough, dose = "1,12,0,.,.\n", "1,12,1,100,central\n"
    low, high = 100 * left(12), 100 * left(12) + 100
    assert_allclose(run(head + trough + dose), [[low]], rtol=1e-8)
    assert_allclose(run(head + dose + trough), [[high]], rtol=1e-8)
    assert_allclose(run(head + trough + dose + trough + dose + trough), [[low, high, high + 100]], rtol=1e-8)
    assert float(low) == pytest.approx(4.98, abs=0.005)


@pytest.mark.parametrize("row", ["1,0,1,100,central,12,1,.", "1,0,1,100,central,.,.,12"])
def test_doses_that_fall_due_act_before_the_rows_of_that_time(run, row):
    got = run(f"ID,TIME,EVID,AMT,CMT,II,ADDL,LAG\n{row}\n1,12,0,.,.,.,.,.\n1,12,1,10,central,.,.,.")
    assert_allclose(got, [[100 + 100 * left(12) * ("12,1" in row)]], rtol=1e-8)


def test_a_rounding_error_does_not_turn_the_order_round(run):
    """0.1 and twice 0.1 is a little more than 0.3."""
    rows = "1,0.1,1,100,central,0.1,2\n1,0.3,0,.,.,.,."
    want = 100 * (1 + left(0.1) + left(0.2))
    assert_allclose(run(f"ID,TIME,EVID,AMT,CMT,II,ADDL\n{rows}"), [[want]], rtol=1e-8)
    assert_allclose(run(f"ID,TIME,EVID,AMT,CMT,II,ADDL\n{rows}", times=[0.3]), [[want]], rtol=1e-8)
    dose = "ID,TIME,EVID,AMT,CMT\n1,57,1,100,central"
    assert 100 * 0.57 < 57
    assert run(dose, until=57, every=0.57)[0, -1] == 100  # output times come after doses


def test_output_times_come_after_the_doses(run):
    text = "ID,TIME,EVID,AMT,CMT,II,ADDL\n1,0,1,100,central,6,1\n1,12,0,.,.,.,.\n1,12,1,100,central,.,."
    got = run(text, until=12, every=6)[0]
    assert_allclose(got, [100, 100 * (1 + left(6)), 100 * (1 + left(6) + left(12))], rtol=1e-8)


def test_a_steady_state_row_acts_at_its_place_in_the_file(run):
    head, rows = "ID,TIME,EVID,AMT,CMT,II,SS\n", ["1,6,0,.,.,.,.\n", "1,6,1,100,central,12,1\n"]
    before = run(head + "1,0,1,50,central,.,.\n" + "".join(rows))
    after = run(head + "1,0,1,50,central,.,.\n" + "".join(rows[::-1]))
    assert_allclose(before, [[50 * left(6)]], rtol=1e-8)
    assert_allclose(after, [[series(0, 100, 12)]], rtol=1e-5)


# -- resets and occasions ---------------------------------------------------------------------------
def test_a_reset_calls_off_all_that_is_still_to_come(run):
    """NONMEM: a reset record deactivates earlier dose records, so neither additional nor lagged doses follow."""
    text = (
        "ID,TIME,EVID,AMT,CMT,II,ADDL,LAG,DUR\n1,0,1,100,central,12,5,.,.\n1,0,1,100,central,.,.,30,.\n"
        "1,0,1,100,central,.,.,.,50\n1,20,3,.,.,.,.,.,.\n1,21,1,10,central,4,1,.,.\n1,40,0,.,.,.,.,.,."
    )
    assert_allclose(run(text), [[10 * (left(19) + left(15))]], rtol=1e-8)


def test_time_that_starts_again_is_a_new_occasion(run, model):
    text = "ID,TIME,EVID,AMT,CMT\n1,0,1,100,central\n1,12,0,.,.\n1,0,4,50,central\n1,6,0,.,.\n2,6,0,.,."
    assert_allclose(run(text)[:2, 0], [100 * left(12), 50 * left(6)], rtol=1e-8)
    events = pd.read_csv(io.StringIO(text), na_values=".")
    got = lissive.simulate(model, events=events, select=["central"], until=6, every=6, rtol=1e-10)
    assert got["subject"].values.tolist() == [1, 1, 2]
    assert got["occasion"].values.tolist() == [1, 2, 1]
    assert_allclose(got["central"].values, [[100, 100 * left(6)], [50, 50 * left(6)], [0, 0]], rtol=1e-8)
    assert_allclose(got["central"].sel(subject=1).values[1], [50, 50 * left(6)], rtol=1e-8)


def test_an_occasion_may_begin_with_the_row_after_a_reset(run):
    got = run("ID,TIME,EVID,AMT,CMT\n1,0,1,100,central\n1,24,3,.,.\n1,0,1,50,central\n1,6,0,.,.")
    assert_allclose(got[1], [50 * left(6)], rtol=1e-8)


@pytest.mark.parametrize("evid", [0, 1, 2])
def test_time_that_falls_without_a_reset_is_refused(run, evid):
    amount = 5 if evid == 1 else "."
    with pytest.raises(EventError, match="row 3: TIME falls from 12 to 6 within ID 1"):
        run(f"ID,TIME,EVID,AMT,CMT\n1,0,1,100,central\n1,12,0,.,.\n1,6,{evid},{amount},central")


def test_a_reset_returns_to_the_start_that_its_own_parameters_give(run):
    base = read_antimony("model b\n  A0 = 10; k = 0\n  A = A0; A' = -k*A\nend")
    text = "ID,TIME,EVID,A0\n1,0,0,10\n1,5,0,10\n1,6,3,4\n1,7,0,4"
    assert_allclose(run(text, select="A", model=base), [[10, 10, 4]], rtol=1e-9)


# -- each subject at their own rows -----------------------------------------------------------------
def test_each_subject_is_observed_at_their_own_rows(model, tmp_path):
    text = "ID,TIME,EVID,AMT,CMT\n1.0,0,1,100,central\n1,4,0,.,.\n"
    text += "b,0,1,10,central\nb,8,0,.,.\nb,2,4,20,central\nb,3,0,.,.\n"
    (tmp_path / "e.csv").write_text(text, encoding="utf-8")
    got = lissive.simulate(model, events=tmp_path / "e.csv", select=["central"], rtol=1e-10)
    write(got, tmp_path / "o.csv")
    table = pd.read_csv(tmp_path / "o.csv")
    assert table[["subject", "occasion", "time"]].values.tolist() == [
        ["1", 1, 4.0],
        ["b", 1, 8.0],
        ["b", 2, 3.0],
    ]
    assert_allclose(table["central"], [100 * left(4), 10 * left(8), 20 * left(1)], rtol=1e-8)


def test_an_id_of_1_and_one_of_1_point_0_are_one(model):
    events = pd.DataFrame(
        {"ID": [1.0, 1, 2], "TIME": [0, 4, 4], "EVID": [1, 0, 0], "AMT": [100, 0, 0], "CMT": "central"}
    )
    people = pd.DataFrame({"ID": ["2", "1.0"], "CL": [10.0, 20.0]})
    got = lissive.simulate(model, events=events, subjects=people, select=["central"], rtol=1e-10)
    assert got["subject"].values.tolist() == [2, 1]
    assert_allclose(got["central"].values[:, 0], [0, 100 * left(4, k=1)], rtol=1e-8)


def test_many_different_designs_are_each_as_if_alone(model):
    rng = np.random.default_rng(1)
    rows, want = [], []
    for s in range(40):
        dose, seen = rng.integers(1, 100), np.sort(rng.choice(np.arange(1, 60), 3, replace=False)) / 2
        trough = s % 3 == 0
        rows += [
            (s, 0.0, 1, dose),
            *((s, t, 0, 0) for t in seen),
            *([(s, seen[-1], 1, dose)] if trough else []),
        ]
        want.append(dose * left(seen))
    events = pd.DataFrame(rows, columns=["ID", "TIME", "EVID", "AMT"]).assign(CMT="central")
    together = lissive.simulate(model, events=events, select=["central"])
    assert_allclose(together["central"].values, want, rtol=1e-5)
    for s in (0, 7, 39):
        alone = lissive.simulate(model, events=events[events["ID"] == s], select=["central"])
        assert (alone["central"].values[0] == together["central"].values[s]).all()


# -- parameters that vary in time -------------------------------------------------------------------
VARYING = "ID,TIME,EVID,AMT,CMT,CL\n1,0,1,100,central,5\n1,6,0,.,.,5\n1,12,0,.,.,10"


def test_nocb_locf_and_the_models_own_value_are_three_numbers(run, tmp_path):
    own = read_antimony(MODEL)  # CL is 8 there
    nocb, locf = (run(VARYING, model=own, covariates=mode)[0] for mode in ("nocb", "locf"))
    without = run(VARYING.replace(",CL", ",covariate"), model=own)[0]
    assert_allclose(nocb, 100 * np.exp([-0.25 * 6, -0.25 * 6 - 0.5 * 6]), rtol=1e-8)
    assert_allclose(locf, 100 * np.exp([-0.25 * 6, -0.25 * 12]), rtol=1e-8)
    assert_allclose(without, 100 * np.exp([-0.4 * 6, -0.4 * 12]), rtol=1e-8)
    assert_allclose(run(VARYING, model=own)[0], nocb)  # the default


@pytest.mark.parametrize(("mode", "turns"), [("nocb", 4.0), ("locf", 10.0)])
def test_a_change_between_two_output_times(run, mode, turns):
    """CL goes from 5 to 10 with the row at 10 h, the row before is at 4 h; an additional dose falls due at 7 h."""
    text = (
        "ID,TIME,EVID,AMT,CMT,II,ADDL,cl\n1,0,1,100,central,7,1,5\n1,4,2,.,.,.,.,5\n1,10,2,.,.,.,.,10\n"
        "1,20,2,.,.,.,.,10"
    )
    times = np.array([3.0, 4.0, 5.0, 8.0, 10.0, 15.0, 25.0])

    def amount(t):
        return sum(
            100 * np.exp(-K * max(0, min(t, turns) - at) - 2 * K * max(0, t - max(turns, at)))
            for at in (0, 7) if t >= at
        )  # fmt: skip

    got = run(text, times=times, covariates=mode)
    assert_allclose(got, [[amount(t) for t in times]], rtol=1e-8)


@pytest.mark.parametrize("mode", ["nocb", "locf"])
def test_at_its_own_time_a_row_has_its_own_value(run, mode):
    text = "ID,TIME,EVID,AMT,CMT,body\n1,0,1,100,central,20\n1,1,0,.,.,25\n1,1,0,.,.,50\n1,2,0,.,.,10"
    seen = run(text, select="[central]", covariates=mode) * [[25, 50, 10]]
    assert_allclose(seen[0, 0], seen[0, 1], rtol=1e-12)  # one amount in two volumes
    own = run(text, select="body", covariates=mode)
    assert own.tolist() == [[25, 50, 10]]


@pytest.mark.parametrize(("mode", "values"), [("nocb", [5, 10, 10]), ("locf", [5, 5, 5])])
def test_an_empty_cell_takes_the_next_value_or_the_last(run, mode, values):
    text = "ID,TIME,EVID,AMT,CMT,CL\n1,0,1,100,central,.\n1,2,0,.,.,5\n1,4,0,.,.,.\n1,6,0,.,.,10\n1,8,0,.,.,."
    want = 100 * np.exp(-np.cumsum(2 * np.array(values) / 20))
    assert_allclose(run(text, covariates=mode)[0, :3], want, rtol=1e-8)


def test_a_steady_state_has_the_values_of_its_own_row(run):
    """In both ways: CL 10 has held for ever by then."""
    text = "ID,TIME,EVID,AMT,CMT,II,SS,CL\n1,0,2,.,.,.,.,5\n1,6,1,100,central,12,1,10\n1,6,0,.,.,.,.,10"
    for mode in ("nocb", "locf"):
        assert_allclose(run(text, covariates=mode), [[series(0, 100, 12, k=0.5)]], rtol=1e-5)


def test_subjects_without_a_value_keep_their_own(run):
    text = "ID,TIME,EVID,AMT,CMT,CL\n1,0,1,100,central,10\n1,4,0,.,.,20\n2,0,1,100,central,.\n2,4,0,.,.,."
    assert_allclose(run(text)[:, 0], [100 * left(4, k=1.0), 100 * left(4)], rtol=1e-8)


def test_a_value_given_twice_is_refused(run):
    with pytest.raises(ParameterError, match="CL is a column of the events, and given for the subjects too"):
        run(VARYING, parameters={"CL": 3})
    with pytest.raises(ParameterError, match="CL is a column of the events"):
        run(VARYING, subjects=pd.DataFrame({"ID": [1], "CL": [3.0]}))


@pytest.mark.parametrize(
    ("head", "says"),
    [
        ("CL,cl", "The column cl could be CL of model one, for which CL is there too"),
        ("CL,CL", "The column CL is there twice"),
        ("central,WT", "The column central is named like something that model one computes"),
        ("J,WT", "The column J is named like something that model one computes"),
    ],
)
def test_a_column_that_could_be_two_things_is_refused(model, head, says, tmp_path):
    (tmp_path / "e.csv").write_text(f"ID,TIME,EVID,AMT,CMT,{head}\n1,0,1,100,central,5,5\n", encoding="utf-8")
    with pytest.raises(EventError, match=says):
        lissive.simulate(model, events=tmp_path / "e.csv", until=1, every=1)


def test_a_value_that_is_no_number_is_refused_with_its_row(run):
    with pytest.raises(EventError, match="events, row 2: CL is 'high'"):
        run(VARYING.replace("6,0,.,.,5", "6,0,.,.,high"))


# -- what is not used -------------------------------------------------------------------------------
def test_columns_that_are_not_used_are_said_and_carried(model, tmp_path):
    text = (
        "ID,TIME,EVID,AMT,CMT,DV,MDV,SEX,WT\n1,0,1,100,central,.,1,m,70\n1,4,0,.,.,3.5,0,m,71\n"
        "2,0,1,100,central,.,1,=f(),60\n2,4,0,.,.,2.5,0,=f(),61\n"
    )
    (tmp_path / "e.csv").write_text(text, encoding="utf-8")
    got = lissive.simulate(model, events=tmp_path / "e.csv", select=["central"])
    assert "Not used, only carried to the result: DV, MDV, SEX, WT." in json.loads(got.attrs["notes"])
    for name in ("o.csv", "o.parquet", "o.nc", "o.zarr"):
        write(got, tmp_path / name)
    table = pd.read_csv(tmp_path / "o.csv")
    assert list(table) == ["subject", "time", "central", "DV", "MDV", "SEX", "WT"]
    assert table[["DV", "MDV", "WT"]].values.tolist() == [[3.5, 0, 71], [2.5, 0, 61]]
    assert table["SEX"].tolist() == ["m", "'=f()"]  # no formula for a spreadsheet
    assert pd.read_parquet(tmp_path / "o.parquet")["SEX"].tolist() == ["m", "=f()"]
    at = lissive.simulate(model, events=tmp_path / "e.csv", select=["central"], times=[0, 2, 4])
    assert at["WT"].values.tolist() == [[70, 71, 71], [60, 61, 61]]  # as parameters would, by nocb
    np.testing.assert_array_equal(at["DV"].values[0], [np.nan, np.nan, 3.5])  # true of its own row only
    assert any("the 2 observation rows" in note for note in json.loads(at.attrs["notes"]))


def test_who_is_left_out_is_said(model):
    events = pd.DataFrame({"ID": [1, 2, 3], "TIME": 0, "AMT": 100, "CMT": "central"})
    got = lissive.simulate(model, events=events, subjects=pd.DataFrame({"ID": [2]}), until=1, every=1)
    assert "Not among the subjects, and left out: ID 1, 3." in json.loads(got.attrs["notes"])

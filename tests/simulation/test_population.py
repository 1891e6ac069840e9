"""A population model of one's own: closed forms, the same subject i whoever else is drawn, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import lissive
from lissive.cli.main import main
from lissive.errors import LissiveError, ParameterError, SimulationError
from lissive.model.read import read_antimony

MODEL = Path(__file__).parents[2] / "examples" / "one_compartment.ant"
EXAMPLE = MODEL.parent / "population"
HEAD = "kind,parameter,value,form,with,reference"
TABLE = """theta,CL,5,lognormal,,
theta,plasma,20,lognormal,,
theta,ka,1.2,,,
omega,CL,0.09,,,
omega,plasma,0.04,,,
omega,CL,0.03,,plasma,
covariate,CL,0.75,power,WT,70
sigma,[C],0.04,proportional,,"""
MANY = 4000
DOSE = pd.DataFrame([{"ID": 1, "TIME": 0.0, "AMT": 100.0, "CMT": "A_gut", "EVID": 1, "WT": 70.0}])


def table(*rows: str) -> pd.DataFrame:
    cells = [dict(zip(HEAD.split(","), row.split(","), strict=True)) for row in rows]
    return pd.DataFrame(cells)


def given(text: str = TABLE, **changed: str) -> pd.DataFrame:
    return table(*text.splitlines())


def oral(t, cl, v, ka, dose=100.0):
    """Concentration after one dose by mouth, one compartment."""
    k = cl / v
    return dose * ka / (v * (ka - k)) * (np.exp(-k * t) - np.exp(-ka * t))


@pytest.fixture(scope="module")
def many():
    return lissive.simulate(
        MODEL, population=given(), events=DOSE, subjects=MANY, times=[1.0, 6.0], seed=5, rtol=1e-8
    )


def test_etas_have_the_means_variances_and_the_correlation_of_the_table(many):
    logs = np.log([many["CL"].values / 5.0, many["plasma"].values / 20.0])
    se = np.sqrt([0.09, 0.04]) / np.sqrt(MANY)
    assert np.all(np.abs(logs.mean(axis=1)) < 3.5 * se)
    # the SE of a variance is its value times the square root of 2/n; of a correlation (1 - r^2) / root n
    assert np.all(np.abs(logs.var(axis=1) / [0.09, 0.04] - 1.0) < 3.5 * np.sqrt(2.0 / MANY))
    assert np.corrcoef(logs)[0, 1] == pytest.approx(0.5, abs=3.5 * 0.75 / np.sqrt(MANY))
    assert np.allclose(logs[0], many["ETA_CL"].values)
    assert "ETA_ka" not in many


def test_ipred_and_pred_are_the_closed_form_at_individual_and_typical_values(many):
    cl, v = many["CL"].values[:, None], many["plasma"].values[:, None]
    times = many["time"].values
    assert np.allclose(many["[C]"].values, oral(times, cl, v, 1.2), rtol=1e-6)
    assert np.allclose(many["PRED_[C]"].values, oral(times, 5.0, 20.0, 1.2), rtol=1e-6)


def test_dv_has_the_residual_error_of_the_table(many):
    epsilon = (many["DV_[C]"] / many["[C]"]).values.ravel() - 1.0
    assert epsilon.mean() == pytest.approx(0.0, abs=3.5 * 0.2 / np.sqrt(2 * MANY))
    assert epsilon.var() == pytest.approx(0.04, rel=3.5 / np.sqrt(MANY))
    early, late = (many["DV_[C]"] / many["[C]"]).values.T
    assert abs(np.corrcoef(early, late)[0, 1]) < 3.5 / np.sqrt(MANY)


@pytest.mark.parametrize("replicates", [1, 3])
def test_a_subject_is_the_same_whoever_else_is_drawn(many, replicates):
    few = lissive.simulate(
        MODEL, population=given(), events=DOSE, subjects=7, times=[1.0, 6.0], seed=5, replicates=replicates,
        rtol=1e-8,
    )  # fmt: skip
    for name in ("CL", "ETA_plasma", "[C]", "DV_[C]"):
        assert np.array_equal(few[name].values[:7], many[name].values[:7])
    if replicates > 1:
        assert few["replicate"].values.tolist() == [1] * 7 + [2] * 7 + [3] * 7
        assert len(set(few["CL"].values)) == 21


OCCASIONS = pd.DataFrame(
    [
        {"ID": i, "TIME": t, "EVID": int(t % 24 == 0), "AMT": 100.0 * (t % 24 == 0), "CMT": "A_gut", "OCC": 1 + t // 24}
        for i in range(300)
        for t in (0, 2, 8, 24, 26, 32)
    ]
)  # fmt: skip


def test_what_varies_between_occasions_is_constant_within_one():
    pop = table("theta,CL,5,lognormal,,", "omega,CL,0.04,,,", "iov,CL,0.09,,,", "theta,ka,1.2,,,")
    run = lissive.simulate(MODEL, population=pop, events=OCCASIONS, select=["[C]", "CL"], rtol=1e-8, seed=2)
    cl = run["CL"].values
    assert np.array_equal(cl[:, 0], cl[:, 1])
    assert np.array_equal(cl[:, 2], cl[:, 3])
    between = np.log(cl[:, 2] / cl[:, 0])  # the difference of two kappas: eta is in both
    assert between.var() == pytest.approx(2 * 0.09, rel=3.5 * np.sqrt(2 / 300))
    assert np.log(cl[:, 0] / 5).var() == pytest.approx(0.13, rel=3.5 * np.sqrt(2 / 300))
    # until 24 h the first occasion's rows; from 8 h on CL is the next row's, the second occasion's (nocb)
    first, second = cl[:, 0], cl[:, 2]
    at_8 = np.array([oral(8.0, c, 20.0, 1.2) for c in first])
    assert np.allclose(run["[C]"].values[:, 1], at_8, rtol=1e-6)
    gut = 100 * np.exp(-1.2 * 8)
    left = at_8 * np.exp(-second / 20 * 16) + oral(16.0, second, 20.0, 1.2, gut)
    gut_24 = 100 * np.exp(-1.2 * 24)
    at_26 = left * np.exp(-second / 20 * 2) + oral(2.0, second, 20.0, 1.2, 100 + gut_24)
    assert np.allclose(run["[C]"].values[:, 2], at_26, rtol=1e-5)


def test_occasions_that_begin_with_a_reset_need_no_column():
    rows = OCCASIONS.drop(columns="OCC").query("ID < 3").assign(TIME=lambda t: t.TIME % 24)
    rows["EVID"] = np.where((rows.EVID == 1), 4, 0)
    run = lissive.simulate(
        MODEL, population=table("theta,CL,5,,,", "iov,CL,0.09,,,"), events=rows, select="CL"
    )
    assert run["occasion"].values.tolist() == [1, 2] * 3
    assert len(set(run["CL"].values[:, 0])) == 6


@pytest.mark.parametrize(
    ("form", "factor"),
    [("power", (90 / 70) ** 0.5), ("linear", 1 + 0.5 * 20), ("exponential", np.exp(0.5 * 20))],
)
def test_covariate_effects_are_as_they_are_said(form, factor):
    pop = table("theta,CL,5,,,", f"covariate,CL,0.5,{form},WT,70")
    who = pd.DataFrame({"ID": ["a", "b"], "WT": [70, 90]})
    run = lissive.simulate(MODEL, population=pop, subjects=who, times=[1.0], select="CL")
    assert run["CL"].values[:, 0] == pytest.approx([5.0, 5.0 * factor])
    assert run["WT"].values.tolist() == [70, 90]


def test_a_covariate_that_changes_in_time_changes_the_parameter_with_it():
    events = pd.DataFrame({"ID": 1, "TIME": [0.0, 4.0, 8.0], "EVID": 0, "WT": [70, 70, 140]})
    run = lissive.simulate(
        MODEL, population=table("theta,CL,5,,,", "covariate,CL,1,power,WT,70"), events=events, select="CL"
    )
    assert run["CL"].values.tolist() == [[5.0, 5.0, 10.0]]


def test_forms_of_individual_values():
    pop = table("theta,ka,0.3,logit,,", "omega,ka,1,,,", "theta,CL,5,normal,,", "omega,CL,0.25,,,")
    run = lissive.simulate(MODEL, population=pop, subjects=3000, times=[0.0], select="CL")
    ka, cl = run["ka"].values, run["CL"].values[:, 0]
    assert np.log(ka / (1 - ka)).mean() == pytest.approx(np.log(0.3 / 0.7), abs=3.5 / np.sqrt(3000))
    assert cl.mean() == pytest.approx(5, abs=3.5 * 0.5 / np.sqrt(3000))
    assert cl.std() == pytest.approx(0.5, rel=0.06)


# -- initial values ---------------------------------------------------------------------------------
def test_initial_values_by_subject_from_python_and_from_a_table():
    amounts = [10.0, 100.0]
    run = lissive.simulate(
        MODEL, subjects=2, initial={"A_gut": amounts, "[C]": 0.5}, times=[0.0, 3.0], rtol=1e-8
    )
    expected = [oral(3.0, 5, 20, 1.2, each) + 0.5 * np.exp(-0.25 * 3) for each in amounts]
    assert run["C"].values[:, 1] / 20 == pytest.approx(expected, rel=1e-6)
    who = pd.DataFrame({"ID": [1, 2], "A_gut": amounts, "[C]": [0.5, 0.5]})
    assert np.array_equal(lissive.simulate(MODEL, subjects=who, times=[0.0, 3.0], rtol=1e-8)["C"], run["C"])


def test_what_a_model_computes_from_an_initial_value_follows_and_a_reset_returns_to_it(tmp_path):
    path = tmp_path / "m.ant"
    path.write_text("compartment v = 2; species A in v = 1; species B in v; B = 3*A; A -> ; 0.1*A*v\n")
    events = pd.DataFrame({"ID": 1, "TIME": [0.0, 5.0, 5.0], "EVID": [0, 3, 0]})
    run = lissive.simulate(path, events=events, subjects=pd.DataFrame({"[A]": [4.0]}), select=["[A]", "[B]"])
    assert run["[B]"].values[0].tolist() == [12.0, 12.0]
    assert run["[A]"].values[0].tolist() == [4.0, 4.0]


# -- rows, figures -----------------------------------------------------------------------------------
def test_rows_are_nonmems_and_give_the_same_run_again(tmp_path):
    out = tmp_path / "rows.csv"
    command = ["simulate", str(MODEL), "--population", str(EXAMPLE / "population.csv")]
    assert main([*command, "--events", str(EXAMPLE / "doses.csv"), "--out", str(out)]) == 0
    rows = pd.read_csv(out, na_values=".")
    assert rows.columns[:14].tolist() == "ID TIME EVID AMT CMT RATE II ADDL SS DVID DV PRED IPRED MDV".split()
    dosed = rows[rows.EVID == 1]
    assert dosed[["AMT", "CMT", "OCC"]].values.tolist() == [[100, 1, 1], [100, 1, 2]] * 2
    assert dosed[["DV", "PRED", "IPRED"]].isna().all(axis=None)
    assert rows[rows.EVID == 0][["DV", "PRED", "IPRED", "CL", "WT"]].notna().all(axis=None)
    # individual values in the rows are parameters that vary in time: the model alone gives IPRED again
    again = lissive.simulate(MODEL, events=out, select="[C]", rtol=1e-8)
    ipred = rows[rows.EVID == 0].groupby("ID").IPRED.apply(list)
    for k, values in enumerate(ipred):
        assert again["[C]"].values[k, : len(values)] == pytest.approx(values, rel=1e-4)
    about = json.loads(out.with_suffix(".meta.json").read_text())
    assert about["provenance"]["population"]["dvid"] == {"[C]": 1}


def test_a_visual_check_of_data_from_the_model_itself_lies_in_its_band(tmp_path):
    grid = (0.5, 2.0, 8.0)
    events = pd.DataFrame(
        [
            {"ID": i, "TIME": t, "EVID": int(t == 0), "AMT": 100.0 * (t == 0), "CMT": "A_gut", "WT": 70}
            for i in range(30)
            for t in (0.0, *grid)
        ]
    )
    data = lissive.simulate(MODEL, population=given(), events=events, seed=11)
    events["DV"] = np.nan
    events.loc[events.EVID == 0, "DV"] = data["DV_[C]"].values.ravel()
    run = lissive.simulate(MODEL, population=given(), events=events, replicates=25, rtol=1e-4)
    head, *rows = lissive.vpc(run, tmp_path / "vpc.png")
    assert head[:4] == ["time", "observations", "percentile", "observed"]
    assert [row[1] for row in rows] == [30] * 9
    observed = np.percentile(data["DV_[C]"].values, 50, axis=0)
    assert [float(row[3]) for row in rows if row[2] == "50"] == pytest.approx(observed, rel=1e-4)
    inside = [float(low) <= float(seen) <= float(high) for _, _, _, seen, low, _, high in rows]
    assert sum(inside) >= 7
    assert (tmp_path / "vpc.png").read_bytes()[:4] == b"\x89PNG"
    assert lissive.plot(run, tmp_path / "run.svg").stat().st_size > 1000
    with pytest.raises(SimulationError, match="replicates"):
        lissive.vpc(data, tmp_path / "no.png")


# -- what is refused ---------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (["theta,Cl,5,,,"], "Did you mean CL"),
        (["theta,CL,5,,,", "omega,CL,-0.1,,,"], "variance of CL is -0.1"),
        (["theta,CL,5,,,", "omega,ka,0.1,,,"], "ka has no theta row"),
        (["theta,CL,five,,,"], "value is 'five'"),
        (["theta,CL,-5,lognormal,,"], "over 0 with lognormal"),
        (["theta,CL,5,lognomal,,"], "Did you mean lognormal"),
        (["thet,CL,5,,,"], "Did you mean theta"),
        (["theta,CL,5,,,", "theta,CL,6,,,"], "given twice"),
        (["theta,CL,5,,,", "omega,CL,0.1,,,", "theta,ka,1,,,", "omega,ka,0.1,,,", "omega,CL,0.2,,ka,"],
         "a correlation of 2"),
        (["theta,CL,5,,,", "omega,CL,1,,,", "theta,ka,1,,,", "omega,ka,1,,,", "theta,plasma,9,,,", "omega,plasma,1,,,",
          "omega,CL,0.9,,ka,", "omega,CL,0.9,,plasma,", "omega,ka,-0.9,,plasma,"], "not positive definite"),
        (["theta,CL,5,,,", "covariate,CL,0.75,power,WT,70"], "The covariate WT of CL has no column"),
        (["theta,CL,5,,,", "covariate,CL,0.75,power,WT,"], "reference is ''"),
        (["theta,CL,5,,,", "sigma,Q,0.1,additive,,"], "Q is no output"),
        (["theta,CL,5,,,", "sigma,[C],0.1,exponential,,", "sigma,[C],0.1,additive,,"], "exponential error"),
        (["theta,CL,5,,,", "sigma,[C],0.1,,,"], "form is empty"),
    ],
)  # fmt: skip
def test_what_cannot_be_a_population_is_refused_with_its_row(rows, said):
    with pytest.raises(ParameterError, match=r"population, row \d+") as error:
        lissive.simulate(MODEL, population=table(*rows), times=[1.0])
    assert said in str(error.value)


def test_every_mistake_of_a_file_is_said_with_its_line(tmp_path):
    path = tmp_path / "p.csv"
    path.write_text(f"# a comment\n{HEAD}\ntheta,CL,x,,,\ntheta,plasma,1,,,\nomega,plasma,-1,,,\n")
    with pytest.raises(ParameterError) as error:
        lissive.simulate(MODEL, population=path, times=[1.0])
    assert [each.where for each in error.value.findings] == [f"{path}:3", f"{path}:5"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"parameters": {"CL": 1.0}}, "CL is given by"),
        ({"subjects": pd.DataFrame({"CL": [1.0], "WT": [70]})}, "CL is given by"),
        ({"subjects": pd.DataFrame({"WT": [-70]})}, "WT is -70 for ID 1"),
        ({"subjects": pd.DataFrame({"WT": [70], "HT": [1]})}, "HT"),
        ({"subjects": pd.DataFrame({"WT": [70], "C": [1]}), "initial": {"C": 1}}, "C is given by initial"),
        ({"initial": {"Q": 1.0}}, "Q is no state"),
        ({"initial": {"C": [1.0, 2.0]}, "subjects": 3}, "3 of them"),
        ({"initial": {"C": 1.0, "[C]": 2.0}}, "both given"),
        ({"replicates": 0}, "replicates is 0"),
        ({"events": DOSE.assign(WT="heavy")}, "WT is 'heavy' for ID 1"),
        ({"events": DOSE.assign(WT=np.nan)}, "WT is empty in the rows of ID 1"),
        ({"population": "nowhere.csv"}, "no such file"),
        ({"population": 7}, "population is int"),
    ],
)
def test_what_does_not_go_with_a_population_is_refused(arguments, said):
    with pytest.raises(LissiveError) as error:
        lissive.simulate(MODEL, **{"population": given(), "times": [1.0], **arguments})
    assert said in str(error.value)


def test_the_command_keeps_a_table_that_it_did_not_write_and_names_what_a_check_needs(tmp_path, capsys):
    command = ["simulate", str(MODEL), "--out", str(tmp_path / "o.csv"), "--vpc", str(tmp_path / "vpc.png")]
    assert main([*command, "--until", "1", "--every", "1"]) == 2
    assert "--population, and --events" in capsys.readouterr().err
    kept = tmp_path / "vpc.csv"
    kept.write_text("mine\n")
    command += ["--population", str(EXAMPLE / "population.csv"), "--events", str(EXAMPLE / "observed.csv")]
    assert main([*command, "--replicates", "20"]) == 2
    assert "no result of this command" in capsys.readouterr().err
    assert kept.read_text() == "mine\n"
    assert list(tmp_path.iterdir()) == [kept]


def test_a_run_of_more_outputs_than_a_figure_has_panels_is_refused(tmp_path):
    run = lissive.simulate(MODEL, times=[0.0, 1.0])
    crowded = run.assign({f"x{k}": run["C"] for k in range(12)})
    with pytest.raises(SimulationError, match="14 outputs"):
        lissive.plot(crowded, tmp_path / "run.png")
    with pytest.raises(SimulationError, match="Unsupported file extension"):
        lissive.plot(run, tmp_path / "run.gif")


def test_values_of_the_shipped_model_that_no_study_has_are_named():
    rows = [[i, t, 1, 100.0, "THC_oral", 44.0 - 14 * (t > 0), t > 0] for i in (1, 2) for t in (0.0, 24.0)]
    events = pd.DataFrame(rows, columns="ID TIME EVID AMT CMT CL_THC OCC".split())
    table = pd.DataFrame({"ID": [1, 2, 3], "CL_THC": [44.0, 30.0, 35.0], "V1_THC": [8.0, 8.0, 8.0]})
    occasions = pd.DataFrame(
        [["theta", "CL_THC", 30.0, ""], ["iov", "CL_THC", 1e-6, ""]],
        columns="kind parameter value form".split(),
    )
    for given, what in (
        ({"subjects": table}, "2 of 3 values lie"),
        ({"parameters": {"CL_THC": 30.0}}, "30 lies"),
        ({"events": events}, "2 of 4 values lie"),
        ({"events": events.drop(columns="CL_THC"), "population": occasions}, "4 of 4 values lie"),
    ):
        run = lissive.simulate("lissive", times=[0.0, 1.0], select=["[THC_c]"], **given)
        notes = [note for note in json.loads(run.attrs["provenance"])["notes"] if "literature" in note]
        assert [note.partition(" outside")[0] for note in notes] == [f"CL_THC: {what}"]


def test_a_covariate_in_two_tables_and_values_below_zero_are_said():
    both = pd.DataFrame([["theta", "CL", 5.0, "", "", None], ["covariate", "CL", 0.75, "power", "WT", 70.0]])
    both.columns = ["kind", "parameter", "value", "form", "with", "reference"]
    events = pd.DataFrame([[1, 0.0, 0, 70.0], [1, 1.0, 0, 80.0]], columns="ID TIME EVID WT".split())
    with pytest.raises(ParameterError, match="WT is given by the events, and by the subjects"):
        lissive.simulate(MODEL, events=events, subjects=pd.DataFrame({"WT": [140.0]}), population=both)
    error = pd.DataFrame(
        [["theta", "CL", 5.0, ""], ["sigma", "C", 1.0, "additive"]], columns=both.columns[:4]
    )
    run = lissive.simulate(MODEL, population=error, subjects=50, times=[1000.0])
    below = int((run["DV_C"] < 0).sum())
    assert 10 < below < 40
    assert f"DV_C: {below} of 50 values are below 0" in run.attrs["provenance"]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"parameters": {"CL_THC": 56.7}}, "CL_THC is 56.7. .*below 56.7, BP_THC.Q_liver.*or raise Q_liver"),
        ({"parameters": {"Q_liver": 60.0}}, "CL_THC is 44.08. .*below 37.8, BP_THC.Q_liver"),
        ({"subjects": pd.DataFrame({"CL_THC": [44.0, 58.0]})}, "CL_THC is 58 for ID 2. .*below 56.7"),
        ({"parameters": {"F_CBD_oral": 0.5}}, "F_CBD_oral is 0.5. .*below 0.5, FH_CBD"),
        ({"parameters": {"FH_CBD": 1.0}}, "FH_CBD is 1. .*below 1."),
        ({"parameters": {"Fa_THC_spray": 1.0}}, "Fa_THC_spray is 1. .*below 1."),
    ],
)
def test_what_the_equations_of_the_shipped_model_cannot_hold_is_refused(given, said):
    """A well-stirred liver clears less blood than flows through it: CL < BP*Q, 0.63*90 L/h."""
    with pytest.raises(ParameterError, match=said):
        lissive.simulate("lissive", times=[2.0], select=["THC_ng_mL"], **given)


def test_a_clearance_over_the_liver_s_flow_is_refused_by_row_too():
    doses = pd.DataFrame([[7, 0.0, 1, 1000.0, "THC_oral", 44.0], [7, 2.0, 0, 0.0, "THC_oral", 58.0]])
    doses.columns = "ID TIME EVID AMT CMT CL_THC".split()
    with pytest.raises(ParameterError, match="CL_THC is 58. .*below 56.7"):
        lissive.simulate("lissive", events=doses, select=["THC_ng_mL"])


def test_just_below_the_liver_s_flow_no_concentration_is_negative():
    dose = pd.DataFrame([[1, 0.0, 1, 1000.0, "THC_oral"]], columns="ID TIME EVID AMT CMT".split())
    run = lissive.simulate(
        "lissive",
        events=dose,
        times=[1.0, 2.0, 8.0],
        select=["THC_ng_mL"],
        parameters={"CL_THC": 56.699, "heavy_user": 0.0},
    )
    assert (run["THC_ng_mL"].values >= 0).all()
    assert run["status"].item() == 0


def test_a_prediction_that_the_typical_individual_does_not_have_is_said():
    model = read_antimony("x = 0; CL = 5; x' = 1/(CL - 5)")
    table = pd.DataFrame([["theta", "CL", 5.0], ["omega", "CL", 0.1]], columns=["kind", "parameter", "value"])
    run = lissive.simulate(model, population=table, subjects=3, times=[0.0, 1.0])
    assert np.isfinite(run["x"].values).all()
    assert np.isnan(run["PRED_x"].values[:, 1]).all()
    assert "PRED is missing in 3 of 3 runs: stopped at time 0" in run.attrs["notes"]

"""PEtab problems: against closed forms, the package petab's own likelihood, other tools' published values."""

from __future__ import annotations

import json
import warnings
from math import exp, log, pi
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from lissive import interchange
from lissive.cli import main as door
from lissive.errors import InterchangeError
from lissive.interchange.petab import fit
from lissive.model.check import to_sbml

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from petab.v1.calculate import calculate_chi2, calculate_llh

COLLECTION = Path(__file__).parents[3] / "shared" / "petab-problems"

MODEL = """
model m
  compartment v = 2; species A in v = 3; substanceOnly species N in v = 1; A0 = 7
  in_: => A; v*p
  out: A =>; v*k*A
  grow: => N; g*N
  p = 0; k = 9; g = 0.1; twice := 2*A
  A = A0
end
"""
TABLES = {
    "conditions": [
        "conditionId conditionName A p k g",
        "plain . . 0 0.5 0.1",
        "set . 10 0 rate 0",
        "fed . . 4 0.5 0",
        "starved . . 0 0.5 0",
        "raised . 5 0 0.5 0",
    ],
    "observables": [
        "observableId observableFormula observableTransformation noiseFormula noiseDistribution",
        "whole offset+A lin 0.5 normal",
        "scaled observableParameter1_scaled*A*v log10 noiseParameter1_scaled normal",
        "ratio twice/N+0*time log noiseParameter1_ratio+0.1*ratio laplace",
    ],
    "measurements": [
        "observableId preequilibrationConditionId simulationConditionId measurement time "
        "observableParameters noiseParameters",
        "whole . plain 6 1 . .",
        "whole . set 8 1 . .",
        "scaled . set 30 2 factor 0.2",
        "scaled fed starved 25 1 2 sd",
        "whole fed raised 4 1 . .",
        "ratio . plain 9 1 . sd",
        "whole . fed 8 inf . .",
    ],
    "parameters": [
        "parameterId parameterScale lowerBound upperBound nominalValue estimate",
        "rate log10 0.1 10 0.25 1",
        "factor lin 1 5 3 1",
        "offset lin 0 5 0.125 1",
        "sd log 0.01 5 0.3 1",
        "A0 lin 0 10 4 0",
    ],
}


def tsv(rows: list[str]) -> str:
    return "\n".join("\t".join("" if cell == "." else cell for cell in row.split(" ")) for row in rows) + "\n"


def problem(folder: Path, model: str = MODEL, /, **changed: list[str]) -> Path:
    (folder / "model.xml").write_text(to_sbml(model), encoding="utf-8")
    for kind, rows in (TABLES | changed).items():
        (folder / f"{kind}.tsv").write_text(tsv(rows), encoding="utf-8")
    path = folder / "problem.yaml"
    path.write_text(
        "format_version: 1\nparameter_file: parameters.tsv\nproblems:\n- condition_files: [conditions.tsv]\n"
        "  measurement_files: [measurements.tsv]\n  observable_files: [observables.tsv]\n"
        "  sbml_files: [model.xml]\n  visualization_files: [not-there.tsv]\n",
        encoding="utf-8",
    )
    return path


def test_conditions_placeholders_scales_and_steady_states_by_closed_forms(tmp_path):
    found = fit(problem(tmp_path))
    after_fed = 8 * exp(-0.5)  # from p/k = 8
    expected = [
        0.125 + 4 * exp(-0.5),  # the parameter table's A0, through the initial assignment
        0.125 + 10 * exp(-0.25),  # the condition's own start in its place
        3 * 2 * 10 * exp(-0.5),
        2 * 2 * after_fed,
        0.125 + 5 * exp(-0.5),  # set anew after the pre-equilibration
        2 * 4 * exp(-0.5) / exp(0.1),
        0.125 + 8,
    ]
    noise = [0.5, 0.5, 0.2, 0.3, 0.5, 0.3 + 0.1 * expected[5], 0.5]
    assert found.simulation == pytest.approx(expected, rel=1e-6)
    assert found.noise == pytest.approx(noise, rel=1e-6)
    assert found.experiments == 5
    measured = [6, 8, 30, 25, 4, 9, 8]
    residual = [
        (log(m / s, 10) if k in (2, 3) else log(m / s) if k == 5 else m - s) / sd
        for k, (m, s, sd) in enumerate(zip(measured, expected, noise, strict=True))
    ]
    logs = [-0.5 * log(2 * pi) - log(sd) - r**2 / 2 for sd, r in zip(noise, residual, strict=True)]
    logs[5] = -log(2 * noise[5] * 9) - abs(residual[5])
    logs[2] -= log(30 * log(10))
    logs[3] -= log(25 * log(10))
    assert found.chi_squared == pytest.approx(sum(r**2 for r in residual), rel=1e-6)
    assert found.log_likelihoods == pytest.approx(logs, rel=1e-6)


def by_petab(found):
    tables = (found.problem.measurements, found.table, found.problem.observables, found.problem.parameters)
    return calculate_llh(*tables), calculate_chi2(*tables)


def test_the_command_writes_a_simulation_table_that_petab_reads(tmp_path, capsys):
    path, out = problem(tmp_path), tmp_path / "run.tsv"
    words = ["simulate", str(path), "--out", str(out)]
    assert door.main(words) == 0
    assert "7 measurements under 5 conditions" in capsys.readouterr().out
    assert door.main([*words, "--json"]) == 0  # the same run again
    told = json.loads(capsys.readouterr().out)
    read = fit(path)
    written = pd.read_csv(out, sep="\t", dtype={"observableParameters": str, "noiseParameters": str})
    assert written["simulation"].to_numpy() == pytest.approx(read.simulation)
    assert (told["log_likelihood"], told["chi_squared"]) == pytest.approx(by_petab(read), rel=1e-12)
    about = json.loads((tmp_path / "run.meta.json").read_text())
    assert about["log_likelihood"] == told["log_likelihood"]
    before = out.read_bytes()
    assert door.main(["simulate", str(problem(tmp_path, MODEL.replace("9", "8"))), "--out", str(out)]) == 2
    assert "a result of another run" in capsys.readouterr().err
    assert out.read_bytes() == before
    assert door.main([*words, "--force"]) == 0


def without(kind: str, column: str) -> dict[str, list[str]]:
    at = TABLES[kind][0].split(" ").index(column)
    return {kind: [" ".join(c for k, c in enumerate(row.split(" ")) if k != at) for row in TABLES[kind]]}


def replaced(kind: str, old: str, new: str) -> dict[str, list[str]]:
    return {kind: [row.replace(old, new) for row in TABLES[kind]]}


FAULTS = [
    (without("measurements", "time"), r"measurements.tsv:1: the measurement table has no column time"),
    (without("parameters", "nominalValue"), r"parameters.tsv:1: .* no column nominalValue"),
    (without("observables", "noiseFormula"), "no column noiseFormula"),
    (without("conditions", "conditionId"), "no column conditionId"),
    (replaced("measurements", " plain ", " unknown "), "unknown"),
    (replaced("measurements", "6 1", "6 x"), "measurements.tsv:2: time is 'x'"),
    (replaced("measurements", "whole . set 8 1", "whole . set 8 -1"), "measurements.tsv:3: time is '-1.0'"),
    (replaced("conditions", "rate", "speed"), "condition set, k: speed is neither a number nor a parameter"),
    (replaced("conditions", " A p", " Z p"), "has a column Z, which the model does not have"),
    (replaced("conditions", " A p", " twice p"), "twice is given by a rule at all times"),
    (replaced("observables", "offset+A", "offset+B"), "observableFormula of whole has B"),
    (replaced("observables", "offset+A", "offset+*A"), r"observables.tsv: Error parsing 'offset\+\*A'"),
    (replaced("measurements", "30 2 factor", "30 2 ."), "measurement"),
    (replaced("parameters", "sd log 0.01 5 0.3", "sd log 0.01 5 -0.3"), "the noise is -0.3"),
    (
        replaced("parameters", "offset lin 0 5 0.125", "offset lin 0 5 ."),
        "nominalValue of offset is not a number",
    ),
    (
        replaced("measurements", "25 1", "-25 1"),
        "must be positive, but -25",
    ),
]


@pytest.mark.parametrize(("changed", "said"), FAULTS)
def test_a_fault_is_one_message_with_its_file(tmp_path, changed, said):
    with pytest.raises(InterchangeError, match=said) as fault:
        fit(problem(tmp_path, **changed))
    assert str(tmp_path) in str(fault.value)
    assert "\n" not in str(fault.value)


def test_what_grows_without_end_has_no_steady_state(tmp_path):
    growing = MODEL.replace("grow: => N; g*N", "grow: => N; g")
    with pytest.raises(InterchangeError, match="fed reaches no steady state: N still changes"):
        fit(problem(tmp_path, growing, **replaced("conditions", "4 0.5 0", "4 0.5 0.1")))


@pytest.mark.parametrize(
    ("yaml", "said"),
    [
        ("case: a\nperson: {age_years: 50}\n", "it is no PEtab problem"),
        ("format_version: 2.0.0\nproblems: []\n", "version 2.0.0 is out of scope"),
        ("format_version: 1\nproblems: [{}, {}]\n", "describes 2 problems"),
        ("format_version: 1\nparameter_file: p.tsv\nproblems: [{}]\n", "condition_files names no file"),
        ("format_version: 1\nparameter_file: p\nproblems: [{condition_files: [c]}]\n", "c is not there"),
        (": : :", "cannot be read"),
    ],
)
def test_what_is_no_problem_is_said(tmp_path, yaml, said):
    path = tmp_path / "p.yaml"
    path.write_text(yaml)
    with pytest.raises(InterchangeError, match=said):
        fit(path)


def test_a_package_that_is_not_installed_is_one_message(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(interchange, "find_spec", lambda name: None)
    for name, package in (
        ("p.yaml", "petab"),
        ("p.sedml", "python-libsedml"),
        ("p.omex", "python-libcombine"),
    ):
        out = tmp_path / ("x.tsv" if name == "p.yaml" else "x.csv")
        assert door.main(["simulate", str(tmp_path / name), "--out", str(out)]) == 2
        said = capsys.readouterr().err
        assert f"need {package}, which is not installed" in said
        assert "pip install 'lissive[interchange]'" in said


def test_a_full_disk_is_one_message_and_leaves_nothing(tmp_path, monkeypatch, capsys):
    path = problem(tmp_path)
    monkeypatch.setattr(
        pd.DataFrame, "to_csv", lambda *_, **__: (_ for _ in ()).throw(OSError(28, "No space left on device"))
    )
    out = tmp_path / "run.tsv"
    assert door.main(["simulate", str(path), "--out", str(out)]) == 2
    assert (
        capsys.readouterr().err == f"lissive: {out}: No space left on device. What to do: free some space.\n"
    )
    assert not out.exists()
    assert not (tmp_path / "run.meta.json").exists()


def test_options_that_the_problem_answers_itself_are_refused(tmp_path, capsys):
    words = ["simulate", str(problem(tmp_path)), "--out", str(tmp_path / "x.tsv"), "--seed", "2"]
    assert door.main(words) == 2
    assert "problem.yaml says itself what is run" in capsys.readouterr().err


# -- the benchmark collection ---------------------------------------------------------------------
AMICI = {
    "Boehm_JProteomeRes2014": -138.22199693517703,
    "Borghans_BiophysChem1997": 83.3237191357272,
    "Brannmark_JBC2010": -141.889113770537,
    "Bruno_JExpBot2016": 46.688176988431806,
    "Crauste_CellSystems2017": -190.96521897435176,
    "Elowitz_Nature2000": 63.20279991419332,
    "Fujita_SciSignal2010": 53.08377736998929,
    "Sneyd_PNAS2002": 319.79177818768756,
}
"""Log-likelihoods at the nominal parameters by AMICI (its tests/benchmark_models/benchmark_models.yaml)."""
OTHERS = {
    "Bertozzi_PNAS2020": -158.864267,
    "Perelson_Science1996": -432.038550,
    "Rahman_MBS2016": -21.153490,
}
"""By the package petab from the collection's own simulated data."""
UNLIKE = {
    "Fujita_SciSignal2010": "made at other parameters than the collection's; AMICI and libRoadRunner agree with us",
    "Sneyd_PNAS2002": "two conditions made otherwise; AMICI and libRoadRunner agree with us",
    "Perelson_Science1996": "made at other parameters; the nominal noise of 1e5 decades hides it in the likelihood",
}
"""Whose simulated data do not follow from the problem as it is."""


@pytest.mark.slow
@pytest.mark.skipif(not COLLECTION.is_dir(), reason="needs the PEtab benchmark collection beside the project")
def test_twelve_problems_of_the_benchmark_collection():
    paths = sorted(COLLECTION.glob("*/*.yaml"))
    assert len(paths) == 12
    for path in paths:
        name, found = path.parent.name, fit(path)
        likelihood, chi_squared = by_petab(found)
        assert found.log_likelihood == pytest.approx(likelihood, rel=1e-9), name
        assert found.chi_squared == pytest.approx(chi_squared, rel=1e-9, abs=1e-9), name
        if (reference := (AMICI | OTHERS).get(name)) is not None:
            assert found.log_likelihood == pytest.approx(reference, rel=1e-5), name
        for simulated in [] if name in UNLIKE else path.parent.glob("simul*.tsv"):
            theirs = pd.read_csv(simulated, sep="\t")["simulation"].to_numpy()
            near = 1e-4 * np.abs(theirs) + 1e-7 * np.abs(theirs).max()
            assert (np.abs(found.simulation - theirs) <= near).all(), name

"""Wrong input at the doors, commands and functions: where, what is allowed and what to do; nothing is written."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

import lissive
from lissive.calibrate.response_data import data_of
from lissive.case import Case, make_case, product, read_case
from lissive.check.registry import named
from lissive.cli.main import main
from lissive.errors import LissiveError
from lissive.evidence.pooling import pool_effects
from lissive.forecast.beside import what_if
from lissive.interchange.sedml_write import Course
from lissive.model import load
from lissive.model.parameters import load_parameters
from lissive.simulation.draw import draw
from lissive.simulation.engine import Tolerances, build
from lissive.simulation.engine.tolerances import LEAST_RTOL
from lissive.simulation.ratings import by_day
from lissive.simulation.schedule import Regimen, Schedule, doses
from lissive.trials.conduct import conduct
from lissive.trials.design import make_design
from lissive.trials.people import draws
from lissive.trials.published import shipped_published
from lissive.units import magnitude
from lissive.validation.identifiability import judged
from lissive.validation.scenario import contraction, depends_on, uncertain
from lissive.validation.sensitivity import Size, morris, sensitivity, sobol

EXAMPLES = Path(__file__).parents[1] / "examples"
CASE, MODEL = str(EXAMPLES / "ms-uk.yaml"), str(EXAMPLES / "one_compartment.ant")
HEAD, ROW = "date,spasticity_nrs,sprays\n", "2026-05-01,6,4\n"
TRIAL = """trial: t
population: {cause: multiple_sclerosis, inclusion: {spasticity_nrs: {at_least: 4}}}
patients: 12
arms: {drug: {product: nabiximols, units_counted: spray, most_per_day: 12}}
weeks: 2
visits_weeks: [2]
endpoints: [{measure: spasticity_nrs}]
"""
LONG = """crossover: {sequences: [[drug, placebo], [placebo, drug]], washout_days: 14}
""" + TRIAL.replace(
    "arms: {", "arms: {placebo: {placebo: true, product: nabiximols, most_per_day: 12}, "
).replace("weeks: 2\n", "weeks: 104\n")
HOUR = ("--until", "1", "--every", "1")
FOLLOW, PLAN = f"follow {CASE} --diary given", f"follow plan {CASE} --n-of-1"

# name and content of a file (given.*), command, where, and a part of what to do
FILES = [
    ("doc", "x", FOLLOW, "given.doc", "save the diary as CSV"),
    ("csv", None, FOLLOW, "given.csv", "change its permissions"),
    ("csv", HEAD + '2026-05-01,"6,4\n', FOLLOW, "given.csv", "save it as CSV UTF-8"),
    ("csv", ",,\n" + ROW, FOLLOW, "given.csv:1", "write the names of the columns there"),
    ("csv", HEAD, FOLLOW, "given.csv", "write a row for each day"),
    ("csv", HEAD + "soon,6,4\n", FOLLOW, "given.csv", "correct these rows"),
    ("csv", "date,sprays\n2026-05-01,4\n", FOLLOW, "given.csv:1", "add the column that was rated"),
    ("csv", HEAD + ROW * 20_001, FOLLOW, "given.csv", "keep only the rows"),
    ("csv", "date" + ",c" * 200 + "\n" + ROW, FOLLOW, "given.csv", "keep only the rows"),
    ("json", "[{", FOLLOW, "given.json", "a pair of braces for each day"),
    ("json", "[" * 100_000, FOLLOW, "given.json", "a pair of braces for each day"),
    ("json", '{"a": 1}', FOLLOW, "given.json", "a pair of braces for each day"),
    ("csv", HEAD + ROW, f"{FOLLOW} --map x=date", "given.csv", "correct the name left of ="),
    ("csv", HEAD + ROW, f"{FOLLOW} --map sprays=puffs", "given.csv", "correct the name right of ="),
    ("csv", HEAD + ROW, f"{FOLLOW} --map sprays", "--map", "commas between pairs"),
    ("csv", HEAD + ROW, f"{FOLLOW} --today tomorrow", "--today", "year-month-day"),
    ("csv", HEAD + ROW, f"{FOLLOW} --outcome mood", "outcome", "choose one of these"),
    ("json", '{"provenance": 3}', "cite given", "given.json", "name another file"),
    ("csv", None, "trial predict given --verify", "given.csv", "lissive trial predict wrote"),
    (
        "yaml",
        LONG,
        "trial run given --replicates 1",
        "given.yaml:6",
        "shorten weeks",
    ),
    (
        "sedml",
        "rtol",
        "simulate given --out o.csv",
        "given.sedml:7",
        "correct the algorithm parameter, or give --rtol",
    ),
]
COMMANDS = [
    (f"follow sheet {CASE} --out page.txt", "--out page.txt", "ending in .html"),
    (f"follow sheet {CASE} --from 1.5.2026", "--from", "year-month-day"),
    (f"follow plan {CASE}", "follow plan", "add --n-of-1"),
    (f"{PLAN} --outcome spasms", "outcome", "choose one of these"),
    (f"{PLAN} --days 3", "days", "give more days"),
    (f"case {CASE} --what-if meals", "--what-if", "write one of these words"),
    ("case --new c.txt", "c.txt", "name it c.yaml"),
    ("cite lissive --json --bibtex", "--json", "leave one out"),
    ("serve --public-url clinic", "--public-url", "without a path"),
    ("serve --calculator --demo", "--calculator", "leave --data, --demo and --no-worker out"),
    ("trial reproduce --only nobody_1900", "--only", "leave --only out for all"),
    ("bench --only nothing", "--only", "leave --only out to measure all"),
    ("bench --peers nobody", "--peers", "name one of these"),
    ("check --explain nothing", "check", "name one of these"),
    (f"simulate {MODEL} --until 1 --every 1 --out o.csv --rtol 1e-20", "rtol", "give 1e-4 to 1e-12"),
    (f"export sedml {MODEL} --until 1 --every 1 --out o.sedml --rtol 1e-20", "rtol", "give 1e-4 to 1e-12"),
    (f"export omex {MODEL} --until 1 --every 1 --out o.omex --rtol 0.5", "rtol", "give 1e-4 to 1e-12"),
]


def refused(words: str, where: str, do: str, capsys: pytest.CaptureFixture[str]) -> None:
    before = sorted(Path().iterdir())
    assert main(words.split()) == 2
    said = capsys.readouterr().err
    found = re.fullmatch(r"lissive: (.+?): .+ Allowed: .+[.] What to do: (.+[.])\n", said, re.DOTALL)
    assert found, said
    assert (found[1], do in found[2]) == (where, True), said
    assert sorted(Path().iterdir()) == before


@pytest.mark.parametrize(("ending", "text", "words", "where", "do"), FILES)
def test_a_wrong_file_is_refused_with_what_to_do(
    ending, text, words, where, do, tmp_path, capsys, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    path = Path(f"given.{ending}")
    if text == "rtol":
        assert main(["export", "sedml", MODEL, *HOUR, "--out", str(path)]) == 0
        capsys.readouterr()
        text = path.read_text().replace('value="1e-06"', 'value="1e-20"')
        assert "1e-20" in text
    path.mkdir() if text is None else path.write_text(text)
    refused(words.replace("given", str(path)), where, do, capsys)


@pytest.mark.parametrize(("words", "where", "do"), COMMANDS)
def test_wrong_words_are_refused_with_what_to_do(words, where, do, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    refused(words, where, do, capsys)


def batch(**given: Any) -> Any:
    made = build(load(MODEL), ["C"]).start(2, given)
    made.advance(5.0)
    return made


def case(name: str = "ms-uk.yaml", **parts: Any) -> Case:
    read = read_case(EXAMPLES / name).model_dump(mode="json")
    return make_case({**read, **{part: {**read[part], **more} for part, more in parts.items()}})


def design(**arm: Any) -> Any:
    made = yaml.safe_load(TRIAL)
    made["arms"]["drug"] |= arm
    return make_design(made)


def held_out() -> Any:
    fitted = next(each for each in shipped_published().trials if each.split == "calibration")
    return replace(fitted, split="validation")


ONE = doses([0, 1], 0, 1.0)
CALLS: dict[str, tuple[Callable[[], Any], str, str]] = {
    "amounts": (lambda: doses([0, 1], 0, [1, 2, 3]), "doses", "add the amounts"),
    "an amount below 0": (lambda: doses([0], 0, -1), "doses", "correct its sign"),
    "columns": (lambda: Schedule([0.0], [0, 0], [0], [1.0]), "Schedule", "of one length"),
    "no number": (lambda: Schedule([np.nan], [0], [0], [1.0]), "Schedule", "correct that row"),
    "a regimen's lengths": (lambda: Regimen((ONE,), [0, 0], [1.0], [0.0]), "Regimen", "of one length"),
    "which": (lambda: Regimen((ONE,), [3], [1.0], [0.0]), "Regimen", "add the schedule"),
    "a scale below 0": (lambda: Regimen((ONE,), [0], [-1.0], [0.0]), "Regimen", "scale and shift"),
    "back in time": (lambda: batch().advance(1.0), "until", "start a new batch"),
    "no threads": (lambda: batch().advance(9.0, threads=0), "threads", "give 1"),
    "times": (lambda: batch().advance(9.0, times=[7.0, 6.0]), "times", "sort times"),
    "a parameter": (lambda: batch(q=1.0), "parameters", "set what it is computed from"),
    "a word": (lambda: batch(CL="x"), "parameters", "give such numbers"),
    "an output": (lambda: build(load(MODEL), ["Q"]), "select", "select one of these"),
    "a share": (lambda: Tolerances(peak_share=2), "peak_share", "share of the largest"),
    "a course": (lambda: Course(MODEL, 1, 1, rtol=1e-20), "rtol", "give 1e-4"),
    "a forecast": (lambda: lissive.predict(case(), subjects=2, rtol=1e-20), "rtol", "give 1e-4"),
    "an analysis": (lambda: sensitivity(rtol=1e-20), "rtol", "give 1e-4"),
    "draws": (lambda: draw(2, seed=1, given={"nope": 1.0}), "nope", "correct the name"),
    "a cause": (lambda: load_parameters("cold"), "causes.tsv", "name one of these causes"),
    "a product": (lambda: product("sativexx"), "product", "write one of these names"),
    "no model": (lambda: lissive.predict(case("cases/stroke.yaml")), "stroke-illinois", "run lissive case"),
    "a check": (lambda: named("nothing"), "check", "name one of these"),
    "too large": (lambda: magnitude("1e400 mg", "mg", where="dose"), "dose", "digits"),
    "too many days": (lambda: by_day(1, "x", np.arange(2), 10**7), "days", "fewer weeks"),
    "a size": (lambda: sensitivity(size="huge"), "size", "give a Size"),
    "a small size": (lambda: sensitivity(size=Size(1, 2, 0, 1)), "size", "raise the number"),
    "trajectories": (lambda: morris(np.sin, ["a"], trajectories=1, seed=1), "trajectories", "takes 40"),
    "a base": (lambda: sobol(np.sin, ["a"], base=3, seed=1), "base", "give 4"),
    "inputs": (lambda: sobol(np.sin, ["a", "a"], base=4, seed=1), "inputs", "name each input once"),
    "a spread": (lambda: uncertain(load("lissive"), ["NRS"], log_sd={"no": 1.0}), "log_sd", "leave it out"),
    "a quantity": (lambda: depends_on(load("lissive"), ["NRSS"]), "outputs", "correct the name"),
    "a prior": (lambda: contraction({}, {"k": 1.0}), "contraction", "give the prior"),
    "a group": (
        lambda: judged(np.eye(2), ["a", "b"], ["a", "c"], {}, name="g"),
        "identifiability_groups.tsv: g",
        "correct the members",
    ),
    "a level": (lambda: pool_effects([], level=2), "level", "write 95 % as 0.95"),
    "held out": (lambda: data_of([held_out()]), held_out().id, "leave this trial out"),
    "an arm": (lambda: conduct(design(), [1], seed=1, all_on="x"), "all_on", "name one of these arms"),
    "a meal": (
        lambda: what_if(case(plan={"product": "flower_vaporised", "titration": None}), "meal"),
        "--what-if meal",
        "ask another",
    ),
    "a genotype": (
        lambda: what_if(case(person={"cyp2c9": "*3/*3"}), "cyp2c9-3"),
        "--what-if cyp2c9-3",
        "ask another",
    ),
}


@pytest.mark.parametrize("which", CALLS)
def test_a_wrong_call_is_refused_with_what_to_do(which):
    call, where, do = CALLS[which]
    with pytest.raises(LissiveError) as told:
        call()
    error = told.value
    assert (error.where, bool(error.allowed), do in error.do) == (where, True, True), str(error)


def test_a_table_of_draws_without_a_row_says_where_one_comes_from(tmp_path):
    for text in ("", "weight\n"):
        (path := tmp_path / "draws.csv").write_text(text)
        with pytest.raises(
            LissiveError, match=r"Allowed: .+What to do: take the table that lissive calibrate"
        ):
            draws(2, 1, path)


def test_the_least_tolerance_is_met_and_what_is_below_it_is_refused(tmp_path):
    """dA/dt = -0.3 A, whose solution is known; 100 roundings of double precision is the least, as in SciPy."""
    path = tmp_path / "decay.ant"
    path.write_text("model decay\n  A -> ; k*A\n  A = 1; k = 0.3\nend\n")
    asked = {"until": 10, "every": 1, "select": ["A"]}
    assert pytest.approx(100 * np.finfo(float).eps, rel=0.05) == LEAST_RTOL
    found = lissive.simulate(path, rtol=LEAST_RTOL, **asked)
    np.testing.assert_allclose(found["A"].values[0], np.exp(-0.3 * found["time"].values), rtol=1e-13)
    with pytest.raises(LissiveError, match=r"^rtol: rtol is 2\.2e-14\. Allowed: 2\.3e-14 to 0\.1\."):
        lissive.simulate(path, rtol=2.2e-14, **asked)

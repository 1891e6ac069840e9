"""Text, figure and table of a forecast say what its numbers say."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from pathlib import Path

import pytest

from lissive.case import make_case, read_case
from lissive.case_answer import CaseAnswer, answer
from lissive.cli.main import main
from lissive.errors import CaseError
from lissive.forecast import ForecastAnswer, ForecastNeeds, predict
from lissive.report.case_parts import case_text, headline

EXAMPLE = Path(__file__).parents[2] / "examples" / "ms-uk.yaml"


@pytest.fixture(scope="module")
def whole() -> CaseAnswer:
    return answer(read_case(EXAMPLE), subjects=20, seed=1, threads=1)


@pytest.fixture(scope="module")
def found(whole: CaseAnswer) -> ForecastAnswer:
    assert isinstance(whole.forecast, ForecastAnswer)
    return whole.forecast


def test_the_whole_text_says_limits_trials_and_what_was_not_checked(
    whole: CaseAnswer, found: ForecastAnswer
) -> None:
    text = case_text(whole)
    for words in (
        "not a prescription",
        "fitted to published trials in multiple sclerosis",
        "Wade 2010",
        "clobazam: not in the model's",
    ):
        assert words in " ".join(text.split())
    assert "MAJOR" in text.split("2  Safety")[1].split("3  Evidence")[0]
    assert max(len(line) for line in text.splitlines()) <= 130
    responders = found.responders["20pct_week4"]
    assert responders is not None
    assert f"{100 * responders.active:.0f} % with the drug" in text


def door(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "lissive", *words], capture_output=True, text=True, check=False, timeout=120
    )


@pytest.mark.slow
def test_the_command_answers_in_json_and_writes_the_report(tmp_path: Path) -> None:
    done = door("case", str(EXAMPLE), "--subjects", "12", "--json", "--report", str(tmp_path / "r"))
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert answer["case"] == "ms-uk"
    assert answer["as_of"] == "2026-11-22"
    assert answer["access"]["status"] == "eligible_at_discretion"
    assert answer["bottom_line"].startswith("Probably eases stiffness a little on average")
    assert (answer["forecast"]["primary"], answer["forecast"]["calibrated"]) == ("spasms_per_day", "trials")
    assert [list(each) for each in answer["next"]][-1] == ["what", "on", "source"]
    assert {each["treatment"]: each["tried"] for each in answer["usual_care"]}["baclofen"] == "taking"
    assert "clobazam_cbd" in [flag["id"] for flag in answer["safety"]["flags"]]
    assert answer["evidence"]["cause"] == "multiple_sclerosis"
    assert answer["forecast"]["subjects"] == 12
    assert answer["provenance"]["seed"] == 1
    files = {p.name for p in (tmp_path / "r").iterdir()}
    pages = {f"{name}.html" for name in ("report", "sheet", "sheet-es")}
    assert {name for name in files if not name.endswith(".pdf")} == {
        *pages,
        "forecast.csv",
        "events.csv",
        "case.json",
    }
    assert json.loads((tmp_path / "r" / "case.json").read_text()) == answer
    with (tmp_path / "r" / "forecast.csv").open() as file:
        rows = list(csv.DictReader(file))
    row = next(r for r in rows if (r["outcome"], r["arm"], r["week"]) == ("pain_nrs", "active", "4"))
    want = answer["forecast"]["outcomes"]["pain_nrs"]["active"]["median"][4]
    assert float(row["median"]) == pytest.approx(want, rel=1e-5)


@pytest.mark.slow
def test_the_same_seed_gives_the_same_answer_whatever_the_threads() -> None:
    one, two = (
        door("case", str(EXAMPLE), "--subjects", "9", "--seed", "3", "--threads", n, "--json").stdout
        for n in ("1", "2")
    )
    assert one == two


@pytest.mark.parametrize(
    ("line", "instead", "said"),
    [
        ("weight_kg: 68", "weight_kg: 0", "person.weight_kg is 0. Allowed: 20 to 350 kg."),
        ("spasticity_nrs: 7", "spasticity_nrs: 11", "spasm.spasticity_nrs is 11"),
        ("product: nabiximols", "product: nabiximol", "Did you mean nabiximols?"),
        (
            "titration: label, weeks",
            "titration: fixed, sprays_per_day: 40, weeks",
            "plan.sprays_per_day is 40",
        ),
        ('"60 mg/day"', '"60 ml/day"', "history.current[0].dose"),
        ("cause: multiple_sclerosis", "cause: multiple_sklerosis", "Did you mean multiple_sclerosis?"),
        ("pain_nrs: 5", "pane_nrs: 5", "spasm.pane_nrs is not a known field"),
    ],
)
def test_a_wrong_case_is_one_message_with_its_line(
    line: str, instead: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = EXAMPLE.read_text()
    assert text.count(line) == 1
    case = tmp_path / "case.yaml"
    case.write_text(text.replace(line, instead))
    assert main(["case", str(case), "--report", str(tmp_path / "r")]) == 2
    out, err = capsys.readouterr()
    assert said in err
    number = next(i for i, each in enumerate(text.splitlines(), 1) if line in each)
    assert f"case.yaml:{number}:" in err
    assert "Traceback" not in err
    assert out == ""
    assert not (tmp_path / "r").exists()


COMPLETE = {
    "case": "a",
    "as_of": "2026-11-22",
    "place": {"residence": "US-NY"},
    "spasm": {"cause": "multiple_sclerosis"},
    "plan": {"product": "nabiximols", "titration": "label", "weeks": 12},
}


@pytest.mark.parametrize(
    ("without", "needs"),
    [
        ({"plan": None}, ["plan.product", "plan.titration"]),
        ({"plan": {"product": "nabiximols"}}, ["plan.titration"]),
        (
            {"plan": {"product": "dronabinol", "titration": "fixed", "weeks": 4}},
            ["plan.thc_mg", "plan.doses_per_day"],
        ),
        ({"spasm": {}}, ["spasm.cause"]),
        ({"spasm": {"cause": "als", "pain_nrs": 0}}, ["spasm.pain_nrs"]),
        (
            {"as_of": None, "place": None, "spasm": None, "plan": None},
            ["spasm.cause", "plan.product", "plan.titration"],
        ),
    ],
)
def test_an_incomplete_case_is_answered_as_far_as_it_goes(
    without: dict[str, object], needs: list[str]
) -> None:
    case = make_case({k: v for k, v in {**COMPLETE, **without}.items() if v is not None})
    found = answer(case, subjects=2)
    assert isinstance(found.forecast, ForecastNeeds)
    assert [each.field for each in found.forecast.needs] == needs
    assert (found.access is None) == (case.as_of is None)
    text = case_text(found)
    for words in (
        "1  Access",
        "2  Safety",
        "3  Evidence",
        "Forecast: not made",
        *needs,
        "not a prescription",
    ):
        assert words in text
    assert "None" not in headline(case)
    data = json.loads(json.dumps(found.to_json(), allow_nan=False))
    assert list(data) == (
        "case as_of bottom_line access safety evidence forecast trials guideline usual_care next intended_use "
        "provenance".split()
    )
    assert [each["field"] for each in data["forecast"]["needs"]] == needs


@pytest.mark.parametrize(
    ("parts", "fields", "says"),
    [
        ({"spasm": {"cause": "stroke"}}, ["spasm.cause"], "no model of stroke (causes in the model: multiple"),
        ({"spasm": {"cause": "nocturnal leg cramps"}, "plan": None}, ["spasm.cause"], "no model of nocturnal cramps"),
        (
            {"plan": {"product": "Cesamet", "titration": "label"}},
            ["plan.product"],
            "nabilone is another molecule than THC",
        ),
        (
            {"spasm": {"cause": "other"}, "plan": {"product": "cream", "titration": "fixed", "dose": "5 mg"}},
            ["spasm.cause", "plan.product"],
            "how much passes the skin",
        ),
    ],
)  # fmt: skip
def test_what_has_no_model_is_answered_without_a_forecast(
    parts: dict[str, object], fields: list[str], says: str
) -> None:
    case = make_case({k: v for k, v in {**COMPLETE, **parts}.items() if v is not None})
    found = answer(case, subjects=2)
    assert isinstance(found.forecast, ForecastNeeds)
    assert [(each.field, each.no_model) for each in found.forecast.needs] == [
        (field, True) for field in fields
    ]
    text = " ".join(case_text(found).split())
    assert "Forecast: no forecast." in text
    assert "does not state everything" not in text
    for words in ("1 Access New York", "3 Evidence for", says):
        assert words in text
    with pytest.raises(CaseError, match="^a: No forecast: no model of "):
        predict(case, subjects=2)


def test_the_command_answers_a_case_without_a_plan_and_writes_what_there_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "weasyprint", None)  # the PDFs of a whole answer are looked at elsewhere
    case = tmp_path / "case.yaml"
    case.write_text("case: a\nspasm: {cause: als}\n", encoding="utf-8")
    assert main(["case", str(case), "--report", str(tmp_path / "r")]) == 0
    out, err = capsys.readouterr()
    assert "Traceback" not in err
    assert "plan.product, plan.titration" in " ".join(out.split())
    names = {path.name for path in (tmp_path / "r").iterdir()}
    assert names == {"report.html", "sheet.html", "sheet-es.html", "case.json"}

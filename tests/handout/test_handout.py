"""What is handed over of a case: it keeps the gates, needs nothing but itself, and anybody can read it."""

from __future__ import annotations

import csv
import html
import json
import re
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from tests.handout.handouts import (
    EXAMPLES,
    UK,
    first,
    made,
    obtainable,
    report_page,
    sheet_page,
    text_of,
    without_flags,
)

from lissive.case import make_case
from lissive.case_answer import CaseAnswer, answer
from lissive.case_answer.gates import figure_of
from lissive.cli.main import main
from lissive.errors import CaseError
from lissive.forecast import ForecastAnswer
from lissive.handout.files import files_of, write_report
from lissive.handout.icons import icon_array
from lissive.model import load
from lissive.report.figures import TrialEffect, effect_figure, visible
from lissive.simulation.events import read_events


# -- the files -------------------------------------------------------------------------------------
def test_the_files_and_what_an_earlier_report_left(
    new_york: CaseAnswer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "weasyprint", None)
    (tmp_path / "forecast.csv").write_text("of another answer", encoding="utf-8")
    written = write_report(tmp_path, new_york)
    there = {path.name for path in tmp_path.iterdir()}
    assert there == {path.name for path in written.paths}
    assert {"report.html", "sheet.html", "sheet-es.html", "case.json"} <= there
    assert "forecast.csv of an earlier report was removed" in " ".join(written.notes)
    assert (tmp_path / "case.json").read_text(encoding="utf-8") == json.dumps(new_york.to_json(), indent=1)
    assert there <= {path.name for path in files_of(tmp_path)}


def test_without_weasyprint_there_are_pages_and_how_to_get_the_pdf(
    new_york: CaseAnswer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "weasyprint", None)
    written = write_report(tmp_path, new_york)
    assert not list(tmp_path.glob("*.pdf"))
    assert "pip install 'lissive[report]'" in " ".join(written.notes)
    assert (tmp_path / "sheet.html").exists()


def test_a_folder_that_may_not_be_written_to_is_said_before_anything_is_computed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("os.access", lambda path, mode: Path(path) != tmp_path)
    monkeypatch.setattr("lissive.case_answer.answer", lambda *_, **__: pytest.fail("computed"))
    assert main(["case", str(EXAMPLES / "ms-uk.yaml"), "--report", str(tmp_path / "r")]) == 2
    said = capsys.readouterr()
    assert f"nothing may be written to {tmp_path}" in said.err
    assert said.out == ""


def test_the_dosing_is_read_again_and_is_the_median_dose(uk: CaseAnswer, tmp_path: Path) -> None:
    from lissive.handout.files import write_events

    assert isinstance(uk.forecast, ForecastAnswer)
    path = write_events(tmp_path / "events.csv", uk.case, uk.forecast)
    table = read_events(path, load("lissive"))
    assert len(table.runs) == 1
    with path.open(encoding="utf-8") as file:
        lines = list(csv.DictReader(line for line in file if not line.startswith("#")))
    doses = [row for row in lines if row["EVID"] == "1" and row["CMT"] == "THC_spray"]
    first_week = [row for row in doses if float(row["TIME"]) < 168]
    assert len(first_week) == round(uk.forecast.dose.active.median[0])
    # 2.7 mg of THC, 314.46 g/mol
    assert float(first_week[0]["AMT"]) == pytest.approx(2.7e6 / 314.46, rel=1e-3)
    last = [row for row in lines if row["DVID"] == "pain_nrs"][-1]
    assert float(last["TIME"]) == 12 * 168
    assert float(last["DV"]) == pytest.approx(uk.forecast.outcomes["pain_nrs"].active.mean[-1], rel=1e-5)


# -- a page needs nothing but itself, and no text is its own ------------------------------------------
def pages(given: CaseAnswer) -> list[str]:
    return [report_page(given), sheet_page(given, "en"), sheet_page(given, "es")]


def test_pages_load_nothing(uk: CaseAnswer) -> None:
    for page in pages(uk):
        assert not re.search(r"<(script|link|iframe|img|object|embed)\b|@import|url\((?!#)|\ssrc=", page)
        assert not re.search(r'href="(?!https?://|#)', page)


def test_an_id_stands_once_and_every_link_inside_leads_somewhere(uk: CaseAnswer) -> None:
    for page in pages(uk):
        ids = re.findall(r'\bid="([^"]+)"', page)
        assert len(ids) == len(set(ids))
        assert set(re.findall(r'href="#([^"]+)"', page)) <= set(ids)


@pytest.mark.parametrize("name", ["<script>alert(1)</script>", "../x", "..", "a/b", "a\nb"])
def test_a_name_that_could_do_harm_is_refused_and_would_do_none(
    name: str, new_york: CaseAnswer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "weasyprint", None)  # a PDF takes seconds, and is of the same text
    with pytest.raises(CaseError, match="case"):
        make_case({"case": name})
    case = new_york.case.model_copy(update={"case": name})
    written = write_report(tmp_path / "r", replace(new_york, case=case))
    assert {path.parent for path in written.paths} == {tmp_path / "r"}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["r"]
    assert "<script" not in (tmp_path / "r" / "report.html").read_text(encoding="utf-8")


def test_free_text_is_escaped(tmp_path: Path) -> None:
    text = UK.replace("weeks: 12}", "weeks: 12, override: '<img src=x onerror=alert(1)> & more'}")
    page = report_page(made(text, tmp_path))
    assert "&lt;img src=x onerror=alert(1)&gt; &amp; more" in page
    assert "<img" not in page


def test_a_case_that_says_nothing_has_its_pages_all_the_same() -> None:
    for page in pages(answer(make_case({"case": "a"}), simulate=False)):
        assert not re.search(r"None(?! stated)", text_of(page))


def test_what_was_fitted_has_a_figure_on_the_first_page(uk: CaseAnswer) -> None:
    page = report_page(uk)
    assert "<svg" in first(page)
    assert uk.bottom_line.text in html.unescape(first(page))
    assert "Calibrated: response fitted to trials of this product" in first(page)


def test_a_cause_without_a_fitted_trial_has_none_there_and_says_so_later(als: CaseAnswer) -> None:
    page = report_page(als)
    assert "<svg" not in first(page)
    rest = page.replace(first(page), "")
    heads = re.findall(r"<h4>([^<]+)</h4>\s*<figure", rest)
    assert heads[0] == "Not calibrated"
    assert "Side effects and stopping" not in heads
    assert "NOT CALIBRATED" in rest


def test_a_product_that_cannot_be_had_has_no_figure_and_no_dose(new_york: CaseAnswer) -> None:
    page, sheet = report_page(new_york), sheet_page(new_york, "en")
    assert "<svg" not in page
    assert "sprays a day" not in text_of(sheet)
    assert "<table" not in sheet
    assert "not sold where you live" in sheet


def test_a_dose_only_where_all_is_settled(uk: CaseAnswer) -> None:
    assert "No dose is given here" in sheet_page(uk, "en")  # not known whether it can be had
    shown = sheet_page(obtainable(uk), "en")
    cells = re.findall(r"<t[hd][^>]*>(\d+)</t[hd]>", shown)
    assert cells[:14] == [str(day) for day in range(1, 15)]
    assert cells[-1] == "7"  # the label's day 14, evening
    assert "more than 12 sprays a day; wait 15 minutes" in shown
    grave = replace(uk.safety.flags[0], severity="contraindicated")
    stopped = replace(obtainable(uk), safety=replace(uk.safety, flags=(grave,)))
    assert "No dose is given here" in sheet_page(stopped, "en")
    assert 'class="warning"' in sheet_page(stopped, "en")
    assert 'class="warning"' not in shown


@pytest.mark.parametrize(
    ("person", "conditions", "about"),
    [
        ({"age_years": 16}, [], "an age under 18"),
        ({"pregnancy": "current"}, [], "pregnancy"),
        ({}, ["stroke"], "your stroke"),
    ],
)
def test_no_dose_where_thc_is_not_advised_and_why(
    person: dict[str, object], conditions: list[str], about: str
) -> None:
    case = {"case": "a", "as_of": "2026-11-22", "place": {"residence": "US-OH"}, "person": {"age_years": 50, **person},
            "spasm": {"cause": "multiple_sclerosis"}, "history": {"conditions": conditions},
            "plan": {"product": "thc_oil", "thc_mg": 5, "doses_per_day": 2, "weeks": 8}}  # fmt: skip
    given = obtainable(answer(make_case(case), simulate=False))
    assert given.access is not None
    given = replace(given, access=replace(given.access, status="eligible"))
    page = text_of(sheet_page(given, "en"))
    assert f"Not advised because of {about}" in page
    assert "No dose is given here" in page
    assert "5 mg THC" not in page
    assert "5 mg THC, 2 times a day" in text_of(sheet_page(without_flags(given), "en"))


def test_a_driver_is_told_when_not_to_drive_and_still_how_to_start(uk: CaseAnswer) -> None:
    driver = replace(
        uk.safety.flags[0], id="drives", kind="caution", severity="major", substances=("driving", "THC")
    )
    shown = sheet_page(replace(obtainable(uk), safety=replace(uk.safety, flags=(driver,))), "en")
    assert "more than 12 sprays a day" in shown
    assert 'class="warning"' not in shown


def test_a_day_is_spoken_and_a_licensed_medicine_is_prescribed(uk: CaseAnswer) -> None:
    page = text_of(sheet_page(uk, "en"))
    assert "22 November 2026" in page
    assert not re.search(r"\d-\d\d-\d", page)
    assert "may prescribe it" in page
    assert "sign" not in page
    assert "22 de noviembre de 2026" in text_of(sheet_page(uk, "es"))


# -- numbers ----------------------------------------------------------------------------------------
def test_the_icons_are_the_trials_and_the_interval_stands_in_words(uk: CaseAnswer) -> None:
    """The sheet has what leads on the clinician's screen: here individual patients, and not the pool of two trials."""
    found = figure_of(uk.evidence, "responders_30pct")
    assert found is not None
    share = next(each.absolute for each in uk.trials if each.outcome == "responders_30pct")
    assert share is not None
    assert found[1].absolute is not None
    assert share.risk_ci != found[1].absolute.risk_ci
    low, high = (round(100 * (end - share.baseline)) for end in share.risk_ci)
    assert 0 < low < high
    for tongue, words in (
        ("en", f"between {low} and {high} more"),
        ("es", f"entre {low} y {high} más"),
    ):
        page = sheet_page(uk, tongue)  # type: ignore[arg-type]
        picture = page[page.index('<svg class="icons"') : page.index("</svg>")]
        assert picture.count('class="anyway"') == round(100 * share.baseline)
        assert picture.count('class="more"') == round(100 * share.risk) - round(100 * share.baseline)
        assert picture.count("<g ") == 100
        assert words in page


def test_a_hundred_people_are_a_hundred() -> None:
    with pytest.raises(ValueError, match="100 people"):
        icon_array([("anyway", 24), ("rest", 75)], "")


def test_the_goal_of_the_review_is_the_rules_share_of_this_persons_rating(uk: CaseAnswer) -> None:
    assert "for you, from 7 to 5.6." in sheet_page(uk, "en")


def test_the_figure_has_the_line_of_a_response_and_the_trials_effect(uk: CaseAnswer) -> None:
    assert isinstance(uk.forecast, ForecastAnswer)
    figure = effect_figure(uk.forecast, "spasticity_nrs", TrialEffect(-0.33, (-0.62, -0.03), "2 trials"))
    course, gap = figure.axes
    assert 0.7 * 7.0 in [
        pytest.approx(line.get_ydata()[0]) for line in course.lines if len(set(line.get_ydata())) == 1
    ]
    assert course.get_ylim() == (0, 10)
    assert [-0.62, -0.03] in [list(line.get_xdata()) for line in gap.lines]
    assert not course.collections  # no bands over each other
    for alone in (None, TrialEffect(-0.33, (-0.62, -0.03), "2 trials")):
        narrow = effect_figure(uk.forecast, "spasticity_nrs", alone, narrow=True)
        box = narrow.get_tightbbox()  # inches
        assert (box.y0 >= 0, box.y1 <= narrow.get_figheight()) == (True, True)


def test_nothing_to_see_has_no_panel(uk: CaseAnswer) -> None:
    assert isinstance(uk.forecast, ForecastAnswer)
    faint = replace(uk.forecast.outcomes["cbd_plasma"].active, p95=(0.0, 0.0004))
    outcomes = dict(uk.forecast.outcomes)
    outcomes["cbd_plasma"] = replace(outcomes["cbd_plasma"], active=faint)
    assert visible(replace(uk.forecast, outcomes=outcomes), ("thc_plasma", "cbd_plasma")) == ("thc_plasma",)


def test_the_sheet_names_medicines_that_were_not_checked() -> None:
    drugs = ["warfrin 3 mg/day", "tacrolimuss", "bacloffen", "aspirinn", "metforminn"]
    data = {"case": "a", "history": {"current": drugs}, "spasm": {"cause": "multiple_sclerosis"}}
    found = answer(make_case(data), simulate=False)
    assert len(found.safety.unknown_drugs) == 5
    assert "Not checked: warfrin, tacrolimuss, bacloffen, aspirinn, …." in sheet_page(found, "en")
    assert "Sin comprobar: warfrin" in sheet_page(found, "es")

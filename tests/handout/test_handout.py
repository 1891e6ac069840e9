"""What is handed over of a case: it keeps the gates, needs nothing but itself, and anybody can read it."""

from __future__ import annotations

import csv
import html
import json
import re
import string
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lissive.case import causes, make_case, product, read_case
from lissive.case.products import products
from lissive.case_answer import CaseAnswer, answer
from lissive.case_answer.gates import figure_of
from lissive.case_answer.tables import rows
from lissive.cli.main import main
from lissive.errors import CaseError
from lissive.evidence.answer import answer_of
from lissive.evidence.read import shipped_studies
from lissive.forecast import ForecastAnswer, complaint
from lissive.handout import page as of_report
from lissive.handout import sheet as of_sheet
from lissive.handout.files import files_of, write_report
from lissive.handout.icons import icon_array
from lissive.handout.language import HERE, Words
from lissive.model import load
from lissive.report.figures import TrialEffect, effect_figure, visible
from lissive.safety.rules import cautions
from lissive.simulation.events import read_events
from lissive.table import rows_of

EXAMPLES = Path(__file__).parents[2] / "examples"
UK = (EXAMPLES / "ms-uk.yaml").read_text(encoding="utf-8")
FIRST = re.compile(r'<div class="first">.*?<div class="whole">', re.DOTALL)


def once(write: Callable[..., str]) -> Callable[..., str]:
    """The same, which does not make the page of an answer again that it has made already."""
    found: dict[tuple[Any, ...], tuple[CaseAnswer, str]] = {}

    def page(given: CaseAnswer, *tongue: str) -> str:
        key = (id(given), *tongue)
        if key not in found:
            found[key] = given, write(given, *tongue)  # with the answer, whose id is then no other's
        return found[key][1]

    return page


report_page, sheet_page = once(of_report.report_page), once(of_sheet.sheet_page)


def made(text: str, tmp: Path) -> CaseAnswer:
    place = tmp / "case.yaml"
    place.write_text(text, encoding="utf-8")
    return answer(read_case(place), subjects=20, threads=1)


@pytest.fixture(scope="module")
def uk(tmp_path_factory: pytest.TempPathFactory) -> CaseAnswer:
    return made(UK, tmp_path_factory.mktemp("uk"))


@pytest.fixture(scope="module")
def als(tmp_path_factory: pytest.TempPathFactory) -> CaseAnswer:
    return made(UK.replace("cause: multiple_sclerosis", "cause: als"), tmp_path_factory.mktemp("als"))


@pytest.fixture(scope="module")
def new_york() -> CaseAnswer:
    return answer(read_case(EXAMPLES / "ms-new-york.yaml"), subjects=20)


def obtainable(given: CaseAnswer) -> CaseAnswer:
    return replace(given, gates=replace(given.gates, product="obtainable"))


def without_flags(given: CaseAnswer) -> CaseAnswer:
    return replace(given, safety=replace(given.safety, flags=()))


def text_of(page: str) -> str:
    body = re.sub(r"<title>.*?</title>", "", page[page.index("<body>") :], flags=re.DOTALL)
    return html.unescape(re.sub(r"<[^>]+>", " ", re.sub(r"</(p|li|h1|h2|td|th)>", "\n", body)))


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
    from lissive.handout.events import write_events

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


# -- the gates hold --------------------------------------------------------------------------------
def first(page: str) -> str:
    found = FIRST.search(page)
    assert found is not None
    return found[0]


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
    found = figure_of(uk.evidence, "responders_30pct")
    assert found is not None
    share = found[1].absolute
    assert share is not None
    low, high = (round(100 * (end - share.baseline)) for end in share.risk_ci)
    for tongue, words in (
        ("en", f"between {-low} fewer and {high} more"),
        ("es", f"entre {-low} menos y {high} más"),
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


# -- words ------------------------------------------------------------------------------------------
def test_both_languages_say_everything_with_the_same_numbers() -> None:
    for row in [*rows_of(HERE / "words.tsv"), *rows_of(HERE / "benefits.tsv")]:
        fields = [{name for _, name, _, _ in string.Formatter().parse(row[t]) if name} for t in ("en", "es")]
        assert fields[0] == fields[1], row
        assert row["es"], row
        assert row["en"] or row["key"] == "draft"


def test_every_product_cause_complaint_and_caution_has_plain_words() -> None:
    say = Words("es")
    lacking = [name for name in products() if not say.has("product", name)]
    lacking += [name for name in causes() if not say.has("cause", name)]
    lacking += [
        name for name in {complaint(cause).label for cause in causes()} if not say.has("complaint", name)
    ]
    lacking += [row.about for row in cautions() if not say.has("about", row.about)]
    # quinine is left out on purpose: it is not for routine use
    lacking += [
        r["treatment"]
        for r in rows("usual_care")
        if r["treatment"] != "quinine" and not say.has("care", r["treatment"])
    ]
    assert not lacking


def test_what_is_known_of_benefit_has_a_row_for_each_bottom_line() -> None:
    keys = [(row["cause"], row["products"]) for row in rows("bottom_lines")]
    assert [(row["cause"], row["products"]) for row in rows_of(HERE / "benefits.tsv")] == keys


def syllables(word: str, vowels: str = "aeiouy") -> int:
    n = len(re.findall(f"[{vowels}]+", word := word.lower()))
    silent = word.endswith("e") and not word.endswith(("le", "ee"))
    silent |= word.endswith("ed") and not word.endswith(("ted", "ded"))
    return max(1, n - (silent and n > 1))


def sentences(text: str) -> list[list[str]]:
    """Of three words or more; what stands in a list or a key is not one unless it ends as one."""
    found = (re.findall(r"[^\W\d_]+", each) for each in re.split(r"[.!?](?:\s|$)|\n\s*\n", text))
    return [words for words in found if len(words) > 2]


def grade(text: str) -> float:
    """Flesch and Kincaid's grade level."""
    found = sentences(text)
    words = [word for each in found for word in each]
    return 0.39 * len(words) / len(found) + 11.8 * sum(map(syllables, words)) / len(words) - 15.59


def huerta(text: str) -> float:
    """Fernández Huerta's reading ease; 60 to 70 is standard, more is easier."""
    found = sentences(text)
    words = [word for each in found for word in each]
    spoken = sum(syllables(word, "aeiouáéíóúüy") for word in words)
    return 206.84 - 60 * spoken / len(words) - 1.02 * len(words) / len(found)


def test_the_measure_of_reading_is_flesch_and_kincaids() -> None:
    counted = {
        "stiffness": 2,
        "muscle": 2,
        "multiple": 3,
        "sclerosis": 3,
        "feel": 1,
        "used": 1,
        "needed": 2,
        "because": 2,
    }
    assert {word: syllables(word) for word in counted} == counted
    # 12 words, 15 syllables, 2 sentences
    text = "The muscles feel stiff at night. Some people also have some pain."
    assert grade(text) == pytest.approx(0.39 * 6 + 11.8 * 15 / 12 - 15.59)


@pytest.mark.parametrize("which", ["uk", "als", "new_york"])
def test_the_sheet_is_read_at_grade_8_or_below(which: str, request: pytest.FixtureRequest) -> None:
    given = request.getfixturevalue(which)
    for each in (given, without_flags(obtainable(given))):
        assert grade(text_of(sheet_page(each, "en"))) <= 8.0
        assert huerta(text_of(sheet_page(each, "es"))) >= 60.0


def test_the_spanish_sheet_says_that_nobody_has_checked_it(uk: CaseAnswer) -> None:
    assert "sin revisar por un profesional clínico" in sheet_page(uk, "es")
    assert 'lang="es"' in sheet_page(uk, "es")


def test_each_product_has_a_sheet_in_its_own_words(tmp_path: Path) -> None:
    for name in products():
        case = make_case({"case": "a", "as_of": "2026-11-22", "place": {"residence": "US-OH"},
                          "spasm": {"cause": "fibromyalgia"}, "plan": {"product": name}})  # fmt: skip
        page = text_of(sheet_page(answer(case, simulate=False), "en"))
        assert Words("en").named("product", name, "").lower() in page.lower()
        has_thc = (product(name).thc_mg_per_unit or 1) > 0 and name not in ("cbd_oil", "cannabidiol_solution")
        assert has_thc == ("with THC in the blood" in page) or name == "cbd_oil"


@pytest.mark.parametrize(("place", "call"), [("US-NY", "911"), ("GB", "an ambulance")])
def test_whom_to_call_is_what_is_called_there(place: str, call: str) -> None:
    given = {"case": "a", "as_of": "2026-11-22", "place": {"residence": place},
             "spasm": {"cause": "multiple_sclerosis"}, "plan": {"product": "nabiximols"}}  # fmt: skip
    page = text_of(sheet_page(answer(make_case(given), simulate=False), "en"))
    assert f"call us or {call} at once" in page
    assert "dummy too" not in page


def test_help_and_harm_of_an_extract_stand_side_by_side_and_the_product_itself_was_not_tested() -> None:
    """Harm alone, from the trials that counted relief as well, would tell half of what they found."""
    given = {"case": "a", "spasm": {"cause": "multiple_sclerosis"}, "plan": {"product": "balanced_oil"}}
    found = answer(make_case(given), simulate=False)
    pooled = answer_of(
        shipped_studies(), "stiffness_relief", cause="multiple_sclerosis", product="cannabis_extract"
    )
    (row,) = [each for each in pooled.by_design if each.absolute is not None]
    share = row.absolute
    page = text_of(sheet_page(found, "en"))
    with_drug, without = round(100 * share.risk), round(100 * share.baseline)
    assert (
        f"About {with_drug} in 100 felt less stiff with a cannabis extract by mouth, {without} on placebo"
        in page
    )
    assert "Your product was not tested." in page
    assert "in 100 stop because of side effects" in page
    assert "This is from a study of that extract." in page


def test_the_report_counts_flags_as_its_bottom_line_does(new_york: CaseAnswer) -> None:
    page = text_of(report_page(new_york))
    major = re.search(r"(\d+) major safety flags", page)
    assert major is not None
    assert f": {major[1]} major, " in page
    assert "on not stopping a medicine" in page


def test_spanish_joins_words_as_it_is_spoken() -> None:
    say = Words("es")
    assert say.listed(["dantroleno", "inyecciones"]) == "dantroleno e inyecciones"
    assert say.listed(["uno", "otro"], "or") == "uno u otro"
    assert say.listed(["baclofeno", "gabapentina"], "or") == "baclofeno o gabapentina"
    for row in rows_of(HERE / "words.tsv"):  # "de" and "a" would join an article that follows
        assert not re.search(r"\b(de|a) \{(about|product)\}", row["es"]), row["key"]


def test_the_rows_of_trials_are_lines_of_the_page_and_name_what_they_hold(uk: CaseAnswer) -> None:
    first = re.search(r"What trials found.*?</section>", report_page(uk), re.DOTALL)
    assert first is not None
    assert (
        "Spasticity 30 % better†:</b> 34 / 24, 3 to 18 more; certainty moderate; 3 trials, 666 people<br>"
        in first[0]
    )


def test_what_is_not_calibrated_says_so_before_its_numbers_and_after_the_trials(als: CaseAnswer) -> None:
    page = report_page(als)
    part = page[page.index('id="forecast"') :]
    places = [
        part.index(each) for each in ("Trial results", "not what this person may expect", "NRS reduced by")
    ]
    assert places == sorted(places)
    assert "not what this person may expect" not in report_page(
        replace(als, forecast=replace_calibrated(als))
    )


def replace_calibrated(given: CaseAnswer) -> ForecastAnswer:
    assert isinstance(given.forecast, ForecastAnswer)
    return replace(given.forecast, calibrated="trials")


def test_who_paid_is_said_no_more_widely_than_it_is_noted(uk: CaseAnswer) -> None:
    mine = [each.study for each in uk.evidence.controlled if each.fits_product]
    read = [row.funding for row in mine if row.funding is not None and row.funding.provenance == "read"]
    paid = sum(each.by.startswith(("GW", "Jazz", "Almirall")) for each in read)
    assert 5 < paid < len(mine)
    said = text_of(sheet_page(uk, "en"))
    assert f"Companies that make or sell it paid for {paid} of {len(mine)} studies." in said
    assert f"Who paid for {len(mine) - len(read)} was not noted." in said


def test_studies_that_no_company_paid_for_and_studies_of_which_it_is_not_noted_are_said_to_be_so() -> None:
    back = {"case": "a", "spasm": {"cause": "low_back_pain"}, "plan": {"product": "cbd_oil"}}
    said = text_of(sheet_page(answer(make_case(back), simulate=False), "en"))
    assert "Public bodies or charities paid for 1 of 1 studies." in said
    vapour = {"case": "a", "spasm": {"cause": "fibromyalgia"}, "plan": {"product": "flower_vaporised"}}
    said = text_of(sheet_page(answer(make_case(vapour), simulate=False), "en"))
    assert "Who paid for the studies was not noted." in said


def test_the_sheet_is_not_sure_of_a_product_of_which_the_case_is_not() -> None:
    case = {"case": "a", "spasm": {"cause": "multiple_sclerosis"}, "plan": {"product": "balanced_oil"}}
    text = text_of(sheet_page(answer(make_case(case), simulate=False), "en"))
    assert "We do not know if this one does." in text
    assert "Fairly sure of some products, but not of this one." in text


def test_the_sheet_names_medicines_that_were_not_checked() -> None:
    drugs = ["warfrin 3 mg/day", "tacrolimuss", "bacloffen", "aspirinn", "metforminn"]
    data = {"case": "a", "history": {"current": drugs}, "spasm": {"cause": "multiple_sclerosis"}}
    found = answer(make_case(data), simulate=False)
    assert len(found.safety.unknown_drugs) == 5
    assert "Not checked: warfrin, tacrolimuss, bacloffen, aspirinn, …." in sheet_page(found, "en")
    assert "Sin comprobar: warfrin" in sheet_page(found, "es")

"""What a reader sees: no name of a line on a line, no text cut, every number with its outcome."""

from __future__ import annotations

import re

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from tests.handout.handouts import first, report_page, sheet_page, text_of

from lissive.case import make_case
from lissive.case_answer import CaseAnswer, answer
from lissive.case_answer.tables import cited
from lissive.forecast import ForecastAnswer
from lissive.handout.icons import icon_array, key
from lissive.report.case_parts import forecast_lines
from lissive.report.figures import HUES, RATED, SIDE_EFFECTS, small_figure

MS = {"spasm": {"cause": "multiple_sclerosis"}, "plan": {"product": "nabiximols", "weeks": 12}}
CRAMP = {"spasm": {"cause": "exertional_cramp"}, "plan": {"product": "cbd_oil", "weeks": 8}}


def small(**data: object) -> CaseAnswer:
    return answer(make_case({"case": "a", "as_of": "2026-11-22", **data}), simulate=False)


@pytest.mark.parametrize("which", ["uk", "als"])
def test_no_name_of_a_line_is_on_its_line_or_under_the_axis_or_on_the_other_name(
    which: str, request: pytest.FixtureRequest
) -> None:
    forecast = request.getfixturevalue(which).forecast
    assert isinstance(forecast, ForecastAnswer)
    for name in (*RATED, *SIDE_EFFECTS):
        figure = small_figure(forecast, name)
        (ax,), renderer = figure.axes, FigureCanvasAgg(figure).get_renderer()
        boxes = {each.get_color(): each.get_window_extent(renderer) for each in ax.texts}
        assert set(boxes) == {*HUES.values()}
        one, other = boxes.values()
        assert one.y0 >= other.y1 or other.y0 >= one.y1, name
        for line in ax.lines:
            if len(line.get_xdata()) == 2:
                continue  # the bars beside the last week
            box = boxes[line.get_color()]
            x, y = ax.transData.transform(np.column_stack(line.get_data())).T
            at = np.linspace(box.x0, min(box.x1, x[-1]), 50)
            inside = np.interp(at, x, y)
            assert ((inside <= box.y0 + 1) | (inside >= box.y1 - 1)).all(), name
            assert box.y0 >= ax.bbox.y0, name


def test_what_rounds_to_zero_has_no_sign(als: CaseAnswer) -> None:
    assert isinstance(als.forecast, ForecastAnswer)
    assert not re.search(r"[-+]0\.0(?!\d)", " ".join(forecast_lines(als.forecast)))


def test_the_list_below_the_icons_has_their_shapes_so_that_grey_tells_them_apart() -> None:
    shapes = {}
    for look in ("anyway", "more", "fewer", "rest"):
        mark = 'stroke="#fff"' in key(look)
        assert mark == ('stroke="#fff"' in icon_array([(look, 100)], "")), look
        shapes[look] = re.sub(r'(class|fill="#|stroke="#)[^"]*"', "", key(look))
    assert len(set(shapes.values())) == 4


def test_a_caution_is_whole_on_the_page_and_claims_end_with_a_stop() -> None:
    page = report_page(small(place={"residence": "DE"}, **MS))
    assert "Caution:" in first(page)
    assert "…" not in first(page)
    claims = re.findall(r"<li>[^\n]*Sources: .*?</li>", page)
    assert len(claims) > 5
    assert all(each.endswith("</a>.</li>") for each in claims)


def test_a_result_that_is_not_pooled_names_its_outcome() -> None:
    rows = re.findall(r'data-of="outcome">([^<]*)<', report_page(small(**MS)))
    assert {"timed walk, 10 m", "muscle tone (Ashworth scale)"} <= {*rows}
    assert all(rows)


def test_below_the_tables_stands_what_in_them_is_not_calibrated(uk: CaseAnswer, als: CaseAnswer) -> None:
    assert "Not calibrated, in the tables too: Spasms per day" in report_page(uk)
    assert "in the tables too" not in report_page(als)  # all of it: the page says so before


def test_a_treatment_that_nobody_tested_has_no_doubtful_studies_and_no_payer() -> None:
    sheet = text_of(sheet_page(small(**CRAMP), "en"))
    assert "We do not know. No study of this product for this problem was found." in sheet
    assert "Who paid for the studies was not noted" not in sheet


def test_a_sheet_in_spanish_names_medicines_in_spanish() -> None:
    found = small(history={"current": ["oxycodone 10 mg/day", "baclofen 30 mg/day"]}, **MS)
    sheet = text_of(sheet_page(found, "es"))
    assert "hable antes sobre oxicodona" in sheet
    assert "baclofeno" in sheet
    assert "oxycodone" in sheet_page(found, "en")


def test_a_source_without_a_reading_has_no_empty_brackets() -> None:
    assert cited("judgement").endswith("no source behind it")
    assert cited("weiss2016").endswith("[abstract read 2026-11-29]")

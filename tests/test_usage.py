"""US usage: for places in the United States, in texts and pages that are written once."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from lissive import usage
from lissive.case import make_case
from lissive.case_answer import answer
from lissive.cli import main as door
from lissive.handout.sheet import sheet_page

TABLE = Path(usage.__file__).with_suffix(".tsv")
CASES = Path(__file__).parents[1] / "examples" / "cases"


def rows() -> list[dict[str, str]]:
    with TABLE.open(encoding="utf-8") as table:
        return list(csv.DictReader(table, delimiter="\t"))


def test_no_us_word_is_changed_again():
    """Twice is as once: else a page that was made for a US clinic would differ from one that is made again."""
    text = " ".join(row["british"].rstrip("*") for row in rows())
    once = usage.us_text(text)
    assert usage.us_text(once) == once
    assert once.split() != text.split()


@pytest.mark.parametrize(
    "text",
    [
        "“a licence to practise”",
        "arms[0].n_randomised: 144",
        "metabolic, practical, tickle, metric, thicket, GPS, Licensed",
    ],
)
def test_what_is_quoted_a_name_or_another_word_stays(text):
    assert usage.us_text(text) == text


@pytest.mark.parametrize(
    "page",
    [
        '<a href="/programme/licence" title="licence">x</a>',
        "<textarea>a licence</textarea>",
        "<blockquote><p>the programme</p><cite>Licence Act</cite></blockquote>",
        '<p class="soft as-typed">The Licence Centre</p>',
        "<script>var licence = 1</script>",
        "<h1>Dr Colour Programme</h1>",
    ],
)
def test_no_tag_field_quotation_or_typed_text_is_changed(page):
    assert usage.us_html(page) == page
    assert usage.us_html(f"{page}<p>licence</p>") == f"{page}<p>license</p>"


def test_a_us_case_is_answered_in_us_usage_and_another_is_not(tmp_path, capsys):
    """The cases differ in their place alone."""
    text = (CASES / "ms-new-york.yaml").read_text()
    printed = {}
    for place in ("US-NY", "GB"):
        file = tmp_path / f"{place}.yaml"
        file.write_text(text.replace("US-NY", place))
        assert door.main(["case", str(file), "--safety", "--access", "--evidence"]) == 0
        printed[place] = capsys.readouterr().out
    assert "favours" in printed["GB"]
    assert "favours" not in printed["US-NY"]
    assert "favors" in printed["US-NY"]


@pytest.mark.parametrize(("place", "day"), [("US-NY", "November 22, 2026"), ("GB", "22 November 2026")])
def test_the_patients_sheet_has_the_date_as_the_place_writes_it(place, day):
    data = {"case": "a", "as_of": "2026-11-22", "place": {"residence": place}, "spasm": {"cause": "stroke"}}
    found = answer(make_case(data), simulate=False)
    assert day in sheet_page(found, "en")
    assert "22 de noviembre de 2026" in sheet_page(found, "es")

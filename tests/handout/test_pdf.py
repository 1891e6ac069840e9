"""The PDF is tagged, has its fonts inside, reads nothing but the page, and loses no letter unsaid."""

from __future__ import annotations

from pathlib import Path

import pytest

from lissive.case import make_case, read_case
from lissive.case_answer import CaseAnswer, answer
from lissive.handout.page import report_page
from lissive.handout.pdf import _style, pdf_writer, with_known_letters, write_pdf
from lissive.handout.sheet import sheet_page

if (said := pdf_writer())[0] is None:
    pytest.skip(said[1], allow_module_level=True)
weasyprint = pytest.importorskip("weasyprint")
page = pytest.importorskip("page", reason="the validator page-validation is not installed")


EXAMPLE = Path(__file__).parents[2] / "examples" / "ms-uk.yaml"


def conforms(path: Path) -> None:
    found = page.validate_pdf(path)
    assert str(found.profile).endswith("PDF_UA_1")
    assert found.is_compliant, [(each.rule_id, each.message) for each in found.failures]


def small(**more: object) -> CaseAnswer:
    return answer(make_case({"case": "a", "as_of": "2026-11-22", **more}), simulate=False)


def test_a_report_and_a_sheet_conform_to_pdf_ua(tmp_path: Path) -> None:
    given = small(
        spasm={"cause": "nocturnal_cramps"},
        place={"residence": "US-OH"},
        history={"current": [{"drug": "warfarin"}]},
        plan={"product": "thc_oil", "weeks": 4},
    )
    for name, text in (("report", report_page(given)), ("sheet", sheet_page(given, "es"))):
        path = tmp_path / f"{name}.pdf"
        assert write_pdf(path, text, one_page=name == "sheet") == []
        conforms(path)
    found = page.validate_pdf(tmp_path / "sheet.pdf")
    assert found.document.page_count == 1


@pytest.mark.slow
def test_a_report_with_figures_conforms_and_its_first_page_is_one(tmp_path: Path) -> None:
    given = answer(read_case(EXAMPLE), subjects=50)
    for name, text in (("report", report_page(given)), ("sheet", sheet_page(given, "en"))):
        path = tmp_path / f"{name}.pdf"
        assert write_pdf(path, text, one_page=name == "sheet") == []
        conforms(path)
        assert (page.validate_pdf(path).document.page_count == 1) == (name == "sheet")
    style, fonts, fetcher = _style()
    made = weasyprint.HTML(string=report_page(given), url_fetcher=fetcher).render(
        stylesheets=[style], font_config=fonts
    )
    assert "whole" in made.pages[1].anchors  # the whole answer begins on the second page


def test_nothing_but_data_is_read(tmp_path: Path) -> None:
    fetcher = _style()[2]
    (tmp_path / "secret").write_text("secret", encoding="utf-8")
    for address in (
        f"file://{tmp_path}/secret",
        "http://localhost/",
        "https://a.org/",
        "ftp://a.org",
        "font:/etc/passwd",
    ):
        with pytest.raises(ValueError, match="disallowed"):
            fetcher.fetch(address)
    assert fetcher.fetch("data:text/plain,a").read() == b"a"


def test_a_letter_that_no_font_has_is_named(tmp_path: Path) -> None:
    kept = "Łódź Ñandú Ωμέγα Ижевск † ‡ ½ ≤ □"
    assert with_known_letters(kept) == (kept, "")
    notes = write_pdf(tmp_path / "a.pdf", "<!DOCTYPE html><html lang=en><title>a</title><p>漢 b</p></html>")
    assert len(notes) == 1
    assert "漢 (U+6F22)" in notes[0]
    conforms(tmp_path / "a.pdf")


def test_the_same_page_gives_the_same_bytes(tmp_path: Path) -> None:
    text = sheet_page(small(spasm={"cause": "stroke"}), "en")
    for name in ("a", "b"):
        write_pdf(tmp_path / name, text)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()

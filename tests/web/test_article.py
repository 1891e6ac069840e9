"""The check of an article: text, saved page, and what is no text."""

from __future__ import annotations

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from lissive.evidence.article import answered

TEXT = (
    "Inflammation is the main cause of muscle spasms. In New York muscle spasms qualify. It is sunny <today>."
)


def test_each_sentence_stands_beside_its_verdict(visitor):
    visitor.post("/article", text=TEXT)
    rows = answered(TEXT)
    assert len(rows) == 3
    assert rows[0].claims[0].claim.verdict_label in visitor.text
    assert "Then (2014 to January 2022)" in visitor.text
    assert "Now (since 24 January 2022)" in visitor.text
    assert "sunny &lt;today&gt;" in visitor.page


def test_how_a_sentence_is_said_and_its_verdict_as_a_whole_stand_before_the_claims(visitor):
    visitor.post("/article", text="I think cannabis improves sleep and is not addictive.")
    parts = (
        "An opinion is no evidence",
        "As a whole: CONTRADICTED, the worst of 2 claims.",
        "improves sleep",
    )
    places = [visitor.text.index(each, visitor.text.index("not addictive")) for each in parts]
    assert places == sorted(places)


def test_a_saved_page_is_read_as_it_is_seen(visitor):
    page = b"<!doctype html><p>Cannabis cures spasms.</p><script>It is natural.</script>"
    visitor.post("/article", file=SimpleUploadedFile("a.html", page))
    assert "Cannabis cures spasms." in visitor.text
    assert "It is natural" not in visitor.text


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"%PDF-1.7 abc", "The file is a PDF."),
        (b"\xff\xfe\x00", "not valid UTF-8"),
        (b"a\x00b", "not text"),
        (b" \n ", "no sentence"),
        (b"It helps. " * 700, "At most 600 are checked. Give one part of it after the other."),
    ],
)
def test_what_cannot_be_checked_is_said(visitor, content, said):
    visitor.post("/article", file=SimpleUploadedFile("a.txt", content))
    assert visitor.status == 200
    assert said in visitor.text
    assert 'aria-invalid="true"' in visitor.page

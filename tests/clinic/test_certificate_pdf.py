"""How long a certificate holds, and its PDF."""

from __future__ import annotations

import datetime

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from tests.clinic.certifying import issued, ready, text_of
from tests.clinic.conftest import visitor

from lissive.access import Facts, facts_of_case
from lissive.access.certificate import draft
from lissive.access.facts import with_more
from lissive.case import make_case
from lissive.clinic.certify import form, paper

DAY = datetime.date(2026, 11, 30)


@pytest.mark.parametrize(
    ("code", "more", "days", "known"),
    [
        ("US-UT", Facts(resident=False, visitor_card=True), 21, True),  # Utah: a non-resident card of 21 days
        ("US-UT", Facts(resident=False, visitor_card=True, ends=DAY + datetime.timedelta(5)), 5, True),
        ("US-NY", Facts(dx=("terminal_illness",)), None, True),  # Cannabis Law s.30(2): until death
        ("US-NY", Facts(dx=("terminal_illness",), ends=DAY + datetime.timedelta(9)), 9, True),
    ],
)
def test_how_long_a_certificate_holds(code, more, days, known):
    data = {"case": "a", "place": {"residence": "US-NY"}, "spasm": {"cause": "multiple_sclerosis"}}
    case = make_case({**data, "person": {"age_years": 52}, "history": {"conditions": []}})
    facts = with_more(facts_of_case(case, away=code != "US-NY"), more)
    end = None if days is None else DAY + datetime.timedelta(days)
    assert form.expires_of(draft(case, DAY, code=code, more=more), facts, DAY) == (end, known)


@pytest.mark.slow
def test_the_pdf_is_tagged_whole_and_verified_by_its_hash(cast, tmp_path):
    page = pytest.importorskip("page", reason="the validator page-validation is not installed")
    if paper.pdf_writer()[0] is None:
        pytest.skip("no PDF can be written here")
    found = issued(ready(cast))
    path = tmp_path / "a.pdf"
    path.write_bytes(bytes(found.pdf.content))
    result = page.validate_pdf(path)
    assert str(result.profile).endswith("PDF_UA_1")
    assert result.is_compliant, [(each.rule_id, each.message) for each in result.failures]
    copy = SimpleUploadedFile("a.pdf", path.read_bytes(), "application/pdf")
    assert "is what was issued" in text_of(visitor().post(f"/verify/{found.code}", {"copy": copy}))
    assert "data:image/svg+xml;base64," in paper.qr("https://clinic.example/verify/A")

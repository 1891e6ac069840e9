"""The page on which anybody checks a certificate by its code: what it says holds, and nothing of anyone's health."""

from __future__ import annotations

import re

from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import path
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from lissive.clinic import zones
from lissive.clinic.certify import paper, seal
from lissive.clinic.certify.pages import status_of
from lissive.clinic.forms import place_text
from lissive.clinic.models import Certificate
from lissive.clinic.pages import shown, too_many
from lissive.web.guard import Bucket, client_of

ASKED = Bucket(most=30, rate=0.5)
"""Of one address: enough to check a pile of certificates, too few to try codes."""
PUBLIC = ("verify", "verify-code")
"""Names of these pages, which ask for no right."""
SHOWN_DIGITS = 12


def code_of(text: str) -> str:
    """A code as it is kept; "" where it can be none.

    >>> code_of(" abcd efgh-2345 6789 ")
    'ABCD-EFGH-2345-6789'
    """
    letters = re.sub(r"[\s\-\u2010-\u2015]", "", text[:60]).upper()
    if len(letters) != 16 or any(each not in seal.LETTERS for each in letters):
        return ""
    return "-".join(letters[k : k + 4] for k in range(0, 16, 4))


@require_http_methods(["GET", "HEAD", "POST"])
def verify(request: HttpRequest) -> HttpResponse:
    """Where the code is typed."""
    typed = request.POST.get("code", "")[:60]
    if request.method == "POST":
        if wait := ASKED.take(client_of(request)):
            return too_many(request, wait)
        if code := code_of(typed):
            return redirect("verify-code", code)
        return _page(
            request,
            None,
            typed,
            "This is no code. It has 16 letters and digits, as ABCD-EFGH-2345-6789.",
            422,
        )
    return _page(request, None, "", "", 200)


@require_http_methods(["GET", "HEAD", "POST"])
def verify_code(request: HttpRequest, code: str) -> HttpResponse:
    """What is known of the certificate with this code, and whether a copy of it is what was issued."""
    if wait := ASKED.take(client_of(request)):
        return too_many(request, wait)
    kept = code_of(code)
    rows = Certificate.objects.select_related("organisation", "practitioner", "pdf").defer(
        "pdf__content", "content"
    )
    found = rows.filter(code=kept).first() if kept else None
    if found is None:
        return _page(request, None, code[:60], "No certificate has this code. Check each letter.", 404)
    zones.use(found.organisation)
    same = None
    if request.method == "POST":
        sent = request.FILES.get("copy")
        if not isinstance(sent, UploadedFile) or found.pdf is None:
            return _page(
                request, found, kept, "No file came, or it is larger than 3 MB. Choose the PDF.", 422
            )
        same = paper.sha256(sent.read()) == found.pdf.sha256
    said = {} if same is None else {"copy": "same" if same else "differs"}
    seal.entry("certificate.see", None, found, by="the public page", **said)
    return _page(request, found, kept, "", 200, same)


def _page(
    request: HttpRequest,
    found: Certificate | None,
    typed: str,
    wrong: str,
    status: int,
    same: bool | None = None,
) -> HttpResponse:
    content = {
        **paper.WORDS,
        "certificate": found,
        "typed": typed,
        "wrong": wrong,
        "same": same,
        "status": None if found is None else status_of(found, timezone.localdate()),
        "place": "" if found is None else place_text(found.place),
        "digits": "" if found is None else found.sha256[:SHOWN_DIGITS],
    }
    return shown(request, "certify/verify.html.j2", "Check a certificate", content, status=status)


urls = [
    path("verify", verify, name="verify"),
    path("verify/<str:code>", verify_code, name="verify-code"),
]

"""An article, sentence by sentence, each with its verdict beside it."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_http_methods

from lissive.errors import EvidenceError
from lissive.evidence.article import answered, text_of_article
from lissive.evidence.claim_voice import VOICES
from lissive.report.article_text import as_a_whole, summary
from lissive.report.evidence_text import LIMITS, value_text
from lissive.web.pages import shown

MOST_SENTENCES = 600


@require_http_methods(["GET", "HEAD", "POST"])
def article(request: HttpRequest) -> HttpResponse:
    """The form, and below it what was found."""
    content = {
        "text": "",
        "error": "",
        "rows": (),
        "summary": "",
        "limits": "",
        "voices": VOICES,
        "as_a_whole": as_a_whole,
        "value": value_text,
    }
    if request.method != "POST":
        return shown(request, "article.html.j2", "Check an article", content, page="article")
    upload, typed = request.FILES.get("file"), request.POST.get("text", "")
    name = (upload.name or "") if upload else "the text"
    try:
        raw = upload.read() if upload else typed.encode("utf-8", "replace")
        rows = answered(text_of_article(raw, name))
        if len(rows) > MOST_SENTENCES:
            raise EvidenceError(
                f"The text has {len(rows):,} sentences.",
                allowed=f"At most {MOST_SENTENCES} are checked.",
                do="Give one part of it after the other.",
            )
    except EvidenceError as error:
        wrong = {
            **content,
            "text": typed,
            "error": " ".join(filter(None, (error.what, error.allowed, error.do))),
        }
        return shown(request, "article.html.j2", "Check an article", wrong, page="article")
    made = {
        **content,
        "text": typed,
        "rows": rows,
        "summary": summary(rows),
        "limits": " ".join(LIMITS.split()),
    }
    return shown(request, "article.html.j2", "The article, sentence by sentence", made, page="article")

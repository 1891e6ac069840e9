"""The certificate and the letter as PDF, and the code that leads to the page which verifies it."""

from __future__ import annotations

import base64
import datetime
import hashlib
import io
from collections.abc import Mapping
from typing import Any

from django.template.loader import render_to_string

from lissive.clinic.answered import moment_text
from lissive.clinic.forms import TEXTS, day_text
from lissive.clinic.models import Visit
from lissive.clinic.zones import written
from lissive.errors import LissiveError
from lissive.handout.pdf import pdf_bytes, pdf_writer
from lissive.report.certificate_text import PARTS
from lissive.web.work import desk

NOT_FILED = "Signed at the clinic. It is not filed with the state until it is entered in the state's system."


def day_text_of(iso: str | None) -> str:
    return day_text(datetime.date.fromisoformat(iso)) if iso else ""


def titled(name: str, profession: str) -> str:
    """A practitioner's name with the profession, where the name as on the licence does not end with it.

    >>> titled("Ada Lind", "MD"), titled("Ada Lind, MD", "MD")
    ('Ada Lind, MD', 'Ada Lind, MD')
    """
    return name if name.endswith(f" {profession}") else f"{name}, {profession}"


WORDS: Mapping[str, Any] = {
    **TEXTS,
    "day_text_of": day_text_of,
    "moment": lambda at: moment_text(datetime.datetime.fromisoformat(at) if isinstance(at, str) else at),
    "titled": titled,
    "not_filed": NOT_FILED,
}
"""What the templates of these pages call."""


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def made(template: str, content: Mapping[str, Any]) -> bytes:
    """Raises LissiveError where nothing is installed that writes a PDF."""
    writer, note = pdf_writer()
    if writer is None:
        raise LissiveError(note)
    page = written(render_to_string(f"clinic/certify/{template}", {**WORDS, **content}, using="jinja2"))
    found: bytes = desk.made(lambda _: pdf_bytes(page)[0])
    return found


def letter(visit: Visit, content: Mapping[str, Any]) -> bytes:
    given = {"visit": visit, "patient": visit.patient, "practitioner": visit.practitioner, **content}
    return made("letter.html.j2", given)


def certificate(content: Mapping[str, Any], digest: str, link: str) -> bytes:
    heads = [(part, [each for each in content["fields"] if each["part"] == part]) for part in PARTS]
    parts = [(part_head(part), lines) for part, lines in heads if lines]
    given = {"c": content, "parts": parts, "sha256": digest, "link": link, "qr": qr(link)}
    return made("paper.html.j2", given)


def part_head(part: str) -> str:
    """The heading of a part of a form, without what is said of a draft.

    >>> part_head("statements"), part_head("form")
    ('Statements', 'Form')
    """
    return PARTS[part].partition(",")[0].partition(":")[0]


def qr(text: str) -> str:
    """A picture of the text as a QR code, for `src` of an img."""
    import qrcode
    from qrcode.image.svg import SvgPathFillImage

    out = io.BytesIO()
    qrcode.make(text, image_factory=SvgPathFillImage, border=4).save(out)
    return f"data:image/svg+xml;base64,{base64.b64encode(out.getvalue()).decode()}"

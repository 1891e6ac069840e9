"""The cast asks every address of the clinic: what they may see follows from rights.tsv alone, and nothing leaks.

The addresses come from the list of addresses, the rights from the first statement of each view: a view that is added
is asked as well.
"""

from __future__ import annotations

import ast
import hashlib
import inspect
import itertools
import logging
import re
import textwrap
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import transaction
from django.http import HttpResponseBase
from django.test import Client
from django.urls import URLPattern, get_resolver
from django.utils import timezone
from tests.clinic.conftest import visitor

from lissive.clinic import answered
from lissive.clinic.access import Case, Certificate, Document, Patient, Review, User, Visit
from lissive.clinic.booking.public import PUBLIC
from lissive.clinic.intake.views import PUBLIC as BY_LINK
from lissive.clinic.models import Credential, Practitioner, Slot, Treatment
from lissive.clinic.rights import ROLES, rights

WITHOUT_ENTER: frozenset[str] = frozenset(
    {
        "calendar-feed",  # calendar programs cannot log in: the secret in the address is of one user, asked there
        *PUBLIC,  # a clinic's own page, and registration: nothing of any patient is there (test_booking)
        *("verify", "verify-code"),  # a certificate by its code, without a word of the patient (test_certify)
        *BY_LINK,  # the questions before a visit, by the link's secret and the date of birth (test_intake)
    }
)
"""Names of addresses whose view asks for no right, each with its reason here."""
EVERYBODY = ("nobody", "ada", "ben", "fay", "kim", "zoe", "dan", "cleo")
OWNED = {"Patient": Patient, "Case": Case, "Document": Document, "User": User}


@dataclass(frozen=True)
class Address:
    """One address of the clinic, and what its view asks first."""

    name: str
    route: str
    view: Callable[..., Any]
    right: dict[str, str]
    """By method: a form may ask for more than the page that has it."""
    model: str
    """The class of what it is of; "" where it is of nothing."""


def patterns(found: Any = None, before: str = "") -> Iterator[tuple[str, URLPattern]]:
    for each in found or get_resolver().url_patterns:
        route = before + str(each.pattern)
        if isinstance(each, URLPattern):
            yield route, each
        else:
            yield from patterns(each.url_patterns, route)


def first_call(view: Callable[..., Any]) -> ast.Call | None:
    """The call that is the first statement of a view, after its docstring."""
    made = ast.parse(textwrap.dedent(inspect.getsource(inspect.unwrap(view)))).body[0]
    if not isinstance(made, ast.FunctionDef):
        return None
    body = made.body[1:] if ast.get_docstring(made) else made.body
    value = getattr(body[0], "value", None)
    return value if isinstance(value, ast.Call) else None


def addresses() -> list[Address]:
    found = []
    for route, each in patterns():
        # those of log-in are allauth's (test_login); whoever has a code may verify a certificate (test_certify)
        if route.startswith(("account/", "verify")) or each.name in WITHOUT_ENTER:
            continue
        call = first_call(each.callback)
        assert call is not None, each
        assert isinstance(call.func, ast.Name), each
        assert call.func.id == "enter", f"{each}: the first statement is not `enter`"
        right = {method: _right(call.args[1], method) for method in ("get", "post")}
        assert set(right.values()) <= set(rights()), each
        model = call.args[2].id if len(call.args) > 2 and isinstance(call.args[2], ast.Name) else ""
        found.append(Address(str(each.name), route, each.callback, right, model))
    return found


def _right(said: ast.expr, method: str) -> str:
    """A text, or one that hangs on the method."""
    request = SimpleNamespace(method=method.upper())
    return str(eval(compile(ast.Expression(said), "", "eval"), {"request": request}))


@pytest.fixture
def clinic(cast: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """The cast with marks in everything that is Dan's."""
    for name, value in {
        "family_name": "Markham-Doe",
        "phone": "0119998887",
        "email": "mark@example.org",
    }.items():
        setattr(cast.patient, name, value)
    cast.patient.save()
    cast.treatment = Treatment.objects.create(patient=cast.patient, drug="markozepam", note="note-mark")
    cast.case.reason = "reason-mark"
    cast.case.save()
    cast.answer = answered.answer_of(cast.case, cast.ada)
    of = {"case": cast.case, "answer": cast.answer, "media_type": "text/html", "content": b"content-mark"}
    of["sha256"] = hashlib.sha256(of["content"]).hexdigest()
    cast.document = Document.objects.create(kind="sheet.html", is_for_patient=True, **of)
    cast.inner = Document.objects.create(kind="report.html", **of)
    cast.other.family_name = "Elsewhereman"
    cast.other.save()
    ned = {"family_name": "Nextinline", "given_name": "Ned", "born": "1960-01-01"}
    patient = Patient.objects.create(organisation=cast.here, **ned)
    of = {**of, "case": Case.objects.create(patient=patient, data={"case": "ned"}), "answer": None}
    document = Document.objects.create(kind="sheet.html", **of, is_for_patient=True)
    cast.of_ned = {
        "patients": patient.pk,
        "cases": of["case"].pk,
        "documents": document.pk,
        "users": cast.ben.pk,
    }
    monkeypatch.setattr("lissive.clinic.export.pdf_writer", lambda: (None, "a PDF takes seconds"))
    cast.visit, cast.certificate, cast.review = day_of(cast, cast.case)
    cast.review.diary = "date,spasms,side_effects\n2026-11-01,3,diary-mark\n"
    cast.review.save()
    day = dict(zip(("visits", "certificates", "reviews"), day_of(cast, of["case"]), strict=True))
    cast.of_ned |= {name: each.pk for name, each in day.items()}
    by = cast.visit.practitioner
    slot = Slot.objects.create(practitioner=by, starts=timezone.now() + timedelta(hours=1), kinds=["video"])
    held = Credential.objects.create(practitioner=by, kind="licence", place="GB", number="1")
    cast.of_ned["bookings"] = cast.of_ned["visits"]
    cast.keys = {
        "bookings": cast.visit.pk,
        "practitioners": by.pk,
        "credentials": held.pk,
        "times": slot.pk,
        "visits": cast.visit.pk,
        "certificates": cast.certificate.pk,
        "reviews": cast.review.pk,
        "patients": cast.patient.pk,
        "cases": cast.case.pk,
        "documents": cast.document.pk,
        "treatments": cast.treatment.pk,
        "answers": cast.answer.pk,
        "users": cast.ben.pk,
    }
    return cast


def signed(case: Case, now: Any) -> dict[str, Any]:
    """What a signature adds to a certificate."""
    field = {
        "id": "condition",
        "part": "condition",
        "label": "Condition",
        "kind": "value",
        "value": "GB-mark",
    }
    content = {
        "place_name": "Great Britain",
        "practitioner": {"name": "Ada", "profession": "MD"},
        "fields": [{**field, "remark": "", "ticked": None}],
        "clause": {"quote": "", "what": "any", "citation": "GB", "source": "", "provenance": "read"}
        | {"rule": "GB-mark", "on": now.date().isoformat(), "rules_sha256": "0" * 64},
        "facts": [],
        "reason": "GB-mark",
        "second": None,
        "steps": [],
    }
    kept = {"content": b"content-mark", "sha256": hashlib.sha256(b"content-mark").hexdigest()}
    pdf = Document.objects.create(case=case, kind="certificate.pdf", is_for_patient=True, **kept)
    return {"content": content, "pdf": pdf, "code": str(pdf.pk)[:19], "signed_at": now, "begins": now.date()}


def day_of(cast: SimpleNamespace, case: Case) -> tuple[Visit, Certificate, Review]:
    """A visit that renews a certificate, the certificate, and its review."""
    by, _ = Practitioner.objects.get_or_create(
        organisation=cast.here, user=cast.ada, defaults={"name": "Ada", "profession": "MD"}
    )
    Case.objects.filter(pk=case.pk, data={}).update(data={"case": "calculator"})
    now = timezone.now()
    found = {"text": "finding-mark", "by": "Ada", "as": "practitioner", "at": now.isoformat()}
    of = {"organisation": cast.here, "patient": case.patient, "case": case}
    at = {"practitioner": by, "kind": "video", "starts": now, "day": now.date()}
    first = Visit.objects.create(**of, **at)
    held = Certificate.objects.create(
        **of, practitioner=by, visit=first, status="issued", place="GB", rule="GB-mark", **signed(case, now)
    )
    return (
        Visit.objects.create(**of, **at, renews=held, status="ready", record={"findings": found}),
        held,
        Review.objects.create(**of, certificate=held, due=now),
    )


MARKS = {
    "patient.see": ("Markham", "0119998887", "mark@example.org"),
    "case.see": ("markozepam", "note-mark", "reason-mark", "clobazam"),
    "document.see": ("content-mark",),
    "visit.see": ("finding-mark",),
    "certificate.see": ("GB-mark",),
    "review.see": ("diary-mark",),
}
"""What nobody reads without the right, and nobody of another clinic."""


def path_of(route: str, keys: dict[str, Any]) -> str:
    """The address with the key of what the word before it names; a random one for what no word names."""

    def key(found: re.Match[str]) -> str:
        word = found["before"].rstrip("/").rpartition("/")[2]
        other = {"uuid": uuid.UUID(int=7), "int": 999_999}.get(found["kind"], "report.pdf")
        return f"{found['before']}{keys.get(word, other)}"

    while "<" in route:
        route = re.sub(r"(?P<before>[^<]*)<(?:(?P<kind>\w+):)?\w+>", key, route, count=1)
    return f"/{route}"


class Asked:
    """Everything that was asked and answered; what is changed is taken back."""

    def __init__(self, clients: dict[str, Client]) -> None:
        self.clients = clients
        self.cookies: list[str] = []

    def __call__(self, who: str, method: str, path: str, **form: str) -> tuple[HttpResponseBase, str]:
        client = self.clients[who]
        client.raise_request_exception = False
        with transaction.atomic():
            answer = getattr(client, method)(path, form)
            content = b"".join(answer.streaming_content) if answer.streaming else answer.content
            transaction.set_rollback(True)
        self.cookies += [str(each) for each in answer.cookies.values()] + [answer.get("Location", "")]
        return answer, _TOKEN.sub("", content.decode("utf-8", "replace"))


_TOKEN = re.compile(r'(?<=name="csrfmiddlewaretoken" value=")\w+')


@pytest.fixture
def asked(clinic: SimpleNamespace) -> Asked:
    return Asked({who: visitor(getattr(clinic, who, None)) for who in EVERYBODY})


def expected(one: Address, method: str, role: str, *, is_theirs: bool, is_owner: bool) -> int | None:
    """403 or 404 where they may not; None where they may."""
    may = rights()[one.right[method]].get(role, "no")
    if may == "no":
        return 403
    if one.model and (not is_theirs or (may == "own" and not is_owner)):
        return 404
    return None


@pytest.mark.parametrize(
    "some",
    [("nobody", "fay", "zoe", "dan", "cleo"), pytest.param(("ada", "ben", "kim"), marks=pytest.mark.slow)],
)
def test_every_address_answers_as_the_rights_say(clinic, asked, caplog, some):
    caplog.set_level(logging.DEBUG)
    places = addresses()
    assert len(places) > 5
    said = {}
    for one in places:
        path = path_of(one.route, clinic.keys)
        assert not re.search("mark|doe", path, re.I)
        for who in some:
            for method in ("get", "post"):
                answer, text = asked(who, method, path, q="Doe", search="Doe", name="Doe", sought="Doe")
                where = (who, method, path, answer.status_code)
                is_refused = answer.status_code == 405  # of this method there is nothing, for anybody
                if who == "nobody":
                    assert answer.status_code in ((302,) if method == "get" else (302, 401)) or is_refused, (
                        where
                    )
                    assert "/account/login/" in answer.get("Location", "") + text or is_refused, where
                    role = ""
                else:
                    role = getattr(clinic, who).role
                    wanted = expected(one, method, role, is_theirs=who != "cleo", is_owner=who == "dan")
                    if wanted is None:
                        assert answer.status_code not in (401, 403, 500), where
                        # what belongs to a second key in the address may be elsewhere
                        assert answer.status_code != 404 or one.route.count("<") > 1, where
                    else:
                        assert answer.status_code == wanted or is_refused, where
                no_marks(text, who, role, one, where)
                said[where] = text
    for each in (*asked.cookies, *caplog.messages):
        assert not re.search("markham|markozepam|clobazam|-mark", each, re.I), each


def no_marks(text: str, who: str, role: str, one: Address, where: tuple[Any, ...]) -> None:
    assert who == "cleo" or "Elsewhereman" not in text, where
    assert who not in ("cleo", "dan") or "Nextinline" not in text, where
    for right, marks in MARKS.items():
        may = rights()[right].get(role, "no")
        # of the patient, what belongs to the patient's own record and to own documents is for them
        if who != "cleo" and may != "no":
            continue
        if who == "dan" and right == "case.see" and "document.see" in one.right.values():
            continue
        for mark in marks:
            assert mark not in text, (where, mark)


def test_what_is_anothers_looks_like_what_is_not_there(clinic, asked):
    """Of another clinic, of another patient, or of nobody: one answer."""
    theirs = {
        "cleo": clinic.keys,
        "dan": clinic.of_ned,
        "kim": {"patients": clinic.other.pk},
        "zoe": {"users": clinic.cleo.pk},
    }
    nothing = dict.fromkeys(clinic.keys, uuid.UUID(int=9)) | {"users": 999_999, "answers": 999_999}
    for one in addresses():
        if not one.model:
            continue
        for who, method in itertools.product(theirs, ("get", "post")):
            there, role = {**nothing, **theirs[who]}, getattr(clinic, who).role
            if expected(one, method, role, is_theirs=False, is_owner=False) == 404:
                (one_is, one_said), (other_is, other_said) = (
                    asked(who, method, path_of(one.route, keys)) for keys in (there, nothing)
                )
                assert one_is.status_code == other_is.status_code, (who, method, one.route)
                assert one_is.status_code in (404, 405)
                assert one_said == other_said


def test_a_document_that_is_not_for_the_patient_is_not_there_for_them(clinic, asked):
    for one in addresses():
        if one.model == "Document":
            answer, text = asked(
                "dan", "get", path_of(one.route, {**clinic.keys, "documents": clinic.inner.pk})
            )
            assert answer.status_code in (403, 404, 405)
            assert "content-mark" not in text


def test_no_link_of_any_page_holds_a_mark(clinic, asked, caplog):
    """From the start page, whatever is linked is followed, as each of the cast."""
    caplog.set_level(logging.DEBUG)
    for who in EVERYBODY[1:]:
        to_see, seen = ["/"], set()
        while to_see and len(seen) < 60:
            path = to_see.pop()
            seen.add(path)
            answer, text = asked(who, "get", path)
            assert answer.status_code not in (403, 404, 500), (who, path, answer.status_code)
            found = re.findall(r'(?:href|action|src|data-hx-\w+)="(/[^"#]*)"', text)
            for each in found:
                assert not re.search("mark(?!.svg)|doe", each, re.I), (who, path, each)
            links = set(re.findall(r'href="(/(?!static|account)[^"#]*)"', text))
            to_see += sorted(links - seen - set(to_see))
    for each in (*asked.cookies, *caplog.messages):
        assert not re.search("markham|markozepam|clobazam|-mark", each, re.I), each


def test_a_fault_shows_nothing_of_what_was_asked(clinic, asked, monkeypatch):
    def broken(*_: object, **__: object) -> None:
        raise ValueError("Markham-Doe")

    monkeypatch.setattr("lissive.clinic.records.together", broken)
    answer, text = asked("kim", "get", f"/patients/{clinic.patient.pk}/looked")
    assert answer.status_code == 500
    assert "Markham" not in text


def test_the_page_on_the_clinic_has_the_rights_as_they_are():
    page = Path(__file__).parents[2] / "docs" / "concepts" / "clinic.md"
    lines = page.read_text(encoding="utf-8").splitlines()
    head = next(k for k, line in enumerate(lines) if line.startswith("| right |"))
    said = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[head:]]
    assert said[0] == ["right", *ROLES.values()]
    wanted = [[row["what"], *(row[role].replace("no", "") for role in ROLES)] for row in rights().values()]
    assert said[2 : 2 + len(wanted)] == wanted
    assert said[2 + len(wanted)] == [""]


def test_every_role_and_word_of_the_rights_is_known():
    for right, row in rights().items():
        assert set(row) == {"right", "what", *ROLES}, right
        assert all(row[role] in ("yes", "no", "own") for role in ROLES), right
        assert all(row[role] != "own" for role in ROLES if role != "patient"), right

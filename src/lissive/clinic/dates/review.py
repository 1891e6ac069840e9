"""The review after some weeks: the diary, what it says, and what the practitioner decides."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from django import forms
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import path
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from lissive.clinic import audit
from lissive.clinic.access import enter, of_clinic
from lissive.clinic.dates import followed
from lissive.clinic.dates.followed import DAYS, Line, as_table, columns_of, fault_words, lines_of, text_of
from lissive.clinic.forms import TEXTS, Choice, Day, Form, Text, is_day, version_of
from lissive.clinic.models import Certificate, Review, User, Work
from lissive.clinic.pages import said, shown
from lissive.clinic.rights import may
from lissive.clinic.work import Closed
from lissive.errors import DiaryError
from lissive.follow.diary import Diary

AFTER = datetime.timedelta(days=28)
"""From the first dose, or from the day of the certificate where that is not known, to the review."""
DECISIONS: Mapping[str, str] = {
    "continue": "Continue",
    "change": "Change the dose or the plan",
    "stop": "Stop",
    "again": "Review again",
}
ADVICE: Mapping[str, tuple[str, str]] = {
    "continue": ("Continue.", "yes"),
    "change": ("Change the dose or the plan.", "unsure"),
    "stop": ("Stop.", "no"),
    "too_early": ("Too early to say.", ""),
    "cannot_say": ("Cannot say whether it works.", "unsure"),
}
Status = Review.Status
RUNNING = (Work.Status.QUEUED, Work.Status.RUNNING)


# -- made -------------------------------------------------------------------------------------------
def review_for(certificate: Certificate, first_dose: datetime.date | None = None) -> Review:
    """The review that is due for a certificate: the open one, or a new one. Called where it is signed, and by a button.

    Within the transaction that is open, without an entry of its own: signing has one.
    """
    # by the case: one that is amended has been replaced by a certificate of the same case
    open_one = Review.objects.filter(case_id=certificate.case_id, status=Status.DUE).first()
    if open_one is not None:
        return open_one
    begun = first_dose or certificate.begins or timezone.localdate(certificate.signed_at)
    return Review.objects.create(
        organisation_id=certificate.organisation_id,
        patient_id=certificate.patient_id,
        case_id=certificate.case_id,
        certificate=certificate,
        due=begun + AFTER,
    )


def cancelled_with(certificate: Certificate, user: User) -> None:
    """The open reviews of a certificate that was revoked, where its case has no other; in the transaction of that."""
    of_case = {"case_id": certificate.case_id}
    if Certificate.objects.filter(status=Certificate.Status.ISSUED, **of_case).exists():
        return
    for each in Review.objects.select_for_update().filter(status=Status.DUE, **of_case):
        each.status, each.by, each.at, each.version = Status.CANCELLED, user, timezone.now(), each.version + 1
        each.save(update_fields=["status", "by", "at", "version"])
        _entry(user, "review.cancelled", each, by=str(certificate.pk))


def reviews_due(user: User, until: datetime.date) -> QuerySet[Review]:
    """Open reviews that are due by a day, the oldest first; with their patients."""
    found = of_clinic(user, Review).filter(status=Status.DUE, due__lte=until)
    return found.select_related("patient").defer("diary", "found").order_by("due", "pk")


def reviews_of(certificate: Certificate, user: User) -> dict[str, Any]:
    """What the page of a certificate shows of its reviews."""
    found = Review.objects.filter(case_id=certificate.case_id).defer("diary", "found").order_by("due")
    listed = list(found) if may(user.role, "review.see") else []
    is_open = any(each.status == Status.DUE for each in listed)
    issued = certificate.status == Certificate.Status.ISSUED
    return {"reviews": listed, "may_review": issued and not is_open and may(user.role, "review.change")}


@require_POST
def review_add(request: HttpRequest, id: UUID) -> HttpResponse:
    certificate: Certificate = enter(request, "review.change", Certificate, id)
    assert isinstance(request.user, User)
    if certificate.status != Certificate.Status.ISSUED:
        head = f"This certificate is {certificate.get_status_display().lower()}"
        return said(request, 409, head, ["A review follows one that is issued."])
    first = request.POST.get("first_dose", "")
    if first and not is_day(first):
        return said(request, 422, "The first dose has no day", ["Write it as 2026-11-29, or leave it empty."])
    with transaction.atomic():
        Certificate.objects.select_for_update().get(pk=certificate.pk)
        made = review_for(certificate, datetime.date.fromisoformat(first) if first else None)
        _entry(request.user, "review.added", made)
    return redirect("review", made.pk)


def _entry(user: User, action: str, review: Review, **detail: Any) -> None:
    audit.append(action, user, kind="review", thing=review.pk, patient=review.patient_id, detail=detail)


# -- the page ---------------------------------------------------------------------------------------
class DecisionForm(Form):
    optional = " (if any)"
    decision = Choice("Decision", [("", "Choose"), *DECISIONS.items()], required=True)
    reason = Text("Reason", 2_000, required=True, lines=True)
    again_on = Day("Next review", hint="Needed for “Review again”; a further review may follow any decision.")

    def clean_again_on(self) -> datetime.date | None:
        day: datetime.date | None = self.cleaned_data["again_on"]
        if day is not None and day <= timezone.localdate():
            raise forms.ValidationError("Next review: write a day after today.")
        return day

    def clean(self) -> dict[str, Any]:
        found = super().clean() or {}
        if found.get("decision") == "again" and not found.get("again_on") and "again_on" not in self.errors:
            self.add_error("again_on", "Next review: enter the day.")
        return found


@require_http_methods(["GET", "HEAD", "POST"])
def review(request: HttpRequest, id: UUID) -> HttpResponse:
    """The advice first, then the number, then what is doubtful; the decision; the diary."""
    found: Review = enter(request, "review.change" if request.method == "POST" else "review.see", Review, id)
    if request.method != "POST":
        return _page(request, found)
    changeable(found)
    do = {"table": _table, "import": _import, "follow": _follow, "decide": _decide, "rows": _rows}
    return do.get(request.POST.get("do", ""), _rows)(request, found)


def changeable(review: Review) -> Review:
    """The review as it is now, held until the transaction ends. Raises Closed where it was decided."""
    rows = (
        Review.objects.select_for_update() if transaction.get_connection().in_atomic_block else Review.objects
    )
    now = rows.get(pk=review.pk)
    if now.status != Status.DUE:
        raise Closed("review")
    return now


def _rows(request: HttpRequest, found: Review) -> HttpResponse:
    """The table from another first day on, with what was typed."""
    return _page(request, found, typed=request.POST.dict())


def _table(request: HttpRequest, found: Review) -> HttpResponse:
    typed = request.POST.dict()
    names = columns_of(found.case)
    lines = lines_of(_start(found, typed, None), names, typed, _count(typed))
    text, days = text_of(lines, names)
    if not days:
        return _page(request, found, typed=typed, wrong="Nothing was entered.", status=422)
    try:
        diary = followed.read(text)
        left = {days[each.row - 2]: fault_words(each.why) for each in diary.left_out}
    except DiaryError as error:
        left = _faults_of(error, days)
        if not left:
            return _page(request, found, typed=typed, wrong=_words(error), status=422)
    if left:
        wrong = f"Not saved: {len(left)} {'day' if len(left) == 1 else 'days'} cannot be read."
        return _page(request, found, typed=typed, wrong=wrong, faults=left, status=422)
    return _kept(request, found, text, typed)


def _faults_of(error: DiaryError, days: Sequence[datetime.date]) -> dict[datetime.date, str]:
    """By day what is wrong, where no row at all can be read."""
    found = {}
    for line in error.what.split("\n")[1:]:
        row, _, why = line.removeprefix(f"{followed.NAME}:").partition(": ")
        if row.isdigit() and 0 <= int(row) - 2 < len(days):
            found[days[int(row) - 2]] = fault_words(why)
    return found


def _import(request: HttpRequest, found: Review) -> HttpResponse:
    """All rows, or none: with rows that cannot be read it is asked first, and the text stays to be corrected."""
    file = request.FILES.get("file")
    try:
        text = (
            file.read().decode("utf-8-sig")
            if file is not None and file.size
            else request.POST.get("diary", "")
        )
    except UnicodeDecodeError:
        wrong = "The file is not UTF-8 text: save it as CSV UTF-8."
        return _page(request, found, wrong_import=wrong, status=422)
    text = text.replace("\r\n", "\n")
    if "\0" in text or not text.strip():
        wrong = "There is no diary." if not text.strip() else "It holds a character that cannot be printed."
        return _page(request, found, wrong_import=wrong, status=422)
    try:
        diary = followed.read(text)
    except DiaryError as error:
        return _page(request, found, pasted=text, wrong_import=_words(error), status=422)
    if diary.left_out and request.POST.get("without") != str(len(diary.left_out)):
        return _page(request, found, pasted=text, unread=diary, status=422)
    return _kept(request, found, text, request.POST)


def _words(error: DiaryError) -> str:
    allowed = f" Allowed: {error.allowed}" if error.allowed else ""
    return fault_words(f"{error.what}{allowed}")


def _kept(request: HttpRequest, found: Review, text: str, posted: Mapping[str, str]) -> HttpResponse:
    """Keep the diary; what was said of another one goes."""
    assert isinstance(request.user, User)
    with transaction.atomic():
        now = changeable(found)
        if now.version != version_of(posted):
            wrong = "Not saved: somebody else saved meanwhile. What you entered is still in the fields."
            found.version = now.version
            typed, pasted = (posted, "") if posted.get("do") == "table" else ({}, text)
            return _page(request, found, typed=typed, pasted=pasted, wrong=wrong, status=409)
        if now.diary != text:
            now.diary, now.found, now.version = text, {}, now.version + 1
            now.save(update_fields=["diary", "found", "version"])
            _entry(request.user, "review.changed", now, changed=["diary"], version=now.version)
    return redirect("review", found.pk)


def _follow(request: HttpRequest, found: Review) -> HttpResponse:
    assert isinstance(request.user, User)
    if not found.diary:
        return _page(request, found, wrong="There is no diary yet.", status=422)
    followed.ask(found, request.user)
    return redirect("review", found.pk)


def _decide(request: HttpRequest, found: Review) -> HttpResponse:
    assert isinstance(request.user, User)
    form = DecisionForm(request.POST)
    if not form.is_valid():
        return _page(request, found, form=form, status=422)
    with transaction.atomic():
        now = changeable(found)
        if now.version != version_of(request.POST) or bool(now.found) != bool(request.POST.get("seen")):
            found.version, found.found, found.diary = now.version, now.found, now.diary
            wrong = "Not decided yet: the diary, or what it says, changed meanwhile. Look at it, then decide."
            return _page(request, found, form=form, wrong=wrong, status=409)
        now.decision, now.reason = form.cleaned_data["decision"], form.cleaned_data["reason"]
        now.status, now.by, now.at, now.version = Status.DONE, request.user, timezone.now(), now.version + 1
        now.save(update_fields=["decision", "reason", "status", "by", "at", "version"])
        _entry(request.user, "review.decided", now, changed=["decision", "reason"])
        if form.cleaned_data["again_on"]:
            again = Review.objects.create(
                organisation_id=now.organisation_id,
                patient_id=now.patient_id,
                case_id=now.case_id,
                certificate_id=now.certificate_id,
                due=form.cleaned_data["again_on"],
            )
            _entry(request.user, "review.added", again)
    return redirect("review", found.pk)


def _start(found: Review, typed: Mapping[str, str], diary: Diary | None) -> datetime.date:
    """The first day of the table: as chosen, of the diary, or four weeks before it is due."""
    if is_day(typed.get("start", "")) and typed["start"] and typed["start"] < "9990":
        return datetime.date.fromisoformat(typed["start"])
    return diary.days[0].date if diary else found.due - AFTER


def _count(typed: Mapping[str, str]) -> int:
    days = typed.get("days", "")
    return int(days) if days.isascii() and days.isdigit() and len(days) < 4 else DAYS


def _page(
    request: HttpRequest,
    found: Review,
    *,
    typed: Mapping[str, str] | None = None,
    pasted: str = "",
    wrong: str = "",
    wrong_import: str = "",
    unread: Diary | None = None,
    faults: Mapping[datetime.date, str] | None = None,
    form: DecisionForm | None = None,
    status: int = 200,
) -> HttpResponse:
    assert isinstance(request.user, User)
    names, diary = columns_of(found.case), _diary_of(found)
    held = as_table(diary, names) if diary is not None else {}
    is_table = held is not None or bool(typed)
    shown_as = typed if typed else held or {}
    count = (
        (diary.days[-1].date - diary.days[0].date).days + 1
        if diary and held and not typed
        else _count(shown_as)
    )
    start = _start(found, typed or {}, diary)
    lines = [
        Line(each.day, each.cells, (faults or {}).get(each.day, ""))
        for each in lines_of(start, names, shown_as, count)
    ]
    row = followed.work_of(found)
    content = {
        **TEXTS,
        "review": found,
        "patient": found.patient,
        "is_open": found.status == Status.DUE,
        "may_change": found.status == Status.DUE and may(request.user.role, "review.change"),
        "advice": _advice(found.found),
        "decision": DECISIONS.get(found.decision, ""),
        "form": form or DecisionForm(),
        "names": [(name, followed.label(name)) for name in names],
        "lines": lines if is_table else [],
        "start": start.isoformat(),
        "days": len(lines),
        "diary": diary,
        "pasted": pasted or ("" if is_table else found.diary),
        "unread": [(each.row, fault_words(each.why)) for each in unread.left_out] if unread else [],
        "readable": unread.used if unread else 0,
        "wrong": wrong,
        "wrong_import": wrong_import,
        "row": row,
        "is_running": row is not None and row.status in RUNNING and not found.found,
        "next": _next(found),
    }
    return shown(request, "review.html.j2", "Review", content, page="dates", status=status)


def _advice(said: Mapping[str, Any]) -> tuple[str, str]:
    """In words, and in which colour: none where no trial stands behind it."""
    advice, answer = said.get("advice", ""), said.get("answer", {})
    if advice == "continue" and answer.get("fitted") is False:  # as earlier versions kept it
        advice = "cannot_say"
    words, kind = ADVICE.get(advice, ("", ""))
    if advice in ("continue", "too_early", "cannot_say") and answer.get("alarms"):
        return f"{words} See the alarms.", "unsure"
    return words, kind if answer.get("calibrated") == "trials" or kind != "yes" else ""


def _diary_of(found: Review) -> Diary | None:
    """What was kept can be read; where a later version no longer can, its text alone is shown."""
    try:
        return followed.read(found.diary) if found.diary else None
    except DiaryError:
        return None


def _next(found: Review) -> Review | None:
    if found.status == Status.DUE:
        return None
    return (
        Review.objects.filter(case_id=found.case_id, due__gt=found.due, status=Status.DUE)
        .order_by("due")
        .first()
    )


urls = [
    path("reviews/<uuid:id>", review, name="review"),
    path("certificates/<uuid:id>/reviews", review_add, name="review-add"),
]

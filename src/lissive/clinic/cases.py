"""Cases: begin, edit with a draft that saves itself, close."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.views.decorators.http import require_http_methods, require_POST

from lissive.clinic import audit
from lissive.clinic.access import enter
from lissive.clinic.forms import (
    TEXTS,
    CloseForm,
    Texts,
    age_on,
    changed_fields,
    merged,
    note,
    time_text,
    version_of,
    was_of,
)
from lissive.clinic.models import Case, Patient, User
from lissive.clinic.pages import SCRIPTS, said, shown
from lissive.clinic.questions import UNKNOWN, Made, made, sections, state_of, text_of, texts_of, typed_in
from lissive.clinic.treatments import taken_over
from lissive.clinic.work import Closed
from lissive.errors import CaseError
from lissive.report.table import Table, table
from lissive.web.controls import control, label_of
from lissive.web.state import NAME, State

MOST_OF_DRAFT = 20_000


# -- lists -----------------------------------------------------------------------------------------
def case_table(cases: Iterable[Case], may_see: bool, *, named: bool = False) -> Table:
    """Cases as rows; `named`: with their patients, which are loaded with them."""
    rows = []
    for each in cases:
        text = each.patient.name if named else TEXTS["day_text"](timezone.localtime(each.opened).date())
        link = format_html('<a href="{}">{}</a>', reverse("case", args=[each.pk]), text) if may_see else text
        about = (words_of(each, "spasm.cause"), words_of(each, "plan.product")) if may_see else ()
        state = each.get_status_display() + (", draft not saved" if each.draft else "")
        rows.append((link, *about, time_text(each.changed), *([] if named else [state])))
    about_head = "Cause|Product|" if may_see else ""
    head = f"Patient|{about_head}Changed" if named else f"Begun|{about_head}Changed|State"
    return table("Cases", head, rows)


def words_of(case: Case, field: str) -> str:
    """What is saved of a field, in words."""
    value = State(case.data or {}).value(field)
    return "" if value is None else label_of(field, value)


# -- begin -----------------------------------------------------------------------------------------
@require_POST
def case_add(request: HttpRequest, id: UUID) -> HttpResponse:
    """A case with what the patient's record says; the page that follows says what was taken over."""
    patient: Patient = enter(request, "case.add", Patient, id)
    assert isinstance(request.user, User)
    today = timezone.localdate()
    data: dict[str, Any] = {"case": NAME, "as_of": today.isoformat()}
    data["person"] = {"age_years": age_on(patient.born, today)} | (
        {"sex": patient.sex} if patient.sex else {}
    )
    if patient.residence:
        data["place"] = {"residence": patient.residence}
    history = taken_over(patient)
    parts = {"current": list(history.current), "tried": list(history.tried), "outcome": history.outcome}
    if any(parts.values()):
        data["history"] = {name: part for name, part in parts.items() if part}
    with transaction.atomic():
        case = Case.objects.create(patient=patient, data=data, opened_by=request.user)
        _entry(request.user, "case.begun", case)
    return redirect("case-edit", case.pk)


def _entry(user: User, action: str, case: Case, **detail: Any) -> None:
    audit.append(action, user, kind="case", thing=case.pk, patient=case.patient_id, detail=detail)


def stated_by(user: User) -> dict[str, str]:
    """Who states a fact now, as it is kept beside the fact."""
    return {"by": user.shown_name, "as": user.role, "at": timezone.now().isoformat()}


def locked(case: Case) -> Case:
    """The case as it is now, held until the transaction ends. Raises Closed where it is."""
    now = Case.objects.select_for_update().get(pk=case.pk)
    _open(now)
    now.patient = case.patient
    return now


def _open(case: Case) -> None:
    """Before anything is read of a form. Raises Closed."""
    if case.status == Case.Status.CLOSED:
        raise Closed


# -- edit ------------------------------------------------------------------------------------------
@dataclass
class Edit:
    """What the page of a case's questions was sent, or is to be shown with."""

    typed: Texts
    was: Texts
    version: int
    tab: str
    """Random, of this page in this window: its own draft it may write over."""
    over: str = ""
    """The page whose draft it took up."""
    notes: dict[str, str] = field(default_factory=dict)


@require_http_methods(["GET", "HEAD", "POST"])
def case_edit(request: HttpRequest, id: UUID) -> HttpResponse:
    """All questions on one page; what is typed is kept as a draft, and becomes the case when all of it is right."""
    case: Case = enter(request, "case.change", Case, id)
    _open(case)
    try:
        base = state_of(case)
    except CaseError as error:
        return said(request, 409, "This version cannot read the case", str(error).split("\n"))
    if request.method != "POST":
        return _page(request, case, base, _begun(request, case, base))
    edit = _posted(request)
    try:
        return _done(request, case, base, edit)
    except Closed as closed:
        lines = [f"{name}: {text}" for name, text in edit.typed.items() if text != edit.was.get(name, "")]
        return said(
            request, 409, closed.what, ["Not saved. What you had entered, to copy it from here:", *lines]
        )


def _done(request: HttpRequest, case: Case, base: State, edit: Edit) -> HttpResponse:
    """What the button that was pressed asks."""
    do = request.POST.get("do", "save")
    if do == "save":
        return _save(request, case, edit)
    if do == "discard":
        return _discard(request, case, edit)
    if do == "take" and case.draft:
        for name, text in case.draft["said"].items():
            if text == case.draft["was"].get(name, ""):
                continue
            if edit.typed.get(name, "") == edit.was.get(name, ""):
                edit.typed[name] = text
            elif edit.typed[name] != text:
                edit.notes[name] = f"In {_whose(case, request)}: “{text}”."
        edit.over = case.draft["tab"]
    if do == "treatments":
        _take_treatments(case.patient, edit)
    kept = keep_draft(request, case, edit)
    return _page(request, case, base, edit, trouble=kept)


def _begun(request: HttpRequest, case: Case, base: State) -> Edit:
    """The page as it is first shown: with the user's own draft, where there is one."""
    texts, tab, draft = texts_of(base), secrets.token_hex(8), case.draft
    if not draft or draft["user"] != request.user.pk:
        return Edit(texts, texts, case.version, tab)
    edit = Edit({**texts, **draft["said"]}, draft["was"], draft["of"], tab, draft["tab"])
    return edit if edit.version == case.version else _overtaken(edit, case, base)


def _posted(request: HttpRequest) -> Edit:
    post = request.POST
    tab = post.get("tab", "")
    is_ours = len(tab) == 16 and tab.isascii() and tab.isalnum()
    return Edit(
        typed_in(post),
        was_of(post),
        version_of(post),
        tab if is_ours else secrets.token_hex(8),
        post.get("over", ""),
    )


def _overtaken(edit: Edit, case: Case, base: State) -> Edit:
    """The form after somebody else saved: what only they changed is theirs, what was typed here stays."""
    from lissive.clinic.patients import who_changed

    now = texts_of(base)
    typed = {**{name: edit.was.get(name, "") for name in now}, **edit.typed}
    values, kinds = merged(typed, edit.was, now)
    who = who_changed("case.changed", case.pk, case.patient_id)

    def words(name: str, text: str) -> str:
        value = base.value(name) if text == now.get(name) else None
        return "I do not know" if text == UNKNOWN else label_of(name, value) if value is not None else text

    notes = {
        name: note(kind, who, words(name, edit.was.get(name, "")), words(name, now.get(name, "")))
        for name, kind in kinds.items()
    }
    return Edit(values, now, case.version, edit.tab, edit.over, notes)


def _take_treatments(patient: Patient, edit: Edit) -> None:
    """The patient's treatments beside what stands in the form."""
    found = taken_over(patient)
    for name, new in (("history.current", found.current), ("history.tried", found.tried)):
        had = [part.strip() for part in edit.typed.get(name, "").split(",")]
        had = [part for part in had if part not in ("", UNKNOWN, "none")]
        names = {part.split()[0].casefold() for part in had}
        added = [each for each in new if each not in had and each.split()[0].casefold() not in names]
        if had or added:
            edit.typed[name] = ", ".join([*had, *added])


# -- save ------------------------------------------------------------------------------------------
def _save(request: HttpRequest, case: Case, edit: Edit) -> HttpResponse:
    assert isinstance(request.user, User)
    with transaction.atomic():
        now = locked(case)
        base = state_of(now)
        if edit.version != now.version:
            edit = _overtaken(edit, now, base)
            trouble = keep_draft(request, now, edit)
            return _page(request, now, base, edit, status=409, trouble=trouble, is_overtaken=True)
        found = made(base, edit.typed, now.patient.born)
        if found.faults or _on_page(found, edit):
            trouble = keep_draft(request, now, edit)
            return _page(request, now, base, edit, found, status=422, trouble=trouble)
        fields = changed_fields(_flat(base), _flat(found.state))
        now.data, now.passed = dict(found.state.data), sorted(found.state.passed)
        if may_write(now, edit):
            now.draft = None
        if fields:
            now.version += 1
            now.changed = timezone.now()
            now.stated = now.stated | dict.fromkeys(fields, stated_by(request.user))
            _entry(request.user, "case.changed", now, changed=fields, version=now.version)
        now.save(update_fields=["data", "passed", "stated", "draft", "version", "changed"])
    return redirect("case", case.pk)


def _on_page(found: Made, edit: Edit) -> bool:
    """Whether something was answered that no longer applies: then the page says so before it is left out."""
    return any(edit.typed.get(name) for name in found.gone)


def _flat(state: State) -> dict[str, Any]:
    """Each field of the data, and whether it was left open on purpose."""
    flat: dict[str, Any] = {}
    for part, inside in state.data.items():
        flat |= (
            {f"{part}.{k}": v for k, v in inside.items()} if isinstance(inside, Mapping) else {part: inside}
        )
    return {**flat, **dict.fromkeys(state.passed, UNKNOWN)}


# -- draft -----------------------------------------------------------------------------------------
@require_POST
def case_draft(request: HttpRequest, id: UUID) -> HttpResponse:
    """What is typed so far, right or wrong; called by the page after a pause and on leaving a field."""
    # of the pauses in one form no entry each: the page was entered, and the draft's begin is an entry
    case: Case = enter(request, "case.change", Case, id, quiet=True)
    _open(case)
    trouble = keep_draft(request, case, _posted(request))
    if not request.headers.get("HX-Request"):
        return (
            redirect("case-edit", case.pk)
            if not trouble
            else said(request, 409, "Not kept as a draft", [trouble])
        )
    text = trouble or f"Saved as a draft at {time_text(timezone.now())}."
    content = {"text": text, "is_trouble": bool(trouble)}
    return shown(request, "draft.html.j2", "Draft", content, status=409 if trouble else 200)


def may_write(case: Case, edit: Edit) -> bool:
    """Whether the draft that is there is of this page, or of one that it took up."""
    return not case.draft or case.draft["tab"] in (edit.tab, edit.over)


def keep_draft(request: HttpRequest, case: Case, edit: Edit) -> str:
    """Keep what is typed; or say why it is not kept."""
    assert isinstance(request.user, User)
    if "\0" in "".join(edit.typed.values()):
        return "Not kept as a draft: it holds a character that cannot be printed. Type it anew."
    if (size := sum(map(len, edit.typed.values()))) > MOST_OF_DRAFT:
        return f"Not kept as a draft: it has {size:,} characters, and at most {MOST_OF_DRAFT:,} are kept."
    with transaction.atomic():
        now = locked(case)
        if not may_write(now, edit):
            return f"Not kept as a draft: {_whose(now, request)} is there. Save, or take it up or discard it first."
        is_new = not now.draft or now.draft["user"] != request.user.pk
        now.draft = {
            "said": edit.typed,
            "was": edit.was,
            "of": edit.version,
            "tab": edit.tab,
            "user": request.user.pk,
            "who": request.user.shown_name,
            "at": timezone.now().isoformat(),
        }
        now.changed = timezone.now()
        now.save(update_fields=["draft", "changed"])
        if is_new:
            _entry(request.user, "draft.begun", now)
    case.draft = now.draft
    return ""


def _whose(case: Case, request: HttpRequest) -> str:
    draft = case.draft or {}
    if draft.get("user") == request.user.pk:
        return f"your draft of {time_text(draft['at'])} from another window"
    return f"{draft.get('who')}'s draft of {time_text(draft['at'])}"


def _discard(request: HttpRequest, case: Case, edit: Edit) -> HttpResponse:
    """The draft that the page shows or names goes; nothing else does."""
    assert isinstance(request.user, User)
    with transaction.atomic():
        now = locked(case)
        if now.draft and now.draft["tab"] in (edit.tab, edit.over, request.POST.get("of", "")):
            now.draft, now.changed = None, timezone.now()
            now.save(update_fields=["draft", "changed"])
            _entry(request.user, "draft.discarded", now)
    return redirect("case-edit", case.pk)


# -- the page --------------------------------------------------------------------------------------
def _page(
    request: HttpRequest,
    case: Case,
    base: State,
    edit: Edit,
    found: Made | None = None,
    *,
    status: int = 200,
    trouble: str = "",
    is_overtaken: bool = False,
) -> HttpResponse:
    """`found` where it was saved and refused: only then are faults said."""
    is_tried = found is not None
    found = found or made(base, edit.typed, case.patient.born)
    parts = sections(found if is_tried else Made(found.state, {}, ()), edit.typed, edit.notes)
    labels = {each.control.field: each.control.ask for part in parts for each in (*part.asked, *part.rest)}
    said_faults = found.faults if is_tried else {}
    draft, mine = case.draft, may_write(case, edit)
    taken = taken_over(case.patient)
    content = {
        **TEXTS,
        "scripts": (*SCRIPTS, "edit.js"),
        "case": case,
        "patient": case.patient,
        "edit": edit,
        "parts": parts,
        "faults": [(name, f"{labels.get(name, name)} {text}") for name, text in said_faults.items()],
        "gone": [_ask(name, base) for name in found.gone],
        "age": found.state.value("person.age_years"),
        "draft": draft if mine else None,
        "other": None if mine or draft is None else {"whose": _whose(case, request), "tab": draft["tab"]},
        "is_overtaken": is_overtaken or bool(edit.notes),
        "is_tried": is_tried,
        "is_unsure": is_tried and not found.faults and _on_page(found, edit),
        "trouble": trouble,
        "taken": taken,
        "is_begun": case.version == 1 and not draft,
        "has_treatments": bool(taken.current or taken.tried or taken.left),
        "has_case": case.version > 1,
    }
    return shown(request, "case_edit.html.j2", "Edit the case", content, page="patients", status=status)


def _ask(name: str, state: State) -> str:
    from lissive.case.ask import every_question

    one = next((each for each in every_question() if each.field == name), None)
    said = text_of(state, name)
    return f"{control(one, state).ask if one else name}{f' ({label_of(name, state.value(name))})' if said else ''}"


# -- close -----------------------------------------------------------------------------------------
@require_http_methods(["GET", "HEAD", "POST"])
def case_close(request: HttpRequest, id: UUID) -> HttpResponse:
    """Close a case with a reason; from then on it is read only. A draft has to be saved or discarded first."""
    case: Case = enter(request, "case.close", Case, id)
    _open(case)
    form = CloseForm(request.POST if request.method == "POST" else None)

    def again(status: int, draft: str = "") -> HttpResponse:
        content = {**TEXTS, "case": case, "patient": case.patient, "form": form, "draft": draft}
        return shown(request, "case_close.html.j2", "Close the case", content, page="patients", status=status)

    if request.method != "POST":
        return again(200)
    assert isinstance(request.user, User)
    with transaction.atomic():
        now = locked(case)
        if now.draft:
            return again(409, _whose(now, request))
        if not form.is_valid():
            return again(422)
        now.status, now.closed, now.closed_why = Case.Status.CLOSED, timezone.now(), form.cleaned_data["why"]
        now.changed = timezone.now()
        now.save(update_fields=["status", "closed", "closed_why", "changed"])
        _entry(request.user, "case.closed", now)
    return redirect("case", case.pk)


urls = [
    path("patients/<uuid:id>/cases", case_add, name="case-add"),
    path("cases/<uuid:id>/edit", case_edit, name="case-edit"),
    path("cases/<uuid:id>/draft", case_draft, name="case-draft"),
    path("cases/<uuid:id>/close", case_close, name="case-close"),
]

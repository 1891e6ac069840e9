"""The page of a visit: what is open on top, then its sections, each of which saves by itself."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import path, reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from lissive.access import Answer
from lissive.case import make_case
from lissive.clinic import audit
from lissive.clinic.access import enter
from lissive.clinic.cases import locked as locked_case
from lissive.clinic.cases import stated_by
from lissive.clinic.forms import TEXTS, Form, Text, age_on, day_text, merged, note, place_text, was_of
from lissive.clinic.intake.done import corrections, unsent
from lissive.clinic.models import Case, Credential, User, Visit
from lissive.clinic.pages import said, shown
from lissive.clinic.rights import may
from lissive.clinic.visit.law import credentials_on
from lissive.clinic.visit.moves import MOVES, WITH_REASON, move
from lissive.clinic.visit.queue import KINDS, link_to, on_of
from lissive.clinic.visit.record import FINAL, Overtaken, Refused, kind_of, stamp, write
from lissive.clinic.visit.sections import Section, facts_for_case, sections, start
from lissive.clinic.visit.standing import (
    Block,
    answer_of,
    blocks_of,
    current,
    held,
    place_of,
    unread,
    where_of,
)
from lissive.clinic.zones import clock_text, typed
from lissive.errors import CaseError, RuleError
from lissive.report.words import upper_first

S = Visit.Status
BY_HAND = {S.READY: "Back to ready", S.NO_SHOW: "The patient did not come", S.IN_VISIT: "Back into the visit"}
"""Moves that the page offers beside its way forward."""


@require_safe
def visit(request: HttpRequest, id: UUID) -> HttpResponse:
    found: Visit = enter(request, "visit.see", Visit, id)
    return _page(request, found)


@require_POST
def visit_record(request: HttpRequest, id: UUID) -> HttpResponse:
    """One section as it was sent: kept, or shown again with what is wrong or what somebody else saved meanwhile."""
    found: Visit = enter(request, "visit.change", Visit, id)
    return _saved(request, found, request.POST.get("section", ""), "visit")


@require_POST
def visit_move(request: HttpRequest, id: UUID) -> HttpResponse:
    found: Visit = enter(request, "visit.change", Visit, id)
    return _moved(request, found, "visit")


@require_http_methods(["GET", "HEAD", "POST"])
def visit_front(request: HttpRequest, id: UUID) -> HttpResponse:
    """What the front desk does for a visit: place, identity, who did not come."""
    found: Visit = enter(request, "visit.front", Visit, id)
    if request.method != "POST":
        return _front(request, found)
    if "to" in request.POST:
        return _moved(request, found, "visit-front")
    return _saved(request, found, "start", "visit-front")


# -- save ------------------------------------------------------------------------------------------
def _saved(request: HttpRequest, found: Visit, name: str, page: str) -> HttpResponse:
    user = _user(request)
    one = next((each for each in _sections(found, page) if each.name == name), None)
    if one is None:
        lines = ["This form is not, or no longer, on the page of the visit.", "Open the visit again."]
        return said(request, 422, "Nothing was saved", lines)
    form = one.bound({each: request.POST.get(each, "") for each in one.fields})
    if not form.is_valid():
        return _again(
            request, found, page, _Tried(name, form, was_of(request.POST), _stamps(request.POST)), 422
        )
    parts = one.kept({key: _plain(value) for key, value in form.cleaned_data.items()})
    do = request.POST.get("do", "") if page == "visit" else ""  # the front desk begins and ends no visit
    try:
        with transaction.atomic():
            now = write(found, parts, user, _stamps(request.POST))
            tell_case(now, facts_for_case(now, parts), user)
            if do == "start" and now.status not in (S.IN_VISIT, S.TO_SIGN):
                move(now, S.IN_VISIT, user)
            elif do == "end":
                move(now, S.TO_SIGN, user)
    except Overtaken as late:
        return _again(request, late.now, page, _tried_again(late, one, form, request), 409)
    except (Refused, CaseError) as error:
        return _again(
            request, found, page, _Tried(name, form, was_of(request.POST), {}, trouble=str(error)), 409
        )
    decide = link_to("decision", found.pk) if do == "end" else ""
    return redirect(f"{decide or reverse(page, args=[found.pk])}#main")  # else the form's own fragment stays


class _Tried:
    """A form that was sent and not kept: what is wrong, or what somebody else saved."""

    def __init__(
        self,
        section: str,
        form: Form,
        was: Mapping[str, str],
        stamps: Mapping[str, str],
        *,
        notes: Mapping[str, str] | None = None,
        who: str = "",
        trouble: str = "",
    ) -> None:
        self.section, self.form, self.was, self.stamps = section, form, was, stamps
        self.notes, self.who, self.trouble = notes or {}, who, trouble


def _tried_again(late: Overtaken, one: Section, form: Form, request: HttpRequest) -> _Tried:
    """The form after somebody else saved: what only they changed is theirs, what was typed here stays."""
    fresh = next(each for each in _sections(_whole(late.now), "visit") if each.name == one.name)
    was, now = was_of(request.POST), fresh.values
    values, kinds = merged(form.typed(), was, now)
    notes = {name: note(kind, late.who, was.get(name, ""), now.get(name, "")) for name, kind in kinds.items()}
    stamps = {part: stamp(late.now, part) for part in fresh.parts}
    return _Tried(one.name, fresh.bound(values), now, stamps, notes=notes, who=late.who)


def _stamps(posted: Mapping[str, str]) -> dict[str, str]:
    """When each part had been written last, as the form began."""
    try:
        found = json.loads(posted.get("stamps", "")[:2_000])
    except (ValueError, RecursionError):
        return {}
    return {str(k): str(v) for k, v in found.items()} if isinstance(found, dict) else {}


def _plain(value: Any) -> Any:
    return value.isoformat() if hasattr(value, "isoformat") else "" if value is None else value


def tell_case(visit: Visit, facts: Mapping[str, Any], user: User) -> None:
    """What the practitioner stated in the visit, into its case; a closed one stays as it is."""
    if not facts or visit.case is None or visit.case.status == Case.Status.CLOSED:
        return
    case = locked_case(visit.case)
    try:
        make_case(case.data)
    except (
        CaseError
    ):  # by another version, or not begun: its own page says so, and the record is kept all the same
        return
    data = json.loads(json.dumps(case.data))
    changed = []
    for name, value in facts.items():
        part, _, inner = name.partition(".")
        data[part] = inside = data.get(part) or {}
        if inside.get(inner) != value:
            inside[inner] = value
            changed.append(name)
    if not changed:
        return
    make_case(data)
    case.data, case.version, case.changed = data, case.version + 1, timezone.now()
    case.stated = case.stated | dict.fromkeys(changed, stated_by(user))
    case.save(update_fields=["data", "version", "changed", "stated"])
    detail = {"changed": changed, "version": case.version}
    audit.append("case.changed", user, kind="case", thing=case.pk, patient=case.patient_id, detail=detail)
    visit.case = case


class Why(Form):
    why = Text("Reason", 500)


# -- move ------------------------------------------------------------------------------------------
def _moved(request: HttpRequest, found: Visit, page: str) -> HttpResponse:
    to, form = request.POST.get("to", ""), Why(request.POST)
    offered = [
        state for state, _, _ in _moves(found, tuple(BY_HAND) if page == "visit" else _front_moves(found))
    ]
    try:
        if to not in offered and (page, to) != ("visit", S.TO_SIGN):
            raise Refused("This page does not offer that.", do="choose one of the steps below.")
        if not form.is_valid():
            raise Refused(form.fault("why"))
        move(found, to, _user(request), form.cleaned_data["why"])
    except Refused as error:
        return _again(request, found, page, _Tried("move", form, form.typed(), {}, trouble=str(error)), 409)
    return redirect(page, found.pk)


# -- the page --------------------------------------------------------------------------------------
def _user(request: HttpRequest) -> User:
    assert isinstance(request.user, User)
    return request.user


def _whole(found: Visit) -> Visit:
    """The visit with all that its blocks rest on, in one query more."""
    whole = Visit.objects.select_related("patient", "case", "practitioner", "decision", "intake")
    return whole.prefetch_related("practitioner__credentials").get(pk=found.pk)


def _answer(found: Visit) -> Answer | None:
    try:
        return answer_of(found, on_of(found.day, timezone.localdate())) if found.case else None
    except (CaseError, RuleError):
        return None


def _before(found: Visit) -> Visit | None:
    """The patient's last visit that was carried through."""
    earlier = found.patient.visits.filter(status__in=(S.DONE, S.TO_SIGN, S.DECLINED), starts__lt=found.starts)
    return earlier.exclude(pk=found.pk).order_by("-starts").first()


def _sections(found: Visit, page: str) -> list[Section]:
    whole = _whole(found)
    if page == "visit-front":
        return [start(whole, _before(whole))]
    return sections(whole, _answer(whole), _before(whole))


def _again(request: HttpRequest, found: Visit, page: str, tried: _Tried, status: int) -> HttpResponse:
    shows = _front if page == "visit-front" else _page
    return shows(request, found, tried, status)


def _front_moves(found: Visit) -> tuple[str, ...]:
    return (S.NO_SHOW,) if found.status == S.IN_VISIT else (S.NO_SHOW, S.READY)


def _front(
    request: HttpRequest, found: Visit, tried: _Tried | None = None, status: int = 200
) -> HttpResponse:
    whole = _whole(found)
    one = start(whole, _before(whole))
    content = {
        **_top(request, whole),
        "sections": [_shown(whole, one, tried, is_open=True)],
        "moves": _moves(whole, _front_moves(whole)),
        "tried": tried,
        "action": reverse("visit-front", args=[whole.pk]),
        "move_action": reverse("visit-front", args=[whole.pk]),
    }
    return shown(request, "visit_front.html.j2", "Visit", content, page="queue", status=status)


def _page(request: HttpRequest, found: Visit, tried: _Tried | None = None, status: int = 200) -> HttpResponse:
    whole = _whole(found)
    on, answer = on_of(whole.day, timezone.localdate()), _answer(whole)
    blocks = () if whole.status in FINAL else blocks_of(whole, on)
    every = sections(whole, answer, _before(whole))
    next_one = next((each.name for each in every if not each.is_done(whole)), "")
    at = tried.section if tried else request.GET.get("open") or next_one
    content = {
        **_top(request, whole),
        "answer": answer,
        "bottom": _bottom(whole, blocks),
        "against": [each for each in blocks if not each.is_open],
        "to_do": [(each, _anchor(whole, each, every)) for each in blocks if each.is_open],
        "sections": [_shown(whole, each, tried, is_open=each.name == at) for each in every],
        "unread": corrections(whole)[-len(unread(whole)) :] if unread(whole) else [],
        "unsent": unsent(whole),
        "last": every[-1].name,
        "credentials": list(_credentials(whole, on)),
        "consents": list(whole.consents.order_by("at")),
        "moves": _moves(whole, tuple(BY_HAND)),
        "tried": tried,
        "may_change": may(_user(request).role, "visit.change") and whole.status not in FINAL,
        "action": reverse("visit-record", args=[whole.pk]),
        "move_action": reverse("visit-move", args=[whole.pk]),
        "decide": link_to("decision", whole.pk),
        "said": link_to("intake-said", whole.pk) if hasattr(whole, "intake") and whole.intake.done else "",
        "renewal": link_to("renewal", whole.pk) if whole.renews_id else "",
        "all_done": next_one == "",
    }
    return shown(request, "visit.html.j2", "Visit", content, page="queue", status=status)


def _top(request: HttpRequest, found: Visit) -> dict[str, Any]:
    facts = [
        f"{day_text(found.day)}, {clock_text(found.starts)}",
        found.get_kind_display(),
        found.practitioner.name,
    ]
    spans = [clock_text(each) for each in (found.began, found.ended) if each]
    began = f"Began {spans[0]}" + (f", ended {spans[1]}" if len(spans) > 1 else "") if spans else ""
    return {
        **TEXTS,
        "upper_first": upper_first,
        "visit": found,
        "booking": link_to("booking", found.pk) if may(_user(request).role, "visit.book") else "",
        "patient": found.patient,
        "age": age_on(found.patient.born, found.day),
        "place": place_text(place_of(found)),
        "where": place_text(where_of(found)),
        "facts_line": " · ".join(facts),
        "began": began,
        "state_kind": KINDS.get(S(found.status), ""),
        "may": lambda right: may(_user(request).role, right),
        "video": found.practitioner.video_url
        if kind_of(found) == "video" and found.status not in FINAL
        else "",
        "may_change": found.status not in FINAL,
    }


def _bottom(found: Visit, blocks: Sequence[Block]) -> tuple[str, str]:
    """The answer of the page, and its kind."""
    if found.status in FINAL:
        why = f" {found.ended_why}" if found.ended_why else ""
        return f"{found.get_status_display()}.{why}", ""
    against = [each for each in blocks if not each.is_open]
    if against:
        more = f" {len(against) - 1} more below." if len(against) > 1 else ""
        return f"Cannot be signed as it is. {against[0].why}{more}", "no"
    if blocks:
        return f"{len(blocks)} point{'' if len(blocks) == 1 else 's'} open before a signature.", "unsure"
    return "Nothing stands against a signature.", "yes"


def _anchor(found: Visit, block: Block, every: Sequence[Section]) -> str:
    """Where an open point is settled."""
    for each in every:
        if block.part in each.parts:
            return f"?open={each.name}#{each.name}"
    if block.part == "renewal":
        return link_to("renewal", found.pk)
    if block.part == "answers":
        return link_to("intake-said", found.pk)
    if block.part == "corrections":
        return f"{reverse('visit', args=[found.pk])}#corrected"
    if block.part == "decision":
        return link_to("decision", found.pk)
    if block.part == "case":
        return reverse("case-edit", args=[found.case_id]) if found.case_id else ""
    return link_to("decision-second", found.pk) if block.part == "second" else ""


def _shown(found: Visit, one: Section, tried: _Tried | None, *, is_open: bool) -> dict[str, Any]:
    mine = tried if tried and tried.section == one.name else None
    return {
        "section": one,
        "form": mine.form if mine else one.bound(None),
        "was": mine.was if mine else one.values,
        "stamps": dict(mine.stamps)
        if mine and mine.stamps
        else {part: stamp(found, part) for part in one.parts},
        "notes": mine.notes if mine else {},
        "who": mine.who if mine else "",
        "is_open": is_open,
        "is_done": one.is_done(found),
        "said": _said(found, one),
    }


def _said(found: Visit, one: Section) -> list[tuple[str, str]]:
    """What is recorded of a section, in words, with who wrote it."""
    rows = []
    for name, field in one.fields.items():
        text = one.values.get(name, "")
        choices = dict(getattr(field, "choices", ()))
        if text and one.is_done(found):
            rows.append((str(field.label), str(choices[text]) if text in choices else typed(text)))
    stamps = [found.record[part] for part in one.parts if part in found.record]
    if stamps and one.is_done(found):
        last = max(stamps, key=lambda each: each["at"])
        rows.append(("Recorded", f"{last['by']}, {TEXTS['time_text'](last['at'])}"))
    return rows


def _moves(found: Visit, offered: Sequence[str]) -> list[tuple[str, str, bool]]:
    """What else may follow: state, words, whether a reason is asked."""
    states = [each for each in offered if each in MOVES[found.status]]
    if found.status in (S.BOOKED, S.INTAKE, S.READY):
        states = [each for each in states if each == S.NO_SHOW]
    return [(each, BY_HAND[S(each)], (found.status, each) in WITH_REASON) for each in states]


def _credentials(found: Visit, on: Any) -> Any:
    """What the practitioner has to hold: its name, what is on record, and whether it holds."""
    place = place_of(found)
    if not place:
        return
    try:
        kinds = [Credential.Kind.LICENCE, *credentials_on(place, on)]
    except RuleError:
        kinds = [Credential.Kind.LICENCE]
    for kind in dict.fromkeys(kinds):
        one = current(found.practitioner, kind, place, on)
        last = one or next(iter(held(found.practitioner, kind, place)), None)
        ends = (
            "" if last is None else f", to {day_text(last.expires)}" if last.expires else ", no day of expiry"
        )
        text = f"{last.number or 'number not recorded'}{ends}" if last else "Not on record"
        yield Credential.Kind(kind).label, text, one is not None


urls = [
    path("visits/<uuid:id>", visit, name="visit"),
    path("visits/<uuid:id>/record", visit_record, name="visit-record"),
    path("visits/<uuid:id>/move", visit_move, name="visit-move"),
    path("visits/<uuid:id>/front", visit_front, name="visit-front"),
]

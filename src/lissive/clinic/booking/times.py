"""The times that can be booked: opened by day, taken back one by one."""

from __future__ import annotations

import datetime
from typing import Any
from uuid import UUID

from django import forms
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import path
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from lissive.clinic import audit
from lissive.clinic.access import enter, of_clinic
from lissive.clinic.booking.public import KINDS
from lissive.clinic.booking.take import when
from lissive.clinic.forms import TEXTS, Choice, Day, Form
from lissive.clinic.models import Practitioner, Slot, User, VisitKind
from lissive.clinic.pages import shown
from lissive.clinic.patients import page_of


class Clock(forms.TimeField):
    def __init__(self, label: str) -> None:
        wrong = f"{label}: this is no time. Write it as 09:30."
        widget = forms.TimeInput(attrs={"type": "time"})
        super().__init__(
            label=label,
            input_formats=["%H:%M"],
            widget=widget,
            error_messages={"invalid": wrong, "required": wrong},
        )


class SlotsForm(Form):
    practitioner = Choice("Practitioner", list, required=True)
    day = Day("Day", required=True)
    begin = Clock("From")
    end = Clock("To")
    minutes = Choice("Minutes of a visit", [(f"{n}", f"{n}") for n in (15, 20, 30, 45, 60)], required=True)
    kinds = forms.MultipleChoiceField(
        label="How", choices=VisitKind.choices, error_messages={"required": "How: choose at least one."}
    )

    def __init__(self, people: list[Practitioner], *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        options = [(str(each.pk), each.name) for each in people]
        self.fields["practitioner"].choices = [("", "Choose"), *options]  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        found = super().clean() or {}
        day, begin, end = (found.get(name) for name in ("day", "begin", "end"))
        if begin and end and end <= begin:
            self.add_error("end", "To: it has to be after the beginning.")
        if day and day < timezone.localdate():
            self.add_error("day", "Day: it is in the past.")
        if day and day > timezone.localdate() + datetime.timedelta(days=366):
            self.add_error("day", "Day: it is more than a year ahead.")
        if not self.errors and not self.times():
            self.add_error("end", "To: not one visit fits in.")
        return found

    def times(self) -> list[datetime.datetime]:
        """When each visit begins, in the clinic's zone; an hour that the clocks skip or repeat is met once."""
        given, minutes = self.cleaned_data, int(self.cleaned_data["minutes"])
        zone = timezone.get_current_timezone()
        begin, end = (datetime.datetime.combine(given["day"], given[name]) for name in ("begin", "end"))
        step = datetime.timedelta(minutes=minutes)
        found = [(begin + k * step).replace(tzinfo=zone) for k in range((end - begin) // step)]
        return list(dict.fromkeys(each.astimezone(datetime.UTC) for each in found))


@require_http_methods(["GET", "HEAD", "POST"])
def slots(request: HttpRequest) -> HttpResponse:
    """Open times of one practitioner on one day; below, the times to come."""
    user: User = enter(request, "slot.change", quiet=request.method != "POST")
    people = list(of_clinic(user, Practitioner).filter(user__is_active=True).order_by("name")[:200])
    form = SlotsForm(people, initial={"minutes": "20", "day": timezone.localdate().isoformat()})
    said = request.session.pop("slots", "")
    if request.method == "POST":
        form = SlotsForm(people, request.POST)
        if form.is_valid():
            request.session["slots"] = _opened(user, form)
            return redirect("slots")
    found = of_clinic(user, Slot).filter(starts__gt=timezone.now()).select_related("practitioner", "visit")
    listed = page_of(found.order_by("starts", "practitioner__name", "pk"), request.GET.get("page"))
    content = {
        **TEXTS, "form": form, "said": said, "listed": listed, "when": when, "kinds": KINDS,
        "chosen": request.POST.getlist("kinds") if request.method == "POST" else ["video"],
        "zone": timezone.get_current_timezone_name(),
    }  # fmt: skip
    status = 422 if form.is_bound else 200
    return shown(request, "booking_slots.html.j2", "Times", content, page="practitioners", status=status)


def _opened(user: User, form: SlotsForm) -> str:
    """What was opened, and what was left out because it would lie over another time; a sentence."""
    given = form.cleaned_data
    who = of_clinic(user, Practitioner).get(pk=given["practitioner"])
    minutes, times = int(given["minutes"]), form.times()
    with transaction.atomic():
        there = Slot.objects.filter(
            practitioner=who,
            starts__gte=times[0] - datetime.timedelta(hours=2),
            starts__lt=times[-1] + datetime.timedelta(hours=2),
        )
        taken = [(each.starts, each.starts + datetime.timedelta(minutes=each.minutes)) for each in there]
        long = datetime.timedelta(minutes=minutes)
        free = [
            at
            for at in times
            if at > timezone.now() and all(at >= end or at + long <= begin for begin, end in taken)
        ]
        Slot.objects.bulk_create(
            Slot(practitioner=who, starts=at, minutes=minutes, kinds=given["kinds"]) for at in free
        )
        audit.append("slots.opened", user, kind="practitioner", thing=who.pk, detail={"count": len(free)})
    left = len(times) - len(free)
    text = f"{len(free)} time{'' if len(free) == 1 else 's'} opened for {who.name}."
    return text + (f" {left} left out: in the past, or over a time that is there already." if left else "")


@require_POST
def slot_close(request: HttpRequest, id: UUID) -> HttpResponse:
    """A time that nobody took is taken back."""
    slot: Slot = enter(request, "slot.change", Slot, id)
    assert isinstance(request.user, User)
    with transaction.atomic():
        gone, _ = Slot.objects.filter(pk=slot.pk, visit__isnull=True).delete()
        if gone:
            audit.append("slot.closed", request.user, kind="slot", thing=slot.pk)
    request.session["slots"] = (
        "The time was taken back." if gone else "The time is booked: move or cancel the visit."
    )
    return redirect("slots")


urls = [
    path("times", slots, name="slots"),
    path("times/<uuid:id>/close", slot_close, name="slot-close"),
]

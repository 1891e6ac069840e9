"""The trail as it is read: who, when and what in plain words, a filter, and pages of it."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils import timezone

from lissive.clinic.access import of_clinic
from lissive.clinic.forms import day_text
from lissive.clinic.models import Entry, User
from lissive.clinic.rights import ROLES, rights
from lissive.clinic.zones import clock_text
from lissive.report.words import upper_first

Entries = QuerySet[Entry, Entry]
_LATEST = 2000


# -- in words ---------------------------------------------------------------------------------------
def day_words(at: datetime.datetime) -> str:
    return day_text(timezone.localtime(at).date())


def time_words(at: datetime.datetime, seconds: bool = False) -> str:
    return clock_text(at, seconds=seconds)


_ACTIONS = {
    "refused": "Refused: the role does not have the right",
    "not found": "Asked for something that is not there",
    "audit.exported": "The audit was exported",
    "patient.exported": "The record was exported",
    "patient.deleted": "The record was deleted",
    "patient.hold-set": "A legal hold was set",
    "patient.hold-lifted": "The legal hold was lifted",
}


def action_words(action: str) -> str:
    """A right by what it is of, every other action by its name.

    >>> action_words("document.see"), action_words("patient.changed")
    ('A kept document', 'Patient changed')
    """
    if action in _ACTIONS:
        return _ACTIONS[action]
    return upper_first(rights()[action]["what"] if action in rights() else action.replace(".", " "))


def detail_words(detail: Mapping[str, Any]) -> str:
    """What changed, by name."""
    return "; ".join(
        _listed(value) if key == "right" else f"{key}: {_listed(value)}" for key, value in detail.items()
    )


def _listed(value: Any) -> str:
    if isinstance(value, str) and value in rights():
        return rights()[value]["what"]
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


@dataclass(frozen=True)
class Looked:
    """What one person did one after another with a record, on one day."""

    first: Entry
    """The latest: entries come newest first."""
    last: Entry
    times: int

    @property
    def when(self) -> str:
        until, since = time_words(self.first.at), time_words(self.last.at)
        return f"{day_words(self.first.at)}, {since if since == until else f'{since}–{until}'}"

    @property
    def what(self) -> str:
        return action_words(self.first.action)


def together(entries: Iterable[Entry]) -> Iterator[Looked]:
    """Entries, newest first; those of one person, one action and one day that follow each other as one."""

    def same(entry: Entry) -> tuple[Any, ...]:
        return (timezone.localtime(entry.at).date(), entry.user, entry.who, entry.role, entry.action)

    for _, some in groupby(entries, same):
        listed = list(some)
        yield Looked(listed[0], listed[-1], len(listed))


def role_words(entry: Entry) -> str:
    return ROLES.get(entry.role, entry.role)


# -- a filter ---------------------------------------------------------------------------------------
def of_organisation(user: User) -> Entries:
    return Entry.objects.filter(organisation=user.organisation_id).order_by("-pk")


class Filter(forms.Form):
    """Which entries are asked for; the fields are named as on the page."""

    since = forms.DateField(required=False)
    until = forms.DateField(required=False)
    who = forms.TypedChoiceField(required=False, coerce=int, empty_value=None)
    action = forms.ChoiceField(required=False)
    patient = forms.UUIDField(required=False)
    before = forms.IntegerField(required=False, min_value=1, max_value=2**63 - 1)

    def __init__(self, data: Mapping[str, str] | None, user: User) -> None:
        super().__init__(data or {})
        self.entries = of_organisation(user)
        staff = of_clinic(user, User).exclude(role="patient").order_by("first_name", "username")
        actions = {*rights(), *self.entries.values_list("action", flat=True)[:_LATEST]}
        self.options = {
            "who": [
                ("", "Anybody"),
                *((str(each.pk), f"{each.shown_name}, {each.username}") for each in staff),
            ],
            "action": [
                ("", "Anything"),
                *sorted(((each, action_words(each)) for each in actions), key=_label),
            ],
        }
        for name, field in self.fields.items():
            if name in self.options:
                field.choices = self.options[name]  # type: ignore[attr-defined]
        for name, said in _WRONG.items():
            self.fields[name].error_messages |= dict.fromkeys(("invalid", "invalid_choice"), said)

    def clean(self) -> None:
        since, until = self.cleaned_data.get("since"), self.cleaned_data.get("until")
        if since and until and until < since:
            self.add_error(
                "until", "The last day is before the first. Allowed: the same day, or a later one."
            )

    def found(self) -> Entries:
        asked, entries = self.cleaned_data, self.entries
        if asked["since"]:
            entries = entries.filter(at__gte=_midnight(asked["since"]))
        if asked["until"]:
            entries = entries.filter(at__lt=_midnight(asked["until"], 1))
        if asked["who"] is not None:
            entries = entries.filter(user=asked["who"])
        for name in ("action", "patient"):
            if asked[name]:
                entries = entries.filter(**{name: asked[name]})
        return entries.filter(pk__lt=asked["before"]) if asked["before"] else entries


_WRONG = {
    "since": "This is no day. Allowed: a date as 2026-11-29.",
    "until": "This is no day. Allowed: a date as 2026-11-29.",
    "who": "Nobody of this clinic. Choose one of the list.",
    "action": "No action of the trail. Choose one of the list.",
    "patient": "This is no key. It is in the address of the patient's pages, as 1b4e28ba-2fa1-41d2-883f-0016d3cca427.",
}


def wrong_of(form: forms.Form) -> dict[str, str]:
    """What is wrong, by field."""
    return {name: " ".join(map(str, said)) for name, said in form.errors.items()}


def _label(option: tuple[str, str]) -> str:
    return option[1]


def _midnight(day: datetime.date, later: int = 0) -> datetime.datetime:
    try:
        day += datetime.timedelta(days=later)
        return timezone.make_aware(datetime.datetime.combine(day, datetime.time()))
    except OverflowError:  # the first or last day that there is
        return datetime.datetime.max.replace(tzinfo=datetime.UTC)

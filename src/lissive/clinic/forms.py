"""Forms of patients, treatments and cases: what may be typed, in which words it is refused, and what happens to a form
that was overtaken by somebody else's change."""

from __future__ import annotations

import datetime
import difflib
import json
import unicodedata
from collections.abc import Mapping
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone

from lissive import usage
from lissive.access.rule import rules
from lissive.clinic import zones
from lissive.clinic.models import Patient, Treatment, folded

Texts = dict[str, str]
OLDEST_YEARS = 120


# -- days and times as they are read ---------------------------------------------------------------
def day_text(day: datetime.date | None) -> str:
    """In the usage of the clinic.

    >>> day_text(datetime.date(2026, 11, 29))
    '29 November 2026'
    """
    return "" if day is None else usage.day_text(day, us=zones.here_is_us())


def weekday_text(day: datetime.date) -> str:
    """A day with its name: Sunday 29 November 2026, in the United States Sunday, November 29, 2026."""
    return f"{day:%A}{',' if zones.here_is_us() else ''} {day_text(day)}"


def time_text(at: datetime.datetime | str) -> str:
    """The clock alone today, with the day before that."""
    moment = timezone.localtime(datetime.datetime.fromisoformat(at) if isinstance(at, str) else at)
    clock = zones.clock_text(moment)
    return clock if moment.date() == timezone.localdate() else f"{day_text(moment.date())}, {clock}"


def age_on(born: datetime.date, day: datetime.date) -> int:
    """Whole years; who was born on 29 February is a year older on 1 March.

    >>> age_on(datetime.date(1974, 3, 1), datetime.date(2026, 2, 28))
    51
    """
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))


TEXTS: Mapping[str, Any] = {
    "day_text": day_text,
    "time_text": time_text,
    "clock_text": zones.clock_text,
    "localtime": timezone.localtime,
    "age_on": age_on,
    "is_day": lambda text: not text or is_day(text),
}
"""What the templates of these pages call."""


def places() -> list[tuple[str, str]]:
    found = sorted(rules().values(), key=lambda each: (not each.code.startswith("US"), each.name))
    return [(each.code, each.name) for each in found]


def place_text(code: str) -> str:
    return dict(places()).get(code, code)


# -- fields ----------------------------------------------------------------------------------------
def _no_control(text: str) -> None:
    if any(unicodedata.category(each) in ("Cc", "Zl", "Zp") and each not in "\r\n\t" for each in text):
        raise ValidationError("It holds a character that cannot be printed. Type it anew.")


def _empty(label: str) -> str:
    return "Answer this question." if label.endswith("?") else f"Enter the {label[:1].lower()}{label[1:]}."


class Text(forms.CharField):
    """A text of one line, or of several."""

    def __init__(
        self, label: str, most: int, *, required: bool = False, lines: bool = False, hint: str = ""
    ) -> None:
        super().__init__(
            label=label,
            required=required,
            max_length=most,
            help_text=hint,
            validators=[_no_control],
            widget=forms.Textarea if lines else forms.TextInput,
            error_messages={
                "required": _empty(label),
                "max_length": f"{label}: at most %(limit_value)d characters (it has %(show_value)d).",
            },
        )


class Day(forms.DateField):
    """A calendar day, kept as a plain date."""

    def __init__(self, label: str, *, required: bool = False, hint: str = "") -> None:
        super().__init__(
            label=label,
            required=required,
            help_text=hint,
            input_formats=["%Y-%m-%d"],
            widget=forms.DateInput(attrs={"type": "date"}),
            error_messages={
                "required": _empty(label),
                "invalid": f"{label}: this is no day. Write it as 1974-03-01.",
            },
        )


class Choice(forms.ChoiceField):
    def __init__(self, label: str, choices: Any, *, required: bool = False, hint: str = "") -> None:
        super().__init__(
            label=label,
            choices=choices,
            required=required,
            help_text=hint,
            error_messages={
                "invalid_choice": f"{label}: choose one of the list.",
                "required": f"{label}: choose one.",
            },
        )


class Form(forms.Form):
    """Typed values are texts throughout, so that what was wrong can be shown again as it was."""

    optional = " (if known)"
    """After the label of what may be left out."""

    def typed(self) -> Texts:
        return {name: str(self.data.get(name, "")) for name in self.fields}

    def shown(self, name: str) -> str:
        """What stands in a field."""
        value = self[name].value()
        return "" if value is None else str(value)

    @property
    def faults(self) -> list[tuple[str, str]]:
        """Pairs of field and what is wrong with it."""
        return [(name, str(each)) for name, found in self.errors.items() for each in found]

    def fault(self, name: str) -> str:
        return " ".join(map(str, self.errors.get(name, ())))

    def kind(self, name: str) -> str:
        """How a field is shown: a day that is none as text, or the browser would leave it out."""
        field, value = self.fields[name], self.shown(name)
        if isinstance(field, forms.ChoiceField):
            return "select"
        if isinstance(field, forms.BooleanField):
            return "check"
        if isinstance(field, Day):
            return "date" if not value or is_day(value) else "text"
        return "textarea" if isinstance(field.widget, forms.Textarea) else "text"


def is_day(text: str) -> bool:
    try:
        return text == datetime.date.fromisoformat(text).isoformat()
    except ValueError:
        return False


# -- patients --------------------------------------------------------------------------------------
class SearchForm(Form):
    optional = ""
    name = Text("Name", 120, hint="Parts of it, in any order.")
    born = Day("Date of birth")
    phone = Text("Phone", 40)

    @property
    def is_empty(self) -> bool:
        return not any(each.strip() for each in self.typed().values())


class PatientForm(Form):
    given_name = Text("Given name", 120, required=True)
    family_name = Text("Family name", 120, required=True)
    born = Day("Date of birth", required=True)
    sex = Choice(
        "Sex", [("", "Not stated"), ("female", "Female"), ("male", "Male")], hint="For safety questions."
    )
    residence = Choice("Residence", list, hint="The law of this place is answered.")
    phone = Text("Phone", 40)
    email = Text("E-mail", 200)
    address = Text("Address", 500, lines=True)

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.fields["residence"].choices = [("", "Not stated"), *places()]  # type: ignore[attr-defined]

    def clean_born(self) -> datetime.date:
        born: datetime.date = self.cleaned_data["born"]
        today = timezone.localdate()
        if born > today:
            raise ValidationError("Date of birth: this day is in the future.")
        if age_on(born, today) > OLDEST_YEARS:
            raise ValidationError(f"Date of birth: it is more than {OLDEST_YEARS} years ago. Check the year.")
        return born

    def clean_phone(self) -> str:
        phone: str = self.cleaned_data["phone"]
        if phone and not any(each.isdigit() for each in phone):
            raise ValidationError("Phone: it has no digit.")
        return phone

    def clean_email(self) -> str:
        email: str = self.cleaned_data["email"]
        if email and not _like_email(email):
            raise ValidationError("E-mail: write it as name@example.org, or leave it empty.")
        return email


def _like_email(text: str) -> bool:
    name, _, host = text.rpartition("@")
    return bool(name) and "." in host.strip(".") and not any(each.isspace() for each in text)


def patient_texts(patient: Patient) -> Texts:
    return {name: str(getattr(patient, name)) for name in PatientForm.base_fields}


def alike(typed: Mapping[str, Any], patient: Patient) -> str:
    """Why a patient of the records may be the one that is being added; empty where nothing speaks for it."""
    name = folded(f"{typed['family_name']} {typed['given_name']}")
    likeness = difflib.SequenceMatcher(None, _sorted(name), _sorted(patient.sought)).ratio()
    if typed["born"] == patient.born and (likeness >= 0.7 or set(name.split()) & set(patient.sought.split())):
        return "same date of birth, similar name"
    if likeness >= 0.9 and is_near(typed["born"], patient.born):
        return "same name, date of birth almost the same"
    if typed["phone"] and patient.phone_digits and patient.phone_digits == typed["phone_digits"]:
        return "same phone"
    if typed["email"] and typed["email"].casefold() == patient.email.casefold():
        return "same e-mail"
    return ""


def _sorted(name: str) -> str:
    return " ".join(sorted(name.split()))


def is_near(one: datetime.date, other: datetime.date) -> bool:
    """Whether two days are one digit apart, or day and month are exchanged.

    >>> is_near(datetime.date(1974, 3, 1), datetime.date(1974, 1, 3))
    True
    """
    texts = one.isoformat(), other.isoformat()
    swapped = (one.year, one.month, one.day) == (other.year, other.day, other.month)
    return swapped or sum(a != b for a, b in zip(*texts, strict=True)) <= 1


# -- treatments ------------------------------------------------------------------------------------
class TreatmentForm(Form):
    drug = Text("Drug or treatment", 200, required=True, hint="Ingredient or brand.")
    dose = Text("Dose", 120, hint="As 60 mg/day.")
    is_current = forms.BooleanField(label="Taken now", required=False)
    began = Day("Began")
    ended = Day("Ended")
    outcome = Choice("Outcome", Treatment.Outcome.choices, required=True)
    note = Text("Note", 500, hint="Such as why it was stopped.")

    def clean(self) -> dict[str, Any]:
        found = super().clean() or {}
        began, ended, today = found.get("began"), found.get("ended"), timezone.localdate()
        if began and began > today:
            self.add_error("began", "Began: this day is in the future.")
        if began and ended and ended < began:
            self.add_error("ended", "Ended: this day is before it began.")
        if ended and ended < today and found.get("is_current"):
            self.add_error("ended", "Ended: it is marked as taken now. Take out one of the two.")
        return found


def treatment_texts(treatment: Treatment) -> Texts:
    texts = {name: getattr(treatment, name) for name in TreatmentForm.base_fields}
    return {
        name: ("on" if value else "") if isinstance(value, bool) else "" if value is None else str(value)
        for name, value in texts.items()
    }


class CloseForm(Form):
    why = Text(
        "Why is it closed?", 2_000, required=True, lines=True, hint="It stays in the record of the case."
    )


# -- a form that was overtaken ---------------------------------------------------------------------
def was_of(posted: Mapping[str, str]) -> Texts:
    """The texts with which a form was first shown, as it carries them; nothing where they cannot be read."""
    try:
        found = json.loads(posted.get("was", "")[:60_000])
    except (ValueError, RecursionError):
        return {}
    return {k: v for k, v in found.items() if _is_kept(k) and _is_kept(v)} if isinstance(found, dict) else {}


def _is_kept(text: object) -> bool:
    """Whether a database keeps it: JSON may name what is no character."""
    return (
        isinstance(text, str) and "\0" not in text and not any("\ud800" <= each <= "\udfff" for each in text)
    )


def version_of(posted: Mapping[str, str]) -> int:
    """The version from which a form began; 0, which is none, where it carries no number."""
    text = posted.get("version", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


def merged(typed: Texts, was: Mapping[str, str], now: Mapping[str, str]) -> tuple[Texts, dict[str, str]]:
    """The fields of a form after somebody else saved: what only they changed is taken from them, what was typed here
    stays. Beside them, of each field that they changed, what is saved now, or what it was before.

    >>> merged({"a": "1", "b": "9", "c": "3"}, {"a": "1", "b": "2", "c": "3"}, {"a": "7", "b": "8", "c": "3"})
    ({'a': '7', 'b': '9', 'c': '3'}, {'a': 'now', 'b': 'both'})
    """
    values, notes = dict(typed), {}
    for name, text in typed.items():
        saved, before = now.get(name, ""), was.get(name, "")
        if saved in (before, text):
            continue
        notes[name] = "both" if text != before else "now"
        if text == before:
            values[name] = saved
    return values, notes


def note(kind: str, who: str, before: str, now: str) -> str:
    """What stands at a field that somebody else changed (`merged`).

    >>> note("both", "Ada", "1", "2"), note("now", "Ada", "", "2")
    ('Ada saved “2” meanwhile.', 'Ada answered this meanwhile.')
    """
    if not now:
        return f"{who} emptied this meanwhile. It was “{before}”."
    if kind == "both":
        return f"{who} saved “{now}” meanwhile."
    return (
        f"{who} changed this meanwhile. It was “{before}”." if before else f"{who} answered this meanwhile."
    )


def changed_fields(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """The names of what differs, for the trail.

    >>> changed_fields({"a": 1, "b": 2}, {"a": 1, "b": 3, "c": 4})
    ['b', 'c']
    """
    return sorted(name for name in {*before, *after} if before.get(name) != after.get(name))

"""What is kept. Calendar facts are plain dates; keys that stand in addresses are random and say nothing."""

from __future__ import annotations

import uuid
from typing import Any, ClassVar

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.utils import timezone
from django.utils.crypto import salted_hmac

from lissive.clinic.rights import ROLES


class Organisation(models.Model):
    """A clinic. Nothing of one is seen from another."""

    name = models.CharField(max_length=200)
    keep_years = models.PositiveSmallIntegerField(null=True, blank=True)
    """How long records are kept after the last entry, as the clinic's law asks; empty: nothing may be deleted."""
    place = models.CharField(max_length=12, blank=True)
    """Where the clinic is, as US-NY: its zone and usage follow."""
    zone = models.CharField(max_length=60, blank=True)
    """As America/New_York; empty: that of `place` (`zones.zone_of`)."""

    def __str__(self) -> str:
        return self.name


class User(AbstractUser):
    """Somebody who can log in: of one organisation, in one role."""

    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="users")
    role = models.CharField(max_length=20, choices=list(ROLES.items()))

    REQUIRED_FIELDS: ClassVar[list[str]] = []

    @property
    def shown_name(self) -> str:
        return self.get_full_name() or self.username

    def _get_session_auth_hash(self, secret: str | bytes | None = None) -> str:
        """What a session is bound to: a new password, another role or an ended log-in ends all sessions."""
        bound = f"{self.password}|{self.role}|{self.is_active}"
        return salted_hmac("lissive.clinic.session", bound, secret=secret, algorithm="sha256").hexdigest()


class Patient(models.Model):
    """A person in the records of one organisation."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="patients")
    family_name = models.CharField(max_length=120)
    given_name = models.CharField(max_length=120)
    born = models.DateField()
    residence = models.CharField(max_length=12, blank=True)
    """A code of a jurisdiction, as US-NY."""
    sex = models.CharField(max_length=6, blank=True, choices=[("female", "Female"), ("male", "Male")])
    phone = models.CharField(max_length=40, blank=True)
    phone_digits = models.CharField(max_length=40, db_index=True, editable=False)
    """The phone number as it is searched."""
    email = models.CharField(max_length=200, blank=True)
    address = models.TextField(blank=True, max_length=500)
    user = models.OneToOneField(
        User, null=True, blank=True, on_delete=models.SET_NULL, related_name="patient"
    )
    sought = models.CharField(max_length=260, db_index=True, editable=False)
    """The name as it is searched: folded, without accents."""
    added = models.DateTimeField(default=timezone.now)
    changed = models.DateTimeField(auto_now=True)
    version = models.PositiveIntegerField(default=1)
    """Counts changes: a form that began from an older one is refused."""

    class Meta:
        indexes = (
            models.Index(fields=["organisation", "sought"]),
            models.Index(fields=["organisation", "born"]),
            models.Index(fields=["organisation", "-changed"]),
        )

    def save(self, *args: Any, **more: Any) -> None:
        # a letter may be folded to several
        self.sought = folded(f"{self.family_name} {self.given_name}")[:260]
        self.phone_digits = digits(self.phone)
        super().save(*args, **more)

    @property
    def name(self) -> str:
        return f"{self.given_name} {self.family_name}"


def folded(text: str) -> str:
    """Lower case, without accents, one space between words.

    >>> folded("  Núñez  DÍAZ ")
    'nunez diaz'
    """
    import unicodedata

    plain = unicodedata.normalize("NFKD", text)
    return " ".join("".join(each for each in plain if not unicodedata.combining(each)).casefold().split())


def digits(phone: str) -> str:
    """The digits of a phone number, without the zeros before it.

    >>> digits("020 7946-0000")
    '2079460000'
    """
    return "".join(each for each in phone if each in "0123456789").lstrip("0")


class Case(models.Model):
    """One question about one patient: the data of a case, and a draft that is not yet one."""

    class Status(models.TextChoices):
        OPEN = "open", "Open"
        CLOSED = "closed", "Closed"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    patient = models.ForeignKey(Patient, on_delete=models.CASCADE, related_name="cases")
    status = models.CharField(max_length=10, choices=Status, default=Status.OPEN)
    data = models.JSONField(default=dict)
    """What `lissive.case.make_case` reads."""
    passed = models.JSONField(default=list)
    """Fields whose question was left open on purpose."""
    stated = models.JSONField(default=dict)
    """By field who stated its present value: {"by": patient, guardian or a user's name, "as": role, "at": …}."""
    draft = models.JSONField(null=True, blank=True)
    """What was typed since, by field, as typed; None where nothing is open."""
    version = models.PositiveIntegerField(default=1)
    reason = models.TextField(blank=True, max_length=10_000)
    """Benefit and risk for this patient, in the practitioner's words."""
    opened = models.DateTimeField(default=timezone.now)
    opened_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    changed = models.DateTimeField(default=timezone.now)
    """The last change of its data, draft, reason or status."""
    closed = models.DateTimeField(null=True, blank=True)
    closed_why = models.TextField(blank=True, max_length=2_000)

    class Meta:
        indexes = (
            models.Index(fields=["status", "-changed"]),
            models.Index(
                fields=["status", "-changed"],
                condition=models.Q(draft__isnull=False),
                name="clinic_case_draft",
            ),
        )


class Treatment(models.Model):
    """A treatment that was tried before, or is taken now."""

    class Outcome(models.TextChoices):
        UNKNOWN = "unknown", "Not known"
        HELPED = "helped", "Helped"
        LITTLE = "little", "Helped a little"
        NOT = "not", "Did not help"
        HARM = "harm", "Stopped for side effects"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    patient = models.ForeignKey(Patient, on_delete=models.CASCADE, related_name="treatments")
    drug = models.CharField(max_length=200)
    dose = models.CharField(max_length=120, blank=True)
    began = models.DateField(null=True, blank=True)
    ended = models.DateField(null=True, blank=True)
    is_current = models.BooleanField(default=False)
    outcome = models.CharField(max_length=10, choices=Outcome, default=Outcome.UNKNOWN)
    note = models.CharField(max_length=500, blank=True)
    version = models.PositiveIntegerField(default=1)


class Answer(models.Model):
    """What was answered and shown for the data of a case, kept as it was."""

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="answers")
    key = models.CharField(max_length=64)
    """Hash of the case's data, of the tables and of the program: equal keys, equal answers."""
    data = models.JSONField()
    """The case that was answered."""
    found = models.JSONField()
    """`CaseAnswer.to_json()`."""
    shown = models.JSONField(default=dict)
    """The parts of the page, as they were shown."""
    has_forecast = models.BooleanField(default=False)
    lissive = models.CharField(max_length=40)
    made = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["case", "key", "has_forecast"], name="one_answer_a_key"),
        )


class Document(models.Model):
    """A file as it was handed over; its hash says that it is still that."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="documents")
    answer = models.ForeignKey(Answer, null=True, on_delete=models.PROTECT, related_name="documents")
    kind = models.CharField(max_length=20)
    """As in `lissive.web.answers.FILES`: report.pdf, sheet.pdf, …"""
    media_type = models.CharField(max_length=80)
    content = models.BinaryField()
    sha256 = models.CharField(max_length=64)
    is_for_patient = models.BooleanField(default=False)
    made = models.DateTimeField(default=timezone.now)
    made_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")


class Work(models.Model):
    """Something that takes longer than a page: done once for each key, by whichever worker holds the lease."""

    class Status(models.TextChoices):
        QUEUED = "queued", "Queued"
        RUNNING = "running", "Running"
        DONE = "done", "Done"
        FAILED = "failed", "Failed"

    key = models.CharField(max_length=64, unique=True)
    kind = models.CharField(max_length=20)
    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="work")
    given = models.JSONField()
    status = models.CharField(max_length=10, choices=Status, default=Status.QUEUED)
    done = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(default=0)
    holder = models.CharField(max_length=60, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    failed = models.TextField(blank=True)
    """What the user is told."""
    made = models.JSONField(default=dict)
    """What came of it, where that is neither an answer nor a document."""
    asked = models.DateTimeField(default=timezone.now)
    asked_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    ended = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = (models.Index(fields=["status", "asked"]),)


class Hold(models.Model):
    """A legal hold: while one stands, nothing of the patient is deleted."""

    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="holds")
    why = models.CharField(max_length=500)
    set_at = models.DateTimeField(default=timezone.now)
    set_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    lifted_at = models.DateTimeField(null=True, blank=True)
    lifted_why = models.CharField(max_length=500, blank=True)


class Entry(models.Model):
    """One line of the trail. It refers by plain values, so that nothing which is deleted takes a line with it."""

    prev = models.CharField(max_length=64, unique=True)
    """The hash of the entry before: the chain cannot fork."""
    hash = models.CharField(max_length=64)
    at = models.DateTimeField()
    organisation = models.BigIntegerField(null=True, db_index=True)
    user = models.BigIntegerField(null=True)
    who = models.CharField(max_length=200)
    role = models.CharField(max_length=20, blank=True)
    action = models.CharField(max_length=40)
    kind = models.CharField(max_length=20, blank=True)
    """Of what: patient, case, document, user, …"""
    thing = models.CharField(max_length=60, blank=True)
    patient = models.UUIDField(null=True, db_index=True)
    detail = models.JSONField(default=dict)
    """What changed, by name; no value of a patient's health."""


from lissive.clinic.day import (  # noqa: E402  (they refer to the models above)
    Certificate,
    ClinicPage,
    Consent,
    Credential,
    Decision,
    Feed,
    Intake,
    Practitioner,
    Registration,
    Reminder,
    Review,
    Slot,
    Visit,
    VisitKind,
)

__all__ = [
    "Answer",
    "Case",
    "Certificate",
    "ClinicPage",
    "Consent",
    "Credential",
    "Decision",
    "Document",
    "Entry",
    "Feed",
    "Hold",
    "Intake",
    "Organisation",
    "Patient",
    "Practitioner",
    "Registration",
    "Reminder",
    "Review",
    "Slot",
    "Treatment",
    "User",
    "Visit",
    "VisitKind",
    "Work",
    "digits",
    "folded",
]

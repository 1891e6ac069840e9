"""What is kept of the clinic's day: who may certify, slots, visits, intake, decisions, certificates, dates, reviews.

Django finds these models through `lissive.clinic.models`, at whose end they are imported.
"""

from __future__ import annotations

import datetime
import uuid
from typing import Any

from django.db import models
from django.utils import timezone

from lissive.case.vocabulary import practitioners

CODE = 12
"""Length of a jurisdiction's code, as US-NY."""
PROFESSIONS = tuple(dict.fromkeys(practitioners().values()))
"""As `place.practitioner` of a case has them."""


class VisitKind(models.TextChoices):
    """As `place.visit` of a case has them."""

    VIDEO = "video", "Video"
    AUDIO = "audio", "Telephone"
    IN_PERSON = "in_person", "At the clinic"
    HOME = "home", "At home"


class ClinicPage(models.Model):
    """What a clinic says of itself to everybody."""

    organisation = models.OneToOneField(
        "clinic.Organisation", on_delete=models.CASCADE, primary_key=True, related_name="page"
    )
    slug = models.SlugField(max_length=60, unique=True)
    """In the address of the page."""
    is_public = models.BooleanField(default=False)
    about = models.TextField(blank=True, max_length=2_000)
    address = models.TextField(blank=True, max_length=500)
    phone = models.CharField(max_length=40, blank=True)
    email = models.CharField(max_length=200, blank=True)
    fees = models.TextField(blank=True, max_length=2_000)
    """What a visit costs, and what the state asks besides."""
    refund = models.TextField(blank=True, max_length=2_000)
    languages = models.CharField(max_length=200, blank=True)
    version = models.PositiveIntegerField(default=1)


class Practitioner(models.Model):
    """A user who may certify, as they stand on a certificate."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organisation = models.ForeignKey(
        "clinic.Organisation", on_delete=models.PROTECT, related_name="practitioners"
    )
    user = models.OneToOneField("clinic.User", on_delete=models.PROTECT, related_name="practitioner")
    name = models.CharField(max_length=200)
    """As on the licence."""
    profession = models.CharField(max_length=20, choices=[(each, each) for each in PROFESSIONS])
    specialty = models.CharField(max_length=200, blank=True)
    address = models.TextField(blank=True, max_length=500)
    phone = models.CharField(max_length=40, blank=True)
    email = models.CharField(max_length=200, blank=True)
    video_url = models.URLField(max_length=500, blank=True)
    """Address of the clinic's own video service."""
    is_shown = models.BooleanField(default=True)
    """On the clinic's page, with slots to book."""
    version = models.PositiveIntegerField(default=1)


class Credential(models.Model):
    """A licence, registration, course or the like, with who checked it and how."""

    class Kind(models.TextChoices):
        LICENCE = "licence", "Licence to practise"
        CONTROLLED = "controlled", "Registration for controlled substances (DEA, state)"
        REGISTRATION = "registration", "Registration with the state's programme"
        COURSE = "course", "Course"
        WAIVER = "waiver", "Waiver"
        SPECIALTY = "specialty", "Speciality"
        INTERESTS = "interests", "Statement on conflicts of interest"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    practitioner = models.ForeignKey(Practitioner, on_delete=models.CASCADE, related_name="credentials")
    kind = models.CharField(max_length=20, choices=Kind)
    place = models.CharField(max_length=CODE, blank=True)
    """Where it holds; empty: everywhere that the practitioner works, as a course or a federal registration."""
    number = models.CharField(max_length=80, blank=True)
    hours = models.PositiveSmallIntegerField(null=True, blank=True)
    issued = models.DateField(null=True, blank=True)
    expires = models.DateField(null=True, blank=True)
    checked_on = models.DateField(null=True, blank=True)
    checked_how = models.CharField(max_length=300, blank=True)
    checked_by = models.ForeignKey("clinic.User", null=True, on_delete=models.SET_NULL, related_name="+")
    version = models.PositiveIntegerField(default=1)


class Slot(models.Model):
    """A time that can be booked; a visit takes it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    practitioner = models.ForeignKey(Practitioner, on_delete=models.CASCADE, related_name="slots")
    starts = models.DateTimeField()
    minutes = models.PositiveSmallIntegerField(default=20)
    kinds = models.JSONField(default=list)
    """Kinds of visit that it may be."""

    class Meta:
        indexes = (models.Index(fields=["practitioner", "starts"]),)
        constraints = (models.UniqueConstraint(fields=["practitioner", "starts"], name="one_slot_a_time"),)


class Visit(models.Model):
    """A patient seen by a practitioner, from the booking to the end."""

    class Status(models.TextChoices):
        BOOKED = "booked", "Booked"
        INTAKE = "intake", "Intake missing"
        READY = "ready", "Ready"
        IN_VISIT = "in_visit", "In visit"
        TO_SIGN = "to_sign", "To sign"
        DONE = "done", "Done"
        DECLINED = "declined", "Declined"
        NO_SHOW = "no_show", "No-show"
        CANCELLED = "cancelled", "Cancelled"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organisation = models.ForeignKey("clinic.Organisation", on_delete=models.PROTECT, related_name="visits")
    patient = models.ForeignKey("clinic.Patient", on_delete=models.CASCADE, related_name="visits")
    case = models.ForeignKey(
        "clinic.Case", null=True, blank=True, on_delete=models.CASCADE, related_name="visits"
    )
    practitioner = models.ForeignKey(Practitioner, on_delete=models.PROTECT, related_name="visits")
    slot = models.OneToOneField(Slot, null=True, blank=True, on_delete=models.SET_NULL, related_name="visit")
    kind = models.CharField(max_length=10, choices=VisitKind)
    status = models.CharField(max_length=10, choices=Status, default=Status.BOOKED)
    day = models.DateField()
    """The clinic's local day of `starts`."""
    starts = models.DateTimeField()
    minutes = models.PositiveSmallIntegerField(default=20)
    place = models.CharField(max_length=CODE, blank=True)
    """Where the patient sits during the visit, as stated; confirmed in the record."""
    renews = models.ForeignKey(
        "clinic.Certificate", null=True, blank=True, on_delete=models.SET_NULL, related_name="renewals"
    )
    began = models.DateTimeField(null=True, blank=True)
    ended = models.DateTimeField(null=True, blank=True)
    record = models.JSONField(default=dict)
    """What was found and looked up, by part: {part: {field: value, "by": …, "at": …}}."""
    id_expires = models.DateField(null=True, blank=True, editable=False)
    """As `record` has it of the identity document, and of a visitor's card: beside it to be searched."""
    home_card_expires = models.DateField(null=True, blank=True, editable=False)
    blocks = models.JSONField(default=list)
    """Why it cannot go on to a signature: `visit.standing.Block` as plain data, as last worked out."""
    blocks_of = models.CharField(max_length=64, blank=True, default="")
    """Of which visit, case, credentials, day and tables `blocks` was worked out; another key: out of date."""
    ended_why = models.CharField(max_length=500, blank=True)
    """Of a visit that was declined, cancelled or missed."""
    booked = models.DateTimeField(default=timezone.now)
    booked_by = models.ForeignKey("clinic.User", null=True, on_delete=models.SET_NULL, related_name="+")
    version = models.PositiveIntegerField(default=1)

    class Meta:
        indexes = (
            models.Index(fields=["organisation", "day", "status"]),
            models.Index(fields=["practitioner", "starts"]),
            models.Index(fields=["organisation", "id_expires"]),
            models.Index(fields=["organisation", "home_card_expires"]),
        )

    def save(self, *args: Any, **more: Any) -> None:
        self.id_expires = _day_in(self.record, "identity", "expires")
        self.home_card_expires = _day_in(self.record, "programme", "home_card_expires")
        if "record" in (more.get("update_fields") or ()):
            more["update_fields"] = [*more["update_fields"], "id_expires", "home_card_expires"]
        super().save(*args, **more)


def _day_in(record: dict[str, Any], part: str, field: str) -> datetime.date | None:
    """A day of a visit's record; None where there is none, or what is there is no day."""
    try:
        return datetime.date.fromisoformat(str((record.get(part) or {}).get(field) or ""))
    except ValueError:
        return None


class Intake(models.Model):
    """What the patient says before the visit, one question at a time."""

    visit = models.OneToOneField(Visit, on_delete=models.CASCADE, primary_key=True, related_name="intake")
    token = models.CharField(max_length=64, unique=True, null=True, blank=True)
    """SHA-256 of the link's secret."""
    token_until = models.DateTimeField(null=True, blank=True)
    tries = models.PositiveSmallIntegerField(default=0)
    """Wrong dates of birth that were given for this link."""
    language = models.CharField(max_length=2, default="en", choices=[("en", "English"), ("es", "Español")])
    said = models.JSONField(default=dict)
    """By question, as typed."""
    passed = models.JSONField(default=list)
    """Questions left open on purpose."""
    begun = models.DateTimeField(null=True, blank=True)
    done = models.DateTimeField(null=True, blank=True)
    """When it was sent last."""
    sent = models.JSONField(default=list)
    """Every version that was sent, the first one first: {"said", "passed", "at", "by", "changed"}; none is changed."""
    correcting = models.DateTimeField(null=True, blank=True)
    """Since when the patient corrects what was sent; until that is sent, the last version of `sent` holds."""
    version = models.PositiveIntegerField(default=1)


class Registration(models.Model):
    """A patient who registered on the clinic's page: staff look first whether the person is in the records already."""

    patient = models.OneToOneField(
        "clinic.Patient", on_delete=models.CASCADE, primary_key=True, related_name="registration"
    )
    at = models.DateTimeField(default=timezone.now)
    checked_at = models.DateTimeField(null=True, blank=True)
    checked_by = models.ForeignKey("clinic.User", null=True, on_delete=models.SET_NULL, related_name="+")


class Consent(models.Model):
    """One consent, with the text that was agreed to."""

    visit = models.ForeignKey(Visit, on_delete=models.CASCADE, related_name="consents")
    kind = models.CharField(max_length=20)
    """telehealth, treatment, privacy, registry, release, hiv, research"""
    text_version = models.CharField(max_length=20)
    text_sha256 = models.CharField(max_length=64)
    language = models.CharField(max_length=2)
    is_given = models.BooleanField()
    signed_name = models.CharField(max_length=200)
    signed_as = models.CharField(
        max_length=20, default="patient", choices=[("patient", "Patient"), ("guardian", "Guardian")]
    )
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["visit", "kind", "text_version", "at"], name="one_consent_a_time"
            ),
        )


class Decision(models.Model):
    """Certify or decline, with the clause and the facts that it rests on."""

    class Kind(models.TextChoices):
        CERTIFY = "certify", "Certify"
        DECLINE = "decline", "Decline"

    visit = models.OneToOneField(Visit, on_delete=models.CASCADE, primary_key=True, related_name="decision")
    kind = models.CharField(max_length=10, choices=Kind)
    clause = models.JSONField(default=dict)
    """quote, citation, source, rule, rules_sha256, on"""
    facts = models.JSONField(default=list)
    """[{field, label, value, by, at}]: the facts that the clause rests on, and who stated each."""
    alternatives = models.JSONField(default=list)
    reason = models.TextField(max_length=5_000)
    by = models.ForeignKey("clinic.User", null=True, on_delete=models.SET_NULL, related_name="+")
    at = models.DateTimeField(default=timezone.now)
    second_needed = models.CharField(max_length=500, blank=True)
    """Why the law asks for a second practitioner; empty where it does not."""
    second_agrees = models.BooleanField(null=True, blank=True)
    second_reason = models.TextField(blank=True, max_length=2_000)
    second_by = models.ForeignKey("clinic.User", null=True, on_delete=models.SET_NULL, related_name="+")
    second_at = models.DateTimeField(null=True, blank=True)
    version = models.PositiveIntegerField(default=1)


class Certificate(models.Model):
    """A certification: drafted, signed, and then never overwritten."""

    class Status(models.TextChoices):
        DRAFT = "draft", "Draft"
        ISSUED = "issued", "Issued"
        SUPERSEDED = "superseded", "Superseded"
        REVOKED = "revoked", "Revoked"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organisation = models.ForeignKey(
        "clinic.Organisation", on_delete=models.PROTECT, related_name="certificates"
    )
    patient = models.ForeignKey("clinic.Patient", on_delete=models.CASCADE, related_name="certificates")
    case = models.ForeignKey("clinic.Case", on_delete=models.CASCADE, related_name="certificates")
    visit = models.ForeignKey(Visit, on_delete=models.CASCADE, related_name="certificates")
    practitioner = models.ForeignKey(Practitioner, on_delete=models.PROTECT, related_name="certificates")
    status = models.CharField(max_length=12, choices=Status, default=Status.DRAFT)
    place = models.CharField(max_length=CODE)
    rule = models.CharField(max_length=40)
    rules_sha256 = models.CharField(max_length=64)
    content = models.JSONField(default=dict)
    """All that is signed: the form's fields with their values, the clause, the facts, the statements."""
    grounds = models.JSONField(default=dict)
    """{id of a statement: {"by": …, "at": …}}: what the practitioner ticked, one by one."""
    version = models.PositiveIntegerField(default=1)
    code = models.CharField(max_length=20, unique=True, null=True, blank=True)
    """Random; on the certificate, for the page that verifies it."""
    sha256 = models.CharField(max_length=64, blank=True)
    """Of `content` as signed."""
    trail_head = models.CharField(max_length=64, blank=True)
    """The last entry of the trail when it was signed."""
    signed_at = models.DateTimeField(null=True, blank=True)
    signed_zone = models.CharField(max_length=60, blank=True)
    signed_by = models.ForeignKey("clinic.User", null=True, on_delete=models.SET_NULL, related_name="+")
    begins = models.DateField(null=True, blank=True)
    expires = models.DateField(null=True, blank=True)
    """None in an issued one: it does not expire."""
    apply_by = models.DateField(null=True, blank=True)
    exam_by = models.DateField(null=True, blank=True)
    supersedes = models.OneToOneField(
        "self", null=True, blank=True, on_delete=models.RESTRICT, related_name="superseded_by"
    )
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_kind = models.CharField(max_length=20, blank=True)
    """Why it was revoked or superseded, by a word that says nothing of health: anybody may read it."""
    ended_why = models.CharField(max_length=500, blank=True)
    """The same in the practitioner's words, for the record."""
    ended_by = models.ForeignKey("clinic.User", null=True, on_delete=models.SET_NULL, related_name="+")
    state_system = models.CharField(max_length=120, blank=True)
    state_number = models.CharField(max_length=80, blank=True)
    """As the state's system gave it, when the certificate had been entered there."""
    entered_at = models.DateTimeField(null=True, blank=True)
    entered_by = models.ForeignKey("clinic.User", null=True, on_delete=models.SET_NULL, related_name="+")
    card_expires = models.DateField(null=True, blank=True)
    pdf = models.OneToOneField(
        "clinic.Document", null=True, blank=True, on_delete=models.RESTRICT, related_name="certificate"
    )

    class Meta:
        indexes = (
            models.Index(fields=["organisation", "status", "expires"]),
            models.Index(fields=["organisation", "card_expires"]),
            models.Index(fields=["organisation", "apply_by"]),
            models.Index(fields=["organisation", "exam_by"]),
            models.Index(fields=["patient", "-signed_at"]),
        )


class Reminder(models.Model):
    """One message about a date that comes near; sent once."""

    organisation = models.ForeignKey(
        "clinic.Organisation", on_delete=models.CASCADE, related_name="reminders"
    )
    kind = models.CharField(max_length=20)
    """certificate, card, apply_by, exam_by, licence, course, id, review, …"""
    thing = models.CharField(max_length=60)
    due = models.DateField()
    days = models.SmallIntegerField()
    """Sent this many days before."""
    patient = models.ForeignKey(
        "clinic.Patient", null=True, blank=True, on_delete=models.CASCADE, related_name="reminders"
    )
    to = models.CharField(max_length=20)
    """patient or practitioner"""
    taken = models.DateTimeField(null=True, blank=True)
    """When a worker took it up to send it; given back where that is known to have failed."""
    tries = models.PositiveSmallIntegerField(default=0)
    sent = models.DateTimeField(null=True, blank=True)
    failed = models.CharField(max_length=300, blank=True)

    class Meta:
        indexes = (models.Index(fields=["organisation", "due"]),)
        constraints = (
            models.UniqueConstraint(fields=["kind", "thing", "due", "days", "to"], name="one_reminder"),
        )


class Feed(models.Model):
    """A user's calendar at an address that only they know; without a row there is none."""

    user = models.OneToOneField(
        "clinic.User", on_delete=models.CASCADE, primary_key=True, related_name="feed"
    )
    secret = models.CharField(max_length=64, unique=True)
    """SHA-256 of what stands in the address."""
    made = models.DateTimeField(default=timezone.now)
    fetched = models.DateField(null=True, blank=True)
    """The last day on which a calendar program fetched it."""


class Review(models.Model):
    """The review after some weeks: a diary, what it says, and what the practitioner decided."""

    class Status(models.TextChoices):
        DUE = "due", "Due"
        DONE = "done", "Done"
        CANCELLED = "cancelled", "Cancelled"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organisation = models.ForeignKey("clinic.Organisation", on_delete=models.PROTECT, related_name="reviews")
    patient = models.ForeignKey("clinic.Patient", on_delete=models.CASCADE, related_name="reviews")
    case = models.ForeignKey("clinic.Case", on_delete=models.CASCADE, related_name="reviews")
    certificate = models.ForeignKey(
        Certificate, null=True, blank=True, on_delete=models.SET_NULL, related_name="reviews"
    )
    due = models.DateField()
    status = models.CharField(max_length=10, choices=Status, default=Status.DUE)
    diary = models.TextField(blank=True)
    """The diary as a table of text, as `lissive follow` reads it."""
    found = models.JSONField(default=dict)
    """What `lissive follow` answered for it."""
    decision = models.CharField(max_length=20, blank=True)
    reason = models.TextField(blank=True, max_length=2_000)
    by = models.ForeignKey("clinic.User", null=True, on_delete=models.SET_NULL, related_name="+")
    at = models.DateTimeField(null=True, blank=True)
    version = models.PositiveIntegerField(default=1)

    class Meta:
        indexes = (models.Index(fields=["organisation", "status", "due"]),)

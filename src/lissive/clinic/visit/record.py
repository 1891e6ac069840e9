"""What is kept of a visit in `Visit.record`, by part: read, and written where nobody else wrote meanwhile.

{"identity": {"document": "passport", …, "by": "Ada Lindqvist", "as": "practitioner", "at": "2026-11-29T14:03:…"}, …}
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.utils import timezone

from lissive.clinic import audit
from lissive.clinic.models import User, Visit, VisitKind
from lissive.errors import LissiveError

DOCUMENTS: Mapping[str, str] = {
    "passport": "Passport",
    "driving_licence": "Driver's license",
    "state_id": "State ID card",
    "other": "Other document with a photograph",
}
PARTS: Mapping[str, tuple[str, ...]] = {
    "seen": ("kind",),  # of VisitKind, as it really was
    "place": ("code", "words"),  # where the patient was, and when that was asked
    "programme": ("code", "home_card", "home_card_expires"),  # of a visitor: whose programme certifies
    "identity": ("document", "number_masked", "expires", "matched", "how"),
    "pmp": ("system", "finding", "duty", "not_done_reason"),  # duty: duty or voluntary
    "findings": ("text", "diagnosis", "evidence", "evidence_author", "evidence_date"),
    "adjectives": (),  # {fact, as symptoms.muscle_spasms.severe or flags.NAME: {"value": bool, "reason": …}}
    "pregnancy": ("value",),  # none, planned or current
    "capacity": ("has", "note"),
    "minor": ("guardian_present", "guardian_name", "relation", "papers"),
    "safety": (),  # {key of a flag: {"step": what is done, "reason": …}}
    # how many corrections of the patient's answers were read; up to which sending they were compared with the case
    "corrections": ("read", "compared"),
}
"""The parts with their fields; of one that has none, the fields are keys of what was answered."""
STAMP = ("by", "as", "at")
"""Who wrote a part last, in which role, and when."""
FROM_ANSWERS = ("findings", "adjectives", "pregnancy", "safety")
"""Parts that are decided from what the patient answered: after a correction they are decided anew."""
FINAL = (Visit.Status.DONE, Visit.Status.DECLINED, Visit.Status.NO_SHOW, Visit.Status.CANCELLED)
KEPT_OF_NUMBER = 4


class Refused(LissiveError):
    """Something that cannot be done with this visit as it stands; nothing was changed."""


class Overtaken(LissiveError):
    """Somebody else wrote the same part meanwhile; nothing was changed."""

    def __init__(self, now: Visit, parts: tuple[str, ...]) -> None:
        self.now, self.parts = now, parts
        self.who = str(now.record.get(parts[0], {}).get("by", "Somebody else"))
        super().__init__(f"{self.who} saved this meanwhile.", do="compare, and save again.")


# -- read ------------------------------------------------------------------------------------------
def said(visit: Visit, part: str) -> dict[str, Any]:
    """The fields of a part; empty where nobody has written it."""
    return {name: value for name, value in visit.record.get(part, {}).items() if name not in STAMP}


def stamp(visit: Visit, part: str) -> str:
    """When a part was written last, for the form that changes it; empty where nobody has."""
    return str(visit.record.get(part, {}).get("at", ""))


def corrections(visit: Visit) -> list[dict[str, Any]]:
    """What the patient sent after the first time, the first correction first."""
    intake = getattr(visit, "intake", None)
    return [] if intake is None else list(intake.sent[1:])


def is_overtaken(visit: Visit, part: str) -> bool:
    """Whether the patient corrected answers of the case after a part that rests on them was written."""
    if part not in FROM_ANSWERS or part not in visit.record:
        return False
    at = datetime.datetime.fromisoformat(stamp(visit, part))
    return any(
        datetime.datetime.fromisoformat(each["at"]) > at for each in corrections(visit) if each["changed"]
    )


def standing(visit: Visit, part: str) -> dict[str, Any]:
    """The fields of a part as far as they still count: none where a correction came after it."""
    return {} if is_overtaken(visit, part) else said(visit, part)


def kind_of(visit: Visit) -> str:
    """How the patient was seen; until that is recorded, how it is booked."""
    return str(said(visit, "seen").get("kind") or visit.kind)


def is_same_room(visit: Visit) -> bool:
    return kind_of(visit) in (VisitKind.IN_PERSON, VisitKind.HOME)


def masked(number: str) -> str:
    """The last four characters of a document's number, or less of a short one; the rest is never kept.

    >>> masked("X 123-45678"), masked("1234"), masked("…5678"), masked("")
    ('…5678', '…34', '…5678', '')
    """
    if number.startswith("…") and len(number) <= KEPT_OF_NUMBER + 1:
        return number
    plain = "".join(each for each in number if each.isalnum())
    kept = min(KEPT_OF_NUMBER, len(plain) // 2)
    return f"…{plain[-kept:]}" if kept else ""


# -- write -----------------------------------------------------------------------------------------
def locked(visit: Visit) -> Visit:
    """The visit as it is now, held until the transaction ends, with what was loaded beside it."""
    now = Visit.objects.select_for_update().get(pk=visit.pk)
    for name in ("patient", "practitioner", "organisation"):
        if visit._state.fields_cache.get(name) is not None:
            setattr(now, name, getattr(visit, name))
    return now


def write(
    visit: Visit, parts: Mapping[str, Mapping[str, Any]], user: User, was: Mapping[str, str] | None = None
) -> Visit:
    """Write some parts as a whole, with an entry in the trail; what is as it was keeps its time.

    Parameters
    ----------
    was : when each part had been written last (`stamp`), as the form began; without it nothing is compared.

    Raises Refused where the visit has ended, Overtaken where one of the parts was written meanwhile, and KeyError for
    an unknown part or field.
    """
    with transaction.atomic():
        now = locked(visit)
        if now.status in FINAL:
            ended = f"This visit has ended ({now.get_status_display().lower()}): its record is closed."
            raise Refused(ended, do="write what is new in another visit.")
        late = tuple(part for part in parts if was is not None and stamp(now, part) != was.get(part, ""))
        if late and any(said(now, part) != _plain(part, parts[part]) for part in late):
            raise Overtaken(now, late)
        by = {"by": user.shown_name, "as": user.role, "at": timezone.now().isoformat()}
        changed = []
        for part, values in parts.items():
            before, after = said(now, part), _plain(part, values)
            if part in now.record and before == after and not is_overtaken(now, part):
                continue
            # what has keys of its own, as a flag of safety, would say something of the patient's health in the trail
            names = [name for name in PARTS[part] if before.get(name) != after.get(name)]
            changed += [f"{part}.{name}" for name in names] or [part]
            now.record = {**now.record, part: {**after, **by}}
        if changed:
            now.kind = kind_of(now)
            now.version += 1
            now.save(update_fields=["record", "kind", "version"])
            audit.append(
                "visit.recorded",
                user,
                kind="visit",
                thing=now.pk,
                patient=now.patient_id,
                detail={"changed": changed, "version": now.version},
            )
    return now


def _plain(part: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """As it is kept: no number of a document whole."""
    if PARTS[part] and (unknown := set(values) - set(PARTS[part])):
        raise KeyError(f"{part}: {', '.join(sorted(unknown))}")
    if part == "identity" and values.get("number_masked"):
        return {**values, "number_masked": masked(str(values["number_masked"]))}
    return dict(values)

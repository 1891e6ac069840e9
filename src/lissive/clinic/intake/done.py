"""The patient's answers become part of the case; nothing that a practitioner stated is written over."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from django.db import transaction
from django.utils import timezone

from lissive.case import make_case
from lissive.clinic import audit
from lissive.clinic.booking.take import AHEAD
from lissive.clinic.cases import stated_by
from lissive.clinic.intake.questions import (
    NAME,
    PLACE,
    UNKNOWN,
    answers_of,
    consents,
    items,
    needs_guardian,
    state_of,
    words_of,
)
from lissive.clinic.models import Case, Consent, Intake, User, Visit
from lissive.clinic.visit.moves import move
from lissive.clinic.work import Closed
from lissive.errors import CaseError
from lissive.web.controls import asked, label_of

LEFT = ("case", "as_of")
"""Fields that are no answer of the patient's."""
BY_BOOKING = ("person.age_years", "place.residence", "place.visit", "place.practitioner")
"""What the booking says, and not the patient."""


def flat(data: Mapping[str, Any]) -> dict[str, Any]:
    """Field to value, all parts together."""
    found: dict[str, Any] = {}
    for part, inside in data.items():
        found |= (
            {f"{part}.{k}": v for k, v in inside.items()} if isinstance(inside, Mapping) else {part: inside}
        )
    return found


def _nested(found: Mapping[str, Any]) -> dict[str, Any]:
    data: dict[str, Any] = {}
    for field, value in found.items():
        part, _, name = field.rpartition(".")
        if part:
            data.setdefault(part, {})[name] = value
        else:
            data[name] = value
    return data


# -- what speaks against the end ---------------------------------------------------------------------
def refused(visit: Visit, tongue: str) -> list[str]:
    """Titles of consents that the visit cannot do without and that were not given."""
    latest = latest_consents(visit)
    return [
        each.title
        for each in consents(visit, tongue)
        if each.is_required and each.kind in latest and not latest[each.kind].is_given
    ]


def latest_consents(visit: Visit) -> dict[str, Consent]:
    """By kind the last one that was given or refused."""
    return {each.kind: each for each in visit.consents.order_by("at", "pk")}


# -- the end -----------------------------------------------------------------------------------------
def finish(visit: Visit, user: User | None) -> None:
    """Everything is answered: into the case, and the visit is ready where nothing that it needs was refused.

    Sent again, it is a correction: the version before is kept, and the case follows what is the patient's own.
    """
    with transaction.atomic():
        now = Visit.objects.select_for_update().get(pk=visit.pk)
        intake = Intake.objects.select_for_update().get(pk=visit.pk)
        if (intake.done and not intake.correcting) or now.status not in AHEAD:
            return
        said, before = answers_of(intake), sent_of(intake) if intake.done else {}
        if said == before:
            _unopened(intake)
            return
        place, case = now.place, now.case
        now.case, changed = _into_case(now, said, before, user)
        now.place = said.get(PLACE, now.place)
        now.version += 1 if before else 0
        now.save(update_fields=["case", "place", "version"])
        at = timezone.now()
        made = {"said": intake.said, "passed": intake.passed, "at": at.isoformat()}
        made |= {"by": _who(now, user)["by"], "changed": changed or case != now.case or place != now.place}
        intake.sent, intake.done, intake.correcting = [*intake.sent, made], at, None
        intake.version += 1
        intake.save(update_fields=["sent", "done", "correcting", "version"])
        kept = hashlib.sha256(json.dumps(made, sort_keys=True).encode()).hexdigest()
        keys = {key.partition(":")[0] for key in {**before, **said} if before.get(key) != said.get(key)}
        detail = {"answers": sorted(keys)} if before else {}
        _entry("intake.corrected" if before else "intake.done", now, user, **detail, sha256=kept)
        move(now, Visit.Status.INTAKE if refused(now, "en") else Visit.Status.READY, user)


# -- a correction ------------------------------------------------------------------------------------
def sent_of(intake: Intake) -> dict[str, str]:
    """The answers that hold: those that were sent last; where none were, what is answered so far."""
    return _answers(intake.sent[-1]) if intake.sent else answers_of(intake)


def _answers(made: Mapping[str, Any]) -> dict[str, str]:
    return {**made["said"], **dict.fromkeys(made["passed"], UNKNOWN)}


def reopen(visit: Visit, user: User | None) -> None:
    """What was sent can be corrected, until the visit begins; what was sent holds until that is sent."""
    with transaction.atomic():
        now = Visit.objects.select_for_update().get(pk=visit.pk)
        intake = Intake.objects.select_for_update().get(pk=visit.pk)
        if not intake.done or intake.correcting or now.status not in AHEAD:
            return
        if not intake.sent:  # sent before versions were kept
            made = {"said": intake.said, "passed": intake.passed, "at": intake.done.isoformat()}
            intake.sent = [{**made, "by": "", "changed": False}]
        intake.correcting = timezone.now()
        intake.version += 1
        intake.save(update_fields=["sent", "correcting", "version"])
        _entry("intake.reopened", now, user)


def keep_sent(visit: Visit) -> None:
    """A correction that was begun is given up: what was sent stands."""
    with transaction.atomic():
        intake = Intake.objects.select_for_update().get(pk=visit.pk)
        if intake.correcting:
            _unopened(intake)


def _unopened(intake: Intake) -> None:
    intake.said, intake.passed = intake.sent[-1]["said"], intake.sent[-1]["passed"]
    intake.correcting = None
    intake.version += 1
    intake.save(update_fields=["said", "passed", "correcting", "version"])


@dataclass(frozen=True)
class Correction:
    """One time that the patient sent the answers again."""

    number: int
    at: str
    by: str
    rows: tuple[tuple[str, str, str], ...]
    """Of each answer that changed: the question, the answer before, the answer now."""
    changed: bool = False
    """Whether the case is another by it: what a practitioner stated is not."""


def corrections(visit: Visit) -> list[Correction]:
    """Every correction that was sent, the first one first."""
    intake = getattr(visit, "intake", None)
    sent = [] if intake is None else intake.sent
    return [
        Correction(
            number, now["at"], now["by"], _changed(visit, _answers(before), _answers(now)), now["changed"]
        )
        for number, (before, now) in enumerate(pairwise(sent), 1)
    ]


def unsent(visit: Visit) -> Correction | None:
    """What was corrected and is not sent yet; it does not hold."""
    intake = getattr(visit, "intake", None)
    if intake is None or not intake.correcting:
        return None
    rows = _changed(visit, sent_of(intake), answers_of(intake))
    return Correction(len(intake.sent), intake.correcting.isoformat(), "", rows)


def _changed(
    visit: Visit, before: Mapping[str, str], now: Mapping[str, str]
) -> tuple[tuple[str, str, str], ...]:
    asked = {one.key: one for said in (before, now) for one in items(visit, said, "en")}

    def words(key: str, said: Mapping[str, str]) -> str:
        return words_of(asked[key], said[key], "en") if key in said else "not asked"

    keys = [key for key in asked if before.get(key) != now.get(key)]
    return tuple((asked[key].ask, words(key, before), words(key, now)) for key in keys)


def _entry(action: str, visit: Visit, user: User | None, **detail: Any) -> None:
    audit.append(
        action,
        user,
        organisation=visit.organisation_id,
        kind="visit",
        thing=visit.pk,
        patient=visit.patient_id,
        detail=detail,
    )


def _into_case(
    visit: Visit, said: Mapping[str, str], earlier: Mapping[str, str], user: User | None
) -> tuple[Case, bool]:
    """The case with the answers, and whether it is another than before. `earlier`: what was sent before."""
    case = _open_case(visit) or Case(patient=visit.patient, data={}, opened_by=user)
    is_new, before = case._state.adding, flat(case.data)
    withdrawn = flat(state_of(visit, earlier).data) if earlier else {}
    after = _merged(case, before, flat(state_of(visit, said).data), withdrawn)
    changed = sorted(field for field in {**before, **after} if after.get(field) != before.get(field))
    stated = [field for field in changed if field not in (*LEFT, *BY_BOOKING)]
    case.data = _nested(after)
    stated_now = {**case.stated, **dict.fromkeys(stated, _who(visit, user))}
    case.stated = {
        field: each for field, each in stated_now.items() if field in after or field not in changed
    }
    case.version += 1 if changed and not is_new else 0
    case.changed = timezone.now()
    case.save()
    if is_new or changed:
        audit.append(
            "case.begun" if is_new else "case.changed",
            user,
            organisation=visit.organisation_id,
            kind="case",
            thing=case.pk,
            patient=visit.patient_id,
            detail={"changed": changed, "version": case.version},
        )
    return case, bool(changed)


def _merged(
    case: Case, before: Mapping[str, Any], answered: Mapping[str, Any], withdrawn: Mapping[str, Any]
) -> dict[str, Any]:
    """The case's fields with the patient's: where none is there, or what is there is the patient's own earlier word.

    Of `withdrawn`, what the patient had answered before, nothing stays that is not answered again. What does not go
    together with what a practitioner stated stays out: it is shown as a difference.
    """
    found = {
        field: value
        for field, value in before.items()
        if field not in withdrawn or answered.get(field) == value or not _is_patients(case, field)
    }
    for field, value in answered.items():
        if field in found and (found[field] == value or not _is_patients(case, field)):
            continue
        try:
            make_case(_nested({**found, field: value}))
        except CaseError:
            continue
        found[field] = value
    return found


def _who(visit: Visit, user: User | None) -> dict[str, str]:
    """Who states it: the patient, a guardian of a minor, or a practitioner who fills it in beside the patient."""
    if user is not None and user.role != "patient":
        return stated_by(user)
    who = "guardian" if needs_guardian(visit) else "patient"
    return {"by": who, "as": who, "at": timezone.now().isoformat()}


def _open_case(visit: Visit) -> Case | None:
    """The case of the visit, or the one that is open; none where it was closed."""
    found = Case.objects.select_for_update().filter(patient=visit.patient_id, status=Case.Status.OPEN)
    return (found.filter(pk=visit.case_id) if visit.case_id else found).order_by("-opened").first()


def _is_patients(case: Case, field: str) -> bool:
    """Whether what stands there was said by the patient, or by a guardian: that a patient may say anew."""
    return (case.stated.get(field) or {}).get("as") in ("patient", "guardian")


# -- what differs ------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Difference:
    """An answer of the patient beside what stands in the record or in the case."""

    field: str
    ask: str
    patient: str
    record: str
    by: str
    """Who stated what stands there; empty where that is not known."""
    can_take: bool


def differences(visit: Visit) -> list[Difference]:
    """What the patient said otherwise than the record or the case has it; for the practitioner."""
    intake = getattr(visit, "intake", None)
    if intake is None or not intake.done:
        return []
    said = sent_of(intake)
    found = [*_of_name(visit, said)]
    if visit.case is None:
        return found
    try:
        answered = flat(state_of(visit, said).data)
    except CaseError:
        return found
    have = flat(visit.case.data)
    for field, value in answered.items():
        if field in (*LEFT, *BY_BOOKING) or have.get(field) == value:
            continue
        by = str((visit.case.stated.get(field) or {}).get("by", ""))
        ask = asked(field) or field
        record = _label(field, have[field]) if field in have else "not stated"
        found.append(Difference(field, ask, _label(field, value), record, by, True))
    return found


def _label(field: str, value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(
            f"{key.replace('_', ' ')}: {str(each).replace('_', ' ')}" for key, each in value.items()
        )
    return label_of(field, value)


def _of_name(visit: Visit, said: Mapping[str, str]) -> list[Difference]:
    from lissive.clinic.intake.questions import JOINT
    from lissive.clinic.models import folded

    typed = said.get(NAME, "").replace(JOINT, " ")
    if not typed or folded(typed) == folded(visit.patient.name):
        return []
    return [Difference(NAME, "Name, as on the ID", typed, visit.patient.name, "the record", False)]


def take(visit: Visit, field: str, user: User) -> None:
    """The practitioner takes the patient's answer over: it is then stated by the practitioner.

    Raises Closed, and CaseError where it does not go together with the rest of the case.
    """
    with transaction.atomic():
        assert visit.case_id is not None
        now = Case.objects.select_for_update().get(pk=visit.case_id)
        if now.status == Case.Status.CLOSED:
            raise Closed
        answered = flat(state_of(visit, sent_of(visit.intake)).data)
        if field not in answered or field in (*LEFT, *BY_BOOKING):
            return
        have = flat(now.data)
        more = {field: answered[field]}
        if field == "history.tried":  # an outcome is of a drug that was tried
            have.pop("history.outcome", None)
            more |= {"history.outcome": answered["history.outcome"]} if "history.outcome" in answered else {}
        now.data = _nested({**have, **more})
        make_case(now.data)
        now.stated = {**now.stated, **dict.fromkeys(more, stated_by(user))}
        now.version += 1
        now.changed = timezone.now()
        now.save(update_fields=["data", "stated", "version", "changed"])
        audit.append(
            "case.changed",
            user,
            kind="case",
            thing=now.pk,
            patient=visit.patient_id,
            detail={"changed": sorted(more), "version": now.version},
        )


def told(visit: Visit, said: Mapping[str, str], tongue: str) -> list[tuple[int, str, str]]:
    """Every question with its answer in words, by its place; an empty answer where there is none."""
    return [
        (at, one.ask, words_of(one, said[one.key], tongue) if one.key in said else "")
        for at, one in enumerate(items(visit, said, tongue))
    ]

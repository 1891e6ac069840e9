"""Can the planned product, in its form, be had there on that day, and by which route?

A licensed medicine is answered by its own route, a prescription, and not by the state's programme. What nobody has
read is unknown, and never "obtainable".
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping
from dataclasses import replace

from lissive.access import federal as us
from lissive.access.answer import Asked, Cited, Facts, Indication, Level, Procedural, Product, Said, Status
from lissive.access.logic import evaluate, person
from lissive.access.medicines import Form, Medicine, form, medicine, medicines, origin
from lissive.access.procedure import by_video as by_video_there
from lissive.access.procedure import needs_waiver
from lissive.access.product_words import Kind, products
from lissive.access.routes import adult_use_begun
from lissive.access.rule import Jurisdiction, Version

YES = ("eligible", "eligible_at_discretion")


def product_verdict(
    facts: Facts,
    place: Jurisdiction,
    version: Version | None,
    on: datetime.date,
    status: Status,
    procedural: Procedural,
    blocks: tuple[str, ...] = (),
) -> Product:
    """What becomes of the product that is asked for.

    Parameters
    ----------
    status : whether the person may be certified there.
    procedural, blocks : whether the visit as stated can certify, and what stands in its way.
    """
    asked = facts.product
    if asked is None:
        return Product()
    kind = products()[asked.product]
    if kind.is_medicine:
        found = _medicine(facts, asked, place.code[:2], on)
    else:
        found = _for_this_person(_form(facts, asked, kind, place, version, on, status), procedural, blocks)
    if found.status == "obtainable":
        return found
    nearest = tuple(_nearest(facts, kind, place, version, on, status))
    return replace(found, nearest=() if procedural == "blocked" and _PERSONAL & {*blocks} else nearest)


_PERSONAL = frozenset({"residency", "guardian", "second_practitioner"})
"""Barriers of the person, and not only of the visit as it is planned."""


def _for_this_person(found: Product, procedural: Procedural, blocks: tuple[str, ...]) -> Product:
    if found.status != "obtainable" or not _PERSONAL & {*blocks}:
        return found
    if procedural == "blocked":
        why = "The programme has this form, but is not open to this person as things are stated."
        return replace(found, status="not_obtainable", route=None, why=why)
    why = f"{found.why} Whether the programme is open to this person is not known."
    return replace(found, status="unknown", why=why)


# -- licensed medicines ------------------------------------------------------------------------------
def _medicine(facts: Facts, asked: Asked, country: str, on: datetime.date) -> Product:
    row = medicine(asked.product, country, on)
    schedule = us.schedule_of(asked.product, on) if country == "US" else None
    said = schedule.schedule if schedule else None
    if row is None:
        why = f"Whether {products()[asked.product].text} is authorised there on that day was not read."
        return Product(asked.product, "unknown", "prescription", schedule=said, why=why)
    sources = (origin(row), *((us.cited(schedule),) if schedule else ()))
    if row.status in ("not_authorised", "not_marketed"):
        bare: Indication | None = "none" if row.status == "not_authorised" else None
        return Product(asked.product, "not_obtainable", None, bare, said, "no", None, row.text, (), sources)
    indication = _indication(facts, row, on)
    if row.provenance != "read" or row.status == "not_read":
        return Product(
            asked.product, "unknown", "prescription", indication, said, "unknown", None, row.text, (), sources
        )
    held = indication == "labelled" or row.off_label is True
    video, until, by = _prescribed_by_video(said, on) if country == "US" else ("unknown", None, ())
    why = row.text if held else f"{row.text} {_NOT_LABELLED[indication]}"
    return Product(
        asked.product,
        "obtainable" if held else "unknown",
        "prescription",
        indication,
        said,
        video,
        until,
        why,
        (),
        (*sources, *by),
    )


_NOT_LABELLED: Mapping[str | None, str] = {
    "off_label": "The label does not cover this person, and whether it may be prescribed beyond it was not read.",
    None: "Whether the label covers this person is not known from the facts.",
}


def _indication(facts: Facts, row: Medicine, on: datetime.date) -> Indication | None:
    if row.label is None:
        return None
    level = evaluate(medicines().labels[row.label], person(facts, on)).level
    return "labelled" if level is Level.E else "off_label" if level is Level.N else None


def _prescribed_by_video(
    schedule: str | None, on: datetime.date
) -> tuple[Said, datetime.date | None, tuple[Cited, ...]]:
    """By federal law; a medicine on no schedule is left to the state, which was not read."""
    if schedule in (None, "none", "I"):
        return "unknown", None, ()
    said, rule = us.by_video(on)
    until = datetime.date.fromisoformat(rule.ends) if rule is not None and rule.ends else None
    return said, until, (us.cited(rule),) if rule is not None else ()


# -- products of a programme ---------------------------------------------------------------------------
def _form(
    facts: Facts,
    asked: Asked,
    kind: Kind,
    place: Jurisdiction,
    version: Version | None,
    on: datetime.date,
    status: Status,
) -> Product:
    none = version is None or version.logic.kind == "never"
    row = None if none else form(place.code, kind.form, on)
    schedule = us.schedule_of(us.ADULT if none else us.STATE, on) if place.code.startswith("US-") else None
    video = _certified_by_video(facts, version, on) if version is not None else "unknown"
    sources = (*((row.source,) if row else ()), *((us.cited(schedule),) if schedule else ()))
    base = Product(
        asked.product,
        "unknown",
        "programme",
        "none",
        schedule.schedule if schedule else None,
        video,
        sources=sources,
    )
    if none or status == "not_eligible":
        return _by_adult_use(facts, base, place, on)
    if row is None:
        return replace(base, why=f"Which forms the programme has on that day was not read: {kind.text}.")
    if (barred := _barred(facts, asked, kind, row)) is not None:
        return replace(base, status="not_obtainable", route=None, by_video="no", why=barred)
    if row.source.provenance != "read":
        return replace(base, why=f"{_sentence(row.note)} That is unverified.")
    if row.age_min is not None and facts.age is None:
        return replace(base, why=f"It depends on the age: {row.age_min} or older.")
    if row.thc_max_mg is not None and asked.thc_mg is None:
        note = f"{_sentence(row.note)} How much THC a dose has is not stated."
    else:
        note = _sentence(row.note)
    if status not in YES:
        return replace(
            base, why=f"The programme has this form, but whether the person qualifies is not known. {note}"
        )
    return replace(base, status="obtainable", why=f"The programme has this form: {kind.text}. {note}")


def _barred(facts: Facts, asked: Asked, kind: Kind, row: Form) -> str | None:
    """Why it cannot be had, or None."""
    if not row.allowed and row.source.provenance == "read":
        return f"The programme has no {kind.text}. {_sentence(row.note)}"
    if not row.allowed:
        return None
    if row.age_min is not None and facts.age is not None and facts.age < row.age_min:
        return f"Only at {row.age_min} or older. {_sentence(row.note)}"
    if row.thc_max_mg is not None and asked.thc_mg is not None and asked.thc_mg > row.thc_max_mg:
        return (
            f"{asked.thc_mg:g} mg THC is more than the limit of {row.thc_max_mg:g} mg. {_sentence(row.note)}"
        )
    return None


def _sentence(note: str) -> str:
    return f"{note[:1].upper()}{note[1:]}."


def _by_adult_use(facts: Facts, base: Product, place: Jurisdiction, on: datetime.date) -> Product:
    """No programme for this person; where adult use is lawful, whether it can be bought was not read."""
    begun = adult_use_begun(facts, place, on)
    if begun is None:
        why = "The programme is not open to this person on that day."
        return replace(base, status="not_obtainable", route=None, by_video="no", why=why)
    why = f"Not by the programme. Adult use is lawful{begun}; whether this form is sold was not read."
    schedule = us.schedule_of(us.ADULT, on) if place.code.startswith("US-") else None
    return replace(
        base, route="adult_use", by_video="unknown", why=why, schedule=schedule.schedule if schedule else None
    )


def _certified_by_video(facts: Facts, version: Version, on: datetime.date) -> Said:
    renewal = facts.initial is False
    allowed = by_video_there(version, on, renewal=renewal)
    if version.known("telehealth") == "recalled":
        return "unknown"
    if allowed and not renewal:
        allowed = needs_waiver(facts, version)
    return "unknown" if allowed is None else "yes" if allowed else "no"


def _nearest(
    facts: Facts, kind: Kind, place: Jurisdiction, version: Version | None, on: datetime.date, status: Status
) -> Iterator[str]:
    """What can be had instead, the nearest first."""
    for name in kind.nearest:
        other = products()[name]
        asked = Asked(name)
        if other.is_medicine:
            found = _medicine(facts, asked, place.code[:2], on)
        else:
            found = _form(facts, asked, other, place, version, on, status)
        if found.status == "obtainable":
            yield name

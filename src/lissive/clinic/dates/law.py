"""Whose clause changed: issued certificates whose rule is no longer the one in force, by place and rule."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Min
from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.utils import timezone

from lissive.access.cases import Change, changes
from lissive.access.decide import version_on
from lissive.access.rule import Version, jurisdiction
from lissive.clinic.access import enter, of_clinic
from lissive.clinic.certify.ground import rules_sha256
from lissive.clinic.forms import TEXTS, place_text
from lissive.clinic.models import Certificate, User
from lissive.clinic.pages import shown
from lissive.clinic.rights import may
from lissive.errors import RuleError

MOST = 50
"""Certificates that are linked in one group; all are counted."""


@dataclass(frozen=True)
class Group:
    """Certificates issued under one rule that is another now."""

    place: str
    rule: str
    now: str
    quote_was: str
    quote_now: str
    changed: tuple[Change, ...]
    is_same_rule: bool
    """The rule is the same, and what the tables say of it is not."""
    count: int
    certificates: list[Certificate]

    @property
    def name(self) -> str:
        return place_text(self.place)


def dates_law(request: HttpRequest) -> HttpResponse:
    user: User = enter(request, "case.see")
    today = timezone.localdate()
    groups = list(groups_of(user, today))
    other, same = ([each for each in groups if each.is_same_rule is is_same] for is_same in (False, True))
    content = {
        **TEXTS,
        "other": other,
        "same": same,
        "count": sum(each.count for each in other),
        "may_renew": may(user.role, "case.add"),
    }
    return shown(request, "dates_law.html.j2", "Changes of the law", content, page="dates")


def groups_of(user: User, on: datetime.date) -> Iterator[Group]:
    """One query for the groups and one for their certificates, however many there are."""
    issued = of_clinic(user, Certificate).filter(status=Certificate.Status.ISSUED).exclude(expires__lt=on)
    counted = issued.values("place", "rule", "rules_sha256").annotate(n=Count("pk"), first=Min("signed_at"))
    other = [
        (row, *found) for row in counted.order_by("place", "rule") if (found := _other(row, on)) is not None
    ]
    if not other:
        return
    by: dict[tuple[str, str, str], list[Certificate]] = {}
    places = {row["place"] for row, *_ in other}
    for each in (
        issued.filter(place__in=places).select_related("patient").order_by("expires", "pk")[: 20 * MOST]
    ):
        by.setdefault((each.place, each.rule, each.rules_sha256), []).append(each)
    for row, was, now, changed in other:
        mine = by.get((row["place"], row["rule"], row["rules_sha256"]), [])[:MOST]
        yield Group(
            row["place"],
            row["rule"],
            now.id if now else "none",
            (was.quote or was.wording or "") if was else "",
            (now.quote or now.wording or "") if now else "",
            changed,
            now is not None and now.id == row["rule"],
            row["n"],
            mine,
        )


def _other(
    row: Mapping[str, Any], on: datetime.date
) -> tuple[Version | None, Version | None, tuple[Change, ...]] | None:
    """The rule of the certificate, the one in force and what changed between; None where it is the same."""
    try:
        place = jurisdiction(row["place"])
    except RuleError:
        return None, None, ()
    was = next((each for each in place.versions if each.id == row["rule"]), None)
    now = version_on(place, on)
    if now is not None and now.id == row["rule"] and row["rules_sha256"] in ("", rules_sha256()):
        return None
    since = row["first"].date() if row["first"] else on
    found = tuple(each for each in changes(since, on) if each.jurisdiction == place.code)
    return was, now, found


urls = [path("dates/law", dates_law, name="dates-law")]

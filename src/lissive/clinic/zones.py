"""Where a clinic is: the zone in which its days and times are counted, and the usage in which its pages are written.

Both hold from `use` to `leave`, for one request or one piece of work.
"""

from __future__ import annotations

import datetime
import zoneinfo
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from pathlib import Path

from django.conf import settings
from django.utils import timezone
from django.utils.html import format_html

from lissive.clinic.models import Organisation
from lissive.table import rows_of
from lissive.usage import is_us, page_for, text_for

_PLACE: ContextVar[str] = ContextVar("lissive_clinic_place", default="")


@cache
def zones() -> Mapping[str, str]:
    """By place the zone in which most of it lives; a clinic elsewhere in it names its own."""
    return {row["place"]: row["zone"] for row in rows_of(Path(__file__).parent / "zones.tsv")}


def zone_of(organisation: Organisation) -> str:
    """The clinic's own, else that of its place, else that of the server."""
    return organisation.zone or zones().get(organisation.place) or settings.TIME_ZONE


def use(organisation: Organisation) -> None:
    """From here on, this clinic's zone and usage."""
    timezone.activate(zoneinfo.ZoneInfo(zone_of(organisation)))
    _PLACE.set(organisation.place)


def leave() -> None:
    """Back to the server's zone and to no clinic's usage."""
    timezone.deactivate()
    _PLACE.set("")


def here_is_us() -> bool:
    """Whether the clinic whose page or document is made now is in the United States."""
    return is_us(_PLACE.get())


def clock_text(at: datetime.datetime, *, seconds: bool = False) -> str:
    """The time of day in the zone in use: 14:20, in the United States 2:20 PM."""
    local = timezone.localtime(at)
    more = f":{local:%S}" if seconds else ""
    if here_is_us():
        return f"{local.hour % 12 or 12}:{local:%M}{more} {local:%p}"
    return f"{local:%H:%M}{more}"


def said(text: str) -> str:
    """A text in the usage of the clinic."""
    return text_for(_PLACE.get(), text)


def typed(text: str) -> str:
    """What somebody wrote: it is shown as they wrote it."""
    return format_html('<span class="as-typed">{}</span>', text) if text else ""


def written(page: str) -> str:
    """A page in the usage of the clinic."""
    return page_for(_PLACE.get(), page)


@contextmanager
def at(organisation: Organisation) -> Iterator[None]:
    """`use`, and then back to what was in use before."""
    was = _PLACE.get()
    with timezone.override(zoneinfo.ZoneInfo(zone_of(organisation))):
        _PLACE.set(organisation.place)
        try:
            yield
        finally:
            _PLACE.set(was)

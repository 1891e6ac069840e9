"""The head of the trail, outside the database: a file for each day, by which a trail that was cut or replaced is found.

A line has the time of an entry, its number and its hash. The first entry of a day is written, each that comes EVERY or
more after the last one written, and each that weighs (WEIGHTY). What can be cut off unnoticed is fewer than EVERY
entries, none of them of WEIGHTY. Who can write both the database and these files can make both again: keep a copy of
each day's file elsewhere.
"""

from __future__ import annotations

import datetime
import os
import re
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from lissive.clinic.models import Entry
from lissive.clinic.place import place

EVERY = 20
WEIGHTY = (
    *("patient.export", "patient.delete", "patient.hold", "audit.export"),
    *("user.", "clinic.", "log-out"),
    *("certificate.signed", "certificate.superseded", "certificate.revoked"),
)
"""How the names of such actions begin."""
_LINE = re.compile(r"(?P<at>\S{20,32})\t(?P<id>\d{1,18})\t(?P<hash>[0-9a-f]{64})")
_LONGEST = 200


class Anchor(NamedTuple):
    where: str
    """File and line."""
    at: str
    id: int
    hash: str


def file_of(entry: Entry) -> Path:
    return place().anchors / f"{day_of(entry.at)}.tsv"


def day_of(at: datetime.datetime) -> datetime.date:
    return at.astimezone(datetime.UTC).date()


def keep(entry: Entry) -> None:
    """Write a committed entry to the file of its day, where the rule asks for it; on the disk when this returns."""
    file = file_of(entry)
    last, is_whole = _end_of(file)
    if last is not None and entry.pk - last < EVERY and not entry.action.startswith(WEIGHTY):
        return
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    at = entry.at.astimezone(datetime.UTC).isoformat(timespec="microseconds")
    handle = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(handle, f"{'' if is_whole else chr(10)}{at}\t{entry.pk}\t{entry.hash}\n".encode())
        os.fsync(handle)
    finally:
        os.close(handle)


def _end_of(file: Path) -> tuple[int | None, bool]:
    """The number on the last line, None where there is none; and whether a new line can be begun."""
    try:
        with file.open("rb") as read:
            read.seek(max(0, read.seek(0, os.SEEK_END) - _LONGEST))
            end = read.read().decode(errors="replace")
    except FileNotFoundError:
        return None, True
    found = _LINE.fullmatch(end.rstrip("\n").rpartition("\n")[2])
    return int(found["id"]) if found else None, not end or end.endswith("\n")


def faults() -> Iterator[str]:
    """Where the trail is not what the files say that it was."""
    lines = _anchors()
    while some := list(islice(lines, 500)):
        ids = [each.id for each in some if isinstance(each, Anchor)]
        there = dict(Entry.objects.filter(pk__in=ids).values_list("pk", "hash"))
        last = Entry.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
        for each in some:
            if isinstance(each, str):
                yield each
            elif each.id > last:
                yield f"entry {each.id}: the end of the trail was cut off; {each.where} has it, of {each.at}."
            elif each.id not in there:
                yield f"entry {each.id}: it was taken out; {each.where} has it, of {each.at}."
            elif there[each.id] != each.hash:
                yield f"entry {each.id}: it was replaced; {each.where} has another hash, of {each.at}."


def without() -> Iterator[str]:
    """Days that have entries and no file."""
    from django.db.models.functions import TruncDate

    days = Entry.objects.annotate(day=TruncDate("at", tzinfo=datetime.UTC)).values_list("day", flat=True)
    for day in days.order_by("day").distinct().iterator():
        file = place().anchors / f"{day}.tsv"
        if not file.is_file():
            yield f"{file}: this file is missing, and the trail has entries of that day."


def _anchors() -> Iterator[Anchor | str]:
    """All lines of all files; of a line that cannot be read, what is wrong."""
    for file in sorted(place().anchors.glob("*.tsv")):
        with file.open(encoding="utf-8", errors="replace") as lines:
            for k, line in enumerate(lines, 1):
                where = f"{file.name}, line {k}"
                if found := _LINE.fullmatch(line.rstrip("\n")):
                    yield Anchor(where, found["at"], int(found["id"]), found["hash"])
                elif line.strip("\n"):
                    yield f"{where}: this is no line of the trail; it was changed or damaged."

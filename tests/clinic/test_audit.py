"""The trail: nothing in it can be changed, taken out, cut off or replaced unnoticed, and it does not fork."""

from __future__ import annotations

import datetime
from collections.abc import Iterator

import pytest
from django.db import DatabaseError, connection, transaction
from tests.clinic.conftest import guards

from lissive.clinic import anchors, audit
from lissive.clinic.models import Entry
from lissive.clinic.place import place

WHOLE = 50


@pytest.fixture
def trail(cast, django_capture_on_commit_callbacks) -> Iterator[list[int]]:
    """The numbers of some entries, with their anchors and without the triggers, as an owner of the file can have it."""
    with django_capture_on_commit_callbacks(execute=True):
        made = [audit.append("case.see", cast.ada, kind="case", thing=cast.case.pk).pk for _ in range(WHOLE)]
    assert not list(audit.faults(every_day=True))
    guards.unguard(connection)
    yield made
    guards.guard(connection)


def found() -> list[str]:
    return [each for each in audit.faults(every_day=True) if "trigger" not in each]


def test_the_database_refuses_what_is_no_append(cast):
    entry = audit.append("case.see", cast.ada)
    for change in (
        lambda: Entry.objects.filter(pk=entry.pk).update(who="nobody"),
        lambda: Entry.objects.filter(pk=entry.pk).delete(),
        lambda: Entry.objects.create(prev=entry.prev, hash="", at=entry.at, action="case.see"),
        *([_replace] if connection.vendor == "sqlite" else []),
    ):
        with pytest.raises(DatabaseError), transaction.atomic():
            change()
    assert not list(audit.faults())


def _replace() -> None:
    with connection.cursor() as cursor:
        cursor.execute("INSERT OR REPLACE INTO clinic_entry SELECT * FROM clinic_entry")


def test_a_changed_entry_is_named(trail):
    entry = Entry.objects.get(pk=trail[7])
    other = {"at": entry.at + datetime.timedelta(microseconds=1), "patient": "0" * 32, "detail": {"a": 1}}
    for field in {f.attname for f in Entry._meta.fields} - {"id", "prev", "hash"}:
        Entry.objects.filter(pk=entry.pk).update(**{field: other.get(field, 9)})
        assert found() == [f"entry {entry.pk}: its content is not what was written."], field
        Entry.objects.filter(pk=entry.pk).update(**{field: getattr(entry, field)})


def test_an_entry_that_was_taken_out_is_named(trail):
    Entry.objects.filter(pk=trail[9]).delete()
    (said,) = found()
    assert said.startswith(f"entry {trail[10]}: it does not follow entry {trail[8]};")


def test_the_beginning_that_was_taken_out_is_named(trail):
    Entry.objects.filter(pk__lt=trail[3]).delete()
    assert found()[0].startswith(f"entry {trail[3]}: the trail does not begin with it")


def test_a_tail_that_was_cut_off_is_found_though_the_chain_is_whole(trail):
    Entry.objects.filter(pk__gt=trail[WHOLE - anchors.EVERY - 1]).delete()
    assert [each for each in found() if "the end of the trail was cut off" in each]
    audit.append("case.see")  # what is appended later does not hide it
    assert [
        each for each in found() if "it was taken out" in each or "was replaced" in each or "cut off" in each
    ]


def test_a_chain_made_anew_is_found(trail):
    """Every hash is right, one name is another."""
    before = audit.BEGIN
    for entry in Entry.objects.order_by("pk"):
        entry.prev, entry.who = before, "nobody"
        before = entry.hash = audit.hash_of(entry)
        Entry.objects.filter(pk=entry.pk).delete()
        entry.save(force_insert=True)
    said = found()
    assert len(said) == len(_lines())
    assert all("it was replaced; " in each for each in said)


def test_files_that_are_missing_or_damaged_are_found(trail):
    (file,) = place().anchors.iterdir()
    text = file.read_text()
    file.write_text(text.replace("\t", " ", 1))
    assert found() == [f"{file.name}, line 1: this is no line of the trail; it was changed or damaged."]
    file.unlink()
    assert found() == [f"{file}: this file is missing, and the trail has entries of that day."]


def test_missing_triggers_are_found(trail):
    assert {each.split(":")[0] for each in audit.faults()} == set(guards.GUARDS[connection.vendor])


def test_fewer_than_the_rule_says_are_without_an_anchor(trail, django_capture_on_commit_callbacks):
    lines = _lines()
    assert lines[0] == Entry.objects.order_by("pk").first().pk
    assert Entry.objects.filter(pk__gt=lines[-1]).count() < anchors.EVERY
    with django_capture_on_commit_callbacks(execute=True):
        weighty = audit.append("patient.delete").pk
        audit.append("case.see")
    assert _lines() == [*lines, weighty]


def test_what_is_rolled_back_has_neither_entry_nor_anchor(cast, django_capture_on_commit_callbacks):
    def fails() -> None:
        with transaction.atomic():
            audit.append("patient.delete", cast.kim)
            raise ValueError("no")

    with django_capture_on_commit_callbacks(execute=True), pytest.raises(ValueError, match="no"):
        fails()
    assert not Entry.objects.exists()
    assert not place().anchors.exists()


def test_a_file_that_cannot_be_written_undoes_nothing(cast, django_capture_on_commit_callbacks):
    """The entry is committed by then; the next one tries again."""
    place().anchors.write_text("a file where the folder would be")
    with django_capture_on_commit_callbacks(execute=True):
        entry = audit.append("case.see", cast.ada)
    assert Entry.objects.get() == entry
    place().anchors.unlink()


def _lines() -> list[int]:
    (file,) = place().anchors.iterdir()
    return [int(line.split("\t")[1]) for line in file.read_text().splitlines()]

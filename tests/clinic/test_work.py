"""Work that takes longer than a page: asked once, leased, given back, ended exactly once."""

from __future__ import annotations

import datetime
import threading

import pytest
from django.db import connection
from django.utils import timezone

from lissive.clinic import audit, work
from lissive.clinic.models import Answer, Case, Work
from lissive.errors import CaseError

START = datetime.datetime(2026, 11, 29, 9, tzinfo=datetime.UTC)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[datetime.datetime]:
    """The time, which a test moves by itself."""
    now = [START]
    monkeypatch.setattr(timezone, "now", lambda: now[0])
    return now


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Work that is done at once; what was stored."""
    stored: list[int] = []
    monkeypatch.setattr(work, "kinds", lambda: {"a": lambda row, tick: lambda: stored.append(row.pk)})
    return stored


def later(clock, **by) -> None:
    clock[0] += datetime.timedelta(**by)


def test_equal_inputs_are_one_work_and_other_inputs_another(cast):
    one = work.ask(cast.case, "a", cast.ada, {"x": 1, "y": 2})
    assert work.ask(cast.case, "a", cast.ben, {"y": 2, "x": 1}) == one
    other_case = Case.objects.create(patient=cast.other, data=cast.case.data)
    others = {
        work.ask(cast.case, "a", cast.ada, {"x": 2}).key,
        work.ask(cast.case, "b", cast.ada, {"x": 1, "y": 2}).key,
        work.ask(other_case, "a", cast.cleo, {"x": 1, "y": 2}).key,
    }
    assert len({one.key, *others}) == 4
    assert one.status == "queued"


def test_other_tables_are_other_work(cast, monkeypatch):
    one = work.ask(cast.case, "a", cast.ada, {})
    monkeypatch.setattr(work, "tables", lambda: "other")
    assert work.ask(cast.case, "a", cast.ada, {}) != one


def test_a_closed_case_takes_no_work(cast):
    Case.objects.filter(pk=cast.case.pk).update(status="closed")
    with pytest.raises(work.Closed, match="closed"):  # also of a page that was loaded before
        work.ask(cast.case, "a", cast.ada, {})
    assert not Work.objects.exists()


def test_the_oldest_is_taken_and_by_one(cast, clock):
    first = work.ask(cast.case, "a", cast.ada, {"n": 1})
    later(clock, seconds=1)
    second = work.ask(cast.case, "a", cast.ada, {"n": 2})
    assert [work.claim("one"), work.claim("two"), work.claim("three")] == [first, second, None]
    first.refresh_from_db()
    assert (first.status, first.holder, first.attempts) == ("running", "one", 1)
    assert first.lease_until == clock[0] + work.LEASE


def test_a_lease_that_is_renewed_is_nobody_elses(cast, clock):
    work.ask(cast.case, "a", cast.ada, {}, total=14)
    row = work.claim("one")
    for done in (5, 99):
        later(clock, seconds=25)
        assert work.renew(row, done)
        assert work.claim("two") is None
    row.refresh_from_db()
    assert row.done == 14  # never beyond its total


def test_what_a_dead_worker_held_is_done_by_another_and_stored_once(cast, clock, made):
    work.ask(cast.case, "a", cast.ada, {})
    dead = work.claim("dead")
    later(clock, seconds=31)
    row = work.claim("living")
    assert row == dead
    assert row.attempts == 2
    # the dead one was only slow: it stores nothing, renews nothing, ends nothing
    assert not work.finish(dead, lambda: made.append(-1))
    assert not work.renew(dead, 1)
    work.fail(dead, "no")
    work.give_back(dead)
    work.do(row)
    work.do(row)
    assert made == [row.pk]
    row.refresh_from_db()
    assert row.status == "done"
    assert not list(audit.faults())


def test_after_three_attempts_it_has_failed_in_words_and_can_be_asked_again(cast, clock):
    row = work.ask(cast.case, "a", cast.ada, {})
    for _ in range(work.ATTEMPTS):
        assert work.claim("dies") == row
        later(clock, seconds=31)
    assert work.claim("dies") is None
    row.refresh_from_db()
    assert row.status == "failed"
    assert "three times" in row.failed
    assert work.ask(cast.case, "a", cast.ada, {}) == row
    again = work.claim("lives")
    assert (again, again.attempts, again.failed) == (row, 1, "")


def test_a_worker_that_is_told_to_end_gives_its_work_back(cast, monkeypatch):
    def stopped(row, tick):
        raise work.Stopped

    monkeypatch.setattr(work, "kinds", lambda: {"a": stopped})
    row = work.ask(cast.case, "a", cast.ada, {})
    work.do(work.claim("one"))
    row.refresh_from_db()
    assert (row.status, row.holder, row.attempts) == ("queued", "", 0)


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (CaseError("The weight is 0.", allowed="20 to 350 kg."), "The weight is 0. Allowed: 20 to 350 kg."),
        (ZeroDivisionError("Dan Doe"), work.FAULT),
    ],
)
def test_what_went_wrong_is_told_in_words(cast, monkeypatch, error, told):
    def wrong(row, tick):
        raise error

    monkeypatch.setattr(work, "kinds", lambda: {"a": wrong})
    row = work.ask(cast.case, "a", cast.ada, {})
    work.do(work.claim("one"))
    row.refresh_from_db()
    assert (row.status, row.failed) == ("failed", told)


def test_nothing_is_stored_where_storing_fails(cast):
    """The end and what was made are one transaction."""
    row = work.ask(cast.case, "a", cast.ada, {})
    held = work.claim("one")

    def keep() -> None:
        Answer.objects.create(case=cast.case, key="k", data={}, found={}, lissive="1")
        raise RuntimeError

    with pytest.raises(RuntimeError):
        work.finish(held, keep)
    row.refresh_from_db()
    assert row.status == "running"
    assert not Answer.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_claimers_at_once_never_get_one_row(cast):
    for number in range(12):
        work.ask(cast.case, "a", cast.ada, {"n": number})
    taken: list[int] = []

    def claimer(name: str) -> None:
        while (row := work.claim(name)) is not None:
            taken.append(row.pk)
        connection.close()

    threads = [threading.Thread(target=claimer, args=(name,)) for name in ("one", "two", "three")]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert len(taken) == len(set(taken)) == 12

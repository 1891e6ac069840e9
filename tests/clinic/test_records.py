"""The trail on its page, who looked, export, legal hold, deletion."""

from __future__ import annotations

import csv
import datetime
import hashlib
import io
import json
import re
import zipfile
from collections.abc import Callable

import pytest
from django.apps import apps
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from tests.clinic.conftest import guards, visitor

from lissive.clinic import audit, retention
from lissive.clinic.models import Answer, Case, Document, Entry, Hold, Patient, Treatment, User, Visit, Work
from lissive.handout.pdf import pdf_writer

LONG_AGO = timezone.now() - datetime.timedelta(days=366 * 8)


def rows(page: str) -> list[str]:
    """What the rows of the page's table say, without tags."""
    found = re.findall(r"<tr role=\"row\">(.*?)</tr>", page, re.S)[1:]
    return [" ".join(re.sub("<[^>]*>", " ", each).split()) for each in found]


def looks(cast, n: int) -> None:
    for _ in range(n):
        audit.append("case.see", cast.ada, kind="case", thing=cast.case.pk, patient=cast.patient.pk)


# -- the trail --------------------------------------------------------------------------------------
def test_the_filter_finds_by_user_action_patient_and_day(cast):
    looks(cast, 2)
    audit.append("patient.see", cast.ben, kind="patient", patient=cast.patient.pk)
    audit.append("patient.see", cast.cleo, kind="patient", patient=cast.other.pk)
    today = timezone.localdate()
    kim = visitor(cast.kim)

    def found(**asked: object) -> list[str]:
        answer = kim.post("/audit", asked)
        assert answer.status_code == 200
        return [each for each in rows(answer.content.decode()) if "Kim" not in each]

    assert len(found()) == 3
    assert len(found(who=cast.ada.pk)) == len(found(action="case.see")) == 2
    assert len(found(patient=cast.patient.pk, since=today, until=today)) == 3
    assert found(patient=cast.other.pk) == found(until=today - datetime.timedelta(days=1)) == []
    assert "Ben, second practitioner" in found(who=cast.ben.pk)[0]
    assert "Dan Doe" in found()[0]


def test_a_wrong_filter_is_shown_again_with_what_was_typed(cast):
    for name, typed in {
        "since": "31/12/2026",
        "until": "2026-02-30",
        "who": cast.cleo.pk,
        "action": "x.y",
        "patient": "Doe",
        "before": "9" * 30,
    }.items():
        answer = visitor(cast.kim).post("/audit", {name: typed})
        assert answer.status_code == 422, name
        assert name == "before" or f'id="{name}-error"' in answer.content.decode()
    assert b'value="Doe"' in visitor(cast.kim).post("/audit", {"patient": "Doe"}).content
    backwards = {"since": "2026-02-02", "until": "2026-02-01"}
    assert b"before the first" in visitor(cast.kim).post("/audit", backwards).content
    assert visitor(cast.kim).post("/audit", {"since": "0001-01-01", "until": "9999-12-31"}).status_code == 200


def test_pages_follow_each_other_without_a_gap_and_without_more_queries(cast):
    looks(cast, 60)
    kim = visitor(cast.kim)
    kim.get("/audit")

    def asked(**more: object) -> tuple[str, int]:
        with CaptureQueriesContext(
            connection,
        ) as queries:
            page = kim.post("/audit", {"who": cast.ada.pk, **more}).content.decode()
        return page, len(queries)

    first, many = asked()
    (older,) = re.findall(r'name="before" value="(\d+)"', first)
    second, few = asked(before=older)
    assert [len(rows(first)), len(rows(second))] == [50, 10]
    assert many == few
    assert 'name="before"' not in second


def test_the_csv_has_all_and_no_formula(cast):
    User.objects.filter(pk=cast.ada.pk).update(first_name="=1+1")
    cast.ada.refresh_from_db()
    looks(cast, 70)
    answer = visitor(cast.kim).post("/audit", {"who": cast.ada.pk, "as": "csv"})
    table = list(csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode())))
    assert len(table) == 70
    assert {row["name"] for row in table} == {"'=1+1"}
    assert table[0]["hash"] == Entry.objects.filter(user=cast.ada.pk).order_by("-pk")[0].hash
    assert Entry.objects.get(action="audit.exported").detail == {"filters": ["who"]}


def test_the_administrator_sees_no_patients_name(cast):
    looks(cast, 1)
    page = visitor(cast.zoe).get("/audit").content.decode()
    table = b"".join(visitor(cast.zoe).post("/audit", {"as": "csv"}).streaming_content).decode()
    for said in (page, table):
        assert str(cast.patient.pk) in said
        assert "Doe" not in said


# -- who looked -------------------------------------------------------------------------------------
def test_the_patient_sees_who_looked(cast):
    looks(cast, 3)
    audit.append("patient.see", cast.fay, kind="patient", patient=cast.patient.pk)
    address = f"/patients/{cast.patient.pk}/looked"
    page = visitor(cast.dan).get(address).content.decode()
    assert "2 people have opened your record" in page
    said = rows(page)
    assert said[0].split(" ", 4)[-1].startswith("You")
    assert said[1].endswith("Fay, front desk A patient&#39;s details and list of cases")
    assert said[2].endswith("Ada, practitioner A case, its answers and treatments (3 times)")
    assert "Dan Doe" in visitor(cast.kim).get(address).content.decode()
    for before in ("", "x", "-1", "9" * 40, "٣"):
        assert visitor(cast.kim).get(address, {"before": before}).status_code == 200


def test_who_looked_goes_back_page_by_page(cast):
    looks(cast, 310)
    address = f"/patients/{cast.patient.pk}/looked"
    kim = visitor(cast.kim)
    (older,) = re.findall(r"looked\?before=(\d+)", kim.get(address).content.decode())
    assert "(11 times)" in kim.get(address, {"before": older}).content.decode()


# -- export -----------------------------------------------------------------------------------------
@pytest.fixture
def whole(cast):
    """A patient with something of everything."""
    Treatment.objects.create(patient=cast.patient, drug="zolbaclofen", note="worked-badly")
    made = Answer.objects.create(
        case=cast.case, key="k", data=cast.case.data, found={"bottom_line": "Not lawful there."}, lissive="1"
    )
    content = b"the report"
    document = Document.objects.create(
        case=cast.case,
        answer=made,
        kind="report.pdf",
        media_type="application/pdf",
        content=content,
        sha256=hashlib.sha256(content).hexdigest(),
        made_by=cast.ada,
    )
    Work.objects.create(key="w", kind="forecast", case=cast.case, given={})
    retention.set_hold(cast.patient, cast.kim, "order 17")
    retention.lift_hold(cast.patient, cast.kim, "settled")
    cast.document = document
    return cast


@pytest.mark.slow
def test_the_export_has_a_pdf(whole):
    if pdf_writer()[0] is None:
        pytest.skip(pdf_writer()[1])
    answer = visitor(whole.kim).post(f"/patients/{whole.patient.pk}/export")
    assert zipfile.ZipFile(io.BytesIO(answer.content)).read("record.pdf").startswith(b"%PDF")


def test_the_export_is_whole_and_can_be_read_again(whole, monkeypatch):
    monkeypatch.setattr("lissive.clinic.export.pdf_writer", lambda: (None, "no Pango"))
    looks(whole, 2)
    answer = visitor(whole.kim).post(f"/patients/{whole.patient.pk}/export")
    assert "Doe" not in answer["Content-Disposition"]
    archive = zipfile.ZipFile(io.BytesIO(answer.content))
    manifest = json.loads(archive.read("manifest.json"))
    hashes = {name: hashlib.sha256(archive.read(name)).hexdigest() for name in archive.namelist()}
    assert manifest["sha256"] == {name: each for name, each in hashes.items() if name != "manifest.json"}
    record = json.loads(archive.read("record.json"))
    case = record["cases"][0]
    assert record["patient"]["family_name"] == "Doe"
    assert record["patient"]["treatments"][0]["note"] == "worked-badly"
    assert record["patient"]["holds"][0]["lifted_why"] == "settled"
    assert case["data"] == whole.case.data
    assert case["opened_by"] == "Ada"
    assert case["answers"][0]["found"]["bottom_line"] == "Not lawful there."
    assert case["work"][0]["kind"] == "forecast"
    assert archive.read(case["documents"][0]["file"]) == b"the report"
    assert sum(each["action"] == "case.see" for each in record["trail"]) == 2
    made = Entry.objects.get(action="patient.exported")
    assert made.detail["sha256"] == hashlib.sha256(answer.content).hexdigest()
    assert (made.user, made.patient) == (whole.kim.pk, whole.patient.pk)


def test_the_report_to_read_says_it_all(whole, monkeypatch):
    monkeypatch.setattr("lissive.clinic.export.pdf_writer", lambda: (None, "no Pango"))
    Document.objects.filter(pk=whole.document.pk).update(content=b"another")
    answer = visitor(whole.kim).post(f"/patients/{whole.patient.pk}/export")
    archive = zipfile.ZipFile(io.BytesIO(answer.content))
    manifest = json.loads(archive.read("manifest.json"))
    page = archive.read("record.html").decode()
    assert manifest["left_out"] == {"record.pdf": "no Pango"}
    assert len(manifest["documents_changed_since_made"]) == 1
    for said in (
        "Dan Doe",
        "1 March 1974",
        "zolbaclofen",
        "Not lawful there.",
        "Multiple sclerosis",
        "order 17",
    ):
        assert said in page, said
    assert "Its content is no longer that." in page


def test_every_kind_of_row_that_is_a_patients_is_exported_and_deleted(cast):
    """A table that is added later is found by its relation."""
    held = {each.related_model for owner in (Patient, Case, Visit) for each in owner._meta.related_objects}
    relations = (
        f for model in apps.get_app_config("clinic").get_models() for f in model._meta.concrete_fields
    )
    owned = {
        f.model for f in relations if f.related_model in {Patient, *held} and f.model not in (Case, Visit)
    }
    assert owned <= held, "belongs to something of a patient, and neither export nor retention knows it"


# -- hold and deletion ------------------------------------------------------------------------------
@pytest.fixture
def old(whole, monkeypatch):
    """The last entry is eight years old, and six are asked for."""
    guards.unguard(connection)
    Entry.objects.all().delete()
    guards.guard(connection)
    for model in (Patient, Case, Answer, Document, Work):
        for field in model._meta.concrete_fields:
            if field.get_internal_type() == "DateTimeField" and field.name not in (
                "closed",
                "ended",
                "lease_until",
            ):
                model.objects.update(**{field.name: LONG_AGO})
    whole.here.keep_years = 6
    whole.here.save()
    whole.patient.refresh_from_db()
    return whole


def deleted(cast, **typed: str):
    asked = {"reason": "period", "name": "dan doe", **typed}
    return visitor(cast.kim).post(f"/patients/{cast.patient.pk}/delete", asked)


def test_nothing_is_left_but_the_trail(old):
    looks_before = Entry.objects.count()
    visitor(old.kim).get(f"/patients/{old.patient.pk}/delete")
    assert deleted(old).status_code == 200
    assert list(Patient.objects.all()) == [old.other]
    assert not any(model.objects.exists() for model in (Case, Answer, Document, Work, Treatment, Hold))
    assert not User.objects.filter(username="dan").exists()
    entry = Entry.objects.order_by("-pk")[0]
    assert (entry.action, entry.patient) == ("patient.deleted", old.patient.pk)
    assert entry.detail == {"reason": "period", "cases": 1, "documents": 1, "log-in": True}
    assert Entry.objects.count() == looks_before + 3
    assert not list(audit.faults())
    assert visitor(old.kim).get(f"/patients/{old.patient.pk}/delete").status_code == 404


def test_no_table_names_the_patient_after_the_deletion(old):
    visitor(old.dan).get(f"/patients/{old.patient.pk}/looked")
    deleted(old)
    for model in apps.get_models():
        for row in model._default_manager.all().values_list():
            assert not re.search("Doe|Dan|dan\\b|zolbaclofen|worked-badly|order 17|baclofen", str(row)), (
                model,
                row,
            )


KEPT: dict[str, tuple[Callable[..., object], str]] = {
    "no period": (
        lambda cast: type(cast.here).objects.update(keep_years=None),
        "do not say for how many years",
    ),
    "too early": (lambda cast: type(cast.here).objects.update(keep_years=9), "keeps records for 9 years"),
    "changed since": (lambda cast: Case.objects.update(opened=timezone.now()), "The last entry is of"),
    "changed by the trail": (
        lambda cast: audit.append("treatment.changed", cast.ada, patient=cast.patient.pk),
        "The last entry is of",
    ),
    "held": (lambda cast: retention.set_hold(cast.patient, cast.kim, "order 18"), "A legal hold stands"),
}


@pytest.mark.parametrize("why", KEPT)
def test_what_must_be_kept_is_kept_and_the_reason_said(old, why):
    prepare, said = KEPT[why]
    prepare(old)
    answer = deleted(old)
    assert answer.status_code == 409
    assert said in answer.content.decode()
    assert Patient.objects.filter(pk=old.patient.pk).exists()
    assert not Entry.objects.filter(action="patient.deleted").exists()


def test_the_period_counts_from_the_last_entry_and_looking_does_not_count(old):
    looks(old, 2)
    assert retention.last_entry(old.patient) == LONG_AGO
    old.here.keep_years = 8
    old.patient.organisation.keep_years = 8
    last = timezone.localtime(LONG_AGO).date()
    assert retention.kept_until(old.patient) == last.replace(year=last.year + 8)


def test_a_29_february_is_kept_a_day_longer_not_shorter(old, monkeypatch):
    monkeypatch.setattr(
        retention, "last_entry", lambda _: datetime.datetime(2020, 2, 29, 12, tzinfo=datetime.UTC)
    )
    old.patient.organisation.keep_years = 6
    assert retention.kept_until(old.patient) == datetime.date(2026, 3, 1)


@pytest.mark.parametrize("typed", [{"name": "Rae Roe"}, {"name": ""}, {"reason": ""}, {"reason": "x"}])
def test_a_deletion_asks_for_the_name_and_the_reason(old, typed):
    answer = deleted(old, **typed)
    assert answer.status_code == 422
    assert b'aria-invalid="true"' in answer.content
    assert Patient.objects.filter(pk=old.patient.pk).exists()


def test_a_hold_is_set_and_lifted_once_each_with_its_reason(cast):
    kim, address = visitor(cast.kim), f"/patients/{cast.patient.pk}/hold"

    def asked(client: Client = kim, **typed: str) -> int:
        return client.post(address, typed).status_code

    assert asked(why=" ") == asked(why="x" * 501) == 422
    assert asked(why="order 17", do="set") == 302
    assert asked(why="order 18", do="set") == 409
    assert b"order 17" in kim.get(address).content
    assert asked(why="settled", do="lift") == 302
    assert asked(why="settled", do="lift") == 409
    hold = Hold.objects.get()
    assert (hold.why, hold.lifted_why, hold.set_by) == ("order 17", "settled", cast.kim)
    trail = list(Entry.objects.exclude(action="patient.hold").values_list("action", "detail"))
    assert trail == [
        ("patient.hold-set", {"fields": ["reason"]}),
        ("patient.hold-lifted", {"fields": ["reason"]}),
    ]

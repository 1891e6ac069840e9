"""The cast: Ada owns the case, Ben works beside her, Cleo is of another clinic, Dan is the patient."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from copy import deepcopy
from importlib import import_module
from types import SimpleNamespace

import pytest
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.db.backends.base.operations import BaseDatabaseOperations
from django.test import Client
from tests.clinic.dated import certificate_of, days

from lissive.clinic.models import Case, Credential, Organisation, Patient, Practitioner, User
from lissive.clinic.place import place
from lissive.web import guard

CASE = {
    "case": "calculator",
    "as_of": "2026-11-22",
    "place": {"residence": "GB"},
    "person": {"age_years": 52, "sex": "female", "pregnancy": "none"},
    "spasm": {"cause": "multiple_sclerosis", "spasticity_nrs": 7},
    "history": {"current": ["baclofen 60 mg/day", "clobazam 10 mg/day"], "conditions": []},
    "plan": {"product": "nabiximols", "titration": "label", "weeks": 2},
}
PASSWORD = "correct horse battery"


def user(name: str, organisation: Organisation, role: str) -> User:
    made = User.objects.create_user(
        name, password=PASSWORD, organisation=organisation, role=role, first_name=name.title()
    )
    if role != "patient":
        TOTP.activate(made, generate_totp_secret())
    return made


def visitor(of: User | None = None) -> Client:
    client = Client(SERVER_NAME="localhost")
    if of is not None:
        client.force_login(of, "allauth.account.auth_backends.AuthenticationBackend")
    return client


@pytest.fixture
def cast(db: None) -> SimpleNamespace:
    here, there = Organisation.objects.create(name="Elm Street"), Organisation.objects.create(name="Far Away")
    staff = {name: user(name, here, role) for name, role in STAFF.items()}
    cleo, dan = user("cleo", there, "practitioner"), user("dan", here, "patient")
    patient = Patient.objects.create(
        organisation=here, family_name="Doe", given_name="Dan", born="1974-03-01", residence="GB", user=dan
    )
    case = Case.objects.create(patient=patient, data=deepcopy(CASE), opened_by=staff["ada"])
    other = Patient.objects.create(organisation=there, family_name="Roe", given_name="Rae", born="1980-05-05")
    return SimpleNamespace(
        **staff, cleo=cleo, dan=dan, here=here, there=there, patient=patient, case=case, other=other
    )


STAFF = {
    "ada": "practitioner",
    "ben": "second",
    "fay": "front_desk",
    "kim": "compliance",
    "zoe": "administrator",
}


@pytest.fixture(autouse=True)
def _no_rate_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "PAGES", guard.Bucket(1e9, 1e9))
    monkeypatch.setattr(guard, "WORK", guard.Bucket(1e9, 1e9))
    monkeypatch.setattr("lissive.clinic.certify.verify.ASKED", guard.Bucket(1e9, 1e9))


guards = import_module("lissive.clinic.migrations.0002_append_only")


@pytest.fixture(autouse=True)
def _no_anchors() -> None:
    shutil.rmtree(place().anchors, ignore_errors=True)


@pytest.fixture(autouse=True, scope="session")
def _tables_can_be_emptied() -> Iterator[None]:
    """After a test with transactions of its own, all tables are emptied, also the one that refuses it."""
    flush = BaseDatabaseOperations.execute_sql_flush

    def emptied(self: BaseDatabaseOperations, statements: list[str]) -> None:
        guards.unguard(self.connection)
        flush(self, statements)
        guards.guard(self.connection)

    BaseDatabaseOperations.execute_sql_flush = emptied
    yield
    BaseDatabaseOperations.execute_sql_flush = flush


@pytest.fixture
def day(cast: SimpleNamespace) -> SimpleNamespace:
    """The cast with a practitioner, a certificate that expires in 20 days, and a licence that does in 60."""
    cast.patient.email = "mark@example.org"
    cast.patient.save()
    cast.doctor = Practitioner.objects.create(
        organisation=cast.here, user=cast.ada, name="Ada Lind", profession="MD", email="ada@example.org"
    )
    cast.certificate = certificate_of(cast, expires=days(20))
    cast.licence = Credential.objects.create(
        practitioner=cast.doctor, kind="licence", place="US-NY", expires=days(60)
    )
    return cast

"""Log-in: password, second factor, lock-out, expiry and back; what of it stands in the trail."""

from __future__ import annotations

import datetime
import re

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import (
    format_hotp_value,
    hotp_value,
    yield_hotp_counters_from_time,
)
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.test import Client
from tests.clinic.conftest import PASSWORD, visitor

from lissive.clinic import audit
from lissive.clinic.models import Entry

LOG_IN = "/account/login/"


@pytest.fixture(autouse=True)
def _nobody_tried_before(db):
    cache.clear()


def code_of(secret):
    return format_hotp_value(hotp_value(secret, next(iter(yield_hotp_counters_from_time()))))


def secret_of(user):
    return user.authenticator_set.get(type=Authenticator.Type.TOTP).data["secret"]


def log_in(client, name, password=PASSWORD, to="/"):
    return client.post(LOG_IN, {"login": name, "password": password, "next": to})


def text_of(response):
    return " ".join(re.sub(r"<[^>]+>", " ", response.content.decode()).split())


def trail():
    return list(Entry.objects.order_by("id").values_list("action", flat=True))


def test_password_then_code_then_the_page_that_was_asked_for(cast):
    client = visitor()
    asked = client.get("/patients?page=2")
    assert asked["Location"] == f"{LOG_IN}?next=%2Fpatients%3Fpage%3D2"
    page = client.get(asked["Location"])
    assert 'name="next" value="/patients?page=2"' in page.content.decode()
    assert log_in(client, "ada", to="/patients")["Location"] == "/account/code/"
    assert client.get("/patients").status_code == 302  # the password alone opens nothing
    wrong = client.post("/account/code/", {"code": "000000"})
    assert "This code is wrong" in text_of(wrong)
    code = code_of(secret_of(cast.ada))
    right = client.post("/account/code/", {"code": code})
    assert right["Location"] == "/patients"
    assert client.get("/patients").status_code == 200
    assert client.post("/account/logout/")["Location"] == LOG_IN
    assert client.get("/patients").status_code == 302
    log_in(client, "ada")
    assert "was used already" in text_of(client.post("/account/code/", {"code": code}))
    assert trail()[:5] == [
        "second factor failed",
        "log-in",
        "patient.list",
        "log-out",
        "second factor failed",
    ]
    assert set(Entry.objects.values_list("thing", flat=True)) >= {str(cast.ada.pk)}
    assert not list(audit.faults())


def test_no_way_to_another_site_after_the_log_in(cast):
    client = visitor()
    cast.dan.authenticator_set.all().delete()
    assert log_in(client, "dan", to="https://elsewhere.example/x")["Location"] == "/"


def test_staff_without_a_second_factor_set_one_up_and_go_on(cast):
    cast.fay.authenticator_set.all().delete()
    client = visitor()
    assert log_in(client, "fay", to="/patients")["Location"] == "/patients"
    set_up = client.get("/patients")["Location"]
    assert set_up == "/account/2fa/totp/activate/?next=%2Fpatients"
    page = client.get(set_up).content.decode()
    secret = re.search(r'class="key">([A-Z2-7 ]+)<', page)[1].replace(" ", "")
    assert "data:image/svg+xml" in page
    assert "This code is wrong" in text_of(client.post(set_up, {"code": "000000"}))
    codes = client.post(set_up, {"code": code_of(secret)}, follow=True)
    assert codes.status_code == 200, "the password is not asked again a moment after the log-in"
    spare = re.findall(r"<code>(\d{8})</code>", codes.content.decode())
    assert len(spare) == 10
    assert client.get("/patients").status_code == 200
    client.post("/account/logout/")
    log_in(client, "fay")
    assert client.post("/account/code/", {"code": spare[0]})["Location"] == "/"
    client.post("/account/logout/")
    log_in(client, "fay")
    assert client.post("/account/code/", {"code": spare[0]}).status_code == 200, "each code works once"
    assert {"second factor added", "recovery code used", "second factor failed"} <= set(trail())


def test_every_page_of_the_log_in_is_in_the_clinics_frame(cast):
    client = visitor()
    log_in(client, "ada")
    client.post("/account/code/", {"code": code_of(secret_of(cast.ada))})
    for path in (
        "/account/",
        "/account/password/",
        "/account/logout/",
        "/account/confirm/",
        "/account/confirm/code/",
        "/account/2fa/totp/deactivate/",
        "/account/2fa/recovery-codes/generate/",
        "/account/ended/",
        "/account/link/1/x-y/",
        "/account/password/set/",
    ):
        page = client.get(path)
        assert page.status_code == 200, path
        assert 'class="skip"' in page.content.decode(), path
        assert "style=" not in page.content.decode(), path
    assert "This link cannot be used" in text_of(client.get("/account/link/1/x-y/"))


def test_what_allauth_could_do_beside_is_not_there(cast):
    for path in ("signup/", "email/", "password/reset/", "login/code/", "confirm-email/", "3rdparty/"):
        assert visitor().get(f"/account/{path}").status_code == 404, path


def test_five_wrong_passwords_lock_the_name_for_everyone_and_say_so(cast):
    for _ in range(5):
        assert "User name or password is wrong." in text_of(
            log_in(Client(SERVER_NAME="localhost"), "dan", "no")
        )
    locked = text_of(log_in(visitor(), "dan"))  # also with the right one
    assert "no log-in under this name for up to 15 minutes" in locked
    assert visitor().get("/")["Location"].startswith(LOG_IN)
    assert log_in(visitor(), "ada")["Location"] == "/account/code/"  # others are not locked
    assert trail()[:6] == ["log-in failed"] * 5 + ["log-in locked"]
    assert {each.thing for each in Entry.objects.filter(action="log-in locked")} == {str(cast.dan.pk)}


def test_wrong_codes_lock_too(cast):
    client = visitor()
    log_in(client, "ada")
    for _ in range(5):
        client.post("/account/code/", {"code": "000000"})
    locked = client.post("/account/code/", {"code": code_of(secret_of(cast.ada))})
    assert "up to 15 minutes" in text_of(locked)


def test_a_name_that_nobody_has_is_not_kept(cast):
    log_in(visitor(), "my secret password", "x")
    entry = Entry.objects.get(action="log-in failed")
    assert "secret" not in str(entry.__dict__)


def test_who_was_ended_does_not_log_in_and_is_logged_out(cast):
    client = visitor(cast.dan)
    assert client.get("/").status_code == 200
    cast.dan.is_active = False
    cast.dan.save()
    assert client.get("/").status_code == 302
    assert log_in(visitor(), "dan")["Location"] == "/account/ended/"
    assert "log-in refused" in trail()


@pytest.mark.parametrize("change", ["role", "password"])
def test_another_role_or_password_ends_all_sessions(cast, change):
    client = visitor(cast.ben)
    assert client.get("/").status_code == 200
    if change == "role":
        cast.ben.role = "compliance"
    else:
        cast.ben.set_password("another long password")
    cast.ben.save()
    assert client.get("/").status_code == 302


def test_thirty_minutes_without_a_request_end_the_log_in(cast):
    client = visitor(cast.ada)
    client.get("/")
    held = Session.objects.get()
    left = (held.expire_date - datetime.datetime.now(datetime.UTC)).total_seconds()
    assert 29 * 60 < left <= 30 * 60
    cookie = client.cookies["sessionid"]
    assert cookie["max-age"] == ""  # gone with the browser
    assert cookie["httponly"]
    Session.objects.update(expire_date=datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC))
    assert client.get("/").status_code == 302


def test_a_form_that_came_too_late_is_shown_and_led_back(cast):
    client = visitor()
    sent = {"family_name": "Núñez <b>", "password": "hidden away", "csrfmiddlewaretoken": "t"}
    late = client.post("/users", sent, headers={"referer": "http://localhost/patients"})
    page = late.content.decode()
    assert late.status_code == 401
    assert "What you sent was not saved." in page
    assert f'href="{LOG_IN}?next=%2Fpatients"' in page
    assert "Núñez &lt;b&gt;" in page
    assert "hidden away" not in page
    elsewhere = client.post("/users", sent, headers={"referer": "https://elsewhere.example/x"})
    assert f'href="{LOG_IN}"' in elsewhere.content.decode()
    part = client.get("/users", headers={"HX-Request": "true"})
    assert (part.status_code, part["Lissive-Log-In"]) == (401, LOG_IN)


def test_a_form_of_before_the_log_in_is_refused_and_its_page_gives_a_fresh_one(cast):
    client = Client(SERVER_NAME="localhost", enforce_csrf_checks=True)
    page = client.get(LOG_IN).content.decode()
    before = re.search(r'csrfmiddlewaretoken" value="([^"]+)"', page)[1]
    sent = {"login": "dan", "password": PASSWORD, "csrfmiddlewaretoken": before}
    assert client.post(LOG_IN, sent).status_code == 302
    old = client.post("/account/logout/", {"csrfmiddlewaretoken": before})
    assert old.status_code == 403
    assert "load the page again" in text_of(old)
    fresh = re.search(r'csrfmiddlewaretoken" value="([^"]+)"', client.get("/").content.decode())[1]
    assert client.post("/account/logout/", {"csrfmiddlewaretoken": fresh}).status_code == 302

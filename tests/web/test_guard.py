"""What keeps visitors and their answers safe: headers, hosts, forms of other sites, rates, logs, faults."""

from __future__ import annotations

import logging
import threading

import pytest
from django.test import Client

from lissive.errors import LissiveError
from lissive.web import views
from lissive.web.guard import Bucket, client_of
from lissive.web.serve import WhereAlone, settings
from lissive.web.work import Busy, Desk


def test_pages_forbid_every_inline_style_and_script_and_are_not_kept(visitor):
    response = visitor.get("/")
    policy = response.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    visitor.answered()
    assert " style=" not in visitor.page
    assert "<style" not in visitor.page
    assert " onclick" not in visitor.page
    cookie = visitor.client.cookies["csrftoken"]
    assert (cookie["httponly"], cookie["samesite"], cookie["max-age"]) == (True, "Strict", "")
    assert list(visitor.client.cookies) == ["csrftoken"]


def test_behind_a_proxy_with_tls_cookies_are_secure_and_browsers_stay_with_it():
    held = settings("https://calculator.example.org")
    assert held["CSRF_COOKIE_SECURE"]
    assert held["SECURE_HSTS_SECONDS"] >= 31_536_000
    assert held["CSRF_TRUSTED_ORIGINS"] == ["https://calculator.example.org"]
    assert "calculator.example.org" in held["ALLOWED_HOSTS"]
    assert "*" not in held["ALLOWED_HOSTS"]
    assert not settings()["CSRF_COOKIE_SECURE"]


def test_another_host_and_a_form_of_another_site_are_refused_in_plain_words(visitor):
    assert Client(SERVER_NAME="evil.test").get("/").status_code == 400
    strict = Client(SERVER_NAME="localhost", enforce_csrf_checks=True)
    response = strict.post("/answer", {"case": '{"case":"a"}'})
    assert response.status_code == 403
    assert b"One cookie is needed" in response.content


def test_a_page_that_is_not_there_and_a_method_that_is_not_taken(visitor):
    assert visitor.get("/nothing").status_code == 404
    assert "There is no such page" in visitor.text
    assert visitor.get("/answer").status_code == 405
    assert visitor.get("/file/case.yaml").status_code == 405


def test_too_large_a_form_is_refused(visitor):
    visitor.client.raise_request_exception = False
    assert visitor.post("/answer", case="a" * 3_100_000).status_code in (400, 413)
    assert visitor.post("/answer", **{f"n{k}": "1" for k in range(300)}).status_code == 400


def test_a_fault_shows_no_trace_and_logs_its_place_alone(visitor, monkeypatch, capsys):
    def broken(*_args, **_given):
        raise ValueError("baclofen 60 mg/day of case")

    monkeypatch.setattr(views, "answer", broken)
    visitor.client.raise_request_exception = False
    handler = logging.StreamHandler()
    handler.setFormatter(WhereAlone())
    logger = logging.getLogger("django")
    monkeypatch.setattr(logger, "handlers", [handler])
    assert visitor.post("/answer", case='{"case":"a","history":{"current":["baclofen"]}}').status_code == 500
    assert "Something went wrong here" in visitor.text
    logged = capsys.readouterr().err
    assert "ValueError" in logged
    assert "test_guard.py" in logged
    assert "baclofen" not in logged + visitor.page


def test_nothing_is_logged_of_a_visit(visitor, caplog, capsys):
    caplog.set_level(logging.DEBUG)
    visitor.answered()
    visitor.get("/baclofen")
    shown = capsys.readouterr()
    assert "baclofen" not in shown.out + shown.err


def test_a_bucket_gives_what_flows_in():
    now = [0.0]
    bucket = Bucket(most=3, rate=0.5, now=lambda: now[0], clients=2)
    assert [bucket.take("a") for _ in range(4)] == [0, 0, 0, 2.0]
    now[0] = 2.0
    assert [bucket.take("a"), bucket.take("a")] == [0, 2.0]
    assert bucket.take("b") == 0
    now[0] = 1000.0
    assert [bucket.take("a") for _ in range(4)] == [0, 0, 0, 2.0]
    bucket.take("c")
    assert len(bucket._held) == 2


def test_one_network_of_the_new_internet_is_one_client():
    from django.test import RequestFactory

    def of(address):
        return client_of(RequestFactory().get("/", REMOTE_ADDR=address))

    assert of("2001:db8:1:2:3::4") == of("2001:db8:1:2:ffff::1") != of("2001:db8:1:3::1")
    assert of("192.0.2.1") != of("192.0.2.2")


def test_who_asks_too_often_is_told_when_to_come_back(visitor, monkeypatch):
    from lissive.web import guard

    monkeypatch.setattr(guard, "PAGES", Bucket(1, 0.1))
    assert visitor.get("/about").status_code == 200
    response = visitor.get("/about")
    assert (response.status_code, response.headers["Retry-After"]) == (429, "10")
    assert "Content-Security-Policy" in response.headers


def test_the_desk_is_bounded_forgets_and_says_what_failed():
    now, gate = [0.0], threading.Event()
    desk = Desk(queue=2, now=lambda: now[0])
    first = desk.start(lambda job: gate.wait(10))
    second = desk.start(lambda job: "made")
    with pytest.raises(Busy):
        desk.start(lambda job: None)
    assert desk.before(desk.jobs[second]) == 1
    gate.set()
    assert desk.jobs[second].finished.wait(10)
    assert desk.job(second).result == "made"
    now[0] = 601.0
    assert desk.job(first) is None
    assert desk.jobs == {}

    def refused(job):
        raise LissiveError("No.")

    with pytest.raises(LissiveError, match="No"):
        desk.made(refused)
    logging.getLogger("lissive.web.work").disabled = True
    with pytest.raises(LissiveError, match="a fault in the program"):
        desk.made(lambda job: 1 / 0)
    logging.getLogger("lissive.web.work").disabled = False
    assert desk.jobs == {}

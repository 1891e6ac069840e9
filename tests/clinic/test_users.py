"""Who gives log-ins, changes and ends them; the last administrator; a patient's own; the settings."""

from __future__ import annotations

import re

import pytest
from django.core.cache import cache
from tests.clinic.conftest import PASSWORD, user, visitor
from tests.clinic.test_login import log_in, text_of

from lissive.clinic import audit
from lissive.clinic.models import Entry, User

NEW = {"username": "new.nurse", "first_name": "Nell", "last_name": "Núñez", "role": "front_desk"}


@pytest.fixture(autouse=True)
def _nobody_tried_before(db):
    cache.clear()


def link_of(page):
    return re.search(r"http://localhost(/account/link/[^<]+)<", page.content.decode())[1]


def test_a_new_user_gets_a_link_that_is_shown_once_and_works_once(cast):
    admin, nurse = visitor(cast.zoe), visitor()
    made = admin.post("/users/add", NEW)
    shown = admin.get(made["Location"])
    link = link_of(shown)
    assert "/account/link/" not in admin.get(made["Location"]).content.decode()
    assert "Link not used yet" in text_of(admin.get("/users"))
    form = nurse.get(link, follow=True)
    assert link not in form.request["PATH_INFO"]  # the key does not stay in the address
    to = form.request["PATH_INFO"]
    weak = nurse.post(to, {"password1": "short", "password2": "short"})
    assert "at least 12 characters" in text_of(weak)
    done = nurse.post(to, {"password1": PASSWORD, "password2": PASSWORD}, follow=True)
    assert "Your password is set" in text_of(done)
    assert "cannot be used" in text_of(visitor().get(link, follow=True))
    assert log_in(nurse, "NEW.nurse").status_code == 302
    assert nurse.get("/")["Location"].startswith("/account/2fa/totp/activate/")
    new = User.objects.get(username="new.nurse")
    assert (new.organisation, new.role) == (cast.here, "front_desk")
    told = Entry.objects.filter(kind="user", thing=str(new.pk)).values_list("action", "who")
    assert ("user.add", "Zoe") in told
    assert ("password set", "Nell Núñez") in told
    assert "link" not in " ".join(str(each.detail) for each in Entry.objects.all())


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"username": "ADA"}, "This user name is taken"),
        ({"username": "two words"}, "Enter a valid username"),
        ({"username": ""}, "This field is required"),
        ({"role": "patient"}, "Select a valid choice"),
        ({"role": "root"}, "Select a valid choice"),
        ({"first_name": "x" * 151}, "at most 150 characters"),
    ],
)
def test_a_wrong_user_is_refused_at_the_field_and_keeps_what_was_typed(cast, wrong, said):
    page = visitor(cast.zoe).post("/users/add", {**NEW, **wrong})
    assert page.status_code == 422
    assert said in text_of(page)
    assert 'value="Núñez"' in page.content.decode()
    assert not User.objects.filter(username="new.nurse").exists()


def test_a_changed_role_is_written_down_and_ends_sessions(cast):
    ben = visitor(cast.ben)
    assert ben.get("/").status_code == 200
    visitor(cast.zoe).post(f"/users/{cast.ben.pk}/change", {"do": "role", "role": "practitioner"})
    assert ben.get("/").status_code == 302
    entry = Entry.objects.get(action="user.role")
    assert entry.detail == {"role": {"from": "second", "to": "practitioner"}}
    assert (entry.who, entry.thing) == ("Zoe", str(cast.ben.pk))


def test_end_restore_and_a_new_link(cast):
    admin, to = visitor(cast.zoe), f"/users/{cast.ada.pk}/change"
    ada = visitor(cast.ada)
    admin.post(to, {"do": "end"})
    assert ada.get("/").status_code == 302
    assert log_in(visitor(), "ada")["Location"] == "/account/ended/"
    admin.post(to, {"do": "restore"})
    assert log_in(visitor(), "ada")["Location"] == "/account/code/"
    link = link_of(admin.post(to, {"do": "link"}, follow=True))
    assert not cast.ada.authenticator_set.exists()
    assert "is wrong" in text_of(log_in(visitor(), "ada"))  # the old password is gone
    newer = link_of(admin.post(to, {"do": "link"}, follow=True))
    assert "cannot be used" in text_of(visitor().get(link, follow=True))
    assert "Set your password" in text_of(visitor().get(newer, follow=True))
    told = list(Entry.objects.filter(thing=str(cast.ada.pk), who="Zoe").values_list("action", flat=True))
    assert [each for each in told if each not in ("user.change", "user.list")] == [
        "user.end",
        "user.restore",
        "second factor removed",
        "user.link",
        "user.link",
    ]
    assert not list(audit.faults())


def test_the_last_active_administrator_stays(cast):
    admin, other = visitor(cast.zoe), user("yan", cast.here, "administrator")
    mine = f"/users/{cast.zoe.pk}/change"
    for sent in ({"do": "end"}, {"do": "role", "role": "second"}, {"do": "link"}):
        page = admin.post(mine, sent)
        assert page.status_code == 422
        assert "their own log-in" in text_of(page)
    assert admin.post(f"/users/{other.pk}/change", {"do": "end"}).status_code == 302
    assert User.objects.filter(role="administrator", is_active=True, organisation=cast.here).count() == 1


def test_two_administrators_who_end_each_other_leave_one(cast, monkeypatch):
    from lissive.clinic import users

    other = user("yan", cast.here, "administrator")
    entered = users.enter

    def meanwhile(*given, **more):
        """Yan ends Zoe after Zoe's request was let in."""
        found = entered(*given, **more)
        User.objects.filter(pk=cast.zoe.pk).update(is_active=False)
        return found

    monkeypatch.setattr(users, "enter", meanwhile)
    page = visitor(cast.zoe).post(f"/users/{other.pk}/change", {"do": "end"})
    assert page.status_code == 422
    assert "last active administrator" in text_of(page)
    other.refresh_from_db()
    assert other.is_active


def test_only_administrators_of_the_clinic_change_users(cast):
    for who in (cast.ada, cast.ben, cast.fay, cast.kim, cast.dan):
        client = visitor(who)
        assert client.post("/users/add", NEW).status_code == 403
        assert client.post(f"/users/{cast.ben.pk}/change", {"do": "end"}).status_code == 403
        assert client.post("/settings", {"name": "Mine"}).status_code == 403
    assert visitor(cast.kim).get("/users").status_code == 200
    admin = visitor(cast.zoe)
    assert admin.get(f"/users/{cast.cleo.pk}").status_code == 404
    assert admin.post(f"/users/{cast.cleo.pk}/change", {"do": "end"}).status_code == 404
    assert "Cleo" not in text_of(admin.get("/users"))
    assert "Dan" not in text_of(admin.get("/users"))  # a patient's name is no administrator's business


def test_a_list_of_users_asks_the_database_as_often_however_long_it_is(cast, django_assert_max_num_queries):
    client = visitor(cast.zoe)
    client.get("/users")
    for k in range(30):
        user(f"n{k}", cast.here, "second")
    with django_assert_max_num_queries(16):
        assert "n29" in text_of(client.get("/users"))


def test_the_front_desk_gives_a_patient_a_log_in(cast):
    cast.patient.user = None
    cast.patient.save()
    desk, page = visitor(cast.fay), f"/patients/{cast.patient.pk}/log-in"
    assert desk.post(f"{page}/change", {"username": "dan"}).status_code == 422  # taken
    link = link_of(desk.post(f"{page}/change", {"username": "dan.doe"}, follow=True))
    cast.patient.refresh_from_db()
    made = cast.patient.user
    assert (made.role, made.organisation, made.shown_name) == ("patient", cast.here, "Dan Doe")
    assert "Set your password" in text_of(visitor().get(link, follow=True))
    assert Entry.objects.get(action="user.add").patient == cast.patient.pk
    desk.post(f"{page}/change", {"do": "end"})
    made.refresh_from_db()
    assert not made.is_active
    assert desk.get(f"/patients/{cast.other.pk}/log-in").status_code == 404
    for who in (cast.ben, cast.kim, cast.zoe, cast.dan):
        assert visitor(who).get(page).status_code == 403


def test_settings_are_checked_saved_and_written_down(cast):
    admin = visitor(cast.zoe)
    for wrong in ({"name": ""}, {"name": "Elm", "keep_years": "-1"}, {"name": "Elm", "keep_years": "ten"}):
        assert admin.post("/settings", wrong).status_code == 422
    page = admin.post("/settings", {"name": "Elm Street Clinic", "keep_years": "10"}, follow=True)
    assert "Saved" in text_of(page)
    cast.here.refresh_from_db()
    assert (cast.here.name, cast.here.keep_years) == ("Elm Street Clinic", 10)
    assert Entry.objects.get(action="clinic.changed").detail["keep_years"] == {"from": None, "to": 10}

"""Who may see what."""

from __future__ import annotations

from tests.clinic.conftest import visitor

from lissive.clinic import audit


def test_nobody_enters_without_log_in_and_second_factor(cast):
    answer = visitor().get("/")
    assert answer.status_code == 302
    assert answer["Location"].startswith("/account/login/")
    cast.ada.authenticator_set.all().delete()
    assert "/account/2fa/totp/activate/" in visitor(cast.ada).get("/")["Location"]


def test_the_start_page_is_everybodys(cast):
    for each in (cast.ada, cast.ben, cast.fay, cast.kim, cast.zoe, cast.cleo, cast.dan):
        assert visitor(each).get("/").status_code == 200
    assert not list(audit.faults())

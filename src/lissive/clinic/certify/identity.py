"""Anyone who signs says again who they are: with the password, or with the code of their second factor."""

from __future__ import annotations

from allauth.account.adapter import get_adapter
from allauth.mfa.base.forms import ReauthenticateForm
from django.core.exceptions import ValidationError

from lissive.clinic.models import User


def has_second_factor(user: User) -> bool:
    return bool(user.authenticator_set.filter(type="totp").exists())  # type: ignore[attr-defined]


def confirmed(user: User, password: str, code: str) -> tuple[str, str]:
    """How it was confirmed (password or code), or "" and why it was not. Wrong ones count, as at the log-in."""
    if not password and not code:
        return "", "Enter your password" + (" or a code." if has_second_factor(user) else ".")
    try:
        if password:
            return (
                ("password", "")
                if get_adapter().reauthenticate(user, password)
                else ("", "The password is wrong.")
            )
        form = ReauthenticateForm({"code": code}, user=user)
        if not has_second_factor(user) or not form.is_valid():
            return "", " ".join(map(str, form.errors.get("code", ("The code is wrong.",))))
        form.authenticator.record_usage()
        return "code", ""
    except ValidationError as error:  # too many attempts
        return "", " ".join(map(str, error.messages))

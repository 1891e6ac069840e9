"""Log-in: which pages of allauth there are, what they say, and what of it stands in the trail."""

from __future__ import annotations

import time
from typing import Any

from allauth.account import app_settings, signals
from allauth.account import views as account
from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.forms import default_token_generator
from allauth.account.internal.flows.login import get_authentication_records
from allauth.account.utils import user_pk_to_url_str
from allauth.core import context
from allauth.mfa import signals as mfa
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.base import views as factor
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes import views as codes
from allauth.mfa.totp import views as totp
from django.contrib.auth.signals import user_logged_out, user_login_failed
from django.core.exceptions import ValidationError
from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver
from django.http import HttpRequest
from django.urls import path, reverse

from lissive.clinic import audit
from lissive.clinic.models import User

LOCKED = (
    "Too many wrong attempts: no log-in under this name for up to 15 minutes. "
    "If you forgot your password or lost your device, your administrator can give you a new link."
)


class Accounts(DefaultAccountAdapter):  # type: ignore[misc]
    error_messages = DefaultAccountAdapter.error_messages | {
        "username_password_mismatch": "User name or password is wrong.",
        "too_many_login_attempts": LOCKED,
        "incorrect_password": "The password is wrong.",
        "enter_current_password": "The present password is wrong.",
        "rate_limited": "Too many attempts: wait 15 minutes.",
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def get_password_change_redirect_url(self, request: HttpRequest) -> str:
        return reverse("mfa_index")

    def is_reauthentication_required(self, *, app: str, **more: Any) -> bool:
        """Not of anyone who logged in a moment ago: who sets up a second factor has just entered the password."""
        records = get_authentication_records(context.request, context.request.user)
        since = time.time() - app_settings.REAUTHENTICATION_TIMEOUT
        return all(each["at"] < since for each in records)

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        try:
            super().pre_authenticate(request, **credentials)
        except ValidationError:
            _of_name("log-in locked", credentials)
            raise

    def respond_user_inactive(self, request: HttpRequest, user: User) -> Any:
        audit.append("log-in refused", user, kind="user", thing=user.pk, detail={"why": "ended"})
        return super().respond_user_inactive(request, user)


class Factors(DefaultMFAAdapter):  # type: ignore[misc]
    error_messages = DefaultMFAAdapter.error_messages | {
        "incorrect_code": "This code is wrong, was used already, or ran out. Enter the one that is shown now.",
    }


def one_time_link(user: User) -> str:
    """The path at which this person sets a password, once, within three days; earlier links and sessions end.

    The password is gone until then, so nobody but who holds the link can log in as this user.
    """
    user.set_unusable_password()
    user.save(update_fields=["password"] if user.pk else None)
    return reverse(
        "account_reset_password_from_key",
        kwargs={"uidb36": user_pk_to_url_str(user), "key": default_token_generator.make_token(user)},
    )


# -- the trail ---------------------------------------------------------------------------------------
def _of_name(action: str, credentials: dict[str, Any]) -> None:
    """Of a name that nobody has nothing is kept: people type passwords there."""
    user = User.objects.filter(username__iexact=credentials.get("username", "")).first()
    if user is None:
        audit.append(action, detail={"name": "unknown"})
    else:
        audit.append(action, organisation=user.organisation_id, kind="user", thing=user.pk)


@receiver(user_login_failed)
def _failed(credentials: dict[str, Any], **more: Any) -> None:
    _of_name("log-in failed", credentials)


@receiver(signals.user_logged_in)
def _logged_in(user: User, **more: Any) -> None:
    audit.append("log-in", user, kind="user", thing=user.pk)


@receiver(user_logged_out)
def _logged_out(user: User | None, **more: Any) -> None:
    if user is not None:
        audit.append("log-out", user, kind="user", thing=user.pk)


@receiver(signals.password_changed)
@receiver(signals.password_reset)
def _password(user: User, **more: Any) -> None:
    audit.append("password set", user, kind="user", thing=user.pk)


@receiver(post_save, sender=Authenticator)
@receiver(post_delete, sender=Authenticator)
def _factor(instance: Authenticator, created: bool | None = None, **more: Any) -> None:
    """In the transaction of the change itself, by anyone on a page; at the terminal nobody is logged in."""
    by = getattr(context.request, "user", None)
    if created is False or by is None or not by.is_authenticated:
        return
    action = "second factor added" if created else "second factor removed"
    audit.append(action, by, kind="user", thing=instance.user_id, detail={"factor": instance.type})


@receiver(mfa.authentication_failed)
def _wrong_code(user: User, authenticator: Authenticator, **more: Any) -> None:
    audit.append("second factor failed", user, kind="user", thing=user.pk)


@receiver(mfa.authenticator_used)
def _used(user: User, authenticator: Authenticator, **more: Any) -> None:
    if authenticator.type == Authenticator.Type.RECOVERY_CODES:
        audit.append("recovery code used", user, kind="user", thing=user.pk)


urls = [
    path("account/login/", account.login, name="account_login"),
    path("account/logout/", account.logout, name="account_logout"),
    path("account/ended/", account.account_inactive, name="account_inactive"),
    path("account/confirm/", account.reauthenticate, name="account_reauthenticate"),
    path("account/password/", account.password_change, name="account_change_password"),
    path(
        "account/link/<str:uidb36>/<str:key>/",
        account.password_reset_from_key,
        name="account_reset_password_from_key",
    ),
    path(
        "account/password/set/",
        account.password_reset_from_key_done,
        name="account_reset_password_from_key_done",
    ),
    path("account/", factor.index, name="mfa_index"),
    path("account/code/", factor.authenticate, name="mfa_authenticate"),
    path("account/confirm/code/", factor.reauthenticate, name="mfa_reauthenticate"),
    path("account/2fa/totp/activate/", totp.activate_totp, name="mfa_activate_totp"),
    path("account/2fa/totp/deactivate/", totp.deactivate_totp, name="mfa_deactivate_totp"),
    path("account/2fa/recovery-codes/", codes.view_recovery_codes, name="mfa_view_recovery_codes"),
    path(
        "account/2fa/recovery-codes/generate/",
        codes.generate_recovery_codes,
        name="mfa_generate_recovery_codes",
    ),
]
"""Without sign-up, mail and codes by mail: an administrator gives log-ins."""

"""The application with its settings, and the server that it runs in."""

from __future__ import annotations

import logging
import secrets
import socket
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from lissive import look
from lissive.errors import LissiveError
from lissive.extras import need
from lissive.version import __version__

HERE = Path(__file__).parent
MOST_BYTES = 3_000_000
"""Of the body of one request."""
LOCAL = ("127.0.0.1", "localhost", "[::1]")
THREADS = 12

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


def settings(public_url: str = "") -> dict[str, Any]:
    """All of Django's that differ from its own. No database, no sessions, no accounts."""
    host, is_https = urlsplit(public_url).hostname, public_url.startswith("https://")
    return {
        "SECRET_KEY": secrets.token_urlsafe(48),
        "ALLOWED_HOSTS": [*LOCAL, *([host] if host else [])],
        "ROOT_URLCONF": "lissive.web.urls",
        "INSTALLED_APPS": ["django.contrib.staticfiles"],
        "MIDDLEWARE": [
            "django.middleware.security.SecurityMiddleware",
            "whitenoise.middleware.WhiteNoiseMiddleware",
            "csp.middleware.CSPMiddleware",
            "lissive.web.guard.guard",
            "django.middleware.common.CommonMiddleware",
            "django.middleware.csrf.CsrfViewMiddleware",
            "django.middleware.clickjacking.XFrameOptionsMiddleware",
        ],
        "TEMPLATES": [
            {
                "BACKEND": "django.template.backends.jinja2.Jinja2",
                "DIRS": [HERE / "templates", look.TEMPLATES],
                "OPTIONS": {"environment": "lissive.web.pages.environment"},
            }
        ],
        "STATIC_URL": f"/static/{__version__}/",
        "STATICFILES_DIRS": [look.STATIC, HERE / "static"],
        "WHITENOISE_USE_FINDERS": True,
        "WHITENOISE_MAX_AGE": 86400,
        "USE_I18N": False,
        "USE_TZ": True,
        # nothing that is sent is written to a disk, however large it is
        "FILE_UPLOAD_HANDLERS": ["django.core.files.uploadhandler.MemoryFileUploadHandler"],
        "FILE_UPLOAD_MAX_MEMORY_SIZE": MOST_BYTES,
        "DATA_UPLOAD_MAX_MEMORY_SIZE": MOST_BYTES,
        "DATA_UPLOAD_MAX_NUMBER_FIELDS": 200,
        "DATA_UPLOAD_MAX_NUMBER_FILES": 1,
        "CONTENT_SECURITY_POLICY": {
            "DIRECTIVES": {
                "default-src": ["'none'"],
                "script-src": ["'self'"],
                "style-src": ["'self'"],
                "img-src": ["'self'"],
                "connect-src": ["'self'"],
                "form-action": ["'self'"],
                "base-uri": ["'none'"],
                "frame-ancestors": ["'none'"],
            }
        },
        "CSRF_FAILURE_VIEW": "lissive.web.pages.forbidden",
        "CSRF_COOKIE_HTTPONLY": True,
        "CSRF_COOKIE_SAMESITE": "Strict",
        "CSRF_COOKIE_AGE": None,
        "CSRF_COOKIE_SECURE": is_https,
        "CSRF_TRUSTED_ORIGINS": [public_url.rstrip("/")] if public_url else [],
        "SECURE_HSTS_SECONDS": 31_536_000 if is_https else 0,
        "SECURE_REFERRER_POLICY": "same-origin",
        "X_FRAME_OPTIONS": "DENY",
        "LOGGING_CONFIG": None,
    }


class WhereAlone(logging.Formatter):
    """A fault as its kind and its places in the code: messages and values could be of a case."""

    def format(self, record: logging.LogRecord) -> str:
        lines = [f"{self.formatTime(record)} {record.name}: {record.levelname.lower()}"]
        error = None if record.exc_info is None else record.exc_info[1]
        if error is not None:
            lines[0] += f": {type(error).__name__}"
            place = error.__traceback__
            while place is not None:
                code = place.tb_frame.f_code
                lines.append(f"  {code.co_filename}:{place.tb_lineno} {code.co_name}")
                place = place.tb_next
        return "\n".join(lines)


def log_faults() -> None:
    """To standard error, faults alone: no address of a visitor, no request."""
    handler = logging.StreamHandler()
    handler.setFormatter(WhereAlone())
    for name in ("django", "waitress", "lissive.web", "lissive.clinic"):
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [handler], False
        logger.setLevel(logging.ERROR)
    logging.getLogger("django.security").setLevel(logging.CRITICAL)  # a wrong host is no fault of ours


def application(public_url: str = "") -> Application:
    """The WSGI application; it can be made once in a process."""
    need("web", "The calculator")
    import django
    from django.conf import settings as held
    from django.core.wsgi import get_wsgi_application

    if not held.configured:
        held.configure(**settings(public_url))
        django.setup()
        log_faults()
    made: Application = get_wsgi_application()
    return made


def server(port: int, public_url: str = "", app: Application | None = None) -> Any:
    """The server on 127.0.0.1, which `run()` starts: of the calculator, or of `app`; port 0 is any that is free."""
    app = app or application(public_url)
    import waitress

    try:
        listening = socket.create_server(("127.0.0.1", port))
    except OSError as error:
        raise LissiveError(
            f"The port cannot be used: {error.strerror or error}.", where="--port", do="name another one."
        ) from None
    behind = (
        {"trusted_proxy": "127.0.0.1", "trusted_proxy_headers": {"x-forwarded-for", "x-forwarded-proto"}}
        if public_url
        else {}
    )
    return waitress.create_server(
        app,
        sockets=[listening],
        threads=THREADS,
        ident=None,
        max_request_body_size=MOST_BYTES,
        # beyond these waitress would put what it holds into a file
        inbuf_overflow=2 * MOST_BYTES,
        outbuf_overflow=16 * MOST_BYTES,
        channel_timeout=60,
        clear_untrusted_proxy_headers=True,
        **behind,
    )


def serve(port: int, public_url: str = "") -> None:
    """Serve until it is stopped."""
    made = server(port, public_url)
    from lissive.web.work import warm_up

    warm_up()
    print(f"http://127.0.0.1:{port}/  (stop: Ctrl-C)", file=sys.stderr)
    made.run()

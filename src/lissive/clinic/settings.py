"""Django's settings of the clinic, from the environment (`place`)."""

from __future__ import annotations

from pathlib import Path

from lissive import look
from lissive.clinic.place import database_of, mail_of, place, time_zone
from lissive.version import __version__

HERE = Path(__file__).parent
WEB = HERE.parent / "web"
PLACE = place()
DEMO = PLACE.is_demo

SECRET_KEY = PLACE.secret()
ALLOWED_HOSTS = ["127.0.0.1", "localhost", "[::1]", *([PLACE.host] if PLACE.host else [])]
ROOT_URLCONF = "lissive.clinic.urls"
DATABASES = {"default": database_of(PLACE)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
INSTALLED_APPS = [
    "lissive.clinic.apps.Clinic",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.mfa",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "lissive.web.guard.guard",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "lissive.clinic.access.gate",
]
TEMPLATES = [
    {
        # pages that allauth answers, in the clinic's frame; asked first, since allauth names no engine
        "NAME": "accounts",
        "BACKEND": "django.template.backends.jinja2.Jinja2",
        "DIRS": [HERE / "templates", look.TEMPLATES],
        "OPTIONS": {
            "environment": "lissive.web.pages.environment",
            "context_processors": ["lissive.clinic.pages.frame"],
        },
    },
    {
        "NAME": "jinja2",
        "BACKEND": "django.template.backends.jinja2.Jinja2",
        "DIRS": [HERE / "templates", WEB / "templates", look.TEMPLATES],
        "OPTIONS": {"environment": "lissive.web.pages.environment"},
    },
]

# -- who is who
AUTH_USER_MODEL = "clinic.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
]
ACCOUNT_TEMPLATE_EXTENSION = "html.j2"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*"]
ACCOUNT_ADAPTER = "lissive.clinic.accounts.Accounts"
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_LOGIN_BY_CODE_ENABLED = False
ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_EMAIL_NOTIFICATIONS = False
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
ACCOUNT_RATE_LIMITS = {
    "login": "60/m/ip",  # of all, right or wrong: a practice behind one address begins its day
    "login_failed": "20/m/ip,5/15m/key",  # of wrong ones; key: one user name, or the codes of one user
}
# counted in the database, which all processes share, and which does not forget when one is started again
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "clinic_cache",
        "OPTIONS": {"MAX_ENTRIES": 20_000},
    }
}
PASSWORD_RESET_TIMEOUT = 3 * 24 * 3600  # of the one-time link
MFA_ADAPTER = "lissive.clinic.accounts.Factors"
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
MFA_TOTP_ISSUER = "Lissive"
MFA_TOTP_TOLERANCE = 1  # the code before or after the present one: clocks differ
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "today"
SESSION_COOKIE_AGE = 30 * 60  # seconds without a request; `access.gate` counts to the minute
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = PLACE.is_https
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_AGE = None
CSRF_COOKIE_SAMESITE = "Strict"
CSRF_TRUSTED_ORIGINS = [PLACE.public_url.rstrip("/")] if PLACE.public_url else []
CSRF_FAILURE_VIEW = "lissive.clinic.pages.forbidden"
globals().update(mail_of(PLACE))

# -- pages
STATIC_URL = f"/static/{__version__}/"
STATICFILES_DIRS = [look.STATIC, WEB / "static", HERE / "static"]
WHITENOISE_USE_FINDERS = True
WHITENOISE_MAX_AGE = 86400
USE_I18N = False
USE_TZ = True
TIME_ZONE = time_zone()
DATA_UPLOAD_MAX_MEMORY_SIZE = FILE_UPLOAD_MAX_MEMORY_SIZE = 3_000_000
DATA_UPLOAD_MAX_NUMBER_FIELDS = 300
DATA_UPLOAD_MAX_NUMBER_FILES = 1
FILE_UPLOAD_HANDLERS = ["django.core.files.uploadhandler.MemoryFileUploadHandler"]
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:"],  # the picture of a second factor's key
        "connect-src": ["'self'"],
        "form-action": ["'self'"],
        "base-uri": ["'none'"],
        "frame-ancestors": ["'none'"],
    }
}
SECURE_HSTS_SECONDS = 31_536_000 if PLACE.is_https else 0
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
LOGGING_CONFIG = None

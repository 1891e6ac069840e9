"""The clinic's settings for its tests: a folder of its own, a quick hash of passwords."""

import os
import tempfile

FOLDER = tempfile.mkdtemp(prefix="lissive-clinic-")
os.environ["LISSIVE_DATA"] = FOLDER
# Playwright, once begun, runs a loop in the tests' thread, in which Django otherwise refuses the database
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"

from lissive.clinic.settings import *  # noqa: E402, F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
if not PLACE.database:  # noqa: F405
    # a file, as in use: of one in memory, two connections lock each other out
    DATABASES["default"]["TEST"] = {"NAME": f"{FOLDER}/test.sqlite3"}  # noqa: F405

"""The settings of the tests: the product's own in an environment of their own, with what is slow on purpose made fast."""

from __future__ import annotations

import atexit
import base64
import os
import re
import shutil
import tempfile
from pathlib import Path

# The folder is short because sockets are made in it; the worker processes of one run share it.
if "DW_TEST_DIR" not in os.environ:
    os.environ["DW_TEST_DIR"] = tempfile.mkdtemp(
        prefix="dwt-", dir=None if len(tempfile.gettempdir()) < 60 else "/tmp"
    )
    atexit.register(shutil.rmtree, os.environ["DW_TEST_DIR"], ignore_errors=True)
TEST_DIR = Path(os.environ["DW_TEST_DIR"], os.environ.get("PYTEST_XDIST_WORKER", "main"))
(TEST_DIR / "static").mkdir(parents=True, exist_ok=True)

# Whoever runs the tests may have set up a real installation in this shell.
for name in list(os.environ):
    if name.startswith("DW_") and not name.startswith("DW_TEST_"):
        del os.environ[name]
os.environ |= {
    "DW_SECRET_KEY": "only-for-tests-" + "s" * 50,
    "DW_KEYS": "test:" + base64.b64encode(bytes(range(32))).decode(),
    "DW_INSTALLATION_ID": "tests",
    "DW_DATA_DIR": str(TEST_DIR),
    "DW_STATIC_ROOT": str(TEST_DIR / "static"),
    "DW_DATABASE_URL": os.environ.get("DW_TEST_DATABASE_URL", ""),
    # Nobody listens here until a test asks for the fixture `redis_server` or `sandbox`.
    "DW_REDIS_URL": f"unix://{TEST_DIR}/valkey.sock",
    "DW_DISPERSED_URL": "http://127.0.0.1:9",
}

from dispersed_web.settings import *  # noqa: E402, F403
from dispersed_web.settings import DATABASES, STORAGES  # noqa: E402

ALLOWED_HOSTS = ["*"]
# Threads that write by themselves would meet other tests.
SECRET_USES_EVERY_S = 0
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES = {**STORAGES, "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
WHITENOISE_USE_FINDERS = True

# On a busy machine even a short transaction may be in the way of others for seconds.
LONGEST_WAIT_S = 60
database = DATABASES["default"]
if os.environ["DW_DATABASE_URL"]:
    longest = rf"timeout={LONGEST_WAIT_S * 1000}"
    database["OPTIONS"]["options"] = re.sub(r"timeout=\d+", longest, database["OPTIONS"]["options"])
else:
    database["OPTIONS"]["timeout"] = LONGEST_WAIT_S
    # A file, so that threads and other processes see what a test wrote; power cuts are not among the tests.
    database["TEST"] = {"NAME": str(TEST_DIR / "test.sqlite3")}
    database["OPTIONS"]["init_command"] = database["OPTIONS"]["init_command"].replace("FULL", "OFF")

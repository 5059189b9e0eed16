"""The WSGI application that the web server serves."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dispersed_web.settings")

application = get_wsgi_application()

from django.core.signals import request_started  # noqa: E402 - needs the settings
from django.db import connection  # noqa: E402

from dispersed_web.clock import database_now  # noqa: E402
from dispersed_web.jobs import starting  # noqa: E402

starting.begin(database_now)
request_started.connect(lambda **_: starting.catch_up(database_now), weak=False)
if not connection.in_atomic_block:
    connection.close()  # requests have threads of their own

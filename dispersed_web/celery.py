"""The Celery application. All tasks stand in ``tasks.py``; the schedule of beat stands in ``settings.py``."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dispersed_web.settings")

app = Celery("dispersed_web")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["dispersed_web"])

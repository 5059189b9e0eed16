"""The search can fail: whatever is planted, wherever it is searched, is found."""

from __future__ import annotations

import base64
import logging
import zlib
from pathlib import Path
from typing import Any

import pytest
from django.contrib.messages import constants
from django.contrib.sessions.backends.db import SessionStore
from django.core import mail
from django.http import HttpResponse

from dispersed_web.jobs.models import RunLog
from tests import factories
from tests.canaries import markers
from tests.canaries.recording import Recorder
from tests.canaries.searching import Needles, in_files, written

pytestmark = pytest.mark.django_db
PLANTED = "Zz1planted canary & nowhere+else=8c2f"  # no other test gives it to the vault, which would keep it out of logs
ALL = {
    name: value
    for name, value in vars(markers).items()
    if name.isupper() and isinstance(value, str) and name not in ("PUBLIC", "PRIVATE_KEY")
}


@pytest.mark.parametrize("name", ALL)
def test_each_is_found_however_it_is_written(name: str) -> None:
    needles = Needles(**{name: ALL[name]})
    for form in written(ALL[name]):
        assert needles.find([("here", f"before{form}after")]), form
    part = ALL[name][3 : 3 + 12]
    assert needles.find([("here", f"{{{part}}}")])
    for before in ("", "a", "ab", "reader:"):
        text = base64.b64encode(f"{before}{ALL[name]} and more".encode()).decode()
        assert needles.find([("here", text)]), before
    assert not needles.find([("here", ALL[name][:11])])


def test_no_two_are_taken_for_each_other() -> None:
    for name, secret in ALL.items():
        others = Needles(**{other: text for other, text in ALL.items() if other != name})
        assert not others.find([("here", secret)]) or name.startswith(("WEBHOOK", "SEALING")), name


def plant_an_answer(recorder: Recorder) -> None:
    answer = HttpResponse(f"<p>{PLANTED}</p>")
    answer.request = {"REQUEST_METHOD": "GET", "PATH_INFO": "/"}
    recorder.answer(answer)


def plant_a_header(recorder: Recorder) -> None:
    answer = HttpResponse(headers={"X-Odd": base64.b64encode(PLANTED.encode()).decode()})
    answer.request = {"REQUEST_METHOD": "GET", "PATH_INFO": "/"}
    recorder.answer(answer)


def plant_an_exception(recorder: Recorder) -> None:
    try:
        raise RuntimeError(PLANTED)
    except RuntimeError:
        logging.getLogger("tests").exception("broke")


def plant_a_session(recorder: Recorder) -> None:
    session = SessionStore()
    session["_messages"] = [[constants.INFO, PLANTED]]
    session.save()


def plant_a_row(recorder: Recorder) -> None:
    factories.make_event(factories.make_team(), data={"deep": [{"down": PLANTED}]})


def plant_a_sealed_column(recorder: Recorder) -> None:
    factories.make_credential(factories.make_team(), secret_sealed=PLANTED)


def plant_a_log_of_a_run(recorder: Recorder) -> None:
    run = factories.make_run(factories.make_job(factories.make_team()))
    RunLog.objects.create(run=run, content=zlib.compress(PLANTED.encode(), 1))


def plant_a_mail(recorder: Recorder) -> None:
    mail.EmailMessage("Hello", f"Dear\n{PLANTED}", to=["a@example.org"]).send()


@pytest.mark.parametrize(
    "plant",
    [
        plant_an_answer,
        plant_a_header,
        plant_an_exception,
        plant_a_session,
        plant_a_row,
        plant_a_sealed_column,
        plant_a_log_of_a_run,
        plant_a_mail,
        lambda recorder: logging.getLogger("tests").info("has %s", [PLANTED]),
        lambda recorder: recorder.note("message", repr((PLANTED,))),
    ],
)
def test_what_is_planted_is_found(recorder: Recorder, plant: Any) -> None:
    needles = Needles(env=PLANTED)
    assert recorder.leaks(needles) == []
    plant(recorder)
    assert recorder.leaks(needles) != []


def test_files_are_read_too(tmp_path: Path) -> None:
    (tmp_path / "dump.rdb").write_bytes(b"\xff\0" + PLANTED.encode() + b"\xfe")
    assert Needles(env=PLANTED).find(in_files(tmp_path))

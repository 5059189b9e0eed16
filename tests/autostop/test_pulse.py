"""The engine's own pulse: what an outage or a jump of the clock means for idleness, and whether heartbeats can arrive."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from dispersed_web import tasks
from dispersed_web.autostop import breaker, engine, pulse
from dispersed_web.autostop.models import Engine
from dispersed_web.events.models import Event
from dispersed_web.jobs import sweeps
from dispersed_web.jobs.models import Job
from dispersed_web.signals import self_test
from tests.autostop.watched import HOUR, MINUTE, NOW, beat, kinds, make_job, see

pytestmark = pytest.mark.django_db
SECOND = dt.timedelta(seconds=1)


@pytest.fixture(autouse=True)
def _no_clock_before() -> Iterator[None]:
    pulse._last_clocks = None
    yield
    pulse._last_clocks = None


def sweep(job: Job, minute: float, **said: Any) -> Job:
    """One sweep as the tasks make it, with a heartbeat before it, and one half a minute later that finds no work."""
    at = NOW + minute * MINUTE
    see(job, at)
    beat(job, at, **said)
    pulse.begin_pass(at)
    engine.evaluate_due(at)
    sweeps.note_finished("autostop", at)
    pulse.begin_pass(at + 30 * SECOND)
    sweeps.note_finished("autostop", at + 30 * SECOND)
    return Job.objects.get(pk=job.pk)


def sweeps_of(job: Job, begin: int, end: int) -> Job:
    return [sweep(job, minute) for minute in range(begin, end)][-1]


def test_passes_that_follow_each_other_are_no_outage() -> None:
    job = make_job()
    sweeps_of(job, 0, 10)
    assert Engine.get().trusted_since is None


def test_after_an_outage_of_three_hours_idle_windows_need_samples_taken_since() -> None:
    job = make_job()
    sweeps_of(job, 0, 50)
    assert kinds(job) == ["job.warned"]
    # Heartbeats went on all the while: the receiver was up, only the engine was down.
    for minute in range(50, 230):
        beat(job, NOW + minute * MINUTE)
    row = sweep(job, 230)
    assert Engine.get().trusted_since == NOW + 230 * MINUTE
    assert Engine.get().why == "auto-stop did not run for 180 min"
    assert (row.stop_requested_at, row.warned_for) == (None, None)
    called_off = Event.objects.get(kind="job.called_off")
    assert "nobody could watch it, so its quiet time begins anew" in called_off.sentence
    row = sweeps_of(job, 231, 276)
    assert row.warned_for == NOW + 290 * MINUTE


def test_a_lifetime_that_ended_during_the_outage_gives_notice_once_more() -> None:
    job = make_job(lifetime_s=3600)
    sweeps_of(job, 0, 55)
    assert Job.objects.get(pk=job.pk).warned_for == NOW + 59 * MINUTE
    row = sweep(job, 240)
    assert row.stop_requested_at is None
    row = sweeps_of(job, 241, 244)
    assert row.stop_requested_at is None
    row = sweeps_of(job, 244, 247)
    assert row.stop_requested_at == NOW + 245 * MINUTE


@pytest.mark.parametrize("every", [dt.timedelta(seconds=40), MINUTE, HOUR])
def test_an_engine_that_is_always_late_puts_no_hard_limit_off_for_ever(every: dt.timedelta) -> None:
    job = make_job(lifetime_s=3600)
    sweeps_of(job, 0, 55)
    ends_at = job.launched_at + HOUR
    at = NOW + 55 * MINUTE
    while at <= ends_at + 2 * every + 6 * MINUTE:
        pulse.begin_pass(at)
        engine.evaluate_due(at)
        sweeps.note_finished("autostop", at)
        at += every
    stopped_at = Job.objects.get(pk=job.pk).stop_requested_at
    assert stopped_at is not None
    assert stopped_at >= ends_at


def test_a_pass_that_never_ends_puts_no_hard_limit_off_for_ever() -> None:
    job = make_job(lifetime_s=3600)
    sweeps_of(job, 0, 55)
    for minute in range(55, 80):
        pulse.begin_pass(NOW + minute * MINUTE)
        engine.evaluate_due(NOW + minute * MINUTE)
    assert Job.objects.get(pk=job.pk).stop_requested_at is not None


def test_an_outage_that_was_still_to_come_by_a_clock_set_back_puts_nothing_off() -> None:
    job = make_job(lifetime_s=3600)
    sweeps_of(job, 0, 55)
    pulse.trust_anew("the clock jumped", NOW + 5 * HOUR, away_since=NOW + 55 * MINUTE)
    row = sweeps_of(job, 55, 61)
    assert row.stop_requested_at == job.launched_at + HOUR


def test_a_clock_that_was_set_is_noticed_and_a_machine_that_was_busy_is_not() -> None:
    pulse.watch_clock(NOW, 1000.0)
    pulse.watch_clock(NOW + HOUR, 4600.0)
    assert Engine.get().trusted_since is None
    pulse.watch_clock(NOW + 3 * HOUR, 4601.0)
    assert Engine.get().trusted_since == NOW + 3 * HOUR
    assert Engine.get().why == "the clock jumped by 7199 seconds"
    pulse.watch_clock(NOW, 4602.0)
    assert Engine.get().trusted_since == NOW


def test_an_engine_that_is_late_is_told_of_once_for_each_outage() -> None:
    job = make_job()
    ended = make_job(status="CANCELLED")
    sweeps.note_finished("autostop", NOW)
    pulse.tell_if_late(NOW + MINUTE)
    assert not Event.objects.exists()
    pulse.tell_if_late(NOW + 3 * MINUTE)
    pulse.tell_if_late(NOW + 4 * MINUTE)
    told = Event.objects.get(kind="team.engine_late")
    assert (told.team_id, told.audience) == (job.team_id, "admins")
    assert told.team_id != ended.team_id
    assert told.sentence.startswith("Auto-stop has not run for 3 minutes")
    sweeps.note_finished("autostop", NOW + 5 * MINUTE)
    pulse.tell_if_late(NOW + 9 * MINUTE)
    assert Event.objects.filter(kind="team.engine_late").count() == 2


def test_boot_time_goes_on() -> None:
    assert 0 < pulse.boot_s() <= pulse.boot_s()


def test_silence_is_excused_while_heartbeats_cannot_arrive() -> None:
    job = make_job()
    sweeps_of(job, 0, 30)
    pulse.test_receiver(lambda: "", NOW + 30 * MINUTE)
    for minute in range(31, 200):
        at = NOW + minute * MINUTE
        see(job, at)
        pulse.test_receiver(lambda: "no answer (ConnectError)", at)
        engine.evaluate_due(at)
    assert Job.objects.get(pk=job.pk).verdict_state == "blind"
    assert kinds(job) == []
    assert Engine.get().receiver_error == "no answer (ConnectError)"


def test_an_address_that_never_answered_from_here_proves_nothing() -> None:
    pulse.test_receiver(lambda: "no answer", NOW)
    assert Engine.get().receiver_failed_at is None


def test_it_is_tested_once_a_minute_and_real_heartbeats_are_proof_enough() -> None:
    asked: list[int] = []

    def post() -> str:
        asked.append(1)
        return ""

    for second in (0, 1, 59, 60, 61):
        pulse.test_receiver(post, NOW + second * SECOND)
    assert len(asked) == 2
    job = make_job()
    beat(job, NOW + 5 * MINUTE)
    pulse.test_receiver(post, NOW + 6 * MINUTE)
    assert (len(asked), Engine.get().receiver_ok_at) == (2, NOW + 6 * MINUTE)


def test_the_self_test_asks_the_real_address(live_server: Any, settings: Any) -> None:
    settings.PUBLIC_URL = live_server.url
    assert self_test.fault() == ""


@pytest.fixture
def front() -> Iterator[Any]:
    """A server behind a proxy. It names requests as the header ``takes`` says, as the product does with those that a proxy
    gave a name."""

    class Front(BaseHTTPRequestHandler):
        takes = "X_Request_Id"

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            body = b'{"message": "unknown"}'
            self.send_response(404)
            self.send_header("X-Request-Id", self.headers.get(self.takes, "its-own"))
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Front)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(
    ("proxies", "takes", "lines"), [(1, "X_Request_Id", 1), (1, "X-None", 0), (0, "X_Request_Id", 0)]
)
def test_a_proxy_that_lets_visitors_write_its_headers_is_told_of_once(
    front: Any, settings: Any, caplog: Any, monkeypatch: Any, proxies: int, takes: str, lines: int
) -> None:
    monkeypatch.setattr(self_test, "_told", False)
    settings.PUBLIC_URL = f"http://127.0.0.1:{front.server_port}"
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = proxies
    front.RequestHandlerClass.takes = takes
    assert [self_test.fault(), self_test.fault()] == ["", ""]
    assert len([one for one in caplog.messages if "can forge X-Forwarded-For" in one]) == lines


def test_the_self_test_names_what_is_wrong(settings: Any, sandbox: Any) -> None:
    settings.PUBLIC_URL = "http://127.0.0.1:9"
    assert self_test.fault() == "no answer (ConnectError)"
    settings.PUBLIC_URL = sandbox.url  # something else answers there
    assert self_test.fault().startswith(("it answered with", "another server"))


def test_a_fault_behind_the_looks_is_no_outage(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> None:
        raise ArithmeticError

    monkeypatch.setattr(breaker, "close_passed", broken)
    with pytest.raises(ArithmeticError):
        tasks.sweep_autostop_with(lambda _: None)
    assert "autostop" in sweeps.last_finished()

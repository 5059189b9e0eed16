"""All background work on one page: thin tasks, each a call into the domain. The beat schedule stands in settings.

A task is a nudge: it carries ids only, finds its work in rows, and may be lost, late or doubled without harm. The sweeps
find what a lost nudge left behind; ``manage.py reconcile`` runs the same sweeps without a broker.

In a copy of another installation's database nothing is launched, stopped, decided or told: see ``teams/installation.py``.
"""

from __future__ import annotations

import logging
import threading
import time
import uuid
from collections.abc import Callable
from functools import partial

from celery import Task

from dispersed_web import commands, worker
from dispersed_web.accounts import places, sessions, throttles, unconfirmed
from dispersed_web.autostop import breaker, budgets, engine, pulse
from dispersed_web.autostop.last_look import last_look
from dispersed_web.autostop.models import VerdictChange
from dispersed_web.celery import app
from dispersed_web.clock import Clock, database_now
from dispersed_web.credentials import rotation, use_log
from dispersed_web.events import chain, verify
from dispersed_web.jobs import (
    cloud_recipes,
    credential_jobs,
    finding,
    history,
    log_keeping,
    log_store,
    market,
    pursuit,
    sending,
    starting,
    sweeps,
    sync,
)
from dispersed_web.notifications import outbox
from dispersed_web.passes import one_by_one
from dispersed_web.signals import logs, pruning, self_test
from dispersed_web.signals.models import KEPT
from dispersed_web.teams import installation, token_expiry

log = logging.getLogger(__name__)
QUIET_S = 30
_silent_until = 0.0
_lock = threading.Lock()


def nudge(task: Task, *ids: uuid.UUID) -> None:
    """Asks a worker to do something now. Never raises and never waits long: after one failure no nudges for 30 s."""
    global _silent_until
    if time.monotonic() < _silent_until:
        return
    try:
        task.apply_async([str(one) for one in ids], retry=False, expires=60)
    except Exception as error:
        with _lock:
            _silent_until = time.monotonic() + QUIET_S
        log.warning("The broker cannot be reached (%s); the sweeps will do the work.", type(error).__name__)


@app.task
def send_launch(job_id: str) -> None:
    if starting.catch_up(database_now) and installation.may_act():
        _call("launches", sending.send, job_id)


@app.task
def pursue_stop(job_id: str) -> None:
    for one, credential_id in pursuit.by_key([uuid.UUID(job_id)]).items():
        worker.stop(one, credential_id, partial(pursue, one, database_now))


@app.task
def sync_credential(credential_id: str) -> None:
    _call("looks", sync.sync, credential_id)


@app.task
def refresh_market(credential_id: str) -> None:
    _call("markets", market.refresh, credential_id)


@app.task
def refresh_cloud_recipes(credential_id: str) -> None:
    _call("cloud recipes", cloud_recipes.refresh, credential_id)


@app.task
def watch_log(run_id: str) -> None:
    _call("logs", logs.watch, run_id)


@app.task
def keep_log(run_id: str) -> None:
    _call("kept logs", log_keeping.keep, run_id)


@app.task
def bring_in_history(import_id: str) -> None:
    _call("history", history.go_on, import_id)


def _call(kind: str, act: Callable[[uuid.UUID, Clock], object], row_id: str) -> None:
    """What calls the cloud for one row."""
    worker.call(kind, row_id, partial(act, uuid.UUID(row_id), database_now))


# What beat asks for every few seconds comes in one message (``_TOGETHER`` in the settings).
@app.task
def sweep_each_second() -> None:
    one_by_one(sweep_autostop, sweep_sync)


@app.task
def sweep_each_two_seconds() -> None:
    one_by_one(sweep_stops, sweep_launches)


@app.task
def sweep_each_five_seconds() -> None:
    one_by_one(sweep_notices, sweep_chain, sweep_history)


def sweep_history() -> None:
    sweep_history_with(lambda import_id: nudge(bring_in_history, import_id))


def sweep_launches() -> None:
    sweep_launches_with(
        lambda job_id: nudge(send_launch, job_id), lambda key_id: nudge(sync_credential, key_id)
    )


def sweep_stops() -> None:
    sweep_stops_with(lambda job_id, _: nudge(pursue_stop, job_id))


def sweep_sync() -> None:
    sweep_sync_with(lambda key_id: nudge(sync_credential, key_id))


def sweep_autostop() -> None:
    sweep_autostop_with(lambda job_id, _: nudge(pursue_stop, job_id))


@app.task
def sweep_budgets() -> None:
    if not installation.may_act():
        return
    budgets.sweep(database_now())
    sweeps.note_finished("budgets", database_now())


@app.task
def sweep_logs() -> None:
    sweep_logs_with(lambda run_id: nudge(watch_log, run_id), lambda run_id: nudge(keep_log, run_id))


@app.task
def sweep_pruning() -> None:
    """What was observed, decided and counted long ago."""
    now = database_now()
    pruning.prune(now)
    pruning.forget(VerdictChange.objects.filter(at__lt=now - KEPT))
    pruning.forget(budgets.outdated(now - KEPT))
    pruning.forget(log_store.outdated(now))
    use_log.prune(now)
    throttles.prune(now)
    places.prune(now)
    sessions.prune(now)
    unconfirmed.prune(now)


def sweep_chain() -> None:
    """Seals what was recorded since the last pass."""
    chain.seal_waiting()


@app.task
def sweep_audit() -> None:
    """Whether what was sealed is still as it was."""
    verify.check_due(database_now())


@app.task
def sweep_receiver() -> None:
    """Whether heartbeats arrive at all."""
    if installation.may_act():
        worker.call("receiver", "", lambda: pulse.test_receiver(self_test.fault, database_now()))


def sweep_notices() -> None:
    if installation.may_act():
        worker.call("notices", "", _tell)


def _tell() -> None:
    one_by_one(
        lambda: pulse.tell_if_late(database_now()),
        lambda: outbox.fan_out(database_now()),
        lambda: outbox.send_waiting(database_now),
    )
    sweeps.note_finished("notices", database_now())


@app.task
def sweep_market() -> None:
    worker.call("markets", "", lambda: market.refresh_all(database_now))


@app.task
def sweep_credentials() -> None:
    worker.call("credentials", "", _look_at_credentials)


def _look_at_credentials() -> None:
    credential_jobs.sweep(database_now)
    if installation.may_act():
        token_expiry.tell_all(database_now())


@app.task
def sweep_keys() -> None:
    """Whether every stored secret can be opened. The log names what cannot; pages warn by the keys' canaries."""
    found = rotation.check(database_now())
    for trouble in found.troubles:
        log.error("%s Run: %s", trouble.sentence, commands.named("secrets check"))
    for damage in found.damaged:
        log.error("A stored secret is damaged: %s, row %s. %s", damage.column, damage.row_id, damage.why)
    starting.name_the_unstoppable()


def pursue(job_id: uuid.UUID, clock: Clock) -> None:
    """One step towards the end of one job, after a last look if it is to be stopped for idleness."""
    if not installation.may_act():
        return
    pursuit.pursue(job_id, clock, last_look)


Each = Callable[[uuid.UUID], None]
EachStop = Callable[[uuid.UUID, uuid.UUID], None]  # the job, and the credential that stops it


def sweep_launches_with(send: Each, look: Each) -> None:
    """Ends what was not sent in time, then hands on every launch to send and every credential to look with."""
    if not (starting.catch_up(database_now) and installation.may_act()):
        return
    now = database_now()
    one_by_one(
        lambda: sending.expire(now),
        lambda: [send(job_id) for job_id in sending.due(now)],
        lambda: [look(credential_id) for credential_id in finding.credentials_to_look_with(now)],
        lambda: finding.ask_people(now),
    )
    sweeps.note_finished("launches", now)


def sweep_stops_with(pursue: EachStop) -> None:
    """Hands every stop that is due to ``pursue``, with the credential that it needs."""
    if not installation.may_act():
        return
    now = database_now()
    for job_id, credential_id in pursuit.due_by_key(now).items():
        pursue(job_id, credential_id)
    sweeps.note_finished("stops", now)


def sweep_autostop_with(pursue: EachStop) -> None:
    """One look of auto-stop at all jobs that are due for it, and the stops that it asked for."""
    if not installation.may_act():
        return
    now = database_now()
    pulse.begin_pass(now)
    pulse.watch_clock(now, pulse.boot_s())
    if due := engine.evaluate_due(now):
        for job_id, credential_id in pursuit.by_key(due).items():
            pursue(job_id, credential_id)
    # Noted first: a fault below it is no outage of the engine, after which idleness would be counted anew.
    sweeps.note_finished(pulse.SWEEP, database_now())
    breaker.close_passed(now)


def sweep_sync_with(sync_one: Each) -> None:
    """Hands every credential whose jobs are to be looked at to ``sync_one``."""
    now = database_now()
    for credential_id in sync.due(now):
        sync_one(credential_id)
    sweeps.note_finished("sync", now)


def sweep_history_with(go_on: Each) -> None:
    """Hands every unfinished import of past jobs to ``go_on``."""
    for import_id in history.due(database_now()):
        go_on(import_id)


def sweep_logs_with(watch: Each, keep: Each) -> None:
    """Looks at the logs that tell whether a job is used, and fetches those of ended runs for keeping."""
    now = database_now()
    one_by_one(
        lambda: logs.begin(now),
        lambda: [watch(run_id) for run_id in logs.due(now)],
        lambda: log_keeping.begin(now),
        lambda: [keep(run_id) for run_id in log_keeping.due(now)],
    )
    sweeps.note_finished("logs", now)

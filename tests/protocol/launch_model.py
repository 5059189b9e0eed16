"""A model of launching: claim, one request, its answer, the sweep and the listings, as ``jobs/sending.py``,
``finding.py`` and ``adopt.py`` do it, in a world where everything between them can go wrong.

Time is counted in ticks. Workers may pause anywhere, because a step need not be taken before time passes, and may die
anywhere; a task may come twice or late. A request may come late, never (it is under way to the end), or twice by way of a
proxy, and whatever the cloud answers may be lost too.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

LEASE, WINDOW, LAG, NEEDED = 0, 1, 1, 2
FENCE = WINDOW + LAG
SEND_BY = 1
MAX_CLAIMS = 2
END = SEND_BY + FENCE + 2
QUEUED, LAUNCHING, UNCONFIRMED, TAKEN, ABSENT, REFUSED, UNSENT = "QLUTARX"
DOUBTFUL = (LAUNCHING, UNCONFIRMED, ABSENT, REFUSED)
GIVEN_UP = (ABSENT, REFUSED, UNSENT)


@dataclass(frozen=True)
class Design:
    """What the built protocol does, and each way of doing it wrong."""

    compares_and_sets: bool = True
    tries_again: bool = False
    dead_claim_is_queued: bool = False
    one_listing_proves: bool = False
    signs_when_sending: bool = False
    unauthorized_refuses: bool = False
    rate_limit_sends_again: bool = False
    cloud_has_window: bool = True
    knows_of_window: bool = True


class Worker(NamedTuple):
    """``phase``: idle, about to claim (only without compare-and-set), claimed, waiting, or holding an answer."""

    phase: str = "idle"
    token: int = 0
    signed_at: int = 0
    answer: str = ""


class Request(NamedTuple):
    """Under way. The token is its nonce, and tells whose answer it brings."""

    token: int
    signed_at: int


class Looker(NamedTuple):
    """A listing that was begun: when, what it showed, and the row's doubts as they were read with it."""

    began: int
    shows_it: bool
    absent: int
    refused: bool
    status: str


class State(NamedTuple):
    """The whole world."""

    now: int = 0
    # Our row
    status: str = QUEUED
    token: int = 0
    claimed_at: int = 0
    claims: int = 0
    absent: int = 0
    refused: bool = False
    # Our processes
    workers: tuple[Worker, ...] = (Worker(), Worker())
    looker: Looker | None = None
    # Between us and the cloud
    requests: tuple[Request, ...] = ()
    proxy_may_double: bool = True
    # The cloud
    nonces: frozenset[int] = frozenset()
    created_at: tuple[int, ...] = ()
    issued: int = 0


IDLE = Worker()


def fault_of(state: State, design: Design) -> str | None:
    """What must never be, whatever happened."""
    if len(state.created_at) > 1:
        return "launched twice"
    if state.created_at and state.status in GIVEN_UP:
        return "given up although it exists"
    if state.now == END:
        return _fault_in_the_end(state, design)
    return None


def _fault_in_the_end(state: State, design: Design) -> str | None:
    """Every process dies, what is under way is lost; then the sweep and good listings come by for long enough."""
    state = state._replace(workers=(), looker=None, requests=())
    for now in range(END + 1, END + FENCE + NEEDED + 4):
        state = state._replace(now=now)
        state = next((after for _, after in _sweep(state, design)), state)
        looked = next(_begin_look(state), None)
        if looked is not None:
            state = next(_conclude(looked[1], design))[1]
    if state.created_at:
        return None if state.status == TAKEN else "lost sight of"
    if design.knows_of_window and state.status not in GIVEN_UP:
        return "in doubt for ever"
    return None


def steps_from(state: State, design: Design) -> Iterator[tuple[str, State]]:
    """Everything that can happen next."""
    if state.now < END:
        yield "time passes", state._replace(now=state.now + 1)
    for worker in dict.fromkeys(state.workers):
        for name, following, become in _work(state, worker, design):
            yield name, _with_worker(following, worker, become)
        if worker != IDLE:
            yield "worker dies", _with_worker(state, worker, IDLE)
    for request in dict.fromkeys(state.requests):
        yield from _arrive(state, request, design)
    yield from _sweep(state, design)
    yield from _begin_look(state)
    yield from _conclude(state, design)


def _with_worker(state: State, old: Worker, new: Worker) -> State:
    workers = list(state.workers)
    workers[workers.index(old)] = new
    return state._replace(workers=tuple(sorted(workers)))


# Workers --------------------------------------------------------------------------------------------------------------

Work = Iterator[tuple[str, State, Worker]]


def _work(state: State, worker: Worker, design: Design) -> Work:
    if worker.phase == "idle":
        yield from _claim(state, design)
    elif worker.phase == "read":
        yield "worker claims what it read", *_claimed(state)
    elif worker.phase == "claimed":
        yield from _send(state, worker, design)
    elif worker.phase == "waiting":
        yield "no answer comes", state, worker._replace(phase="answered", answer="unknown")
    else:
        yield from _apply(state, worker, design)


def _claim(state: State, design: Design) -> Work:
    if state.status != QUEUED or state.now > SEND_BY:
        return
    if design.compares_and_sets:
        yield "worker claims", *_claimed(state)
    else:
        yield "worker reads", state, Worker("read")


def _claimed(state: State) -> tuple[State, Worker]:
    token = state.issued + 1
    row = state._replace(status=LAUNCHING, token=token, claimed_at=state.now, issued=token)
    return row, Worker("claimed", token, state.now)


def _send(state: State, worker: Worker, design: Design) -> Work:
    signed_at = state.now if design.signs_when_sending else worker.signed_at
    request = Request(worker.token, signed_at)
    waiting = worker._replace(phase="waiting")
    yield "worker sends", state._replace(requests=_sorted(*state.requests, request)), waiting
    if state.proxy_may_double:
        twice = _sorted(*state.requests, request, request)
        doubled = state._replace(requests=twice, proxy_may_double=False)
        yield "worker sends and a proxy sends it twice", doubled, waiting
    yield "no connection", state, worker._replace(phase="answered", answer="not sent")
    if state.now > worker.signed_at:
        yield "worker sees that it paused", *_release(state, worker)


def _sorted(*requests: Request) -> tuple[Request, ...]:
    return tuple(sorted(requests))


def _release(state: State, worker: Worker) -> tuple[State, Worker]:
    """Back to the queue, if the claim is still this worker's; given up unsent after so many."""
    if (state.status, state.token) != (LAUNCHING, worker.token):
        return state, IDLE
    claims = state.claims + 1
    return state._replace(status=UNSENT if claims >= MAX_CLAIMS else QUEUED, claims=claims), IDLE


def _apply(state: State, worker: Worker, design: Design) -> Work:
    name = f"worker applies “{worker.answer}”"
    if worker.answer == "created":
        yield name, _adopted(state), IDLE
    elif worker.answer == "not sent" or (worker.answer == "429" and design.rate_limit_sends_again):
        yield name, *_release(state, worker)
    elif worker.answer == "unknown" and design.tries_again:
        again = worker._replace(phase="claimed", token=state.issued + 1, answer="")
        if state.issued < MAX_CLAIMS + 1:
            yield "worker tries again", state._replace(issued=state.issued + 1), again
    elif (state.status, state.token) == (LAUNCHING, worker.token):
        refused = worker.answer == "400" or (worker.answer == "401" and design.unauthorized_refuses)
        yield name, state._replace(status=UNCONFIRMED, refused=refused), IDLE
    else:
        yield f"{name} to nobody's claim", state, IDLE


def _adopted(state: State) -> State:
    return state._replace(status=TAKEN) if state.status in DOUBTFUL else state


# The cloud ------------------------------------------------------------------------------------------------------------


def _arrive(state: State, request: Request, design: Design) -> Iterator[tuple[str, State]]:
    requests = list(state.requests)
    requests.remove(request)
    gone = state._replace(requests=tuple(requests))
    for answer, after in _answers(gone, request, design):
        yield f"the cloud answers “{answer}” and the answer is lost", after
        owner = next((w for w in after.workers if (w.phase, w.token) == ("waiting", request.token)), None)
        if owner is not None:
            heard = "unknown" if answer.startswith("5xx") else answer
            become = owner._replace(phase="answered", answer=heard)
            yield f"the cloud answers “{answer}”", _with_worker(after, owner, become)


def _answers(state: State, request: Request, design: Design) -> Iterator[tuple[str, State]]:
    """A gateway may turn any request away before it is looked at. Time and nonce are checked before the rest."""
    yield "429", state
    yield "5xx, not created", state
    too_old = design.cloud_has_window and state.now > request.signed_at + WINDOW
    if too_old or request.token in state.nonces:
        yield "401", state
        return
    state = state._replace(nonces=state.nonces | {request.token})
    created = state._replace(created_at=(*state.created_at, state.now))
    yield "400", state
    yield "created", created
    yield "5xx, created", created


# The sweep and the listings -----------------------------------------------------------------------------------------------


def _sweep(state: State, design: Design) -> Iterator[tuple[str, State]]:
    if state.status == LAUNCHING and state.now > state.claimed_at + LEASE:
        after = QUEUED if design.dead_claim_is_queued else UNCONFIRMED
        yield "the sweep finds a dead claim", state._replace(status=after)
    if state.status == QUEUED and state.now > SEND_BY:
        yield "the sweep lets it expire", state._replace(status=UNSENT)


def _begin_look(state: State) -> Iterator[tuple[str, State]]:
    """A complete listing; it shows what was created long enough ago. One that fails changes nothing."""
    if state.looker is None and state.status in DOUBTFUL:
        shows_it = any(created + LAG <= state.now for created in state.created_at)
        looker = Looker(state.now, shows_it, state.absent, state.refused, state.status)
        yield "a listing is read", state._replace(looker=looker)


def _conclude(state: State, design: Design) -> Iterator[tuple[str, State]]:
    looker = state.looker
    if looker is None:
        return
    idle = state._replace(looker=None)
    if looker.shows_it:
        yield "the listing shows it", _adopted(idle)
        return
    if looker.status != UNCONFIRMED or state.status != UNCONFIRMED:
        yield "the listing concerns nobody", idle
        return
    proved = (
        looker.absent + 1 >= NEEDED and looker.began > state.claimed_at + FENCE and design.knows_of_window
    )
    if looker.refused:
        yield "the listing confirms the refusal", idle._replace(status=REFUSED)
    elif proved or design.one_listing_proves:
        yield "the listings prove that it never arrived", idle._replace(status=ABSENT)
    else:
        yield "the listing does not show it", idle._replace(absent=min(state.absent + 1, NEEDED))

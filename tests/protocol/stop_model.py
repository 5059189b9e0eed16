"""A model of stopping: the decision, its race with an extension, the pursuit and the sync, as ``jobs/stop.py``,
``pursuit.py``, ``applying.py`` and ``autostop/extend.py`` do it, against a cloud and a key that fail.

The job is past its deadline, so auto-stop wants it stopped; a person may extend it once, which moves the deadline out of
sight. Two pursuers may pause anywhere and outlive their lease, or die. A cancel may take effect late or, although it was
answered with a yes, never (it is under way to the end). The key may be revoked, and is then answered 404 until the end.
The cloud may once show the ended job alive again.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

SURE = 1
END = 2
MOST_CANCELS = 2
RUNNING, ENDED = "RUNNING", "ENDED"
ALIVE, CANCELLING, OVER, UNSEEN = "alive", "cancelling", "over", "unseen"


@dataclass(frozen=True)
class Design:
    """What the built protocol does, and each way of doing it wrong."""

    decision_is_committed: bool = True
    a_yes_ends_it: bool = False
    gives_up: bool = False
    not_found_ends_it: bool = False
    busy_calls_it_off: bool = False
    a_look_counts_from_its_start: bool = True


class Pursuer(NamedTuple):
    """``phase``: idle, leased, looked, sending. What it read of the row, and what it saw of the cloud, when it was over."""

    phase: str = "idle"
    status: str = RUNNING
    attempts: int = 0
    view: str = UNSEEN
    looked_at: int = 0


class Sync(NamedTuple):
    """A listing that was read: the row as it was then, and the cloud."""

    status: str
    requested: bool
    view: str


class State(NamedTuple):
    """The whole world."""

    now: int = 0
    # Our row
    status: str = RUNNING
    requested: bool = False
    version: int = 0
    pursued: bool = False
    attempts: int = 0
    leased: bool = False
    end_seen_at: int = -9
    # Our processes and people
    decided_on: int = -1
    extended: bool = False
    pursuers: tuple[Pursuer, ...] = (Pursuer(), Pursuer())
    sync: Sync | None = None
    # The cloud
    cloud: str = ALIVE
    cancel_under_way: bool = False
    key_works: bool = True
    may_come_back: bool = True
    # For the judge: was an end ever shown, was a cancel sent to an extended job, were two looks taken for more
    was_over: bool = False
    betrayed: bool = False
    rashly_sure: bool = False


IDLE = Pursuer()


def fault_of(state: State, design: Design) -> str | None:
    """What must never be, whatever happened."""
    if state.betrayed:
        return "cancelled although an extension was accepted"
    if state.status == ENDED and not state.was_over:
        return "called ended although it never was"
    if state.attempts and not state.requested:
        return "a cancel is out and the row knows of no stop"
    if state.rashly_sure:
        return "sure of the end after two looks at one moment"
    if state.now == END and state.requested:
        return _fault_in_the_end(state, design)
    return None


def _fault_in_the_end(state: State, design: Design) -> str | None:
    """Every process dies, the key works again, the cloud obeys: then the stop must come and be confirmed."""
    quiet = state._replace(
        pursuers=(IDLE,), sync=None, key_works=True, may_come_back=False, cancel_under_way=False
    )
    return _fault_of_quiet(quiet, design)


@cache
def _fault_of_quiet(state: State, design: Design) -> str | None:
    for now in range(END + 1, END + 8):
        state = state._replace(now=now, leased=False)
        if state.cloud == CANCELLING:
            state = state._replace(cloud=OVER, was_over=True)
        for _, read in _read_list(state):
            state = next(_apply_list(read))[1]
        state = _one_pursuit(state, design)
    if state.cloud != OVER:
        return "never stopped"
    return None if state.status == ENDED and not state.pursued else "never confirmed"


def _one_pursuit(state: State, design: Design) -> State:
    """From the lease to the end of one undisturbed step."""
    while True:
        following = next((after for _, after in _pursue(state, state.pursuers[0], design, obeyed=True)), None)
        if following is None or following.pursuers[0] == IDLE:
            return following or state
        state = following
        if state.cancel_under_way:
            state = state._replace(
                cloud=CANCELLING if state.cloud == ALIVE else state.cloud, cancel_under_way=False
            )


def steps_from(state: State, design: Design) -> Iterator[tuple[str, State]]:
    """Everything that can happen next."""
    if state.now < END:
        yield "time passes", state._replace(now=state.now + 1, leased=False)
    yield from _people(state)
    yield from _decide(state, design)
    for pursuer in dict.fromkeys(state.pursuers):
        yield from _pursue(state, pursuer, design)
        if pursuer != IDLE:
            yield "a pursuer dies", _with(state, pursuer, IDLE)
    if state.sync is None:
        yield from _read_list(state)
    yield from _apply_list(state)
    yield from _cloud(state)


def _with(state: State, old: Pursuer, new: Pursuer) -> State:
    pursuers = list(state.pursuers)
    pursuers[pursuers.index(old)] = new
    return state._replace(pursuers=tuple(sorted(pursuers)))


# Decision and extension -----------------------------------------------------------------------------------------------


def _people(state: State) -> Iterator[tuple[str, State]]:
    """An extension from a page that was up to date. One from an outdated page changes nothing."""
    if not state.extended and not state.requested and state.status != ENDED:
        yield "the extension is accepted", state._replace(extended=True, version=state.version + 1)


def _decide(state: State, design: Design) -> Iterator[tuple[str, State]]:
    due = not state.extended and not state.requested and state.status != ENDED
    if state.decided_on < 0 and due:
        yield "auto-stop finds the job due", state._replace(decided_on=state.version)
    if state.decided_on >= 0:
        idle = state._replace(decided_on=-1)
        fresh = state.decided_on == state.version and not state.requested and state.status != ENDED
        if fresh or not design.decision_is_committed:
            yield (
                "the stop is asked for",
                idle._replace(requested=True, pursued=True, version=state.version + 1),
            )
        else:
            yield "auto-stop sees that the job changed", idle


# The pursuit ----------------------------------------------------------------------------------------------------------


def _pursue(
    state: State, me: Pursuer, design: Design, *, obeyed: bool = False
) -> Iterator[tuple[str, State]]:
    if me.phase == "idle":
        yield from _lease(state, me)
    elif me.phase == "leased":
        yield from _look(state, me, obeyed=obeyed)
    elif me.phase == "looked":
        yield from _act(state, me, design, bounded=not obeyed)
    else:
        yield from _answer(state, me, design, obeyed=obeyed)


def _lease(state: State, me: Pursuer) -> Iterator[tuple[str, State]]:
    if state.pursued and not state.leased:
        mine = Pursuer("leased", state.status, state.attempts)
        yield "a pursuer takes the job", _with(state, me, mine)._replace(leased=True)


def _view(state: State) -> str:
    return state.cloud if state.key_works else UNSEEN


def _look(state: State, me: Pursuer, *, obeyed: bool) -> Iterator[tuple[str, State]]:
    view = _view(state)
    seen = me._replace(phase="looked", view=view, looked_at=state.now if view == OVER else 0)
    yield f"the pursuer sees the job {seen.view}", _with(state, me, seen)
    if seen.view != UNSEEN and not obeyed:
        yield "the pursuer's look fails", _with(state, me, seen._replace(view=UNSEEN, looked_at=0))


def _act(state: State, me: Pursuer, design: Design, *, bounded: bool) -> Iterator[tuple[str, State]]:
    row = _applied(state, me.view, me.status)
    if me.view == OVER:
        yield "the pursuer notes the end", _with(_note_end(row, me, design), me, IDLE)._replace(leased=False)
        return
    if me.view == CANCELLING and row.attempts:
        yield "the pursuer waits for the end", _with(row, me, IDLE)._replace(leased=False, end_seen_at=-9)
        return
    if me.attempts != row.attempts or row.status == ENDED:
        yield "somebody else has sent the cancel", _with(row, me, IDLE)._replace(leased=False)
    elif design.gives_up and row.attempts >= MOST_CANCELS:
        yield "the pursuer gives up", _with(row, me, IDLE)._replace(status=ENDED, pursued=False)
    elif row.attempts < MOST_CANCELS or not bounded:
        sent = row._replace(
            attempts=row.attempts + 1,
            end_seen_at=-9,
            cancel_under_way=True,
            betrayed=row.betrayed or row.extended,
        )
        yield "the pursuer sends a cancel", _with(sent, me, Pursuer("sending"))
    if me.view == ALIVE and design.busy_calls_it_off and row.requested:
        off = row._replace(requested=False, pursued=False, extended=True)
        yield "the job is busy after all: the stop is called off", _with(off, me, IDLE)._replace(leased=False)


def _applied(state: State, view: str, read_status: str, requested: bool = True) -> State:
    """The row after a look is applied: only if its status is still the one that was read."""
    if view == UNSEEN or state.status != read_status:
        return state
    if view == OVER:
        if state.status == ENDED:
            return state
        return state._replace(status=ENDED, end_seen_at=state.now, pursued=requested)
    if state.status == ENDED:
        return state._replace(status=RUNNING, end_seen_at=-9, pursued=state.requested)
    return state


def _note_end(state: State, me: Pursuer, design: Design) -> State:
    looked_at = me.looked_at if design.a_look_counts_from_its_start else state.now
    if state.end_seen_at < 0 or state.status != ENDED:
        return state._replace(end_seen_at=state.now)
    if looked_at - state.end_seen_at < SURE or not state.pursued:
        return state
    return state._replace(pursued=False, rashly_sure=me.looked_at - state.end_seen_at < SURE)


def _answer(state: State, me: Pursuer, design: Design, *, obeyed: bool) -> Iterator[tuple[str, State]]:
    """The cancel may take effect now, later, or never; its answer says little about that."""
    answers = ["yes", "error"] if state.key_works else ["404"]
    for answer in answers[:1] if obeyed else answers:
        done = _with(state, me, IDLE)._replace(leased=False)
        if (answer == "yes" and design.a_yes_ends_it) or (answer == "404" and design.not_found_ends_it):
            done = done._replace(status=ENDED, pursued=False)
        yield f"the cancel is answered “{answer}”", done


# The sync and the cloud -----------------------------------------------------------------------------------------------


def _read_list(state: State) -> Iterator[tuple[str, State]]:
    if state.key_works:
        yield "a list is read", state._replace(sync=Sync(state.status, state.requested, state.cloud))


def _apply_list(state: State) -> Iterator[tuple[str, State]]:
    if state.sync is not None:
        read = state.sync
        applied = _applied(state._replace(sync=None), read.view, read.status, requested=read.requested)
        yield "the list is applied", applied


def _cloud(state: State) -> Iterator[tuple[str, State]]:
    if state.cancel_under_way and state.key_works:
        taken = CANCELLING if state.cloud == ALIVE else state.cloud
        yield "the cloud takes the cancel", state._replace(cancel_under_way=False, cloud=taken)
    if state.cloud == CANCELLING:
        yield "the cloud ends the job", state._replace(cloud=OVER, was_over=True)
    if state.cloud == OVER and state.may_come_back:
        yield "the cloud shows it alive again", state._replace(cloud=ALIVE, may_come_back=False)
    if state.key_works:
        yield "the key is revoked", state._replace(key_works=False)

"""Every way in which an exchange can break, on every kind of call. What the sandbox's ledger shows is what happened.

A read or a cancel is tried again, newly signed; a create is sent once, and its error says what is known of its effect.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from dispersed_web.dispersed import (
    BadReply,
    Client,
    DispersedError,
    NotFound,
    Outcome,
    RateLimited,
    Rejected,
    ServerBroken,
    Unauthorized,
    Unreachable,
)
from dispersed_web.sandbox.control import Control
from dispersed_web.sandbox.faults import CANCEL_KINDS, EXCHANGE_KINDS
from tests.dispersed.deadlines import short_at_first
from tests.waiting import eventually

from .clouds import once
from .conftest import persistent

CREATE, COOK = "POST /v1/jobs", "POST /v1/job-recipes/{uuid}/cook"
CANCEL, LIST = "PUT /v1/jobs/{uuid}/cancel", "GET /v1/jobs"
LLAMA = "01a0114e-e7f8-4e76-a07a-f09fca41e2be"
TRIES = 3
FOR_EVER_S = 600
SLOW = {"stall", "drip"}
TRIED_AGAIN = (Unreachable, RateLimited, ServerBroken)
SAID = {
    Unreachable: ("in time", "broke the connection"),
    RateLimited: ("fewer requests",),
    ServerBroken: ("fault of its own",),
    BadReply: ("cannot be read", "not followed", "not read"),
    Unauthorized: ("refused the key", "does not let this key"),
    NotFound: ("does not know it",),
    Rejected: ("refused the request",),
}


@dataclass(frozen=True)
class Fault:
    """A fault rule, whether the request takes effect, and the error that the client makes of it."""

    kind: str
    params: dict[str, Any]
    effect: bool
    error: type[DispersedError]
    outcome: Outcome = Outcome.UNKNOWN


def status(number: int, at: str, error: type[DispersedError], **params: Any) -> Fault:
    outcome = params.pop("outcome", Outcome.UNKNOWN)
    return Fault("status", {"status": number, "at": at, **params}, at == "after", error, outcome)


NO_EFFECT = {"at": "before", "outcome": Outcome.REFUSED}
FAULTS = {
    "stall on arrival": Fault("stall", {"seconds": FOR_EVER_S, "at": "arrival"}, False, Unreachable),
    "stall before": Fault("stall", {"seconds": FOR_EVER_S, "at": "before"}, False, Unreachable),
    "stall after": Fault("stall", {"seconds": FOR_EVER_S, "at": "after"}, True, Unreachable),
    **{
        f"{'reset' if reset else 'close'} {at}": Fault(
            "drop", {"at": at, "reset": reset}, at in ("after", "middle"), Unreachable
        )
        for at in ("arrival", "before", "after", "middle")
        for reset in (False, True)
    },
    "half a status line": Fault("drop", {"at": "middle", "part": "status_line"}, True, Unreachable),
    "drip": Fault("drip", {"seconds": 0.1, "chunk": 1}, True, Unreachable),
    "bad JSON": Fault("bad_json", {}, True, BadReply),
    "HTML": Fault("html_body", {}, True, BadReply),
    "no uuid": Fault("no_uuid", {}, True, BadReply),
    "too large": Fault("huge_body", {"bytes": 6_000_000}, True, BadReply),
    "redirect": Fault("redirect", {"status": 307, "location": "/v1/users/me"}, False, BadReply),
    "redirect after": Fault("redirect", {"status": 302, "at": "after"}, True, BadReply),
    **{
        f"{number} {at}": status(number, at, RateLimited if number == 429 else ServerBroken)
        for number in (408, 425, 429, 500, 502, 503, 504, 599)
        for at in ("before", "after")
    },
    "502 HTML": status(502, "after", ServerBroken, body="html"),
    "503 empty": status(503, "before", ServerBroken, body="empty"),
    "400": status(400, error=Rejected, **NO_EFFECT),
    "402": status(402, error=Rejected, **NO_EFFECT),
    "404": status(404, error=NotFound, **NO_EFFECT),
    "422": status(422, error=Rejected, **NO_EFFECT),
    "revoked": status(401, error=Unauthorized, code="api_key_revoked", **NO_EFFECT),
    "forbidden": status(403, error=Unauthorized, code="forbidden", **NO_EFFECT),
    # What the second copy of a request gets whose first copy was done.
    "nonce used after": status(401, "after", Unauthorized, code="nonce_reused"),
    "too old after": status(401, "after", Unauthorized, code="timestamp_out_of_range"),
    "409 after": status(409, "after", Rejected),
    "418 after": status(418, "after", Rejected),
    "gateway's 404 after": status(404, "after", NotFound, body="html"),
    "gateway's 403 after": status(403, "after", Unauthorized, body="html"),
}
# Answers that only look different: `test_shapes.py` reads them.
OTHER_SHAPES = {
    "bare_list", "void_page", "empty_list", "numbers_as_text", "dates_without_time", "unknown_fields", "unknown_status",
    "tokens_on_job", "tokens_as_text",
}  # fmt: skip
# Answers that say yes but cannot be read. A cancel needs no more than the yes.
UNREADABLE = {"bad_json", "html_body", "no_uuid"}


def test_every_kind_of_fault_is_in_a_table() -> None:
    assert {fault.kind for fault in FAULTS.values()} | OTHER_SHAPES == EXCHANGE_KINDS
    assert {kind for kind, *_ in CANCELS.values()} == CANCEL_KINDS


@pytest.fixture(params=FAULTS.values(), ids=FAULTS.keys())
def fault(request: pytest.FixtureRequest) -> Fault:
    return request.param


@pytest.fixture
def job_uuid(hasty: Client, control: Control) -> str:
    uuid = hasty.create_job(persistent("Mine"), **once(hasty)).uuid
    control.advance(60)
    return uuid


def sent(control: Control, method: str) -> list[dict[str, Any]]:
    return control.requests(method=method)


def check_sentence(error: DispersedError, *, creates: bool) -> None:
    assert error.sentence == str(error)
    assert any(said in error.sentence for said in SAID[type(error)])
    assert ("may be running and costing money" in error.sentence) is (creates and error.ambiguous)


def fail_before_success(client: Client, fault: Fault) -> int:
    """How many tries shall fail before one succeeds: one that is slow is enough."""
    if fault.kind not in SLOW:
        return TRIES - 1
    short_at_first(client, 0.3)
    return 1


def check_signatures(requests: list[dict[str, Any]]) -> None:
    """Each try has a nonce and a signature of its own."""
    for name in ("X-Nonce", "X-Signature"):
        values = [row["headers"][name] for row in requests]
        assert len(set(values)) == len(values)


# Creates


def create(client: Client, deadline_s: float) -> object:
    return client.create_job(persistent("Mine"), deadline_s=deadline_s, **once(client))


def cook(client: Client, deadline_s: float) -> object:
    return client.cook_job_recipe(LLAMA, {"title": "Mine"}, deadline_s=deadline_s, **once(client))


@pytest.mark.parametrize(("endpoint", "make"), [(CREATE, create), (COOK, cook)], ids=["create", "cook"])
def test_a_create_is_sent_once_and_its_outcome_is_true(
    hasty: Client, control: Control, fault: Fault, endpoint: str, make: Callable[[Client, float], object]
) -> None:
    control.add_fault(endpoint, fault.kind, **fault.params)
    with pytest.raises(DispersedError) as caught:
        make(hasty, 0.3 if fault.kind in SLOW else 20)
    error = caught.value
    assert type(error) is fault.error
    assert error.outcome is fault.outcome
    assert error.status == fault.params.get("status", 201 if fault.kind in UNREADABLE else None)
    check_sentence(error, creates=True)
    # The client was not patient, and the cloud may be slow to take note.
    eventually(lambda: sent(control, "POST") and len(control.jobs()) == int(fault.effect), "the effect")
    assert len(sent(control, "POST")) == 1


def test_a_create_that_was_never_connected_may_be_sent_again(hasty: Client, control: Control) -> None:
    with (
        Client(hasty._exchange._keys, "http://127.0.0.1:9", simulated=True) as nowhere,
        pytest.raises(Unreachable) as caught,
    ):
        create(nowhere, 20)
    assert caught.value.outcome is Outcome.NOT_SENT
    assert "nothing was sent" in caught.value.sentence
    assert sent(control, "POST") == []


def test_a_create_refused_by_validation_is_refused(hasty: Client, control: Control) -> None:
    with pytest.raises(Rejected) as caught:
        hasty.create_job({**persistent(), "max_node_count": 0}, **once(hasty))
    assert caught.value.outcome is Outcome.REFUSED
    assert "max_node_count" in caught.value.sentence
    assert control.jobs() == []


def test_a_repeated_create_is_not_done_twice_and_not_called_refused(hasty: Client, control: Control) -> None:
    """A gateway sends the same bytes again; the answer to the second copy is all that comes back."""
    same = once(hasty)
    hasty.create_job(persistent(), **same)
    with pytest.raises(Unauthorized) as caught:
        hasty.create_job(persistent(), **same)
    assert caught.value.outcome is Outcome.UNKNOWN
    assert len(control.jobs()) == 1


# Reads


def test_a_read_is_tried_again_until_it_succeeds(hasty: Client, control: Control, fault: Fault) -> None:
    failing = fail_before_success(hasty, fault)
    control.add_fault(LIST, fault.kind, times=failing, **fault.params)
    if issubclass(fault.error, TRIED_AGAIN):
        assert hasty.list_jobs().items == ()
        assert len(sent(control, "GET")) == failing + 1
        check_signatures(sent(control, "GET"))
    elif fault.kind == "no_uuid":
        assert hasty.list_jobs().items == ()  # there is no object here that could lack it
    else:
        with pytest.raises(fault.error):
            hasty.list_jobs()
        assert len(sent(control, "GET")) == 1


def test_a_read_gives_up_with_the_right_error(
    hasty: Client, control: Control, job_uuid: str, fault: Fault
) -> None:
    control.add_fault("GET /v1/jobs/{uuid}", fault.kind, **fault.params)
    hasty._deadline_s = 0.2 if fault.kind in SLOW else 20
    with pytest.raises(DispersedError) as caught:
        hasty.get_job(job_uuid)
    assert type(caught.value) is fault.error
    check_sentence(caught.value, creates=False)
    tries = TRIES if issubclass(fault.error, TRIED_AGAIN) else 1
    eventually(lambda: len(control.requests(path=f"/v1/jobs/{job_uuid}")) >= tries, "all tries")
    assert len(control.requests(path=f"/v1/jobs/{job_uuid}")) == tries


# Cancels


def test_a_cancel_is_tried_again_and_takes_effect(
    hasty: Client, control: Control, job_uuid: str, fault: Fault
) -> None:
    failing = fail_before_success(hasty, fault)
    control.add_fault(CANCEL, fault.kind, times=failing, **fault.params)
    if issubclass(fault.error, TRIED_AGAIN) or fault.kind in UNREADABLE:
        answer = hasty.cancel_job(job_uuid, "enough")
        assert answer is None or answer.uuid == job_uuid
        assert len(sent(control, "PUT")) == (1 if fault.kind in UNREADABLE else failing + 1)
        check_signatures(sent(control, "PUT"))
        assert control.cancels(job_uuid)[0]["effect"] == "taken"
        assert control.cancels(job_uuid)[0]["reason"] == "enough"
    else:
        with pytest.raises(fault.error) as caught:
            hasty.cancel_job(job_uuid, "enough")
        check_sentence(caught.value, creates=False)
        assert len(sent(control, "PUT")) == 1
    control.advance(10)
    cancelled = bool(control.cancels(job_uuid))
    assert (control.job(job_uuid)["status"] == "CANCELLED") is cancelled


CANCELS: dict[str, tuple[str, dict[str, Any], type[DispersedError] | None, str]] = {
    "dropped": ("cancel_dropped", {}, None, "RUNNING"),
    "slow": ("cancel_slow", {"seconds": 600}, None, "CANCELLING"),
    "for ever": ("cancel_slow", {"seconds": None}, None, "CANCELLING"),
    "403": ("cancel_status", {"status": 403}, Unauthorized, "RUNNING"),
    "404": ("cancel_status", {"status": 404}, NotFound, "RUNNING"),
    "409": ("cancel_status", {"status": 409}, Rejected, "RUNNING"),
}


@pytest.mark.parametrize("name", CANCELS)
def test_an_answer_to_a_cancel_is_not_an_end(
    hasty: Client, control: Control, job_uuid: str, name: str
) -> None:
    kind, params, error, then = CANCELS[name]
    control.add_fault(CANCEL, kind, times=1, **params)
    if error is None:
        answer = hasty.cancel_job(job_uuid, "enough")
        assert answer is not None
        assert answer.status == "CANCELLING"
    else:
        with pytest.raises(error):
            hasty.cancel_job(job_uuid, "enough")
    control.advance(10)
    assert hasty.get_job(job_uuid).status == control.job(job_uuid)["status"] == then


def test_the_wait_that_a_429_asks_for_is_kept(hasty: Client, control: Control) -> None:
    waited: list[float] = []
    hasty._exchange._sleep = waited.append
    control.add_fault(LIST, "status", times=1, status=429, headers={"Retry-After": "7"})
    hasty.list_jobs()
    assert waited == [7.0]
    control.add_fault(LIST, "status", times=1, status=429, headers={"Retry-After": "120"})
    with pytest.raises(RateLimited) as caught:
        hasty.list_jobs()
    assert caught.value.retry_after_s == 120

"""What each call sends, as it arrived at a socket: the signed bytes are the sent bytes."""

import json
from datetime import UTC, datetime

import pytest

from dispersed_web.dispersed import AuthShapes, Client, JobSpec, KeyPair, Secret

from . import signer
from .wire import Wire, reply

KEYS = KeyPair("pk_sim_1", "sk_sim_canary")
TIME_MS = 1_700_000_000_000
JOB = {"uuid": "job-1", "status": "PENDING"}
RUN = {"uuid": "run-1", "job_uuid": "job-1", "status": "RUNNING"}
ONCE = {"time_ms": 1_699_999_999_000, "nonce": "f" * 32, "auth_shapes": AuthShapes()}


def page(*items):
    return {"data": list(items), "page": 1, "limit": 50, "total": len(items)}


SPEC = JobSpec(
    task="PERSISTENT",
    title="RTX demo",
    image="dispersednetwork/base",
    gpu_name="RTX 4090",
    ports=(22, 8000),
    env={"B": 'a "quoted" \n line', "A": "~*!'()"},
    registry_secret=Secret("s"),
)
SPEC_TEXT = (
    '{"gpu_name":"RTX 4090","max_timeout_run_ms":null,"parameters":{"parameters":{"env":{"A":"~*!\'()",'
    '"B":"a \\"quoted\\" \\n line"},"image":"dispersednetwork/base","ports":[22,8000],"secret":"s"},'
    '"type":"docker"},"task":"PERSISTENT","title":"RTX demo"}'
)
DAY = datetime(2026, 8, 26, tzinfo=UTC)
LEDGER = "/v1/compute/ledger"

# Call, what the cloud answers, method, path, query, body, as they must arrive.
CALLS = [
    (lambda c: c.list_jobs(), page(JOB), "GET", "/v1/jobs", "limit=50&page=1&sort=-created_at", ""),
    (
        lambda c: c.list_jobs(
            limit=7, sort="created_at", statuses=["PENDING", "RUNNING"], task="BATCH", uuid="u"
        ),
        page(),
        "GET",
        "/v1/jobs",
        "filter%5Bstatus%5D=PENDING%2CRUNNING&filter%5Btask%5D=BATCH&filter%5Buuid%5D=u&limit=7&page=1&sort=created_at",
        "",
    ),
    (
        lambda c: c.list_jobs(created_after=DAY, created_before=DAY.replace(day=27)),
        page(),
        "GET",
        "/v1/jobs",
        "filter%5Bcreated_at%5D=2026-08-26T00%3A00%3A00Z%2C2026-08-27T00%3A00%3A00Z&limit=50&page=1&sort=-created_at",
        "",
    ),
    (lambda c: c.get_job("job-1"), JOB, "GET", "/v1/jobs/job-1", "", ""),
    (lambda c: c.create_job(SPEC.to_body(), **ONCE), JOB, "POST", "/v1/jobs", "", SPEC_TEXT),
    (
        lambda c: c.cancel_job("job-1", "Cancelled by user"),
        JOB,
        "PUT",
        "/v1/jobs/job-1/cancel",
        "",
        '{"reason":"Cancelled by user"}',
    ),
    (lambda c: c.list_job_runs(), page(RUN), "GET", "/v1/job-runs", "limit=50&page=1&sort=-created_at", ""),
    (
        lambda c: c.list_job_runs("job-1", statuses=["RUNNING"]),
        page(RUN),
        "GET",
        "/v1/job-runs",
        "filter%5Bjob_uuid%5D=job-1&filter%5Bstatus%5D=RUNNING&limit=50&page=1&sort=-created_at",
        "",
    ),
    (lambda c: c.get_job_run("run-1"), RUN, "GET", "/v1/job-runs/run-1", "", ""),
    (
        lambda c: c.list_job_recipes(official=True),
        page({"uuid": "r"}),
        "GET",
        "/v1/job-recipes",
        "filter%5Bis_official%5D=true&limit=50&page=1",
        "",
    ),
    (lambda c: c.get_job_recipe("r"), {"uuid": "r"}, "GET", "/v1/job-recipes/r", "", ""),
    (lambda c: c.cook_job_recipe("r", {}, **ONCE), JOB, "POST", "/v1/job-recipes/r/cook", "", "{}"),
    (
        lambda c: c.list_gpus(only_available=False, min_vram_gb=24),
        page({"uuid": "g", "name": "RTX 5090"}),
        "GET",
        "/v1/gpu-registry",
        "filter%5Bmin_vram_gb%5D=24&filter%5Bonly_available%5D=false&limit=50&page=1",
        "",
    ),
    (
        lambda c: c.list_offers(gpu_name="RTX 4090", gpu_count=0, region_codes=["us-east-1", "us-west-2"]),
        page({"offer_id": "o"}),
        "GET",
        "/v1/compute/offers",
        "filter%5Ballowed_region_codes%5D=us-east-1%2Cus-west-2&filter%5Bgpu_count%5D=0"
        "&filter%5Bgpu_name%5D=RTX+4090&limit=50&page=1",
        "",
    ),
    (
        lambda c: c.list_transactions(job_run_uuid="run-1", type="CAPTURE"),
        page({"uuid": "t"}),
        "GET",
        f"{LEDGER}/transactions",
        "filter%5Bjob_run_uuid%5D=run-1&filter%5Btype%5D=CAPTURE&limit=50&page=1&sort=-created_at",
        "",
    ),
    (
        lambda c: c.list_authorizations(statuses=["OPEN"]),
        page({"uuid": "a"}),
        "GET",
        f"{LEDGER}/authorizations",
        "filter%5Bstatus%5D=OPEN&limit=50&page=1&sort=-created_at",
        "",
    ),
    (lambda c: c.me(), {"uuid": "u", "email": "a@example.com"}, "GET", "/v1/users/me", "", ""),
    (
        lambda c: c.balance("u"),
        {"available_balance": "1.5", "currency": "USD"},
        "GET",
        "/v1/accounts/u/balance",
        "",
        "",
    ),
]


def client(wire, **kwargs) -> Client:
    kwargs = {"wall_ms": lambda: TIME_MS, "nonce": lambda: "0" * 32, "sleep": lambda seconds: None, **kwargs}
    return Client(KEYS, wire.url, simulated=True, **kwargs)


@pytest.mark.parametrize(("call", "answer", "method", "path", "query", "body"), CALLS)
def test_signed_bytes_are_the_sent_bytes(call, answer, method, path, query, body):
    with Wire([reply(200, answer)]) as wire, client(wire) as dispersed:
        assert call(dispersed) is not None
    (request,) = wire.requests
    assert (request.method, request.path, request.query, request.body.decode()) == (method, path, query, body)
    time_ms, nonce = (ONCE["time_ms"], ONCE["nonce"]) if method == "POST" else (TIME_MS, "0" * 32)
    assert (request.headers["x-time"], request.headers["x-nonce"]) == (str(time_ms), nonce)
    assert request.headers["x-api-key"] == KEYS.public_key
    assert request.headers["x-signature"] == signer.signature(
        KEYS.public_key,
        KEYS.secret_key,
        time_ms=time_ms,
        nonce=nonce,
        method=method,
        path=request.path,
        query=request.query,
        body=request.body,
    )


@pytest.mark.parametrize(("call", "answer"), [(call, answer) for call, answer, *_ in CALLS])
def test_the_secret_key_is_never_sent_and_nothing_of_the_environment_is(call, answer, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    with Wire([reply(200, answer)]) as wire, client(wire) as dispersed:
        call(dispersed)
    (request,) = wire.requests
    assert KEYS.secret_key not in str(vars(request))
    expected = {
        "host",
        "accept",
        "accept-encoding",
        "user-agent",
        "x-api-key",
        "x-time",
        "x-nonce",
        "x-signature",
    }
    with_body = {"content-type", "content-length"} if request.body else set()
    assert set(request.headers) == expected | with_body
    assert request.headers["accept-encoding"] == "identity"


def test_a_single_resource_may_come_wrapped():
    with Wire([reply(200, {"data": JOB})]) as wire, client(wire) as dispersed:
        assert dispersed.get_job("job-1").uuid == "job-1"


def test_reads_share_a_connection_and_creates_never_do():
    steps = [reply(200, JOB) for _ in range(5)]
    with Wire(steps) as wire, client(wire) as dispersed:
        dispersed.get_job("job-1")
        dispersed.create_job({"title": "a"}, **ONCE)
        dispersed.create_job({"title": "b"}, **ONCE)
        dispersed.get_job("job-1")
    assert [request.connection for request in wire.requests] == [1, 2, 3, 1]


def test_a_cookie_of_the_cloud_is_not_sent_back():
    with (
        Wire([reply(200, JOB, headers=["Set-Cookie: a=b"]), reply(200, JOB)]) as wire,
        client(wire) as dispersed,
    ):
        dispersed.get_job("job-1")
        dispersed.get_job("job-1")
    assert all("cookie" not in request.headers for request in wire.requests)


def test_each_request_has_a_nonce_of_its_own():
    with (
        Wire([reply(200, JOB) for _ in range(3)]) as wire,
        Client(KEYS, wire.url, simulated=True) as dispersed,
    ):
        for _ in range(3):
            dispersed.get_job("job-1")
    nonces = {request.headers["x-nonce"] for request in wire.requests}
    assert len(nonces) == 3
    assert all(len(nonce) == 32 and int(nonce, 16) >= 0 for nonce in nonces)


@pytest.mark.parametrize("uuid", ["", "..", "a/b", "a?x=1", "é", "a b"])
def test_an_identifier_that_cannot_stand_in_a_path_is_not_sent(uuid):
    with Wire() as wire, client(wire) as dispersed:
        for call in (
            dispersed.get_job,
            dispersed.get_job_run,
            dispersed.get_job_recipe,
            dispersed.balance,
            lambda value: dispersed.cancel_job(value, "x"),
            lambda value: dispersed.cook_job_recipe(value, {}, **ONCE),
        ):
            with pytest.raises(ValueError, match="not an identifier"):
                call(uuid)
    assert wire.requests == []


@pytest.mark.parametrize("asked", [{"page": 0}, {"limit": 0}, {"limit": 51}])
def test_pages_the_cloud_would_refuse_are_not_asked_for(asked):
    with Wire() as wire, client(wire) as dispersed, pytest.raises(ValueError):
        dispersed.list_jobs(**asked)
    assert wire.requests == []


def test_an_empty_filter_is_not_taken_for_none():
    with Wire() as wire, client(wire) as dispersed:
        for call in (
            lambda: dispersed.list_job_runs(""),
            lambda: dispersed.list_jobs(uuid=""),
            lambda: dispersed.list_offers(gpu_registry_uuid=""),
        ):
            with pytest.raises(ValueError, match="no value"):
                call()
    assert wire.requests == []


def test_a_reason_never_makes_a_stop_fail():
    with Wire([reply(200, JOB)]) as wire, client(wire) as dispersed:
        dispersed.cancel_job("job-1", "müde\n\x7f" + "x" * 500)
    reason = json.loads(wire.requests[0].body)["reason"]
    assert reason.startswith("m?de??x")
    assert len(reason) == 200


@pytest.mark.parametrize(
    "answer", [reply(204, body=b""), reply(202, body=b""), reply(200, {}), reply(200, body=b"OK")]
)
def test_a_cancel_may_be_accepted_without_showing_the_job(answer):
    with Wire([answer]) as wire, client(wire) as dispersed:
        assert dispersed.cancel_job("job-1", "x") is None


@pytest.mark.parametrize("answer", [reply(200, JOB), reply(201, JOB), reply(200, {"data": JOB})])
def test_a_create_is_accepted_with_200_and_201(answer):
    with Wire([answer]) as wire, client(wire) as dispersed:
        assert dispersed.create_job({}, **ONCE).uuid == "job-1"


def test_a_create_that_names_its_job_and_little_else_is_accepted():
    with Wire([reply(200, {"uuid": "job-1"})]) as wire, client(wire) as dispersed:
        job = dispersed.create_job({}, **ONCE)
    assert (job.uuid, job.status) == ("job-1", "")

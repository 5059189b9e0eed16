"""One sandbox for each test module, emptied before each test. Its clock stands: tests move it instead of waiting."""

import pytest

from dispersed_web.sandbox import DEMO_KEYS, Sandbox
from tests.still_clock import hold

from .plain_client import PlainClient, persistent

TO_RUNNING_S = 40
TO_ADDRESS_S = 6


@pytest.fixture(scope="module")
def running_sandbox(tmp_path_factory):
    with Sandbox(tmp_path_factory.mktemp("sandbox")) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(running_sandbox):
    running_sandbox.control.reset()
    running_sandbox.control.set_time_scale(1)
    hold(running_sandbox)
    return running_sandbox


@pytest.fixture
def control(sandbox):
    return sandbox.control


@pytest.fixture
def client(sandbox):
    client = PlainClient(sandbox.url, DEMO_KEYS[0])
    yield client
    client.close()


@pytest.fixture
def stranger(sandbox):
    client = PlainClient(sandbox.url, DEMO_KEYS[1])
    yield client
    client.close()


@pytest.fixture
def start(client, control):
    """Create a job and bring it to RUNNING with its address; gives its uuid."""

    def go(body=None):
        answer = client.post("/v1/jobs", body or persistent())
        assert answer.status == 201, answer.raw
        control.advance(TO_RUNNING_S)
        control.advance(TO_ADDRESS_S)
        return answer.json["uuid"]

    return go


@pytest.fixture
def runs_of(client):
    """The runs of a job, newest first, as the list shows them."""

    def read(uuid):
        return client.get("/v1/job-runs", **{"filter[job_uuid]": uuid}).json["data"]

    return read

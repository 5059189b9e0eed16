"""Which cloud the contract tests run against, and what they may do there.

Against the real service only when its keys are in the environment *and* this folder was named to pytest, so that a
run of the whole suite never reaches it by accident.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dispersed_web.dispersed import BATCH, PERSISTENT, Client, JobSpec, KeyPair
from dispersed_web.sandbox import DEMO_KEYS, Sandbox
from dispersed_web.sandbox.control import Control

from .clouds import SANDBOX, SERVICE, SERVICE_PLACE, Cloud, once

SPEND = "--spend-real-money"
SSH_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f somebody@laptop"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        SPEND,
        action="store_true",
        help="Against the real Dispersed: also launch two cheap jobs, and stop them.",
    )


def _is_named(config: pytest.Config) -> bool:
    """Whether this folder, or a file in it, was given on the command line."""
    folder = Path(__file__).parent.resolve()
    named = [Path(config.invocation_params.dir, arg.split("::")[0]).resolve() for arg in config.args]
    return any(folder in (path, *path.parents) for path in named)


def _may_spend(config: pytest.Config) -> bool:
    return bool(getattr(config.option, "spend_real_money", False))


def pytest_sessionstart(session: pytest.Session) -> None:
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if SERVICE_PLACE is None or reporter is None or not _is_named(session.config):
        return
    spends = _may_spend(session.config)
    reporter.section("THIS TALKS TO A REAL SERVICE", red=True, bold=True)
    reporter.write_line(f"{SERVICE_PLACE.url} with the key {SERVICE_PLACE.keys.public_key[:10]}…")
    reporter.write_line(
        f"{SPEND}: LAUNCHES ONE BATCH AND ONE PERSISTENT JOB, which cost money, and stops both."
        if spends
        else f"It only reads: jobs, runs, recipes, GPUs, offers, ledger, balance. {SPEND} would also launch.",
        red=spends,
        bold=spends,
    )


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    if SERVICE_PLACE is not None and not _is_named(config):
        terminalreporter.write_line(
            "The keys in DISPERSED_PUBLIC_KEY and DISPERSED_SECRET_KEY were NOT used: name tests/contract for that.",
            yellow=True,
        )


@pytest.fixture(scope="module")
def sandbox_of_module(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Any]:
    if SERVICE_PLACE is not None and _is_named(request.config):
        yield None
        return
    with Sandbox(tmp_path_factory.mktemp("contract")) as sandbox:
        yield sandbox


@pytest.fixture
def cloud(sandbox_of_module: Sandbox | None) -> Cloud:
    if sandbox_of_module is None:
        assert SERVICE_PLACE is not None
        return Cloud(SERVICE, SERVICE_PLACE.url, SERVICE_PLACE.keys, None)
    sandbox_of_module.control.reset()
    return Cloud(SANDBOX, sandbox_of_module.url, KeyPair(*DEMO_KEYS[0][:2]), sandbox_of_module.control)


@pytest.fixture
def control(cloud: Cloud) -> Control:
    if cloud.control is None:
        pytest.skip("needs the sandbox: it makes faults or looks behind the API")
    return cloud.control


@pytest.fixture
def may_spend(cloud: Cloud, request: pytest.FixtureRequest) -> None:
    if cloud.kind == SERVICE and not _may_spend(request.config):
        pytest.skip(f"costs money: {SPEND} allows it")


@pytest.fixture
def client(cloud: Cloud) -> Iterator[Client]:
    with cloud.client() as client:
        yield client


@pytest.fixture
def hasty(cloud: Cloud, control: Control) -> Iterator[Client]:
    """A client that tries again at once."""
    with cloud.client(backoff_s=(0.0, 0.0), sleep=lambda seconds: None) as client:
        yield client


@pytest.fixture
def stranger(cloud: Cloud, control: Control) -> Iterator[Client]:
    """A client with another account's key."""
    with cloud.client(keys=KeyPair(*DEMO_KEYS[1][:2])) as client:
        yield client


def batch(title: str = "Process Dataset", **fields: Any) -> dict[str, Any]:
    """The body of a BATCH job of the documentation's kind."""
    values: dict[str, Any] = {"image": "dispersednetwork/pytorch-benchmark", "tag": "latest", "gpu_count": 1}
    return JobSpec(task=BATCH, title=title, **values | {"max_timeout_run_ms": 900_000} | fields).to_body()


def persistent(title: str = "Development Environment", **fields: Any) -> dict[str, Any]:
    """The body of a PERSISTENT job with SSH."""
    values: dict[str, Any] = {"image": "dispersednetwork/base", "tag": "latest", "gpu_count": 1}
    values |= {"ssh_key": SSH_KEY, "ports": (22, 8000), "allowed_ips": ("203.0.113.7/32",)}
    return JobSpec(task=PERSISTENT, title=title, **values | fields).to_body()


@pytest.fixture
def life(cloud: Cloud) -> None:
    """An account with a past and a present: a job that ended, one that runs, one that waits. At the real service the
    account is taken as it is."""
    if cloud.control is None:
        return
    with cloud.client() as client:
        client.create_job(batch(), **once(client))
        cloud.control.advance(200)
        client.create_job(persistent(), **once(client))
        cloud.control.advance(60)
        cloud.control.add_fault("POST /v1/jobs", "stuck_pending", times=1)
        client.create_job(persistent("Waiting"), **once(client))

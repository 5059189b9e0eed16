"""Container logs: they grow, never change what they said, and hold what terminals must survive."""

import pytest

from dispersed_web.sandbox.logs import KEPT_LINES

from .plain_client import batch, persistent

IMAGES = {
    "dispersednetwork/base": "Server listening on 0.0.0.0 port 22.",
    "dispersednetwork/pytorch-pytorch": "loss",
    "dispersednetwork/comfyui": "Starting server",
    "dispersednetwork/llama.cpp_accesstoken": "server is listening on http://0.0.0.0:8080",
    "ollama/ollama": "Listening on [::]:11434",
    "ghcr.io/acme/vllm": "vLLM API server",
    "acme/something": "[entrypoint] ready",
}


@pytest.mark.parametrize("image", IMAGES)
def test_a_log_speaks_of_its_image_and_only_grows(client, control, start, runs_of, image):
    path = f"/v1/job-runs/{runs_of(start(persistent(docker={'image': image})))[0]['uuid']}"
    control.advance(120)
    early = client.get(path).json["logs"]
    control.advance(300)
    late = client.get(path).json["logs"]
    assert IMAGES[image] in early
    assert late.startswith(early)
    assert len(late) > len(early)


def test_a_training_log_has_colours_a_progress_bar_and_utf8(client, control, start, runs_of):
    path = f"/v1/job-runs/{runs_of(start(persistent(docker={'image': 'dispersednetwork/pytorch-pytorch'})))[0]['uuid']}"
    control.advance(300)
    logs = client.get(path).json["logs"]
    assert "\x1b[32m" in logs
    assert "\r" in logs
    assert "✓" in logs


def test_a_long_log_keeps_its_last_lines(client, control, start, runs_of):
    path = f"/v1/job-runs/{runs_of(start(persistent(docker={'image': 'dispersednetwork/pytorch-pytorch'})))[0]['uuid']}"
    control.advance(86_400)
    assert client.get(path).json["logs"].count("\n") == KEPT_LINES


def test_no_log_before_the_container_starts_and_last_words_at_its_end(client, control, runs_of):
    uuid = client.post(
        "/v1/jobs", batch(docker={"env": {"SANDBOX_RUN_S": "30", "SANDBOX_EXIT_CODE": "2"}})
    ).json["uuid"]
    control.advance(10)
    path = f"/v1/job-runs/{runs_of(uuid)[0]['uuid']}"
    assert client.get(path).json["logs"] == ""
    control.advance(120)
    assert client.get(path).json["logs"].endswith("RuntimeError: the workload failed\n")

"""What containers print: one script for each family of images, and lines for each behaviour.

The lines follow what these programs print, now and then with colours, a progress bar that redraws itself with
carriage returns, and UTF-8.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

PROBE_EVERY_S = 5.0
GREEN, YELLOW, CYAN, OFF = "\x1b[32m", "\x1b[33m", "\x1b[36m", "\x1b[0m"


@dataclass(frozen=True)
class Scene:
    """What a log script may mention."""

    gpu: str
    vram_gb: int
    started_ms: int
    has_sshd: bool

    def clock(self, seconds: float, pattern: str) -> str:
        """The wall time in the container after so many seconds."""
        return datetime.fromtimestamp(self.started_ms / 1000 + seconds, tz=UTC).strftime(pattern)


@dataclass(frozen=True)
class Script:
    """First some fixed lines, then line number i every `period_s` seconds."""

    boot: Callable[[Scene], list[str]]
    period_s: float
    line: Callable[[int, random.Random, Scene], str]


def sshd_boot() -> list[str]:
    """What an SSH server says as it starts, which images with one say before all else."""
    return [
        "ssh-keygen: generating new host keys: RSA ECDSA ED25519",
        "Server listening on 0.0.0.0 port 22.",
        "Server listening on :: port 22.",
    ]


def sshd_alone(scene: Scene) -> list[str]:
    """The boot of a container that is an SSH server and nothing more."""
    return [] if scene.has_sshd else sshd_boot()


def _base_line(i: int, draw: random.Random, scene: Scene) -> str:
    port = draw.randint(32_768, 60_999)
    return draw.choice(
        (
            f"Accepted publickey for duser from 203.0.113.7 port {port} ssh2: ED25519 SHA256:{draw.randbytes(9).hex()}",
            f"Connection closed by invalid user admin 198.51.100.{draw.randint(2, 250)} port {port} [preauth]",
            f"Received disconnect from 203.0.113.7 port {port}:11: disconnected by user",
            f"pam_unix(sshd:session): session {draw.choice(('opened', 'closed'))} for user duser(uid=1000)",
        )
    )


def _pytorch_boot(scene: Scene) -> list[str]:
    return [
        "==========",
        "== CUDA ==",
        "==========",
        "CUDA Version 12.8.1",
        f"torch 2.7.1+cu128 | device: NVIDIA {scene.gpu} ({scene.vram_gb} GB) | bf16: True",
        "Model: 124.4M parameters · 12 layers · context 1024",
    ]


def _pytorch_line(i: int, draw: random.Random, scene: Scene) -> str:
    loss = 2.85 + 8 * 0.985**i + draw.uniform(-0.04, 0.04)
    if i % 50 == 49:
        return f"{GREEN}✓ checkpoint saved{OFF} → out/step_{(i + 1) * 10}.pt (val loss {loss:.4f})"
    if i % 50 == 48:
        bars = (f"evaluating {'█' * n}{'░' * (20 - n)} {n * 5:3d}%" for n in range(0, 21, 4))
        return "\r".join(bars)
    return (
        f"step {i * 10:6d} | loss {loss:.4f} | lr {3e-4 * min(1, (i + 1) / 20):.2e} | "
        f"{draw.uniform(180, 212):.1f}k tok/s | mem {0.6 * scene.vram_gb:.1f} GB"
    )


def _comfyui_boot(scene: Scene) -> list[str]:
    return [
        f"Total VRAM {scene.vram_gb * 1024 - 217} MB, total RAM 96512 MB",
        "pytorch version: 2.7.1+cu128",
        f"Device: cuda:0 NVIDIA {scene.gpu} : cudaMallocAsync",
        "Using pytorch attention",
        "[Prompt Server] web root: /opt/dispersedworker/ComfyUI/web",
        "Starting server",
        "",
        "To see the GUI go to: http://0.0.0.0:8188",
    ]


def _comfyui_line(i: int, draw: random.Random, scene: Scene) -> str:
    kind = i % 4
    if kind == 0:
        return "got prompt"
    if kind == 1:
        return f"loaded completely {draw.uniform(9000, 22000):.1f} 4897.05 True"
    if kind == 2:
        rate = draw.uniform(3, 9)
        marks = (0, 5, 10, 15, 20)
        return "\r".join(
            f"{n * 5:3d}%|{'█' * (n // 2):<10}| {n}/20 [{n / rate:05.2f}s, {rate:.2f}it/s]" for n in marks
        )
    return f"Prompt executed in {draw.uniform(3, 14):.2f} seconds"


def _llamacpp_boot(scene: Scene) -> list[str]:
    return [
        "ggml_cuda_init: found 1 CUDA devices:",
        f"  Device 0: NVIDIA {scene.gpu}, compute capability 12.0, VMM: yes",
        "main: setting n_parallel = 4",
        "srv    load_models: router mode, models directory /opt/dispersedworker/models/",
        "main: server is listening on http://0.0.0.0:8080",
        "srv  update_slots: all slots are idle",
    ]


def _llamacpp_line(i: int, draw: random.Random, scene: Scene) -> str:
    slot, task = draw.randint(0, 3), i // 3 * 17
    if i % 3 == 0:
        return f"slot launch_slot_: id  {slot} | task {task} | processing task"
    if i % 3 == 1:
        tokens, rate = draw.randint(80, 900), draw.uniform(60, 160)
        time_ms = tokens / rate * 1000
        return f"       eval time = {time_ms:10.2f} ms / {tokens:5d} tokens ({rate:8.2f} tokens per second)"
    return "srv  log_server_r: request: POST /v1/chat/completions 203.0.113.7 200"


def _ollama_boot(scene: Scene) -> list[str]:
    stamp = scene.clock(0, "%Y-%m-%dT%H:%M:%S.000Z")
    return [
        f'time={stamp} level=INFO source=routes.go:1297 msg="Listening on [::]:11434 (version 0.11.4)"',
        f'time={stamp} level=INFO source=types.go:130 msg="inference compute" library=cuda '
        f'name="NVIDIA {scene.gpu}" total="{scene.vram_gb}.0 GiB"',
    ]


def _ollama_line(i: int, draw: random.Random, scene: Scene) -> str:
    stamp = scene.clock((i + 1) * 11.0, "%Y/%m/%d - %H:%M:%S")
    path = draw.choice(("/api/chat", "/api/generate", "/api/tags"))
    took = f"{draw.uniform(0.2, 9):>11.6f}s"
    return f'[GIN] {stamp} |{GREEN} 200 {OFF}| {took} | 203.0.113.7 |{CYAN} POST {OFF} "{path}"'


def _vllm_boot(scene: Scene) -> list[str]:
    stamp = scene.clock(0, "%m-%d %H:%M:%S")
    return [
        f"INFO {stamp} [api_server.py:1289] vLLM API server version 0.9.2",
        f"INFO {stamp} [gpu_worker.py:232] Available KV cache memory: {scene.vram_gb * 0.4:.2f} GiB",
        f"INFO {stamp} [launcher.py:29] Available routes are:",
        "INFO:     Application startup complete.",
    ]


def _vllm_line(i: int, draw: random.Random, scene: Scene) -> str:
    stamp = scene.clock((i + 1) * 10.0, "%m-%d %H:%M:%S")
    return (
        f"INFO {stamp} [loggers.py:118] Engine 000: "
        f"Avg prompt throughput: {draw.uniform(0, 2500):.1f} tokens/s, "
        f"Avg generation throughput: {draw.uniform(0, 900):.1f} tokens/s, "
        f"Running: {draw.randint(0, 8)} reqs, Waiting: 0 reqs"
    )


def _benchmark_boot(scene: Scene) -> list[str]:
    return [f"GPU: NVIDIA {scene.gpu} | {scene.vram_gb} GB | driver 570.133", f"{YELLOW}warming up …{OFF}"]


def _benchmark_line(i: int, draw: random.Random, scene: Scene) -> str:
    size = 1024 * 2 ** (i % 5)
    if i % 9 == 6:
        return "\r".join(f"memory copy {n:3d}%" for n in (0, 20, 40, 60, 80, 100))
    if i % 9 == 7:
        return f"memory bandwidth: {draw.uniform(880, 1650):.0f} GB/s (σ = {draw.uniform(1, 9):.1f})"
    if i % 9 == 8:
        return f"MLP forward pass, batch 4096: {draw.uniform(0.9, 2.4):.3f} ms"
    return f"FP16 matmul {size:5d}×{size:<5d}: {draw.uniform(90, 215):6.1f} TFLOPS"


def _generic_boot(scene: Scene) -> list[str]:
    return ["[entrypoint] starting", f"[entrypoint] 1 GPU visible: NVIDIA {scene.gpu}", "[entrypoint] ready"]


def _generic_line(i: int, draw: random.Random, scene: Scene) -> str:
    return f"[worker] item {i + 1} processed in {draw.uniform(0.4, 4.2):.2f} s"


def _probe_line(i: int, draw: random.Random, scene: Scene) -> str:
    stamp = scene.clock((i + 1) * PROBE_EVERY_S, "%d/%b/%Y:%H:%M:%S +0000")
    return f'10.42.0.1 - - [{stamp}] "GET /healthz HTTP/1.1" 200 2 "-" "kube-probe/1.31"'


def _cron_line(i: int, draw: random.Random, scene: Scene) -> str:
    return f"CRON[{draw.randint(300, 32_000)}]: (root) CMD (/usr/local/bin/rotate-logs)"


SCRIPTS = {
    "base": Script(lambda scene: ["Ready."], 97.0, _base_line),
    "pytorch": Script(_pytorch_boot, 2.0, _pytorch_line),
    "comfyui": Script(_comfyui_boot, 7.0, _comfyui_line),
    "llamacpp": Script(_llamacpp_boot, 5.0, _llamacpp_line),
    "ollama": Script(_ollama_boot, 11.0, _ollama_line),
    "vllm": Script(_vllm_boot, 10.0, _vllm_line),
    "benchmark": Script(_benchmark_boot, 3.0, _benchmark_line),
    "generic": Script(_generic_boot, 5.0, _generic_line),
}
BEHAVIOUR_LINES = {
    "silent": (math.inf, _generic_line),
    "probes": (PROBE_EVERY_S, _probe_line),
    "sshd": (97.0, _base_line),
    "hourly": (3600.0, _cron_line),
    "steady": (5.0, _generic_line),
}

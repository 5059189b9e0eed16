"""The two jobs of the vendor's documentation as ready fillings of the launch form: what a user would type, no more."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Example:
    """``values`` are for the form's fields (durations in seconds); what is not named keeps the form's default."""

    name: str
    about: str
    values: dict[str, Any] = field(default_factory=dict)


EXAMPLES = {
    "process-dataset": Example(
        "Process Dataset",
        "A batch job on PyTorch that ends by itself, after an hour at the latest.",
        {
            "task": "BATCH",
            "title": "Process Dataset",
            "image": "dispersednetwork/pytorch-pytorch",
            "tag": "2.7.1-cuda12.8-cudnn9-runtime",
            "max_timeout_run": 3600,
            "ssh_key": "",
        },
    ),
    "development-environment": Example(
        "Development Environment",
        "A machine to work on over SSH until you stop it.",
        {
            "task": "PERSISTENT",
            "title": "Development Environment",
            "image": "dispersednetwork/base",
            "tag": "latest",
            "ports": (22,),
        },
    ),
}

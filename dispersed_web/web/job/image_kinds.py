"""What is known of images before anybody connects: the user for SSH, what answers on which port, how to sign in. Pure.

The facts are the vendor's own of its images; an image that is not known has the vendor's user and plain port numbers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

USER, UNSLOTH_USER = "duser", "unsloth"
PASSWORD_ENV = "BASIC_AUTH"  # noqa: S105 - the name of a variable
PORT_NAMES = {
    5000: "Web page with sign-in",
    6006: "TensorBoard",
    7860: "Gradio",
    8000: "API",
    8080: "llama.cpp",
    8188: "ComfyUI",
    8888: "Jupyter",
    11434: "Ollama",
}


@dataclass(frozen=True, slots=True)
class Kind:
    """``inner`` are ports on which the image answers, whether or not they were published; ``tip`` is one sentence."""

    user: str = USER
    inner: Mapping[int, str] = field(default_factory=dict)
    tip: str = ""
    is_vendors: bool = False


_PLAIN = Kind()
# The first word found in the image's name decides.
_BY_WORD = (
    (
        "comfyui",
        Kind(
            inner={8188: "ComfyUI"},
            tip="ComfyUI itself listens on 8188. Port 5000 leads to it and asks for the name and password of BASIC_AUTH.",
        ),
    ),
    (
        "llama.cpp",
        Kind(
            inner={8080: "llama.cpp"},
            tip="Each request names a model from /v1/models. Port 5000 leads to the same server and asks for a sign-in.",
        ),
    ),
    ("unsloth", Kind(UNSLOTH_USER, {8888: "Jupyter"}, "Notebooks are served by Jupyter on 8888.")),
    (
        "ollama",
        Kind(
            inner={11434: "Ollama"},
            tip="Ollama answers from outside only where OLLAMA_HOST is 0.0.0.0; else forward its port.",
        ),
    ),
    (
        "acestep",
        Kind(inner={7860: "ACE-Step"}, tip="The page signs in with ACESTEPUSER and ACESTEPPASSWORD."),
    ),
    (
        "ace-step",
        Kind(inner={7860: "ACE-Step"}, tip="The page signs in with ACESTEPUSER and ACESTEPPASSWORD."),
    ),
    (
        "pytorch",
        Kind(tip="Python is /opt/conda/bin/python3. What is not copied elsewhere is lost when the job ends."),
    ),
    (
        "base",
        Kind(
            tip="Files live in /opt/dispersedworker. What is not copied elsewhere is lost when the job ends."
        ),
    ),
)
_VENDORS = ("dispersednetwork/", "otoy/")


def kind_of(image: str) -> Kind:
    """The kind of an image by its name, such as ``dispersednetwork/comfyui``."""
    name = image.lower()
    last = name.rsplit("/", 1)[-1]
    found = next((kind for word, kind in _BY_WORD if word in last), _PLAIN)
    is_vendors = name.startswith(_VENDORS)
    if found.user == USER and found.tip.startswith(("Python is", "Files live")) and not is_vendors:
        found = _PLAIN  # somebody else's image of that name has other folders
    return Kind(found.user, found.inner, found.tip, is_vendors)


def port_name(port: int | None, kind: Kind) -> str:
    """What usually answers on a port of the container; empty where nothing usual does."""
    return "" if port is None else kind.inner.get(port) or PORT_NAMES.get(port, "")

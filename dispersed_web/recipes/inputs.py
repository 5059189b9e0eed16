"""Reading what a launcher answers to an input. Pure."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import replace
from decimal import Decimal, InvalidOperation
from typing import Any

import regex
from django.views.decorators.debug import sensitive_variables

from dispersed_web import durations
from dispersed_web.accounts.ssh_keys import BadSshKey, parse_public_key
from dispersed_web.dispersed import REGION_CODES, JobSpec, problems_of
from dispersed_web.recipes.document import ENV_NAME, Input
from dispersed_web.recipes.references import Reference, is_reference, reference_in

LONGEST = {"text": 1000, "lines": 20_000, "secret": 4000}
PATTERN_TIME_S = 0.05
MOST_ENTRIES = 50
MOST_ROWS = 100
LONGEST_NAME = 200  # of a variable
ANY_GPU = "any"
PRIVATE_KEY = "PRIVATE KEY-----"


class BadAnswer(ValueError):
    """The answer cannot be used; ``str(error)`` says why and never repeats a secret."""


@sensitive_variables()
def read(one: Input, answer: Any) -> Any:
    """The answer as a value of the input's type, ``None`` for an empty one. Raises :class:`BadAnswer`.

    A secret may be a :class:`Reference` to one of the team, whose value is not looked at here: what an author asks of
    the form of a value would tell something of it.

    Texts, choices, secrets, SSH keys and GPUs are ``str``; numbers ``int`` or ``Decimal``; switches ``bool``; durations
    whole seconds; ports ``tuple[int]``; regions and addresses ``tuple[str]``; rows of the environment
    ``dict[str, str]``. A form's text is read as well as a program's number or list.
    """
    if one.type == "switch":
        return _switch(answer)
    if answer is None or answer == "" or answer == [] or answer == {}:
        if one.required:
            raise BadAnswer("This is needed.")
        return None
    if one.type == "secret" and (isinstance(answer, Reference) or is_reference(answer)):
        found = reference_in(answer)
        if found is None:
            raise BadAnswer("Name a secret of the team.")
        return found
    return READERS[one.type](one, answer)


def with_plain_default(one: Input) -> Input:
    """The input with its default in the one form in which it is stored, however it was written: a duration as people
    write it, a switch as on or off. Its default must be readable."""
    if one.type == "switch":
        return replace(one, default=read(one, one.default))
    if one.type == "duration" and one.default is not None:
        value = read(one, one.default)
        return replace(one, default=None if value is None else durations.write(value))
    return one


def _switch(answer: Any) -> bool:
    if isinstance(answer, bool):
        return answer
    if answer in (None, "", "false", "off", "no", "0"):
        return False
    if answer in ("true", "on", "yes", "1"):
        return True
    raise BadAnswer("Answer yes or no.")


@sensitive_variables()
def _text(one: Input, answer: Any) -> str:
    text = _str(answer)
    if any(char == "\0" or "\ud800" <= char <= "\udfff" for char in text):
        raise BadAnswer("It has a character that cannot be sent.")
    if one.type != "secret":
        text = text.replace("\r\n", "\n").strip()
    most = min(one.max_length or LONGEST[one.type], LONGEST[one.type])
    if len(text) > most:
        raise BadAnswer(f"At most {most} characters.")
    if one.type != "lines" and any(char in text for char in "\n\r"):
        raise BadAnswer("Write it on one line.")
    if PRIVATE_KEY in text and one.type != "secret":
        raise BadAnswer("This looks like a private key. Nothing was kept of it.")
    if one.pattern and not matches(one.pattern, text):
        raise BadAnswer(one.pattern_hint or "This does not have the form that the recipe asks for.")
    if not text and one.required:
        raise BadAnswer("This is needed.")
    return text


@sensitive_variables()
def matches(pattern: str, text: str) -> bool:
    """Whether the whole text has the pattern; ``False`` too when that takes too long to tell."""
    try:
        return regex.fullmatch(pattern, text, timeout=PATTERN_TIME_S) is not None
    except (TimeoutError, regex.error):
        return False


def _number(one: Input, answer: Any) -> int | Decimal:
    if isinstance(answer, bool) or not isinstance(answer, (int, float, str, Decimal)):
        raise BadAnswer("Write a number.")
    try:
        number = Decimal(str(answer).strip().replace(",", "."))
    except (InvalidOperation, ValueError):
        raise BadAnswer("Write a number.") from None
    if not number.is_finite() or abs(number) > 10**15:
        raise BadAnswer("Write a number.")
    low, high = one.minimum, one.maximum
    unit = f" {one.unit}" if one.unit else ""
    if low is not None and high is not None and not _decimal(low) <= number <= _decimal(high):
        raise BadAnswer(f"Between {low:g} and {high:g}{unit}.")
    if low is not None and number < _decimal(low):
        raise BadAnswer(f"At least {low:g}{unit}.")
    if high is not None and number > _decimal(high):
        raise BadAnswer(f"At most {high:g}{unit}.")
    whole = number == number.to_integral_value()
    if not whole and not (one.env_name or one.to.endswith("_usd")):
        raise BadAnswer("Write a whole number.")
    return int(number) if whole else number


def _decimal(number: int | float) -> Decimal:
    return Decimal(str(number))


def _choice(one: Input, answer: Any) -> str:
    text = str(answer) if isinstance(answer, int) and not isinstance(answer, bool) else _str(answer)
    if text not in {choice["value"] for choice in one.choices}:
        raise BadAnswer("Choose one of the list.")
    return text


def _gpu(one: Input, answer: Any) -> str:
    text = _str(answer).strip()
    if len(text) > 80 or not text.isascii() or not text.isprintable():
        raise BadAnswer("Choose a GPU, or write its name.")
    try:
        return str(uuid.UUID(text))
    except ValueError:
        return text


def _regions(one: Input, answer: Any) -> tuple[str, ...]:
    codes = _entries(one, answer)
    for code in codes:
        if code not in REGION_CODES:
            raise BadAnswer("Choose regions of the list.")
    return codes


def _ssh_key(one: Input, answer: Any) -> str:
    try:
        return parse_public_key(_str(answer)).line
    except BadSshKey as error:
        raise BadAnswer(str(error)) from None


def _duration(one: Input, answer: Any) -> int:
    if isinstance(answer, int) and not isinstance(answer, bool):
        seconds = answer
    else:
        try:
            seconds = durations.parse(_str(answer))
        except durations.BadDuration as error:
            raise BadAnswer(str(error)) from None
    if seconds > durations.LONGEST_S:
        raise BadAnswer("That is more than ten years. Write a shorter duration.")
    low, high = one.minimum, one.maximum
    if seconds < (low or 0) or (high is not None and seconds > high):
        least = f"at least {durations.write(int(low))}" if low else ""
        most = f"at most {durations.write(int(high))}" if high is not None else ""
        raise BadAnswer(" and ".join(filter(None, (least, most))).capitalize() + ".")
    return seconds


def _ports(one: Input, answer: Any) -> tuple[int, ...]:
    found = []
    for word in _entries(one, answer):
        if not (word.isascii() and word.isdigit() and len(word) <= 5 and 1 <= int(word) <= 65535):
            raise BadAnswer("Ports are numbers between 1 and 65535, such as 22, 8888.")
        found.append(int(word))
    return tuple(dict.fromkeys(found))


def _addresses(one: Input, answer: Any) -> tuple[str, ...]:
    addresses = _entries(one, answer)
    spec = JobSpec(task="PERSISTENT", title="x", image="x", allowed_ips=addresses)
    if problem := problems_of(spec).get("allowed_ips"):
        raise BadAnswer(problem)
    return addresses


@sensitive_variables()
def _env(one: Input, answer: Any) -> dict[str, str]:
    if not isinstance(answer, Mapping) or len(answer) > MOST_ROWS:
        raise BadAnswer(f"Give variables as names and texts, at most {MOST_ROWS}.")
    for name, value in answer.items():
        if not isinstance(name, str) or not ENV_NAME.fullmatch(name):
            raise BadAnswer("A variable's name has letters, digits and _ only.")
        if not isinstance(value, str):
            raise BadAnswer(f"The value of {name} must be a text.")
        if len(name) > LONGEST_NAME or len(value) > LONGEST["lines"]:
            raise BadAnswer(f"{name[:40]} is too long: at most {LONGEST['lines']} characters.")
        if PRIVATE_KEY in value:
            raise BadAnswer(f"{name} looks like a private key. Nothing was kept of it.")
    return dict(answer)


def _entries(one: Input, answer: Any) -> tuple[str, ...]:
    """A list, or texts apart by commas, spaces or lines, without repeats."""
    if isinstance(answer, str):
        answer = answer.replace(",", " ").replace(";", " ").split()
    if not isinstance(answer, (list, tuple)):
        raise BadAnswer("Give a list.")
    if any(isinstance(entry, bool) or not isinstance(entry, (str, int)) for entry in answer):
        raise BadAnswer("Give a list of texts.")
    found = tuple(dict.fromkeys(str(entry).strip() for entry in answer if entry not in ("", None)))
    if one.required and not found:
        raise BadAnswer("This is needed.")
    if len(found) > MOST_ENTRIES:
        raise BadAnswer(f"At most {MOST_ENTRIES} entries.")
    return found


def _str(answer: Any) -> str:
    if not isinstance(answer, str):
        raise BadAnswer("Write a text.")
    return answer


READERS: dict[str, Callable[[Input, Any], Any]] = {
    "text": _text,
    "lines": _text,
    "secret": _text,
    "number": _number,
    "choice": _choice,
    "gpu": _gpu,
    "region": _regions,
    "ssh_key": _ssh_key,
    "duration": _duration,
    "ports": _ports,
    "addresses": _addresses,
    "env": _env,
}

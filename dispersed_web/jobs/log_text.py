"""What a container wrote, made harmless: control sequences gone, known secrets masked. Pure.

The bytes come from other people's machines. Of all escape sequences only those that colour text may stay, written in one
way; what they mean is told to the page by fixed classes, see ``web/ansi.py``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from django.views.decorators.debug import sensitive_variables

from dispersed_web.credentials.known_values import forms
from dispersed_web.credentials.masking import MASK, mask_shapes

LINE_CHARS = 4000

# CSI; then OSC, DCS, SOS, PM and APC with what they carry, up to their end or the end of the line; then all other escapes.
_SEQUENCES = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]?"
    r"|(?:\x1b[\]PX^_]|[\x9d\x90\x98\x9e\x9f])[^\x07\x1b\x9c\n]*(?:\x07|\x1b\\|\x9c)?"
    r"|\x1b[ -/]*[0-~]?"
)
_IS_COLOUR = re.compile(r"(?:\x1b\[|\x9b)([0-9;:]{0,32})m")
COLOUR = re.compile(r"\x1b\[[0-9;:]*m")
# Everything but newline, tab, carriage return and, in the second, the escape that begins a colour.
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_OTHER_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1a\x1c-\x1f\x7f-\x9f]")
_ASCII_CONTROLS = bytes({*range(0x20), 0x7F} - {*b"\t\n\r"})
_OTHER_ASCII_CONTROLS = _ASCII_CONTROLS.replace(b"\x1b", b"")
# What turns or hides the text around it, line separators included.
_INVISIBLE = re.compile("[\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff]")
_SURROGATES = re.compile("[\ud800-\udfff]")


def clean(raw: str) -> str:
    """``raw`` as plain lines: no escape sequence, no control character but newline and tab; of a line that was written
    over with carriage returns, as progress bars do, what was seen last; what is invisible is shown by its code."""
    return _clean(raw, lambda match: "", _CONTROLS, _ASCII_CONTROLS)


def clean_keeping_colours(raw: str) -> str:
    """As :func:`clean`, but colour sequences stay, each as ``ESC [ numbers m``. Without them it is what ``clean`` gives."""
    return _clean(raw, _colour, _OTHER_CONTROLS, _OTHER_ASCII_CONTROLS)


def plain(text: str) -> str:
    """``text``, which was cleaned, without its colours."""
    return COLOUR.sub("", text) if "\x1b" in text else text


def _colour(match: re.Match[str]) -> str:
    found = _IS_COLOUR.fullmatch(match[0])
    return f"\x1b[{found[1]}m" if found else ""


def _clean(
    raw: str, replace: Callable[[re.Match[str]], str], controls: re.Pattern[str], unwanted: bytes
) -> str:
    """``unwanted`` is what ``controls`` matches of ASCII, for texts of ASCII alone: most are, and that is much faster."""
    text = raw.replace("\r\n", "\n")
    is_ascii = text.isascii()
    if "\x1b" in text or not is_ascii:
        text = _SEQUENCES.sub(replace, text)
    text = text.encode().translate(None, unwanted).decode() if is_ascii else controls.sub("", text)
    if "\r" in text:
        text = "\n".join(_last_written(line) if "\r" in line else line for line in text.split("\n"))
    if not is_ascii:
        text = _INVISIBLE.sub(lambda match: f"\\u{ord(match[0]):04x}", text)
        text = _SURROGATES.sub("\ufffd", text)
    return text


def _last_written(line: str) -> str:
    return next((part for part in reversed(line.split("\r")) if plain(part)), "")


def cut_lines(text: str) -> str:
    """``text`` with very long lines cut; a line that is long because of its colours loses them."""
    if len(text) <= LINE_CHARS:
        return text
    return "\n".join(line if len(line) <= LINE_CHARS else _cut(plain(line)) for line in text.split("\n"))


def _cut(line: str) -> str:
    return line if len(line) <= LINE_CHARS else f"{line[:LINE_CHARS]} …"


@sensitive_variables()
def mask(text: str, secrets: Iterable[str]) -> str:
    """``text`` without the given secrets and without what looks like a key. Secrets shorter than 8 characters stay:
    hiding them would hide ordinary words. Best effort: a secret that was transformed otherwise is not known here."""
    written = {form for secret in secrets for form in forms(secret) | forms(clean(secret))}
    for form in sorted(written, key=len, reverse=True):
        text = text.replace(form, MASK)
    return mask_shapes(text)


@sensitive_variables()
def presentable(raw: str, secrets: Iterable[str]) -> str:
    """What may be shown of ``raw``, without colours. Masked over the whole text, before and after cleaning: a secret may
    hold what cleaning removes, and what cleaning removes may split a secret."""
    known = list(secrets)
    return cut_lines(mask(clean(mask(raw, known)), known))


@sensitive_variables()
def presentable_in_colour(raw: str, secrets: Iterable[str]) -> str:
    """As :func:`presentable`, with colours. A line loses them where they split a secret."""
    known = list(secrets)
    text = clean_keeping_colours(mask(raw, known))
    if "\x1b" not in text:
        return cut_lines(mask(text, known))
    seen = plain(text)
    masked = mask(seen, known)
    if masked != seen:
        text = _masked_lines(text, seen, masked)
    return cut_lines(text)


def _masked_lines(text: str, seen: str, masked: str) -> str:
    """The coloured lines of ``text`` where masking its plain form ``seen`` changed nothing, else the masked ones."""
    lines = list(zip(text.split("\n"), seen.split("\n"), strict=True))
    changed = masked.split("\n")
    if len(changed) != len(lines):  # a secret of several lines was found across colours
        return masked
    return "\n".join(
        one if before == after else after for (one, before), after in zip(lines, changed, strict=True)
    )

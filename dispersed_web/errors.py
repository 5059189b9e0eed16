"""The one family of expected failures: an act that was not done, and why. Standard library only."""

from __future__ import annotations


class DomainError(Exception):
    """An act that was not done; nothing was changed.

    ``code`` is one word for programs, ``sentence`` says to people what to do, ``field`` names the input at fault, empty
    when it is none of them. The API answers each with its code (``api/errors.py``); pages show the sentence.
    """

    def __init__(self, code: str, sentence: str, field: str = "") -> None:
        super().__init__(sentence)
        self.code = code
        self.sentence = sentence
        self.field = field

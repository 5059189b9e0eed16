"""Which variables hold secrets, told by their names; and how the team's secrets are named. Pure."""

from __future__ import annotations

import re

from dispersed_web.dispersed.payload import SECRET_NAME

LONGEST_NAME = 60
_NAME = re.compile(rf"[A-Za-z0-9][A-Za-z0-9_-]{{0,{LONGEST_NAME - 1}}}")
_UUID = re.compile(r"[0-9a-fA-F]{8}(-?[0-9a-fA-F]{4}){3}-?[0-9a-fA-F]{12}")


def looks_secret(env_name: str) -> bool:
    """Whether a variable of this name is treated as a secret unless its author says otherwise."""
    return bool(SECRET_NAME.search(env_name))


def name_problem(name: str) -> str:
    """Why a secret of the team cannot have this name; empty if it can. A name never has the form of an id, so whatever
    names a secret may give either."""
    if not _NAME.fullmatch(name):
        return f"A secret's name has letters, digits, - and _ only, begins with a letter or digit, at most {LONGEST_NAME}."
    if _UUID.fullmatch(name):
        return "This has the form of an id. Choose a name that people can read."
    return ""

"""Every code that a call may be refused with is told in the OpenAPI document: programs are to look at it."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent / "dispersed_web"
REFUSALS = re.compile(r"(\w*Refused|Refusal|JobError|TooLate|AuthenticationFailed)$")
CODE = re.compile(r"[a-z]+(_[a-z]+)*$")
# What no call of the API does: acts of pages, of the command line, of machines and of whoever runs the installation.
NOT_OVER_THE_API = {
    "accounts/key_keeping.py",
    "credentials/keeping.py",
    "credentials/rules.py",
    "credentials/succession.py",
    "jobs/closing.py",
    "jobs/credential_jobs.py",
    "jobs/outside.py",
    "jobs/reach.py",
    "jobs/tokens.py",
    "signals/address.py",
    "teams/about.py",
    "teams/deletion.py",
    "teams/factor_rule.py",
    "teams/first_run.py",
    "teams/ssh_keys.py",
}
# Of modules that the API uses: what it cannot come to, with the reason.
OF_PAGES = {
    "last_owner",  # no token touches an owner
    "wrong_address",  # invitations are accepted in the browser
    "void",
    "deleted",  # its tokens ended with the team
    "no_version",  # only the current version of a recipe can be launched or changed
}


def codes_of(path: Path) -> Iterator[str]:
    """The words for programs in what a module refuses with: the first texts of such a call that look like one."""
    for node in ast.walk(ast.parse(path.read_text())):
        if not isinstance(node, ast.Call) or not REFUSALS.search(ast.unparse(node.func)):
            continue
        given = [*node.args[:2], *(word.value for word in node.keywords if word.arg == "code")]
        texts = [one.value for one in given if isinstance(one, ast.Constant) and isinstance(one.value, str)]
        yield from (text for text in texts[:1] if CODE.match(text))


def test_every_code_is_told(document):
    told = set(re.findall(r"`([a-z_]+)`", json.dumps(document)))
    parts = sorted(path.relative_to(ROOT) for path in ROOT.rglob("*.py"))
    parts = [part for part in parts if part.parts[0] not in ("web", "sandbox", "dispersed")]
    used = {
        code: str(part)
        for part in parts
        if str(part) not in NOT_OVER_THE_API
        for code in codes_of(ROOT / part)
    }
    assert len(used) > 50
    missing = {code: where for code, where in used.items() if code not in told | OF_PAGES}
    assert not missing, "tell what it means in dispersed_web/api/documents/"


def test_no_exception_outlives_its_reason():
    assert all((ROOT / name).exists() for name in NOT_OVER_THE_API)

"""What must not stand in the source, or only where a reason is given. Rules of our own, beside the linter's."""

from __future__ import annotations

import ast
import functools
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "dispersed_web"
DOORS = ("web/", "api/")

# Where text is declared to be safe HTML: each has a reason, and tests of its own that try to break out.
SAFE_HTML = {
    "web/templatetags/jobs.py": "escapes each word, the rest are numbers",
    "web/templatetags/launch.py": "joins two rendered templates",
    "web/jobs/cells.py": "fills rendered templates with escaped words",
    "web/jobs/kept_rows.py": "joins rows that cells.py made",
    "web/job/log_lines.py": "joins numbers and what is escaped",
    "web/job/ansi.py": "escapes each piece of a line",
    "web/markdown.py": "the renderer escapes, and its HTML is switched off",
}
MARKUP_IN_SCRIPTS = {
    "app.js": "a template element of the page itself",
    "log.js": "lines as the server escaped them",
}
# django-allauth asks identity providers with this library; its exceptions are caught by name.
REQUESTS = {"web/people/account_views.py", "web/people/social_adapter.py"}
# The one place that hands tasks to workers: it takes ids only, and never fails a request.
TASK_CALLS = {"tasks.py"}
PROCESSES = ("supervisor/", "sandbox/")
# The wall clock, below the doors: `now` is an argument there.
CLOCKS = {
    "clock.py": "the clock itself",
    "jobs/logs.py": "ages of what Redis keeps, which no decision rests on",
    "jobs/sending.py": "a moment that stands still while the machine sleeps",
    "teams/models/autostop_policy.py": "the default of a column",
    "credentials/use_log.py": "counts uses when nobody gives the moment",
    "notifications/outbound.py": "a date that another server named",
}

Finding = tuple[int, str]


def named(node: ast.AST) -> str:
    """``a.b.c`` of a call or an attribute."""
    if isinstance(node, ast.Call):
        return named(node.func)
    if isinstance(node, ast.Attribute):
        return f"{named(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


@functools.lru_cache(maxsize=1)
def nodes(tree: ast.AST) -> list[ast.AST]:
    """All below it; every rule walks through the same trees."""
    return list(ast.walk(tree))


@functools.lru_cache(maxsize=1)
def calls(tree: ast.AST) -> list[tuple[ast.Call, str]]:
    return [(node, named(node)) for node in nodes(tree) if isinstance(node, ast.Call)]


def imports(tree: ast.AST) -> Iterator[tuple[int, str]]:
    for node in nodes(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.lineno, node.module or ""


def safe_html(path: str, tree: ast.AST) -> Iterator[Finding]:
    """Text that is declared safe rather than escaped."""
    if path not in SAFE_HTML:
        yield from (
            (call.lineno, name)
            for call, name in calls(tree)
            if name.rpartition(".")[2] in ("mark_safe", "SafeString", "SafeText")
        )


def unverified(path: str, tree: ast.AST) -> Iterator[Finding]:
    """TLS without looking at the certificate."""
    for call, name in calls(tree):
        if name.endswith("_create_unverified_context"):
            yield call.lineno, name
        for word in call.keywords:
            value = word.value.value if isinstance(word.value, ast.Constant) else None
            if word.arg in ("verify", "check_hostname", "verify_ssl") and value is False:
                yield call.lineno, f"{name}({word.arg}=False)"
    yield from (
        (node.lineno, "CERT_NONE")
        for node in nodes(tree)
        if isinstance(node, ast.Attribute) and node.attr == "CERT_NONE"
    )


def other_http_clients(path: str, tree: ast.AST) -> Iterator[Finding]:
    """Requests that go round our rules for outgoing connections."""
    for line, module in imports(tree):
        first = module.partition(".")[0]
        if first in ("requests", "urllib3", "aiohttp") and path not in REQUESTS:
            yield line, module
        if module in ("urllib.request", "http.client") and not path.startswith((*PROCESSES, "bench/")):
            yield line, module


def own_task_calls(path: str, tree: ast.AST) -> Iterator[Finding]:
    """Tasks are nudged by ``tasks.nudge``: ids only, and a page does not wait for a dead broker."""
    if path not in TASK_CALLS:
        yield from (
            (call.lineno, name)
            for call, name in calls(tree)
            if name.rpartition(".")[2] in ("delay", "apply_async", "send_task")
        )


def unscoped_gets(path: str, tree: ast.AST) -> Iterator[Finding]:
    """Doors fetch rows by what proves the reader's right as well: a bare key is an invitation to swap it."""
    if not path.startswith(DOORS) or path.endswith("/access.py") or "/management/" in path:
        return
    for call, name in calls(tree):
        keys = {word.arg for word in call.keywords}
        if not name.endswith(("objects.get", "get_object_or_404")) or call.args[1:]:
            continue
        if keys and keys <= {"pk", "id"} and not _is_own(call):
            yield call.lineno, name


def _is_own(call: ast.Call) -> bool:
    """By the key of somebody who is signed in, or of a row that was fetched with its right a moment ago."""
    value = named(call.keywords[0].value)
    return value.startswith(("request.user.", "user.")) or value in ("job.pk", "self.pk")


def wall_clocks(path: str, tree: ast.AST) -> Iterator[Finding]:
    """Below the doors time is an argument, so that every decision can be tried at any moment."""
    if path.startswith((*DOORS, *PROCESSES)) or path in CLOCKS or "/management/" in path:
        return
    wanted = ("datetime.now", "datetime.utcnow", "timezone.now", "time.time", "date.today")
    yield from ((call.lineno, name) for call, name in calls(tree) if name.endswith(wanted))


def run_text(path: str, tree: ast.AST) -> Iterator[Finding]:
    """Text that is run, unpickled or handed to a shell."""
    for call, name in calls(tree):
        if name in ("eval", "exec", "pickle.loads", "pickle.load", "marshal.loads", "yaml.load", "os.system"):
            yield call.lineno, name
        if any(word.arg == "shell" and getattr(word.value, "value", None) for word in call.keywords):
            yield call.lineno, f"{name}(shell=True)"


def raw_sql(path: str, tree: ast.AST) -> Iterator[Finding]:
    """SQL that is put together from pieces rather than given its values apart."""
    if path.startswith("sandbox/"):  # its own ledger, by the names of its own columns
        return
    for call, name in calls(tree):
        if name.rpartition(".")[2] not in ("execute", "executescript", "raw", "RawSQL", "extra"):
            continue
        if call.args and isinstance(call.args[0], ast.JoinedStr | ast.BinOp):
            yield call.lineno, name


RULES: tuple[Callable[[str, ast.AST], Iterator[Finding]], ...] = (
    safe_html,
    unverified,
    other_http_clients,
    own_task_calls,
    unscoped_gets,
    wall_clocks,
    run_text,
    raw_sql,
)


def test_it_stands_nowhere() -> None:
    """Each rule in each file, by the rule's words. One test: to parse the files takes longer than to judge them."""
    paths = [path for path in sorted(SOURCE.rglob("*.py")) if "/migrations/" not in path.as_posix()]
    found = []
    for path in paths:
        name, tree = path.relative_to(SOURCE).as_posix(), ast.parse(path.read_text())
        found += [
            f"{rule.__doc__} {name}:{line}: {what}" for rule in RULES for line, what in rule(name, tree)
        ]
    assert len(paths) > 500
    assert found == []


@pytest.mark.parametrize(
    ("rule", "code"),
    [
        (safe_html, "mark_safe(text)"),
        (safe_html, "safestring.SafeString(text)"),
        (unverified, "httpx.get(url, verify=False)"),
        (unverified, "context.verify_mode = ssl.CERT_NONE"),
        (other_http_clients, "import requests"),
        (other_http_clients, "from urllib.request import urlopen"),
        (own_task_calls, "tasks.stop.delay(job.pk)"),
        (unscoped_gets, "Job.objects.get(pk=job_id)"),
        (unscoped_gets, "get_object_or_404(Job, pk=job_id)"),
        (wall_clocks, "now = dt.datetime.now(dt.UTC)"),
        (run_text, "subprocess.run(line, shell=True)"),
        (run_text, "eval(text)"),
        (raw_sql, "cursor.execute(f'DELETE FROM {name}')"),
    ],
    ids=lambda value: getattr(value, "__name__", str(value)),
)
def test_each_rule_sees_what_it_is_for(rule: Callable[[str, ast.AST], Iterator[Finding]], code: str) -> None:
    path = "web/views/x.py" if rule is unscoped_gets else "jobs/x.py"
    assert list(rule(path, ast.parse(code)))


def test_no_exception_outlives_its_reason() -> None:
    """A file that needs no exception any more loses it."""
    text = {path: (SOURCE / path).read_text() for path in (*SAFE_HTML, *REQUESTS, *TASK_CALLS, *CLOCKS)}
    assert [path for path in SAFE_HTML if "mark_safe" not in text[path]] == []
    assert [path for path in REQUESTS if "import requests" not in text[path]] == []
    assert [path for path in CLOCKS if not re.search(r"\.now\b|time\.time|CLOCK_", text[path])] == []


def test_templates_escape() -> None:
    mark = re.compile(r"\|\s*(safe|safeseq)\b|autoescape\s+off")
    folder = ROOT / "templates"
    paths = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*.html")}
    assert [name for name, path in paths.items() if mark.search(path.read_text())] == []


def test_scripts_of_ours_write_text_and_run_none() -> None:
    """``textContent`` rather than markup, and nothing that makes code of text."""
    scripts = {path.name: path.read_text() for path in (ROOT / "static").glob("*.js")}
    runs = re.compile(r"\beval\(|new Function\(|document\.write\(|javascript:")
    assert [name for name, text in scripts.items() if runs.search(text)] == []
    markup = re.compile(r"insertAdjacentHTML|(inner|outer)HTML\s*=[^=]")
    assert {name for name, text in scripts.items() if markup.search(text)} == set(MARKUP_IN_SCRIPTS)

"""Accessibility of a page as axe-core judges it, with the file in ``tests/vendor``."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Page

AXE = (Path(__file__).parent.parent / "vendor" / "axe.min.js").read_text(encoding="utf-8")


def assert_accessible(page: Page) -> None:
    """Fails with what ``faults`` finds."""
    found = faults(page)
    assert not found, f"{page.url}\n" + "\n".join(found)


def faults(page: Page) -> list[str]:
    """What axe-core finds serious or critical on the page as it is now, by all of its rules.

    The page's own Content-Security-Policy stays in force: the script comes by the debugger, not by a tag.
    """
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE)
    violations = page.evaluate(
        "axe.run(document, {resultTypes: ['violations']}).then((all) => all.violations)"
    )
    return [
        f"{one['impact']} {one['id']}: {node['target']} {node['failureSummary']}"
        for one in violations
        if one["impact"] in ("serious", "critical")
        for node in one["nodes"][:5]
    ]

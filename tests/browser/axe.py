"""Accessibility of a page as axe-core judges it, with the file in ``tests/vendor``."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Page

AXE = (Path(__file__).parent.parent / "vendor" / "axe.min.js").read_text(encoding="utf-8")
CONTRAST = (Path(__file__).parent / "contrast.js").read_text(encoding="utf-8")
# What cannot be serious or critical is not looked for.
RUN = f"""async (passed) => {{
  const newly = ({CONTRAST})(passed);
  const rules = {{}};
  for (const {{ id, impact }} of axe._audit.rules)
    if (["minor", "moderate"].includes(impact)) rules[id] = {{ enabled: false }};
  const {{ violations }} = await axe.run(document, {{ resultTypes: ["violations"], rules }});
  return [violations, newly];
}}"""
# The looks of texts whose contrast is good (see contrast.js).
passed: set[str] = set()


def assert_accessible(page: Page) -> None:
    """Fails with what ``faults`` finds."""
    found = faults(page)
    assert not found, f"{page.url}\n" + "\n".join(found)


def faults(page: Page) -> list[str]:
    """What axe-core finds serious or critical on the page that is coming or there.

    The page's own Content-Security-Policy stays in force: the script comes by the debugger, not by a tag.
    """
    page.wait_for_load_state()
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE)
    violations, newly = page.evaluate(RUN, list(passed))
    passed.update(newly)
    return [
        f"{one['impact']} {one['id']}: {node['target']} {node['failureSummary']}"
        for one in violations
        if one["impact"] in ("serious", "critical")
        for node in one["nodes"][:5]
    ]

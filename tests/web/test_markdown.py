"""What people write in markdown, and what becomes of hostile text."""

from __future__ import annotations

import re
import time

import pytest

from dispersed_web.web.markdown import first_line, render

HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "text <b onclick=alert(1)>bold</b>",
    "[a](javascript:alert(1))",
    "[a](JaVaScRiPt:alert(1))",
    "[a](java\tscript:alert(1))",
    "[a](&#106;avascript:alert(1))",
    "[a](data:text/html;base64,PHNjcmlwdD4=)",
    "[a](vbscript:msgbox)",
    "[a](file:///etc/passwd)",
    "[a](/t/vision-lab/team/)",
    "[a](//evil.example)",
    "[a](https:)",
    "<javascript:alert(1)>",
    "![a](https://evil.example/pixel.png)",
    "![a](javascript:alert(1))",
    "[a]: javascript:alert(1)\n\n[a]",
    '[a](https://example.org "\\" onmouseover=\\"alert(1)")',
    '```"><script>alert(1)</script>\nx\n```',
    "<!-- --><style>*{display:none}</style>",
    "<svg/onload=alert(1)>",
    "| a |\n|:-:|\n| <i style=x>b</i> |",
]
TAG = re.compile(r"<[^>]*>")
ALLOWED = re.compile(
    r"</?(p|pre|code|table|thead|tbody|tr)>|</?t[hd]( class=\"text-(start|end|center)\")?>"
    r"|<code class=\"language-[^\"]*\">|</a>"
    r"|<a href=\"(https?://|mailto:)[^\"]*\"( title=\"[^\"]*\")? rel=\"noopener noreferrer nofollow\" target=\"_blank\">"
)


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_becomes_words(text: str) -> None:
    found = TAG.findall(render(text))
    assert found
    assert [tag for tag in found if not ALLOWED.fullmatch(tag)] == []


def test_what_people_need_is_rendered() -> None:
    html = render("# One\n\nA **bold** `word`\n\n- x\n- y\n\n| a | b |\n|---|--:|\n| 1 | 2 |\n\n~~no~~")
    for part in (
        "<h3>One</h3>",
        "<strong>bold</strong>",
        "<code>word</code>",
        "<li>x</li>",
        '<td class="text-end">2</td>',
        "<s>no</s>",
    ):
        assert part in html
    assert "style=" not in html


def test_links_lead_away_and_say_nothing_of_where_from() -> None:
    html = render(
        "[docs](https://example.org/a?b=1&c=2) and <https://example.org> and [mail](mailto:a@example.org)"
    )
    assert html.count('rel="noopener noreferrer nofollow" target="_blank"') == 3
    assert 'href="https://example.org/a?b=1&amp;c=2"' in html


def test_deep_nesting_and_long_text_end_soon() -> None:
    begun = time.thread_time()
    for text in ("> " * 20_000, "[" * 50_000, "*a " * 30_000, "`" * 50_000, "- " * 20_000, "x" * 1_000_000):
        assert len(render(text)) < 2_000_000
    assert time.thread_time() - begun < 10


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", ""),
        ("## **SSH** box\n\nmore", "SSH box"),
        ("One\ntwo `three` [four](https://example.org)", "One two three four"),
        ("- a\n- b", "a"),
        ("<b>x</b>", "<b>x</b>"),
        ("word " * 100, "word " * 31 + "word…"),
    ],
)
def test_the_first_line_is_plain_words(text: str, line: str) -> None:
    assert first_line(text) == line

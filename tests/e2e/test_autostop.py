"""Auto-stop, end to end: every process of the product, a real browser, containers that send real heartbeats, and the
simulated cloud's ledger as the judge."""

from __future__ import annotations

import datetime as dt
import json
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager

import pytest
from playwright.sync_api import expect

from tests.e2e.visit import Box, Visit, Watch, now, visit_fixture  # noqa: F401 - a fixture
from tests.product import start_fixture  # noqa: F401 - a fixture
from tests.waiting import eventually

pytestmark = [
    pytest.mark.stack,
    pytest.mark.browser,
    pytest.mark.skipif(sys.platform != "linux", reason="reads /proc"),
]
A_TICK = dt.timedelta(seconds=15)
# What comes after a wait of minutes.
LONG_S = 300.0


def test_what_is_used_or_wanted_goes_on_and_the_rest_is_asked_about_warned_and_stopped(visit: Visit) -> None:
    visit.store_key()
    set_policy(visit)
    lab = launch_all(visit)
    with watched(lab["Quiet box"]) as (its_page, its_row):
        # What somebody does in time comes first. What was shown and what was stopped can be looked at later.
        is_asked_not_guessed_at(lab["Asked in vain"])
        answers(lab["Asked and used"])
        over_at = keep_what_is_warned(lab)
        is_watched_and_warned(lab["Quiet box"], its_page, its_row)
    for title in ("Quiet box", "Idle server"):
        is_stopped(lab[title], "idle")
    says_why_it_was_stopped(lab["Quiet box"])
    is_stopped(lab["Asked in vain"], "checkin_unanswered")
    says_why_it_ended_unanswered(lab["Asked in vain"])
    held = [lab["Idle too"], lab["Idle as well"]]
    decide_on_held(visit, held)
    for box in held:
        is_stopped(box, "idle")
    eventually(lambda: now() > over_at, "the announced stops have passed", LONG_S)
    says_why_they_go_on(lab)
    stopped = {"Quiet box", "Idle server", "Asked in vain", *(box.title for box in held)}
    cancelled = {cancel["job_uuid"] for cancel in visit.cloud.cancels()}
    assert cancelled == {lab[title].uuid for title in stopped}
    assert {title for title, box in lab.items() if box.status() == "RUNNING"} == lab.keys() - stopped


def set_policy(visit: Visit) -> None:
    """The shortest times that the page takes, but for the idle limit of two minutes."""
    page = visit.page
    page.goto(f"{visit.team_url}/autostop/")
    page.get_by_role("link", name="Change the policy").click()
    page.get_by_role("radio", name=re.compile("^Enforce")).check()
    short = {"high_idle_s": "2m", "high_lead_s": "2m", "boot_grace_s": "1m"}
    short |= {"checkin_first_s": "1m", "checkin_every_s": "1h", "checkin_answer_s": "2m"}
    for name, value in short.items():
        page.fill(f"[name={name}]", value)
    visit.look("policy-form")
    page.get_by_role("button", name="Save the policy").click()
    expect(page.get_by_text("Stops for idleness are enforced")).to_be_visible()
    held = page.get_by_role("region", name="What holds")
    expect(held).to_contain_text("A machine whose heartbeat is quiet for 2 min is stopped")
    visit.look("policy")


def launch_all(visit: Visit) -> dict[str, Box]:
    """What takes longest first. Of the SSH boxes two get a heartbeat; nobody has typed in them for an hour."""
    lab = {
        "Asked in vain": visit.box("Asked in vain", "ssh"),
        "Idle too": visit.box("Idle too", "chatty"),
        "Idle as well": visit.box("Idle as well", "idle"),
        "Quiet box": visit.box("Quiet box", "ssh", idle_limit="1m"),
        "Idle server": visit.box("Idle server", "chatty", idle_limit="1m"),
        "Typed in": visit.box("Typed in", "ssh"),
        "Extended": visit.box("Extended", "idle"),
        "Protected": visit.box("Protected", "idle"),
        "Computing": visit.box("Computing", "idle"),
        "Asked and used": visit.box("Asked and used", "ssh"),
    }
    for title in ("Quiet box", "Typed in"):
        eventually(lab[title].runs, f"{title} runs")
        visit.cloud.behave(lab[title].uuid, heartbeat="on", typing=3600.0)
    return lab


def is_asked_not_guessed_at(box: Box) -> None:
    """On its page, in its row and in the inbox; and nothing is said of idleness."""
    visit, page = box.visit, box.visit.page
    eventually(lambda: "job.checkin" in box.kinds(), f"{box.title} is asked about", LONG_S)
    page.goto(box.url)
    question = page.get_by_role("region", name="Still using it?")
    expect(question).to_contain_text(
        re.compile(r"It costs \$.*/h.* Without an answer it stops .*\d\d:\d\d, in")
    )
    live = page.locator("#job-live")
    expect(live).to_contain_text(
        "Nothing tells whether it is used, so people are asked: without an answer within 2 min it stops."
    )
    expect(live).not_to_contain_text("Idle ")
    visit.look("asked")
    row = visit.row(box)
    expect(row).to_contain_text("asked: still using it?")
    expect(row).to_contain_text("unless answered")
    expect(row.get_by_role("link", name="Still in use")).to_be_visible()
    visit.look("asked-table")
    eventually(visit.notice(f"Still using it? {box.title}"), "the question is in the inbox")
    visit.look("asked-inbox")


def answers(box: Box) -> None:
    """By the button on its page, and it goes on."""
    visit, page = box.visit, box.visit.page
    eventually(lambda: "job.checkin" in box.kinds(), f"{box.title} is asked about", LONG_S)
    page.goto(box.url)
    page.get_by_role("button", name="Yes, still in use").click()
    expect(page.get_by_role("region", name="Still using it?")).to_be_hidden()
    expect(page.locator("#job-live")).to_contain_text("asked")
    visit.look("answered")


@contextmanager
def watched(box: Box) -> Iterator[tuple[Watch, Watch]]:
    """Its page and its row, from now on."""
    with (
        closing(Watch(box.visit, box.url, "#job-live")) as its_page,
        closing(Watch(box.visit, f"{box.visit.team_url}/jobs/", f"#job-{box.id}")) as its_row,
    ):
        yield its_page, its_row


def is_watched_and_warned(box: Box, its_page: Watch, its_row: Watch) -> None:
    """Quiet with its evidence, then warned on its page, in its row, in the inbox and by e-mail."""
    visit = box.visit
    evidence = (
        r"Idle (\d+\ss|1) of 1\smin: GPU 0 % since [^,]+, \d+ samples; SSH open, no key pressed for 1\sh"
    )
    warning = r"Stops [^,]+, in \d+\ss, unless used.* warned \d\d:\d\d"
    eventually(lambda: its_page.has_shown(evidence), "it is quiet", LONG_S)
    eventually(lambda: its_page.has_shown(warning, evidence), "it is warned on its page", LONG_S)
    eventually(lambda: its_row.has_shown("idle, unless used"), "it is warned in its row", LONG_S)
    eventually(visit.notice(re.compile(f"Stops at .+: {box.title}")), "the warning is in the inbox")
    visit.look("warned-inbox")
    subject = re.compile(f"Subject: Stops at .+: {box.title}")
    eventually(lambda: subject.search(visit.product.text()), "the warning is mailed")


def is_stopped(box: Box, reason: str) -> None:
    """The ledger has it, and it came after a warning or a question, not before its deadline."""
    eventually(box.cancelled_at, f"{box.title} is stopped", LONG_S)
    assert box.row("stop_reason") == reason
    told = "job.checkin" if reason == "checkin_unanswered" else "job.warned"
    kinds = box.kinds()
    assert kinds.index(told) < kinds.index("job.stop_requested")
    assert box.cancelled_at() >= box.due_at()
    eventually(lambda: box.status() == "CANCELLED", "the ledger shows the end")


def says_why_it_was_stopped(box: Box) -> None:
    page = box.visit.page
    page.goto(box.url)
    live = page.locator("#job-live")
    expect(live).to_contain_text("Stopped: idle")
    evidence = r"Idle .+: GPU 0 % since [^,]+, \d+ samples; SSH open, no key pressed for 1\sh"
    expect(live).to_contain_text(re.compile(evidence))
    box.visit.look("stopped-idle")


def says_why_it_ended_unanswered(box: Box) -> None:
    page = box.visit.page
    page.goto(box.url)
    live = page.locator("#job-live")
    expect(live).to_contain_text("Stopped: check-in not answered")
    expect(live).to_contain_text("Nothing tells whether it is used, and nobody answered within 2 min.")
    box.visit.look("stopped-unanswered")


def keep_what_is_warned(lab: dict[str, Box]) -> dt.datetime:
    """As each is warned: somebody types, the GPU gets work, somebody extends, somebody protects. Returns when all of
    them would have been stopped."""
    cloud = lab["Typed in"].visit.cloud
    acts: dict[str, Callable[[Box], object]] = {
        "Typed in": lambda box: cloud.behave(box.uuid, typing=True),
        "Extended": Box.extend,
        "Protected": protect,
        "Computing": lambda box: cloud.behave(box.uuid, gpu=87),
    }
    over_at = []
    for title, act in acts.items():
        eventually(lambda title=title: "job.warned" in lab[title].kinds(), f"{title} is warned", LONG_S)
        over_at.append(lab[title].at("stop_at"))
        act(lab[title])
    return max(over_at) + A_TICK


def protect(box: Box) -> None:
    page = box.visit.page
    page.goto(box.url)
    page.get_by_role("link", name="Protect …").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Reason").fill("the evaluation runs tonight")
    box.visit.look("protect")
    dialog.get_by_role("button", name="Protect it").click()
    expect(page.locator("#job-live")).to_contain_text("Protected until")


def decide_on_held(visit: Visit, held: list[Box]) -> None:
    """Two more after two stops are too many at once: nothing happens to them until somebody decides."""
    holds = "SELECT job_ids FROM autostop_hold WHERE decided_at IS NULL"

    def are_held() -> bool:
        return {box.id for box in held} <= {one for (ids,) in visit.sql(holds) for one in json.loads(ids)}

    eventually(are_held, "the others are held", LONG_S)
    page = visit.page
    expect(visit.row(held[0])).to_contain_text("held")
    visit.look("held-table")
    assert [box.cancelled_at() for box in held] == [None, None]
    page.get_by_label("Notices").get_by_role("link", name="Decide").click()
    expect(page.get_by_text("2 held jobs")).to_be_visible()
    visit.look("held")
    page.get_by_role("link", name="Stop these").click()
    visit.look("held-ask")
    page.get_by_role("button", name="Stop these").click()
    expect(page.get_by_text("The held jobs are stopped one after another")).to_be_visible()


def says_why_they_go_on(lab: dict[str, Box]) -> None:
    why = {
        "Typed in": r"Last used [^(]+ \(a key pressed in SSH\)",
        "Extended": r"Stops [^,]+, in \d\d\smin, unless used[\s\S]+Extended until",
        "Protected": r"Protected until [^“]+Because “the evaluation runs tonight”",
        "Computing": r"Last used [^(]+ \(GPU 87 %\)",
        "Asked and used": r"You are asked [^,]+, in \d\d\smin",
    }
    for title, words in why.items():
        box = lab[title]
        box.visit.page.goto(box.url)
        expect(box.visit.page.locator("#job-live")).to_contain_text(re.compile(words))
        box.visit.look(f"goes-on-{title.lower().replace(' ', '-')}")
    called_off = "SELECT sentence FROM events_event WHERE subject_id = ? AND kind = 'job.called_off'"
    for title, words in (("Typed in", "pressed a key in an SSH session"), ("Computing", "GPU 87 %")):
        ((sentence,),) = lab[title].visit.sql(called_off, lab[title].id)
        assert words in sentence

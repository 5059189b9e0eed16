from datetime import UTC, datetime, timedelta

import pytest

from dispersed_web.dispersed import (
    BadReply,
    Client,
    DispersedError,
    Job,
    KeyPair,
    Outcome,
    Page,
    ServerBroken,
    complete_listing,
)

from .wire import Wire, html, reply

NOW = datetime(2026, 11, 23, 18, 30, 1, tzinfo=UTC)


def job(number: int, minutes_old: float | None = 0) -> Job:
    created = None if minutes_old is None else NOW - timedelta(minutes=minutes_old)
    return Job(uuid=f"j{number}", status="RUNNING", created_at=created)


class Cloud:
    """Pages over a list, newest first, that a test may change between two pages."""

    def __init__(self, jobs, limit=2, change=lambda cloud, page: None):
        self.jobs, self.limit, self.change = list(jobs), limit, change
        self.asked = []

    def __call__(self, page: int) -> Page[Job]:
        self.asked.append(page)
        self.change(self, page)
        start = (page - 1) * self.limit
        return Page(tuple(self.jobs[start : start + self.limit]), page, self.limit, len(self.jobs))


def uuids(found):
    return [item.uuid for item in found]


@pytest.mark.parametrize("count", range(7))
def test_all_pages_to_the_end(count):
    cloud = Cloud(job(number, number) for number in range(count))
    assert uuids(complete_listing(cloud)) == [f"j{number}" for number in range(count)]
    assert len(cloud.asked) == max(1, -(-count // 2))


def test_it_stops_at_an_item_that_is_older():
    cloud = Cloud(job(number, number * 10) for number in range(100))
    found = complete_listing(cloud, older_than=NOW - timedelta(minutes=30))
    assert uuids(found)[:4] == ["j0", "j1", "j2", "j3"]
    assert cloud.asked == [1, 2, 3]


def test_an_item_exactly_as_old_is_not_the_end():
    cloud = Cloud([job(0, 0), job(1, 30), job(2, 30), job(3, 31), job(4, 99), job(5, 99)])
    assert "j2" in uuids(complete_listing(cloud, older_than=NOW - timedelta(minutes=30)))


def test_a_date_without_a_time_may_mean_any_time_of_its_day():
    """Where the cloud shows only dates, everything of today reads as midnight and must not end the listing."""
    midnight = NOW.replace(hour=0, minute=0, second=0)
    dates = [midnight] * 5 + [midnight - timedelta(days=1)] * 3
    cloud = Cloud(Job(uuid=f"j{n}", status="RUNNING", created_at=date) for n, date in enumerate(dates))
    assert len(complete_listing(cloud, older_than=NOW - timedelta(minutes=15))) >= 6


def test_an_item_without_a_time_is_not_the_end():
    cloud = Cloud([job(0, None), job(1, None), job(2, 1)])
    assert len(complete_listing(cloud, older_than=NOW)) == 3


def test_new_items_that_push_others_to_the_next_page_are_repeated_only():
    def arrive(cloud, page):
        if page == 2:
            cloud.jobs.insert(0, job(99))

    found = complete_listing(Cloud([job(number, number) for number in range(4)], change=arrive))
    assert sorted(uuids(found)) == ["j0", "j1", "j2", "j3"]


def test_a_total_that_shrinks_voids_it():
    """An item that left may have pulled another one over to a page that was read already."""

    def leave(cloud, page):
        if page == 2:
            cloud.jobs.pop(0)

    with pytest.raises(BadReply, match="shrank"):
        complete_listing(Cloud([job(number, number) for number in range(5)], change=leave))


def test_a_cloud_that_repeats_its_first_page_voids_it():
    with pytest.raises(BadReply, match="fewer"):
        complete_listing(lambda page: Page((job(0), job(1)), page, 2, 5))


def test_an_empty_page_before_the_end_voids_it():
    with pytest.raises(BadReply, match="empty page"):
        complete_listing(lambda page: Page((job(page),) if page == 1 else (), page, 1, 5))


def test_an_order_that_is_not_newest_first_voids_what_was_to_end_early():
    cloud = Cloud([job(0, 60), job(1, 0), job(2, 0)], limit=3)
    with pytest.raises(BadReply, match="newest first"):
        complete_listing(cloud, older_than=NOW - timedelta(minutes=90))
    assert len(complete_listing(cloud)) == 3


def test_a_listing_without_end_voids_itself():
    with pytest.raises(BadReply, match="more than 3 pages"):
        complete_listing(lambda page: Page((job(page),), page, 1, 99), max_pages=3)


@pytest.mark.parametrize("pages", [[[1, 2], [3], []], [[1, 2, 3], [1, 2, 3]], [[]]])
def test_bare_lists_end_when_nothing_new_comes(pages):
    def fetch(page):
        return Page(tuple(job(number) for number in pages[page - 1]), page, 50, None)

    assert len(complete_listing(fetch)) == len({number for page in pages for number in page})


def test_one_bad_page_voids_the_whole_listing():
    def fetch(page):
        if page == 2:
            raise ServerBroken("x", outcome=Outcome.UNKNOWN)
        return Page((job(page),), page, 1, 3)

    with pytest.raises(ServerBroken):
        complete_listing(fetch)


def test_other_things_are_listed_by_their_own_key():
    assert complete_listing(lambda page: Page(("a", "b"), page, 50, 2), key=str) == ["a", "b"]


def envelope(page, uuids, total, limit=2):
    rows = [{"uuid": uuid, "status": "RUNNING", "job_uuid": "j"} for uuid in uuids]
    return reply(200, {"data": rows, "page": page, "limit": limit, "total": total})


def client(wire):
    return Client(
        KeyPair("pk_sim_1", "sk_sim_1"), wire.url, simulated=True, sleep=lambda seconds: None, backoff_s=()
    )


def test_over_http():
    steps = [envelope(1, "ab", 3), envelope(2, "c", 3), envelope(1, "de", 3), envelope(2, "f", 3)]
    with Wire(steps) as wire, client(wire) as dispersed:
        assert uuids(dispersed.complete_jobs(statuses=["RUNNING"])) == ["a", "b", "c"]
        assert uuids(dispersed.complete_job_runs("j")) == ["d", "e", "f"]
    assert [request.query for request in wire.requests[1:3]] == [
        "filter%5Bstatus%5D=RUNNING&limit=50&page=2&sort=-created_at",
        "filter%5Bjob_uuid%5D=j&limit=50&page=1&sort=-created_at",
    ]


@pytest.mark.parametrize(
    "second", [html(502), html(200), reply(200, {"data": [{"uuid": "c"}], "page": 2, "limit": 2, "total": 3})]
)
def test_over_http_a_bad_second_page_voids_the_first(second):
    with (
        Wire([envelope(1, "ab", 3), second]) as wire,
        client(wire) as dispersed,
        pytest.raises(DispersedError),
    ):
        dispersed.complete_jobs()
    assert len(wire.requests) == 2


def test_runs_of_other_jobs_are_dropped_where_the_cloud_does_not_filter():
    with Wire([envelope(1, "ab", 2), envelope(1, "ab", 2)]) as wire, client(wire) as dispersed:
        assert dispersed.complete_job_runs("another") == []
        assert len(dispersed.complete_job_runs()) == 2

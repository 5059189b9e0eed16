"""What was observed as lanes over time, and the strip that is drawn of them."""

from __future__ import annotations

import datetime as dt
import time
import zoneinfo
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispersed_web.autostop.activity import Lane, Samples
from dispersed_web.web.job import evidence, strip, strip_axis
from dispersed_web.web.job.evidence import Source, Span
from dispersed_web.web.jobs.marks import Mark

MINUTE, HOUR = dt.timedelta(minutes=1), dt.timedelta(hours=1)
UTC = dt.UTC
T0 = dt.datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
OF_ALL = frozenset([Lane.GPU, Lane.CPU, Lane.NET, Lane.SSH])


def bucket(at: float, gpu: int = 1, **more: object) -> Samples:
    """Five reports, the first ``at`` minutes after noon; a busy GPU from 5 percent on."""
    first_at = T0 + at * MINUTE
    last_at = first_at + 4 * MINUTE
    busy = {"gpu_busy": 5, "gpu_at": last_at} if gpu >= 5 else {}
    values = {
        "gpu_top": gpu,
        "ssh_open": 0,
        "cpu_top": 0.1,
        "net_top": 5,
        "count": 5,
        "gap": MINUTE,
        **busy,
        **more,
    }
    return Samples(first_at, last_at, **values)


def source(*samples: Samples, spoken: frozenset[Lane] = OF_ALL) -> Source:
    return Source("heartbeat", samples, spoken)


def spans(lane: Lane, *samples: Samples, until: float = 60, **more: object) -> list[tuple[float, float, str]]:
    """The lane's spans in minutes after noon."""
    found = evidence.lanes([source(*samples)], T0 - HOUR, T0 + until * MINUTE, **more)
    story = next(one for one in found if one.lane == lane)
    return [((one.start - T0) / MINUTE, (one.end - T0) / MINUTE, one.state) for one in story.spans]


# Lanes ----------------------------------------------------------------------------------------------------------------


def test_neighbours_of_the_same_state_are_one_span_and_the_last_one_lasts_until_now():
    rows = [bucket(0, 90), bucket(5, 60), bucket(10, 1), bucket(15, 2)]
    assert spans(Lane.GPU, *rows, until=20) == [(0, 9, "active"), (9, 20, "quiet")]


def test_a_gap_is_blind_and_so_is_the_time_after_the_last_report():
    rows = [bucket(0, 90), bucket(20, 90)]
    assert spans(Lane.GPU, *rows, until=60) == [
        (0, 4, "active"),
        (4, 20, "blind"),
        (20, 24, "active"),
        (24, 60, "blind"),
    ]


def test_a_bucket_with_a_gap_inside_is_quiet_nowhere():
    assert spans(Lane.GPU, bucket(0, 1, gap=3 * MINUTE), until=5) == [(0, 5, "blind")]
    assert spans(Lane.GPU, bucket(0, 90, gap=3 * MINUTE), until=5) == [(0, 5, "active")]


def test_a_run_that_is_over_is_not_drawn_beyond_its_last_report():
    assert spans(Lane.GPU, bucket(0, 90), until=7, is_live=False) == [(0, 4, "active")]


def test_a_key_counts_where_it_was_pressed():
    pressed = T0 + 3 * MINUTE
    rows = [bucket(0, ssh_open=1, key_at=pressed), bucket(5, ssh_open=1, key_at=pressed)]
    assert spans(Lane.SSH, *rows, until=10) == [(0, 4, "active"), (4, 10, "quiet")]


def test_a_single_busy_sample_of_many_is_no_use_as_in_the_decision():
    often = dt.timedelta(seconds=15)
    almost = bucket(0, 90, count=40, gpu_busy=1, gap=often, period=often)
    assert spans(Lane.GPU, almost, until=5)[0][2] == "quiet"


def test_a_lane_that_never_spoke_is_not_set_up_and_one_of_a_silent_source_is_blind():
    silent = Source("heartbeat", (), frozenset([Lane.GPU]))
    found = {one.lane: one for one in evidence.lanes([silent], T0, T0 + HOUR)}
    assert [one.state for one in found[Lane.GPU].spans] == ["blind"]
    assert found[Lane.GPU].spans[0].start == T0
    assert (found[Lane.BUSY].is_set_up, found[Lane.BUSY].note) == (False, "no busy file")
    assert (found[Lane.LOG].is_set_up, found[Lane.LOG].note) == (False, "log not read")
    nothing = evidence.lanes([], T0, T0 + HOUR)
    assert {one.note for one in nothing} == {"no heartbeat", "log not read"}


@pytest.mark.parametrize(
    ("lane", "rows", "said"),
    [
        (
            Lane.GPU,
            [bucket(0, 98), bucket(5, 3)],
            "active 13:00–13:04 (peak 98 %), quiet since 13:04 (peak 3 %)",
        ),
        (
            Lane.SSH,
            [bucket(0, ssh_open=2), bucket(5, ssh_open=2)],
            "quiet since 13:00 (open, no key pressed)",
        ),
        (Lane.SSH, [bucket(0)], "quiet since 13:00 (nobody signed in)"),
        (
            Lane.NET,
            [bucket(0, net_top=4_200_000, net_at=T0 + MINUTE)],
            "active since 13:00 (peak 4.2 MB/min)",
        ),
        (Lane.CPU, [bucket(0, cpu_top=2.31, cpu_at=T0 + MINUTE)], "active since 13:00 (peak 2.3 cores)"),
    ],
)
def test_a_lane_in_words(lane, rows, said):
    until = rows[-1].last_at + MINUTE
    found = next(one for one in evidence.lanes([source(*rows)], T0, until) if one.lane == lane)
    assert (
        evidence.lane_words(found, until, zoneinfo.ZoneInfo("Europe/Berlin")).replace("\u00a0", " ") == said
    )


def test_a_lane_that_does_not_count_says_so():
    log = Source("log", (bucket(0, lines=3, lines_at=T0 + MINUTE),), frozenset([Lane.LOG]), counts=False)
    found = evidence.lanes([log], T0, T0 + 5 * MINUTE)[-1]
    assert evidence.lane_words(found, T0 + 5 * MINUTE, UTC).endswith(
        "auto-stop does not count it for this job"
    )


def test_of_many_changes_only_the_latest_are_written():
    rows = [bucket(5 * place, 90 * (place % 2)) for place in range(40)]
    found = evidence.lanes([source(*rows)], T0, T0 + 200 * MINUTE)[0]
    text = evidence.lane_words(found, T0 + 200 * MINUTE, UTC, most=3)
    assert text.startswith("37 earlier changes, active 15:")
    assert text.count("since") == 1


@given(st.lists(st.tuples(st.integers(0, 100), st.integers(5, 9), st.integers(0, 3)), max_size=60))
def test_spans_are_in_order_do_not_overlap_and_lie_inside_the_time_shown(rows):
    at, samples = 0.0, []
    for gpu, step, gap in rows:
        samples.append(bucket(at, gpu, gap=gap * MINUTE))
        at += step
    start, until = T0 + 10 * MINUTE, T0 + 200 * MINUTE
    for story in evidence.lanes([source(*samples)], start, until):
        for one, other in pairwise(story.spans):
            assert one.end <= other.start
            assert (one.end, one.state) != (other.start, other.state)
        assert all(start <= one.start < one.end <= until for one in story.spans)
        assert len(story.drawn) <= evidence.MOST_COLUMNS


def test_a_week_is_drawn_with_few_shapes_and_quickly():
    rows = [bucket(5 * place, 37 * place % 100, ssh_open=1) for place in range(2016)]
    now = T0 + 7 * 24 * HOUR
    axis = strip_axis.axis("run", T0, now, UTC)
    begun = time.thread_time()
    drawn = strip.layout(axis, evidence.lanes([source(*rows)], axis.start, axis.now), [], [])
    assert time.thread_time() - begun < 2
    assert len(drawn.boxes) < 7 * evidence.MOST_COLUMNS
    assert len(drawn.hits) == strip.HITS


# Axis -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("show", "began", "hours"), [("3h", 9, 3), ("3h", 2, 2), ("3h", 0.2, 1), ("24h", 90, 24), ("run", 90, 90)]
)
def test_from_when_it_is_shown(show, began, hours):
    assert strip_axis.axis(show, T0 - began * HOUR, T0, UTC).start == T0 - hours * HOUR


def test_a_stop_that_is_near_is_on_it_and_one_that_is_far_is_not():
    near = strip_axis.axis("3h", T0 - 9 * HOUR, T0, UTC, stop_at=T0 + HOUR)
    far = strip_axis.axis("3h", T0 - 9 * HOUR, T0, UTC, stop_at=T0 + 4 * HOUR)
    assert near.start < T0 < near.stop_at < near.end
    assert far.end < far.stop_at
    assert far.percent(far.stop_at) == 100


@pytest.mark.parametrize(
    ("hours", "labels"),
    [
        (1, ["12:10", "12:20", "12:30", "12:40", "12:50"]),
        (3, ["10:30", "11:00", "11:30", "12:00", "12:30"]),
        (24, ["16:00", "20:00", "25 Nov", "04:00", "08:00"]),
    ],
)
def test_round_hours_of_the_readers_clock_are_written(hours, labels):
    now = T0 + 5 * MINUTE
    axis = strip_axis.axis("run", now - hours * HOUR, now, zoneinfo.ZoneInfo("Europe/Berlin"))
    assert [one.label for one in strip_axis.ticks(axis)] == labels


@pytest.mark.parametrize("day", [(2026, 3, 29), (2026, 10, 25)])
def test_hours_are_full_ones_where_the_clock_is_changed(day):
    zone = zoneinfo.ZoneInfo("Europe/Berlin")
    now = dt.datetime(*day, 9, tzinfo=UTC)
    found = list(strip_axis.ticks(strip_axis.axis("run", now - 22 * HOUR, now, zone)))
    assert all(one.label.endswith(":00") or " " in one.label for one in found)
    assert [float(one.x) for one in found] == sorted({float(one.x) for one in found})


# The strip ------------------------------------------------------------------------------------------------------------


def drawn(
    *rows: Samples, marks: list[Mark] | None = None, verdicts: list[Span] | None = None, small: bool = False
):
    axis = strip_axis.axis(
        "3h", T0 - 9 * HOUR, T0 + HOUR, UTC, stop_at=T0 + 90 * MINUTE, warn_at=T0 + 75 * MINUTE
    )
    stories = evidence.lanes([source(*rows)] if rows else [], axis.start, axis.now)
    return strip.layout(axis, stories, verdicts or [], marks or [], is_small=small)


def test_each_state_has_a_height_or_a_pattern_of_its_own():
    found = drawn(bucket(0, 90), bucket(5, 1), bucket(25, 50))
    gpu = [one for one in found.boxes if one.y < found.rows[2].y]
    shapes = {(one.css, one.pattern): one.height for one in gpu}
    assert shapes["ev-active", ""] > shapes["ev-quiet", ""]
    assert ("ev-blind", "strip-blind") in shapes
    assert found.states == ("active", "quiet", "blind", "missing")


def test_the_value_of_a_gpu_is_the_height_of_its_bar():
    heights = [one.height for one in drawn(bucket(0, 100), bucket(5, 50), bucket(10, 6)).boxes[:3]]
    assert heights == sorted(heights, reverse=True)
    assert len(set(heights)) == 3


def test_a_lane_that_is_not_set_up_says_so_in_words_and_has_no_place_on_a_small_strip():
    assert [one.note for one in drawn(bucket(0)).rows if one.note] == [
        "not set up: no busy file",
        "not set up: log not read",
    ]
    assert [one.name for one in drawn(bucket(0), small=True).rows] == [
        "Auto-stop",
        "GPU",
        "CPU",
        "Network",
        "SSH typing",
        "People",
    ]
    assert [one.name for one in drawn(small=True).rows] == ["Auto-stop", "Signals", "People"]


def test_now_and_the_stop_are_lines_with_words():
    lines = {one.css: one for one in drawn(bucket(0)).lines}
    assert (lines["strip-now"].label, lines["strip-stop"].label) == ("now", "stops 13:30")
    assert float(lines["strip-warn"].x) < float(lines["strip-stop"].x)


def test_marks_stand_in_their_rows_and_those_that_would_cover_each_other_are_told_of_together():
    marks = [
        Mark(T0, "people", "extended", "extend", "accent", "Ana extended it.", T0 + 30 * MINUTE),
        Mark(T0 + 20 * MINUTE, "engine", "warned", "bell", "amber", "Stops in 15 min."),
        Mark(T0 + 21 * MINUTE, "engine", "reminded", "bell", "amber", "Stops in 5 min."),
    ]
    found = drawn(bucket(0), marks=marks)
    assert [(one.y, one.icon) for one in found.glyphs] == [
        (found.rows[0].middle, "bell"),
        (found.rows[-1].middle, "extend"),
    ]
    assert found.glyphs[0].title == "12:20: Stops in 15 min.\n12:21: Stops in 5 min."
    kept = [one for one in found.boxes if one.css == "ev-kept"]
    assert len(kept) == 1
    assert float(kept[0].width) > 5


def test_auto_stops_own_states_carry_their_word_where_there_is_room():
    verdicts = [Span(T0 - HOUR, T0 + 50 * MINUTE, "active"), Span(T0 + 50 * MINUTE, T0 + HOUR, "quiet")]
    found = drawn(bucket(0), verdicts=verdicts)
    assert [one.text for one in found.captions] == ["In use"]
    assert [one.css for one in found.boxes[:2]] == ["ve-active", "ve-quiet"]


def test_every_stretch_tells_what_was_seen_in_it_and_asks_about_its_middle():
    hits = drawn(bucket(0, 98), bucket(5, 98)).hits
    told = [one.title for one in hits if "GPU: active (peak 98" in one.title]
    assert told
    assert "SSH typing: quiet (nobody signed in)" in told[0]
    assert hits[0].title.endswith("nothing heard")
    assert all(dt.datetime.fromisoformat(one.at) for one in hits)

"""The arithmetic of the clock, without any media."""

from __future__ import annotations

import math

import pytest

from avdetect.media import rates
from avdetect.media.blocks import PictureTrack
from avdetect.media.clock import PictureStamps, SoundStamps, TimeBases, nearer, tick_count, without_wild_stamps
from avdetect.types import SAMPLE_RATE, SAMPLES_PER_TICK, TICK_RATE


def pictures(*, leaps: bool = False, bases: TimeBases | None = None) -> PictureStamps:
    return PictureStamps(0.04, leaps, bases or TimeBases())


def sound(*, leaps: bool = False, bases: TimeBases | None = None) -> SoundStamps:
    return SoundStamps(leaps, bases or TimeBases())


def test_rates_are_those_of_the_shared_types() -> None:
    assert (rates.TICK_RATE, rates.SAMPLE_RATE, rates.SAMPLES_PER_TICK) == (TICK_RATE, SAMPLE_RATE, SAMPLES_PER_TICK)


@pytest.mark.parametrize(
    ("end_s", "ticks"), [(0.0, 0), (0.001, 1), (0.04, 1), (0.0400001, 1), (0.0401, 2), (1.0, 25), (-1.0, 0)]
)
def test_tick_count(end_s: float, ticks: int) -> None:
    assert tick_count(end_s) == ticks


@pytest.mark.parametrize(
    ("earlier", "later", "interval", "side"),
    [
        (0.99, 1.02, 0.04, -1),
        (0.98, 1.01, 0.04, 1),
        (0.98, 1.02, 0.04, -1),  # a tie goes to the earlier
        (None, 1.02, 0.04, 1),
        (0.98, None, 0.04, -1),
        (None, None, 0.04, 0),
        (0.5, None, 0.04, -1),  # half a second is still shown
        (0.49, None, 0.04, 0),
        (0.1, None, 1.0, -1),  # at one picture a second, one and a half intervals are
        (None, 2.6, 1.0, 0),
    ],
)
def test_nearer(earlier: float | None, later: float | None, interval: float, side: int) -> None:
    assert nearer(1.0, earlier, later, interval) == side


@pytest.mark.parametrize(("end", "side"), [(math.inf, -1), (1.01, -1), (0.96001, -1), (0.96, 0), (0.9, 0)])
def test_the_last_picture_outlives_its_end_by_no_more_than_a_tick(end: float, side: int) -> None:
    assert nearer(1.0, 0.92, None, 0.04, end_s=end) == side


@pytest.mark.parametrize(
    ("frames", "shown"),
    [
        ([(0.0, 0.04), (0.04, 0.04)], "abbnnnnnnnnnnnnnnnnn"),
        ([(0.0, 0.0), (0.04, 0.0)], "abbnnnnnnnnnnnnnnnnn"),  # without a duration it lasts a frame interval
        ([(0.0, 0.6)], "aaaaaaaaaaaaannnnnnn"),  # a slide that says its length: for half a second
        ([(0.0, 0.04), (0.6, 0.04)], "aaaaaaaabbbbbbbbbnnn"),  # held in the middle of the film, by whichever is nearer
    ],
)
def test_pictures_shown(frames: list[tuple[float, float]], shown: str) -> None:
    named = ((time, length, name) for (time, length), name in zip(frames, "abc", strict=False))
    track = PictureTrack(named, pictures(), still=False)
    found = [track.at(tick / 25) for tick in range(20)]
    assert "".join("n" if picture is None else picture[2] for picture in found) == shown


def test_pictures_keep_good_stamps() -> None:
    stamps = pictures()
    times = [0.0, 0.04, 0.1, 0.11, 3.5]
    assert [stamps.place(time) for time in times] == times
    assert stamps.faults == 0


def test_picture_without_a_stamp_follows_the_one_before() -> None:
    stamps = pictures()
    assert [stamps.place(None), stamps.place(None), stamps.place(0.1)] == pytest.approx([0.0, 0.04, 0.1])
    assert stamps.faults == 2


def test_picture_that_is_not_after_the_one_before_is_dropped() -> None:
    stamps = pictures()
    assert [stamps.place(time) for time in (0.0, 0.04, 0.04, 0.02, 0.08)] == [0.0, 0.04, None, None, 0.08]
    assert stamps.faults == 2


def test_leap_back_is_a_new_time_base() -> None:
    stamps = pictures()
    placed = [stamps.place(time) for time in (5.0, 5.04, 0.0, 0.04)]
    assert placed == pytest.approx([5.0, 5.04, 5.08, 5.12])


def test_leap_ahead_is_a_gap_but_in_a_transport_stream_a_new_time_base() -> None:
    gap, leap = pictures(), pictures(leaps=True)
    for stamps in (gap, leap):
        stamps.place(0.0)
    assert gap.place(100.0) == 100.0
    assert leap.place(100.0) == pytest.approx(0.04)


def test_leaps_of_both_streams_are_mended_alike() -> None:
    bases = TimeBases()
    picture, voice = pictures(leaps=True, bases=bases), sound(leaps=True, bases=bases)
    picture.place(0.0)
    picture.place(0.04)
    voice.place(0.0, 0.06)
    # The same jump by 1000 s in both; the sound's own count would put it 20 ms elsewhere.
    first = picture.place(1000.08)
    splice = voice.place(1000.08, 0.02)
    assert first == pytest.approx(0.08)
    assert splice.start_s == pytest.approx(0.08, abs=1e-9) or splice.start_s == pytest.approx(0.06)
    assert len(bases.shifts) == 1


def test_sound_is_continuous_under_rounded_stamps() -> None:
    stamps = sound()
    length = 1024 / 48_000
    for number in range(2000):
        rounded = round(number * length * 1000) / 1000
        splice = stamps.place(rounded, length)
        assert splice.silence_s == splice.cut_s == 0.0
        assert splice.start_s == pytest.approx(number * length, abs=1e-6)


def test_sound_gap_is_silence() -> None:
    stamps = sound()
    stamps.place(0.0, 0.5)
    splice = stamps.place(0.8, 0.5)
    assert (splice.start_s, splice.silence_s, splice.covered) == (pytest.approx(0.8), pytest.approx(0.3), False)
    assert stamps.place(1.3, 0.5).silence_s == 0.0


def test_sound_overlap_is_cut() -> None:
    stamps = sound()
    stamps.place(0.0, 0.5)
    splice = stamps.place(0.4, 0.5)
    assert (splice.start_s, splice.cut_s) == (pytest.approx(0.5), pytest.approx(0.1))
    assert stamps.place(0.9, 0.1).start_s == pytest.approx(0.9)


def test_sound_wholly_inside_what_was_heard_is_cut_whole() -> None:
    stamps = sound()
    stamps.place(0.0, 0.5)
    assert stamps.place(0.1, 0.1).cut_s >= 0.1
    assert stamps.place(0.5, 0.1).start_s == pytest.approx(0.5)


def test_sound_of_a_drifting_recorder_stays_with_its_stamps() -> None:
    """Samples counted at 48 kHz, but stamped by a clock against which they last 0.2 % longer."""
    stamps = sound()
    length = 1024 / 48_000
    worst = 0.0
    for number in range(5000):
        raw = number * length * 1.002
        splice = stamps.place(raw, length)
        worst = max(worst, abs(splice.start_s - raw))
        assert splice.covered
    assert worst < 0.01


def test_sound_without_stamps_is_counted() -> None:
    stamps = sound()
    starts = [stamps.place(None, 0.1).start_s for _ in range(5)]
    assert starts == pytest.approx([0.0, 0.1, 0.2, 0.3, 0.4])


def test_one_wild_stamp_moves_nothing_for_long() -> None:
    stamps = sound()
    length = 0.02
    for number in range(100):
        stamps.place(number * length + (0.01 if number == 50 else 0.0), length)
    assert stamps.place(2.0, length).start_s == pytest.approx(2.0, abs=1e-6)
    assert math.isfinite(stamps.place(2.02, length).start_s)


@pytest.mark.parametrize(
    ("times", "calm"),
    [
        ([0.0, 0.1, 0.2], [0.0, 0.1, 0.2]),
        ([0.0, 5000.0, 0.2, 0.3], [0.0, None, 0.2, 0.3]),
        ([0.0, -5000.0, None, 0.3], [0.0, None, None, 0.3]),
        ([0.0, 5000.0, 5000.1, 0.3, 0.4], [0.0, None, None, 0.3, 0.4]),
        ([0.0, 0.1, 5000.0, 5000.1, 5000.2, 5000.3, 5000.4], [0.0, 0.1, 5000.0, 5000.1, 5000.2, 5000.3, 5000.4]),
        ([0.0, 5000.0], [0.0, None]),
        ([0.0, 100.0], [0.0, 100.0]),
        ([None, None], [None, None]),
        ([0.0, 9.0, 18.0], [0.0, 9.0, 18.0]),  # a slow slide show
    ],
)
def test_wild_stamps_are_taken_away(times: list[float | None], calm: list[float | None]) -> None:
    items = ((time, number) for number, time in enumerate(times))
    got = list(without_wild_stamps(iter(items), 3))
    assert [time for time, _ in got] == calm
    assert [number for _, number in got] == list(range(len(times)))


def test_a_wild_first_stamp_is_left_out() -> None:
    got = list(without_wild_stamps(iter([(59_652.4, "a"), (0.12, "b"), (0.16, "c"), (0.2, "d")]), 4))
    assert got == [(0.12, "b"), (0.16, "c"), (0.2, "d")]

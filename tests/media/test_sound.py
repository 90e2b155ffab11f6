"""Sound of any format becomes 16 kHz mono that agrees with librosa and with the timestamps."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import av
import numpy as np
import pytest

from avdetect.media.avi import cut_delay, sound_delay_s, undo_skip
from avdetect.media.clock import SoundStamps, TimeBases
from avdetect.media.sound import SoundTrack, mono

Chunk = tuple[float | None, np.ndarray, int]


def noise(seconds: float, rate: int, seed: int = 0) -> np.ndarray:
    return (0.3 * np.random.default_rng(seed).standard_normal(round(seconds * rate))).astype(np.float32)


def chunks(sound: np.ndarray, rate: int, size: int, start_s: float = 0.0) -> Iterator[Chunk]:
    for at in range(0, len(sound), size):
        yield start_s + at / rate, sound[at : at + size], rate


def track(parts: Iterable[Chunk], origin_s: float = 0.0) -> SoundTrack:
    made = SoundTrack(iter(parts), SoundStamps(False, TimeBases()))
    made.start(origin_s)
    return made


def read_all(made: SoundTrack, block_ticks: int = 16) -> tuple[np.ndarray, np.ndarray]:
    samples, covered = [], []
    while True:
        got, valid = made.read(640 * block_ticks)
        samples.append(got)
        covered.append(valid)
        if len(got) < 640 * block_ticks:
            return np.concatenate(samples), np.concatenate(covered)


@pytest.mark.parametrize("rate", [8_000, 11_025, 22_050, 24_000, 32_000, 44_100, 48_000, 96_000])
@pytest.mark.parametrize("size", [160, 1024, 5000])
def test_piecewise_equals_librosa_on_the_whole(rate: int, size: int) -> None:
    import librosa

    sound = noise(3.0, rate)
    reference = np.clip(librosa.resample(sound, orig_sr=rate, target_sr=16_000, res_type="soxr_hq"), -1, 1)
    got, _ = read_all(track(chunks(sound, rate, size)))
    assert abs(len(got) - len(reference)) <= 1
    count = min(len(got), len(reference))
    np.testing.assert_allclose(got[:count], reference[:count], atol=2e-5)


def test_16_khz_passes_unchanged() -> None:
    sound = np.clip(noise(1.0, 16_000), -1, 1)
    got, covered = read_all(track(chunks(sound, 16_000, 777)))
    np.testing.assert_array_equal(got, sound)
    assert covered[:25].all()


@pytest.mark.parametrize("rate", [16_000, 44_100, 48_000])
def test_resampling_has_no_delay(rate: int) -> None:
    sound = np.zeros(rate, np.float32)
    sound[rate // 2] = 1.0
    got, _ = read_all(track(chunks(sound, rate, 1024)))
    assert np.argmax(np.abs(got)) == 8_000


def test_late_sound_is_preceded_by_silence_that_does_not_count() -> None:
    sound = noise(1.0, 16_000)
    got, covered = read_all(track(chunks(sound, 16_000, 1000, start_s=10.21), origin_s=10.0))
    assert not got[:3360].any()
    np.testing.assert_array_equal(got[3360 : 3360 + 16_000], np.clip(sound, -1, 1))
    # 210 ms are five ticks and a quarter: the sixth is covered in part only.
    assert covered[:8].tolist() == [False] * 6 + [True] * 2


def test_sound_before_tick_0_is_cut() -> None:
    sound = noise(1.0, 16_000)
    got, _ = read_all(track(chunks(sound, 16_000, 1000, start_s=-0.01)))
    np.testing.assert_array_equal(got, np.clip(sound[160:], -1, 1))


def test_gap_is_zero_and_not_covered() -> None:
    sound = noise(2.0, 16_000)
    parts = [*chunks(sound[:16_000], 16_000, 1000), *chunks(sound[16_000:], 16_000, 1000, start_s=1.5)]
    got, covered = read_all(track(parts))
    assert len(got) == 40_000
    assert not got[16_000:24_000].any()
    np.testing.assert_array_equal(got[24_000:], np.clip(sound[16_000:], -1, 1))
    assert covered[:25].all()
    assert not covered[25:37].any()
    assert not covered[37]  # the tick that the sound comes back in
    assert covered[38:62].all()


def test_overlap_is_heard_once() -> None:
    sound = np.clip(noise(2.0, 16_000), -1, 1)
    parts = [*chunks(sound[:16_000], 16_000, 1000), *chunks(sound[12_000:], 16_000, 1000, start_s=0.75)]
    got, covered = read_all(track(parts))
    np.testing.assert_array_equal(got, sound)
    assert covered[:49].all()


def test_an_hour_of_gap_takes_no_memory() -> None:
    parts = [*chunks(noise(0.5, 48_000), 48_000, 1024), *chunks(noise(0.5, 48_000), 48_000, 1024, start_s=3600.0)]
    made = track(parts)
    for _ in range(100):
        made.read(640 * 16)
    assert made._ready_count < 640 * 16 + 3 * 16_000


def test_rate_may_change_on_the_way() -> None:
    low = 0.5 * np.sin(2 * np.pi * 300 * np.arange(8000) / 8000)
    high = 0.5 * np.sin(2 * np.pi * 300 * np.arange(48_000) / 48_000)
    parts = [
        *chunks(low.astype(np.float32), 8_000, 800),
        *chunks(high.astype(np.float32), 48_000, 4800, start_s=1.0),
    ]
    got, covered = read_all(track(parts))
    assert abs(len(got) - 32_000) <= 2
    truth = 0.5 * np.sin(2 * np.pi * 300 * np.arange(32_000) / 16_000)
    error = np.abs(got[:31_990] - truth[:31_990])
    assert np.delete(error, np.r_[0:200, 15_800:16_200, 31_800:31_990]).max() < 0.01
    assert covered[:49].all()


def test_out_of_range_and_nan_samples_are_tamed() -> None:
    frame = av.AudioFrame.from_ndarray(np.array([[0.5, 4.0, np.nan, -np.inf] * 400], np.float32), "flt", "mono")
    frame.sample_rate = 16_000
    got, _ = read_all(track([(0.0, mono(frame), 16_000)]))
    assert np.isfinite(got).all()
    assert np.abs(got).max() <= 1.0


@pytest.mark.parametrize("layout", ["mono", "stereo", "5.1", "7.1"])
@pytest.mark.parametrize("form", ["u8", "s16", "s32", "flt", "dbl", "u8p", "s16p", "s32p", "fltp", "dblp"])
def test_mono_is_the_mean_of_the_channels(form: str, layout: str) -> None:
    channels = len(av.AudioLayout(layout).channels)
    levels = np.linspace(-0.5, 0.75, channels).astype(np.float32)
    source = av.AudioFrame.from_ndarray(np.tile(levels, 64)[None], "flt", layout)
    source.sample_rate = 16_000
    (frame,) = av.AudioResampler(format=form, layout=layout, rate=16_000).resample(source)
    got = mono(frame)
    assert got.shape == (64,)
    assert got.dtype == np.float32
    np.testing.assert_allclose(got, levels.mean(), atol=1 / 100 if form.startswith("u8") else 1e-4)


def test_encoder_delay_is_cut_from_the_front() -> None:
    parts = [(0.0, np.arange(600, dtype=np.float32), 16_000), (0.0375, np.arange(600, 1200, dtype=np.float32), 16_000)]
    left = list(cut_delay(iter(parts), 1000 / 16_000))
    assert len(left) == 1
    time_s, samples, _ = left[0]
    assert time_s == pytest.approx(0.0)
    assert samples[0] == 1000


def test_delays_of_unknown_codecs_are_none() -> None:
    assert sound_delay_s("pcm_s16le", 48_000) == 0.0
    assert sound_delay_s("mp3", 0) == 0.0
    assert sound_delay_s("mp3", 44_100) == pytest.approx(0.02506, abs=1e-4)


@pytest.mark.parametrize(
    ("times", "delay_s", "mended"),
    [
        ([0.0, 0.04, 0.08, 0.12], 0.023, [0.0, 0.04, 0.08, 0.12]),  # no gap: nothing was moved
        ([0.0, 0.08, 0.12, 0.16], 0.023, [0.0, 0.04, 0.08, 0.12]),  # moved by one frame for the delay
        ([0.0, 0.24, 0.28, 0.32], 0.0, [0.2, 0.24, 0.28, 0.32]),  # a late picture: its first frame goes along
        ([0.0], 0.023, [0.0]),
    ],
)
def test_undoing_the_skip_of_avi(times: list[float], delay_s: float, mended: list[float]) -> None:
    frames = ((time, 0.0, None) for time in times)
    got = [time for time, _, _ in undo_skip(frames, unit_s=0.04, delay_s=delay_s, sound_unit_s=0.024)]
    assert got == pytest.approx(mended)

"""Clips through detectors: cut to what they can be given, put together again, failures named."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence

import jax
import numpy as np
import pytest

from avdetect.api import InputContract
from avdetect.clips import cut_clip
from avdetect.detectors.asking import Batches, ask, evidence_of
from avdetect.detectors.named import Named
from avdetect.detectors.stitch import stitch
from avdetect.detectors.windows import cover, ladder
from avdetect.plugin_errors import PluginError
from avdetect.registry import Entry
from avdetect.testing import synthetic_clip
from avdetect.types import LAGS, SAMPLES_PER_TICK, Clip, Evidence

Load = Callable[..., Named]
drawn = functools.lru_cache(maxsize=None)(synthetic_clip)
"""Clips are not written to, so that each is drawn once."""
LIGHT = """
def evidence(self, clips):
    self.calls += 1
    lights = [c.track.faces.mean(axis=(1, 2, 3), dtype=np.float32) / 255 for c in clips]
    return [Evidence.only(c.n_ticks, visual=x, probability=float(x.max())) for c, x in zip(clips, lights)]
"""
CHANGING_LAGS = """self.calls += 1
    k = self.calls
    lags = np.arange(k, dtype=np.int32)
    return [Evidence.only(c.n_ticks, similarity=np.zeros((c.n_ticks, k), np.float32), lags=lags) for c in clips]
"""


class Seen:
    """Keeps what it is given; says the number of the tick."""

    api_version, name, version = 1, "seen", "1"
    modalities: frozenset[str] = frozenset()
    contract = InputContract(max_ticks=20, min_ticks=4, batch=3)
    jittable = False

    def __init__(self) -> None:
        self.calls: list[list[Clip]] = []

    def evidence(self, clips: Sequence[Clip]) -> list[Evidence]:
        """The first sample of each tick, as it was given."""
        self.calls.append(list(clips))
        return [
            Evidence.only(c.n_ticks, audio=np.zeros(0) if c.audio is None else c.audio[::SAMPLES_PER_TICK])
            for c in clips
        ]


def named(detector: object) -> Named:
    return Named(detector, Entry("seen", "detector", "here:Seen", "a-dist", "1.2", "installed"))  # type: ignore[arg-type]


def test_long_clips_are_cut_and_put_together() -> None:
    seen, clip = Seen(), drawn(0, 70)
    found = evidence_of(named(seen), clip)
    assert clip.audio is not None
    np.testing.assert_array_equal(found.audio, clip.audio[::SAMPLES_PER_TICK])
    assert [[c.n_ticks for c in call] for call in seen.calls] == [[20, 20, 20], [20]]
    assert seen.calls[1][0].track is not None and seen.calls[1][0].start_tick == 50
    short = evidence_of(named(seen), drawn(0, 3))
    assert len(seen.calls) == 2 and short.audio.shape == (3,) and np.isnan(short.audio).all()


def test_a_batch_says_what_single_clips_say(load: Load) -> None:
    detector = load(LIGHT)
    clips = [drawn(seed, n, sound=False) for seed, n in ((0, 20), (1, 7), (2, 13), (3, 20), (4, 5))]
    alone = [ask(detector, [clip])[0] for clip in clips]
    together: dict[int, Evidence] = {}
    batches = Batches(detector)
    for i, clip in enumerate(clips):
        batches.add(clip, lambda evidence, i=i: together.__setitem__(i, evidence))
    batches.finish()
    assert sorted(together) == list(range(5))
    for i, one in enumerate(alone):
        np.testing.assert_array_equal(one.visual, together[i].visual)
        assert one.probability == together[i].probability


def test_clips_cannot_be_written_to_and_do_not_tell_their_label(load: Load) -> None:
    seen, clip = Seen(), drawn(0, 10)
    ask(named(seen), [clip])
    given = seen.calls[0][0]
    assert clip.label.audio_fake is False and given.label.audio_fake is None and given.label.offset_ms is None
    vandal = load("def evidence(self, clips):\n    clips[0].track.faces[:] = 0")
    before = clip.track.faces.copy() if clip.track is not None else None
    with pytest.raises(PluginError, match="read-only"):
        ask(vandal, [clip])
    assert clip.track is not None and (clip.track.faces == before).all() and clip.track.faces.flags.writeable


def test_what_a_detector_prints_is_no_data(load: Load, capsys: pytest.CaptureFixture[str]) -> None:
    ask(load("def evidence(self, clips):\n    print('chat')\n    return [Evidence.only(c.n_ticks) for c in clips]"),
        [drawn(0, 5)])  # fmt: skip
    out = capsys.readouterr()
    assert out.out == "" and out.err == "chat\n"


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("raise RuntimeError('no memory')", "evidence() failed: RuntimeError: no memory"),
        ("raise SystemExit(3)", "evidence() failed: SystemExit: 3"),
        ("raise ValueError", "ValueError: no further message"),
        ("return [Evidence.only(c.n_ticks + 1) for c in clips]", "visual has 21 ticks, the clip has 20"),
        ("return [Evidence.only(c.n_ticks, probability=float('nan')) for c in clips]", "probability is nan"),
        ("return [Evidence.only(c.n_ticks, visual=np.zeros(c.n_ticks)) for c in clips]", "float64"),
        ("return [None for c in clips]", "NoneType for a clip"),
        ("return Evidence.only(5)", "type Evidence; it must give a list"),
        (CHANGING_LAGS, "the lags change"),
    ],
)  # fmt: skip
def test_failures_name_the_detector_and_the_cause(load: Load, body: str, said: str) -> None:
    detector = load(f"def evidence(self, clips):\n    {body}")
    with pytest.raises(PluginError) as caught:
        evidence_of(detector, drawn(0, 55, sound=False))
    text = str(caught.value)
    assert said in text and detector.entry.target in text and "made 0.3: " in text


def test_failures_name_distribution_and_version() -> None:
    seen = named(Seen())
    assert str(seen.blame("it is tired")) == "detector 'seen' (here:Seen of a-dist 1.2): seen 1: it is tired"


@pytest.mark.parametrize(
    ("modalities", "face", "sound", "asked"),
    [
        ({"picture"}, True, False, True),
        ({"picture"}, False, True, False),
        ({"sound"}, True, False, False),
        ({"sound"}, False, True, True),
        ({"picture", "sound"}, True, True, True),
        ({"picture", "sound"}, True, False, False),
        (set(), False, True, True),
        (set(), True, False, True),
    ],
)
def test_a_detector_is_asked_only_about_what_it_needs(
    modalities: set[str], face: bool, sound: bool, asked: bool
) -> None:
    seen = Seen()
    seen.modalities = frozenset(modalities)
    seen.evidence = lambda clips: seen.calls.append(clips) or [Evidence.only(c.n_ticks) for c in clips]  # type: ignore[method-assign]
    found = evidence_of(named(seen), drawn(0, 10, face=face, sound=sound))
    assert bool(seen.calls) == asked and found.visual.shape == (10,)


class Compiled:
    """The mean of the sound of each tick, compiled for the shapes that come."""

    api_version, name, version = 1, "compiled", "1"
    modalities = frozenset({"sound"})
    contract = InputContract(max_ticks=32, min_ticks=8, batch=2)
    jittable = True

    def __init__(self) -> None:
        self.program = jax.jit(lambda sound: sound.reshape(*sound.shape[:1], -1, SAMPLES_PER_TICK).mean(axis=2))

    def evidence(self, clips: Sequence[Clip]) -> list[Evidence]:
        """One call of the program."""
        means = np.asarray(self.program(np.stack([c.audio for c in clips])))  # type: ignore[arg-type]
        return [Evidence.only(c.n_ticks, audio=mean) for c, mean in zip(clips, means, strict=True)]


def test_a_compiled_detector_compiles_for_a_few_lengths_only() -> None:
    compiled = Compiled()
    detector = named(compiled)

    def score(n: int) -> None:
        clip = drawn(n, n, face=False)
        assert clip.audio is not None
        expected = clip.audio.reshape(-1, SAMPLES_PER_TICK).mean(axis=1)
        np.testing.assert_allclose(evidence_of(detector, clip).audio, expected, atol=1e-6)

    for n in (32, 16, 8):
        score(n)
    sizes = compiled.program._cache_size()  # pyright: ignore[reportFunctionMemberAccess, reportAttributeAccessIssue]
    assert sizes == len(ladder(Compiled.contract)) == 3
    for n in (9, 11, 17, 23, 31, 33, 50, 64, 65, 100):
        score(n)
    assert compiled.program._cache_size() == sizes, "another file compiles nothing"  # pyright: ignore


def test_stitching_keeps_what_was_said_first_and_the_highest_probability() -> None:
    ones = [np.full(4, value, np.float32) for value in (1.0, 2.0)]
    log = [np.log(np.array(p, np.float32)) for p in ([0.8, 0.1, 0.05, 0.05], [0.2, 0.6, 0.1, 0.1])]
    parts = [((3, 7), Evidence.only(4, visual=ones[1], classes=log[1], probability=0.7)),
             ((0, 4), Evidence.only(4, visual=ones[0], classes=log[0], probability=0.9))]  # fmt: skip
    found = stitch(parts, 9)
    np.testing.assert_array_equal(found.visual, np.array([1, 1, 1, 1, 2, 2, 2, np.nan, np.nan], np.float32))
    assert found.probability == 0.9 and found.classes is not None
    np.testing.assert_allclose(np.exp(found.classes[0]), (0.8 * 4 + 0.2 * 3) / 7, atol=1e-6)
    assert stitch([], 5).lags is LAGS and stitch([], 5).probability is None


def test_cutting_is_of_picture_and_sound_alike() -> None:
    clip = drawn(0, 50, start_tick=100)
    for start, stop in cover(50, Seen.contract, fixed=False):
        piece = cut_clip(clip, start, stop)
        assert piece.track is not None and piece.audio is not None and clip.track is not None and clip.audio is not None
        assert piece.start_tick == 100 + start and piece.n_ticks == piece.track.n_ticks == stop - start
        np.testing.assert_array_equal(piece.audio, clip.audio[start * SAMPLES_PER_TICK : stop * SAMPLES_PER_TICK])

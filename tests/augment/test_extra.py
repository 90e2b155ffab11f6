"""Augmentations by name: those built in stand alone too, and further ones join the chain without seeing the label."""

from __future__ import annotations

import dataclasses
import inspect
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from avdetect.augment import AUGMENTATIONS, chain
from avdetect.augment.chain import augment_clip
from avdetect.augment.config import AugmentConfig
from avdetect.augment.extra import add_extra, check_extra, parse_extra
from avdetect.registry import PluginError
from avdetect.testing import synthetic_clip
from avdetect.types import Clip, Label
from tests.fake_distributions import Site, site

__all__ = ["site"]
OFF: dict[str, Any] = {name: 0.0 for name in (*chain.FRAMING, *chain.PICTURE, *chain.SOUND) if name != "gain"}
NONE = AugmentConfig(**OFF, gain_db=0.0)
"""Nothing but what is added."""
PLUGINS = """
import dataclasses
import numpy as np

def hush(clip, rng):
    assert clip.label == type(clip.label)(), "the label is hidden"
    return dataclasses.replace(clip, audio=clip.audio * np.float32(0.5))

def tell(clip, rng):
    return dataclasses.replace(clip, label=dataclasses.replace(clip.label, audio_fake=True))

def greedy(clip, rng):
    rng.random(1000)
    return clip

def hum(clip, rng):
    return dataclasses.replace(clip, audio=clip.audio + rng.normal(0, 1e-3, len(clip.audio)).astype(np.float32))

def short(clip, rng):
    return dataclasses.replace(clip, audio=clip.audio[:-1])

def double(clip, rng):
    return dataclasses.replace(clip, audio=clip.audio.astype(np.float64))

def infinite(clip, rng):
    return dataclasses.replace(clip, audio=clip.audio * np.float32(np.nan))

def blind(clip, rng):
    return dataclasses.replace(clip, track=None)

def nothing(clip, rng):
    pass

def failing(clip, rng):
    raise KeyError("lost")

for f in (hush, tell, greedy, hum, short, double, infinite, blind, nothing, failing):
    f.api_version = 1
"""


@pytest.fixture(scope="module")
def clip() -> Clip:
    return dataclasses.replace(synthetic_clip(2, 12), label=Label(False, True))


@pytest.fixture
def plugins(site: Site) -> Site:
    names = [line.split()[1].partition("(")[0] for line in PLUGINS.splitlines() if line.startswith("def ")]
    points = {name: f"avdetect_hums:{name}" for name in names}
    site.install("avdetect-hums", {"avdetect.augmentations": points}, files={"avdetect_hums.py": PLUGINS})
    return site


def with_extra(*texts: str) -> AugmentConfig:
    return dataclasses.replace(NONE, extra=texts)


def test_every_share_of_the_configuration_is_a_step_by_that_name() -> None:
    steps = {*chain.FRAMING, *chain.PICTURE, *chain.SOUND}
    assert steps == set(AUGMENTATIONS.builtins())
    assert steps - {"gain"} <= {field.name for field in dataclasses.fields(AugmentConfig)}


@pytest.mark.parametrize("name", sorted({*AUGMENTATIONS.builtins()} - {"video_codec", "sound_codec"}))
def test_each_that_is_built_in_stands_alone(clip: Clip, name: str) -> None:
    augmentation = AUGMENTATIONS.get(name)
    a, b, c = (augmentation(clip, np.random.default_rng(seed)) for seed in (3, 3, 4))
    assert clip.track is not None and a.track is not None and b.track is not None and c.track is not None
    np.testing.assert_array_equal(a.track.faces, b.track.faces)
    np.testing.assert_array_equal(a.audio, b.audio)
    assert a.label == clip.label and a.n_ticks == clip.n_ticks and np.abs(a.audio).max() <= 1
    of_sound = name in chain.SOUND
    assert (a.audio != clip.audio).any() == of_sound
    assert (a.track.faces != clip.track.faces).any() == (not of_sound)
    if name not in ("mirror", "grey", "companding"):
        other = (a.audio != c.audio).any() if of_sound else (a.track.faces != c.track.faces).any()
        assert other, "another seed, another strength"
    half = augmentation(dataclasses.replace(clip, track=None), np.random.default_rng(3))
    assert half.track is None and half.audio is not None


def test_further_ones_are_applied_to_their_share(clip: Clip, plugins: Site) -> None:
    usual = augment_clip(clip, np.random.default_rng(0), NONE)
    made = augment_clip(clip, np.random.default_rng(0), with_extra("hush=1"))
    np.testing.assert_array_equal(made.audio, usual.audio * np.float32(0.5))  # type: ignore[operator]
    assert made.label == clip.label
    never = augment_clip(clip, np.random.default_rng(0), with_extra("hush=0"))
    np.testing.assert_array_equal(never.audio, usual.audio)
    hushed = 0
    for seed in range(200):
        made = add_extra(clip, np.random.default_rng(seed), ("hush=0.3",))
        hushed += bool((made.audio != clip.audio).any())
    assert 35 <= hushed <= 85, "0.3 of 200, within four standard deviations"


def test_the_label_cannot_be_changed_by_them(clip: Clip, plugins: Site) -> None:
    assert add_extra(clip, np.random.default_rng(0), ("tell=1", "hush=1")).label == Label(False, True)


def test_what_one_draws_does_not_move_another(clip: Clip, plugins: Site) -> None:
    a = add_extra(clip, np.random.default_rng(5), ("greedy=1", "hum=1"))
    b = add_extra(clip, np.random.default_rng(5), ("hush=0", "hum=1"))
    np.testing.assert_array_equal(a.audio, b.audio)
    assert (a.audio != clip.audio).any()


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("short", "it changed audio from ((7680,), 'float32') to ((7679,), 'float32')"),
        ("double", "to ((7680,), 'float64')"),
        ("infinite", "its sound is not finite"),
        ("blind", "it lost the face track"),
        ("nothing", "it gave NoneType instead of a Clip"),
        ("failing", "it failed: KeyError: 'lost'"),
    ],
)
def test_one_that_fails_is_named(clip: Clip, plugins: Site, name: str, said: str) -> None:
    with pytest.raises(PluginError) as raised:
        augment_clip(clip, np.random.default_rng(0), with_extra(f"{name}=1"))
    assert said in str(raised.value) and "avdetect-hums 1.0" in str(raised.value)


def test_a_place_or_a_built_in_will_do(clip: Clip, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(PLUGINS)
    made = add_extra(clip, np.random.default_rng(0), (f"{tmp_path}/mine.py:hush=1", "grey=1"))
    assert made.track is not None and np.ptp(made.track.faces[3, 80, 80].astype(int)) <= 1
    assert (made.audio != clip.audio).any()


def test_wrong_ones_are_known_before_training(plugins: Site) -> None:
    assert parse_extra(("hush=0.5", "a/b.py:c=1")) == [("hush", 0.5), ("a/b.py:c", 1.0)]
    for text in ("hush", "hush=2", "hush=-1", "=1", "hush=often", "hush=nan"):
        with pytest.raises(ValueError, match=r"must be name=share with a share of clips in 0 \.\.\. 1"):
            parse_extra((text,))
    check_extra(("hush=0.5", "blur=0.1"))
    with pytest.raises(PluginError, match="no augmentation is called 'rain'"):
        check_extra(("rain=0.5",))


def test_the_chain_has_no_way_to_the_label() -> None:
    """Steps get pixels or samples, never the clip; what takes a clip gets it without its label."""
    for function in (chain.augment_track, chain.picture_steps, chain.augment_sound):
        assert "clip" not in inspect.signature(function).parameters

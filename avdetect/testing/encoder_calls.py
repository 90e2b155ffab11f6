"""How the networks of plugins are called, and with what: ordinary inputs, extreme ones, and what they give."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from avdetect.types import FACE_SIZE, LAGS, MOUTH_SIZE, SAMPLE_RATE, SAMPLES_PER_TICK

Arrays = tuple[np.ndarray, ...]
Shape = tuple[int, ...]


@dataclass(frozen=True)
class Call:
    """One way in which a module is called.

    Attributes:
        name: of the method, for messages.
        run: from the module and its inputs to a tuple of outputs.
        draw: inputs from a generator, a number of examples and one of ticks.
        shapes: of the outputs, from examples and ticks.
        extremes: inputs at the edge of what there can be, by what they are.
        in_time: whether inputs and outputs have an axis of ticks.
    """

    name: str
    run: Callable[..., tuple[Any, ...]]
    draw: Callable[[np.random.Generator, int, int], Arrays]
    shapes: Callable[[int, int], tuple[Shape, ...]]
    extremes: Callable[[int, int], dict[str, Arrays]]
    in_time: bool = True


def _pictures(rng: np.random.Generator, b: int, t: int) -> Arrays:
    def drawn(*shape: int) -> np.ndarray:
        coarse = rng.uniform(0, 255, (*shape, 8, 8, 3))
        side = FACE_SIZE if len(shape) == 1 else MOUTH_SIZE
        return coarse.repeat(side // 8, axis=-3).repeat(side // 8, axis=-2).astype(np.float32)

    return drawn(b), drawn(b, 3)


def _odd_pictures(b: int, t: int) -> dict[str, Arrays]:
    faces, mouths = (b, FACE_SIZE, FACE_SIZE, 3), (b, 3, MOUTH_SIZE, MOUTH_SIZE, 3)
    return {
        "black pictures": (np.zeros(faces, np.float32), np.zeros(mouths, np.float32)),
        "white pictures": (np.full(faces, 255, np.float32), np.full(mouths, 255, np.float32)),
        "a white face and a black mouth": (np.full(faces, 255, np.float32), np.zeros(mouths, np.float32)),
    }


def _sound(rng: np.random.Generator, b: int, t: int) -> Arrays:
    seconds = np.arange(t * SAMPLES_PER_TICK) / SAMPLE_RATE
    pitch = rng.uniform(90, 250, (b, 1))
    tone = 0.3 * np.sin(2 * np.pi * pitch * seconds) * (1 + np.sin(2 * np.pi * 3 * seconds)) / 2
    return (tone + rng.normal(0, 0.03, tone.shape)).astype(np.float32), np.ones((b, t), bool)


def _odd_sound(b: int, t: int) -> dict[str, Arrays]:
    samples, valid = np.zeros((b, t * SAMPLES_PER_TICK), np.float32), np.ones((b, t), bool)
    square = np.sign(np.sin(np.arange(samples.shape[1]) / 20)).astype(np.float32)
    return {
        "silence": (samples, valid),
        "sound that covers nothing": (samples, ~valid),
        "sound at full scale": (np.broadcast_to(square, samples.shape).copy(), valid),
        "a single tick of sound": (samples, np.arange(t)[None] == np.full((b, 1), t // 2)),
    }


def _agreement(rng: np.random.Generator, b: int, t: int) -> Arrays:
    known = rng.random((b, t, len(LAGS))) < 0.9
    similarity = np.clip(rng.normal(0.1, 0.3, known.shape), -1, 1).astype(np.float32)
    return np.where(known, similarity, 0).astype(np.float32), known, rng.random((b, t)).astype(np.float32)


def _odd_agreement(b: int, t: int) -> dict[str, Arrays]:
    shape = (b, t, len(LAGS))
    none, ones = np.zeros(shape, np.float32), np.ones((b, t), np.float32)
    return {
        "nothing that is known": (none, np.zeros(shape, bool), 0 * ones),
        "agreement at every lag": (none + 1, np.ones(shape, bool), ones),
        "no agreement at any lag": (none - 1, np.ones(shape, bool), ones),
        "one lag that is known": (none, np.broadcast_to(LAGS == 0, shape).copy(), ones),
    }


def _means(rng: np.random.Generator, b: int, t: int) -> Arrays:
    present = np.ones((b, 3), bool)
    present[0, 2] = False
    return np.where(present, rng.normal(0, 2, (b, 3)), 0).astype(np.float32), present


def _odd_means(b: int, t: int) -> dict[str, Arrays]:
    zeros, present = np.zeros((b, 3), np.float32), np.ones((b, 3), bool)
    return {
        "no branch that is present": (zeros, ~present),
        "large logits": (zeros + 60, present),
        "small logits": (zeros - 60, present),
    }


CALLS: dict[str, Sequence[Call]] = {
    "visual": (
        Call(
            "__call__",
            lambda net, faces, mouths: (net(faces, mouths),),
            _pictures,
            lambda b, t: ((b,),),
            _odd_pictures,
            in_time=False,
        ),
    ),
    "audio": (
        Call(
            "__call__",
            lambda net, audio, valid: tuple(net(audio, valid)),
            _sound,
            lambda b, t: ((b, t), (b, t)),
            _odd_sound,
        ),
    ),
    "fusion": (
        Call(
            "mismatch",
            lambda net, similarity, known, speech: (net.mismatch(similarity, known, speech),),
            _agreement,
            lambda b, t: ((b, t),),
            _odd_agreement,
        ),
        Call(
            "classes",
            lambda net, logits, present: (net.classes(logits, present),),
            _means,
            lambda b, t: ((b, 4),),
            _odd_means,
            in_time=False,
        ),
    ),
}
"""By part of the network; see `avdetect.api`."""


def per_tick(array: np.ndarray, t: int) -> np.ndarray:
    """An input with its ticks as an axis of their own: sound has 640 samples each. A view."""
    return array if array.shape[1] == t else array.reshape(len(array), t, SAMPLES_PER_TICK)


def followed(arrays: Arrays, t: int, more: int) -> Arrays:
    """Inputs of ``t`` ticks with ``more`` at the end that are masked, and hold zeros as such ticks do."""
    return tuple(
        np.concatenate([x, np.zeros((len(x), more * x.shape[1] // t, *x.shape[2:]), x.dtype)], axis=1) for x in arrays
    )

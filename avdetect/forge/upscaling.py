"""Part of a face, or all of it, made small and grown again by a neural network (super-resolution).

Generators of talking heads draw faces by a decoder that was trained to look sharp, and many restore them with a network
for that afterwards: what is left is a texture that no camera gives, inside of the seam or everywhere. A network for
super-resolution (Real-ESRGAN: Wang, Xie, Dong, Shan 2021; waifu2x) leaves such texture in a genuine face, and content
and motion alone. Networks are files in the format of ncnn that the user has; ``AVDETECT_UPSCALERS`` names them.
"""

from __future__ import annotations

import functools
import importlib
import os
import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from jaxtyping import Float32

from avdetect.forge.blending import Mask
from avdetect.forge.contract import Family, NetworkMissing
from avdetect.forge.resynthesis import Resynthesis, plan_resynthesis
from avdetect.forge.views import Image, PictureForge
from avdetect.types import FACE_SIZE, FaceTrack

VARIABLE = "AVDETECT_UPSCALERS"
REGIONS = {"crop": 0.4, "face": 0.3, "lower_half": 0.2, "mouth": 0.1}
"""What is grown again, and how often; ``crop`` is all that the face crop shows."""
GROWN = (0.75, 1.5)
"""Side of the grown face crop, in sides of the face crop."""
EDGE = 10
"""Pixels that are mirrored at each edge of what the network is given: it sees a few past what it gives."""


@dataclass(frozen=True)
class Upscaling(Resynthesis):
    """See :class:`avdetect.forge.resynthesis.Resynthesis`; ``upscaler`` is the file of the network."""

    upscaler: str = ""

    def _small(self, picture: Image, size: tuple[int, int]) -> Image:
        return upscaled(super()._small(picture, size), self.upscaler)

    def _mask(self, tick: int) -> Mask:
        if self.region == "crop":
            return np.ones((FACE_SIZE, FACE_SIZE), np.float32)
        return super()._mask(tick)


def plan_upscaling(track: FaceTrack, rng: np.random.Generator, others: Sequence[FaceTrack]) -> Upscaling:
    """Draws the network, how small the face is before, and what is replaced.

    Raises:
        NetworkMissing: no network is there (`VARIABLE`), or it is of another kind.
    """
    drawn = plan_resynthesis(track, rng, others)
    path = str(rng.choice(_files()))
    side = FACE_SIZE * float(np.exp(rng.uniform(*np.log(GROWN))))
    plan = Upscaling(**{name: getattr(drawn, name) for name in drawn.__dataclass_fields__ if name != "_masks"})
    return replace(
        plan,
        upscaler=path,
        region=str(rng.choice(list(REGIONS), p=list(REGIONS.values()))),
        blur=float(rng.uniform(0.8, 8)),
        coarse=side / _network(path)[1],
        sharpen=0.0,
        smooth=0.0,
        quality=int(rng.integers(70, 96)) if rng.random() < 0.3 else 0,
    )


def upscaled(picture: Image, path: str) -> Image:
    """A picture grown by a network, by as much as the network grows.

    Args:
        picture: RGB.
        path: of its ``.param`` file; the ``.bin`` lies beside it.

    Raises:
        NetworkMissing: it cannot be loaded or run.
    """
    net, scale = _network(path)
    edge = min(EDGE, *(n - 1 for n in picture.shape[:2]))
    padded = cv2.copyMakeBorder(picture, edge, edge, edge, edge, cv2.BORDER_REFLECT_101)
    made = _run(net, padded.astype(np.float32) / 255)
    h, w = (scale * n for n in picture.shape[:2])
    top, left = (made.shape[0] - h) // 2, (made.shape[1] - w) // 2
    if top < 0 or left < 0:
        raise NetworkMissing(f"{path} gives {made.shape[1]} x {made.shape[0]} pixels, where {w} x {h} are needed")
    return np.round(made[top : top + h, left : left + w] * 255).clip(0, 255).astype(np.uint8)


def networks() -> list[str]:
    """Names of the files that `VARIABLE` names, in order: what is drawn depends on them."""
    return [Path(part).name for part in _named()]


def _named() -> list[str]:
    return [part for part in os.environ.get(VARIABLE, "").split(os.pathsep) if part]


def _files() -> list[str]:
    named = _named()
    missing = [part for part in named if not Path(part).is_file()]
    if missing or not named:
        why = f"{missing[0]} is not there" if missing else "no network for super-resolution"
        raise NetworkMissing(f"{why}: set {VARIABLE} to .param files of ncnn, with {os.pathsep!r} between them")
    return named


_LOADING = threading.Lock()


def _network(path: str) -> tuple[Any, int]:
    with _LOADING:
        return _loaded(path)


@functools.lru_cache(maxsize=16)
def _loaded(path: str) -> tuple[Any, int]:
    """The network, and how many times larger what it gives is."""
    net = _ncnn().Net()
    net.opt.num_threads = 1  # many examples are made side by side
    net.opt.use_vulkan_compute = False
    net.opt.use_fp16_storage = net.opt.use_fp16_packed = net.opt.use_fp16_arithmetic = False
    if net.load_param(path) or net.load_model(str(Path(path).with_suffix(".bin"))):
        raise NetworkMissing(f"{path} cannot be loaded")
    # What is cut off at the edges is the same for both.
    a, b = (_run(net, np.zeros((n, n, 3), np.float32)).shape[0] for n in (64, 72))
    scale, rest = divmod(b - a, 8)
    if rest or scale < 1:
        raise NetworkMissing(f"{path} gives {a} pixels of 64 and {b} of 72, which is not a multiple")
    return net, scale


def _ncnn() -> Any:
    try:
        return importlib.import_module("ncnn")
    except ImportError:
        raise NetworkMissing("super-resolution needs ncnn: pip install --no-deps ncnn") from None


def _run(net: Any, picture: Float32[np.ndarray, "h w 3"]) -> Float32[np.ndarray, "u v 3"]:
    planes = np.ascontiguousarray(picture.transpose(2, 0, 1))  # ncnn looks into this memory and does not keep it alive
    extractor = net.create_extractor()
    extractor.input(net.input_names()[0], _ncnn().Mat(planes).clone())
    failed, made = extractor.extract(net.output_names()[0])
    grown = np.array(made)
    if failed or grown.ndim != 3 or len(grown) != 3:
        raise NetworkMissing("the network for super-resolution does not give a colour picture")
    return grown.transpose(1, 2, 0)


FAMILY = Family(
    PictureForge(plan_upscaling),
    changes=("picture",),
    about="the face, or a part of it, grown again from few pixels by a network for super-resolution",
    api_version=1,
)

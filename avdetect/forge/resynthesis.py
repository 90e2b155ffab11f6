"""Part of a face drawn anew by a generator that works at its own, coarser resolution, and laid back in.

Lip-sync generators make the lower face, or the whole of it, at 96 to 512 pixels whatever the film has, and paste it
into the frame. What remains visible after good blending is texture: it is finer or coarser inside of the seam than
outside, of another noise, sharpened, and it trembles by parts of a pixel from frame to frame. This forgery makes just
that and leaves content and motion alone, so that nothing else tells forged from genuine.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np
from jaxtyping import Bool, Float32

from avdetect.forge.blending import HULLS, Latest, Mask, hulls_mask, in_view, lay_over, on_canvas, sampled, slow_noise
from avdetect.forge.contract import Family
from avdetect.forge.views import Image, PictureForge, View, pixels_per_pixel
from avdetect.types import FACE_SIZE, FaceTrack

REGIONS = {"lower_half": 0.3, "below_forehead": 0.25, "mouth": 0.25, "face": 0.15, "box": 0.05}
"""What is drawn anew, and how often. ``lower_half`` is the face below the middle of the nose, as in most lip-sync
generators; ``box`` the same as an upright rectangle with a hard edge, as Wav2Lip pastes it."""
NOSE_BRIDGE = 195
COARSE = (44.0, 140.0)
"""Pixels that the generator spends on the side of the face crop. (Wav2Lip: about 96 over a box of two thirds of it.)"""
SHRINKING = (cv2.INTER_AREA, cv2.INTER_LINEAR, cv2.INTER_CUBIC, cv2.INTER_LANCZOS4)
GROWING = (cv2.INTER_LINEAR, cv2.INTER_CUBIC, cv2.INTER_LANCZOS4)


@dataclass(frozen=True)
class Resynthesis:
    """Everything decided for one clip.

    Attributes:
        region: one of `REGIONS`.
        blur: width of the mask's edge (standard deviation), pixels of the face crop.
        coarse: pixels of the generator for the side of the face crop.
        shrink, grow: interpolation of OpenCV on the way there and back.
        smooth: strength of an edge-preserving filter at that resolution, levels; 0 = none.
        quality: of JPEG at that resolution, standing for a generator's bottleneck; 0 = none.
        sharpen: share of an unsharp mask afterwards.
        noise: standard deviation of new grain, levels.
        shifts: per tick, pixels of the face crop.
        colour: RGB levels added.
        seed: of the grain.
    """

    edited: Bool[np.ndarray, " t"]
    landmarks: Float32[np.ndarray, "t 468 3"]
    region: str
    blur: float
    coarse: float
    shrink: int
    grow: int
    smooth: float
    quality: int
    sharpen: float
    noise: float
    shifts: Float32[np.ndarray, "t 2"]
    colour: Float32[np.ndarray, " 3"]
    seed: int
    keeps_lips: bool = True
    whole_picture: bool = False
    _masks: Latest = field(default_factory=Latest, repr=False, compare=False)

    def draw(self, view: View, tick: int) -> Image:
        """See `avdetect.forge.views.Plan`."""
        picture = view.pictures[tick]
        scale = pixels_per_pixel(view.places[tick])
        drawn = self._anew(picture, scale, tick)
        return lay_over(picture, drawn, in_view(self._masks.get(tick, self._mask), view, tick))

    def _anew(self, picture: Image, scale: float, tick: int) -> Image:
        """The whole picture as the generator would give it; ``scale`` is its pixels for one of the face crop."""
        h, w = picture.shape[:2]
        ratio = self.coarse / FACE_SIZE / scale
        small = self._small(picture, (max(8, round(w * ratio)), max(8, round(h * ratio))))
        y, x = np.mgrid[0:h, 0:w].astype(np.float32)
        dx, dy = self.shifts[tick] * scale
        # One resampling both grows the picture and moves it.
        kx, ky = small.shape[1] / w, small.shape[0] / h
        if self.grow == cv2.INTER_LINEAR:
            out = sampled(small, np.stack([(x + 0.5 - dx) * kx - 0.5, (y + 0.5 - dy) * ky - 0.5], -1))
        else:
            maps = ((x + 0.5 - dx) * kx - 0.5, (y + 0.5 - dy) * ky - 0.5)
            out = cv2.remap(small, *maps, self.grow, borderMode=cv2.BORDER_REFLECT_101)
        made = out.astype(np.float32)
        if self.sharpen:
            made += self.sharpen * (made - cv2.GaussianBlur(made, (0, 0), 1.2 * max(scale, 0.5)))
        if self.noise:
            grain = np.random.default_rng((self.seed, tick, h)).normal(0, self.noise, (h, w, 1))
            made += grain.astype(np.float32)
        return np.round(made + self.colour).clip(0, 255).astype(np.uint8)

    def _small(self, picture: Image, size: tuple[int, int]) -> Image:
        """What the generator gives, ``size`` (width, height) pixels of its own."""
        small = cv2.resize(picture, size, interpolation=self.shrink)
        if self.smooth:
            small = cv2.bilateralFilter(small, 5, self.smooth, 1.5)
        if self.quality:
            coded = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, self.quality])[1]
            small = np.asarray(cv2.imdecode(coded, cv2.IMREAD_COLOR))
        return small

    def _mask(self, tick: int) -> Mask:
        points = on_canvas(self.landmarks[tick])
        size = (FACE_SIZE, FACE_SIZE)
        if self.region in HULLS:
            mask = hulls_mask(points, HULLS[self.region], size)
        else:
            mask = hulls_mask(points, HULLS["face"], size)
            if self.region == "box":
                rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
                mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1] = 1
            mask[: max(0, round(float(points[NOSE_BRIDGE, 1])))] = 0
        return cv2.GaussianBlur(mask, (0, 0), self.blur) if self.blur else mask


def plan_resynthesis(track: FaceTrack, rng: np.random.Generator, others: Sequence[FaceTrack]) -> Resynthesis:
    """Draws the generator: its resolution, its filters, what it replaces, how it trembles."""
    region = str(rng.choice(list(REGIONS), p=list(REGIONS.values())))
    restored = rng.random() < 0.3  # a face restorer behind the generator: sharper than life
    coarse = float(np.exp(rng.uniform(*np.log(COARSE))))
    tremble = float(rng.choice([0.0, rng.uniform(0.05, 0.6)]))
    return Resynthesis(
        edited=track.visible,
        landmarks=track.landmarks,
        region=region,
        blur=0.0 if region == "box" else float(rng.uniform(0.8, 8)),
        coarse=coarse,
        shrink=int(rng.choice(SHRINKING)),
        grow=int(rng.choice(GROWING)),
        smooth=float(rng.choice([0.0, rng.uniform(4, 25)])),
        quality=int(rng.choice(np.array([0, rng.integers(55, 95)]))),
        sharpen=float(rng.uniform(0.5, 1.6) if restored else rng.choice([0.0, rng.uniform(0, 0.5)])),
        noise=float(rng.uniform(0.5, 3) if rng.random() < 0.25 else 0.0),
        shifts=(slow_noise(rng, (track.n_ticks, 2), memory=float(rng.choice([0.0, 0.7]))) * tremble).astype(np.float32),
        colour=rng.normal(0, 1.5, 3).astype(np.float32),
        seed=int(rng.integers(2**31)),
    )


FAMILY = Family(
    PictureForge(plan_resynthesis),
    changes=("picture",),
    about="part of the face drawn anew at a generator's resolution",
    api_version=1,
)

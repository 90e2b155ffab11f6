"""Self-blended faces: a face blended with a slightly changed copy of itself.

What remains is what every face swap and every lip-sync edit leaves: a boundary between two versions of a picture that
differ in colour, sharpness and place. Steps and ranges follow Shiohara and Yamasaki, "Detecting deepfakes with
self-blended images" (CVPR 2022), scaled to aligned crops of 160 pixels; masks of the mouth alone are added, since
lip-sync edits change no more than that.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np
from jaxtyping import Bool, Float32, Float64

from avdetect.forge.blending import (
    HULLS,
    Latest,
    Mask,
    between_views,
    elastic_map,
    hulls_mask,
    in_view,
    lay_over,
    on_canvas,
    slow_noise,
    soften,
)
from avdetect.forge.contract import Family
from avdetect.forge.views import FACE_PLACE, Image, PictureForge, View, compose, inverted, pixels_per_pixel
from avdetect.types import FACE_SIZE, FaceTrack

RATIOS = (0.25, 0.5, 0.75, 1.0, 1.0, 1.0)


def choose_hull(rng: np.random.Generator) -> tuple[tuple[int, ...], ...]:
    """Half of the masks are the whole face or, one in four of these, the face without the forehead."""
    kind = ("face", "parts", "features", "mouth")[rng.choice(4, p=[0.55, 0.1, 0.1, 0.25])]
    if kind == "face" and rng.random() < 0.25:
        kind = "below_forehead"
    return HULLS[kind]


@dataclass(frozen=True)
class SelfBlend:
    """A self-blend held over a clip: the same hull, change, outline and softness, moving a little from tick to tick.

    Attributes:
        change_seed: of the change to colour and sharpness, the same at every tick.
        on_target: change the surroundings instead of what is blended in.
        shifts: where the copy lies, pixels of the face crop.
        outline: maps that bend the mask's outline.
        ratio: how much of the copy is blended in.
    """

    edited: Bool[np.ndarray, " t"]
    landmarks: Float32[np.ndarray, "t 468 3"]
    hull: tuple[tuple[int, ...], ...]
    change_seed: int
    soften_seed: int
    on_target: bool
    shifts: Float64[np.ndarray, "t 2 3"]
    outline: tuple[np.ndarray, np.ndarray]
    ratio: float
    keeps_lips: bool = True
    _masks: Latest = field(default_factory=Latest, repr=False, compare=False)

    @property
    def whole_picture(self) -> bool:
        """See `avdetect.forge.views.Plan`."""
        return self.on_target

    def draw(self, view: View, tick: int) -> Image:
        """See `avdetect.forge.views.Plan`."""
        picture, place = view.pictures[tick], view.places[tick]
        changed = change(picture, np.random.default_rng(self.change_seed), pixels_per_pixel(place))
        source, target = (picture, changed) if self.on_target else (changed, picture)
        shift = between_views(compose(compose(inverted(FACE_PLACE), self.shifts[tick]), FACE_PLACE), place)
        size = picture.shape[1::-1]
        source = cv2.warpAffine(source, shift, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)
        return lay_over(target, source, in_view(self._masks.get(tick, self._mask), view, tick))

    def _mask(self, tick: int) -> Mask:
        size = (FACE_SIZE, FACE_SIZE)
        mask = hulls_mask(on_canvas(self.landmarks[tick]), self.hull, size)
        mask = cv2.warpAffine(mask, self.shifts[tick], size, flags=cv2.INTER_LINEAR)
        mask = cv2.remap(mask, *self.outline, cv2.INTER_LINEAR)
        return soften(mask, np.random.default_rng(self.soften_seed)) * np.float32(self.ratio)


def plan_self_blend(track: FaceTrack, rng: np.random.Generator, others: Sequence[FaceTrack]) -> SelfBlend:
    """Samples what holds for the clip; the copy's place wanders by a third of a pixel about its mean."""
    size = (FACE_SIZE, FACE_SIZE)
    shifts = np.repeat(random_shift(size, rng)[None], track.n_ticks, axis=0)
    shifts[:, :, 2] += slow_noise(rng, (track.n_ticks, 2), memory=0.8) * 0.33
    return SelfBlend(
        edited=track.visible,
        landmarks=track.landmarks,
        hull=choose_hull(rng),
        change_seed=int(rng.integers(2**31)),
        soften_seed=int(rng.integers(2**31)),
        on_target=bool(rng.random() < 0.5),
        shifts=shifts,
        outline=elastic_map(size, rng),
        ratio=float(rng.choice(RATIOS)),
    )


FAMILY = Family(
    PictureForge(plan_self_blend),
    changes=("picture",),
    about="face blended with a changed copy of itself (SBI)",
    api_version=1,
)


def change(face: Image, rng: np.random.Generator, scale: float = 1.0) -> Image:
    """Colour shift, hue and saturation, brightness and contrast; then either coarser or sharper.

    Args:
        face: any picture of the face.
        rng: all that is random.
        scale: pixels of the picture for one pixel of an aligned face crop.
    """
    # Half the published span for hue: blends that anybody sees teach nothing.
    face = recolour(face, rng, rgb=20 if rng.random() < 0.3 else 0, hsv=0.15, light=0.1)
    if rng.random() < 0.5:
        factor = int(rng.choice([2, 4])) * max(scale, 0.5)
        small = cv2.resize(face, None, fx=1 / factor, fy=1 / factor, interpolation=cv2.INTER_NEAREST)
        return cv2.resize(small, face.shape[1::-1], interpolation=cv2.INTER_LINEAR)
    amount = rng.uniform(0.2, 0.5)
    kernel = np.array([[-1, -1, -1], [-1, 8 + rng.uniform(0.5, 1.0), -1], [-1, -1, -1]], np.float32)
    sharp = cv2.filter2D(face, -1, kernel)
    return cv2.addWeighted(face, 1 - amount, sharp, amount, 0)


def recolour(face: Image, rng: np.random.Generator, *, rgb: float, hsv: float, light: float) -> Image:
    """Random shifts of the channels (levels), of hue, saturation and value (shares), of contrast and brightness."""
    x = face.astype(np.float32)
    if rgb:
        x = (x + rng.uniform(-rgb, rgb, 3)).clip(0, 255)
    if hsv:
        y = cv2.cvtColor(x.astype(np.float32) / 255, cv2.COLOR_RGB2HSV)
        y[..., 0] = (y[..., 0] + rng.uniform(-hsv, hsv) * 20) % 360
        y[..., 1:] = (y[..., 1:] + rng.uniform(-hsv, hsv, 2) * 0.4).clip(0, 1)
        x = cv2.cvtColor(y, cv2.COLOR_HSV2RGB) * 255
    if light:
        x = x * (1 + rng.uniform(-light, light)) + rng.uniform(-light, light) * 128
    return np.round(x).clip(0, 255).astype(np.uint8)


def random_shift(size: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """A move by up to 3 % across and 1.5 % down, and a zoom by up to 5 % about the middle, as a 2 x 3 matrix."""
    h, w = size
    matrix = cv2.getRotationMatrix2D((w / 2, h / 2), 0, rng.uniform(0.95, 1 / 0.95))
    matrix[:, 2] += rng.uniform(-1, 1, 2) * [0.03 * w, 0.015 * h]
    return matrix

"""From logits to probabilities and decisions: every number that is fitted on validation data, in one place.

A :class:`Calibration` is stored in a bundle as ``calibration.json``. The defaults are the neutral choice for a detector
that has not been calibrated (identity scaling, a wide inconclusive band); ``fit_temperature`` and ``fit_platt`` replace
the scaling by what validation clips say.
"""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass, field, fields, is_dataclass, replace
from typing import Any

import numpy as np
from jaxtyping import Float, Float64

FORMAT = "avdetect.calibration/1"
UNBOUNDED = 1e3
"""A logit that nothing reaches."""


@dataclass(frozen=True)
class Platt:
    """Scaling of a logit: ``p = sigmoid(logit / temperature + bias)`` (Platt 1999; Guo et al. 2017 with bias 0).

    The mean logit of a second says less than that of a minute. Where the number of ticks behind it is given, the scaled
    logit is shortened by ``n / (n + half_ticks)``, towards one half.

    Attributes:
        temperature: above 0.
        bias: in logits.
        half_ticks: from 0; ticks of evidence that count half. 0 = length does not matter.
        most: largest calibrated logit; what lies further out than anything that was fitted on says no more than that.
    """

    temperature: float = 1.0
    bias: float = 0.0
    half_ticks: float = 0.0
    most: float = UNBOUNDED

    def __post_init__(self) -> None:
        if not (math.isfinite(self.temperature) and self.temperature > 0 and math.isfinite(self.bias)):
            raise ValueError(f"temperature must be positive and bias finite, not {self.temperature!r}, {self.bias!r}")
        if not math.isfinite(self.most):
            raise ValueError(f"most must be finite, not {self.most!r}")
        _within(self, 0, math.inf, "half_ticks")

    def scale(
        self, logit: Float[np.ndarray, "*s"] | float, ticks: Float[np.ndarray, "*s"] | float | None = None
    ) -> Float64[np.ndarray, "*s"]:
        """Calibrated logits; NaN stays NaN.

        Args:
            logit: of the branch.
            ticks: how many measured ticks it is the mean of; without it, it counts in full.
        """
        scaled = np.asarray(logit, np.float64) / self.temperature + self.bias
        scaled = scaled if ticks is None else scaled * shortening(ticks, self.half_ticks)
        return np.minimum(scaled, self.most)

    def probability(
        self, logit: Float[np.ndarray, "*s"] | float, ticks: Float[np.ndarray, "*s"] | float | None = None
    ) -> Float64[np.ndarray, "*s"]:
        """Calibrated probabilities in [0, 1]; NaN stays NaN. Arguments as :meth:`scale`."""
        return sigmoid(self.scale(logit, ticks))


@dataclass(frozen=True)
class Isotonic:
    """The monotone map from logit to probability that fits best (Zadrozny and Elkan 2002); flat beyond its ends.

    Not part of a bundle: with few clips its steps are noise, and equal probabilities lose ranking. It is fitted to see
    whether a map of two parameters is enough.

    Attributes:
        logits: ascending.
        probabilities: at them, not falling; linear between.
    """

    logits: tuple[float, ...]
    probabilities: tuple[float, ...]

    def probability(self, logit: Float[np.ndarray, "*s"] | float) -> Float64[np.ndarray, "*s"]:
        """Calibrated probabilities in [0, 1]; NaN stays NaN."""
        return np.interp(np.asarray(logit, np.float64), self.logits, self.probabilities)


@dataclass(frozen=True)
class QualityMinima:
    """What a tick of a face track must offer before it is evidence (units of `types.Quality`).

    Size, sharpness and light were chosen by making 16 real clips (eyes 60 to 150 px apart) worse and correlating the
    opening of the lips over time with that of the untouched clip; the values are where a quarter of the clips falls
    below about 0.9:

    ========  ==========================================================================================
    size      10 px: 0.64, 14: 0.86, 18: 0.90, 22: 0.94, 28: 0.97, 36: 0.98 (first quartile)
    blur      sharpness 9: 0.99, 3: 0.96, 1.8: 0.91, 0.9: 0.77, 0.5: 0.16
    dark      light 0.16: 0.95, 0.08: 0.92, 0.04: 0.87, 0.02: 0.42
    ========  ==========================================================================================

    Sharpness falls with the light as well (light 0.08 measures 1.2 and is still good), so its limit lies lower than
    blur alone would have it. Turn and nod are where the far corner of the mouth goes out of sight; of 184 real clips
    the one turned farthest has a median of 51 degrees.

    Attributes:
        size_px: least distance between the outer eye corners.
        sharpness: least sharpness.
        yaw_deg: most turn to either side.
        pitch_deg: most nod up or down.
        light_min: least light.
        light_max: most light.
        presence: least presence.
        share: least part of the visible ticks that must pass all of these.
        texture_px: least distance of the eyes for the picture branch, which looks at what is fine in a face (lips can
            be followed in smaller ones). Films of validation people with 73 px, halved and coded at CRF 40, left it at
            chance.
    """

    size_px: float = 24.0
    sharpness: float = 0.9
    yaw_deg: float = 60.0
    pitch_deg: float = 45.0
    light_min: float = 0.05
    light_max: float = 0.97
    presence: float = 0.5
    share: float = 0.3
    texture_px: float = 45.0

    def __post_init__(self) -> None:
        _within(self, 0, math.inf, "size_px", "sharpness", "yaw_deg", "pitch_deg", "texture_px")
        _within(self, 0, 1, "light_min", "presence", "share")
        _within(self, self.light_min, 1, "light_max")


@dataclass(frozen=True)
class SegmentRule:
    """How per-tick probabilities become segments: smoothing, hysteresis, minimum length, gaps to bridge.

    A segment starts where the smoothed probability reaches ``enter`` and ends where it falls below ``leave``.
    """

    smooth_s: float = 0.6
    enter: float = 0.75
    leave: float = 0.5
    min_length_s: float = 0.6
    bridge_s: float = 0.4

    def __post_init__(self) -> None:
        _within(self, 0, math.inf, "smooth_s", "min_length_s", "bridge_s")
        _within(self, 0, 1, "enter")
        _within(self, 0, self.enter, "leave")


RULES = ("max", "noisy_or", "logistic")
RETIRED = ("offset_sharpness", "offset_sharpness_1s")
"""Keys of calibrations made before 0.5."""


@dataclass(frozen=True)
class VerdictRule:
    """How the branches' calibrated logits become one (see `avdetect.verdict.combine`).

    Attributes:
        name: ``max``, ``noisy_or`` or ``logistic``.
        visual, audio, sync, whole: from 0; what suspicion of the branch weighs (``logistic`` only).
        clear: from 0; what it weighs that no branch is suspicious (``logistic`` only).
    """

    name: str = "max"
    visual: float = 1.0
    audio: float = 1.0
    sync: float = 1.0
    whole: float = 1.0
    clear: float = 1.0

    def __post_init__(self) -> None:
        if self.name not in RULES:
            raise ValueError(f"the verdict's rule must be one of {', '.join(RULES)}, not {self.name!r}")
        _within(self, 0, math.inf, "visual", "audio", "sync", "whole", "clear")


@dataclass(frozen=True)
class Calibration:
    """Scaling, thresholds and minima of a detector.

    Attributes:
        visual, audio, sync: scaling of the branches' logits (after averaging over time).
        verdict: scaling of the combined logit of a file.
        rule: how the branches are combined.
        fake_above, real_below: a file is fake at or above the first probability and real at or below the second; the
            band between is inconclusive.
        zero_offset_ms: offset that the detector reads on clips known to be in sync; subtracted from every offset.
        speaking_confidence: lag-curve confidence (maximum minus median, similarity units) from which a face is taken
            to be the source of the sound.
        speaking_sharpness: the same for the standardised confidence (standard errors of the curve).
        offset_confidence: lag-curve confidence below which no offset is reported.
        offset_stability: stability of the lag curve's maximum (share of bootstrap draws) below which none is either.
        window_sharpness: standardised confidence from which the offset of one window of 2 s is believed.
        lip_motion: activity of the lips from which a face is taken to be talking (see ``sync.speaking``). Low on
            purpose: nineteen of twenty real talking clips are above 0.014.
        speech_probability: a tick is speech at or above this.
        min_duration_s: less visible or covered time than this is ``too_short``.
        min_speech_s: less speech than this is ``no_speech``.
        quality: minima of the picture.
        segments: how segments are cut.
        fitted_on: what the numbers were fitted on, in words; empty for the defaults.
    """

    visual: Platt = field(default_factory=Platt)
    audio: Platt = field(default_factory=Platt)
    sync: Platt = field(default_factory=Platt)
    verdict: Platt = field(default_factory=Platt)
    rule: VerdictRule = field(default_factory=VerdictRule)
    fake_above: float = 0.7
    real_below: float = 0.3
    zero_offset_ms: float = 0.0
    speaking_confidence: float = 0.12
    speaking_sharpness: float = 2.0
    offset_confidence: float = 0.06
    offset_stability: float = 0.7
    window_sharpness: float = 3.0
    lip_motion: float = 0.012
    speech_probability: float = 0.5
    min_duration_s: float = 1.0
    min_speech_s: float = 0.6
    quality: QualityMinima = field(default_factory=QualityMinima)
    segments: SegmentRule = field(default_factory=SegmentRule)
    fitted_on: str = ""

    def __post_init__(self) -> None:
        if not 0 <= self.real_below <= self.fake_above <= 1:
            raise ValueError(
                "need 0 <= real_below <= fake_above <= 1, "
                f"not real_below={self.real_below}, fake_above={self.fake_above}"
            )
        _within(self, 0, 1, "speech_probability")
        _within(self, 0, math.inf, "min_duration_s", "min_speech_s", "lip_motion", "offset_stability")
        _within(self, 0, math.inf, "speaking_confidence", "speaking_sharpness", "offset_confidence", "window_sharpness")

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types, with the format's name."""
        return {"format": FORMAT, **asdict(self)}

    def to_json(self) -> str:
        """The content of ``calibration.json``."""
        return json.dumps(self.to_dict(), indent=2, ensure_ascii=False) + "\n"

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Calibration:
        """The inverse of :meth:`to_dict`; missing keys take their defaults, those of older versions are passed over.

        Raises:
            ValueError: the format is another one, a key is unknown, or a value is not of its kind or range.
        """
        data = dict(data)
        found = data.pop("format", None)
        if found != FORMAT:
            raise ValueError(
                f"calibration has format {found!r}, this version reads {FORMAT!r}: export the bundle again"
            )
        return _update(cls(), {name: value for name, value in data.items() if name not in RETIRED}, "")

    @classmethod
    def from_json(cls, text: str) -> Calibration:
        """The inverse of :meth:`to_json`."""
        return cls.from_dict(json.loads(text))


def _within(settings: Any, low: float, high: float, *names: str) -> None:
    for name in names:
        value = getattr(settings, name)
        if not (low <= value <= high and math.isfinite(value)):
            allowed = f"in [{low:g}, {high:g}]" if math.isfinite(high) else f"finite and at least {low:g}"
            raise ValueError(f"{type(settings).__name__}.{name} must be {allowed}, not {value!r}")


def _update(value: Any, data: dict[str, Any], where: str) -> Any:
    known = {f.name for f in fields(value)}
    if unknown := sorted(set(data) - known):
        raise ValueError(f"unknown key {where}{unknown[0]} in the calibration; known there: {', '.join(sorted(known))}")
    changes = {}
    for name, new in data.items():
        old = getattr(value, name)
        if is_dataclass(old):
            if not isinstance(new, dict):
                raise ValueError(f"{where}{name} in the calibration must be an object, not {new!r}")
            changes[name] = _update(old, new, f"{where}{name}.")
        elif isinstance(old, str):
            if not isinstance(new, str):
                raise ValueError(f"{where}{name} in the calibration must be a text, not {new!r}")
            changes[name] = new
        elif isinstance(new, bool) or not isinstance(new, int | float) or not math.isfinite(new):
            raise ValueError(f"{where}{name} in the calibration must be a finite number, not {new!r}")
        else:
            changes[name] = float(new)
    return replace(value, **changes)


def shortening(ticks: Float[np.ndarray, "*s"] | float, half_ticks: float) -> Float64[np.ndarray, "*s"]:
    """``n / (n + half_ticks)``, 1 without ``half_ticks``."""
    n = np.asarray(ticks, np.float64)
    return np.ones_like(n) if half_ticks == 0 else n / (n + half_ticks)


def sigmoid(x: Float[np.ndarray, "*s"] | float) -> Float64[np.ndarray, "*s"]:
    """``1 / (1 + exp(-x))`` without overflow."""
    return 0.5 * (1.0 + np.tanh(0.5 * np.asarray(x, np.float64)))


def logit(p: Float[np.ndarray, "*s"] | float) -> Float64[np.ndarray, "*s"]:
    """``log(p / (1 - p))`` with ``p`` kept off 0 and 1 by 1e-6."""
    p = np.clip(np.asarray(p, np.float64), 1e-6, 1 - 1e-6)
    return np.log(p) - np.log1p(-p)


def fit_platt(logits: Float[np.ndarray, " n"], fake: np.ndarray, *, ridge: float = 1e-3) -> Platt:
    """Temperature and bias of the greatest likelihood on validation clips, by damped Newton steps.

    Targets are smoothed as Platt (1999) does, so that separable data keep finite parameters; Lin, Lin and Weng
    (2007) give the step control. ``ridge`` pulls towards the identity where there are few clips.

    Args:
        logits: one logit a clip; NaN entries are left out.
        fake: 1 or True where the clip is fake.
        ridge: weight of ``(1/temperature - 1)^2 + bias^2``, relative to one clip.

    Raises:
        ValueError: fewer than one clip of each class, or logits that rank real above fake.
    """
    return _fit(logits, fake, ridge=ridge, with_bias=True)


def fit_temperature(logits: Float[np.ndarray, " n"], fake: np.ndarray, *, ridge: float = 1e-3) -> Platt:
    """Temperature alone, bias 0 (Guo et al. 2017); arguments and errors as :func:`fit_platt`."""
    return _fit(logits, fake, ridge=ridge, with_bias=False)


def fit_isotonic(logits: Float[np.ndarray, " n"], fake: np.ndarray) -> Isotonic:
    """Isotonic regression of the labels on validation clips; equal logits are one point.

    Args:
        logits: one logit a clip; NaN entries are left out.
        fake: 1 or True where the clip is fake.

    Raises:
        ValueError: vectors of different lengths, or clips of one class only.
    """
    from scipy.optimize import isotonic_regression

    x, y = np.asarray(logits, np.float64), np.asarray(fake).astype(bool)
    if x.shape != y.shape or x.ndim != 1:
        raise ValueError(f"logits and labels must be two vectors of one length, not {x.shape} and {y.shape}")
    x, y = x[np.isfinite(x)], y[np.isfinite(x)]
    if y.all() or not y.any():
        raise ValueError(f"calibration needs clips of both classes, got {y.sum()} fake and {(~y).sum()} real")
    points, place, counts = np.unique(x, return_inverse=True, return_counts=True)
    share = np.bincount(place, weights=y, minlength=len(points)) / counts
    fitted = np.clip(isotonic_regression(share, weights=counts).x, 0.0, 1.0)
    return Isotonic(tuple(points.tolist()), tuple(fitted.tolist()))


def _fit(logits: np.ndarray, fake: np.ndarray, *, ridge: float, with_bias: bool) -> Platt:
    x = np.asarray(logits, np.float64)
    y = np.asarray(fake).astype(bool)
    if x.shape != y.shape or x.ndim != 1:
        raise ValueError(f"logits and labels must be two vectors of one length, not {x.shape} and {y.shape}")
    x, y = x[np.isfinite(x)], y[np.isfinite(x)]
    n_fake, n_real = int(y.sum()), int((~y).sum())
    if n_fake == 0 or n_real == 0:
        raise ValueError(f"calibration needs clips of both classes, got {n_fake} fake and {n_real} real")
    target = np.where(y, (n_fake + 1) / (n_fake + 2), 1 / (n_real + 2))
    design = np.stack([x, np.ones_like(x)], 1) if with_bias else x[:, None]
    prior = np.array([1.0, 0.0])[: design.shape[1]]

    def loss(theta: np.ndarray) -> float:
        z = design @ theta
        return float(np.sum(np.logaddexp(0, z) - target * z) + 0.5 * ridge * np.sum((theta - prior) ** 2))

    theta, value = prior.copy(), loss(prior)
    for _ in range(200):
        p = sigmoid(design @ theta)
        gradient = design.T @ (p - target) + ridge * (theta - prior)
        hessian = (design * (p * (1 - p))[:, None]).T @ design + (ridge + 1e-12) * np.eye(len(theta))
        step, size = np.linalg.solve(hessian, gradient), 1.0
        while size > 1e-10 and loss(theta - size * step) > value - 1e-4 * size * float(gradient @ step):
            size *= 0.5
        theta = theta - size * step
        before, value = value, loss(theta)
        if before - value <= 1e-12 * max(1.0, abs(value)):
            break
    if theta[0] <= 1e-6:
        raise ValueError(
            f"the logits rank real above fake (slope {theta[0]:.3g}): the branch has learned nothing on these clips, "
            "or the labels are swapped"
        )
    return Platt(temperature=float(1 / theta[0]), bias=float(theta[1]) if with_bias else 0.0)

"""Does the offset grow? A robust line through the offsets of a track."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

MIN_SPAN_S = 20.0
"""Below this, a drift that a viewer would notice in an hour is lost in the noise of the windows."""
MIN_WINDOWS = 8
MAX_HALF_WIDTH_PPM = 500.0
"""An interval wider than this to either side cannot tell 23.976 for 24 Hz (1000 ppm) from none: nothing is reported."""
MAX_POINTS = 400


@dataclass(frozen=True)
class Drift:
    """Growth of the offset, parts per million (1000 ppm: the sound gets 1 ms later every second).

    Attributes:
        ppm: slope, or ``None`` where it could not be measured.
        ci_ppm: 95 % interval.
        offset_at_start_ms: the line's offset at time 0 of the track.
        why_not: full sentence saying why there is no figure; empty where there is one.
    """

    ppm: float | None
    ci_ppm: tuple[float, float] | None = None
    offset_at_start_ms: float | None = None
    why_not: str = ""


def estimate_drift(
    times_s: Float[np.ndarray, " n"], offsets_ms: Float[np.ndarray, " n"], *, stride: float = 1
) -> Drift:
    """Theil-Sen slope (Theil 1950; Sen 1968) with Sen's rank interval.

    Up to 29 % of the windows may be wrong by any amount. NaN offsets are left out.

    Args:
        times_s: middles of the windows, ascending.
        offsets_ms: their offsets.
        stride: windows that overlap: every ``stride``-th is independent. All are used for the slope, and the
            interval is widened by the square root of ``stride``.
    """
    good = np.isfinite(offsets_ms)
    x, y = np.asarray(times_s, np.float64)[good], np.asarray(offsets_ms, np.float64)[good]
    independent = len(x) / stride
    if independent < MIN_WINDOWS or x[-1] - x[0] < MIN_SPAN_S:
        span = float(x[-1] - x[0]) if len(x) else 0.0
        return Drift(
            None,
            why_not=f"Drift needs reliable offsets over at least {MIN_SPAN_S:.0f} s; there are "
            f"{span:.0f} s with {int(independent)} independent windows.",
        )
    if len(x) > MAX_POINTS:
        keep = np.unique(np.linspace(0, len(x) - 1, MAX_POINTS).round().astype(int))
        stride = max(1.0, stride * len(keep) / len(x))
        x, y = x[keep], y[keep]
    n = len(x)
    i, j = np.triu_indices(n, 1)
    slopes = np.sort((y[j] - y[i]) / (x[j] - x[i]))
    slope = float(np.median(slopes))
    # Kendall's S has variance n (n - 1) (2n + 5) / 18; overlapping windows inflate it.
    reach = 1.959964 * np.sqrt(n * (n - 1) * (2 * n + 5) / 18.0 * stride)
    low = slopes[int(np.clip(np.floor((len(slopes) - reach) / 2), 0, len(slopes) - 1))]
    high = slopes[int(np.clip(np.ceil((len(slopes) + reach) / 2), 0, len(slopes) - 1))]
    if (high - low) / 2 * 1000 > MAX_HALF_WIDTH_PPM:
        return Drift(
            None,
            why_not=f"Drift could not be measured: its interval spans {low * 1000:.0f} to {high * 1000:.0f} ppm.",
        )
    start = float(np.median(y - slope * x))
    return Drift(slope * 1000, (float(low) * 1000, float(high) * 1000), start)

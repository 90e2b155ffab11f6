"""A picture of a file's lip sync: where lips and sound agree, over time and lag."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from avdetect.report.audit import Audit, TrackAudit
from avdetect.sync.band import BAND_MS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_INK, _FAINT, _BAND, _LINE = "#1c2733", "#8894a0", "#2a9d8f", "#e4572e"
_SPEAKS = {True: "speaking", False: "not speaking", None: "perhaps speaking"}
_MAX_COLUMNS = 1500
"""Windows drawn of a long file: more would be thinner than a pixel."""


def plot_audit(audit: Audit, path: str | Path) -> None:
    """Write the plot of an audit as a PNG (or what the ending of ``path`` says).

    Raises:
        ValueError: no face in the file has sound to compare with, so that there is nothing to draw.
        OSError: the file cannot be written.
    """
    figure = audit_figure(audit)
    figure.savefig(path, dpi=130, facecolor="white")


def audit_figure(audit: Audit) -> Figure:
    """A heat map of lag against time, the offset over time with its intervals and the pass band, and the lag curve."""
    # Not pyplot: no global state, no window system.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    track = audit.main
    if track is None or track.picture is None:
        raise ValueError(f"{audit.file.path}: there is no face with sound, so there is no lip sync to plot")
    figure = Figure(figsize=(11.5, 6.6), layout="constrained")
    FigureCanvasAgg(figure)
    grid = figure.add_gridspec(2, 2, width_ratios=[4.2, 1], height_ratios=[1, 1])
    heat = figure.add_subplot(grid[0, 0])
    offsets = figure.add_subplot(grid[1, 0], sharex=heat)
    curve = figure.add_subplot(grid[0, 1], sharey=heat)
    text = figure.add_subplot(grid[1, 1])
    _draw_heat(figure, heat, track)
    _draw_offsets(offsets, track)
    _draw_curve(curve, track)
    _draw_text(text, audit, track)
    for axes in (heat, offsets, curve):
        axes.tick_params(colors=_INK, labelsize=8)
        for side in ("top", "right"):
            axes.spines[side].set_visible(False)
        for side in ("left", "bottom"):
            axes.spines[side].set_color(_FAINT)
    heat.tick_params(labelbottom=False)
    curve.tick_params(labelleft=False)
    name = Path(audit.file.path).name or "clip"
    figure.suptitle(f"{name}: {_headline(audit, track)}", x=0.01, ha="left", fontsize=13, color=_INK, weight="bold")
    return figure


def _headline(audit: Audit, track: TrackAudit) -> str:
    if len(track.segments) > 1:
        return f"the offset jumps, {len(track.segments)} stretches"
    if drifts(track):
        return f"{audit.offset_text} on average, drifting by {track.drift_ppm:+.0f} ppm"
    return audit.offset_text


def drifts(track: TrackAudit) -> bool:
    """Whether the drift can be told from none."""
    ci = track.drift_ci_ppm
    return track.drift_ppm is not None and ci is not None and ci[0] * ci[1] > 0


def _draw_heat(figure: Figure, axes: Axes, track: TrackAudit) -> None:
    picture = track.picture
    assert picture is not None
    step = max(1, -(-len(picture.times_s) // _MAX_COLUMNS))
    times, curves = picture.times_s[::step], picture.curves[::step]
    shown = np.ma.masked_invalid((curves - _row_medians(curves)).T)
    top = float(np.quantile(shown.compressed(), 0.995)) if shown.count() else 1.0
    mesh = axes.pcolormesh(
        _edges(times), _edges(picture.lags_ms), shown, cmap="magma", vmin=0.0, vmax=max(top, 0.15), rasterized=True
    )
    axes.set_facecolor("#e9ecef")
    axes.set_ylabel("sound late by, ms", fontsize=9, color=_INK)
    axes.set_title("Agreement of lips and sound (2 s windows)", loc="left", fontsize=9.5, color=_INK)
    bar = figure.colorbar(mesh, ax=axes, pad=0.01, fraction=0.025)
    bar.ax.tick_params(labelsize=7, colors=_INK)
    bar.outline.set_visible(False)  # type: ignore[operator]


def _row_medians(curves: np.ndarray) -> np.ndarray:
    some = np.asarray(np.isfinite(curves).any(axis=1))
    return np.where(some, np.nanmedian(np.where(some[:, None], curves, 0.0), axis=1), np.nan)[:, None]


def _edges(middles: np.ndarray) -> np.ndarray:
    """Edges of cells around their middles."""
    if len(middles) == 1:
        return np.array([middles[0] - 0.2, middles[0] + 0.2])
    inner = (middles[1:] + middles[:-1]) / 2
    return np.concatenate([[2 * middles[0] - inner[0]], inner, [2 * middles[-1] - inner[-1]]])


def _draw_offsets(axes: Axes, track: TrackAudit) -> None:
    picture = track.picture
    assert picture is not None
    axes.axhspan(*BAND_MS, color=_BAND, alpha=0.13, lw=0)
    for edge in BAND_MS:
        axes.axhline(edge, color=_BAND, lw=0.8, alpha=0.6)
    axes.axhline(0, color=_FAINT, lw=0.8)
    times = np.array([p.t_s for p in track.timeline])
    found = np.array([np.nan if p.offset_ms is None else p.offset_ms for p in track.timeline])
    sloping = drifts(track) and np.isfinite(found).any()
    if sloping:
        slope = (track.drift_ppm or 0.0) * 1e-3
        line = np.nanmedian(found - slope * times) + slope * times
        axes.plot(times, line, color=_LINE, lw=2)
    for entry in track.segments:
        if entry.offset_ms is None or sloping:
            continue
        span = (entry.start_s, entry.end_s)
        if entry.offset_ci_ms is not None:
            axes.fill_between(span, *entry.offset_ci_ms, color=_LINE, alpha=0.22, lw=0)
        axes.plot(span, [entry.offset_ms] * 2, color=_LINE, lw=2, solid_capstyle="butt")
    axes.plot(times, found, "o", color=_INK, ms=3.4, mew=0, alpha=0.75)
    low, high = float(picture.lags_ms[0]), float(picture.lags_ms[-1])
    values = np.concatenate([found[np.isfinite(found)], BAND_MS, [e for s in track.segments for e in _ends(s)]])
    margin = 40.0
    axes.set_ylim(max(low, values.min() - margin), min(high, values.max() + margin))
    axes.text(
        1.0, BAND_MS[1], "−45 ... +125 ms accepted (ITU-R BT.1359) ", transform=axes.get_yaxis_transform(),
        ha="right", va="bottom", fontsize=7.5, color=_BAND,
    )  # fmt: skip
    if not np.isfinite(found).any():
        axes.text(0.5, 0.5, "no reliable window", transform=axes.transAxes, ha="center", fontsize=11, color=_FAINT)
    axes.set_xlim(_edges(picture.times_s)[0], _edges(picture.times_s)[-1])
    axes.set_ylabel("offset, ms (+ = sound late)", fontsize=9, color=_INK)
    axes.set_xlabel("time in the file, s", fontsize=9, color=_INK)
    axes.set_title(
        "Offset: windows (dots), drift (line)"
        if sloping
        else "Offset: windows (dots), stretches with 95 % interval (line)",
        loc="left",
        fontsize=9.5,
        color=_INK,
    )


def _ends(entry: object) -> tuple[float, ...]:
    return tuple(
        v for v in (*(getattr(entry, "offset_ci_ms", None) or ()), getattr(entry, "offset_ms", None)) if v is not None
    )


def _draw_curve(axes: Axes, track: TrackAudit) -> None:
    picture = track.picture
    assert picture is not None
    axes.axhspan(*BAND_MS, color=_BAND, alpha=0.13, lw=0)
    if np.isfinite(picture.whole).any():
        axes.axvline(float(np.nanmedian(picture.whole)), color=_FAINT, lw=0.8, ls=(0, (3, 3)))
        axes.plot(picture.whole, picture.lags_ms, "-o", color=_INK, lw=1.4, ms=2.6)
    if track.whole.offset_ms is not None:
        axes.axhline(track.whole.offset_ms, color=_LINE, lw=1.2)
    axes.set_title("Whole track", loc="left", fontsize=9.5, color=_INK)
    axes.set_xlabel("similarity", fontsize=9, color=_INK)


def _draw_text(axes: Axes, audit: Audit, track: TrackAudit) -> None:
    axes.axis("off")
    ci, confidence = audit.offset_ci_ms, audit.confidence
    rows = (
        ("face", f"{track.id}, {_SPEAKS[track.speaking]}"),
        ("offset", f"{audit.offset_ms:+.0f} ms" if audit.offset_ms is not None else "not measured"),
        ("95 % interval", f"{ci[0]:+.0f} ... {ci[1]:+.0f} ms" if ci is not None else "-"),
        ("band", audit.band),
        ("confidence", f"{confidence:.2f}" if confidence is not None else "-"),
        ("drift", f"{audit.drift_ppm:+.0f} ppm" if audit.drift_ppm is not None else "not measured"),
        ("stretches", str(len(track.segments))),
    )
    for i, (name, value) in enumerate(rows):
        y = 0.96 - 0.135 * i
        axes.text(0.0, y, name, fontsize=7.5, color=_FAINT, va="top", transform=axes.transAxes)
        axes.text(0.0, y - 0.05, value, fontsize=10, color=_INK, va="top", transform=axes.transAxes)

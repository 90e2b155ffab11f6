"""What is left of the verdict when files are shared the way people share them: halved, compressed hard, thin sound.

The files themselves are coded again and scored from end to end, faces found anew.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import imageio_ffmpeg
import numpy as np

from avdetect import metrics
from avdetect.detector import Detector
from avdetect.inference import score_file
from avdetect.media.errors import MediaError

ROUNDS = 1000
TIMEOUT_S = 300


def compress(source: Path, target: Path, *, crf: int, share: float, kbps: int) -> None:
    """H.264 at a constant rate factor, both sides scaled, the sound as mono AAC.

    Args:
        source: any video.
        target: ends in ``.mp4``.
        crf: 0 to 51, higher = worse.
        share: of each side that is left.
        kbps: of the sound.

    Raises:
        MediaError: it cannot be coded.
    """
    even = f"trunc(iw*{share}/2)*2:trunc(ih*{share}/2)*2"
    command = [
        imageio_ffmpeg.get_ffmpeg_exe(), "-nostdin", "-loglevel", "error", "-y", "-protocol_whitelist", "file",
        "-i", str(source.resolve()), "-vf", f"scale={even}", "-c:v", "libx264", "-crf", str(crf), "-pix_fmt", "yuv420p",
        "-c:a", "aac", "-ac", "1", "-b:a", f"{kbps}k", str(target),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S)
    if done.returncode:
        raise MediaError(source, f"it cannot be coded again ({done.stderr.strip()[-300:]})")


def compressed_rows(
    files: Sequence[tuple[Path, str, dict[str, Any]]],
    detector: Detector,
    *,
    keep: Path,
    crf: int,
    share: float,
    kbps: int,
    progress: Callable[[int], None] | None = None,
) -> list[dict[str, Any]]:
    """Probabilities of files as they are and compressed.

    Args:
        files: path, name and index row (``visual_fake``, ``audio_fake``, ``identity``) of each.
        detector: with its calibration.
        keep: folder where finished rows are kept.
        crf: see :func:`compress`.
        share: the same.
        kbps: the same.
        progress: called with the number of finished files.
    """
    keep.mkdir(parents=True, exist_ok=True)
    how = {"model": detector.card.get("sha256"), "crf": crf, "share": share, "kbps": kbps}
    found = []
    for n, (path, name, row) in enumerate(files, 1):
        done = keep / f"{name.replace('/', '__')}.json"
        stored = json.loads(done.read_text()) if done.is_file() else {}
        if stored.get("how") != how:
            with tempfile.TemporaryDirectory() as folder:
                copy = Path(folder) / "copy.mp4"
                try:
                    before = score_file(path, detector).probability_fake
                    compress(path, copy, crf=crf, share=share, kbps=kbps)
                    stored = {"how": how, "before": before, "after": score_file(copy, detector).probability_fake}
                except (MediaError, subprocess.TimeoutExpired) as error:
                    stored = {"how": how, "before": None, "after": None, "error": str(error)}
            done.write_text(json.dumps(stored))
        fake = "1" in (str(row.get("visual_fake")), str(row.get("audio_fake")))
        person = f"{row.get('source')}/{row.get('identity') or name}"
        found.append({"path": name, "fake": fake, "person": person, **stored})
        if progress is not None:
            progress(n)
    return found


def compression_figures(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """AUC before and after on files that have a probability both times, and the loss; intervals over people."""
    kept = [r for r in rows if r["before"] is not None and r["after"] is not None]
    fake = np.array([r["fake"] for r in kept], bool)
    values = {name: np.array([r[name] for r in kept], float) for name in ("before", "after")}

    def auc(name: str, i: np.ndarray) -> float:
        return metrics.auc(values[name][i][fake[i]], values[name][i][~fake[i]])

    def lost(i: np.ndarray) -> float:
        return auc("before", i) - auc("after", i)

    people, every = [r["person"] for r in kept], np.arange(len(kept))
    figures: dict[str, Any] = {"files": len(rows), "scored": len(kept), "forged": int(fake.sum())}
    for name in ("before", "after"):
        figures[name] = auc(name, every)
        figures[f"{name}_ci"] = list(metrics.bootstrap(lambda i, n=name: auc(n, i), people, rounds=ROUNDS))
    abstained = [r["after"] is None for r in rows if r["before"] is not None]
    figures["abstained_after"] = int(sum(abstained))
    return figures | {"lost": lost(every), "lost_ci": list(metrics.bootstrap(lost, people, rounds=ROUNDS))}

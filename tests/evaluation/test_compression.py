"""Compressed copies: what they are, that finished ones are kept, that a broken file ends nothing."""

from __future__ import annotations

import json
from pathlib import Path

import av
import numpy as np
import pytest

from avdetect.evaluation.targets import compression
from avdetect.media.errors import MediaError
from avdetect.testing import write_synthetic_video
from tests.small_nets import small_detector


def test_a_copy_is_half_as_large_and_thin(tmp_path: Path) -> None:
    source, copy = tmp_path / "a.mp4", tmp_path / "b.mp4"
    write_synthetic_video(source, seconds=1.0, width=322, height=240)
    compression.compress(source, copy, crf=40, share=0.5, kbps=16)
    with av.open(str(copy)) as made:
        assert (made.streams.video[0].width, made.streams.video[0].height) == (160, 120)
        assert made.streams.video[0].codec_context.name == "h264" and made.streams.audio[0].channels == 1
    assert copy.stat().st_size < source.stat().st_size


def test_what_is_no_video_is_named(tmp_path: Path) -> None:
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"no video at all")
    with pytest.raises(MediaError, match=r"broken\.mp4: it cannot be coded again"):
        compression.compress(broken, tmp_path / "b.mp4", crf=40, share=0.5, kbps=16)


def test_files_are_scored_twice_and_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    good, broken = tmp_path / "good.mp4", tmp_path / "broken.mp4"
    write_synthetic_video(good, seconds=1.2)
    broken.write_bytes(b"no video at all")
    files = [(p, f"f/{p.name}", {"source": "s", "identity": p.stem, "visual_fake": "0"}) for p in (good, broken)]

    def rows() -> list[dict]:
        how = {"crf": 40, "share": 0.5, "kbps": 16}
        return compression.compressed_rows(files, small_detector(), keep=tmp_path / "kept", **how)  # type: ignore[arg-type]

    first = rows()
    assert "before" in first[0] and "error" not in first[0]
    assert first[1]["before"] is None and "broken.mp4" in first[1]["error"]
    monkeypatch.setattr(compression, "score_file", None)
    assert json.dumps(rows()) == json.dumps(first), "nothing is scored again"


def test_the_loss_is_of_the_same_files() -> None:
    rows = [{"fake": bool(i % 2), "person": f"p{i}", "before": 0.2 + 0.5 * (i % 2), "after": 0.5} for i in range(8)]
    rows.append({"fake": True, "person": "q", "before": 0.9, "after": None})
    found = compression.compression_figures(rows)
    assert (found["files"], found["scored"], found["abstained_after"]) == (9, 8, 1)
    assert (found["before"], found["after"], found["lost"]) == (1.0, 0.5, 0.5)
    assert np.isfinite(found["lost_ci"]).all()

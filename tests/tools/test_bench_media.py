from __future__ import annotations

from pathlib import Path

import av
import pytest

from avdetect.testing import write_synthetic_video
from tools.bench_media import repeated


def test_a_repeated_file_is_that_much_longer_and_plays_through(tmp_path: Path) -> None:
    source = write_synthetic_video(tmp_path / "a.mp4", seconds=2, width=160, height=120)
    path = repeated(source, 3)
    with av.open(str(path)) as container:
        times = [float(f.time) for f in container.decode(video=0) if f.time is not None]
    assert len(times) == 150
    assert times == sorted(times)
    assert times[-1] == pytest.approx(6.0 - 0.04, abs=0.15)
    assert repeated(source, 3) == path, "made once"

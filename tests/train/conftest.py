"""Small stores of drawn speakers, and configurations of seconds."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from avdetect.config import Config, DataConfig, OptimConfig, TrainConfig
from avdetect.data.records import encode, record_of
from avdetect.data.store import RecordWriter
from avdetect.testing import synthetic_clip
from tests.small_nets import small_config

TICKS = 36


@pytest.fixture(autouse=True)
def sigterm_as_before() -> Iterator[None]:
    """The loop takes SIGTERM for itself."""
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


@pytest.fixture(scope="session")
def records(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight clips of four speakers to train on and six of three others to validate, some of them called false."""
    folder = tmp_path_factory.mktemp("train") / "records"
    with RecordWriter(folder) as writer:
        for i in range(14):
            speaker = i // 2
            clip = synthetic_clip(100 + i, TICKS)
            assert clip.audio is not None
            level = np.abs(clip.audio.reshape(TICKS, -1)).max(axis=1)
            fake = i % 2 == 1 and speaker in (3, 5)
            meta = {
                "key": f"{speaker}/{i}#0@0",
                "path": f"{speaker}/{i}.mp4",
                "source": "drawn",
                "identity": f"speaker{speaker}",
                "split": "train" if speaker < 4 else "val",
                "track_id": 0,
                "start_tick": 0,
                "audio_rate": 16000,
                "visual_fake": "1" if fake else "0",
                "audio_fake": "1" if fake else "0",
                "generator": "pen" if fake else "",
                "label": "FVFA" if fake else "RVRA",
            }
            record = record_of(clip, meta["key"], meta, speech=(level > 0.05).astype(float))
            writer.add(encode(record), meta)
    return folder


@pytest.fixture(scope="session")
def make_config(records: Path) -> Callable[..., Config]:
    """``make_config(part, **train)``: the small network of a part on the small store."""

    def make(part: str, **train: object) -> Config:
        options = {"steps": 12, "batch": 8, "log_every": 5, "eval_every": 6, "save_every": 100, **train}
        return Config(
            name="test",
            model=small_config() if part == "all" else small_config(part),
            data=DataConfig(records=str(records), ticks=28),
            optim=OptimConfig(lr=5e-3, warmup=2, ema=0.9),
            train=TrainConfig(part=part, **options),  # type: ignore[arg-type]
        )

    return make

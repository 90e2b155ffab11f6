"""Evidence that is kept is the evidence that is measured, whatever the head, the change and the other sound."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from avdetect.calibration import Calibration
from avdetect.data.records import encode, record_of
from avdetect.data.store import RecordStore, RecordWriter
from avdetect.detector import Detector
from avdetect.evidence_folder import EvidenceFolder, encoders_digest, model_digest
from avdetect.testing import synthetic_clip
from avdetect.verdict import TrackEvidence
from tests.small_nets import randomise, small_detector, small_net


@pytest.fixture
def store(tmp_path: Path) -> RecordStore:
    with RecordWriter(tmp_path / "records") as writer:
        for i in range(2):
            meta = {"key": f"c{i}#0@0", "path": f"c{i}.mp4", "source": "s", "identity": f"p{i}", "track_id": 0,
                    "start_tick": 0, "visual_fake": "0", "audio_fake": "0", "generator": ""}  # fmt: skip
            writer.add(encode(record_of(synthetic_clip(i, 60), meta["key"], meta, speech=np.ones(60))), meta)
    return RecordStore(tmp_path / "records")


@pytest.fixture(scope="module")
def other_head() -> Detector:
    net = small_net()
    randomise(net.fusion, seed=7)
    return Detector(net, Calibration(), card={})


def same(a: TrackEvidence | None, b: TrackEvidence | None) -> bool:
    assert a is not None and b is not None
    pairs = [(getattr(a.evidence, f.name), getattr(b.evidence, f.name)) for f in dataclasses.fields(a.evidence)]
    pairs += [(a.visible, b.visible), (a.audio_valid, b.audio_valid), (a.lip_motion, b.lip_motion)]
    assert a.quality is not None and b.quality is not None
    pairs += [(getattr(a.quality, f.name), getattr(b.quality, f.name)) for f in dataclasses.fields(a.quality)]
    return all(x is y or (x is not None and y is not None and np.array_equal(x, y, equal_nan=True)) for x, y in pairs)


def measured(detector: Detector, store: RecordStore, folder: Path | None, **options: object) -> list[TrackEvidence]:
    found = EvidenceFolder(detector, folder).of(store, 0, 1, **options)  # type: ignore[arg-type]
    assert found is not None and found[1] is not None
    return [found[0], found[1]]


def test_what_is_kept_is_what_is_measured(store: RecordStore, tmp_path: Path) -> None:
    straight = measured(small_detector(), store, None)
    first = measured(small_detector(), store, tmp_path / "e")
    again = measured(small_detector(), store, tmp_path / "e")
    assert all(same(a, b) for a, b in zip(straight * 2, first + again, strict=True))
    assert not same(straight[0], straight[1]), "the other clip's sound is another sound"


def test_another_head_hears_what_the_encoders_said(
    store: RecordStore, tmp_path: Path, other_head: Detector, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert encoders_digest(other_head) == encoders_digest(small_detector())
    assert model_digest(other_head) != model_digest(small_detector())
    first = measured(small_detector(), store, tmp_path)
    straight = measured(other_head, store, None)
    monkeypatch.setattr(RecordStore, "read", lambda *a, **k: pytest.fail("a clip was read again"))
    with_other = measured(other_head, store, tmp_path)
    assert all(same(a, b) for a, b in zip(straight, with_other, strict=True))
    assert not same(first[0], with_other[0])
    assert same(first[0], measured(small_detector(), store, tmp_path)[0])


def test_a_changed_clip_is_kept_under_the_name_of_the_change(store: RecordStore, tmp_path: Path) -> None:
    def quiet(clip, key):
        assert key == "c0#0@0"
        return dataclasses.replace(clip, audio=clip.audio * np.float32(0.01))

    plain = measured(small_detector(), store, tmp_path)
    changed = measured(small_detector(), store, tmp_path, change=quiet, changed="quiet")
    assert not same(plain[0], changed[0])
    assert same(changed[0], measured(small_detector(), store, tmp_path, change=quiet, changed="quiet")[0])
    assert same(plain[0], measured(small_detector(), store, tmp_path)[0])
    with pytest.raises(ValueError, match="needs a name"):
        measured(small_detector(), store, tmp_path, change=quiet)

"""Texture networks trained from measures that are taken once: what is shared, what is left out, what is learned."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from avdetect.config import Config, DataConfig, ModelConfig, OptimConfig, TextureConfig, TrainConfig
from avdetect.data import texture_bank
from avdetect.data.records import encode
from avdetect.data.store import RecordStore, RecordWriter
from avdetect.data.texture_bank import Measured, measured_clips
from avdetect.models.texture import FACE_MEASURES, MOUTH_MEASURES
from avdetect.testing import synthetic_clip
from tests.small_upscaler import install_upscaler
from train.loop import train
from train.stepwise import as_task
from train.tasks import make_task
from train.tasks.texture import FaceBatches, TextureTask

TICKS = 15


@pytest.fixture(autouse=True)
def few_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(texture_bank, "MOST", 3)
    monkeypatch.setattr(texture_bank, "RECORDED_DRAWS", 3)


def measure(faces: np.ndarray, mouths: np.ndarray) -> np.ndarray:
    """Two numbers a face."""
    return np.stack([faces.mean(axis=(1, 2, 3)), mouths.std(axis=(1, 2, 3, 4))], axis=-1)


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory, make_record) -> Path:
    """Eight genuine clips of two sources; of the first of each source there is a recorded forgery."""
    folder = tmp_path_factory.mktemp("records")
    with RecordWriter(folder) as writer:
        for i in range(10):
            track = synthetic_clip(i % 8, TICKS).track
            assert track is not None
            forged = i >= 8
            meta = {
                "source": "ab"[i % 2], "identity": f"p{i % 8}", "visual_fake": "1" if forged else "0", "fold": i,
                "label": "FVRA" if forged else "RVRA", "pair": f"clip{i - 8}" if i == 8 else None,
                "generator": "maker" if forged else None, "split": "train", "path": f"clip{i}",
            }  # fmt: skip
            record = replace(
                make_record(i, TICKS, sound=False, speech=False, **meta),
                mouths=track.mouths, faces=track.faces[::5], landmarks=track.landmarks.astype(np.float16),
                visible=np.ones(TICKS, bool),
            )  # fmt: skip
            writer.add(encode(record), record.meta)
    return folder


@pytest.fixture
def config(records: Path, tmp_path: Path) -> Config:
    return Config(
        name="faces",
        model=ModelConfig(visual_encoder="texture", visual=TextureConfig(hidden=8, dropout=0.0)),
        data=DataConfig(
            records=str(records), ticks=11, faces=2, sound=False, paired=True, bank=str(tmp_path / "bank"),
            forgeries=("resynthesis=1",), train_where="fold=0,1,2,3,4,5,8,9", val_where="fold=6,7", threads=1,
        ),
        optim=OptimConfig(lr=1e-2, warmup=5),
        train=TrainConfig(
            part="visual", steps=150, batch=8, log_every=30, eval_every=150, save_every=150, tensorboard=False
        ),
    )  # fmt: skip


def same(a: list[Measured], b: list[Measured]) -> None:
    assert [m.row for m in a] == [m.row for m in b]
    for x, y in zip(a, b, strict=True):
        np.testing.assert_array_equal(x.forged, y.forged)
        assert (x.genuine is None) == (y.genuine is None)
        if x.genuine is not None and y.genuine is not None:
            np.testing.assert_array_equal(x.genuine, y.genuine)


def test_draws_are_kept_and_shared(config: Config) -> None:
    store = RecordStore(config.data.records)
    rows = list(range(10))
    made = measured_clips(store, rows, config, measure)
    assert {m.row for m in made} == set(rows)
    assert all((m.genuine is None) == (m.row >= 8) for m in made)
    assert any((m.genuine != m.forged).any() for m in made if m.genuine is not None)

    def never(faces: np.ndarray, mouths: np.ndarray) -> np.ndarray:
        raise AssertionError("measured again")

    same(made, measured_clips(store, rows, config, never))
    some = [m for m in made if m.row in (2, 5, 9)]
    same(some, measured_clips(store, [2, 5, 9], replace(config, seed=config.seed + 1), never))
    # Nor does it matter to a draw what else is drawn.
    fresh = replace(config, data=replace(config.data, bank=""))
    same(some, measured_clips(store, [2, 5, 9], fresh, measure))


def test_batches_stand_forged_beside_genuine(config: Config) -> None:
    store = RecordStore(config.data.records)
    clips = measured_clips(store, list(range(10)), config, measure)
    batches = FaceBatches(clips, store, config)
    batch = batches(3)
    assert batch["seen"].shape == (8, 2)
    np.testing.assert_array_equal(batch["fake"], [0, 1] * 4)
    np.testing.assert_array_equal(batch["seen"], FaceBatches(clips, store, config)(3)["seen"])
    assert not np.array_equal(batch["seen"], batches(4)["seen"])

    recorded = replace(config, data=replace(config.data, recorded=1.0, mates="fold=3"))
    faces = [b for step in range(40) for b in np.split(FaceBatches(clips, store, recorded)(step)["seen"], 4)]
    by_row = {m.row: m for m in clips}

    def is_of(face: np.ndarray, row: int) -> bool:
        clip = by_row[row]
        measures = clip.forged if clip.genuine is None else clip.genuine
        return bool((measures.reshape(-1, 2) == face).all(axis=1).any())

    beside = {row: [pair[0] for pair in faces if is_of(pair[1], row)] for row in (8, 9)}
    assert sum(map(len, beside.values())) == len(faces), "nothing but recorded forgeries"
    assert {len(v) > 40 for v in beside.values()} == {True}, "each source as often as the other"
    own = np.mean([is_of(face, 0) for face in beside[8]])
    assert 0.5 < own < 0.9 and all(is_of(face, 0) or is_of(face, 3) for face in beside[8]), "its original, or a mate"
    assert all(is_of(face, 3) for face in beside[9]), "its original is not at hand"


def test_a_network_that_is_missing_ends_it_and_leaves_nothing_in_the_bank(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AVDETECT_UPSCALERS", raising=False)
    other = replace(config, data=replace(config.data, forgeries=("resynthesis=1", "upscaling=1")))
    with pytest.raises(ValueError, match="set AVDETECT_UPSCALERS"):
        measured_clips(RecordStore(config.data.records), list(range(8)), other, measure)
    with pytest.raises(ValueError, match="set AVDETECT_UPSCALERS"):  # nor are the rest taken the second time
        measured_clips(RecordStore(config.data.records), list(range(8)), other, measure)


def test_other_networks_have_another_bank(config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install_upscaler(tmp_path, monkeypatch)
    other = replace(config, data=replace(config.data, forgeries=("upscaling=1",)))
    store = RecordStore(config.data.records)
    (one,) = measured_clips(store, [0], other, measure)
    (again,) = measured_clips(store, [0], other, lambda *_: pytest.fail("it lies in the bank"))
    np.testing.assert_array_equal(one.forged, again.forged)
    path = tmp_path / "double.param"
    for suffix in (".param", ".bin"):
        path.with_suffix(suffix).rename(tmp_path / f"other{suffix}")
    monkeypatch.setenv("AVDETECT_UPSCALERS", str(tmp_path / "other.param"))
    measured_clips(store, [0], other, measure)
    assert len(list((tmp_path / "bank").iterdir())) == 2


def test_nothing_to_stand_beside_is_said(config: Config) -> None:
    store = RecordStore(config.data.records)
    clips = measured_clips(store, list(range(10)), config, measure)
    with pytest.raises(ValueError, match=r"data\.mates"):
        FaceBatches(clips, store, replace(config, data=replace(config.data, mates="fold=77")))
    with pytest.raises(ValueError, match="no genuine face"):
        FaceBatches([m for m in clips if m.genuine is None], store, config)


def test_only_texture_networks_learn_from_measures(config: Config) -> None:
    other = replace(config, model=ModelConfig(visual=None, visual_encoder="cnn"))
    with pytest.raises(ValueError, match="texture"):
        make_task(other)


@pytest.mark.slow
def test_it_learns(config: Config, tmp_path: Path) -> None:
    task = make_task(config)
    assert isinstance(task, TextureTask)
    assert task.batches(0)["seen"].shape == (8, FACE_MEASURES + MOUTH_MEASURES)
    figures = train(config, as_task(task, "visual"), tmp_path / "run")
    assert (tmp_path / "run" / "part" / "visual.safetensors").is_file()
    assert figures["val_auc_made"] >= 0.5 and np.isnan(figures["val_auc_recorded"])
    lines = (tmp_path / "run" / "log.jsonl").read_text().splitlines()
    losses = [float(line.split('"loss": ')[1].split(",")[0]) for line in lines if '"loss"' in line]
    assert losses[-1] < 0.8 * losses[0]

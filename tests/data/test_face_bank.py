"""Faces that are drawn once, measured or as they are: what is shared, what is left out, what is learned from them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from avdetect.config import Config, DataConfig, LiteConfig, ModelConfig, OptimConfig, TextureConfig, TrainConfig
from avdetect.data import face_bank
from avdetect.data.face_bank import Drawn, Measures, Pictures, drawn_clips
from avdetect.data.face_batches import FaceBatches
from avdetect.data.records import encode
from avdetect.data.resident_faces import ResidentFaces
from avdetect.data.store import RecordStore, RecordWriter
from avdetect.models.texture import FACE_MEASURES, MOUTH_MEASURES
from avdetect.sharding import make_mesh
from avdetect.testing import synthetic_clip
from tests.small_upscaler import install_upscaler
from train.loop import train
from train.stepwise import as_task
from train.tasks import make_task
from train.tasks.faces import FaceTask

TICKS = 15


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
            forgeries=("resynthesis=1",), draws=10.0, threads=1,
            train_where="fold=0,1,2,3,4,5,8,9", val_where="fold=6,7",
        ),
        optim=OptimConfig(lr=1e-2, warmup=5),
        train=TrainConfig(
            part="visual", steps=150, batch=8, log_every=30, eval_every=150, save_every=150, tensorboard=False
        ),
    )  # fmt: skip


def same(a: list[Drawn], b: list[Drawn]) -> None:
    assert [m.row for m in a] == [m.row for m in b]
    for x, y in zip(a, b, strict=True):
        np.testing.assert_array_equal(x.forged, y.forged)
        assert (x.genuine is None) == (y.genuine is None)
        if x.genuine is not None and y.genuine is not None:
            np.testing.assert_array_equal(x.genuine, y.genuine)


def test_draws_are_kept_and_shared(config: Config) -> None:
    store = RecordStore(config.data.records)
    rows = list(range(10))
    made = drawn_clips(store, rows, config, Measures(measure))
    assert {m.row for m in made} == set(rows)
    assert all((m.genuine is None) == (m.row >= 8) for m in made)
    assert any((m.genuine != m.forged).any() for m in made if m.genuine is not None)

    def never(faces: np.ndarray, mouths: np.ndarray) -> np.ndarray:
        raise AssertionError("measured again")

    same(made, drawn_clips(store, rows, config, Measures(never)))
    some = [m for m in made if m.row in (2, 5, 9)]
    same(some, drawn_clips(store, [2, 5, 9], replace(config, seed=config.seed + 1), Measures(never)))
    # Nor does it matter to a draw what else is drawn.
    fresh = replace(config, data=replace(config.data, bank=""))
    same(some, drawn_clips(store, [2, 5, 9], fresh, Measures(measure)))


def test_batches_stand_forged_beside_genuine(config: Config) -> None:
    store = RecordStore(config.data.records)
    clips = drawn_clips(store, list(range(10)), config, Measures(measure))
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
        drawn_clips(RecordStore(config.data.records), list(range(8)), other, Measures(measure))
    with pytest.raises(ValueError, match="set AVDETECT_UPSCALERS"):  # nor are the rest taken the second time
        drawn_clips(RecordStore(config.data.records), list(range(8)), other, Measures(measure))


def test_other_networks_have_another_bank(config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install_upscaler(tmp_path, monkeypatch)
    other = replace(config, data=replace(config.data, forgeries=("upscaling=1",)))
    store = RecordStore(config.data.records)
    (one,) = drawn_clips(store, [0], other, Measures(measure))
    (again,) = drawn_clips(store, [0], other, Measures(lambda *_: pytest.fail("it lies in the bank")))
    np.testing.assert_array_equal(one.forged, again.forged)
    path = tmp_path / "double.param"
    for suffix in (".param", ".bin"):
        path.with_suffix(suffix).rename(tmp_path / f"other{suffix}")
    monkeypatch.setenv("AVDETECT_UPSCALERS", str(tmp_path / "other.param"))
    drawn_clips(store, [0], other, Measures(measure))
    assert len(list((tmp_path / "bank").iterdir())) == 2


def test_faces_forged_of_others_are_shared_among_the_same_clips_only(config: Config) -> None:
    """The face of a clip that a training leaves out must not come into it from the bank."""
    store, bank = RecordStore(config.data.records), Path(config.data.bank)
    drawn_clips(store, [0, 2, 4], config, Measures(measure))
    drawn_clips(store, [0, 2], config, Measures(measure))
    assert len(list(bank.iterdir())) == 1
    swaps = replace(config, data=replace(config.data, forgeries=("face_swap=1",)))
    for rows, folders in (([0, 2, 4], 2), ([4, 0, 2], 2), ([0, 2], 3)):
        drawn_clips(store, rows, swaps, Measures(measure))
        assert len(list(bank.iterdir())) == folders


def test_two_processes_write_one_file_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = set()
    for process in (1, 2):
        monkeypatch.setattr(face_bank.os, "getpid", lambda process=process: process)
        monkeypatch.setattr(face_bank.np, "savez", lambda path, **arrays: names.add(path) or path.touch())
        face_bank._write(tmp_path / "a.npz", {})
    assert len(names) == 2 and [p.name for p in tmp_path.iterdir()] == ["a.npz"]


def test_weights_are_of_the_sources_of_genuine_faces(config: Config) -> None:
    store = RecordStore(config.data.records)
    clips = drawn_clips(store, list(range(8)), config, Measures(measure))
    first = {
        tuple(face) for m in clips if m.row % 2 == 0 and m.genuine is not None for face in m.genuine.reshape(-1, 2)
    }
    only = FaceBatches(clips, store, replace(config, data=replace(config.data, weights=("b=0",))))
    assert {tuple(face) for step in range(10) for face in only(step)["seen"][::2]} <= first
    with pytest.raises(ValueError, match="fits none of the groups: a, b"):
        FaceBatches(clips, store, replace(config, data=replace(config.data, weights=("c=2",))))


def test_nothing_to_stand_beside_is_said(config: Config) -> None:
    store = RecordStore(config.data.records)
    clips = drawn_clips(store, list(range(10)), config, Measures(measure))
    with pytest.raises(ValueError, match=r"data\.mates"):
        FaceBatches(clips, store, replace(config, data=replace(config.data, mates="fold=77")))
    with pytest.raises(ValueError, match="no genuine face"):
        FaceBatches([m for m in clips if m.genuine is None], store, config)


@pytest.mark.slow
def test_it_learns(config: Config, tmp_path: Path) -> None:
    task = make_task(config)
    assert isinstance(task, FaceTask)
    assert task.batches(0)["seen"].shape == (8, FACE_MEASURES + MOUTH_MEASURES)
    figures = train(config, as_task(task, "visual"), tmp_path / "run")
    assert (tmp_path / "run" / "part" / "visual.safetensors").is_file()
    assert figures["val_auc_made"] >= 0.5 and np.isnan(figures["val_auc_recorded"])
    lines = (tmp_path / "run" / "log.jsonl").read_text().splitlines()
    losses = [float(line.split('"loss": ')[1].split(",")[0]) for line in lines if '"loss"' in line]
    assert losses[-1] < 0.8 * losses[0]


@pytest.fixture
def pictured(config: Config) -> Config:
    data = replace(config.data, ticks=6, faces=1, mouths=False)
    return replace(config, data=data, model=ModelConfig(visual_encoder="lite", visual=LiteConfig(stages=1)))


def test_pictures_are_kept_nearly_as_they_were(pictured: Config) -> None:
    store, rows = RecordStore(pictured.data.records), list(range(10))
    made = drawn_clips(store, rows, pictured, Pictures())
    same(made, drawn_clips(store, rows, pictured, Pictures()))
    same(made, drawn_clips(store, rows, replace(pictured, data=replace(pictured.data, bank="")), Pictures()))
    assert {m.row for m in made if m.genuine is None} == {8, 9}
    whole = drawn_clips(store, rows, pictured, Measures(lambda faces, mouths: faces.reshape(len(faces), -1)))
    for kept, was in zip(made, whole, strict=True):
        assert kept.forged.shape[2:] == (160, 160, 3) and kept.forged.dtype == np.uint8
        difference = kept.forged.reshape(was.forged.shape).astype(float) - was.forged
        assert 0 < np.abs(difference).mean() < 3, "JPEG of high quality"
    with_mouths = replace(pictured, data=replace(pictured.data, mouths=True))
    drawn_clips(store, rows[:1], with_mouths, Pictures())
    assert len(list(Path(pictured.data.bank).iterdir())) == 3, "pictures, measures, and pictures drawn with mouths"


def test_pictures_of_a_pair_are_changed_alike(pictured: Config) -> None:
    store = RecordStore(pictured.data.records)
    made = drawn_clips(store, list(range(10)), pictured, Pictures())
    faces = ResidentFaces(made, store, pictured)
    draws = faces(3)
    put = faces.put(make_mesh(pictured.mesh))
    batch = put(draws)
    assert batch["seen"].shape == (8, 160, 160, 3) and float(batch["seen"].max()) <= 255
    np.testing.assert_array_equal(batch["fake"], [0, 1] * 4)
    np.testing.assert_array_equal(batch["seen"], put(draws)["seen"])
    assert not np.array_equal(batch["seen"], put({**draws, "pair": draws["pair"] + 100})["seen"])
    # A pair of one and the same picture stays so; the numbers are those of the pictures that were drawn.
    twin = put({**draws, "seen": np.repeat(draws["seen"][::2], 2)})["seen"]
    np.testing.assert_array_equal(twin[::2], twin[1::2])
    pictures = np.concatenate(
        [s.reshape(-1, 160, 160, 3) for m in made for s in (m.genuine, m.forged) if s is not None]
    )
    genuine = np.concatenate([m.genuine.reshape(-1, 160, 160, 3) for m in made if m.genuine is not None])
    shown = pictures[draws["seen"][::2]]
    assert all((genuine == face).all(axis=(1, 2, 3)).any() for face in shown)


@pytest.mark.slow
def test_a_network_over_pictures_is_trained_from_them(pictured: Config, tmp_path: Path) -> None:
    config = replace(pictured, train=replace(pictured.train, steps=3, eval_every=3, save_every=3, measure_peak=False))
    figures = train(config, as_task(make_task(config), "visual"), tmp_path / "run")
    assert np.isfinite(figures["val_auc_made"]) and np.isnan(figures["val_auc_recorded"])
    trained = load_file(tmp_path / "run" / "part" / "visual.safetensors")
    assert trained["head.kernel"].any(), "it began at zero"


@pytest.mark.parametrize("encoder", ["cnn", "committee"])
def test_others_are_not_trained_from_a_bank(config: Config, encoder: str) -> None:
    other = replace(config, model=ModelConfig(visual=None, visual_encoder=encoder))
    with pytest.raises(ValueError, match=r"texture or lite"):
        make_task(other)

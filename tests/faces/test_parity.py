"""The re-implemented networks against the original graphs, run by LiteRT, on real frames."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from avdetect.faces.detect import cut_tile, decode, frame_tiles, merge
from avdetect.faces.nets import FaceNets
from avdetect.faces.roi import cut
from tools.demo_media import DemoMediaError, demo_media
from tools.import_face_weights import original_graphs
from tools.wheels import WheelError

ROOT = Path(__file__).resolve().parents[2]
FRAMES = 120


class Original:
    """One ``.tflite`` graph and its two outputs, the larger one first."""

    def __init__(self, path: Path):
        interpreter = pytest.importorskip("ai_edge_litert.interpreter", reason="LiteRT is not installed")
        self.run: Any = interpreter.Interpreter(str(path), num_threads=1)
        self.run.allocate_tensors()

    def __call__(self, picture: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        self.run.set_tensor(self.run.get_input_details()[0]["index"], picture[None].astype(np.float32))
        self.run.invoke()
        found = [self.run.get_tensor(o["index"]) for o in self.run.get_output_details()]
        big, small = sorted(found, key=lambda a: -a.size)
        return big, small


@pytest.fixture(scope="module")
def originals() -> dict[str, Original]:
    try:
        files = original_graphs(ROOT / ".cache" / "faces")
    except (WheelError, OSError) as e:
        pytest.skip(f"the wheel with the original graphs cannot be had: {e}")
    return {name: Original(path) for name, path in files.items()}


def frames_of(path: Path, every: int, limit: int) -> list[np.ndarray]:
    found = []
    with av.open(str(path)) as container:
        for i, frame in enumerate(container.decode(video=0)):
            if i % every == 0:
                found.append(frame.to_ndarray(format="rgb24"))
            if len(found) == limit:
                break
    return found


@pytest.fixture(scope="module")
def real_frames() -> list[np.ndarray]:
    """Real faces: many people where the shared clips are there, else the two films of the demonstration."""
    shared = ROOT.parent / "shared" / "data"
    frames: list[np.ndarray] = []
    for folder in ("lrc_ar", "voxceleb2", "mer2023", "celebv_text", "lrs3_other", "video_retalking_inputs"):
        for path in sorted((shared / folder).glob("*.mp4"))[:5]:
            frames += frames_of(path, 7, 4)
    if len(frames) < FRAMES:
        try:
            frames = [f for path in demo_media() for f in frames_of(path, 3, FRAMES // 2)]
        except DemoMediaError as e:
            pytest.skip(f"no real frames: {e}")
    return frames[:FRAMES]


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-np.clip(x.astype(np.float64), -100, 100)))


def test_both_networks_agree_with_the_original_graphs(
    nets: FaceNets, originals: dict[str, Original], real_frames: list[np.ndarray]
) -> None:
    tiles = [frame_tiles(*f.shape[:2])[0] for f in real_frames]
    pictures = np.stack([cut_tile(f, t) for f, t in zip(real_frames, tiles, strict=True)])
    logits, places = nets.detect(pictures)
    squares, scores_apart, places_apart = [], [], []
    for i, picture in enumerate(pictures):
        want_places, want_logits = originals["blazeface_short"](picture / 127.5 - 1)
        scores_apart.append(np.abs(sigmoid(logits[i]) - sigmoid(want_logits.ravel())).max())
        places_apart.append(np.abs(places[i] - want_places.reshape(896, 16)).max())
        found = merge(decode(logits[i], places[i], tiles[i], 0.5))
        if found:
            squares.append(cut(real_frames[i], found[0].roi))
    assert max(scores_apart) <= 0.01
    assert max(places_apart) <= 0.05
    assert len(squares) >= 100, "faces must be found in the frames for the comparison to mean anything"

    points, presence = nets.mesh(np.stack(squares))
    apart, presence_apart = [], []
    for i, square in enumerate(squares):
        want_points, want_presence = originals["face_mesh"](square / 255)
        apart.append(np.linalg.norm(points[i] - want_points.reshape(468, 3), axis=1).mean())
        presence_apart.append(abs(presence[i] - sigmoid(want_presence).item()))
    print(f"{len(squares)} faces: points {np.mean(apart):.5f} px apart on average, {np.max(apart):.5f} at most a face")
    assert np.mean(apart) <= 0.3
    assert max(apart) <= 0.3
    assert max(presence_apart) <= 0.01
    assert np.mean(presence > 0.9) > 0.9


def test_the_shipped_numbers_are_those_of_the_original_graphs(originals: dict[str, Original]) -> None:
    from safetensors.numpy import load_file

    from tools.import_face_weights import parameters, read_operations

    for network, path in original_graphs(ROOT / ".cache" / "faces").items():
        want = parameters(read_operations(path.read_bytes()), network)
        got = load_file(ROOT / "avdetect" / "weights" / "faces" / f"{network}.safetensors")
        assert want.keys() == got.keys()
        for name, values in want.items():
            np.testing.assert_array_equal(got[name], values)


def test_another_wheel_is_refused(tmp_path: Path) -> None:
    import zipfile

    from tools.import_face_weights import MEMBERS, convert

    wheel = tmp_path / "mediapipe-9.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for name, _ in MEMBERS.values():
            archive.writestr(name, b"something else")
    with pytest.raises(WheelError, match=r"mediapipe-9\.whl has SHA-256 .*; take the wheel of mediapipe==0\.10\.21"):
        convert(wheel, tmp_path / "out")
    assert not list((tmp_path / "out").glob("*"))

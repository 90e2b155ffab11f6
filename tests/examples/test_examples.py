"""The examples are found by their entry points, keep their contracts, and do what they say."""

from __future__ import annotations

import csv
import dataclasses
import json
import shutil
import signal
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from avdetect.data.sample import read_segments
from avdetect.data.store import RecordStore
from avdetect.detectors.named import load_named
from avdetect.media.reader import open_media
from avdetect.plugins import registries
from avdetect.testing import check_detector, check_forgery, check_source, synthetic_clip
from tests.clean_environment import ROOT, run
from tests.examples.conftest import FOLDERS

EXAMPLES = {
    "plugin_detector": ("detector", "lip_loudness", "avdetect-lip-loudness"),
    "plugin_encoder": ("visual_encoder", "spectrum", "avdetect-spectrum-encoder"),
    "plugin_forgery": ("forgery", "whisper", "avdetect-whisper"),
    "plugin_onnx": ("detector", "mouth_detail", "avdetect-mouth-detail"),
    "plugin_source": ("source", "by_method", "avdetect-by-method"),
}


def test_the_list_is_whole() -> None:
    assert [folder.name for folder in FOLDERS] == list(EXAMPLES)
    listed = (ROOT / "examples" / "README.md").read_text()
    for name, (kind, plugin, distribution) in EXAMPLES.items():
        assert f"| `{name}` | {kind.replace('_', ' ')} `{plugin}` |" in listed
        readme = (ROOT / "examples" / name / "README.md").read_text()
        assert f"pip install examples/{name}\n" in readme and f"pip uninstall {distribution}" in readme
        assert 10 <= len(readme.splitlines()) <= 25


@pytest.mark.parametrize("name", EXAMPLES)
def test_each_is_found_by_its_entry_point(installed: Path, name: str) -> None:
    kind, plugin, distribution = EXAMPLES[name]
    registry = registries()[kind]
    (entry,) = [e for e in registry.entries() if e.name == plugin]
    assert (entry.state, entry.distribution, entry.version) == ("installed", distribution, "1.0")
    module = entry.target.partition(":")[0]
    registry.get(plugin)
    assert Path(str(sys.modules[module].__file__)).is_relative_to(installed), "it is the installed one that is used"
    (here,) = [d for d in metadata.distributions(path=[str(installed)]) if d.metadata["Name"] == distribution]
    assert any(r.startswith("avdetect>=") for r in here.requires or ())
    code = {
        str(f).partition("/")[0] for f in here.files or () if ".dist-info" not in str(f) and "pycache" not in str(f)
    }
    assert {n.removesuffix(".py") for n in code} == {module}, "it installs nothing but its module"


@pytest.mark.parametrize(("name", "skipped"), [("lip_loudness", "sound_alone"), ("mouth_detail", "sound_alone")])
def test_detectors_keep_their_contract(name: str, skipped: str) -> None:
    found = check_detector(name, longest=60)
    assert skipped in found and set(found) <= {"silent_clip", "sound_alone", "compiles_once"}


def test_the_forgery_keeps_its_contract() -> None:
    assert check_forgery("whisper") == {}


def test_sound_that_is_not_of_these_lips_is_told() -> None:
    detector = load_named("lip_loudness").detector
    own, other = synthetic_clip(3, 120), synthetic_clip(4, 120)
    late = synthetic_clip(3, 120, offset_ms=120)
    strange = dataclasses.replace(own, audio=other.audio)
    still = dataclasses.replace(own, audio=np.zeros_like(other.audio))
    means = [float(np.nanmean(e.sync)) for e in detector.evidence([own, late, strange])]
    assert means[0] < -1 and means[1] < -1 and means[2] > 0, means
    assert np.isnan(detector.evidence([still])[0].sync).all(), "there is nothing to compare with silence"


def test_a_blurred_mouth_is_told() -> None:
    detector = load_named("mouth_detail").detector
    clip = synthetic_clip(3, 12)
    assert clip.track is not None
    faces = clip.track.faces.copy()
    faces[:, 90:135, 45:115] = [cv2.GaussianBlur(face[90:135, 45:115], (0, 0), 2) for face in faces]
    faces[5] = 0
    blurred = dataclasses.replace(clip, track=dataclasses.replace(clip.track, faces=faces))
    before, after = (e.visual for e in detector.evidence([clip, blurred]))
    seen = np.arange(12) != 5
    assert np.isnan(after[5]) and (after[seen] > before[seen] + 1).all()
    # As the same arithmetic in NumPy says.
    grey = clip.track.faces[0] @ np.array([0.299, 0.587, 0.114]) / 255
    half = np.array([[-1, 2, -2], [2, -6, 8], [-2, 8, -12]]) / 12
    left = np.concatenate([half, half[1::-1]])
    detail = cv2.filter2D(grey, -1, np.concatenate([left, left[:, 1::-1]], axis=1), borderType=cv2.BORDER_CONSTANT) ** 2
    ratio = np.log((detail[96:128, 53:107].mean() + 1e-7) / (detail[50:78, 40:120].mean() + 1e-7))
    assert before[0] == pytest.approx(0.9 * (-0.4 - ratio), abs=1e-3)


def test_the_model_that_ships_is_what_its_script_makes(installed: Path, tmp_path: Path) -> None:
    run([sys.executable, str(ROOT / "examples/plugin_onnx/make_model.py"), str(tmp_path / "made.onnx")], cwd=tmp_path)
    shipped = (installed / "avdetect_mouth_detail" / "mouth_detail.onnx").read_bytes()
    assert (tmp_path / "made.onnx").read_bytes() == shipped and len(shipped) < 20_000


@pytest.mark.parametrize(("name", "part"), [("lip_loudness", "sync"), ("mouth_detail", "visual")])
def test_detectors_score_a_film(film: Path, name: str, part: str) -> None:
    from avdetect.cli import app

    done = CliRunner().invoke(app, ["score", "--json", "--detector", name, str(film)])
    assert done.exit_code == 0, done.output
    report = json.loads(done.stdout)
    (entry,) = report["detectors"]
    assert entry["name"] == name and entry["distribution"].endswith(" 1.0")
    assert 0 < report["probability_fake"] < 1 and entry["probability_fake"] == report["probability_fake"]
    assert report["tracks"][0][part]["probability_fake" if part == "visual" else "probability_mismatch"] is not None


def test_the_forgery_makes_a_film(film: Path, tmp_path: Path) -> None:
    from tools.forge import app

    out = tmp_path / "forged"
    done = CliRunner().invoke(app, [str(film), "--out", str(out), "--family", "whisper", "--with-genuine"])
    assert done.exit_code == 0, done.output
    with (out / "manifest.csv").open(newline="") as file:
        rows = {row["label"]: row for row in csv.DictReader(file)}
    assert set(rows) == {"RVRA", "RVFA"} and rows["RVFA"]["generator"] == "whisper"
    (segment,) = read_segments(rows["RVFA"]["segments"])
    genuine, forged = (sound_of(out / rows[label]["path"]) for label in ("RVRA", "RVFA"))
    start, end = (round(s * 16000) for s in (segment.start_s, segment.end_s))
    apart = np.abs(genuine - forged)
    # AAC smears what is changed by a frame or two.
    outside = np.concatenate([apart[: max(0, start - 2048)], apart[end + 2048 :]])
    assert segment.kind == "audio" and apart[start:end].mean() > 0.01 > 5 * outside.mean()


def sound_of(path: Path) -> Any:
    with open_media(path) as reader:
        return np.concatenate([block.audio for block in reader.blocks() if block.audio is not None])


def tree(root: Path, film: Path | None = None) -> None:
    """Three films of two people; empty files, or all of them copies of one."""
    (root / "methods.csv").write_text("method,changes\nclone,sound\nswap,picture\n")
    for folder in ("clone", "genuine", "swap"):
        (root / folder).mkdir()
        for name in ("ann_1.mp4", "ann_2.mp4", "bob_1.mp4") if film is None else ("ann_1.mp4",):
            shutil.copy(film, root / folder / name) if film else (root / folder / name).touch()


def test_the_reader_keeps_its_contract(tmp_path: Path) -> None:
    assert check_source("by_method", tree) == {}
    tree(tmp_path)
    for text, says in (("method,changes\nclone,all\n", "'clone' is none of picture"), ("a,b\n", "has the columns")):
        (tmp_path / "methods.csv").write_text(text)
        with pytest.raises(ValueError, match=says):
            registries()["source"].get("by_method")(tmp_path)


@pytest.mark.slow
def test_the_reader_gives_films_to_prepare(film: Path, tmp_path: Path) -> None:
    from tools.prepare import app

    root, out = tmp_path / "films", tmp_path / "out"
    root.mkdir()
    tree(root, film)
    quick = ["--no-speech", "--no-offsets", "--workers", "1"]
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        done = CliRunner().invoke(app, [str(root), "--source", "by_method", "--out", str(out), *quick])
    finally:
        for number, handler in before.items():  # the program takes them for itself
            signal.signal(number, handler)
    assert done.exit_code == 0 and "3 clips of 3 of 3 files" in done.output, done.output
    rows = {row["path"]: row for row in RecordStore(out).index}
    assert {path: (row["label"], row["generator"]) for path, row in rows.items()} == {
        "clone/ann_1.mp4": ("RVFA", "clone"),
        "genuine/ann_1.mp4": ("RVRA", None),
        "swap/ann_1.mp4": ("FVRA", "swap"),
    }
    assert len({row["group"] for row in rows.values()}) == 1, "all of one person"

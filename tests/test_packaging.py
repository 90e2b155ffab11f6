"""The wheel holds the library and its weights and nothing else, and works where only it is installed."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest

from tests.clean_environment import run

ROOT = Path(__file__).resolve().parents[1]
pytestmark = pytest.mark.timeout(600)


def test_top_level_is_avdetect_alone(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    top = {name.split("/")[0] for name in names}
    assert top == {"avdetect", f"avdetect-{wheel.name.split('-')[1]}.dist-info"}
    assert not [n for n in names if n.endswith((".pyc", ".mp4", ".ipynb")) or "/." in n or "__pycache__" in n]


def test_weights_schema_licence_and_marker_are_in_it(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    tracked = [p for p in (ROOT / "avdetect" / "weights").rglob("*") if p.is_file()]
    assert {p.relative_to(ROOT).as_posix() for p in tracked} <= names
    from avdetect.bundle import FILES

    needed = {f"avdetect/weights/default/{name}" for name in FILES} | {"avdetect/py.typed"}
    needed |= {f"avdetect/weights/faces/{n}.safetensors" for n in ("blazeface_short", "face_mesh")}
    needed |= {"avdetect/report/report.schema.json"}
    assert needed <= names, f"missing: {sorted(needed - names)}"
    assert any(n.endswith("/LICENSE") for n in names) and any(n.endswith("/NOTICE") for n in names)


def test_it_is_small(wheel: Path) -> None:
    assert wheel.stat().st_size < 40e6


def test_programs_of_the_checkout_are_not_importable(clean_python: Path, tmp_path: Path) -> None:
    code = (
        "import importlib.util as u, json;"
        "specs = {n: u.find_spec(n) for n in ('train', 'tools', 'configs', 'tests', 'avdetect')};"
        "print(json.dumps({n: s and s.origin for n, s in specs.items()}))"
    )
    found = json.loads(run([str(clean_python), "-c", code], cwd=tmp_path))
    assert Path(found["avdetect"]).is_relative_to(clean_python.parent.parent)
    for name in ("train", "tools", "configs", "tests"):
        assert found[name] is None or not Path(found[name]).is_relative_to(ROOT / name), name
    assert found["train"] is None and found["configs"] is None


@pytest.mark.slow
def test_it_scores_a_clip_from_another_folder(clean_python: Path, talking_video: Path, tmp_path: Path) -> None:
    script = clean_python.parent / "avdetect"
    assert script.is_file(), "the wheel installs no avdetect command"
    report = json.loads(run([str(script), "score", "--json", str(talking_video)], cwd=tmp_path))
    assert report["schema"] == "avdetect.report/1"
    assert report["verdict"] in ("real", "fake", "inconclusive")
    assert len(report["tracks"]) == 1, "the drawn face was not found"
    assert report["model"]["sha256"]


@pytest.mark.slow
def test_python_api_of_the_installed_wheel(clean_python: Path, tmp_path: Path) -> None:
    code = (
        "import sys, avdetect; from avdetect.testing import synthetic_clip;"
        "assert 'jax' not in sys.modules, 'import avdetect must stay light';"
        "report = avdetect.load().score(synthetic_clip(0, 100)); print(avdetect.__file__); print(report.verdict)"
    )
    where, verdict = run([str(clean_python), "-c", code], cwd=tmp_path).split()
    assert Path(where).is_relative_to(clean_python.parent.parent)
    assert verdict in ("real", "fake", "inconclusive")

"""What docs/extending.md tells to write works as it stands there."""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from avdetect.evaluation.metric import Context, Metric
from avdetect.evaluation.table import ScoreTable
from avdetect.forge.contract import CannotForge, Family
from avdetect.registry import Registry
from avdetect.types import Clip, Segment
from tests.page_code import ROOT, read_page

PAGE = read_page("extending.md")
FILES, LINES = PAGE.files, PAGE.lines


@pytest.fixture
def registered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Puts a file of the page where it belongs (in memory) and its line into a registry of the same kind."""

    def add(file: str, registry_file: str) -> Any:
        name = file.removesuffix(".py").replace("/", ".")
        path = tmp_path / "code" / Path(file).name
        path.parent.mkdir()
        path.write_text(FILES[file], encoding="utf-8")
        spec = importlib.util.spec_from_file_location(name, path)
        assert spec is not None and spec.loader is not None
        module: ModuleType = importlib.util.module_from_spec(spec)
        monkeypatch.setitem(sys.modules, name, module)
        spec.loader.exec_module(module)
        # The line is put in front of the others, in the source of the registry itself.
        source = (ROOT / registry_file).read_text(encoding="utf-8")
        changed = re.sub(r"\n    \{\n", lambda found: found[0] + LINES[registry_file], source, count=1)
        assert changed != source
        space: dict[str, Any] = {}
        exec(compile(changed, registry_file, "exec"), space)
        (registry,) = (v for v in space.values() if isinstance(v, Registry))
        return registry

    return add


def test_the_page_has_a_file_and_a_line_for_each() -> None:
    places = {"avdetect/data/sources", "avdetect/forge", "avdetect/evaluation/measures"}
    assert {Path(f).parent.as_posix() for f in FILES} == places
    assert len(LINES) == len(FILES) == 3
    assert all(len(line.splitlines()) == 1 for line in LINES.values())
    assert not [f for f in FILES if (ROOT / f).exists()], "an example must not bear the name of a built-in"


def test_a_reader(registered: Any, tmp_path: Path) -> None:
    sources = registered("avdetect/data/sources/studio.py", "avdetect/data/sources/__init__.py")
    reader = sources.get("studio")
    root = tmp_path / "Studio"
    with pytest.raises(FileNotFoundError, match=r"labels\.csv.*clips"):
        reader(root)
    (root / "clips").mkdir(parents=True)
    for name in ("ann_1.mp4", "ann_2.mp4", "bob_1.mp4"):
        (root / "clips" / name).touch()
    labels = root / "labels.csv"
    labels.write_text(
        "file,actor,take,kind,from_s,to_s\n"
        "ann_1.mp4,ann,1,true,,\nann_2.mp4,ann,2,dubbed,,\nbob_1.mp4,bob,1,reenacted,0.5,2\nbob_2.mp4,bob,2,true,,\n"
    )
    samples = list(reader(root).samples())
    assert [(s.name, s.label, s.method, s.identity) for s in samples] == [
        ("clips/ann_1.mp4", "RVRA", "", "ann"),
        ("clips/ann_2.mp4", "RVFA", "dubbed", "ann"),
        ("clips/bob_1.mp4", "FVRA", "reenacted", "bob"),
        ("clips/bob_2.mp4", "RVRA", "", "bob"),
    ]
    assert samples[2].segments == (Segment(0.5, 2.0, "visual"),)
    assert not samples[3].path.exists()
    labels.write_text(labels.read_text() + "cy_1.mp4,cy,1,swapped,,\n")
    with pytest.raises(ValueError, match="row 5: kind 'swapped' is none of true, dubbed, reenacted"):
        reader(root)


def test_a_forgery(registered: Any) -> None:
    family: Family = registered("avdetect/forge/backwards.py", "avdetect/forge/__init__.py").get("backwards")
    sound = np.random.default_rng(0).uniform(-1, 1, 640 * 50).astype(np.float32)
    clip = Clip(track=None, audio=sound.copy(), audio_valid=np.ones(50, bool))
    forged = family.forge(clip, np.random.default_rng(7))
    again = family.forge(clip, np.random.default_rng(7))
    assert forged.audio is not None and again.audio is not None and clip.audio is not None
    assert np.array_equal(forged.audio, again.audio) and forged.label == again.label
    assert np.array_equal(clip.audio, sound), "the input was written to"
    (segment,) = forged.label.segments
    assert forged.label.audio_fake and segment.kind == "audio" and 0.4 <= segment.end_s - segment.start_s <= 1.0
    inside = slice(round(segment.start_s * 16000), round(segment.end_s * 16000))
    assert np.array_equal(forged.audio[inside], sound[inside][::-1])
    outside = np.ones(len(sound), bool)
    outside[inside] = False
    assert np.array_equal(forged.audio[outside], sound[outside])
    with pytest.raises(CannotForge, match="19 ticks are too few"):
        family.forge(Clip(None, sound[: 19 * 640], np.ones(19, bool)), np.random.default_rng(0))


def test_a_metric(registered: Any) -> None:
    metric = registered("avdetect/evaluation/measures/partial.py", "avdetect/evaluation/registry.py").get("partial_auc")
    assert isinstance(metric, Metric) and metric.title
    rows = [
        {"key": str(i), "identity": str(i), "visual_fake": i % 2 == 0, "audio_fake": False, "probability_fake": p}
        for i, p in enumerate([0.9, 0.1, 0.8, 0.2, 0.15, 0.3])
    ]
    found = metric.values("partial_auc", ScoreTable.of_rows(rows), Context())
    assert found == {"partial_auc": pytest.approx(2 / 3)}, "0.15 is below some genuine clip at any rate"
    assert np.isnan(metric.values("x", ScoreTable.of_rows(rows[:1]), Context())["x"])

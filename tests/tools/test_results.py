"""The results command: sections are measured once, refused where something was met, and the page waits for all."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from avdetect.bundle import flat_parameters, write_bundle, write_part
from avdetect.calibration import Calibration
from avdetect.data.records import encode, record_of
from avdetect.data.store import RecordWriter
from avdetect.testing import synthetic_clip
from tests.small_nets import SMALL, small_net
from tools.results import app

RUN = CliRunner()
CONFIG = """
records = "{root}/records"
bundle = "{root}/bundle"
test = "fold=1"
[languages]
"s" = "English"
[[faces]]
title = "Painter"
part = "{root}/trained/part"
head = "visual"
forged = "generator=Painter"
genuine = "fold=1;label=RVRA"
"""


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("results")
    with RecordWriter(folder / "records") as writer:
        for i in range(8):
            fake, fold = i % 2, i // 4
            meta = {"key": f"c{i}#0@0", "path": f"c{i}.mp4", "source": "s", "label": "FVRA" if fake else "RVRA",
                    "generator": ("Painter" if fold else "Paster") * fake, "identity": f"p{i}", "track_id": 0,
                    "start_tick": 0, "visual_fake": str(fake), "audio_fake": "0", "fold": str(fold),
                    "pair": ""}  # fmt: skip
            writer.add(encode(record_of(synthetic_clip(i, 30), meta["key"], meta, speech=np.ones(30))), meta)
    net = small_net()
    write_bundle(
        folder / "bundle",
        net.config,
        {k: v[...] for k, v in flat_parameters(net).items()},
        Calibration(),
        {"name": "n", "version": "1"},
    )
    write_part(folder / "trained" / "part", "visual", small_net("visual").visual, SMALL)
    (folder / "trained" / "config.json").write_text(json.dumps({"data": {"train_where": "fold=0"}}))
    (folder / "results.toml").write_text(CONFIG.format(root=folder))
    return folder


def run(root: Path, *words: str):
    paths = {"--config": root / "results.toml", "--work": root / "work", "--page": root / "page.md"}
    return RUN.invoke(app, [*words, *(str(x) for pair in paths.items() for x in pair)])


def test_sections_are_measured_once(root: Path) -> None:
    first = run(root, "faces", "verdict", "groups", "branches")
    assert first.exit_code == 0, first.output
    assert "the page waits for: voices" in first.output and not (root / "page.md").exists()
    faces = json.loads((root / "work" / "faces.json").read_text())["figures"]["rows"]
    assert [(r["title"], r["forged"], r["genuine"]) for r in faces] == [("Painter", 2, 2)]
    verdict = json.loads((root / "work" / "verdict.json").read_text())["figures"]
    assert verdict["clips"] == 4 and 0 <= verdict["auc"] <= 1
    again = run(root, "faces", "verdict")
    assert "faces: finished before" in again.output and "verdict: finished before" in again.output
    assert "finished before" not in run(root, "faces", "--again").output


LISTENER = """
[[windows.listeners]]
title = "{title}"
bundle = "{root}/bundle"
where = "{where}"
scores = ["lag"]
"""


@pytest.mark.slow
def test_one_listener_more_costs_only_itself(root: Path, tmp_path: Path) -> None:
    def rows(*listeners: tuple[str, str]) -> list[str]:
        told = "".join(LISTENER.format(root=root, title=t, where=w) for t, w in listeners)
        (tmp_path / "results.toml").write_text(CONFIG.format(root=root) + "[windows]\nseconds = [0.8]\n" + told)
        done = run(tmp_path, "windows")
        assert done.exit_code == 0, done.output
        found = json.loads((tmp_path / "work" / "windows.json").read_text())["figures"]["rows"]
        return [f"{r['title']} {r['windows']}" for r in found]

    assert rows(("a", "label=RVRA")) == ["a 4"]
    (kept,) = (tmp_path / "work" / "windows").iterdir()
    kept.write_text(kept.read_text().replace('"a"', '"kept"'))
    assert rows(("a", "label=RVRA"), ("b", "label=RVRA;fold=1")) == ["kept 4", "b 2"]
    assert len(list((tmp_path / "work" / "windows").iterdir())) == 2
    kept.write_text(kept.read_text()[:20])
    (tmp_path / "work" / "windows.json").write_text('{"about": {"con')
    assert rows(("a", "label=RVRA")) == ["a 4"], "half-written files are measured again"


def test_listeners_may_name_what_they_have_in_common(root: Path, tmp_path: Path) -> None:
    def windows(listener: str) -> tuple[int, str]:
        common = f'[left_out.s]\nbundle = "{root}/bundle"\n[windows]\nseconds = [0.8]\n'
        more = f'title = "a"\nwhere = "label=RVRA"\nscores = ["lag"]\n{listener}\n'
        text = CONFIG.format(root=root) + common + "[[windows.listeners]]\n" + more
        (tmp_path / "results.toml").write_text(text)
        done = run(tmp_path, "windows")
        return done.exit_code, done.output

    assert windows('who = "s"')[0] == 0
    assert "finished before" in windows(f'bundle = "{root}/bundle"')[1], "the same under another name"
    code, said = windows('who = "t"')
    assert code == 2 and "no parts are called 't' in left_out; there are: s" in said


def test_another_part_is_measured_anew(root: Path) -> None:
    assert run(root, "faces").exit_code == 0
    assert "finished before" in run(root, "faces").output
    write_part(root / "trained" / "part", "visual", small_net("visual", seed=4).visual, SMALL)
    assert "finished before" not in run(root, "faces").output


def test_a_part_that_met_the_clips_is_refused(root: Path) -> None:
    config = root / "trained" / "config.json"
    before = config.read_text()
    config.write_text(json.dumps({"data": {"train_where": "fold=0,1"}}))
    try:
        done = run(root, "faces", "--again")
    finally:
        config.write_text(before)
    assert done.exit_code == 2 and "was trained on 4 of the clips" in done.output


def test_an_unknown_section_is_named(root: Path) -> None:
    done = run(root, "lips")
    assert done.exit_code == 2 and "no section is called lips; there are faces" in done.output

"""What docs/plugins.md tells to write and to run works as it stands there."""

from __future__ import annotations

import dataclasses
import importlib
import json
import re
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from avdetect import plugins, testing
from avdetect.config import Config, ModelConfig, override
from avdetect.data.records import encode, record_of
from avdetect.data.store import RecordWriter
from avdetect.plugin_kinds import CHECKS
from avdetect.registry import Registry
from avdetect.testing import synthetic_clip, write_synthetic_video
from tests.fake_distributions import Site, site
from tests.page_code import Page, read_page, run_command

__all__ = ["site"]
PAGE: Page = read_page("plugins.md")
REGISTRIES = plugins.registries()


def _plant(root: Path) -> None:
    for name in ("genuine/ann_1", "genuine/ann_2", "genuine/bob_1", "dubbed/ann_1", "dubbed/bob_1"):
        (root / f"{name}.mp4").parent.mkdir(parents=True, exist_ok=True)
        (root / f"{name}.mp4").touch()


@pytest.fixture(scope="module")
def material(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of the page, a short film, and records of 22 clips, every other one forged."""
    folder = tmp_path_factory.mktemp("page")
    PAGE.write(folder)
    write_synthetic_video(folder / "clip.mp4", seconds=1.5, seed=2, width=320, height=240)
    with RecordWriter(folder / "work" / "records") as writer:
        for i in range(22):
            clip, fake = synthetic_clip(i, 20), i % 2
            assert clip.audio is not None
            clip = dataclasses.replace(clip, audio=clip.audio * np.float32(1.0 if fake else 0.4))
            known = {"visual_fake": "0", "audio_fake": str(fake), "identity": f"p{i // 2}", "split": "val"}
            meta = {"key": f"c{i}", "path": f"c{i}.mp4", "source": "s", "track_id": 0, "start_tick": 0, **known}
            writer.add(encode(record_of(clip, meta["key"], meta, speech=np.ones(20))), meta)
    return folder


@pytest.fixture
def here(material: Path, site: Site, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], None]]:
    """The folder as the working folder; call it to have the distribution of the page installed."""
    monkeypatch.chdir(material)

    def install() -> None:
        about = tomllib.loads(PAGE.files["avdetect-flicker/pyproject.toml"])
        points, project = about["project"]["entry-points"], about["project"]
        (module,) = about["tool"]["hatch"]["build"]["targets"]["wheel"]["only-include"]
        files = {module: PAGE.files["flicker.py"]}
        site.install(project["name"], points, version=project["version"], files=files)

    yield install


@pytest.mark.parametrize("commands", PAGE.commands, ids=lambda commands: commands[-1].split(" --")[0])
def test_commands_run(commands: tuple[str, ...], here: Callable[[], None], material: Path) -> None:
    if any("Flicker" not in c and "flicker" in c for c in commands):
        here()
    if any("loud.parquet --metric" in c for c in commands) and not (material / "loud.parquet").exists():
        run_command(next(c for block in PAGE.commands for c in block if c.endswith("--out loud.parquet")))
    said = [run_command(command) for command in commands]
    assert all(said[-1:])


def test_what_they_give(here: Callable[[], None], material: Path) -> None:
    alone = json.loads(run_command("avdetect score --json clip.mp4 --detector flicker.py:Flicker"))
    assert alone["probability_fake"] is not None and any("uncalibrated" in line for line in alone["reasons"])
    assert [(d["name"], d["distribution"]) for d in alone["detectors"]] == [("flicker", "")]
    here()
    named = json.loads(run_command("avdetect score --json clip.mp4 --detector flicker"))
    assert named["probability_fake"] == alone["probability_fake"]
    assert named["detectors"][0]["distribution"] == "avdetect-flicker 0.1"
    assert "flicker\tavdetect-flicker\t0.1\tinstalled" in run_command("avdetect plugins --kind detector")
    assert "flicker\tavdetect-flicker\t0.1\toff" in run_command("avdetect --no-plugins plugins --kind detector")


def test_the_first_test(here: Any) -> None:
    space: dict[str, Any] = {}
    exec(PAGE.files["test_flicker.py"], space)
    space["test_it_keeps_its_contract"]()


def test_the_others_keep_their_contracts(here: Any) -> None:
    testing.check_detector("loud.py:Loud", longest=60)
    testing.check_source("takes.py:Takes", _plant)
    testing.check_forgery("mute.py:FAMILY")
    testing.check_augmentation("hum.py:hum")
    testing.check_metric("gap.py:GAP")
    testing.check_reporter("lines.py:Lines")
    testing.check_engine("tones.py:ENGINE")


def test_the_encoder_keeps_its_contract_and_has_typed_options(here: Any) -> None:
    assert set(testing.check_encoder("grey.py:Grey")) <= {"ticks_around", "reach", "probabilities", "masked", "padding"}
    named = override(Config(model=ModelConfig()), "model.visual_encoder=grey.py:Grey")
    named = override(override(named, "model.visual=default"), "model.visual.width=16")
    assert type(named.model.visual).__name__ == "GreyOptions" and named.model.visual.width == 16  # type: ignore[union-attr]
    with pytest.raises(TypeError, match="expected int"):
        override(named, "model.visual.width=wide")


def test_what_is_shown_and_not_run_is_there() -> None:
    shown = {(f, a) for f, a in re.findall(r"(\w+\.py):(\w+)", PAGE.text) if f != "file.py"}
    assert {file for file, _ in shown} <= set(PAGE.files)
    for file, attribute in shown:
        assert re.search(rf"^(class|def) {attribute}\b|^{attribute} = ", PAGE.files[file], re.MULTILINE), attribute
    for module in set(re.findall(r"python -m ([a-z_.]+)", PAGE.text)):
        assert importlib.import_module(module).app


def test_the_table_of_kinds_is_whole() -> None:
    rows = re.findall(r"^\| ([a-z ]+) \| `(avdetect\.\w+)` \|", PAGE.text, re.MULTILINE)
    assert dict(rows) == {registry.kind: registry.group for registry in REGISTRIES.values()}
    assert {group for _, group in rows} == set(CHECKS) and all(isinstance(r, Registry) for r in REGISTRIES.values())
    kits = set(re.findall(r"`(check_\w+)`", PAGE.text))
    assert kits == {name for name in testing.__all__ if name.startswith("check_")}

"""A bundle taken apart: what comes out makes the same bundle again."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file
from typer.testing import CliRunner

from avdetect.bundle import assemble_net, empty_net, flat_parameters, write_bundle
from avdetect.calibration import Calibration
from avdetect.config import AudioConfig, CommitteeConfig, LiteConfig, ModelConfig, TextureConfig, VisualConfig
from tests.small_nets import randomise
from tools.take_apart import app

MEMBERS = [{"name": name, "data": {"train_where": f"fold={i}"}} for i, name in enumerate(("a", "b", "c", "d"))]


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    visual = CommitteeConfig(
        cnn=VisualConfig(widths=(8, 8), blocks=1),
        texture=TextureConfig(hidden=4, heads=2),
        textures=2,
        lite=LiteConfig(stages=1),
        lites=1,
    )
    config = replace(ModelConfig(visual_encoder="committee"), visual=visual, audio=AudioConfig(widths=(8, 8), hidden=8))
    net = empty_net(config)
    randomise(net, 0)
    training = [
        {"train": {"part": "audio"}, "data": {"train_where": "fold=9"}},
        {"train": {"part": "visual"}, "data": {"train_where": "fold=0|fold=1"}, "members": MEMBERS},
    ]
    folder = tmp_path_factory.mktemp("bundle") / "made"
    parameters = {key: np.asarray(value[...]) for key, value in flat_parameters(net).items()}
    write_bundle(folder, config, parameters, Calibration(), {"name": "small", "training": training})
    return folder


def test_the_parts_make_the_same_network(bundle: Path, tmp_path: Path) -> None:
    run = CliRunner().invoke(app, [str(bundle), "--out", str(tmp_path)])
    assert run.exit_code == 0, run.output
    again = flat_parameters(assemble_net([tmp_path / "visual" / "part", tmp_path / "audio" / "part"]))
    stored = load_file(bundle / "model.safetensors")
    assert stored.keys() == again.keys()
    for name, value in again.items():
        np.testing.assert_array_equal(np.asarray(value[...]), stored[name].astype(np.float32), err_msg=name)
    for name, where in (("audio", "fold=9"), ("visual", "fold=0|fold=1"), ("visual_member_3", "fold=3")):
        assert json.loads((tmp_path / name / "config.json").read_text())["data"]["train_where"] == where


def test_each_member_is_a_network_of_its_own(bundle: Path, tmp_path: Path) -> None:
    assert CliRunner().invoke(app, [str(bundle), "--out", str(tmp_path)]).exit_code == 0
    nets = [assemble_net([tmp_path / f"visual_member_{i}" / "part"]) for i in range(4)]
    assert [net.config.visual_encoder for net in nets] == ["cnn", "texture", "texture", "lite"]
    stored = load_file(bundle / "model.safetensors")
    for i, net in enumerate(nets):
        mine = {f"visual.members.{i}.{k}": v for k, v in flat_parameters(net.visual).items()}
        assert mine.keys() == {k for k in stored if k.startswith(f"visual.members.{i}.")}
        for name, value in mine.items():
            np.testing.assert_array_equal(np.asarray(value[...]), stored[name].astype(np.float32), err_msg=name)


def test_what_lies_there_is_kept(bundle: Path, tmp_path: Path) -> None:
    (tmp_path / "audio").mkdir()
    run = CliRunner().invoke(app, [str(bundle), "--out", str(tmp_path)])
    assert run.exit_code == 2 and "audio is there already" in run.output
    assert [p.name for p in tmp_path.iterdir()] == ["audio"]


def test_a_folder_that_is_no_bundle_is_said(tmp_path: Path) -> None:
    run = CliRunner().invoke(app, [str(tmp_path), "--out", str(tmp_path / "out")])
    assert run.exit_code == 2 and "is not a bundle" in run.output

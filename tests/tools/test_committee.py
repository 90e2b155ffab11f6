"""The command that joins face networks to one."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from avdetect.bundle import assemble_net, write_part
from avdetect.config import ModelConfig, TextureConfig
from avdetect.data.records import encode, record_of
from avdetect.data.store import RecordWriter
from avdetect.models.detector import DetectorNet
from avdetect.testing import synthetic_clip
from tests.small_nets import randomise
from tools.committee import app


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("records")
    with RecordWriter(folder) as writer:
        for i in range(4):
            meta = {"key": f"c{i}#0@0", "path": f"c{i}.mp4", "source": "film", "label": "RVRA", "identity": f"p{i}",
                    "track_id": 0, "start_tick": 0, "visual_fake": "0", "audio_fake": "0", "fold": str(i)}  # fmt: skip
            writer.add(encode(record_of(synthetic_clip(i, 12), meta["key"], meta, speech=np.ones(12))), meta)
    return folder


def trained(folder: Path, seed: int, where: str) -> str:
    net = DetectorNet(replace(ModelConfig(visual_encoder="texture"), visual=TextureConfig(hidden=4, heads=2)))
    randomise(net.visual, seed)
    write_part(folder / "part", "visual", net.visual, net.config)
    (folder / "config.json").write_text(json.dumps({"data": {"train_where": where}}))
    return str(folder / "part")


def join(records: Path, out: Path, *arguments: str):
    options = ["--records", str(records), "--fit-where", "fold=2,3", "--out", str(out)]
    return CliRunner().invoke(app, [*arguments, *options])


def test_two_networks_become_a_part_that_knows_what_both_were_trained_on(records: Path, tmp_path: Path) -> None:
    parts = [trained(tmp_path / str(n), n, f"fold={n}") for n in (0, 1)]
    done = join(records, tmp_path / "joined", *parts, "--weights", "3,1")
    assert done.exit_code == 0, done.output
    assert done.output.count("centre") == 2
    config = json.loads((tmp_path / "joined" / "config.json").read_text())
    assert config["data"]["train_where"] == "fold=0|fold=1" and len(config["members"]) == 2
    made = assemble_net([tmp_path / "joined" / "part"])
    assert made.config.visual_encoder == "committee" and made.visual.weight[...].shape == (2,)


def test_clips_that_a_member_was_trained_on_set_no_scale(records: Path, tmp_path: Path) -> None:
    parts = [trained(tmp_path / str(n), n, where) for n, where in enumerate(("fold=0", "fold=1,2"))]
    refused = join(records, tmp_path / "joined", *parts)
    assert refused.exit_code == 2 and "was trained on" in refused.output
    assert not (tmp_path / "joined").exists()
    lost = join(records, tmp_path / "joined", str(tmp_path / "nowhere"))
    assert lost.exit_code == 2 and "nowhere" in lost.output

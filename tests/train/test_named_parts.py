"""From ``--set model.visual_encoder=path/to/file.py:attribute`` to scores: the programs, with the classes of others."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

import avdetect
from avdetect.bundle import assemble_net, flat_parameters, write_bundle
from avdetect.calibration import Calibration
from avdetect.config import Config, ModelConfig, VisualConfig, to_dict
from avdetect.plugin_errors import PluginError
from avdetect.testing import synthetic_clip
from tests.train.toy_task import rows_of
from train.loop import _write_config
from train.run import app

CODE = Path(__file__).resolve().parents[1] / "other_parts.py"
CONFIG = """
import dataclasses
from avdetect.augment.config import AugmentConfig
from avdetect.config import Config, DataConfig, OptimConfig, TrainConfig
from tests.small_nets import small_config

def get_config():
    return Config(
        name="named",
        model=small_config("sync_landmarks", "visual", "fusion"),
        data=DataConfig(records={records!r}, ticks=28, faces=2, forgeries=("self_blend=2", "shift=1"), val_examples=32),
        augment=dataclasses.replace(AugmentConfig(), video_codec=0.0, sound_codec=0.0),
        optim=OptimConfig(lr=5e-3, warmup=2, ema=0.9),
        train=TrainConfig(part="all", steps=6, batch=8, log_every=1, eval_every=6, save_every=100),
    )
"""


@pytest.fixture
def run(tmp_path: Path, records: Path) -> Any:
    shutil.copy(CODE, tmp_path / "mine.py")
    config = tmp_path / "config.py"
    config.write_text(CONFIG.format(records=str(records)))

    def call(*assignments: str) -> Any:
        more = [x for a in assignments for x in ("--set", a)]
        return CliRunner().invoke(app, ["--config", str(config), "--workdir", str(tmp_path / "run"), *more])

    return call


def test_what_is_wrong_is_said_before_anything_is_trained(run: Any, tmp_path: Path) -> None:
    named = f"model.visual_encoder={tmp_path}/mine.py:Brightness"
    for assignments, says in (
        ([f"{named}er"], "mine.py has no 'Brightnesser'"),
        (["model.visual_encoder=cmn"], "no visual encoder is called 'cmn'"),
        ([named, "model.visual.width=wide"], "model.visual.width: expected int, got 'wide'"),
        ([named, "model.visual.widths=8,8"], "'widths' is not a field of BrightnessOptions"),
    ):
        refused = run(*assignments)
        assert refused.exit_code == 2 and says in refused.output, refused.output
        assert not (tmp_path / "run").exists()


def test_a_run_of_before_classes_had_names_goes_on(tmp_path: Path) -> None:
    config = Config(model=ModelConfig(visual=VisualConfig()))
    old = json.loads(json.dumps(to_dict(config)))
    for field in ("visual_encoder", "audio_encoder", "fusion_head"):
        del old["model"][field]
    (tmp_path / "config.json").write_text(json.dumps(old))
    _write_config(tmp_path, config, primary=True)
    assert json.loads((tmp_path / "config.json").read_text())["model"]["visual_encoder"] == "cnn"
    for other in ({**old, "seed": 9}, {**old, "colour": 1}, {}):
        (tmp_path / "config.json").write_text(json.dumps({"train": {}, **other}))
        with pytest.raises(ValueError, match="another configuration"):
            _write_config(tmp_path, config, primary=True)


@pytest.mark.slow
def test_trained_by_the_program_and_scored(run: Any, tmp_path: Path) -> None:
    visual, fusion = f"{tmp_path}/mine.py:Brightness", f"{tmp_path}/mine.py:Peak"
    names = [f"model.visual_encoder={visual}", f"model.fusion_head={fusion}", "model.visual.width=12"]
    done = run(*names)
    assert done.exit_code == 0, done.output
    rows = [row for row in rows_of(tmp_path / "run") if "loss" in row]
    assert len(rows) == 6 and all(np.isfinite(row["visual"]) and np.isfinite(row["mismatch"]) for row in rows)
    assert json.loads((tmp_path / "run" / "config.json").read_text())["model"]["visual"]["width"] == 12
    assert run(*names).exit_code == 0, "the same command finds the run done"
    assert "another configuration" in run(*names[:2]).output

    net = assemble_net([tmp_path / "run" / "part"], allow=(visual, fusion))
    assert {name: type(part).__name__ for name, part in net.parts().items()} == {
        "sync_landmarks": "SyncPair",
        "visual": "Brightness",
        "fusion": "Peak",
    }
    parameters = {name: leaf[...] for name, leaf in flat_parameters(net).items()}
    write_bundle(tmp_path / "bundle", net.config, parameters, Calibration(), {"name": "named", "version": "1"})
    with pytest.raises(PluginError, match="nothing was run"):
        avdetect.load(tmp_path / "bundle")
    detector = avdetect.load(tmp_path / "bundle", allow=(visual, fusion))
    report = detector.score(synthetic_clip(7, 60))
    assert report.verdict in ("real", "fake", "inconclusive") and report.model.name == "named"
    found = detector.evidence(synthetic_clip(7, 60))
    assert np.isfinite(found.visual).any() and np.isfinite(found.sync).any()

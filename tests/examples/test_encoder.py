"""The visual encoder of the examples: its contract, and twenty steps of training within the fusion model."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import jax
import numpy as np
import optax
import pytest
from flax import nnx
from typer.testing import CliRunner

import avdetect
from avdetect.bundle import assemble_net, flat_parameters, write_bundle, write_part
from avdetect.calibration import Calibration
from avdetect.config import FusionConfig, LossConfig, ModelConfig, SyncConfig, override
from avdetect.data.clip_examples import arrays_of
from avdetect.data.sync_examples import stack
from avdetect.forge import FORGERIES
from avdetect.models.detector import DetectorNet
from avdetect.plugin_errors import PluginError
from avdetect.testing import check_encoder, synthetic_clip
from train.step import TrainState, make_train_step
from train.tasks.clips import make_loss

STEPS, TICKS = 20, 32


def test_it_keeps_its_contract() -> None:
    skipped = check_encoder("spectrum")
    assert set(skipped) == {"ticks_around", "probabilities", "reach", "padding", "masked"}, "those of other encoders"


@pytest.fixture(scope="module")
def config(installed: Path) -> ModelConfig:
    """Lips and sound, the face by the example, and the fusion head that hears both; no voice, which would cost 10 s."""
    config = ModelConfig(
        sync_landmarks=SyncConfig("landmarks", width=16, blocks=1, embedding=8),
        fusion=FusionConfig(radii=(4, 9), channels=8, hidden=8),
        compute_dtype="float32",
    )
    for assignment in ("visual_encoder=spectrum", "visual=on", "visual.bands=16"):
        config = override(config, assignment)
    return config


def batch_of() -> dict[str, np.ndarray]:
    """Two speakers as they are, with false faces, and with false voices."""
    examples = []
    for seed in (1, 2):
        clip = synthetic_clip(seed, TICKS)
        forged = [FORGERIES.get(n).forge(clip, np.random.default_rng(seed)) for n in ("self_blend", "whisper")]
        speech = np.ones(TICKS, np.float32)
        for one in (clip, *forged):
            rng = np.random.default_rng(seed)
            examples.append(arrays_of(one, ticks=TICKS, faces=2, rng=rng, speech=speech, in_sync=True))
    return stack([{**x, "drop": np.ones(2, np.float32)} for x in examples])


def parameters(module: nnx.Module) -> dict[str, np.ndarray]:
    return {name: np.asarray(leaf[...]) for name, leaf in flat_parameters(module).items()}


@pytest.fixture(scope="module")
def trained(config: ModelConfig) -> tuple[DetectorNet, list[dict[str, float]]]:
    """The network after the steps that `train.run` makes, all its parts at once, and what was logged at each."""
    graph, params, rest = nnx.split(DetectorNet(config, seed=1), nnx.Param, ...)
    params, rest = nnx.as_pure(params), nnx.as_pure(rest)
    chain = optax.adam(3e-2)
    state: Any = TrainState(np.int32(0), params, rest, chain.init(params), params)  # pyright: ignore[reportArgumentType]
    loss = make_loss(LossConfig(), drop=0.0)
    step = make_train_step(loss, graph, chain, rate=optax.constant_schedule(3e-2), ema=0.0)
    batch, rows = batch_of(), []
    compiled = jax.jit(step).lower(state, batch).compile()  # once, though fresh parameters are typed more weakly
    for _ in range(STEPS):
        state, figures = compiled(state, batch)
        rows.append({name: float(value) for name, value in figures.items()})
    return nnx.merge(graph, state.average, state.rest), rows


def test_it_learns_within_the_whole_network(config: ModelConfig, trained: Any) -> None:
    net, rows = trained
    assert list(net.parts()) == ["sync_landmarks", "visual", "fusion"]
    assert type(net.visual).__name__ == "SpectrumNet" and net.visual.bands == 16
    assert len(rows) == STEPS and all(np.isfinite(list(row.values())).all() for row in rows)
    assert {"visual", "mismatch", "class", "sync_landmarks_inside"} <= set(rows[0])
    for name in ("loss", "visual"):
        values = [row[name] for row in rows]
        assert np.mean(values[-3:]) < 0.9 * np.mean(values[:3]), (name, values)
    before, after = parameters(DetectorNet(config, seed=1)), parameters(net)
    still = [name for name in before if np.array_equal(before[name], after[name])]
    assert not [name for name in still if name.startswith("visual.")], "all of the plugin is trained"
    assert len(still) < len(before) / 4, still


def test_a_bundle_with_it_is_stored_and_loaded_where_it_is_allowed(
    config: ModelConfig, trained: Any, film: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from avdetect.cli import app

    net, _ = trained
    for name, part in net.parts().items():
        write_part(tmp_path / "part", name, part, config)
    joined = assemble_net([tmp_path / "part"], allow=("spectrum",))
    assert dataclasses.replace(joined.config, compute_dtype=config.compute_dtype) == config
    bundle = tmp_path / "bundle"
    write_bundle(bundle, config, parameters(joined), Calibration(), {"name": "mine", "version": "1"})
    with pytest.raises(PluginError, match=r"avdetect-spectrum-encoder 1\.0.*nothing was run.*--allow-plugin spectrum"):
        avdetect.load(bundle)
    detector = avdetect.load(bundle, allow=("avdetect-spectrum-encoder",))
    whose = {"name": "spectrum", "distribution": "avdetect-spectrum-encoder", "version": "1.0"}
    assert detector.card["plugins"] == {"visual": whose}
    kept = {n: v.astype(np.float16).astype(np.float32) for n, v in parameters(net).items()}
    assert all(np.array_equal(kept[n], v) for n, v in parameters(detector.net).items())

    monkeypatch.setenv("AVDETECT_ALLOW_PLUGINS", "")  # put back after --allow-plugin
    command = ["score", "--json", "--bundle", str(bundle), str(film)]
    assert CliRunner().invoke(app, command).exit_code == 2
    done = CliRunner().invoke(app, [*command, "--allow-plugin", "spectrum"])
    assert done.exit_code == 0 and '"name": "mine"' in done.stdout, done.output

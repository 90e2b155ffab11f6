"""Which ticks count in the training of a voice encoder follows its own class, whosever it is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from avdetect.bundle import empty_net
from avdetect.config import Config, override
from train.tasks.audio import AudioTask, voice_logits

CODE = Path(__file__).resolve().parents[1] / "other_parts.py"
REACH = 5


@pytest.fixture(scope="module")
def config(make_config) -> Config:
    """The encoder of somebody else, which hears five ticks on either side; the one built in hears two here."""
    named = override(make_config("audio"), f"model.audio_encoder={CODE}:Loudness")
    return override(named, f"model.audio.around={REACH}")


@pytest.fixture(scope="module")
def task(config: Config) -> AudioTask:
    return AudioTask(config)


def test_the_loss_is_of_the_ticks_that_have_what_the_encoder_needs(task: AudioTask) -> None:
    batch = {name: jnp.asarray(x) for name, x in task.batches(0).items()}
    valid = np.ones(batch["valid"].shape, bool)
    valid[:, 20:] = False
    batch |= {"valid": jnp.asarray(valid), "speech": jnp.ones(valid.shape), "known": jnp.ones(len(valid), bool)}

    def total(logits: jax.Array) -> jax.Array:
        net: Any = lambda audio, valid: (logits, logits)  # noqa: E731
        return task.loss(net, batch)[0]

    counted = np.asarray(jax.grad(total)(jnp.full(valid.shape, 0.3)) != 0)
    expected = np.zeros(valid.shape, bool)
    expected[:, REACH : 20 - REACH] = True
    np.testing.assert_array_equal(counted, expected)


def test_so_is_what_is_evaluated(task: AudioTask, config: Config) -> None:
    net = empty_net(config.model).audio
    assert net is not None and type(net).__name__ == "Loudness"
    _, speeches = voice_logits(net, task.val[:1], task._forward, REACH)
    n = task.val[0].n_ticks
    assert np.isfinite(speeches[0]).nonzero()[0].tolist() == list(range(REACH, n - REACH))
    figures = task.evaluate(net)
    assert np.isfinite(figures["val_auc_speech"]) and np.isfinite(figures["val_auc_systems"])

"""The fusion head hears clips through parts that were not trained on them."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

from avdetect.bundle import write_part
from tests.small_nets import SMALL, small_net
from train.tasks import make_task


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Folders of a pair, of the same pair with other parameters, and of the rest."""
    root, net, other = tmp_path_factory.mktemp("parts"), small_net(), small_net()
    embed: Any = other.sync_landmarks.lips.embed  # type: ignore[union-attr]
    embed.kernel[...], embed.bias[...] = -embed.kernel[...], -embed.bias[...]
    for name, model, names in (
        ("own", net, ["sync_landmarks"]),
        ("other", other, ["sync_landmarks"]),
        ("rest", net, ["audio"]),
    ):
        for part in names:
            write_part(root / name, part, getattr(model, part), SMALL)
    return {name: str(root / name) for name in ("own", "other", "rest")}


def test_clips_that_a_rule_names_are_heard_by_its_parts(make_config, parts: dict[str, str]) -> None:
    frozen = (parts["own"], parts["rest"])
    plain = make_task(make_config("fusion", frozen=frozen))
    ruled = make_task(make_config("fusion", frozen=frozen, heard_by=(f"identity=speaker0,speaker1@{parts['other']}",)))
    ours = {c.key: c for c in plain.train}
    assert {c.key for c in ruled.train} == set(ours)
    for clip in ruled.train:
        lips = clip.lips["sync_landmarks"].astype(float)
        usual = ours[clip.key].lips["sync_landmarks"].astype(float)
        sign = -1 if clip.identity in ("speaker0", "speaker1") else 1
        np.testing.assert_allclose(lips, sign * usual, atol=0.02, err_msg=clip.key)
        np.testing.assert_array_equal(clip.sound["sync_landmarks"], ours[clip.key].sound["sync_landmarks"])
        assert clip.audio == pytest.approx(ours[clip.key].audio)


def test_without_validation_clips_nothing_is_called_a_validation(make_config, parts: dict[str, str]) -> None:
    config = make_config("fusion", frozen=(parts["own"], parts["rest"]))
    task = make_task(dataclasses.replace(config, data=dataclasses.replace(config.data, val_where="split=none")))
    assert task.val == [] and task.evaluate(small_net().fusion) == {}


@pytest.mark.parametrize("rule", ["source=drawn", "source=drawn@"])
def test_a_rule_without_parts_says_so(make_config, parts: dict[str, str], rule: str) -> None:
    with pytest.raises(ValueError, match=r"train\.heard_by.*CONDITION@FOLDER"):
        make_task(make_config("fusion", frozen=(parts["own"], parts["rest"]), heard_by=(rule,)))

"""Encoders and heads of others: in the network, trained, stored, refused, loaded, and heard."""

from __future__ import annotations

import dataclasses
import json
import shutil
from pathlib import Path
from typing import Any

import jax
import numpy as np
import optax
import pytest
from flax import nnx
from safetensors.numpy import load_file
from typer.testing import CliRunner

import avdetect
from avdetect.bundle import assemble_net, default_bundle_path, flat_parameters, write_bundle, write_part
from avdetect.calibration import Calibration
from avdetect.config import ModelConfig, SyncConfig, override
from avdetect.detector import Detector
from avdetect.models.audio import POOL_RADIUS
from avdetect.models.detector import DetectorNet
from avdetect.models.frontend import CMN_RADIUS
from avdetect.models.registry import AUDIO_ENCODERS, NAMED, VISUAL_ENCODERS, context_of, make_part, reach_of
from avdetect.plugin_errors import PluginError
from avdetect.plugins import registries
from avdetect.testing import synthetic_clip
from avdetect.types import Clip, Evidence
from tests.fake_distributions import Site, site
from tests.small_nets import randomise, small_config

__all__ = ["site"]
CODE = Path(__file__).resolve().parents[1] / "other_parts.py"
TICKS = 40


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The code of another, in a place of its own."""
    return Path(shutil.copy(CODE, tmp_path_factory.mktemp("others") / "mine.py"))


@pytest.fixture(scope="module")
def config(file: Path) -> ModelConfig:
    """A pair, and three parts of another."""
    config = ModelConfig(sync_landmarks=SyncConfig("landmarks", width=16, blocks=1, embedding=8))
    for assignment in (
        f"visual_encoder={file}:Brightness",
        f"audio_encoder={file}:Loudness",
        f"fusion_head={file}:Peak",
        *("visual=on", "audio=on", "fusion=on"),
        *("visual.width=6", "audio.around=3"),
    ):
        config = override(config, assignment)
    return config


@pytest.fixture(scope="module")
def clip() -> Clip:
    return synthetic_clip(5, TICKS)


def parameters(module: nnx.Module) -> dict[str, np.ndarray]:
    return {name: np.asarray(leaf[...]) for name, leaf in flat_parameters(module).items()}


def random_net(config: ModelConfig) -> DetectorNet:
    net = DetectorNet(config)
    for part in net.parts().values():
        randomise(part)
    return net


def same(a: Evidence, b: Evidence) -> bool:
    names = ("visual", "audio", "sync", "similarity", "speech", "classes")
    return all(np.array_equal(getattr(a, n), getattr(b, n), equal_nan=True) for n in names)


def test_what_is_built_in_comes_through_the_same_door() -> None:
    usual = ModelConfig()
    for part, (field, registry) in NAMED.items():
        assert registry.builtins()[0] == getattr(usual, field)
        assert all(registry.get(name).api_version == 1 for name in registry.builtins())
        kind = registry.get(getattr(usual, field))
        assert kind.api_version == 1 and kind.Options is ModelConfig.usual_options()[part]
        assert registries()[field] is registry
    small = small_config()
    assert (reach_of(small, "audio"), context_of(small, "audio")) == (2, 2 + POOL_RADIUS + CMN_RADIUS + 1)
    assert reach_of(small, "fusion") == context_of(small, "fusion") == 9
    assert reach_of(ModelConfig(), "audio") == context_of(ModelConfig(), "fusion") == 0


def test_the_bundle_that_ships_is_of_what_is_built_in() -> None:
    """Each part is of the class that its configuration names, and every number is where it is stored."""
    stored = json.loads((default_bundle_path() / "config.json").read_text())
    detector = avdetect.load()
    for part, (field, registry) in NAMED.items():
        assert stored.get(field, getattr(ModelConfig(), field)) == getattr(detector.net.config, field)
        name = getattr(detector.net.config, field)
        assert name in registry.builtins() and type(getattr(detector.net, part)) is registry.get(name)
    weights, found = load_file(default_bundle_path() / "model.safetensors"), parameters(detector.net)
    assert weights.keys() == found.keys()
    assert all(np.array_equal(found[name], value.astype(np.float32)) for name, value in weights.items())


def test_a_part_is_the_same_whoever_made_the_others(config: ModelConfig) -> None:
    small = small_config("fusion")
    mixed = dataclasses.replace(small, visual=config.visual, visual_encoder=config.visual_encoder)
    alone, beside = DetectorNet(small, seed=3), DetectorNet(mixed, seed=3)
    assert list(beside.parts()) == ["visual", "fusion"] and type(beside.visual).__name__ == "Brightness"
    mine, theirs = parameters(alone.fusion), parameters(beside.fusion)
    assert mine.keys() == theirs.keys() and all(np.array_equal(mine[n], theirs[n]) for n in mine)


def test_parts_of_another_see_and_hear_a_clip(config: ModelConfig, clip: Clip) -> None:
    detector = Detector(random_net(config), Calibration(), card={"name": "x", "version": "0", "sha256": ""})
    found = detector.evidence(clip)
    assert detector.fusion_reach == 0 and detector.sound_halo == CMN_RADIUS + detector.sync_reach + 1
    assert np.isfinite(found.visual).sum() > 30 and len(set(found.visual[:10].tolist())) > 3
    known = np.isfinite(found.audio)
    assert not known[:3].any() and known[3:-3].all() and not known[-3:].any(), "as far as it reaches"
    assert np.isfinite(found.sync).any() and found.classes is not None
    assert np.exp(found.classes).sum() == pytest.approx(1, abs=1e-4)
    assert detector.score(clip).verdict in ("real", "fake", "inconclusive")
    assert set(detector.cache_sizes().values()) == {1}


BATCH, FACES = 8, 2


def batch_of(net_ticks: int = 12) -> dict[str, np.ndarray]:
    """Faces of which the false ones are bright."""
    rng = np.random.default_rng(0)
    fake = np.arange(BATCH) % 2
    ones = np.ones((BATCH, net_ticks), bool)
    faces = rng.integers(0, 120, (BATCH, FACES, 32, 32, 3)) + 120 * fake[:, None, None, None, None]
    return {
        "faces": faces.astype(np.uint8),
        "face_mouths": rng.integers(0, 255, (BATCH, FACES, 3, 16, 16, 3), np.uint8),
        "face_fake": np.repeat(fake[:, None], FACES, axis=1).astype(np.float32),
        "visible": ones,
        "covered": ones,
        "matched": ones,
        "class": fake.astype(np.int32),
        "drop": np.ones((BATCH, 2), np.float32),
    }


def trained(config: ModelConfig, steps: int) -> tuple[DetectorNet, list[dict[str, float]]]:
    """The whole network after a few steps of what training does."""
    from avdetect.config import LossConfig
    from train.step import TrainState, make_train_step
    from train.tasks.clips import make_loss

    graph, params, rest = nnx.split(DetectorNet(config, seed=1), nnx.Param, ...)
    params, rest = nnx.as_pure(params), nnx.as_pure(rest)
    chain = optax.adam(3e-2)
    state = TrainState(np.int32(0), params, rest, chain.init(params), params)  # pyright: ignore[reportArgumentType]
    step = jax.jit(
        make_train_step(make_loss(LossConfig(), drop=0.0), graph, chain, rate=optax.constant_schedule(3e-2), ema=0.5)
    )
    rows = []
    for _ in range(steps):
        state, metrics = step(state, batch_of())
        rows.append({name: float(value) for name, value in metrics.items()})
    return nnx.merge(graph, state.average, state.rest), rows


@pytest.fixture(scope="module")
def bundle(config: ModelConfig, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A visual encoder of another, trained inside the whole network, its parts stored, joined and exported."""
    folder = tmp_path_factory.mktemp("trained")
    seen = dataclasses.replace(config, audio=None, audio_encoder="spectrogram", sync_landmarks=None)
    net, rows = trained(seen, 12)
    assert all(np.isfinite(list(row.values())).all() for row in rows)
    assert rows[-1]["visual"] < 0.7 * rows[0]["visual"], [row["visual"] for row in rows]
    before, after = parameters(DetectorNet(seen, seed=1).visual), parameters(net.visual)
    assert all((before[name] != after[name]).any() for name in before), "all of it was trained"
    for name, part in net.parts().items():
        write_part(folder / "part", name, part, seen)
    about = json.loads((folder / "part" / "visual.json").read_text())
    assert about["name"] == config.visual_encoder and about["options"]["width"] == 6
    with pytest.raises(PluginError, match=r"part/.*\.json asks for code by its place.*--allow-plugin"):
        assemble_net([folder / "part"])
    joined = assemble_net([folder / "part"], allow=(config.visual_encoder, config.fusion_head))
    assert joined.config == seen
    write_bundle(folder / "bundle", seen, parameters(joined), Calibration(), {"name": "bright", "version": "1"})
    return folder / "bundle"


def test_trained_exported_refused_allowed_and_used(bundle: Path, config: ModelConfig, clip: Clip) -> None:
    names = (config.visual_encoder, config.fusion_head)
    for allow in ((), names[1:], ("*",)):
        with pytest.raises(PluginError) as raised:
            avdetect.load(bundle, allow=allow)
        said = str(raised.value)
        assert f"visual encoder '{names[0]}'" in said and str(bundle) in said and "nothing was run" in said
        assert f"--allow-plugin {names[0]}" in said and "path/to/file.py:Brightness" in said
    detector = avdetect.load(bundle, allow=names)
    assert detector.card["plugins"]["visual"] == {"name": names[0], "distribution": "", "version": ""}
    found = detector.evidence(clip)
    assert np.isfinite(found.visual).any() and found.classes is not None
    assert detector.score(clip).model.name == "bright"
    # As before it was stored, in half precision.
    half = {n: v.astype(np.float16).astype(np.float32) for n, v in parameters(detector.net).items()}
    assert all(np.array_equal(half[n], v) for n, v in parameters(detector.net).items())


def test_a_copy_of_the_code_serves_that_lies_elsewhere(bundle: Path, config: ModelConfig, clip: Clip) -> None:
    other = bundle.parent / "elsewhere" / "mine.py"
    other.parent.mkdir(exist_ok=True)
    shutil.copy(CODE, other)
    names = (config.visual_encoder, config.fusion_head)
    mine = avdetect.load(bundle, allow=(f"{other}:Brightness", names[1]))
    assert mine.net.config.visual_encoder == f"{other}:Brightness"
    assert same(mine.evidence(clip), avdetect.load(bundle, allow=names).evidence(clip))


def test_the_command_line_refuses_with_the_reason(
    bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from avdetect.cli import app

    sound = tmp_path / "a.wav"
    sound.write_bytes(b"RIFF")
    for command in ("score", "audit"):
        monkeypatch.setenv("AVDETECT_ALLOW_PLUGINS", "")
        refused = CliRunner().invoke(app, [command, str(sound), "--bundle", str(bundle)])
        assert refused.exit_code == 2 and "asks for code by its place" in refused.output, refused.output
        allowed = [f"--allow-plugin={bundle.parent}/x/mine.py:Brightness"]
        refused = CliRunner().invoke(app, [command, str(sound), "--bundle", str(bundle), *allowed])
        assert "there is no file" in refused.output and "If you have" not in refused.output, (
            "what the user names is looked for, not what the bundle names"
        )


def installed_bundle(site: Site, folder: Path) -> Path:
    """A bundle whose visual encoder is of an installed distribution."""
    points = {"avdetect.visual_encoders": {"brightness": "brightness_nets:Brightness"}}
    site.install("avdetect-bright", points, version="2.3", files={"brightness_nets.py": CODE.read_text()})
    config = override(override(ModelConfig(), "visual_encoder=brightness"), "visual=on")
    write_bundle(folder, config, parameters(random_net(config)), Calibration(), {"name": "b", "version": "1"})
    return folder


def test_a_bundle_says_what_to_install(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bundle = installed_bundle(site, tmp_path / "bundle")
    with pytest.raises(PluginError, match=r"avdetect-bright 2\.3.*bundle asks for it.*--allow-plugin brightness"):
        avdetect.load(bundle)
    assert type(avdetect.load(bundle, allow=("avdetect-bright",)).net.visual).__name__ == "Brightness"
    shutil.rmtree(site.folder)
    site.forget()
    with pytest.raises(PluginError) as raised:
        avdetect.load(bundle, allow=("brightness",))
    said = str(raised.value)
    assert f"{bundle} needs it, and it is not installed" in said and "visual encoder 'brightness'" in said
    assert "made with avdetect-bright 2.3: install that" in said and "--allow-plugin brightness" in said


def test_parts_of_before_classes_had_names(tmp_path: Path) -> None:
    config = small_config("fusion")
    net = random_net(config)
    write_part(tmp_path, "fusion", net.fusion, config)
    about = json.loads((tmp_path / "fusion.json").read_text())
    assert about.pop("name") == "lag_matrix" and "plugin" not in about
    (tmp_path / "fusion.json").write_text(json.dumps(about))
    found = assemble_net([tmp_path])
    assert all(np.array_equal(v, parameters(net)[n]) for n, v in parameters(found).items())


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (("(nnx.Module)", "(object)"), "Brightness must be a subclass of flax.nnx.Module"),
        (("self.hidden =", "self.odd = nnx.BatchNorm(3, rngs=rngs)\n        self.hidden ="), "BatchStat odd"),
        (("self.options = options", "self.options = options.size"), "making it failed: AttributeError"),
        (("[:, 0].astype", ".astype"), "it gave [8, 1] where [8] is wanted"),
    ],
)
def test_what_is_wrong_with_an_encoder_is_said_with_its_name(
    tmp_path: Path, clip: Clip, change: tuple[str, str], says: str
) -> None:
    text = CODE.read_text()
    place = text.index("class Brightness(nnx.Module)")
    (tmp_path / "wrong.py").write_text(text[:place] + text[place:].replace(*change, 1))
    spec = f"{tmp_path}/wrong.py:Brightness"
    config = override(override(ModelConfig(), f"visual_encoder={spec}"), "visual=on")
    with pytest.raises(PluginError) as raised:
        Detector(DetectorNet(config), Calibration(), card={}).evidence(clip)
    assert says in str(raised.value) and f"visual encoder '{spec}'" in str(raised.value)


def test_options_of_another_class(config: ModelConfig) -> None:
    wrong = ModelConfig(visual=config.visual)
    with pytest.raises(PluginError, match=r"'cnn'.*model\.visual must be its VisualConfig, not BrightnessOptions"):
        make_part(wrong, "visual", dtype=np.dtype("float32"), rngs=nnx.Rngs(0))


@pytest.mark.parametrize("answer", ["-1", "2.5", "True", "options.far"])
def test_a_reach_that_is_none(tmp_path: Path, answer: str) -> None:
    text = CODE.read_text().replace("return options.around", f"return {answer}")
    (tmp_path / "far.py").write_text(text)
    config = override(override(ModelConfig(), f"audio_encoder={tmp_path}/far.py:Loudness"), "audio=on")
    with pytest.raises(PluginError, match=r"audio encoder .*far\.py:Loudness': reach\(\) (gave|failed)"):
        reach_of(config, "audio")


def test_code_registered_by_the_running_program(monkeypatch: pytest.MonkeyPatch, config: ModelConfig) -> None:
    monkeypatch.setattr(AUDIO_ENCODERS, "_registered", {})
    loudness: Any = AUDIO_ENCODERS.get(config.audio_encoder)
    AUDIO_ENCODERS.register("loudness")(loudness)
    named = override(override(ModelConfig(), "audio_encoder=loudness"), "audio=on")
    assert type(DetectorNet(named).audio) is loudness and reach_of(named, "audio") == 2
    assert context_of(named, "audio") == 2 and "loudness" not in VISUAL_ENCODERS

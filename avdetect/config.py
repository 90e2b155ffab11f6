"""Configuration: nested frozen dataclasses. How they are overridden and stored is in `avdetect.config_values`.

A configuration is written in Python (``configs/*.py``, ``get_config() -> Config``) and executed only by the training
programs. What a bundle or a checkpoint carries is JSON, and reading that never executes code that it brings: an encoder
that is not built in is loaded by its name, and only if the user allows it.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from avdetect import config_encoders
from avdetect.augment.config import AugmentConfig
from avdetect.config_parts import (
    AudioConfig,
    CommitteeConfig,
    FusionConfig,
    LiteConfig,
    SyncConfig,
    SyncInput,
    TextureConfig,
    VisualConfig,
)
from avdetect.config_values import Access, Named, build, override, to_dict

__all__ = [
    "AudioConfig",
    "AugmentConfig",
    "CommitteeConfig",
    "Config",
    "DataConfig",
    "FusionConfig",
    "LiteConfig",
    "LossConfig",
    "MeshConfig",
    "ModelConfig",
    "OptimConfig",
    "Part",
    "SyncConfig",
    "SyncInput",
    "TextureConfig",
    "TrainConfig",
    "Trained",
    "VisualConfig",
    "from_dict",
    "load_config",
    "override",
    "to_dict",
]

Part = Literal["sync_landmarks", "sync_pixels", "visual", "audio", "fusion"]
Trained = Literal["all", "sync_landmarks", "sync_pixels", "visual", "audio", "fusion"]
"""What a run trains: one part, or all that the model has with one loss."""


@dataclass(frozen=True)
class ModelConfig:
    """Which parts a detector has; ``None`` leaves one out.

    Attributes:
        sync_landmarks: the pair that sees landmarks.
        sync_pixels: the pair that sees the mouth.
        visual: options of the visual encoder: its ``Options``, a frozen dataclass.
        audio: of the audio encoder.
        fusion: of the fusion head.
        compute_dtype: of activations; ``auto`` = bfloat16 on accelerators.
        visual_encoder: its name: built in, of an installed plugin, or ``path/to/file.py:attribute``.
        audio_encoder: likewise.
        fusion_head: likewise.
    """

    sync_landmarks: SyncConfig | None = None
    sync_pixels: SyncConfig | None = None
    # Of another class than this where another is named.
    visual: VisualConfig | Any | None = None
    audio: AudioConfig | Any | None = None
    fusion: FusionConfig | Any | None = None
    compute_dtype: Literal["auto", "float32", "bfloat16"] = "auto"
    visual_encoder: str = "cnn"
    audio_encoder: str = "spectrogram"
    fusion_head: str = "lag_matrix"

    @classmethod
    def usual_options(cls) -> dict[str, type]:
        """The options of the classes that are named by default."""
        return {"visual": VisualConfig, "audio": AudioConfig, "fusion": FusionConfig}

    @classmethod
    def named_types(cls, values: Mapping[str, Any], access: Access, *, only: str | None = None) -> Named:
        """The types of the options, by the names in ``values``; see `avdetect.config_encoders`."""
        return config_encoders.named_types(cls, values, access, only=only)

    def changed(self, field: str, value: Any) -> ModelConfig:
        """With another value; another name brings the options of its class by default."""
        return config_encoders.changed(self, field, value)


@dataclass(frozen=True)
class DataConfig:
    """Where the records are and which of them are used.

    Attributes:
        records: folder written by ``tools/prepare.py``, or several with commas between.
        ticks: ticks of a training example (shorter clips are padded and masked).
        max_clips: upper limit for quick runs; 0 = all.
        offsets: JSON written by ``tools/estimate_offsets.py``: milliseconds by which the sound of a group of clips
            lies late, taken out before training; empty = none.
        train_where: ``column=value[,value]`` conditions on the index for training, separated by ``;``.
        val_where: the same for validation.
        balance: how often a source (and label) is drawn: 1 = by its number of clips, 0 = all alike (part "all").
        weights: ``source/label=factor`` on top of that, ``*`` = anything, the first that fits counts; of the part
            "visual" sources, of "audio" systems.
        per_person: clips of one person that are drawn together, so that they are each other's negatives.
        faces: face crops looked at in each example.
        sound: whether examples have sound; without it, forgeries and degradations of sound cost nothing.
        mouths: whether they have mouth crops; the same.
        paired: a genuine example beside each forged one: the clip it was made of, degraded in the same way.
        cache: keep decoded records in memory (about a megabyte a clip).
        resident: all clips lie in the memory of the devices, and examples are made and changed there (lips-and-sound
            pairs; 10 MB a minute).
        pool: draws that are made once, kept in memory and shown again and again; 0 = always new ones.
        bank: folder in which faces, or their measures, are kept for the next run (part "visual").
        draws: of a source, this times the root of its number of genuine clips is drawn for the bank, so that no source
            is nearly all.
        recorded: share of pairs whose forged face is of a recorded forgery (part "visual").
        mates: condition on the genuine clips beside recorded forgeries whose originals are not at hand (part "visual").
        drop: share of examples whose picture, and whose sound, the four-way head is not told about.
        forged: share of genuine clips that are forged on the fly.
        forgeries: ``family=weight`` of `avdetect.forge.FORGERIES`.
        val_examples: fixed examples that validation figures are taken on.
        threads: threads that make examples ahead.
        workers: processes that do so instead; 0 = threads of this process.
    """

    records: str = "work/records"
    ticks: int = 32
    max_clips: int = 0
    offsets: str = ""
    train_where: str = "split=train"
    val_where: str = "split=val"
    balance: float = 0.5
    weights: tuple[str, ...] = ()
    per_person: int = 1
    faces: int = 3
    sound: bool = True
    mouths: bool = True
    paired: bool = False
    cache: bool = False
    resident: bool = False
    pool: int = 0
    bank: str = ""
    draws: float = 40.0
    recorded: float = 0.1
    mates: str = "visual_fake=0"
    drop: float = 0.1
    forged: float = 0.6
    forgeries: tuple[str, ...] = (
        "self_blend=4",
        "face_swap=1",
        "mouth_paste=1",
        "mouth_freeze=0.5",
        "mouth_loop=0.5",
        "mouth_warp=0.5",
        "face_jitter=0.5",
        "swap_same=1.5",
        "swap_other=1.5",
        "shift=0.5",
        "griffin_lim=0.5",
        "world=1.5",
        "voice_change=1",
        "splice_voice=1",
        "splice_face=0.5",
    )
    val_examples: int = 128
    threads: int = 2
    workers: int = 0


@dataclass(frozen=True)
class LossConfig:
    """Weights of the losses of part "all", and label smoothing of its binary ones; 0 leaves a loss out.

    Attributes:
        sync: matching of lips and sound over the ticks of the clip.
        across: matching over the clips of the batch, on top.
        visual: forged faces, each face by its own tick's label.
        audio: false voice, each tick of speech by its own label.
        speech: speech or not.
        mismatch: lips and sound belong together at no lag, per tick.
        classes: four-way.
        smoothing: pulls binary labels towards 1/2.
    """

    sync: float = 1.0
    across: float = 0.25
    visual: float = 1.0
    audio: float = 1.0
    speech: float = 0.3
    mismatch: float = 0.5
    classes: float = 0.3
    smoothing: float = 0.05


@dataclass(frozen=True)
class OptimConfig:
    """An optimizer with linear warm-up, cosine decay and global-norm clipping, and a running average of parameters.

    Attributes:
        name: "adamw", or "sgd" with Nesterov momentum.
        lr: highest rate.
        warmup: steps up to it.
        weight_decay: of matrices; vectors and scalars are not decayed.
        clip: largest global norm of the gradient.
        ema: decay of the running average of the parameters.
        b2: second decay of AdamW.
        momentum: of SGD.
        sam_rho: radius of sharpness-aware minimisation (two gradients a step); 0 = off.
    """

    name: Literal["adamw", "sgd"] = "adamw"
    lr: float = 1e-3
    warmup: int = 100
    weight_decay: float = 0.02
    clip: float = 1.0
    ema: float = 0.998
    b2: float = 0.99
    momentum: float = 0.9
    sam_rho: float = 0.0


@dataclass(frozen=True)
class MeshConfig:
    """How devices are arranged; -1 = as many as are left.

    Attributes:
        data: groups of devices that each hold all parameters.
        fsdp: devices of such a group, each with its share of the parameters.
        min_shard: arrays of fewer elements are not shared out.
    """

    data: int = -1
    fsdp: int = 1
    min_shard: int = 65536


@dataclass(frozen=True)
class TrainConfig:
    """The run.

    Attributes:
        part: the part of the detector that this run trains, or "all" of them together.
        steps: optimizer steps in all.
        batch: examples a step, over all devices.
        accumulate: micro-batches a step, one after the other; they must divide the batch.
        remat: compute what is inside blocks again on the way back rather than keep it: less memory, more time.
        log_every: steps between lines of ``log.jsonl``.
        eval_every: steps between evaluations on the validation clips.
        save_every: steps between checkpoints.
        keep: checkpoints kept.
        warm_start: folder of another run whose parameters of equal name and shape are taken over at step 0.
        frozen: folders of trained parts that this run only listens to (the fusion head needs the others).
        heard_by: ``CONDITION@FOLDER+FOLDER``: clips that are heard by other parts than the ``frozen`` ones of the same
            names, since those were trained on them (the fusion head); each source by one set of parts.
        prefetch: batches ready on the device ahead of the step.
        tensorboard: write a TensorBoard file too, where tensorboard is installed.
        measure_peak: measure the speed of matrix products first (under a second), to log the share of it in use.
        assert_no_recompile: stop with an error where a step after the second is compiled anew.
        debug_nans: stop at the first operation that gives not-a-number (slow).
    """

    part: Trained = "sync_landmarks"
    steps: int = 1000
    batch: int = 32
    accumulate: int = 1
    remat: bool = False
    log_every: int = 50
    eval_every: int = 500
    save_every: int = 500
    keep: int = 2
    warm_start: str = ""
    frozen: tuple[str, ...] = ()
    heard_by: tuple[str, ...] = ()
    prefetch: int = 2
    tensorboard: bool = True
    measure_peak: bool = True
    assert_no_recompile: bool = True
    debug_nans: bool = False


@dataclass(frozen=True)
class Config:
    """Everything a run needs to be repeated."""

    name: str = "avnet"
    seed: int = 0
    model: ModelConfig = field(default_factory=ModelConfig)
    data: DataConfig = field(default_factory=DataConfig)
    augment: AugmentConfig = field(default_factory=AugmentConfig)
    loss: LossConfig = field(default_factory=LossConfig)
    optim: OptimConfig = field(default_factory=OptimConfig)
    mesh: MeshConfig = field(default_factory=MeshConfig)
    train: TrainConfig = field(default_factory=TrainConfig)


def load_config(path: str | Path) -> Config:
    """Execute a Python configuration file and return what its ``get_config()`` gives.

    Raises:
        FileNotFoundError: there is no such file.
        TypeError: the file has no ``get_config`` or it returns something else.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"no configuration file {path}; see configs/ for those that exist")
    spec = importlib.util.spec_from_file_location(f"avdetect_config_{path.stem}", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    config = module.get_config() if hasattr(module, "get_config") else None
    if not isinstance(config, Config):
        raise TypeError(
            f"{path} must define get_config() returning avdetect.config.Config, got {type(config).__name__}"
        )
    return config


def from_dict(
    data: dict[str, Any], kind: Any = Config, *, allow: Collection[str] | None = None, asked_by: str = ""
) -> Any:
    """Rebuild a configuration from :func:`to_dict`.

    Args:
        data: the dictionaries.
        kind: of the configuration.
        allow: encoders and heads beside the built-ins that it may name: names of plugins or distributions, or places;
            to be given wherever not the user wrote it. ``None`` = any.
        asked_by: where the dictionaries are from, for messages.

    Raises:
        KeyError: an unknown key.
        TypeError: a value is not of its field's type.
        PluginError: it names an encoder or head that is not allowed or cannot be used.
    """
    return build(data, kind, access=Access(allow, asked_by))

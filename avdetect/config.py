"""Configuration: nested frozen dataclasses, typed dotted overrides, JSON round trip.

A configuration is written in Python (``configs/*.py``, ``get_config() -> Config``) and executed only by the training
programs. What a bundle or a checkpoint carries is JSON, and reading that never executes code.
"""

from __future__ import annotations

import dataclasses
import importlib.util
import types
import typing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from avdetect.augment.config import AugmentConfig

SyncInput = Literal["landmarks", "pixels"]
Part = Literal["sync_landmarks", "sync_pixels", "visual", "audio", "fusion"]
Trained = Literal["all", "sync_landmarks", "sync_pixels", "visual", "audio", "fusion"]
"""What a run trains: one part, or all that the model has with one loss."""


@dataclass(frozen=True)
class SyncConfig:
    """One lips-and-sound pair of embedders (``models/sync.py``).

    Attributes:
        input: what the lips are seen as.
        width: channels of both trunks.
        blocks: residual temporal blocks of three ticks in each trunk.
        embedding: size of the shared embedding.
        dropout: rate before the embedding.
    """

    input: SyncInput = "landmarks"
    width: int = 256
    blocks: int = 2
    embedding: int = 128
    dropout: float = 0.1


@dataclass(frozen=True)
class VisualConfig:
    """The face CNNs (``models/visual.py``).

    Attributes:
        widths: channels of the stages over the face, each half the resolution of the one before.
        mouth_widths: the same over the mouth and its changes; empty = the face alone.
        blocks: residual blocks a stage.
        dropout: rate before the heads.
        leave_out: share of examples for which a stream is left out in training.
        pool: how a map of logits becomes one: its mean, or softly towards its maximum.
    """

    widths: tuple[int, ...] = (48, 64, 128)
    mouth_widths: tuple[int, ...] = (48, 96)
    blocks: int = 1
    dropout: float = 0.2
    leave_out: float = 0.15
    pool: Literal["mean", "soft"] = "soft"


@dataclass(frozen=True)
class AudioConfig:
    """The voice network (``models/audio.py``): channels of its stages, each half the bands of the one before."""

    widths: tuple[int, ...] = (24, 48, 64)
    hidden: int = 96
    dropout: float = 0.2


@dataclass(frozen=True)
class FusionConfig:
    """The fusion head (``models/fusion.py``).

    Attributes:
        radii: half widths in ticks of the windows over which similarity is averaged.
        channels: channels of the convolutions over lags.
        hidden: units of the mismatch MLP and the four-way MLP.
    """

    radii: tuple[int, ...] = (12, 37, 75)
    channels: int = 16
    hidden: int = 32


@dataclass(frozen=True)
class ModelConfig:
    """Which parts a detector has; ``None`` leaves one out."""

    sync_landmarks: SyncConfig | None = None
    sync_pixels: SyncConfig | None = None
    visual: VisualConfig | None = None
    audio: AudioConfig | None = None
    fusion: FusionConfig | None = None
    compute_dtype: Literal["auto", "float32", "bfloat16"] = "auto"


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
        weights: ``source/label=factor`` on top of that, ``*`` at the end = prefix, the first that fits counts.
        per_person: clips of one person that are drawn together, so that they are each other's negatives.
        faces: face crops looked at in each example.
        sound: whether examples have sound; without it, forgeries and degradations of sound cost nothing.
        paired: a genuine example beside each forged one: the clip it was made of, degraded in the same way.
        cache: keep decoded records in memory (about a megabyte a clip).
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
    paired: bool = False
    cache: bool = False
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


def override(config: Any, assignment: str) -> Any:
    """Apply one ``dotted.name=value``, checked against the field's type.

    Examples:
        >>> override(Config(), "optim.lr=3e-4").optim.lr
        0.0003
        >>> override(Config(), "model.visual.blocks=2")
        Traceback (most recent call last):
            ...
        ValueError: model.visual is off in this configuration: it has no field 'blocks' to set

    Raises:
        KeyError: no such field (the message lists those that exist).
        TypeError: the value does not parse as the field's type.
        ValueError: malformed assignment, or the part is switched off.
    """
    name, sign, text = assignment.partition("=")
    if not sign:
        raise ValueError(f"{assignment!r} is not of the form name=value")
    return _replace(config, name.strip().split("."), text.strip(), ())


def _replace(node: Any, names: list[str], text: str, done: tuple[str, ...]) -> Any:
    head, rest = names[0], names[1:]
    if node is None:
        raise ValueError(f"{'.'.join(done)} is off in this configuration: it has no field {head!r} to set")
    if not dataclasses.is_dataclass(node) or isinstance(node, type):
        raise KeyError(f"{'.'.join(done)} is a value and has no field {head!r}")
    known = {f.name for f in dataclasses.fields(node)}
    if head not in known:
        raise KeyError(f"{head!r} is not a field of {type(node).__name__}; it has: {', '.join(sorted(known))}")
    if rest:
        value = _replace(getattr(node, head), rest, text, (*done, head))
    else:
        value = _parse(text, typing.get_type_hints(type(node))[head], ".".join((*done, head)))
    return dataclasses.replace(node, **{head: value})


def _parse(text: str, hint: Any, name: str) -> Any:
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        if text.lower() == "none" and type(None) in args:
            return None
        hint = next(a for a in args if a is not type(None))
        origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin is Literal:
        if text in args:
            return text
        raise TypeError(f"{name}: {text!r} is none of {', '.join(map(str, args))}")
    if origin is tuple:
        return tuple(_parse(item.strip(), args[0], name) for item in text.strip("()[]").split(",") if item.strip())
    if dataclasses.is_dataclass(hint):
        if text in ("default", "on"):
            return hint()  # type: ignore[operator]
        raise TypeError(f"{name}: set one of its fields, or 'default' or 'none'")
    if hint is bool:
        if text.lower() in ("true", "false", "1", "0"):
            return text.lower() in ("true", "1")
        raise TypeError(f"{name}: expected true or false, got {text!r}")
    try:
        return hint(text)
    except ValueError:
        raise TypeError(f"{name}: expected {hint.__name__}, got {text!r}") from None


def to_dict(config: Any) -> dict[str, Any]:
    """The configuration as JSON-ready dictionaries."""
    return dataclasses.asdict(config)


def from_dict(data: dict[str, Any], kind: Any = Config) -> Any:
    """Rebuild a configuration from :func:`to_dict`.

    Raises:
        KeyError: an unknown key.
        TypeError: a value is not of its field's type.
    """
    return _build(data, kind, ())


def _build(data: Any, kind: Any, done: tuple[str, ...]) -> Any:
    if not isinstance(data, dict):
        raise TypeError(f"{'.'.join(done) or kind.__name__}: expected an object, got {data!r}")
    hints = typing.get_type_hints(kind)
    unknown = set(data) - set(hints)
    if unknown:
        raise KeyError(f"{kind.__name__} has no field {', '.join(sorted(unknown))}: written by a newer version?")
    return kind(**{key: _rebuild(value, hints[key], (*done, key)) for key, value in data.items()})


def _rebuild(value: Any, hint: Any, done: tuple[str, ...]) -> Any:
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        return None if value is None else _rebuild(value, next(a for a in args if a is not type(None)), done)
    if dataclasses.is_dataclass(hint):
        return _build(value, hint, done)
    if origin is tuple:
        if isinstance(value, list | tuple):
            return tuple(_rebuild(item, args[0], done) for item in value)
        expected = "a list"
    elif origin is Literal:
        if value in args:
            return value
        expected = f"one of {', '.join(map(str, args))}"
    elif type(value) is hint or (hint is float and type(value) is int):
        return value
    else:
        expected = hint.__name__
    raise TypeError(f"{'.'.join(done)}: expected {expected}, got {value!r}")

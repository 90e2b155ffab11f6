"""Bundles: a folder with weights, configuration, calibration, preprocessing contract and card. No pickle anywhere.

A bundle may name an encoder or a head that is not built in. Its code is not in the bundle, and is loaded only where the
user allows it by name.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Sequence
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load, load_file, save_file

from avdetect import preprocessing
from avdetect.calibration import Calibration
from avdetect.config import ModelConfig, from_dict, to_dict
from avdetect.models.registry import NAMED, plugin_of
from avdetect.plugin_errors import PluginError
from avdetect.plugin_local import is_local
from avdetect.plugin_scan import allowed
from avdetect.whole_file import replacing

if TYPE_CHECKING:
    from flax import nnx

    from avdetect.detector import Detector
    from avdetect.models.detector import DetectorNet

FORMAT = "avdetect.bundle/1"
FILES = ("model.safetensors", "config.json", "calibration.json", "preprocessing.json", "card.json")


def default_bundle_path() -> Path:
    """The bundle that ships with the package."""
    return Path(str(resources.files("avdetect") / "weights" / "default"))


def flat_parameters(module: nnx.Module) -> dict[str, Any]:
    """The variables of a module by dotted path."""
    from flax import nnx

    return {".".join(map(str, path)): leaf for path, leaf in nnx.to_flat_state(nnx.state(module, nnx.Param))}


def fill(module: nnx.Module, values: dict[str, np.ndarray], source: str, *, partial: bool = False) -> int:
    """Put named arrays into a module's parameters; returns how many.

    Args:
        module: changed in place.
        values: arrays by dotted path; used as float32.
        source: where they are from, for messages.
        partial: take what fits by name and shape and leave the rest as it is.

    Raises:
        ValueError: names or shapes do not match one to one (unless ``partial``), or what was taken is damaged: other
            numbers than those of a floating type, not finite.
    """
    from flax import nnx

    state = nnx.state(module, nnx.Param)
    flat = {".".join(map(str, path)): leaf for path, leaf in nnx.to_flat_state(state)}
    fitting = _fitting(flat, values, source, partial=partial)
    numbers = {name: _weights(name, value, source) for name, value in fitting.items()}
    for name, value in numbers.items():
        flat[name].set_value(value)
    nnx.update(module, state)
    return len(fitting)


def _fitting(
    parameters: dict[str, Any], values: dict[str, np.ndarray], source: str, *, partial: bool = False
) -> dict[str, np.ndarray]:
    """The values of which there is a parameter of that name and shape: all, unless ``partial``."""
    fitting = {n: v for n, v in values.items() if n in parameters and parameters[n].shape == v.shape}
    if not partial and (odd := sorted((parameters.keys() | values.keys()) - fitting.keys())):
        raise ValueError(f"{source} does not fit the configured model: {', '.join(odd[:4])}; export the bundle again")
    return fitting


def _weights(name: str, value: np.ndarray, source: str) -> np.ndarray:
    """An array of weights as float32."""
    from jax import numpy as jnp

    if not jnp.issubdtype(value.dtype, jnp.floating):
        raise ValueError(f"{source} is damaged: {name} is of type {value.dtype}, not float; export the bundle again")
    with np.errstate(over="ignore"):
        weights = np.asarray(value, np.float32)
    if not np.isfinite(weights).all():
        raise ValueError(f"{source} is damaged: {name} has numbers that are not finite; export the bundle again")
    return weights


def write_part(folder: Path, part: str, module: nnx.Module, config: ModelConfig) -> None:
    """Write one trained part (``<part>.safetensors`` and ``<part>.json``) for ``tools/export.py``.

    Where its class is named, so is it in the file, with the distribution that it was of.
    """
    folder.mkdir(parents=True, exist_ok=True)
    save_file({n: np.asarray(v[...]) for n, v in flat_parameters(module).items()}, folder / f"{part}.safetensors")
    about: dict[str, Any] = {"part": part, "options": to_dict(getattr(config, part))}
    if part in NAMED:
        about["name"] = getattr(config, NAMED[part][0])
    if plugin := plugin_of(config, part):
        about["plugin"] = plugin
    (folder / f"{part}.json").write_text(json.dumps(about, indent=1) + "\n")


def read_parts(folder: Path, module: nnx.Module) -> int:
    """Take over what fits from the part files of a folder; returns the number of arrays.

    Raises:
        FileNotFoundError: no part files there.
        ValueError: nothing fits.
    """
    files = sorted(folder.glob("*.safetensors"))
    if not files:
        raise FileNotFoundError(f"no trained part in {folder}; finish that run first")
    taken = sum(fill(module, load_file(f), str(f), partial=True) for f in files)
    if taken == 0:
        raise ValueError(f"nothing in {folder} fits this part")
    return taken


def empty_net(config: ModelConfig) -> DetectorNet:
    """A network whose parameters are all zero, to be filled: drawing random ones would take seconds for nothing."""
    return _zeroed(_outline(config))


def _outline(config: ModelConfig) -> DetectorNet:
    """A network of shapes alone: however large the configured sizes are, it takes no memory."""
    from flax import nnx

    from avdetect.models.detector import DetectorNet

    return nnx.eval_shape(lambda: DetectorNet(config))


def _zeroed(outline: DetectorNet) -> DetectorNet:
    import jax
    from flax import nnx

    graph, state = nnx.split(outline)

    def zero(leaf: jax.ShapeDtypeStruct) -> Any:
        # Host arrays: whoever runs the network puts all of them on the device at once.
        is_key = jax.numpy.issubdtype(leaf.dtype, jax.dtypes.prng_key)
        return jax.random.key(0) if is_key else np.zeros(leaf.shape, leaf.dtype)

    return nnx.merge(graph, jax.tree.map(zero, state))


def assemble_net(folders: Sequence[Path], *, allow: Collection[str] = ()) -> DetectorNet:
    """A network of the trained parts in the given folders.

    Args:
        folders: as training leaves them (``work/.../part``).
        allow: see :func:`load_detector`.

    Raises:
        FileNotFoundError: a folder holds no part.
        ValueError: a part is given twice.
        PluginError: see :func:`load_detector`.
    """
    from avdetect.models.detector import PARTS

    found: dict[str, Path] = {}
    fields: dict[str, Any] = {}
    for folder in folders:
        descriptions = [p for p in sorted(Path(folder).glob("*.json")) if p.stem in PARTS]
        if not descriptions:
            raise FileNotFoundError(f"no trained part in {folder}; finish that run first")
        for path in descriptions:
            if path.stem in found:
                raise ValueError(f"part {path.stem} is both in {found[path.stem].parent} and in {folder}")
            found[path.stem] = path
            about = json.loads(path.read_text())
            values = {path.stem: about["options"]}
            if path.stem in NAMED and "name" in about:  # parts of before classes had names are built in
                values[NAMED[path.stem][0]] = about["name"]
            config = _allowed_config(values, path, allow, {path.stem: about.get("plugin", {})})
            names = (path.stem, NAMED[path.stem][0]) if path.stem in NAMED else (path.stem,)
            fields |= {name: getattr(config, name) for name in names}
    outline = _outline(ModelConfig(**fields))
    weights = {name: load_file(path.with_suffix(".safetensors")) for name, path in found.items()}
    for name, path in found.items():
        _fitting(flat_parameters(getattr(outline, name)), weights[name], str(path))
    net = _zeroed(outline)
    for name, path in found.items():
        fill(getattr(net, name), weights[name], str(path))
    return net


def read_stand_in(rule: str, *, option: str) -> tuple[str, list[Path]]:
    """Which clips other parts than usual judge, and the folders of those parts.

    Args:
        rule: ``CONDITION@FOLDER``, with ``+`` between several folders.
        option: where it was given, for the message.

    Raises:
        ValueError: it is not of that form.
    """
    condition, sign, folders = rule.rpartition("@")
    if not sign or not all(names := folders.split("+")):
        raise ValueError(f"{option}: {rule!r} is not of the form CONDITION@FOLDER+FOLDER")
    return condition, [Path(name) for name in names]


def _allowed_config(
    values: dict[str, Any], source: Path, allow: Collection[str], plugins: dict[str, Any]
) -> ModelConfig:
    """The configuration in a file; where it names a plugin that cannot be used, the error says what to do.

    Args:
        values: the configuration as read.
        source: where from.
        allow: see :func:`load_detector`.
        plugins: by part, what `avdetect.models.registry.plugin_of` said when the file was written.
    """
    try:
        return from_dict(values, ModelConfig, allow=allow, asked_by=str(source))
    except PluginError as error:
        advice = "" if error.name in {*allow, *allowed()} and is_local(error.name) else _advice(error, plugins)
        if not advice:
            raise
        facts = {n: getattr(error, n) for n in ("kind", "name", "distribution", "version", "target")}
        raise PluginError(f"{error.cause}. {advice}", **facts) from error


def _advice(error: PluginError, plugins: dict[str, Any]) -> str:
    """What to install and to allow, if that is what is missing. The text of a bundle is quoted, never acted upon."""
    part = next((p for p, (_, registry) in NAMED.items() if registry.kind == error.kind), "")
    told = plugins.get(part)
    whose = told if isinstance(told, dict) else {}
    if is_local(error.name):
        attribute = error.name.rpartition(":")[2]
        return (
            f"If you have its code and trust it, allow it: --allow-plugin {error.name}, or the file of that name "
            f"wherever yours is, as in --allow-plugin path/to/file.py:{attribute}; from Python, load(..., allow=(...,))"
        )
    if error.distribution or not whose.get("distribution"):
        return ""  # it is installed; the error says how to allow it
    wanted = f"{whose['distribution']} {whose.get('version', '')}".strip()
    return f"It was made with {wanted}: install that, and allow it with --allow-plugin {error.name}"


def write_bundle(
    folder: Path,
    config: ModelConfig,
    parameters: dict[str, np.ndarray],
    calibration: Calibration,
    card: dict[str, Any],
) -> None:
    """Write a bundle; weights are stored as float16 (half the size; scores change in the fourth digit).

    The card says of which distributions its encoders and its head are, where they are not built in.

    Raises:
        ValueError: a weight is not finite, or not in half precision any more (beyond 65504); nothing is written.
    """
    weights = {name: _half(name, value) for name, value in sorted(parameters.items())}
    plugins = {part: plugin for part in NAMED if (plugin := plugin_of(config, part))}
    card = {**card, "plugins": plugins} if plugins else card
    folder.mkdir(parents=True, exist_ok=True)
    save_file(weights, folder / "model.safetensors", metadata={"format": FORMAT})
    for name, content in (
        ("config.json", to_dict(config)),
        ("preprocessing.json", preprocessing.contract()),
        ("card.json", {"format": FORMAT, **card}),
    ):
        (folder / name).write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n")
    (folder / "calibration.json").write_text(calibration.to_json())


def _half(name: str, value: np.ndarray) -> np.ndarray:
    with np.errstate(over="ignore"):
        half = np.asarray(value, np.float16)
    if not np.isfinite(half).all():
        raise ValueError(
            f"{name} has weights that a bundle cannot hold: they must be finite and within +-65504 (half precision); "
            "train that part again"
        )
    return half


def write_calibration(folder: Path, calibration: Calibration, figures: dict[str, Any]) -> None:
    """Give a bundle another calibration, with figures of it on the card; the networks stay as they are."""
    card = _object((folder / "card.json").read_bytes(), folder / "card.json")
    text = json.dumps({**card, "calibration": figures}, indent=1, ensure_ascii=False) + "\n"
    for name, content in (("card.json", text), ("calibration.json", calibration.to_json())):
        with replacing(folder / name) as half:
            half.write_text(content)


def load_detector(bundle: str | Path | None = None, *, allow: Collection[str] = ()) -> Detector:
    """Read a bundle and make a detector of it.

    Args:
        bundle: its folder; the one that ships with the package by default.
        allow: encoders and heads beside the built-ins that the bundle may load: names of installed plugins or of their
            distributions, or code by its place, ``package.module:attribute`` or ``path/to/file.py:attribute``, which
            stands for what the bundle names if file and attribute are called the same. Those of
            ``AVDETECT_ALLOW_PLUGINS`` (``--allow-plugin``) are added.

    Raises:
        FileNotFoundError: the folder lacks a file of a bundle.
        ValueError: made under another preprocessing contract, or damaged.
        PluginError: it names an encoder or a head that is not allowed, not installed or broken.
    """
    from avdetect.detector import Detector

    folder = Path(bundle) if bundle is not None else default_bundle_path()
    missing = [name for name in FILES if not (folder / name).is_file()]
    if missing:
        raise FileNotFoundError(f"{folder} is not a bundle: it has no {', '.join(missing)}")
    content = {name: (folder / name).read_bytes() for name in FILES}
    parsed = {name: _object(data, folder / name) for name, data in content.items() if name.endswith(".json")}
    card = parsed["card.json"]
    if card.get("format") != FORMAT:
        raise ValueError(f"{folder} has format {card.get('format')!r}, this version reads {FORMAT!r}")
    preprocessing.check(parsed["preprocessing.json"], str(folder))
    try:
        plugins = card.get("plugins", {})
        config = _allowed_config(parsed["config.json"], folder, allow, plugins if isinstance(plugins, dict) else {})
        calibration = Calibration.from_dict(parsed["calibration.json"])
        weights = load(content["model.safetensors"])
        outline = _outline(config)
    except PluginError:
        raise
    except (ArithmeticError, LookupError, MemoryError, TypeError, ValueError, SafetensorError) as error:
        raise ValueError(f"{folder} is damaged: {error}") from error
    _fitting(flat_parameters(outline), weights, str(folder))
    net = _zeroed(outline)
    fill(net, weights, str(folder))
    digest = hashlib.sha256()
    for name in FILES[:4]:
        digest.update(content[name])
    return Detector(net, calibration, card={**card, "sha256": digest.hexdigest()})


def _object(data: bytes, path: Path) -> dict[str, Any]:
    try:
        value = json.loads(data)
    except ValueError as error:  # not JSON, or not text
        raise ValueError(f"{path} is damaged: {error}") from None
    if not isinstance(value, dict):
        raise ValueError(f"{path} is damaged: expected an object, got {type(value).__name__}")
    return value

"""Bundles: a folder with weights, configuration, calibration, preprocessing contract and card. No pickle anywhere."""

from __future__ import annotations

import hashlib
import json
import typing
from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from avdetect import preprocessing
from avdetect.calibration import Calibration
from avdetect.config import ModelConfig, from_dict, to_dict

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
        ValueError: names or shapes do not match one to one (unless ``partial``).
    """
    from flax import nnx

    state = nnx.state(module, nnx.Param)
    flat = {".".join(map(str, path)): leaf for path, leaf in nnx.to_flat_state(state)}
    fitting = {n: v for n, v in values.items() if n in flat and flat[n].shape == v.shape}
    if not partial and (odd := sorted((flat.keys() | values.keys()) - fitting.keys())):
        raise ValueError(f"{source} does not fit the configured model: {', '.join(odd[:4])}; export the bundle again")
    for name, value in fitting.items():
        flat[name].set_value(np.asarray(value, np.float32))
    nnx.update(module, state)
    return len(fitting)


def write_part(folder: Path, part: str, module: nnx.Module, config: ModelConfig) -> None:
    """Write one trained part (``<part>.safetensors`` and ``<part>.json``) for ``tools/export.py``."""
    folder.mkdir(parents=True, exist_ok=True)
    save_file({n: np.asarray(v[...]) for n, v in flat_parameters(module).items()}, folder / f"{part}.safetensors")
    options = to_dict(getattr(config, part))
    (folder / f"{part}.json").write_text(json.dumps({"part": part, "options": options}, indent=1) + "\n")


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
    import jax
    from flax import nnx

    from avdetect.models.detector import DetectorNet

    graph, state = nnx.split(nnx.eval_shape(lambda: DetectorNet(config)))

    def zero(leaf: jax.ShapeDtypeStruct) -> Any:
        # Host arrays: whoever runs the network puts all of them on the device at once.
        is_key = jax.numpy.issubdtype(leaf.dtype, jax.dtypes.prng_key)
        return jax.random.key(0) if is_key else np.zeros(leaf.shape, leaf.dtype)

    return nnx.merge(graph, jax.tree.map(zero, state))


def assemble_net(folders: Sequence[Path]) -> DetectorNet:
    """A network of the trained parts in the given folders.

    Raises:
        FileNotFoundError: a folder holds no part.
        ValueError: a part is given twice.
    """
    from avdetect.config import Part

    hints = typing.get_type_hints(ModelConfig)
    found: dict[str, tuple[Path, Any]] = {}
    for folder in folders:
        descriptions = [p for p in sorted(Path(folder).glob("*.json")) if p.stem in typing.get_args(Part)]
        if not descriptions:
            raise FileNotFoundError(f"no trained part in {folder}; finish that run first")
        for path in descriptions:
            if path.stem in found:
                raise ValueError(f"part {path.stem} is both in {found[path.stem][0].parent} and in {folder}")
            kind = next(a for a in typing.get_args(hints[path.stem]) if a is not type(None))
            found[path.stem] = (path, from_dict(json.loads(path.read_text())["options"], kind))
    net = empty_net(ModelConfig(**{name: options for name, (_, options) in found.items()}))
    for name, (path, _) in found.items():
        fill(getattr(net, name), load_file(path.with_suffix(".safetensors")), str(path))
    return net


def write_bundle(
    folder: Path,
    config: ModelConfig,
    parameters: dict[str, np.ndarray],
    calibration: Calibration,
    card: dict[str, Any],
) -> None:
    """Write a bundle; weights are stored as float16 (half the size; scores change in the fourth digit)."""
    folder.mkdir(parents=True, exist_ok=True)
    save_file(
        {name: np.asarray(value, np.float16) for name, value in sorted(parameters.items())},
        folder / "model.safetensors",
        metadata={"format": FORMAT},
    )
    for name, content in (
        ("config.json", to_dict(config)),
        ("preprocessing.json", preprocessing.contract()),
        ("card.json", {"format": FORMAT, **card}),
    ):
        (folder / name).write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n")
    (folder / "calibration.json").write_text(calibration.to_json())


def load_detector(bundle: str | Path | None = None) -> Detector:
    """Read a bundle and make a detector of it.

    Args:
        bundle: its folder; the one that ships with the package by default.

    Raises:
        FileNotFoundError: the folder lacks a file of a bundle.
        ValueError: made under another preprocessing contract, or damaged.
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
        config = from_dict(parsed["config.json"], ModelConfig)
        calibration = Calibration.from_dict(parsed["calibration.json"])
        weights = load_file(folder / "model.safetensors")
    except (KeyError, TypeError, ValueError, SafetensorError) as error:
        raise ValueError(f"{folder} is damaged: {error}") from error
    net = empty_net(config)
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

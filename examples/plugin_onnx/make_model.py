"""Makes ``avdetect_mouth_detail/mouth_detail.onnx``; needs the package ``onnx``, which the plugin itself does not.

    python make_model.py [OUT]

The model compares the finest detail of the mouth with that of the eyes: a high-pass filter (the 5 x 5 kernel of
Fridrich and Kodovsky, IEEE TIFS 7 (3), 2012), the mean square of what it leaves in two boxes, and the logarithm of
their ratio. A mouth that was drawn by a network, or pasted, often has less detail than the face around it.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from onnx import ModelProto, TensorProto, checker, helper, numpy_helper

HERE = Path(__file__).resolve().parent
PLACE = HERE / "avdetect_mouth_detail" / "mouth_detail.onnx"
SIDE = 160
"""Of the aligned face crops, pixels."""
KERNEL = np.array([[-1, 2, -2, 2, -1], [2, -6, 8, -6, 2], [-2, 8, -12, 8, -2], [2, -6, 8, -6, 2], [-1, 2, -2, 2, -1]])
LUMA = np.array([0.299, 0.587, 0.114])
BOXES = {"mouth": (96, 53, 128, 107), "eyes": (50, 40, 78, 120)}
"""Top, left, bottom, right in the crop."""
FLOOR = 1e-7
"""Added to mean squares: about what rounding to whole intensities leaves of a plain surface."""
USUAL, SLOPE = -0.4, 0.9
"""The logarithm of the ratio at which genuine and forged are equally likely, and logits for each 1 below it."""


def model() -> ModelProto:
    """From ``faces`` (uint8, ``[t, 160, 160, 3]``) to ``logit`` (float32, ``[t]``)."""
    constants: dict[str, np.ndarray] = {
        "luma": (LUMA[:, None] / 255).astype(np.float32),
        "kernel": (KERNEL[None, None] / 12).astype(np.float32),
        "floor": np.array(FLOOR, np.float32),
        "usual": np.array(USUAL, np.float32),
        "slope": np.array(SLOPE, np.float32),
        "rows_and_columns": np.array([2, 3], np.int64),
        "all_but_ticks": np.array([1, 2, 3], np.int64),
    }
    nodes = [
        helper.make_node("Cast", ["faces"], ["intensities"], to=TensorProto.FLOAT),
        helper.make_node("MatMul", ["intensities", "luma"], ["grey"]),
        helper.make_node("Transpose", ["grey"], ["grey_first"], perm=[0, 3, 1, 2]),
        helper.make_node("Conv", ["grey_first", "kernel"], ["detail"], pads=[2, 2, 2, 2]),
        helper.make_node("Mul", ["detail", "detail"], ["energy"]),
    ]
    for name, (top, left, bottom, right) in BOXES.items():
        constants |= {f"{name}_from": np.array([top, left]), f"{name}_to": np.array([bottom, right])}
        cut = ["energy", f"{name}_from", f"{name}_to", "rows_and_columns"]
        nodes += [
            helper.make_node("Slice", cut, [f"{name}_box"]),
            helper.make_node("ReduceMean", [f"{name}_box", "all_but_ticks"], [f"{name}_energy"], keepdims=0),
            helper.make_node("Add", [f"{name}_energy", "floor"], [f"{name}_floored"]),
            helper.make_node("Log", [f"{name}_floored"], [f"{name}_log"]),
        ]
    nodes += [
        helper.make_node("Sub", ["mouth_log", "eyes_log"], ["ratio"]),
        helper.make_node("Sub", ["usual", "ratio"], ["below"]),
        helper.make_node("Mul", ["slope", "below"], ["logit"]),
    ]
    graph = helper.make_graph(
        nodes,
        "mouth_detail",
        [helper.make_tensor_value_info("faces", TensorProto.UINT8, ["t", SIDE, SIDE, 3])],
        [helper.make_tensor_value_info("logit", TensorProto.FLOAT, ["t"])],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    # Versions are stated, so that a later onnx makes the same file.
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9, producer_name="avdetect")
    checker.check_model(made, full_check=True)
    return made


if __name__ == "__main__":
    place = Path(sys.argv[1]) if len(sys.argv) > 1 else PLACE
    place.write_bytes(model().SerializeToString(deterministic=True))
    print(f"{place.stat().st_size} bytes -> {place}")

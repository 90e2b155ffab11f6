"""A network of HiFi-GAN's form that is made in a moment."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper

from avdetect.forge.vocoder import BANDS, HOP


def save_vocoder(path: Path, *, bands: int = BANDS) -> Path:
    """Write it: ``[1, bands, n] -> [1, 1, 256 n]``, an alternating wave as loud as each frame."""
    weight = np.full((1, bands, 1), 1 / bands, np.float32)
    wave = (np.where(np.arange(HOP) % 16 < 8, 0.5, -0.5)).astype(np.float32).reshape(1, 1, HOP)
    nodes = [
        helper.make_node("Conv", ["mel", "weight"], ["mean"]),
        helper.make_node("Exp", ["mean"], ["loud"]),
        helper.make_node("ConvTranspose", ["loud", "wave"], ["audio"], strides=[HOP]),
    ]
    graph = helper.make_graph(
        nodes,
        "vocoder",
        [helper.make_tensor_value_info("mel", TensorProto.FLOAT, [1, bands, "n"])],
        [helper.make_tensor_value_info("audio", TensorProto.FLOAT, [1, 1, "m"])],
        [
            helper.make_tensor("weight", TensorProto.FLOAT, weight.shape, weight.ravel()),
            helper.make_tensor("wave", TensorProto.FLOAT, wave.shape, wave.ravel()),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    onnx.save(model, str(path))
    return path

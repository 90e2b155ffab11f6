"""Messages between the decoder process and its parent: one JSON object a line over a socket pair.

JSON and not pickle: what a decoder says is read as data, whatever a hostile file made of that decoder.
"""

from __future__ import annotations

import json
import socket
from typing import Any

_LONGEST_LINE = 1 << 20


class ChannelError(Exception):
    """The other side said something that is not a message."""


class Channel:
    """One end of the socket pair."""

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock
        self._pending = bytearray()

    def send(self, message: dict[str, Any]) -> None:
        """Send one message.

        Raises:
            OSError: if the other side is gone.
        """
        self._socket.sendall(json.dumps(message).encode() + b"\n")

    def receive(self, timeout_s: float | None = None) -> dict[str, Any] | None:
        """The next message; ``None`` if the other side is gone.

        Raises:
            TimeoutError: if nothing whole came within ``timeout_s``.
            ChannelError: if what came is not a JSON object on a line of at most 1 MiB.
        """
        self._socket.settimeout(timeout_s)
        while b"\n" not in self._pending:
            if len(self._pending) > _LONGEST_LINE:
                raise ChannelError("a message without end")
            try:
                data = self._socket.recv(65536)
            except ConnectionError:
                return None
            if not data:
                return None
            self._pending += data
        line, _, rest = bytes(self._pending).partition(b"\n")
        self._pending = bytearray(rest)
        try:
            message = json.loads(line)
        except ValueError as error:
            raise ChannelError("a message that is not JSON") from error
        if not isinstance(message, dict):
            raise ChannelError("a message that is not an object")
        return message

    def close(self) -> None:
        """Close this end."""
        self._socket.close()

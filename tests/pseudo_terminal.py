"""What a program shows on a terminal."""

from __future__ import annotations

import os
import select
import subprocess


def drain(descriptor: int, process: subprocess.Popen[bytes]) -> str:
    """All that a pseudo-terminal shows until the process ends."""
    shown = b""
    while True:
        if select.select([descriptor], [], [], 0.1)[0]:
            try:
                piece = os.read(descriptor, 65536)
            except OSError:  # the other side is closed
                break
            if not piece:
                break
            shown += piece
        elif process.poll() is not None:
            break
    return shown.decode()

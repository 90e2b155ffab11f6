"""The parent's side of a confined process: start, talk, notice its death, leave nothing behind."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import IO, Any

import avdetect
from avdetect.media.channel import Channel, ChannelError
from avdetect.media.errors import MediaError
from avdetect.media.limits import Limits

_GRACE_S = 0.5


class ConfinedProcess:
    """One process that handles one untrusted file.

    Args:
        module: the module to run; it gets the numbers of its descriptors as JSON, its end of the line as ``control``.
        path: the file, for messages.
        descriptors: open descriptors that it inherits; they stay open here.
        limits: time spent inside ``receive`` counts against ``wall_s`` and ``stall_s``.
    """

    def __init__(
        self, module: str, path: str | os.PathLike[str], *, descriptors: dict[str, int], limits: Limits
    ) -> None:
        self.path = os.fspath(path)
        self._limits = limits
        self._waited = 0.0
        self._process: subprocess.Popen[bytes] | None = None
        self._complaints: IO[bytes] | None = None
        ours, theirs = socket.socketpair()
        self._channel = Channel(ours)
        try:
            self._complaints = tempfile.TemporaryFile()
            inherited = {**descriptors, "control": theirs.fileno()}
            # -P: nothing is imported from the current folder, which may be where hostile files were downloaded to.
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", module, json.dumps(inherited)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=self._complaints,
                pass_fds=tuple(inherited.values()),
                env=_environment(),
            )
        except BaseException:
            self.close()
            raise
        finally:
            theirs.close()

    @property
    def pid(self) -> int:
        """Process number."""
        assert self._process is not None
        return self._process.pid

    def send(self, message: dict[str, Any]) -> None:
        """Tell the process something; its death is noticed by the next ``receive``."""
        with contextlib.suppress(OSError):
            self._channel.send(message)

    def receive(self) -> dict[str, Any]:
        """The process's next message.

        Raises:
            MediaError: if it reports an error, died, talks nonsense, or took too long. The process is gone then.
        """
        left = self._limits.wall_s - self._waited
        timeout = max(0.001, min(self._limits.stall_s, left))
        started = time.monotonic()
        try:
            message = self._channel.receive(timeout)
        except TimeoutError:
            self.close()
            if left < self._limits.stall_s:
                cause = f"reading took longer than the limit of {self._limits.wall_s:g} s"
                raise MediaError(self.path, cause, "raise Limits.wall_s") from None
            cause = f"no data for {self._limits.stall_s:g} s"
            raise MediaError(self.path, cause, "check the file and its disk, or raise Limits.stall_s") from None
        except ChannelError as error:
            self.close()
            raise MediaError(self.path, f"the decoder sent {error}", "treat the file as hostile") from None
        finally:
            self._waited += time.monotonic() - started
        if message is None:
            cause, hint = self._death()
            self.close()
            raise MediaError(self.path, cause, hint)
        if "error" in message:
            self.close()
            cause, hint = [*map(str, message["error"]), "", ""][:2]
            raise MediaError(self.path, cause, hint)
        return message

    def close(self) -> None:
        """End the process and release everything; may be called again."""
        self._channel.close()
        process, self._process = self._process, None
        if process is not None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            process.wait()
        if self._complaints is not None:
            self._complaints.close()
            self._complaints = None

    def _death(self) -> tuple[str, str]:
        assert self._process is not None
        try:
            status = self._process.wait(_GRACE_S)
        except subprocess.TimeoutExpired:
            return "the decoder closed its end of the line", "treat the file as hostile"
        if status < 0:
            name = _signal_name(-status)
            if -status == signal.SIGXCPU:
                return f"decoding took more than {self._limits.cpu_s:g} s of processor time", "raise Limits.cpu_s"
            # Native code that is refused memory often crashes instead of saying so.
            limit = f"need more memory than the limit of {self._limits.memory_bytes >> 20} MiB (Limits.memory_bytes)"
            return (
                f"the decoder was killed by signal {-status} ({name})",
                f"the file may be damaged, be hostile or {limit}",
            )
        said = self._last_words()
        return f"the decoder ended with status {status}" + (f" ({said})" if said else ""), "run avdetect doctor"

    def _last_words(self) -> str:
        if self._complaints is None:
            return ""
        size = os.fstat(self._complaints.fileno()).st_size
        tail = os.pread(self._complaints.fileno(), 4096, max(0, size - 4096)).decode(errors="replace")
        return tail.strip().splitlines()[-1].strip() if tail.strip() else ""


def open_regular(path: str | os.PathLike[str]) -> int:
    """A descriptor of a regular file.

    Raises:
        MediaError: if there is none, or it is empty or may not be read.
    """
    try:
        # A FIFO without a writer would block the opening.
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0))
    except (OSError, ValueError) as error:
        cause = getattr(error, "strerror", None) or str(error)
        raise MediaError(path, cause[:1].lower() + cause[1:], "check the path") from None
    status = os.fstat(descriptor)
    if stat.S_ISREG(status.st_mode) and status.st_size > 0:
        return descriptor
    os.close(descriptor)
    if stat.S_ISDIR(status.st_mode):
        raise MediaError(path, "it is a folder", "name a media file")
    if not stat.S_ISREG(status.st_mode):
        raise MediaError(path, "it is not a regular file", "copy the media to a file first")
    raise MediaError(path, "the file is empty", "copy or download it again")


def _environment() -> dict[str, str]:
    # The decoder imports the same package as its parent, wherever that was imported from.
    root = str(Path(avdetect.__file__).resolve().parent.parent)
    paths = [root, *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(paths),
        # numpy's thread pools would reserve address space for nothing.
        "OPENBLAS_NUM_THREADS": "1",
        "OMP_NUM_THREADS": "1",
        "MALLOC_ARENA_MAX": "2",
    }


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return "unknown"

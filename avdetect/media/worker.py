"""The decoder process: ``python -m avdetect.media.worker DESCRIPTORS``.

It is started once per file with inherited descriptors: the media file (twice), one end of a socket pair, and the
shared memory of the ring. It limits itself before it reads a byte of the file, tells what it found, and then fills free
slots of the ring until the file ends or the parent goes away.
"""

from __future__ import annotations

import json
import mmap
import os
import queue
import socket
import sys
import threading
from typing import Any

import av.logging
import av.subtitles.codeccontext  # PyAV imports these two at need, when this process may open nothing any more
import av.subtitles.stream
from av.error import FFmpegError

from avdetect.media.channel import Channel, ChannelError
from avdetect.media.confine import allow_opens, confine, forbid_opens
from avdetect.media.demux import Refused, count_complaints, last_complaint
from avdetect.media.faults import Faults
from avdetect.media.limits import Limits
from avdetect.media.rates import TICK_RATE
from avdetect.media.tracks import Tracks


def main(descriptors: dict[str, int]) -> int:
    """Serve one file.

    Args:
        descriptors: numbers of the inherited descriptors ``file``, ``again`` (the same file), ``control`` and ``ring``.

    Returns:
        The exit status.
    """
    channel = Channel(socket.socket(fileno=descriptors["control"]))
    request = channel.receive()
    if request is None:
        return 0
    limits = Limits(**request["limits"])
    confine(limits)
    av.logging.restore_default_callback()  # to standard error, without taking Python's lock from a decoder thread
    av.logging.set_libav_level(av.logging.ERROR)
    try:
        _serve(channel, descriptors, request, limits)
    except Refused as refused:
        channel.send({"error": list(refused.args)})
    except MemoryError:
        channel.send(
            {
                "error": [
                    f"decoding needs more than the limit of {limits.memory_bytes >> 20} MiB",
                    "raise Limits.memory_bytes",
                ]
            }
        )
    except FFmpegError as error:
        channel.send({"error": [f"decoding failed ({last_complaint() or error})", "check that it plays elsewhere"]})
    except ConnectionError:
        return 1  # the parent is gone
    return 0


def _serve(channel: Channel, descriptors: dict[str, int], request: dict[str, Any], limits: Limits) -> None:
    faults = Faults()
    with allow_opens(2):
        tracks = Tracks((descriptors["file"], descriptors["again"]), limits, faults)
    wanted = {"picture": request["picture"], "sound": request["sound"]}
    shape = tracks.shape(slots=request["slots"], ticks=request["ticks"], **wanted)
    channel.send(
        {"info": tracks.describe(), "shape": [shape.height, shape.width, shape.sound], "warnings": faults.lines()}
    )
    if channel.receive() is None or request["only_probe"]:
        return
    with allow_opens(1):  # Python's mmap duplicates the descriptor
        memory = mmap.mmap(descriptors["ring"], shape.total_bytes())
    forbid_opens()
    slots = shape.views(memory)
    filler = tracks.filler(**wanted)
    free = _free_slots(channel, shape.slots)
    complaints = 0
    while True:
        slot = free.get()
        start = filler.tick
        if start > limits.duration_s * TICK_RATE:
            raise Refused(f"longer than the limit of {limits.duration_s:g} s", "raise Limits.duration_s")
        count = filler.fill(slots[slot])
        tracks.note_stamps()
        said, complaints = count_complaints(complaints)
        faults.note("the decoder reported damage", said)
        if count == 0:
            break
        channel.send({"slot": slot, "start": start, "count": count, "warnings": faults.lines()})
        if count < shape.ticks:
            break
    channel.send({"end": filler.tick, "warnings": faults.lines()})


def _free_slots(channel: Channel, slots: int) -> queue.SimpleQueue[int]:
    """A queue of slots that may be filled, kept by a thread that also ends the process when the parent is gone."""
    free: queue.SimpleQueue[int] = queue.SimpleQueue()
    for slot in range(slots):
        free.put(slot)

    def listen() -> None:
        while True:
            try:
                message = channel.receive()
            except (ChannelError, OSError):
                message = None
            if message is None:
                os._exit(0)
            free.put(message["free"])

    threading.Thread(target=listen, daemon=True).start()
    return free


if __name__ == "__main__":
    sys.exit(main(json.loads(sys.argv[1])))

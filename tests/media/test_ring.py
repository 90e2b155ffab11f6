"""What passes between decoder and reader: the ring in shared memory, limits, errors."""

from __future__ import annotations

import os
import pickle

import numpy as np
import pytest

from avdetect.media.errors import MediaError
from avdetect.media.limits import Limits
from avdetect.media.ring import RingShape, make_segment, size_segment


def test_errors_survive_a_process_pool() -> None:
    error = MediaError("a.mp4", "it is empty", "copy it again")
    again = pickle.loads(pickle.dumps(error))
    assert (str(again), again.path, again.cause, again.hint) == (
        "a.mp4: it is empty; copy it again",
        "a.mp4",
        "it is empty",
        "copy it again",
    )


def test_the_size_of_the_ring_is_sealed() -> None:
    descriptor = make_segment()
    try:
        size_segment(descriptor, 4096)
        with pytest.raises(OSError):
            os.ftruncate(descriptor, 0)
    finally:
        os.close(descriptor)


def test_slots_do_not_overlap() -> None:
    shape = RingShape(slots=3, ticks=5, height=7, width=9, sound=True)
    memory = bytearray(shape.total_bytes())
    slots = shape.views(memory)
    arrays = [array for slot in slots for array in vars(slot).values() if array is not None]
    for number, array in enumerate(arrays):
        array.view(np.uint8)[...] = number
    assert all((array.view(np.uint8) == number).all() for number, array in enumerate(arrays))


def test_limits_are_positive() -> None:
    with pytest.raises(ValueError, match=r"Limits\.frames"):
        Limits(frames=0)

"""Batches made and put on the devices by a thread, ahead of the steps."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from queue import Empty, Full, Queue
from typing import Any

import grain
from absl import flags

POLL_S = 0.2


class Feed:
    """``next(feed)`` is a batch on the devices; ``feed.state`` is where the data stands after it.

    The thread is some batches ahead of the loop and the iterator ahead of the thread; what is put into a checkpoint is
    the state that goes with the batch last taken.

    Args:
        pipeline: batches without end.
        put: host batch -> device batch.
        ahead: batches kept ready.
        state: as of a checkpoint; ``None`` = from the beginning.
    """

    def __init__(self, pipeline: grain.IterDataset, put: Callable[[Any], Any], *, ahead: int, state: Any | None = None):
        if not flags.FLAGS.is_parsed():  # grain's worker processes look at them, and here absl reads no command line
            flags.FLAGS.mark_as_parsed()
        self._iterator = iterator = iter(pipeline)
        self._put = put
        if state is not None:
            iterator.set_state(state)
        self.state: Any = json.loads(json.dumps(iterator.get_state()))
        self.waited = 0.0
        """Seconds that ``next`` has waited; the caller sets it back."""
        self._queue: Queue[Any] = Queue(maxsize=max(1, ahead))
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, name="feed", daemon=True)
        self._thread.start()

    @property
    def ready(self) -> bool:
        """Whether the next batch is there already."""
        return not self._queue.empty()

    def __next__(self) -> Any:
        before = time.perf_counter()
        item = self._queue.get()
        self.waited += time.perf_counter() - before
        if isinstance(item, BaseException):
            raise item
        batch, state = item
        self.state = json.loads(state)
        return batch

    def close(self) -> None:
        """End the thread."""
        self._stop.set()
        while self._thread.is_alive():
            try:
                self._queue.get(timeout=POLL_S)
            except Empty:
                pass
        close = getattr(self._iterator, "close", None)
        if close is not None:
            close()

    def _work(self) -> None:
        try:
            while not self._stop.is_set():
                batch = next(self._iterator)
                # As text at once: an iterator may go on changing what it gave.
                self._offer((self._put(batch), json.dumps(self._iterator.get_state())))
        except StopIteration:
            self._offer(RuntimeError("the data pipeline ended before the run did; it must repeat without end"))
        except BaseException as error:  # hand it to the loop, which would otherwise wait for ever
            self._offer(error)

    def _offer(self, item: Any) -> None:
        while not self._stop.is_set():
            try:
                return self._queue.put(item, timeout=POLL_S)
            except Full:
                continue

"""Work spread over processes, any of which may die: of the memory it takes, or of what it reads."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from typing import Any, Generic, TypeVar

Job = TypeVar("Job")
Result = TypeVar("Result")

_WAITING = 2
"""Jobs given out for each process: one in hand, one ready."""
_TRIES_ALONE = 2
_HOPELESS = 4


def available_cores() -> int:
    """Cores that this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on every system
        return os.cpu_count() or 1


def end_with_parent() -> None:
    """Watch the process that started this one and end with it: a killed program must not leave its workers behind."""
    parent = multiprocessing.parent_process()
    assert parent is not None, "to be called in a process started by multiprocessing"

    def watch() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def start_quietly() -> None:
    """What a worker does first: end with its parent, leave Ctrl+C to it, and keep to one core and off accelerators.

    Programs compiled by one worker are found by the next. Results then do not depend on the machine's accelerator, and
    workers do not take each other's cores.
    """
    end_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    os.environ["JAX_PLATFORMS"] = "cpu"
    flags = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
    os.environ["XLA_FLAGS"] = f"{os.environ.get('XLA_FLAGS', '')} {flags}".strip()
    import cv2

    from avdetect.devices import use_compilation_cache

    cv2.setNumThreads(1)
    use_compilation_cache()


class Workers(Generic[Job, Result]):
    """Processes that call one function.

    Args:
        function: of a job; a module's own function, so that other processes can find it.
        count: processes.
        initializer: called once in each process.
    """

    def __init__(
        self, function: Callable[[Job], Result], *, count: int, initializer: Callable[[], None] = start_quietly
    ):
        self._function, self._count, self._initializer = function, count, initializer
        self._succeeded = self._failed = 0

    def run(
        self, jobs: Iterable[Job], *, done: Callable[[Job, Result], None], died: Callable[[Job, str], None]
    ) -> None:
        """Work through the jobs; results come in any order.

        When a process dies, everything in hand is suspect; the suspects are tried again one at a time in a process of
        their own, and those whose process dies again, and again, are given up.

        Args:
            jobs: taken as they are needed.
            done: told each job and its result.
            died: told each job that was given up, and why.

        Raises:
            Exception: whatever the function raises; jobs in hand are dropped.
            RuntimeError: the first processes all died, which is not the jobs' fault.
        """
        source = iter(jobs)
        more = True
        while more:
            suspects: list[Any] = []
            waiting: dict[Future[Any], Any] = {}
            pool = self._open(self._count)
            try:
                while more or waiting:
                    while more and len(waiting) < _WAITING * self._count:
                        try:
                            suspects.append(next(source))  # in case that the pool breaks right here
                        except StopIteration:
                            more = False
                            break
                        future = pool.submit(self._function, suspects[-1])
                        waiting[future] = suspects.pop()
                    finished, _ = wait(waiting, return_when=FIRST_COMPLETED) if waiting else (set(), None)
                    for future in finished:
                        result = future.result()
                        done(waiting.pop(future), result)
                        self._succeeded += 1
                pool.shutdown()
            except BrokenProcessPool:
                more = True
                suspects += waiting.values()
                pool.shutdown()
            except BaseException:
                _end(pool)
                raise
            for job in suspects:
                self._alone(job, done, died)

    def _alone(self, job: Any, done: Callable[[Any, Any], None], died: Callable[[Any, str], None]) -> None:
        for _ in range(_TRIES_ALONE):
            pool = self._open(1)
            try:
                result = pool.submit(self._function, job).result()
            except BrokenProcessPool:
                pool.shutdown()
                continue
            except BaseException:
                _end(pool)
                raise
            pool.shutdown()
            self._succeeded += 1
            return done(job, result)
        self._failed += 1
        if self._failed >= _HOPELESS and not self._succeeded:
            raise RuntimeError(
                f"the processes of the first {self._failed} files died, each alone with its file: it is not the files; "
                "look into the system's log, for lack of memory above all"
            )
        died(job, f"the process that read it died {_TRIES_ALONE} times (too little memory, or a damaged file)")

    def _open(self, count: int) -> ProcessPoolExecutor:
        context = multiprocessing.get_context("spawn")
        return ProcessPoolExecutor(count, mp_context=context, initializer=self._initializer)


def _end(pool: ProcessPoolExecutor) -> None:
    """Stop in the middle of the work: nobody wants the results any more."""
    for process in list((pool._processes or {}).values()):
        process.terminate()
    pool.shutdown(cancel_futures=True)

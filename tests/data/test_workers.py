"""A process that dies costs its own job and no other."""

from __future__ import annotations

import os
import signal
import time

import pytest

from avdetect.data.workers import Workers, available_cores


def nothing() -> None:
    """In place of the set-up of real workers, which is slower."""


def work(job: int) -> int:
    if job % 10 == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    if job == 99:
        raise ValueError("wrong from the start")
    return job * job


def once(folder_and_job: tuple[str, int]) -> int:
    """Dies the first time that the job is met."""
    folder, job = folder_and_job
    try:
        os.close(os.open(f"{folder}/{job}", os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        return job
    time.sleep(0.05)
    os.kill(os.getpid(), signal.SIGKILL)
    return -1


def test_jobs_whose_process_dies_are_named_and_all_others_done() -> None:
    found: dict[int, int] = {}
    lost: dict[int, str] = {}
    Workers(work, count=2, initializer=nothing).run(range(17), done=found.__setitem__, died=lost.__setitem__)
    assert found == {i: i * i for i in range(17) if i not in (3, 13)}
    assert set(lost) == {3, 13} and "died" in lost[3]


def test_a_process_that_dies_only_once_costs_nothing(tmp_path: object) -> None:
    found: dict[tuple[str, int], int] = {}
    jobs = [(str(tmp_path), i) for i in range(2)]
    Workers(once, count=1, initializer=nothing).run(jobs, done=found.__setitem__, died=lambda j, r: pytest.fail(r))
    assert sorted(found.values()) == [0, 1]


def test_an_error_of_the_function_ends_the_run() -> None:
    with pytest.raises(ValueError, match="wrong from the start"):
        Workers(work, count=2, initializer=nothing).run([99, 1, 2], done=lambda j, r: None, died=lambda j, r: None)


def test_when_every_process_dies_it_is_not_the_files() -> None:
    lost: list[int] = []
    with pytest.raises(RuntimeError, match="it is not the files"):
        Workers(work, count=2, initializer=nothing).run(
            range(3, 300, 10), done=lambda j, r: None, died=lambda j, r: lost.append(j)
        )
    assert len(lost) < 10


def test_cores_are_counted() -> None:
    assert 1 <= available_cores() <= (os.cpu_count() or 1)

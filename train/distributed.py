"""Joins this process to the others of a run on several machines."""

from __future__ import annotations

import os
import re
import socket
import sys
import threading


class CannotStart(RuntimeError):
    """The processes of a run did not find each other."""


def start(
    coordinator: str | None = None,
    num_processes: int | None = None,
    process_id: int | None = None,
    *,
    timeout_s: int = 120,
) -> None:
    """Call before anything of JAX is used; without arguments JAX asks Slurm, Open MPI, Kubernetes or the TPU pod.

    Args:
        coordinator: ``host:port`` of the process with number 0.
        num_processes: how many there are.
        process_id: number of this one.
        timeout_s: how long to wait for the others.

    Raises:
        CannotStart: with what was tried and what to do. Where the others do not come in time the process ends with 2
            and the same message, for JAX cannot be interrupted there.
    """
    import jax

    given = {"--coordinator": coordinator, "--num-processes": num_processes, "--process-id": process_id}
    missing = [name for name, value in given.items() if value is None]
    if missing and len(missing) < len(given):
        raise CannotStart(
            f"--distributed needs all of {', '.join(given)} or none of them; {', '.join(missing)} is missing"
        )
    if not missing:
        _check(str(coordinator), int(num_processes or 0), int(process_id or 0))
    who = f"process {process_id} of {num_processes} at {coordinator}" if coordinator else "what the cluster says"
    # JAX ends the process with a crash report where the others do not come: be quicker, and plainer.
    timer = threading.Timer(timeout_s, _give_up, (f"{who}: the others did not come within {timeout_s} s",))
    timer.daemon = True
    timer.start()
    try:
        jax.distributed.initialize(coordinator, num_processes, process_id, initialization_timeout=timeout_s + 60)
    except (RuntimeError, ValueError) as error:
        lines = str(error).strip().splitlines() or [type(error).__name__]
        raise CannotStart(_message(f"{who}: {lines[0].rstrip('.')}")) from error
    finally:
        timer.cancel()


def _message(what: str) -> str:
    return (
        f"--distributed: could not start with {what}. Give --coordinator HOST:PORT --num-processes N --process-id I, "
        "the same host and N everywhere, I from 0 on; process 0 runs on that host"
    )


def _give_up(what: str) -> None:
    print(f"error: {_message(what)}", file=sys.stderr, flush=True)
    os._exit(2)


def _check(coordinator: str, count: int, index: int) -> None:
    """What would otherwise end in a crash of the coordination service, or in a long wait."""
    if not re.fullmatch(r"\S+:\d{1,5}", coordinator):
        raise CannotStart(f"--coordinator {coordinator}: expected HOST:PORT, as in 10.0.0.1:1234")
    if not 0 <= index < count:
        raise CannotStart(f"--process-id {index} is not from 0 to {count - 1} (--num-processes {count})")
    host = coordinator.rpartition(":")[0].strip("[]")
    try:
        socket.getaddrinfo(host, None)
    except OSError as error:
        raise CannotStart(f"--coordinator {coordinator}: {host} is not a known host ({error})") from None

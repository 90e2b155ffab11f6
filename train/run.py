"""Train one part of the detector, or all of it.

Examples:
    python -m train.run --config configs/sync_landmarks.py --workdir work/sync_landmarks
    python -m train.run --config configs/smoke.py --workdir work/smoke --set train.steps=40 --set optim.lr=3e-3

The same command resumes a run that was stopped. On several machines, start it on each with --distributed, a work folder
that all of them see, and (outside Slurm, Open MPI, Kubernetes and TPU pods) --coordinator, --num-processes and
--process-id.
"""

from __future__ import annotations

import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from avdetect.commands.refusal import refuse

if TYPE_CHECKING:
    from avdetect.config import Config

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command(help=__doc__)
def run(
    config: Annotated[Path, typer.Option(help="Python file with get_config().")],
    workdir: Annotated[Path, typer.Option(help="Folder for checkpoints, log.jsonl and the result.")],
    set_: Annotated[list[str] | None, typer.Option("--set", help="name=value, as in optim.lr=1e-3.")] = None,
    distributed: Annotated[bool, typer.Option("--distributed", help="One of several processes.")] = False,
    coordinator: Annotated[
        str | None, typer.Option(envvar="JAX_COORDINATOR_ADDRESS", help="HOST:PORT of process 0.")
    ] = None,
    num_processes: Annotated[int | None, typer.Option(envvar="JAX_NUM_PROCESSES", help="How many there are.")] = None,
    process_id: Annotated[int | None, typer.Option(envvar="JAX_PROCESS_ID", help="Number of this one.")] = None,
    start_timeout: Annotated[int, typer.Option(help="Seconds to wait for the other processes.")] = 120,
) -> None:
    """Parse, build the task, run the loop."""
    from train.distributed import CannotStart, start

    try:
        if distributed:  # before anything else touches JAX
            start(coordinator, num_processes, process_id, timeout_s=start_timeout)
        elif coordinator and num_processes not in (None, 1):
            raise CannotStart("--coordinator is given without --distributed")
    except CannotStart as error:
        refuse(error)

    from avdetect.config import override
    from avdetect.plugin_errors import PluginError
    from train.checks import check_numbers
    from train.loop import train
    from train.stepwise import as_task
    from train.tasks import make_task

    try:
        resolved = _loaded(config)
        for assignment in set_ or []:
            resolved = override(resolved, assignment)
        check_numbers(resolved)
        task = as_task(make_task(resolved), resolved.train.part, threads=resolved.data.threads)
        figures = train(resolved, task, workdir)
    except (FileNotFoundError, KeyError, TypeError, ValueError, PluginError) as error:
        refuse(error)
    for name, value in figures.items():
        typer.echo(f"{name}\t{value:.4f}")


def _loaded(path: Path) -> Config:
    """The configuration; whatever its code raises is said with the line of the file."""
    from avdetect.config import load_config

    try:
        return load_config(path)
    except Exception as error:  # a configuration may do anything
        if isinstance(error, FileNotFoundError | TypeError) and str(path) in str(error):
            refuse(error)
        frames = traceback.extract_tb(error.__traceback__)
        lines = [frame.lineno for frame in frames if Path(frame.filename).resolve() == path.resolve()]
        place = f", line {lines[-1]}" if lines else ""
        refuse(f"{path}{place}: {type(error).__name__}: {error}")


if __name__ == "__main__":
    app()

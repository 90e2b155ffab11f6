"""Train one part of the detector.

Examples:
    python -m train.run --config configs/sync_landmarks.py --workdir work/sync_landmarks
    python -m train.run --config configs/smoke.py --workdir work/smoke --set train.steps=40 --set optim.lr=3e-3

The same command resumes a run that was stopped.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command(help=__doc__)
def run(
    config: Annotated[Path, typer.Option(help="Python file with get_config().")],
    workdir: Annotated[Path, typer.Option(help="Folder for checkpoints, log.jsonl and the result.")],
    set_: Annotated[list[str] | None, typer.Option("--set", help="name=value, as in optim.lr=1e-3.")] = None,
) -> None:
    """Parse, build the task, run the loop."""
    from avdetect.config import load_config, override
    from train.loop import train
    from train.stepwise import Stepwise
    from train.tasks import make_task

    try:
        resolved = load_config(config)
        for assignment in set_ or []:
            resolved = override(resolved, assignment)
        task: Any = make_task(resolved)
        if not hasattr(task, "pipeline"):
            task = Stepwise(task, resolved.train.part)
        figures = train(resolved, task, workdir)
    except (FileNotFoundError, KeyError, TypeError, ValueError) as error:
        typer.echo(f"error: {error.args[0] if error.args else error}", err=True)
        raise typer.Exit(2) from None
    for name, value in figures.items():
        typer.echo(f"{name}\t{value:.4f}")


if __name__ == "__main__":
    app()

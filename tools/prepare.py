"""Prepare data for training: a folder or manifest of videos -> records, one clip each, with an index.

Examples:
    python -m tools.prepare my_videos/ --out work/records
    python -m tools.prepare ../shared/data/INDEX.csv --out work/records --workers 2

A run that was stopped goes on where it was when the same command is given again.
"""

from __future__ import annotations

import multiprocessing
import os
import threading
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


def _end_with_parent() -> None:
    """Workers of a killed program would wait for work for ever."""
    parent = multiprocessing.parent_process()
    assert parent is not None

    def watch() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


@app.command(help=__doc__)
def prepare(
    source: Annotated[Path, typer.Argument(help="A folder, or a .csv/.jsonl manifest with a 'path' column.")],
    out: Annotated[Path, typer.Option(help="Folder of the records.")],
    workers: Annotated[int, typer.Option(min=1, help="Processes.")] = 2,
    limit: Annotated[int, typer.Option(help="Only the first N files (0 = all).")] = 0,
    max_clip_s: Annotated[float, typer.Option(help="Longer tracks are cut into clips of at most this length.")] = 20.0,
    speech: Annotated[bool, typer.Option(help="Measure speech activity (Silero VAD).")] = True,
) -> None:
    from avdetect.data.manifest import read_entries
    from avdetect.data.prepare import PrepareOptions, assemble, prepare_file

    try:
        entries = read_entries(source)
    except (FileNotFoundError, ValueError) as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(2) from None
    entries = entries[:limit] if limit else entries
    options = PrepareOptions(max_clip_s=max_clip_s, speech=speech)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}"),
    )
    rejected = 0
    with Progress(*columns) as progress:
        task = progress.add_task("files", total=len(entries), note="")
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(workers, mp_context=context, initializer=_end_with_parent) as pool:
            jobs = [pool.submit(prepare_file, entry, out, options) for entry in entries]
            for job in as_completed(jobs):
                summary = job.result()
                rejected += len(summary["rejected"])
                progress.update(task, advance=1, note=f"{rejected} rejected")
        total = assemble(entries, out, options)
    typer.echo(f"{total['clips']} clips of {total['files_with_clips']} of {total['files']} files -> {out}/shards")
    if rejected:
        typer.echo(f"{rejected} rejected: reasons in {out}/shards/rejected.csv")


if __name__ == "__main__":
    app()

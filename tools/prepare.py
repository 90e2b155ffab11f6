"""Prepare data for training: a data set, folder or manifest of videos -> records, one clip each, with an index.

Examples:
    python -m tools.prepare my_videos/ --out work/records
    python -m tools.prepare ../shared/data/INDEX.csv --out work/records --workers 2
    python -m tools.prepare /data/FakeAVCeleb_v1.2 --source fakeavceleb --out work/fakeavceleb

A run that was stopped, in whatever way, goes on where it was when the same command is given again.

Many machines: give each the same command with another --shard, "0/8" to "7/8"; each does the files whose names fall to
it, and writes their parts under OUT/parts. OUT may be one network folder, or folders whose parts are copied together
afterwards. Then the same command with --merge, once and anywhere, joins all parts into OUT/shards; it reads no media.
"""

from __future__ import annotations

import functools
import hashlib
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from avdetect.cli import NoPlugins
from avdetect.commands.refusal import refuse
from avdetect.plugin_errors import PluginError

if TYPE_CHECKING:
    from avdetect.data.manifest import Entry
    from avdetect.data.prepare import PrepareOptions

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command(help=__doc__)
def prepare(
    root: Annotated[
        Path,
        typer.Argument(
            help="A folder, a manifest (.csv, .jsonl or .parquet) with a 'path' column, or the --source's root."
        ),
    ],
    out: Annotated[Path, typer.Option(help="Folder of the records.")],
    source: Annotated[
        str,
        typer.Option(help="Reader of a data set's own layout: a name ('list' shows them), or file.py:attribute."),
    ] = "",
    workers: Annotated[int, typer.Option(min=0, help="Processes (0 = one for each core).")] = 0,
    shard: Annotated[str, typer.Option(help="Only part I of N of the files, 'I/N' from 0; nothing is joined.")] = "",
    merge: Annotated[bool, typer.Option("--merge", help="Only join the parts that the shards made.")] = False,
    limit: Annotated[int, typer.Option(min=0, help="Only the first N files (0 = all).")] = 0,
    max_clip_s: Annotated[
        float, typer.Option(min=1.0, help="Longer tracks are cut into clips of at most this length.")
    ] = 20.0,
    speech: Annotated[bool, typer.Option(help="Measure speech activity (Silero VAD).")] = True,
    offsets: Annotated[bool, typer.Option(help="Measure how late the sound is, with the shipped bundle.")] = True,
    retry_died: Annotated[
        bool, typer.Option("--retry-died", help="Try again the files whose process died, say for lack of memory.")
    ] = False,
    no_plugins: NoPlugins = False,
) -> None:
    from avdetect.data.prepare import PrepareOptions, assemble, missing_parts

    if not (entries := _entries(root, source)):
        refuse(_nothing_in(root, source))
    entries = entries[:limit] if limit else entries
    mine = _of_shard(entries, shard) if shard else entries
    options = PrepareOptions(max_clip_s=max_clip_s, speech=speech, offsets=offsets)
    if shard and merge:
        refuse("--shard makes parts and --merge joins them: give one of the two")
    if merge:
        if missing := missing_parts(entries, out, options):
            where = f"have no part in {out}/parts, the first is {missing[0].name}"
            advice = "run their --shard with the same options, or copy its parts here"
            refuse(f"{len(missing)} of {len(entries)} files {where}; {advice}")
    else:
        _make_parts(mine, out, options, workers=workers, retry_died=retry_died)
    if shard:
        typer.echo(f"{len(mine)} of {len(entries)} files are done as shard {shard}; join all with --merge")
        return
    try:
        total = assemble(entries, out, options)
    except (FileNotFoundError, ValueError) as error:
        refuse(error)
    typer.echo(f"{total['clips']} clips of {total['files_with_clips']} of {total['files']} files -> {out}/shards")
    typer.echo(f"{total['groups']} groups of people and recordings")
    if total["excluded"]:
        typer.echo(f"{total['excluded']} clips excluded: their groups are in dev or test (see split_reason)")
    if total["rejected"]:
        typer.echo(f"{total['rejected']} rejected: reasons in {out}/shards/rejected.csv")


def _entries(root: Path, source: str) -> list[Entry]:
    from avdetect.data.manifest import read_entries
    from avdetect.data.sources import SOURCES

    if source == "list":
        refuse(f"sources are: {', '.join(SOURCES.names())}")
    try:
        if not source:
            return read_entries(root)
        entries = [sample.entry() for sample in SOURCES.get(source)(root).samples()]
    except PluginError as error:
        refuse(error)
    except (FileNotFoundError, ValueError, KeyError, ImportError, RuntimeError) as error:
        refuse(error)
    except Exception as error:
        if source in SOURCES.builtins():
            raise
        refuse(str(SOURCES.blame(source, f"reading {root} failed: {type(error).__name__}: {error}")))
    names: set[str] = set()
    for entry in entries:
        if entry.name in names:
            refuse(f"{root}: the reader {source!r} names {entry.name} twice")
        names.add(entry.name)
    return entries


def _nothing_in(root: Path, source: str) -> str:
    """Why nothing is prepared; what was prepared before stays."""
    from avdetect.data.manifest import MEDIA_SUFFIXES

    if source:
        return f"the reader {source!r} found no file in {root}"
    if root.is_dir():
        return f"no media file in {root} or below it; looked for {' '.join(sorted(MEDIA_SUFFIXES))}"
    return f"{root} names no file"


def _of_shard(entries: list[Entry], shard: str) -> list[Entry]:
    """The files whose names fall to one of the shards, whatever else is in the manifest."""
    try:
        number, count = (int(part) for part in shard.split("/"))
        if not 0 <= number < count:
            raise ValueError
    except ValueError:
        refuse(f"--shard must be I/N with 0 <= I < N, such as 0/8, not {shard!r}")
    return [e for e in entries if int(hashlib.sha256(e.name.encode()).hexdigest()[:15], 16) % count == number]


def _stop(number: int, frame: object) -> NoReturn:
    raise KeyboardInterrupt


def _make_parts(entries: list[Entry], out: Path, options: PrepareOptions, *, workers: int, retry_died: bool) -> None:
    from avdetect.data.prepare import finished, prepare_file, reject_file
    from avdetect.data.workers import Workers, available_cores

    for number in (signal.SIGINT, signal.SIGTERM):  # SIGINT too: a shell's background jobs are born deaf to it
        signal.signal(number, _stop)
    begun, made, seen = time.monotonic(), {"files": 0, "clips": 0}, 0
    count = min(workers or available_cores(), max(1, len(entries)))
    with _bar() as progress:
        task = progress.add_task("files", total=len(entries), note="")
        rejected = 0

        def told(summary: dict[str, Any]) -> None:
            nonlocal rejected, seen
            rejected, seen = rejected + len(summary["rejected"]), seen + 1
            made["files"] += summary["made"]
            made["clips"] += summary["clips"] if summary["made"] else 0
            progress.update(task, advance=1, note=f"{rejected} rejected")

        todo = []
        for entry in entries:
            if (summary := finished(entry, out, options, retry_died=retry_died)) is None:
                todo.append(entry)
            else:
                told(summary)
        job: Callable[[Entry], dict[str, Any]] = functools.partial(prepare_file, work=out, options=options)
        try:
            if todo:
                Workers(job, count=count).run(
                    todo,
                    done=lambda entry, summary: told(summary),
                    died=lambda entry, reason: told(reject_file(entry, out, options, reason)),
                )
        except KeyboardInterrupt:
            progress.stop()
            typer.echo(
                f"stopped: {seen} of {len(entries)} files are done; the same command goes on from there", err=True
            )
            raise typer.Exit(130) from None
    if made["files"]:
        spent = time.monotonic() - begun
        each = f"{spent * count / made['clips']:.2f} s a clip and process" if made["clips"] else "no clips"
        typer.echo(f"{made['files']} files read in {spent:.0f} s by {count} processes: {each}")


def _bar() -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}"),
    )


if __name__ == "__main__":
    app()

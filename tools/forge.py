"""Make a labelled set of forged films from films that you own.

Examples:
    python -m tools.forge my_videos/ --out work/forged --family all --with-genuine
    python -m tools.forge a.mp4 b.mp4 --out work/forged --family mouth_paste --count 3 --segment
    python -m tools.forge sheet a.mp4 --family face_swap --other b.mp4 --out sheet.png
    python -m tools.forge families

The films are written through one encoder, with manifest.csv for tools.prepare beside them. A run that was stopped goes
on where it was when the same command is given again.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from typer.core import TyperGroup

from avdetect.cli import NoPlugins
from avdetect.commands.refusal import refuse
from avdetect.plugin_errors import PluginError


class FilmsByDefault(TyperGroup):
    """``forge a.mp4 --out ...`` is ``forge films a.mp4 --out ...``."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Puts the name of the command in where it was left out."""
        if args and args[0] not in self.commands and args[0] != "--help":
            args = ["films", *args]
        return super().parse_args(ctx, args)


app = typer.Typer(cls=FilmsByDefault, add_completion=False, pretty_exceptions_enable=False, no_args_is_help=True)


@app.callback(help=__doc__)
def _about() -> None:
    pass


def entries_of(inputs: Sequence[Path]) -> list[Any]:
    """Files, folders and manifests as entries, each file once."""
    from avdetect.data.manifest import MANIFEST_SUFFIXES, Entry, read_entries

    found: dict[Path, Entry] = {}
    for given in inputs:
        listed = given.is_dir() or given.suffix.lower() in MANIFEST_SUFFIXES
        if not listed and not given.is_file():
            raise FileNotFoundError(f"{given}: no such file")
        for entry in read_entries(given) if listed else [Entry(given, given.name)]:
            found.setdefault(entry.path.resolve(), entry)
    return list(found.values())


def families_of(name: str) -> tuple[str, ...]:
    """Names of families, each of which can be used; ``all`` for every one that is built in."""
    from avdetect.forge import FORGERIES

    names = tuple(FORGERIES.builtins()) if name == "all" else tuple(n.strip() for n in name.split(","))
    for n in names:
        FORGERIES.get(n)
    return names


@app.command(help="Write forged films and manifest.csv (the command that is meant where none is named).")
def films(
    inputs: Annotated[list[Path], typer.Argument(help="Genuine films, folders or manifests of them.")],
    out: Annotated[Path, typer.Option(help="Folder of the films and of manifest.csv.")],
    family: Annotated[
        str,
        typer.Option(
            help="Forgeries, separated by commas: names, or file.py:attribute; 'all' for those that are built in."
        ),
    ] = "all",
    count: Annotated[int, typer.Option(min=1, help="Films of each family from each input.")] = 1,
    seed: Annotated[int, typer.Option(help="Another seed gives other forgeries.")] = 0,
    segment: Annotated[bool, typer.Option("--segment", help="Forge only a stretch of each film.")] = False,
    with_genuine: Annotated[
        bool, typer.Option("--with-genuine", help="Also write the genuine films through the same encoder.")
    ] = False,
    max_s: Annotated[float, typer.Option(min=1.0, help="Seconds read of each input.")] = 10.0,
    crf: Annotated[int, typer.Option(min=0, max=51, help="Quality of the picture, 0 best.")] = 18,
    no_plugins: NoPlugins = False,
) -> None:
    from avdetect.forge.labelled_set import Order, SetMaker

    try:
        entries, families = entries_of(inputs), families_of(family)
    except (OSError, ValueError, PluginError) as error:
        refuse(error)
    order = Order(families, count, seed, segment, with_genuine, max_s, crf)
    maker = SetMaker(entries, order, out)
    states = {"made": 0, "kept": 0, "refused": 0, "failed": 0}
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    total = len(entries) * (len(families) * count + with_genuine)
    with Progress(*columns) as progress:
        task = progress.add_task("films", total=total)
        for outcome in maker.run():
            states[outcome.state] += 1
            if outcome.reason:
                progress.console.print(f"{outcome.state}: {outcome.name}: {outcome.reason}", markup=False)
            progress.advance(task)
    rows = maker.write_manifest()
    typer.echo(", ".join(f"{n} {state}" for state, n in states.items() if n) + f" -> {rows} rows in {out}/manifest.csv")
    if not states["made"] + states["kept"]:
        raise typer.Exit(1)


@app.command(help="A contact sheet: genuine, forged and their difference over time.")
def sheet(
    source: Annotated[Path, typer.Argument(help="A genuine film.")],
    family: Annotated[str, typer.Option(help="Which forgery.")],
    out: Annotated[Path, typer.Option(help="Picture to write (.png).")],
    other: Annotated[list[Path] | None, typer.Option(help="Films of other people (or of the same, if needed).")] = None,
    seed: Annotated[int, typer.Option(help="Another seed gives another forgery.")] = 0,
    columns: Annotated[int, typer.Option(min=2, help="Moments that are shown.")] = 10,
    max_s: Annotated[float, typer.Option(min=1.0, help="Seconds read of each film.")] = 10.0,
    no_plugins: NoPlugins = False,
) -> None:
    import cv2

    from avdetect.forge.contract import CannotForge
    from avdetect.forge.films import key_rng, read_film
    from avdetect.forge.sheet import contact_sheet
    from avdetect.media.errors import MediaError

    try:
        (name,) = families_of(family)
        clip = read_film(source, max_s, keep_frames=False).clip
        others = [read_film(path, max_s, keep_frames=False).clip for path in other or ()]
        forged = _forged(name, clip, key_rng(name, source.name, seed, 0, 0), others)
        picture = contact_sheet(clip, forged, columns=columns)
        if not cv2.imwrite(str(out), picture[..., ::-1]):
            raise ValueError(f"{out} could not be written; is it a .png in a folder that exists?")
    except (CannotForge, MediaError, PluginError, OSError, ValueError, cv2.error) as error:
        refuse(error)
    for segment in forged.label.segments:
        typer.echo(f"{segment.kind}: {segment.start_s:.2f} s to {segment.end_s:.2f} s")
    typer.echo(f"{name} -> {out}")


def _forged(name: str, clip: Any, rng: Any, others: Sequence[Any]) -> Any:
    """A forged clip; where code from outside fails, the error says whose it is."""
    from avdetect.forge import FORGERIES
    from avdetect.forge.contract import CannotForge

    try:
        return FORGERIES.get(name).forge(clip, rng, others)
    except (CannotForge, PluginError):
        raise
    except Exception as error:
        if name in FORGERIES.builtins():
            raise
        raise FORGERIES.blame(name, f"it failed: {type(error).__name__}: {error}") from error


@app.command(help="Names of the forgeries and what they do.")
def families(no_plugins: NoPlugins = False) -> None:
    from avdetect.forge import FORGERIES

    for entry in FORGERIES.entries():
        if entry.state == "built-in":
            try:
                about = FORGERIES.get(entry.name).about
            except PluginError as error:
                about = f"not available: {error.cause}"
        else:  # not imported to ask what it does: that is for when it is used
            about = f"{entry.state}: {entry.target} of {entry.owner}"
        typer.echo(f"{entry.name:14} {about}")


if __name__ == "__main__":
    app()

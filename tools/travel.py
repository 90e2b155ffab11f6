"""Carry records to another machine and back: a small copy with what lips-and-sound and voice networks train on.

Examples:
    python -m tools.travel pack work/records --where "split=train,val;source=LRC-AR" --out carry/lips \
        --coded-sound
    python -m tools.travel pack work/records,work/speech --sound-only --out carry/voices
    python -m tools.travel unpack carry/lips --out work/records       # there

Sound is kept as it is unless --coded-sound is given; mouths become grey and go through H.264, face crops stay behind.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from avdetect.commands.refusal import refuse

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, help=__doc__, no_args_is_help=True)


@app.command("pack")
def pack_records(
    records: Annotated[str, typer.Argument(help="Folder of the records, or several with commas between.")],
    out: Annotated[Path, typer.Option(help="Folder to write.")],
    where: Annotated[str, typer.Option(help="Which clips.")] = "",
    sound_only: Annotated[bool, typer.Option("--sound-only", help="No pictures.")] = False,
    crf: Annotated[int, typer.Option(min=0, max=51, help="Quality of the mouths: 51 is worst.")] = 12,
    seconds: Annotated[float, typer.Option(help="Longer clips are cut there.")] = 10.0,
    coded_sound: Annotated[
        bool, typer.Option("--coded-sound", help="Sound as Opus (for lips and sound only).")
    ] = False,
    most: Annotated[int, typer.Option(help="Clips of one source (0 = all).")] = 0,
) -> None:
    """Write a small copy of some records."""
    from rich.progress import track

    from avdetect.data.store import RecordStore
    from avdetect.data.travel import pack
    from avdetect.types import TICK_RATE

    try:
        store = RecordStore(records)
        rows = store.sample(where, most=most or len(store), seed=0)
    except (FileNotFoundError, KeyError, ValueError) as error:
        refuse(error)
    shown = track(rows, description="packing")
    size = pack(
        store, shown, out, pictures=not sound_only, crf=crf, ticks=round(seconds * TICK_RATE), coded=coded_sound
    )
    typer.echo(f"{len(rows)} clips, {size / 1e6:.1f} MB in {out}")


@app.command("unpack")
def unpack_records(
    folder: Annotated[Path, typer.Argument(help="What pack wrote.")],
    out: Annotated[Path, typer.Option(help="Folder of the records to make.")],
) -> None:
    """Make records of a packed folder."""
    import lzma

    from avdetect.data.travel import unpack

    try:
        count = unpack(folder, out)
    except (OSError, ValueError, lzma.LZMAError) as error:
        refuse(f"{folder}: {error}")
    typer.echo(f"{count} clips in {out}")


if __name__ == "__main__":
    app()

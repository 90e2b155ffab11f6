"""Talking puppets as records: meshes of portraits whose lips follow espeak-ng's phonemes.

Example:
    python -m tools.puppets portrait.jpg another.png --out work/puppets --count 600

For training the lips-and-sound pair that sees mesh points. Take portraits that are in the public domain or made by a
generator. Needs espeak-ng's library: pip install espeakng-loader.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from avdetect.commands.refusal import refuse

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command(help=__doc__)
def puppets(
    portraits: Annotated[list[Path], typer.Argument(help="Pictures with one face, looking at the camera.")],
    out: Annotated[Path, typer.Option(help="Folder of the records to write.")],
    count: Annotated[int, typer.Option(min=1, help="How many puppets.")] = 600,
    people: Annotated[
        int, typer.Option(min=1, help="As how many people they count: each has a face and a voice of its own.")
    ] = 60,
    seconds: Annotated[float, typer.Option(help="Longest duration.")] = 3.0,
    seed: Annotated[int, typer.Option(help="Of everything random.")] = 0,
) -> None:
    from rich.progress import track

    from avdetect.data.puppet_records import portrait_mesh, puppet_record
    from avdetect.data.records import encode
    from avdetect.data.store import RecordWriter
    from avdetect.forge.contract import CannotForge
    from avdetect.media.errors import MediaError

    try:
        meshes = [portrait_mesh(path) for path in portraits]
        with RecordWriter(out) as writer:
            for n in track(range(count), description="puppets"):
                record = puppet_record(meshes, n, person=n % people, seconds=seconds, seed=seed)
                writer.add(encode(record), record.meta)
    except (CannotForge, MediaError, ValueError) as error:
        refuse(error)
    typer.echo(f"{count} puppets in {out}")


if __name__ == "__main__":
    app()

"""False voices made of the genuine ones of prepared records: records of sound alone, for a voice network to train on.

Examples:
    AVDETECT_VOCODER=hifigan.onnx python -m tools.copy_voices work/records --out work/vocoded --family vocoder
    python -m tools.copy_voices work/records --out work/world --family world --where "split=train" --most 200

Copies keep person, fold and split of their original, which is named in the column "pair". Of each source, at most
--most clips are copied.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from avdetect.commands.refusal import refuse

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command(help=__doc__)
def copy_voices(
    records: Annotated[str, typer.Argument(help="Folder of the records, or several with commas between.")],
    out: Annotated[Path, typer.Option(help="Folder of the new records.")],
    family: Annotated[str, typer.Option(help="A forgery that changes the sound: see python -m tools.forge families.")],
    where: Annotated[str, typer.Option(help="Which clips.")] = "audio_fake=0",
    most: Annotated[int, typer.Option(help="Clips of one source.")] = 300,
    seconds: Annotated[float, typer.Option(help="Of each clip, from its start.")] = 4.0,
    seed: Annotated[int, typer.Option(help="Of the choice and of what the forgery draws.")] = 0,
    threads: Annotated[int, typer.Option(help="Voices copied at once.")] = 2,
) -> None:
    from concurrent.futures import ThreadPoolExecutor

    from rich.progress import track

    from avdetect.data.copied_voices import copied
    from avdetect.data.records import Record, encode
    from avdetect.data.store import RecordStore, RecordWriter
    from avdetect.forge import FORGERIES
    from avdetect.forge.contract import CannotForge
    from avdetect.plugin_errors import PluginError

    try:
        store, made_by = RecordStore(records), FORGERIES.get(family)
        rows = store.sample(where, most=most, seed=seed)
    except (FileNotFoundError, KeyError, ValueError, PluginError) as error:
        refuse(error)
    if "sound" not in made_by.changes:
        changed = " and ".join(made_by.changes)
        refuse(f"{family} changes the {changed} and leaves the voice genuine; python -m tools.forge families says more")
    made, reasons = 0, set()

    def one(row: int) -> Record | CannotForge:
        try:
            return copied(store.read(row, pictures=()), made_by, name=family, seconds=seconds, seed=seed)
        except CannotForge as error:
            return error

    try:
        with RecordWriter(out) as writer, ThreadPoolExecutor(threads) as pool:
            for row, found in track(
                zip(rows, pool.map(one, rows), strict=True), total=len(rows), description=f"{family} copies"
            ):
                if isinstance(found, CannotForge):
                    reasons.add(str(found))
                    writer.reject(store.index[row]["path"], str(found))
                    continue
                writer.add(encode(found), found.meta)
                made += 1
            if not made:
                refuse(f"none of {len(rows)} voices was copied: {'; '.join(sorted(reasons)[:3])}")
    except (FileNotFoundError, ValueError) as error:  # a shard that is missing or damaged
        refuse(error)
    typer.echo(f"{made} of {len(rows)} voices copied by {family} into {out}")


if __name__ == "__main__":
    app()

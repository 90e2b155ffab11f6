"""Copies of films as people share them, for training and calibration: smaller, H.264 at 24 to 42, AAC of 12-64 kbit/s.

Examples:
    python -m tools.share_copies work/records --media videos/ --where "split=train" --out work/shared_films
    python -m tools.prepare work/shared_films/manifest.csv --out work/shared
    python -m train.run --config configs/fusion.py --workdir work/fusion --set data.records=work/records,work/shared

Copies keep labels, person and split of their originals, which are named in the column "copy_of". A run that was
stopped goes on where it was; a film that cannot be coded again is named and left out.
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Annotated, Any

import typer

from avdetect.commands.refusal import refuse

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command(help=__doc__)
def share_copies(
    records: Annotated[str, typer.Argument(help="Folder of the records, or several with commas between.")],
    media: Annotated[Path, typer.Option(help="Folder of the files that the records were prepared from.")],
    out: Annotated[Path, typer.Option(help="Folder of the copies and their manifest.csv.")],
    where: Annotated[str, typer.Option(help="Which clips; a film is copied if any of its clips is meant.")] = "",
    copies: Annotated[int, typer.Option(min=1, help="Of each film, each with losses of its own.")] = 1,
    seed: Annotated[int, typer.Option(help="Of the losses.")] = 0,
    workers: Annotated[int, typer.Option(min=1, help="Films coded at once.")] = 2,
) -> None:
    from concurrent.futures import ThreadPoolExecutor

    from rich.progress import track

    from avdetect.data.shared_copies import compress, copy_row, drawn_sharing
    from avdetect.data.store import RecordStore
    from avdetect.media.errors import MediaError
    from avdetect.whole_file import replacing

    try:
        store = RecordStore(records)
        films: dict[str, list[dict[str, Any]]] = {store.index[i]["path"]: [] for i in store.where(where)}
    except (FileNotFoundError, KeyError, ValueError) as error:
        refuse(error)
    if not films:
        refuse(f"no clip in {records} satisfies {where!r}")

    for row in store.index:
        if row["path"] in films:
            films[row["path"]].append(row)

    def one(name: str, number: int) -> dict[str, Any] | str:
        how = drawn_sharing(name, number, seed=seed)
        row = copy_row(films[name], how)
        target = out / str(row["path"])
        if target.is_file():
            return row
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            with replacing(target) as half:
                compress(media / name, half, how)
        except MediaError as error:
            return str(error)
        return row

    wanted = [(name, number) for name in films for number in range(1, copies + 1)]
    rows: list[dict[str, Any]] = []
    with ThreadPoolExecutor(workers) as pool:
        for found in track(pool.map(lambda job: one(*job), wanted), total=len(wanted), description="copies"):
            if isinstance(found, str):
                typer.echo(f"left out: {found}", err=True)
            else:
                rows.append(found)
    if not rows:
        refuse(f"none of {len(wanted)} copies was made")
    with (out / "manifest.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    typer.echo(f"{len(rows)} of {len(wanted)} copies of {len(films)} films -> {out}/manifest.csv")


if __name__ == "__main__":
    app()

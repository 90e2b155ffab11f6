"""A folder of drawn speakers with a manifest: data for trying the programs of training without any recording.

Examples:
    python -m tools.synthetic_corpus build/smoke/videos --people 8 --clips 2
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command(help=__doc__)
def write(
    out: Annotated[Path, typer.Argument(help="Folder of the videos and of manifest.csv.")],
    people: Annotated[int, typer.Option(min=1, help="Speakers.")] = 8,
    clips: Annotated[int, typer.Option(min=1, help="Videos of each speaker.")] = 2,
    seconds: Annotated[float, typer.Option(min=0.5, help="Length of a video.")] = 2.0,
) -> None:
    from avdetect.testing import write_synthetic_video

    out.mkdir(parents=True, exist_ok=True)
    rows = []
    for person in range(people):
        for clip in range(clips):
            path = out / f"person{person:02d}_{clip}.mp4"
            if not path.exists():
                write_synthetic_video(path, seconds=seconds, seed=person + 1000 * clip, width=320, height=240)
            rows.append({"path": path.name, "label": "RVRA", "identity": f"person{person:02d}", "source": "drawn"})
    with (out / "manifest.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    typer.echo(f"{len(rows)} videos of {people} drawn speakers -> {out}/manifest.csv")


if __name__ == "__main__":
    app()

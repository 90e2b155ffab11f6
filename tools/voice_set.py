"""Voices alone for a voice network: recordings that are at hand, and text that speech engines read.

Examples:
    python -m tools.voice_set work/package_voices                  # as configs/voice_set.toml says
    python -m tools.prepare work/package_voices/manifest.csv --out work/packages --no-offsets

Writes the beginnings of recordings as OUT/recorded/*.flac, what was spoken as OUT/spoken/*.flac, and OUT/manifest.csv.
An engine that is not installed is named and passed over.
"""

from __future__ import annotations

import csv
import random
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from avdetect.commands.refusal import refuse

if TYPE_CHECKING:
    from avdetect.data.voice_set import Row

ROOT = Path(__file__).resolve().parents[1]
app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command(help=__doc__)
def voice_set(
    out: Annotated[Path, typer.Argument(help="Folder to write.")],
    config: Annotated[Path, typer.Option(help="Which recordings and engines.")] = ROOT / "configs" / "voice_set.toml",
) -> None:
    from avdetect.config_each import one_for_each
    from avdetect.data.voice_set import Genuine, genuine_rows

    try:
        rules = tomllib.loads(config.read_text(encoding="utf-8"))
        rng = random.Random(rules.get("seed", 0))
        rows = [
            row
            for rule in one_for_each(rules.get("genuine", []))
            for row in genuine_rows(Genuine(**rule), out / "recorded", rng)
        ]
        rows += _spoken(rules, out / "spoken", rng)
    except (OSError, KeyError, TypeError, ValueError) as error:
        refuse(f"{config}: {error}")
    if not rows:
        refuse(f"{config} names neither recordings nor an engine that can speak")
    out.mkdir(parents=True, exist_ok=True)
    with (out / "manifest.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    spoken = sum(row["audio_fake"] == "1" for row in rows)
    typer.echo(f"{len(rows) - spoken} recordings and {spoken} spoken sentences -> {out / 'manifest.csv'}")


def _spoken(rules: dict[str, Any], out: Path, rng: random.Random) -> list[Row]:
    from rich.progress import track

    from avdetect.data.voice_set import Spoken, sentences, spoken_rows
    from avdetect.forge.engines import ENGINES

    rows, spoken = [], [Spoken(**rule) for rule in rules.get("spoken", [])]
    texts = sentences(**rules["texts"]) if spoken else []
    rng.shuffle(texts)
    for rule in spoken:
        # Taken away even where nobody reads them: what the next engine says does not depend on it.
        mine, texts = texts[: rule.count], texts[rule.count :]
        engine = ENGINES.get(rule.engine)
        if why := engine.available():
            typer.echo(f"warning: {rule.engine} does not speak: {why}", err=True)
            continue
        made = spoken_rows(rule, engine, mine, out, source=rules["source"], seed=rules.get("seed", 0))
        for row in track(made, total=len(mine), description=rule.engine):
            if isinstance(row, str):
                typer.echo(f"warning: {row}", err=True)
            else:
                rows.append(row)
    return rows


if __name__ == "__main__":
    app()

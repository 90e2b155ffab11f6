"""How late is the sound of each group of clips? Estimated by a trained lips-and-sound pair, for the next round.

A corpus is rarely frame-accurate, and a net trained on late sound learns to expect late sound. Groups are clips of one
source, person and audio rate: they went through the same hands.

Example:
    python -m tools.estimate_offsets work/sync_landmarks/part --records work/records --out work/offsets.json

Clips that the pair was trained on can be estimated too; to cross-fit, train on half of the people, estimate the others
with --where, and join the two files with --merge.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from avdetect.commands.refusal import refuse
from tools.plainly import said_plainly

CLEAR = 0.15
"""Height of the peak (cosine) from which a clip's own estimate is looked at."""
FAR_MS = 100.0
HALF_TICKS = 16.0
"""Ticks of a clip at which its own estimate and its group's count alike."""

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command(help=__doc__)
@said_plainly()
def estimate(
    part: Annotated[Path, typer.Argument(help="Folder of the trained pair.")],
    records: Annotated[Path, typer.Option(help="Folder of the records.")],
    out: Annotated[Path, typer.Option(help="JSON to write.")],
    where: Annotated[str, typer.Option(help="Which clips.")] = "split=train,val",
    least: Annotated[
        int,
        typer.Option(
            min=1,
            help="Groups of fewer clips take their source's median, or that of all clips if the source has fewer too.",
        ),
    ] = 8,
    base: Annotated[Path | None, typer.Option(help="Offsets already taken out in training this pair.")] = None,
    merge: Annotated[
        Path | None, typer.Option(help="Keep the groups of this file that are not estimated here.")
    ] = None,
    per_clip: Annotated[
        bool, typer.Option(help="Write an estimate for each clip that gives a clear one, beside those of the groups.")
    ] = False,
    ticks: Annotated[int, typer.Option(help="Ticks of each clip that are looked at.")] = 32,
) -> None:
    import numpy as np
    from flax import nnx

    from avdetect.bundle import assemble_net
    from avdetect.data.store import RecordStore
    from avdetect.data.sync_examples import group_of, load_clips, load_offsets
    from avdetect.evaluation.matching import embed, similarities
    from avdetect.sync.offset import estimate_offset
    from avdetect.types import LAGS, MAX_LAG

    other = {} if merge is None else _offsets_in(merge)
    net = assemble_net([part])
    pair = net.sync_landmarks if net.sync_landmarks is not None else net.sync_pixels
    if pair is None:
        refuse(f"{part} holds no lips-and-sound pair")
    pair.eval()
    store = RecordStore(records)
    known = load_offsets(str(base)) if base else {}
    rows = store.where(where)
    if not rows:
        refuse(f"no clip in {records} satisfies --where {where!r}")
    clips = load_clips(store, rows, kind=pair.config.input, offsets=known)
    if not clips:
        refuse(f"none of {len(rows)} clips in {records} that satisfy --where {where!r} has both a face and sound")
    found: dict[str, list[float]] = {}
    clear: dict[str, tuple[str, float, float]] = {}
    forward = nnx.jit(embed)
    for clip, (lips, sound, valid) in zip(clips, similarities(pair, clips, forward=forward, ticks=ticks), strict=True):
        matrix = np.full((len(lips), len(LAGS)), np.nan, np.float32)
        for j, lag in enumerate(range(-MAX_LAG, MAX_LAG + 1)):
            for i in range(max(0, -lag), min(len(lips), len(lips) - lag)):
                if valid[i] and valid[i + lag]:
                    matrix[i, j] = lips[i] @ sound[i + lag]
        estimate = estimate_offset(matrix, LAGS)
        if estimate.offset_ms is not None and abs(estimate.offset_ms) < 300:
            late = known.get(clip.key, known.get(clip.group, 0.0)) + estimate.offset_ms
            found.setdefault(clip.group, []).append(late)
            if estimate.confidence >= CLEAR:
                clear[clip.key] = clip.group, late, estimate.ticks
    if not found:
        refuse(f"{part} found no offset in any of {len(clips)} clips in {records}; choose others with --where")
    sources = {group_of(store.index[i]): str(store.index[i].get("source") or "") for i in rows}
    groups, everything = lateness_of_groups(found, sources, least=least)
    by_clip = {}
    for key, (group, late, seen) in sorted(clear.items()):
        # A short clip says little: it is believed in so far as it is long, and not at all far from its group.
        if per_clip and abs(late - groups[group]) <= FAR_MS:
            by_clip[key] = round(groups[group] + (late - groups[group]) * seen / (seen + HALF_TICKS), 1)
    about = {"median_ms": round(everything, 1), "counts": {n: len(v) for n, v in sorted(found.items())}}
    if merge is not None:
        groups, by_clip = other["groups"] | groups, other.get("by_clip", {}) | by_clip
        about["counts"] = other.get("counts", {}) | about["counts"]
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps({"groups": groups, "by_clip": by_clip, **about}, indent=1) + "\n")
    spread = np.percentile(list(groups.values()), [0, 25, 50, 75, 100])
    typer.echo(f"{len(groups)} groups; lateness min/quartiles/max: {', '.join(f'{v:.0f}' for v in spread)} ms -> {out}")


def lateness_of_groups(
    found: Mapping[str, Sequence[float]], sources: Mapping[str, str], *, least: int
) -> tuple[dict[str, float], float]:
    """Median lateness of each group, of its source where the group has few clips, of all where the source has too.

    Args:
        found: estimates of the clips of each group, milliseconds; not empty.
        sources: the source of each group.
        least: clips that are enough.

    Returns:
        Milliseconds by group, and the median over all clips.
    """
    import numpy as np

    of_source: dict[str, list[float]] = {}
    for name, values in found.items():
        of_source.setdefault(sources[name], []).extend(values)
    everything = float(np.median([v for values in found.values() for v in values]))
    groups = {}
    for name, values in sorted(found.items()):
        enough = next((v for v in (values, of_source[sources[name]]) if len(v) >= least), [everything])
        groups[name] = round(float(np.median(enough)), 1)
    return groups, everything


def _offsets_in(path: Path) -> dict[str, Any]:
    stored = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(stored, dict) or not isinstance(stored.get("groups"), dict):
        raise ValueError(f"{path} is no file of offsets: it has no groups")
    return stored


if __name__ == "__main__":
    app()

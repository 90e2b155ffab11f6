"""Figures of a bundle, as tables for docs/results.md and as JSON.

Examples:
    python -m tools.evaluate shifts ../shared/data/INDEX.csv --split dev --out work/eval
    python -m tools.evaluate score --records work/records --where "split=dev;fold=5,6" --out work/eval/test.parquet

"shifts" moves the sound of real files by known amounts (stream copy, container timestamps only) and audits the copies
from end to end. "score" writes a table of scores of prepared clips, from which "report", "compare" and "sweep" are
made.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from avdetect.cli import NoPlugins
from avdetect.commands.refusal import refuse
from tools.plainly import said_plainly

if TYPE_CHECKING:
    from avdetect.data.store import RecordStore
    from avdetect.detectors.clip_scorer import ClipScorer

MetricNames = Annotated[
    list[str] | None,
    typer.Option(help="Only this metric: a name, one that is installed, or file.py:attribute (may be repeated)."),
]
app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, help=__doc__)


@app.command()
@said_plainly()
def shifts(
    manifest: Annotated[Path, typer.Argument(help="CSV or JSONL with path, label, duration_s.")],
    out: Annotated[Path, typer.Option(help="Folder for shifts.json, shifts.md and the finished rows.")],
    bundle: Annotated[Path | None, typer.Option(help="Bundle; the default one if not given.")] = None,
    min_duration_s: Annotated[float, typer.Option(help="Only clips longer than this.")] = 3.0,
    split: Annotated[str, typer.Option(help="Only clips of this split.")] = "dev",
    amounts: Annotated[str, typer.Option(help="Shifts in ms; each clip gets --per-clip of them.")] = (
        "-300,-240,-160,-80,80,160,240,300"
    ),
    per_clip: Annotated[int, typer.Option(min=1, help="Shifts tried on each clip.")] = 2,
    tolerance_ms: Annotated[float, typer.Option(help="How near the found shift must be.")] = 40.0,
    limit: Annotated[int, typer.Option(help="Only the first N clips (0 = all).")] = 0,
) -> None:
    """Is a known shift of the sound found again? Resumable: finished clips are kept in OUT/rows."""
    from rich.progress import track

    from avdetect import load
    from avdetect.data.manifest import read_entries
    from avdetect.evaluation.shifts import shift_rows, shift_table

    choices = [_milliseconds(a) for a in amounts.split(",")]
    everything = read_entries(manifest)
    entries = [
        e
        for e in everything
        if float(e.columns.get("duration_s") or 0) > min_duration_s and e.columns.get("split") == split
    ]
    if not entries:
        known = ", ".join(sorted({str(e.columns.get("split") or "none") for e in everything}))
        refuse(
            f"{manifest} has no clip of --split {split} that is longer than {min_duration_s:g} s (--min-duration-s); "
            f"it has {len(everything)} clips, of the splits: {known or 'none'}"
        )
    entries = entries[:limit] if limit else entries
    detector = load(bundle)
    rows = []
    for number, entry in enumerate(track(entries, description="clips")):
        chosen = [choices[(number * per_clip + i) % len(choices)] for i in range(per_clip)]
        rows += shift_rows(entry, chosen, detector, keep=out / "rows")
    table, figures = shift_table(rows, tolerance_ms=tolerance_ms)
    _write(out, "shifts", table, figures)


@app.command()
@said_plainly()
def score(
    records: Annotated[Path, typer.Option(help="Folder of the records.")],
    out: Annotated[Path, typer.Option(help="Score table to write (.parquet or .jsonl); an unfinished one is resumed.")],
    where: Annotated[str, typer.Option(help="Which clips.")] = "split=dev",
    bundle: Annotated[Path | None, typer.Option(help="Bundle; the default one if not given.")] = None,
    detector: Annotated[
        str, typer.Option(help="Another detector: built in, installed, package.module:attribute or file.py:attribute.")
    ] = "",
    no_plugins: NoPlugins = False,
) -> None:
    """Score prepared clips into a table, for `report` and `combine`."""
    from rich.progress import Progress

    from avdetect import load
    from avdetect.data.store import RecordStore
    from avdetect.evaluation.scoring import score_records

    store = RecordStore(records)
    rows = _chosen(store, records, where)
    scorer = _clip_scorer(detector, bundle) if detector else load(bundle)
    with Progress() as bar:
        task = bar.add_task("clips", total=len(rows))
        table = score_records(scorer, store, rows, out, progress=lambda n: bar.update(task, completed=n))
    typer.echo(f"{len(table)} clips, {sum(bool(e) for e in table['error'])} failed: {out}")


@app.command()
@said_plainly()
def report(
    scores: Annotated[Path, typer.Argument(help="Score table.")],
    out: Annotated[Path, typer.Option(help="Folder for report.json, report.md and report.png.")],
    validation: Annotated[Path | None, typer.Option(help="Score table of other people, for the threshold.")] = None,
    metric: MetricNames = None,
    rounds: Annotated[int, typer.Option(help="Of the bootstrap.")] = 500,
    no_plugins: NoPlugins = False,
) -> None:
    """Figures of a score table with intervals clustered by person, slices, coverage and the shortcut baseline."""
    from avdetect.evaluation.plots import plot_scores
    from avdetect.evaluation.results import markdown, results, summary
    from avdetect.evaluation.table import ScoreTable

    held = None if validation is None else ScoreTable.read(validation)
    table = ScoreTable.read(scores)
    found = results(table, held, metrics=metric or (), rounds=rounds)
    _write(out, "report", markdown(found), found, shown=summary(found))
    plot_scores(table, out / "report.png")
    typer.echo(f"everything: {out}/report.md, report.json, report.png")


@app.command()
@said_plainly()
def compare(
    first: Annotated[Path, typer.Argument(help="Score table of one detector.")],
    second: Annotated[Path, typer.Argument(help="Of the other, on the same clips.")],
    out: Annotated[Path, typer.Option(help="Folder for compare.json and compare.md.")],
    rounds: Annotated[int, typer.Option(help="Of the bootstrap.")] = 1000,
    metric: MetricNames = None,
    no_plugins: NoPlugins = False,
) -> None:
    """Paired differences of two detectors: bootstrap by person, DeLong, Holm."""
    from avdetect.evaluation.comparison import compare as compared
    from avdetect.evaluation.comparison import comparison_table
    from avdetect.evaluation.table import ScoreTable

    chosen = {"metrics": metric} if metric else {}
    rows = compared(ScoreTable.read(first), ScoreTable.read(second), rounds=rounds, **chosen)
    _write(out, "compare", comparison_table(rows), {"rows": rows})


@app.command()
@said_plainly()
def combine(
    tables: Annotated[list[Path], typer.Argument(help="Score tables of the same validation clips, one a detector.")],
    out: Annotated[Path, typer.Option(help="Combination to write (.json), for `avdetect score --combination`.")],
    strength: Annotated[float, typer.Option(help="Inverse of the penalty of the regression (C).", min=1e-6)] = 1.0,
) -> None:
    """Fit how several detectors are combined: logistic regression over their logits."""
    from avdetect.evaluation.combination import fit_combination, summary
    from avdetect.evaluation.table import ScoreTable

    fitted = fit_combination([ScoreTable.read(t) for t in tables], names=[str(t) for t in tables], strength=strength)
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(fitted.to_json(), encoding="utf-8")
    typer.echo(f"{summary(fitted)}\n{out}")


@app.command()
@said_plainly()
def sweep(
    records: Annotated[Path, typer.Option(help="Folder of the records.")],
    out: Annotated[Path, typer.Option(help="Folder for sweep.json, sweep.md and the score tables; resumable.")],
    where: Annotated[str, typer.Option(help="Which clips.")] = "split=dev",
    bundle: Annotated[Path | None, typer.Option(help="Bundle; the default one if not given.")] = None,
    limit: Annotated[int, typer.Option(help="Only the first N clips (0 = all).")] = 0,
) -> None:
    """AUC and ECE under 7 corruptions of the picture and 6 of the sound, 5 severities each."""
    from avdetect import load
    from avdetect.data.store import RecordStore
    from avdetect.evaluation.sweep import sweep as swept
    from avdetect.evaluation.sweep import sweep_table
    from avdetect.evaluation.sweep_plot import plot_sweep

    store = RecordStore(records)
    rows = _chosen(store, records, where)
    found = swept(load(bundle), store, rows[:limit] if limit else rows, out / "sweep", progress=typer.echo)
    _write(out, "sweep", sweep_table(found), {"rows": found})
    plot_sweep(found, out / "sweep.png")


def _milliseconds(text: str) -> float:
    try:
        found = float(text)
    except ValueError:
        found = math.nan
    if not math.isfinite(found):
        refuse(f"--amounts: {text.strip()!r} is no number of milliseconds; give some with commas between: -160,160")
    return found


def _chosen(store: RecordStore, records: Path, where: str) -> list[int]:
    rows = store.where(where)
    if not rows:
        refuse(f"no clip in {records} satisfies --where {where!r}")
    return rows


def _clip_scorer(name: str, bundle: Path | None) -> ClipScorer:
    from avdetect.detectors.clip_scorer import ClipScorer
    from avdetect.detectors.named import BUNDLED, load_named

    if bundle is not None and name != BUNDLED:
        raise ValueError(f"--bundle is for the detector {BUNDLED}, not for {name!r}; leave it out")
    return ClipScorer(load_named(name, bundle=bundle))


def _write(out: Path, name: str, table: str, figures: dict, *, shown: str = "") -> None:
    from avdetect.evaluation.kept_json import write_json

    write_json(out / f"{name}.json", figures)
    (out / f"{name}.md").write_text(table, encoding="utf-8")
    typer.echo(shown or table)


if __name__ == "__main__":
    app()

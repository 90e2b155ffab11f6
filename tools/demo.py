"""The demonstration: a real talking head, the same with its sound 320 ms late, and dubbed with another film's sound.

`make demo` runs it. Reports (JSON) and offset plots are then in ``build/demo``. The exit status is 0 only if what is
known of the three files was found in them.
"""

from __future__ import annotations

import json
import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

import avdetect
from avdetect.media.remux import remux_replace_audio, remux_shifted
from avdetect.report.audit import Audit
from avdetect.report.plot import plot_audit
from avdetect.report.schema import Report, TrackReport
from avdetect.report.terminal import BAND_STYLES, STYLES, main_track, share
from tools.demo_media import ROOT, DemoMediaError, demo_media

OUT = ROOT / "build" / "demo"
SHIFT_MS = 320.0
TOLERANCE_MS = 60.0
app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@dataclass(frozen=True)
class Judged:
    """One file with its report and audit."""

    title: str
    path: Path
    report: Report
    audit: Audit

    @property
    def track(self) -> TrackReport | None:
        """The face that the table is about: the one that the audit took, or the one that speaks."""
        return next((t for t in self.report.tracks if t.id == self.audit.track), None) or main_track(self.report)

    @property
    def mismatch(self) -> float | None:
        """Probability that lips and sound do not belong together."""
        return self.track.sync.probability_mismatch if self.track else None


def make_files(talking: Path, other: Path, folder: Path) -> dict[str, Path]:
    """The three files, by what they are; none has its picture encoded again."""
    late, dubbed = folder / "late_320ms.mp4", folder / "dubbed.mp4"
    remux_shifted(talking, late, SHIFT_MS)
    remux_replace_audio(talking, other, dubbed)
    return {"original": talking, "320 ms late": late, "dubbed": dubbed}


def judge(title: str, path: Path, detector: avdetect.Detector) -> Judged:
    """Scores and audits one file through the public interface and writes what came out."""
    judged = Judged(title, path, avdetect.score(path, detector=detector), avdetect.audit(path, detector=detector))
    stem = OUT / path.stem
    stem.with_suffix(".report.json").write_text(judged.report.to_json(indent=1) + "\n", encoding="utf-8")
    stem.with_suffix(".audit.json").write_text(judged.audit.to_json(indent=1) + "\n", encoding="utf-8")
    if judged.audit.main is not None:
        plot_audit(judged.audit, stem.with_suffix(".offset.png"))
    return judged


def table(rows: list[Judged]) -> Table:
    """One line a file."""
    made = Table(title="avdetect demo", title_justify="left", header_style="bold")
    made.add_column("file")
    made.add_column("verdict")
    for name in ("p(fake)", "face", "voice", "lips/sound"):
        made.add_column(name, justify="right")
    made.add_column("offset (95 % interval)")
    made.add_column("audit")
    for row in rows:
        track, ci = row.track, row.audit.offset_ci_ms
        interval = f"\n({ci[0]:+.0f} to {ci[1]:+.0f} ms)" if ci is not None else ""
        made.add_row(
            row.title,
            Text(row.report.verdict, STYLES[row.report.verdict]),
            share(row.report.probability_fake),
            share(track.visual.probability_fake if track else None),
            share(track.audio.probability_fake if track else None),
            share(row.mismatch),
            row.audit.offset_text + interval,
            Text(row.audit.band, BAND_STYLES[row.audit.band]),
        )
    return made


def checks(original: Judged, late: Judged, dubbed: Judged) -> list[tuple[str, bool]]:
    """What is known of the files, in words, and whether it was found."""
    found: list[tuple[str, bool]] = []
    before, after = original.audit.offset_ms, late.audit.offset_ms
    if before is None or after is None:
        found.append(("the offset of the original and of the late copy could be measured", False))
    else:
        moved = after - before
        words = (
            f"the late copy's sound is {moved:.0f} ms later than the original's ({SHIFT_MS:.0f} ± {TOLERANCE_MS:.0f})"
        )
        found.append((words, abs(moved - SHIFT_MS) <= TOLERANCE_MS))
    a, b = original.mismatch, dubbed.mismatch
    if a is None or b is None:
        found.append(("the agreement of lips and sound could be judged in the original and the dubbed copy", False))
    else:
        found.append(
            (f"lips and sound disagree more in the dubbed copy ({b:.2f}) than in the original ({a:.2f})", b > a)
        )
    return found


@app.command(help=__doc__)
def main() -> None:
    raise typer.Exit(demonstrate())


def demonstrate() -> int:
    """Runs the demonstration; the exit status."""
    os.environ.setdefault("JAX_PLATFORMS", "cpu")
    console = Console(width=None if sys.stdout.isatty() else 140)
    start = time.perf_counter()
    OUT.mkdir(parents=True, exist_ok=True)
    try:
        with console.status("fetching two short films"):
            talking, other = demo_media()
        with console.status("making the late and the dubbed copy"):
            files = make_files(talking, other, OUT)
        detector = avdetect.load()
        rows = []
        for title, path in files.items():
            with console.status(f"scoring and auditing: {title}"):
                rows.append(judge(title, path, detector))
    except (DemoMediaError, avdetect.MediaError, FileNotFoundError) as error:
        console.print(f"[bold red]error:[/] {error}")
        return 1
    console.print(table(rows))
    results = checks(*rows)
    for words, passed in results:
        console.print(f"[green]ok[/]      {words}" if passed else f"[bold red]FAILED[/]  {words}", highlight=False)
    summary = {"checks": [{"what": words, "passed": passed} for words, passed in results]}
    (OUT / "checks.json").write_text(json.dumps(summary, indent=1) + "\n")
    console.print(f"reports and plots: {OUT.relative_to(ROOT)}/ ({time.perf_counter() - start:.0f} s)", highlight=False)
    return 0 if all(passed for _, passed in results) else 1


if __name__ == "__main__":
    app()

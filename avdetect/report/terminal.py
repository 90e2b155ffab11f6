"""Reports and audits for people: coloured tables on a terminal, tab-separated lines in a pipe."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from rich.console import Group
from rich.measure import Measurement
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from avdetect.report.schema import FailedReport, Report, TrackReport
from avdetect.report.visible import visible

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderableType

    from avdetect.report.audit import Audit, OffsetEntry

STYLES = {"real": "bold green", "fake": "bold red", "inconclusive": "bold yellow", "error": "bold white on red"}
BAND_STYLES = {"within": "green", "sound early": "red", "sound late": "red", "cannot tell": "yellow"}
_TWO_LINES = {"95 % interval": "95 %\ninterval", "confidence": "confi-\ndence"}
SCORE_COLUMNS = ("verdict", "probability_fake", "visual", "audio", "sync", "offset_ms", "abstained", "file", "error")
AUDIT_COLUMNS = (
    "band",
    "offset_ms",
    "ci_low_ms",
    "ci_high_ms",
    "confidence",
    "drift_ppm",
    "stretches",
    "file",
    "error",
)


def main_track(report: Report) -> TrackReport | None:
    """The track that a one-line summary is about: one that speaks, before the longest."""
    return max(report.tracks, key=lambda t: (t.speaking is True, t.end_s - t.start_s, -t.id), default=None)


def score_table(reports: Sequence[Report | FailedReport]) -> RenderableType:
    """A table with a line per file, and the reasons under it."""
    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("file", overflow="fold", ratio=1)
    for name in ("verdict", "p(fake)", "face", "voice", "lips/sound"):
        table.add_column(name, justify="left" if name == "verdict" else "right", no_wrap=True)
    table.add_column("offset", no_wrap=True)
    notes: list[RenderableType] = []
    for report in reports:
        if isinstance(report, FailedReport):
            table.add_row(Text(visible(report.path)), Text("error", STYLES["error"]), *["-"] * 4, "")
            notes.append(_note(report.path, [report.error], "error"))
            continue
        track = main_track(report)
        table.add_row(
            Text(visible(report.file.path)),
            Text(report.verdict, STYLES[report.verdict]),
            share(report.probability_fake),
            share(track.visual.probability_fake if track else None),
            share(track.audio.probability_fake if track else None),
            share(track.sync.probability_mismatch if track else None),
            track.sync.offset_text if track and track.sync.offset_ms is not None else "-",
        )
        notes.append(_note(report.file.path, report.reasons, report.verdict))
    return Group(table, Text(), *notes)


def audit_table(audits: Sequence[Audit | FailedReport]) -> RenderableType:
    """For each file the stretches of every face, and what to make of them."""
    from avdetect.report.audit import Audit

    parts: list[RenderableType] = []
    for audit in audits:
        if not isinstance(audit, Audit):
            parts.append(_note(audit.path, [audit.error], "error"))
            continue
        style = BAND_STYLES[audit.band]
        head = Text.assemble(("● ", style), (visible(audit.file.path), "bold"), "  ", (audit.band, style))
        body: list[RenderableType] = [head]
        if audit.tracks:
            body.append(Padding(_Stretches(audit), (0, 0, 0, 2)))
        body += _sentences(audit.summary)
        parts += [*body, Text()]
    return Group(*parts)


class _Stretches:
    """The table of an audit's stretches; where there is little room the offset is a number, and cells are folded."""

    def __init__(self, audit: Audit):
        self._audit = audit

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Table]:
        wide = self._table(roomy=True)
        # Without room of its own a measurement is cut to the room there is.
        fits = Measurement.get(console, options.update_width(1000), wide).maximum <= options.max_width
        yield wide if fits else self._table(roomy=False)

    def _table(self, *, roomy: bool) -> Table:
        table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 2 if roomy else 1, 0, 0))
        for name in ("face", "speaks", "from", "to", "offset", "95 % interval", "band", "confidence", "drift"):
            right = name in ("from", "to", "confidence") or (name == "offset" and not roomy)
            header = name if roomy else _TWO_LINES.get(name, name)
            table.add_column(header, no_wrap=roomy, overflow="fold", justify="right" if right else "left")
        for track in self._audit.tracks:
            speaks = {True: "yes", False: "no", None: "?"}[track.speaking]
            drift = f"{track.drift_ppm:+.0f} ppm" if track.drift_ppm is not None else "-"
            for entry in track.segments:
                table.add_row(str(track.id), speaks, *_stretch(entry, in_words=roomy), drift)
        return table


def _stretch(entry: OffsetEntry, *, in_words: bool) -> tuple[str | Text, ...]:
    ci = entry.offset_ci_ms
    number = "-" if entry.offset_ms is None else f"{entry.offset_ms:+.0f} ms"
    return (
        f"{entry.start_s:.1f} s",
        f"{entry.end_s:.1f} s",
        entry.offset_text if in_words else number,
        f"{ci[0]:+.0f} ... {ci[1]:+.0f} ms" if ci is not None else "-",
        Text(entry.band, BAND_STYLES[entry.band]),
        f"{entry.confidence:.2f}" if entry.confidence is not None else "-",
    )


def _note(path: str, lines: Sequence[str], kind: str) -> RenderableType:
    style = STYLES[kind].replace(" on red", "").replace("white", "red")
    head = Text.assemble(("● ", style), (visible(path), "bold"))
    return Group(head, *_sentences(lines), Text())


def _sentences(lines: Sequence[str]) -> list[RenderableType]:
    return [Padding(Text(visible(line)), (0, 0, 0, 2)) for line in lines]


def share(probability: float | None) -> Text:
    """A probability with two digits, coloured; a dash where there is none."""
    if probability is None:
        return Text("-", "dim")
    style = "red" if probability >= 0.7 else "yellow" if probability > 0.3 else "green"
    return Text(f"{probability:.2f}", style)


def score_line(report: Report | FailedReport) -> str:
    """One tab-separated line, in the order of ``SCORE_COLUMNS``; empty where there is nothing to say."""
    if isinstance(report, FailedReport):
        return tabbed("error", *[None] * 6, report.path, report.error)
    track = main_track(report)
    values = (
        (track.visual.probability_fake, track.audio.probability_fake, track.sync.probability_mismatch)
        if track
        else (None,) * 3
    )
    return tabbed(
        report.verdict,
        report.probability_fake,
        *values,
        track.sync.offset_ms if track else None,
        ",".join(report.abstained),
        report.file.path,
        None,
    )


def audit_line(audit: Audit | FailedReport) -> str:
    """One tab-separated line, in the order of ``AUDIT_COLUMNS``."""
    if isinstance(audit, FailedReport):
        return tabbed("error", *[None] * 6, audit.path, audit.error)
    low, high = audit.offset_ci_ms or (None, None)
    stretches = len(audit.main.segments) if audit.main else 0
    return tabbed(
        audit.band,
        audit.offset_ms,
        low,
        high,
        audit.confidence,
        audit.drift_ppm,
        stretches,
        audit.file.path,
        None,
    )


def tabbed(*values: object) -> str:
    """Values between tabs; tabs and line breaks inside a value become spaces, ``None`` is empty.

    Other control characters are written out: the lines may end up on a terminal.
    """
    texts = ("" if v is None else str(v) for v in values)
    return "\t".join(visible(" ".join(text.split()) if any(c in text for c in "\t\r\n") else text) for text in texts)

from __future__ import annotations

import io

import numpy as np
import pytest
from rich.console import Console

from avdetect.calibration import Calibration
from avdetect.report.schema import FailedReport
from avdetect.report.terminal import (
    AUDIT_COLUMNS,
    SCORE_COLUMNS,
    audit_line,
    audit_table,
    score_line,
    score_table,
    tabbed,
)
from avdetect.verdict import judge
from tests.report.findings import analysis, audit, track

FAILED = FailedReport("broken [1].mp4", "broken [1].mp4: it is\nnot\ta media file")


def shown(renderable, *, terminal: bool = False, width: int = 150) -> str:
    stream = io.StringIO()
    Console(file=stream, width=width, force_terminal=terminal).print(renderable)
    return stream.getvalue()


def report(**options):
    return judge(analysis(track(**options), name="talk [take 2].mp4"), Calibration())


def test_the_table_has_a_line_and_reasons_for_each_file() -> None:
    text = shown(score_table([report(visual=5.0), report(offset=8.0), FAILED]))
    lines = text.splitlines()
    assert "talk [take 2].mp4" in text, "names are not markup"
    assert any("fake" in line and "0.99" in line for line in lines)
    assert any("real" in line and "ms late" in line for line in lines)
    assert any(line.startswith("broken [1].mp4") and "error" in line for line in lines)
    assert "The face looks generated" in text and "\x1b" not in text
    assert "\x1b[1;31mfake" in shown(score_table([report(visual=5.0)]), terminal=True)


def test_the_audit_shows_each_stretch() -> None:
    text = shown(audit_table([audit(t=1000, offset=np.where(np.arange(1000) < 500, 2.0, 8.0)), FAILED]))
    assert text.count("ms late") >= 3
    assert "within" in text and "sound late" in text and "broken [1].mp4" in text


@pytest.mark.parametrize(("width", "offset"), [(80, "+321 ms"), (120, "sound is 321 ms late"), (64, "+321")])
def test_the_audit_can_be_read_at_any_width(width: int, offset: str) -> None:
    found = audit(t=1000, offset=np.where(np.arange(1000) < 500, 2.0, 8.0))
    text = shown(audit_table([found]), width=width)
    assert "…" not in text and offset in text and max(map(len, text.splitlines())) <= width
    if width >= 80:
        assert "+316 ... +326 ms" in text and "sound late" in text


def test_names_with_control_characters_are_written_out() -> None:
    evil = FailedReport("x\x1b[2K[red]\ny.mp4", "x\x1b[2K[red]\ny.mp4: no\x9b")
    for table in (score_table([evil]), audit_table([evil])):
        text = shown(table)
        assert "x\\x1b[2K[red]\\ny.mp4" in text and "\x1b" not in text and "\x9b" not in text
    assert "x\\x1b[2K[red]" in shown(score_table([evil])).splitlines()[1], "a name is no markup in the table either"


@pytest.mark.parametrize("result", [report(), report(visual=5.0), FAILED])
def test_score_lines_have_all_columns(result) -> None:
    fields = score_line(result).split("\t")
    assert len(fields) == len(SCORE_COLUMNS)
    assert fields[7].endswith(".mp4")


def test_lines_are_for_programs() -> None:
    fields = dict(zip(SCORE_COLUMNS, score_line(report(offset=8.0)).split("\t"), strict=True))
    assert fields["verdict"] == "real" and 300 < float(fields["offset_ms"]) < 340 and fields["abstained"] == ""
    failed = dict(zip(SCORE_COLUMNS, score_line(FAILED).split("\t"), strict=True))
    assert failed["verdict"] == "error" and failed["error"] == "broken [1].mp4: it is not a media file"
    fields = dict(zip(AUDIT_COLUMNS, audit_line(audit(offset=8.0)).split("\t"), strict=True))
    assert fields["band"] == "sound late" and fields["stretches"] == "1"
    assert len(audit_line(FAILED).split("\t")) == len(AUDIT_COLUMNS)


def test_tabs_and_breaks_cannot_forge_columns() -> None:
    assert tabbed("a\tb", None, 1.5, "c\r\nd") == "a b\t\t1.5\tc d"

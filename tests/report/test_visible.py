from __future__ import annotations

import pytest

from avdetect.report.schema import FailedReport
from avdetect.report.terminal import audit_line, score_line
from avdetect.report.visible import visible


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("clip.mp4", "clip.mp4"),
        ("Gespräch 名.mp4", "Gespräch 名.mp4"),
        ("\x1b[2K\x07", "\\x1b[2K\\x07"),
        ("a\nb\tc\r\x7f\x9b", "a\\nb\\tc\\r\\x7f\\x9b"),
        ("\u202egpj.mp4\u2028", "\\u202egpj.mp4\\u2028"),
    ],
)
def test_only_what_steers_a_terminal_is_written_out(text: str, shown: str) -> None:
    assert visible(text) == shown


@pytest.mark.parametrize("line", [score_line, audit_line])
def test_lines_have_no_control_characters(line) -> None:
    said = line(FailedReport("a\x1b[2K\x9b.mp4", "a\x1b[2K\x9b.mp4: no\nsuch file"))
    assert said.count("\\x1b[2K\\x9b.mp4") == 2 and said.replace("\t", "").isprintable()

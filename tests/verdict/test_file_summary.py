"""The head of a report says what is known of the file, and nothing that is not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from avdetect.verdict.judge import file_summary
from tests.report.findings import analysis, track


def test_a_still_picture_has_neither_a_frame_rate_nor_a_length() -> None:
    info = replace(analysis(track(1), still=True).info, duration_s=0.04)
    head = file_summary(info, "")
    assert head.duration_s is None and head.video is not None and head.video.fps is None


@pytest.mark.parametrize(("stated", "told"), [(0.0, None), (float("nan"), None), (2.03999, 2.04)])
def test_a_length_that_is_not_known_is_null(stated: float, told: float | None) -> None:
    head = file_summary(replace(analysis(track()).info, duration_s=stated), "")
    assert head.duration_s == told and head.video is not None and head.video.fps == 25.0

"""How much of a file could not be read, and that it is said and keeps a file from being called real."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from avdetect.media.reader import open_media
from avdetect.testing import write_synthetic_video
from avdetect.types import MediaBlock
from avdetect.verdict import Analysis
from avdetect.verdict.unread import as_sentence, content_end_s, missing_s
from tests.report.findings import analysis, track


def read_to(read_s: float | None, *, duration_s: float = 10.0, container: str = "mov,mp4,m4a") -> Analysis:
    found = analysis(track())
    info = dataclasses.replace(found.info, duration_s=duration_s, container=container)
    return dataclasses.replace(found, info=info, read_s=read_s)


@pytest.mark.parametrize(
    ("read_s", "duration_s", "missing"),
    [(4.0, 10.0, 6.0), (9.2, 10.0, 0.0), (0.7, 1.1, 0.0), (10.4, 10.0, 0.0), (None, 10.0, 0.0), (3.0, np.nan, 0.0)],
)
def test_more_than_half_a_second_and_a_tenth_is_missed(read_s: float | None, duration_s: float, missing: float) -> None:
    assert missing_s(read_to(read_s, duration_s=duration_s)) == pytest.approx(missing)


def test_a_length_that_is_guessed_from_the_bit_rate_is_not_believed() -> None:
    assert missing_s(read_to(4.0, container="mp3")) == 0.0
    assert missing_s(read_to(4.0, container="matroska,webm")) == pytest.approx(6.0)


def test_a_block_ends_with_its_last_picture_or_sound() -> None:
    blank = np.zeros(8, bool)
    some = np.arange(8) < 3
    block = MediaBlock(16, None, np.full(8, np.nan), np.full(8, -1, np.int32), blank, None, some)
    assert content_end_s(block) == pytest.approx(19 / 25)
    assert content_end_s(dataclasses.replace(block, audio_valid=blank)) == 0.0


def test_a_file_that_was_cut_off(tmp_path: Path) -> None:
    whole = write_synthetic_video(tmp_path / "whole.mkv", seconds=3, seed=2, width=160, height=120)
    part = tmp_path / "part.mkv"
    part.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    missing = []
    for path in (whole, part):
        with open_media(path) as reader:
            read_s = max(content_end_s(block) for block in reader.blocks())
            missing.append(missing_s(Analysis(reader.info, "", [], read_s=read_s)))
    assert missing[0] == 0.0 and 0.5 < missing[1] < 3.0


def test_notes_become_sentences_once() -> None:
    said = as_sentence("a sound packet could not be decoded (2 times)")
    assert said == "A sound packet could not be decoded (2 times)." == as_sentence(said)

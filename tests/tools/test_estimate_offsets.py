"""How late groups of clips are taken to be, and what the command refuses."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from avdetect.bundle import write_part
from avdetect.data.store import RecordWriter
from tests.small_nets import SMALL, small_net
from tools.estimate_offsets import app, lateness_of_groups


def test_few_clips_take_the_median_of_their_source_or_else_of_all() -> None:
    found = {"A/p/16000": [40.0] * 4, "A/q/16000": [0.0], "B/r/16000": [-100.0, -100.0], "A/s/16000": [50.0, 60.0]}
    sources = {name: name[0] for name in found}
    groups, everything = lateness_of_groups(found, sources, least=4)
    assert groups == {"A/p/16000": 40.0, "A/q/16000": 40.0, "A/s/16000": 40.0, "B/r/16000": 40.0} and everything == 40.0
    groups, _ = lateness_of_groups({**found, "B/r/16000": [-100.0] * 2, "B/t/16000": [-80.0] * 2},
                                   {**sources, "B/t/16000": "B"}, least=4)  # fmt: skip
    assert groups["B/r/16000"] == groups["B/t/16000"] == -90.0 and groups["A/q/16000"] == 40.0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("{0}/none --records {0}/records", "no trained part in"),
        ("{0}/part --records {0}/none", "no records in"),
        ("{0}/part --records {0}/records --where splt=val", "no column 'splt'"),
        ("{0}/part --records {0}/records --where split=train", "satisfies --where 'split=train'"),
        ("{0}/part --records {0}/records --merge {0}/none.json", "none.json: No such file"),
        ("{0}/part --records {0}/records --merge {0}/list.json", "list.json is no file of offsets"),
    ],
)
def test_what_is_not_there_is_said_plainly(tmp_path: Path, words: str, said: str) -> None:
    write_part(tmp_path / "part", "sync_landmarks", small_net("sync_landmarks").sync_landmarks, SMALL)
    (tmp_path / "list.json").write_text("[]")
    with RecordWriter(tmp_path / "records") as writer:
        writer.add(b"no record", {"key": "a", "path": "a.mp4", "source": "s", "split": "val"})
    done = CliRunner().invoke(app, [*words.format(tmp_path).split(" "), "--out", str(tmp_path / "o.json")])
    assert done.exit_code == 2 and done.output.startswith("error: ") and said in done.output, done.output
    assert not (tmp_path / "o.json").exists()

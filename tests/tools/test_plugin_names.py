"""The programs take names of plugins and places of code wherever they take names, and say whose it is that fails."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from avdetect.data.manifest import Entry
from avdetect.forge.labelled_set import Order, SetMaker
from avdetect.registry import PluginError
from avdetect.testing import write_synthetic_video
from tests.fake_distributions import FORGERY, Site, site
from tests.tools.test_evaluate import scores
from tools import evaluate, forge, prepare

__all__ = ["site"]
RUN = CliRunner()
READER = """
from avdetect.data.sample import Sample

class Reader:
    api_version = 1

    def __init__(self, root, /):
        self.root = root

    def samples(self):
        for name in ("a.mp4", "b.mp4"):
            yield Sample(self.root / name, name, "Mine", visual_fake=False, audio_fake=False)


class Torn(Reader):
    def samples(self):
        raise LookupError("no labels")


class Odd(Reader):
    def samples(self):
        return [1]


class Elsewhere(Reader):
    def __init__(self, root, /):
        raise FileNotFoundError(f"{root} has no labels.csv")
"""
METRIC = """
from avdetect.api import Metric

HALF = Metric(lambda table, context: len(table) / 2, "half of the clips", api_version=1)
PAIR = Metric(lambda table, context: {"a": 1.0, "b": 2.0}, "two", per_head=False, api_version=1)

def fail(table, context):
    raise LookupError("no rows")

TORN = Metric(fail, "none", api_version=1)
WORDS = Metric(lambda table, context: "much", "none", api_version=1)
"""


def failed(app: object, *arguments: object) -> str:
    done = RUN.invoke(app, [str(a) for a in arguments])  # type: ignore[arg-type]
    assert done.exit_code == 2, (done.output, done.exception)
    assert done.stderr.startswith("error: ") and len(done.stderr.splitlines()) == 1
    return done.stderr


@pytest.fixture
def readers(site: Site) -> Site:
    points = {name.lower(): f"avdetect_mine:{name}" for name in ("Reader", "Torn", "Odd", "Elsewhere", "Absent")}
    site.install("avdetect-mine", {"avdetect.sources": points}, files={"avdetect_mine.py": READER})
    return site


def test_a_reader_from_outside_is_used(readers: Site, tmp_path: Path) -> None:
    for source in ("reader", "avdetect_mine:Reader", f"{readers.folder}/avdetect_mine.py:Reader"):
        entries = prepare._entries(tmp_path, source)
        assert [(e.name, e.columns["label"]) for e in entries] == [("a.mp4", "RVRA"), ("b.mp4", "RVRA")]


@pytest.mark.parametrize(
    ("source", "said", "owner"),
    [
        ("torn", "failed: LookupError: no labels", True),
        ("odd", "AttributeError: 'int' object has no attribute 'entry'", True),
        ("absent", "has no 'Absent'", True),
        ("elsewhere", "has no labels.csv", False),
        ("raeder", "no source is called 'raeder'; there are: manifest", False),
    ],
)
def test_a_reader_that_fails_is_named(readers: Site, tmp_path: Path, source: str, said: str, owner: bool) -> None:
    error = failed(prepare.app, tmp_path, "--source", source, "--out", tmp_path / "out")
    assert said in error and ("avdetect-mine 1.0" in error) == owner


def test_prepare_without_plugins(readers: Site, tmp_path: Path) -> None:
    arguments = (tmp_path, "--source", "reader", "--out", tmp_path / "out", "--no-plugins")
    assert "plugins are off" in failed(prepare.app, *arguments)


def test_metrics_from_outside_are_reported(site: Site, tmp_path: Path) -> None:
    points = {"half": "avdetect_half:HALF", "pair": "avdetect_half:PAIR", "torn": "avdetect_half:TORN"}
    site.install("avdetect-half", {"avdetect.metrics": points}, files={"avdetect_half.py": METRIC})
    table, out = scores(tmp_path / "test.jsonl", people=range(6)), tmp_path / "out"
    arguments = ["report", str(table), "--out", str(out), "--rounds", "5", "--metric", "half", "--metric", "pair"]
    done = RUN.invoke(evaluate.app, arguments)
    assert done.exit_code == 0, done.output
    found = json.loads((out / "report.json").read_text())
    assert found["heads"]["verdict"]["metrics"]["half"]["value"] == 12.0
    assert found["clips"]["pair b"]["value"] == 2.0
    (tmp_path / "mine.py").write_text(METRIC)
    for name, said in (
        ("torn", "(avdetect_half:TORN of avdetect-half 1.0): it failed: LookupError: no rows"),
        (f"{tmp_path}/mine.py:WORDS", "it failed: ValueError: could not convert string to float: 'much'"),
        (f"{tmp_path}/mine.py:NONE", "has no 'NONE'"),
        ("avdetect.forge.timing:SHIFT", "Family is no metric"),
    ):
        assert said in failed(evaluate.app, "report", table, "--out", out, "--rounds", 5, "--metric", name)
    off = failed(evaluate.app, "compare", table, table, "--out", out, "--metric", "half", "--no-plugins")
    assert "plugins are off" in off


def test_a_broken_metric_that_nobody_named_stops_no_report(site: Site, tmp_path: Path) -> None:
    site.install("avdetect-gone", {"avdetect.metrics": {"gone": "avdetect_gone:GONE"}})
    table = scores(tmp_path / "test.jsonl", people=range(3))
    done = RUN.invoke(evaluate.app, ["report", str(table), "--out", str(tmp_path / "out"), "--rounds", "2"])
    assert done.exit_code == 0, done.output
    assert "gone" not in (tmp_path / "out" / "report.json").read_text()


def test_forgeries_from_outside_have_names(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    points = {"hum": "avdetect_hum:FAMILY", "gone": "avdetect_gone:FAMILY"}
    site.install("avdetect-hum", {"avdetect.forgeries": points}, files={"avdetect_hum.py": FORGERY})
    monkeypatch.chdir(site.folder)
    assert forge.families_of("hum, shift,avdetect_hum.py:FAMILY") == ("hum", "shift", "avdetect_hum.py:FAMILY")
    assert not {"hum", "gone"} & set(forge.families_of("all")), "only named ones are run"
    with pytest.raises(PluginError, match=r"avdetect-hum 1\.0.*No module named 'avdetect_gone'"):
        forge.families_of("shift,gone")
    said = RUN.invoke(forge.app, ["families"]).stdout.splitlines()
    assert "hum            installed: avdetect_hum:FAMILY of avdetect-hum 1.0" in said
    assert "shift          the sound 80 to 600 ms late or early" in said
    (tmp_path / "a.mp4").touch()
    arguments = (tmp_path / "a.mp4", "--out", tmp_path / "out", "--family")
    assert "No module named 'avdetect_gone'" in failed(forge.app, *arguments, "gone")
    assert "did you mean 'hum'?" in failed(forge.app, *arguments, "humm")
    assert "plugins are off" in failed(forge.app, *arguments, "hum", "--no-plugins")


def test_films_of_a_place_have_names_that_files_can_have(tmp_path: Path) -> None:
    maker = SetMaker([], Order(("shift",)), tmp_path)
    entry = Entry(tmp_path / "a.mp4", "a.mp4")
    names = [maker._name(entry, family, 0) for family in ("shift", "b/c.py:F", "b_c.py:F", "b/c.py_F")]
    assert len(set(names)) == 4 and all("/" not in name and ":" not in name for name in names)
    assert names[0].startswith("a-shift-") and names[1].startswith("a-b_c.py_F-")


def test_a_forgery_from_outside_makes_films(tmp_path: Path) -> None:
    """One that works is in the manifest; one that fails is named, and stops nothing."""
    write_synthetic_video(tmp_path / "a.mp4", seconds=2, seed=0, width=320, height=240)
    quiet = (
        "    import dataclasses, avdetect.api as api\n    label = dataclasses.replace(clip.label, audio_fake=True)\n"
    )
    quiet += "    return dataclasses.replace(clip, audio=clip.audio * 0.5, label=label)\n"
    (tmp_path / "quiet.py").write_text(FORGERY.replace("    return clip\n", quiet))
    (tmp_path / "torn.py").write_text(FORGERY.replace("    return clip\n", "    raise LookupError('no words')\n"))
    family = f"{tmp_path}/quiet.py:FAMILY,{tmp_path}/torn.py:FAMILY"
    done = RUN.invoke(forge.app, [str(tmp_path / "a.mp4"), "--out", str(tmp_path / "out"), "--family", family])
    assert done.exit_code == 0, done.output
    said = "".join(done.output.split())
    assert "1made,1failed" in said and f"forgery'{tmp_path}/torn.py:FAMILY'" in said and "LookupError:nowords" in said
    header, row = (tmp_path / "out" / "manifest.csv").read_text().splitlines()
    assert dict(zip(header.split(","), row.split(","), strict=False))["generator"] == f"{tmp_path}/quiet.py:FAMILY"

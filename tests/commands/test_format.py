"""``--format``: a format from outside is used as those that are built in are, and named where it fails."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from avdetect.cli import app
from avdetect.commands.inputs import Input
from avdetect.commands.output import Output
from avdetect.commands.score import FORMS
from avdetect.report import REPORTERS
from avdetect.report.reporters import Json
from avdetect.report.schema import FailedReport
from tests.fake_distributions import Site, site
from tests.report import fake_engine

__all__ = ["site"]
RUN = CliRunner()
REPORTER = """
class Words:
    api_version = 1

    def __init__(self, forms, /, *, single):
        self.forms, self.single = forms, single

    def head(self):
        return f"single: {self.single}\\n"

    def each(self, result):
        found = self.forms.as_dict(result)
        return f"{found.get('verdict', found.get('band', 'failed'))}\\n"

    def tail(self, results):
        return f"{len(results)} in all\\n"


class Torn(Words):
    def each(self, result):
        raise LookupError("no words")


class Mute(Words):
    def each(self, result):
        return None
"""


@pytest.fixture
def files(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    fake_engine.install(monkeypatch)
    for name in ("real", "fake", "broken"):
        (tmp_path / f"{name}.mp4").write_text(name)
    points = {name.lower(): f"avdetect_words:{name}" for name in ("Words", "Torn", "Mute", "Absent")}
    site.install("avdetect-words", {"avdetect.reporters": points}, files={"avdetect_words.py": REPORTER})
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments: str, code: int = 0) -> str:
    done = RUN.invoke(app, list(arguments))
    assert done.exit_code == code, (done.output, done.exception)
    return done.stdout if code != 2 else done.stderr


def test_a_format_from_outside_gets_every_result(files: Path) -> None:
    said = run("score", "real.mp4", "broken.mp4", "fake.mp4", "--format", "words", code=1)
    assert said == "single: False\nreal\nfailed\nfake\n3 in all\n"
    assert run("score", "real.mp4", "--format", "words") == "single: True\nreal\n1 in all\n"
    assert run("audit", "real.mp4", "--format", "words") == "single: True\nwithin\n1 in all\n"


def test_it_is_found_by_its_place(files: Path) -> None:
    (files / "mine.py").write_text(REPORTER)
    assert run("score", "real.mp4", "--format", "mine.py:Words").endswith("1 in all\n")


def test_it_can_be_written_to_a_file(files: Path) -> None:
    shown = run("score", "real.mp4", "fake.mp4", "--format", "words", "--out", "all.txt")
    assert (files / "all.txt").read_text() == "single: False\nreal\nfake\n2 in all\n"
    assert shown.startswith("verdict\t"), "stdout is as without options"
    (files / "folder").mkdir()
    assert "is a folder" in run("score", "real.mp4", "--format", "words", "--out", "folder", code=2)


@pytest.mark.parametrize(("name", "option"), [("json", "--json"), ("jsonl", "--jsonl"), ("tsv", "")])
def test_those_built_in_have_names_too(files: Path, name: str, option: str) -> None:
    paths = ["real.mp4", "broken.mp4"]
    usual = run("score", *paths, *([option] if option else []), code=1)
    assert run("score", *paths, "--format", name, code=1) == usual
    assert "exclude each other" in run("score", *paths, "--format", name, option or "--json", code=2)


def test_a_table_can_be_asked_for_in_a_pipe(files: Path) -> None:
    said = run("score", "real.mp4", "--format", "table")
    assert "p(fake)" in said and "\t" not in said


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("torn", "writing failed: LookupError: no words"),
        ("mute", "writing failed: TypeError: it gave NoneType instead of text"),
        ("absent", "has no 'Absent'"),
        ("wrods", "no reporter is called 'wrods'; there are: table, tsv, json, jsonl"),
    ],
)
def test_one_that_fails_is_named(files: Path, name: str, said: str) -> None:
    error = run("score", "real.mp4", "--format", name, code=2)
    assert said in error and len(error.splitlines()) == 1
    assert name == "wrods" or "avdetect-words 1.0" in error


def test_off_means_off(files: Path) -> None:
    error = run("score", "real.mp4", "--format", "words", "--no-plugins", code=2)
    assert "plugins are off" in error and "avdetect-words 1.0" in error and "avdetect_words" not in sys.modules


def test_a_shadowed_format_is_told_in_a_line(files: Path, site: Site) -> None:
    site.install("avdetect-json", {"avdetect.reporters": {"json": "avdetect_words:Words"}})
    done = RUN.invoke(app, ["score", "real.mp4", "--json"])
    assert done.exit_code == 0 and json.loads(done.stdout)["verdict"] == "real"
    assert "avdetect: avdetect-json 1.0: its reporter 'json' is not used" in done.stderr
    assert REPORTERS.builtins()[2] == "json" and REPORTERS.entries()[2].target.endswith(Json.__name__)


def test_a_file_gets_lines_of_names_that_are_not_utf8(tmp_path: Path) -> None:
    odd = FailedReport(b"caf\xe9.mp4".decode("utf-8", "surrogateescape"), "it cannot be read")
    output = Output(FORMS, "tsv", True, target=tmp_path / "lines.tsv", kind="tsv")
    output.open()
    output.add(Input(odd.path, Path("x.mp4")), odd)
    output.close()
    assert "caf\\xe9.mp4" in (tmp_path / "lines.tsv").read_text(encoding="utf-8")

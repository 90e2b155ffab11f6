"""``avdetect plugins``: complete, quick, fit for people and programs, and honest about what is broken."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import time

import pytest
from rich.console import Console
from typer.testing import CliRunner

from avdetect.cli import app
from avdetect.commands import plugins
from avdetect.plugins import registries
from tests.fake_distributions import FORGERY, Site, site

__all__ = ["site"]
RUN = CliRunner()


def run(*arguments: str, code: int = 0) -> str:
    done = RUN.invoke(app, ["plugins", *arguments])
    assert done.exit_code == code, (done.output, done.exception)
    return done.stdout


def table(text: str) -> list[dict[str, str]]:
    head, *lines = [line.split("\t") for line in text.splitlines()]
    return [dict(zip(head, line, strict=True)) for line in lines]


@pytest.fixture
def hum(site: Site) -> Site:
    site.install(
        "avdetect-hum",
        {"avdetect.forgeries": {"hum": "avdetect_hum:FAMILY", "gone": "avdetect_gone:FAMILY"}},
        version="2.0",
        files={"avdetect_hum.py": FORGERY},
    )
    return site


def test_a_pipe_gets_a_line_for_each(hum: Site) -> None:
    rows = table(run())
    assert set(rows[0]) == {"kind", "name", "distribution", "version", "state", "target"}
    assert len(rows) == sum(len(registry.entries()) for registry in registries().values())
    (row,) = [row for row in rows if row["name"] == "hum"]
    assert row == {
        "kind": "forgery", "name": "hum", "distribution": "avdetect-hum", "version": "2.0", "state": "installed",
        "target": "avdetect_hum:FAMILY",
    }  # fmt: skip
    assert {row["kind"] for row in rows} >= {"source", "forgery", "metric", "augmentation", "reporter", "engine"}
    assert "avdetect_hum" not in sys.modules


def test_json_says_the_same(hum: Site) -> None:
    found = json.loads(run("--json"))
    assert found["schema"] == "avdetect.plugins/1" and found["api_version"] == 1 and found["unreadable"] == []
    assert found["plugins"] == table(run())


@pytest.mark.parametrize("name", ["visual_encoder", "visual_encoders", "visual encoder", "forgery", "forgeries"])
def test_kinds_can_be_chosen(hum: Site, name: str) -> None:
    kinds = {row["kind"] for row in table(run("--kind", name, "--kind", "metric"))}
    assert kinds <= {"visual_encoder", "forgery", "metric"} and "metric" in kinds
    assert ("forgery" in kinds) == name.startswith("forger")


def test_an_unknown_kind_lists_those_that_exist() -> None:
    done = RUN.invoke(app, ["plugins", "--kind", "hat"])
    assert done.exit_code == 2 and "no kind of plugin is called 'hat'; there are: detector, source" in done.stderr


def test_a_check_reports_what_breaks_and_fails(hum: Site) -> None:
    hum.install("other-hum", {"avdetect.forgeries": {"shift": "avdetect_hum:FAMILY"}})
    rows = {(r["name"], r["distribution"]): r for r in table(run("--check", "--kind", "forgery", code=1))}
    assert rows["hum", "avdetect-hum"]["state"] == "installed" and rows["hum", "avdetect-hum"]["error"] == ""
    assert rows["gone", "avdetect-hum"]["state"] == "broken"
    assert "No module named 'avdetect_gone'" in rows["gone", "avdetect-hum"]["error"]
    assert rows["shift", "other-hum"]["state"] == "duplicate" and "not used" in rows["shift", "other-hum"]["error"]
    assert rows["shift", "avdetect"]["state"] == "built-in" and not rows["shift", "avdetect"]["error"]
    assert json.loads(run("--check", "--json", "--kind", "metric"))["plugins"][0]["error"] == ""


def test_two_of_a_name_are_both_shown(hum: Site) -> None:
    hum.install("other-hum", {"avdetect.forgeries": {"hum": "avdetect_hum:FAMILY"}})
    rows = [r for r in table(run("--check", "--kind", "forgery", code=1)) if r["name"] == "hum"]
    assert [r["state"] for r in rows] == ["duplicate", "duplicate"]
    assert all("avdetect-hum 2.0" in r["error"] and "other-hum 1.0" in r["error"] for r in rows)


def test_a_list_that_cannot_be_read_is_told_on_stderr(hum: Site) -> None:
    hum.install("avdetect-torn", "[avdetect.forgeries]\nhum\n")
    done = RUN.invoke(app, ["plugins", "--kind", "engine"])
    assert done.exit_code == 0 and "avdetect_torn-1.0.dist-info offers plugins that cannot be read" in done.stderr
    assert "torn" not in done.stdout
    assert RUN.invoke(app, ["plugins", "--kind", "engine", "--check"]).exit_code == 1


@pytest.mark.parametrize("arguments", [["plugins", "--no-plugins"], ["--no-plugins", "plugins"]])
def test_no_plugins_switches_them_off(hum: Site, arguments: list[str]) -> None:
    done = RUN.invoke(app, [*arguments, "--kind", "forgery", "--check"])
    assert done.exit_code == 0, done.output
    states = {row["name"]: row["state"] for row in table(done.stdout)}
    assert states["hum"] == states["gone"] == "off" and states["shift"] == "built-in"


@pytest.mark.parametrize("width", [60, 80, 140])
def test_a_terminal_of_any_width_holds_the_table(hum: Site, width: int) -> None:
    out = io.StringIO()
    Console(file=out, width=width).print(plugins._table(plugins.listed(["forgery", "augmentation"], check=True)))
    lines = out.getvalue().splitlines()
    assert max(map(len, lines)) <= width
    text = "".join(out.getvalue().split())
    assert "Nomodulenamed'avdetect_gone'" in text
    if width > 60:  # below, names are broken into pieces that stand under each other
        assert "avdetect_hum:FAMILY" in text and "avdetect-hum2.0" in text


def test_it_answers_at_once() -> None:
    """The best of three, for a machine that is busy; JAX alone takes longer to import."""
    took = []
    for _ in range(3):
        start = time.perf_counter()
        subprocess.run([sys.executable, "-m", "avdetect", "plugins"], capture_output=True, check=True)
        took.append(time.perf_counter() - start)
    assert min(took) < 1.5, took


def test_everything_built_in_passes_its_own_check(site: Site) -> None:
    rows = [r for r in table(run("--check", "--no-plugins")) if r["state"] != "off"]
    assert len(rows) > 60 and all(r["state"] == "built-in" and not r["error"] for r in rows)

"""What is wrong with a configuration is said at once, in one line."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from avdetect.config import Config, override
from tools.puppets import app as puppets
from train.checks import check_numbers
from train.run import app


@pytest.mark.parametrize(
    "name", ["train.steps", "train.batch", "train.log_every", "train.eval_every", "train.save_every", "data.ticks"]
)
def test_what_counts_or_divides_is_at_least_one(name: str) -> None:
    check_numbers(override(Config(), f"{name}=1"))
    with pytest.raises(ValueError, match=rf"{name}=0 must be at least 1"):
        check_numbers(override(Config(), f"{name}=0"))


def refused(workdir: Path, config: Path, *more: str) -> str:
    run = CliRunner().invoke(app, ["--config", str(config), "--workdir", str(workdir), *more])
    assert run.exit_code == 2 and not workdir.exists()
    assert run.output.startswith("error: ") and run.output.count("\n") == 1, run.output
    return run.output


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("def get_config(:\n", ": SyntaxError: "),
        ("import nothing_like_it\n", ", line 1: ModuleNotFoundError: No module named 'nothing_like_it'"),
        ("def get_config():\n    return {}['x']\n", ", line 2: KeyError: 'x'"),
        ("x = 1\n", " must define get_config()"),
    ],
)
def test_what_a_configuration_raises_is_said_with_its_line(tmp_path: Path, code: str, told: str) -> None:
    config = tmp_path / "mine.py"
    config.write_text(code)
    assert f"{config}{told}" in refused(tmp_path / "run", config)


def test_numbers_are_checked_before_records_are_read(tmp_path: Path) -> None:
    config = tmp_path / "mine.py"
    config.write_text("from avdetect.config import Config as get_config\n")
    told = refused(tmp_path / "run", config, "--set", "data.records=nowhere", "--set", "data.ticks=0")
    assert "data.ticks=0 must be at least 1" in told


def test_puppets_are_of_somebody(tmp_path: Path) -> None:
    for option in ("--people", "--count"):
        run = CliRunner().invoke(puppets, ["face.png", "--out", str(tmp_path / "out"), option, "0"])
        assert run.exit_code == 2 and option in run.output and not (tmp_path / "out").exists()

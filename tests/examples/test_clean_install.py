"""Beside the wheel, where nothing else is: installed, an example is used; uninstalled, it has left no trace."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clean_environment import OFFLINE, PIP, ROOT, attempt, packages_of, run

pytestmark = pytest.mark.timeout(600)
NAME, DISTRIBUTION = "lip_loudness", "avdetect-lip-loudness"


def files_below(*folders: Path) -> set[Path]:
    return {path for folder in folders for path in folder.rglob("*")}


@pytest.fixture
def removed_afterwards(clean_python: Path, tmp_path: Path) -> Iterator[None]:
    """Whatever happens: other tests have the environment, too."""
    yield
    attempt([*PIP, "--python", str(clean_python), "uninstall", "-y", DISTRIBUTION], cwd=tmp_path)


@pytest.mark.slow
@pytest.mark.usefixtures("removed_afterwards")
def test_an_example_comes_and_goes(clean_python: Path, film: Path, tmp_path: Path) -> None:
    avdetect, pip = str(clean_python.parent / "avdetect"), [*PIP, "--python", str(clean_python)]
    site, example = packages_of(clean_python), ROOT / "examples" / "plugin_detector"

    def named() -> list[dict[str, str]]:
        listed = json.loads(run([avdetect, "plugins", "--kind", "detector", "--json"], cwd=tmp_path))["plugins"]
        return [row for row in listed if row["name"] == NAME]

    assert named() == []
    before, code = files_below(site, clean_python.parent), files_below(example)

    run([*pip, "install", *OFFLINE, str(example)], cwd=tmp_path)
    assert files_below(example) == code, "building leaves nothing in the folder"
    (row,) = named()
    assert (row["distribution"], row["version"], row["state"]) == (DISTRIBUTION, "1.0", "installed")
    report = json.loads(run([avdetect, "score", "--detector", NAME, "--json", str(film)], cwd=tmp_path))
    (entry,) = report["detectors"]
    assert (entry["name"], entry["distribution"]) == (NAME, f"{DISTRIBUTION} 1.0")
    assert 0 < entry["probability_fake"] < 1 and report["model"]["name"] == NAME
    assert files_below(site) > before & files_below(site)

    run([*pip, "uninstall", "-y", DISTRIBUTION], cwd=tmp_path)
    assert files_below(site, clean_python.parent) == before, "it has left no trace"
    assert named() == []
    refused = attempt([avdetect, "score", "--detector", NAME, str(film)], cwd=tmp_path)
    assert refused.returncode == 2 and refused.stdout == ""
    assert f"no detector is called '{NAME}'; there are: avnet" in " ".join(refused.stderr.split())

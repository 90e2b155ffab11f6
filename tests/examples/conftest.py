"""The five examples, installed by pip into a folder of their own that is on the path while these tests run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from avdetect.testing import write_synthetic_video
from tests.clean_environment import OFFLINE, PIP, ROOT, run
from tests.fake_distributions import Site

FOLDERS = sorted(path.parent for path in (ROOT / "examples").glob("*/pyproject.toml"))


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where they are installed."""
    folder = tmp_path_factory.mktemp("examples") / "site"
    target = ["install", "--no-deps", *OFFLINE, "--target", str(folder)]
    run([*PIP, *target, *map(str, FOLDERS)], cwd=folder.parent)
    return folder


@pytest.fixture(scope="module", autouse=True)
def installed(built: Path) -> Iterator[Path]:
    """They can be found and imported, until the tests of a file are over."""
    site = Site(built)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AVDETECT_PLUGINS", "on")
        patch.delenv("AVDETECT_ALLOW_PLUGINS", raising=False)
        patch.syspath_prepend(built)
        site.forget()
        yield built
    site.forget()


@pytest.fixture(scope="session")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two seconds of a drawn speaker."""
    path = tmp_path_factory.mktemp("media") / "film.mp4"
    return write_synthetic_video(path, seconds=2, seed=4, width=320, height=240)

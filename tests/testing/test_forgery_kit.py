"""The kit for forgeries finds what is broken, and nothing else; those built in keep their contract."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from avdetect.forge import FORGERIES
from avdetect.forge.engines import ENGINES
from avdetect.forge.vocoder import VARIABLE
from avdetect.testing import check_forgery, forgery_checks
from avdetect.testing.conformance import ConformanceError
from avdetect.testing.forgery_kit import KIT
from tests.small_codec import install_codec
from tests.small_upscaler import install_upscaler
from tests.small_vocoder import save_vocoder
from tests.testing.broken_forgeries import BROKEN, SOUND
from tests.testing.proving import case_names, cases, failed_checks, names_of


@pytest.mark.parametrize("plugin", SOUND, ids=[p.about for p in SOUND])
def test_nothing_is_found_where_nothing_is_wrong(plugin: Any) -> None:
    assert check_forgery(plugin) == {}


@pytest.mark.parametrize(("check", "plugin"), cases(BROKEN), ids=case_names(BROKEN))
def test_what_is_broken_fails_that_check(check: str, plugin: Any) -> None:
    with pytest.raises(ConformanceError) as raised:
        check_forgery(plugin)
    assert raised.value.check == check and raised.value.kind == "forgery" and raised.value.seen


@pytest.mark.parametrize(
    "plugin",
    [BROKEN[name][i] for name, i in (("deterministic", 0), ("input_kept", 0), ("label", 1), ("segments", 1))]
    + [BROKEN[name][0] for name in ("outside", "unsuitable", "unsuitable_others", "as_many_others")],
    ids=lambda plugin: plugin.about,
)
def test_and_no_other(plugin: Any) -> None:
    (check,) = failed_checks(KIT, plugin)
    assert plugin in BROKEN[check]


def test_every_check_is_proved() -> None:
    assert list(BROKEN) == names_of(KIT) == [name for name, _ in forgery_checks()]


@pytest.mark.parametrize("name", FORGERIES.builtins())
def test_built_in(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if name == "vocoder":
        monkeypatch.setenv(VARIABLE, str(save_vocoder(tmp_path / "small.onnx")))
    if name == "neural_codec":
        install_codec(tmp_path, monkeypatch)
    if name == "upscaling":
        install_upscaler(tmp_path, monkeypatch)
    if name == "tts" and all(ENGINES.get(engine).available() for engine in ENGINES.builtins()):
        pytest.skip("no speech engine is installed")
    assert set(check_forgery(name)) <= {"outside"}

"""Encoders and heads by name: options are of the named class's type, and a stored name starts nothing by itself."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from avdetect.config import Config, ModelConfig, VisualConfig, from_dict, override, to_dict
from avdetect.plugin_errors import PluginError, UnknownPlugin
from tests.fake_distributions import Site, site

__all__ = ["site"]
# Reading a configuration looks at the class alone, so that no network library is needed here.
CODE = """
from __future__ import annotations
from dataclasses import dataclass, field
from typing import Literal

@dataclass(frozen=True)
class Inner:
    rate: float = 0.5

@dataclass(frozen=True)
class Options:
    width: int = 8
    sizes: tuple[int, ...] = (4, 2)
    pair: tuple[int, float] = (1, 0.5)
    pool: Literal["mean", "max"] = "mean"
    scale: float | None = None
    sharp: bool = False
    inner: Inner = Inner()

    def __post_init__(self):
        if self.width < 1:
            raise ValueError(f"width must be at least 1, not {self.width}")

class Tiny:
    api_version = 1
    Options = Options

    def __init__(self, options, *, dtype, rngs):
        raise AssertionError("not made here")

    def __call__(self, faces, mouths):
        raise AssertionError("not called here")
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "mine.py"
    path.write_text(CODE)
    return path


@pytest.fixture
def named(file: Path) -> Config:
    return override(override(Config(), f"model.visual_encoder={file}:Tiny"), "model.visual=default")


def stored(config: Config) -> dict:
    return json.loads(json.dumps(to_dict(config)))


def test_names_by_default_are_those_of_before() -> None:
    model = ModelConfig()
    assert (model.visual_encoder, model.audio_encoder, model.fusion_head) == ("cnn", "spectrogram", "lag_matrix")
    old = {"model": {"visual": {"widths": [8, 16], "blocks": 2}, "fusion": {}, "sync_pixels": None}}
    read = from_dict(old, allow=())
    assert read.model.visual == VisualConfig(widths=(8, 16), blocks=2) and read.model.visual_encoder == "cnn"
    assert stored(from_dict(stored(read), allow=())) == stored(read)


def test_reading_built_in_names_imports_no_networks() -> None:
    code = (
        "import sys\nfrom avdetect.config import *\n"
        "c = override(override(Config(), 'model.visual=default'), 'model.visual_encoder=cnn')\n"
        "assert from_dict(to_dict(c)) == c\n"
        "assert not {'jax', 'flax', 'cv2'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_the_options_follow_the_name(file: Path, named: Any) -> None:
    kind = type(named.model.visual)
    assert kind.__name__ == "Options" and named.model.visual.width == 8
    there = override(Config(), "model.visual=default")
    assert override(there, f"model.visual_encoder={file}:Tiny") == named, "in the other order, too"
    again = override(named, f"model.visual_encoder={file}:Tiny")
    assert again == named
    wide = override(named, "model.visual.width=32")
    assert override(wide, f"model.visual_encoder={file}:Tiny") == wide, "options of the same class are kept"
    back = override(named, "model.visual_encoder=cnn")
    assert back.model.visual == VisualConfig() and override(named, "model.visual=none").model.visual is None
    off = override(Config(), f"model.visual_encoder={file}:Tiny")
    assert off.model.visual is None, "naming it does not switch it on"


@pytest.mark.parametrize(
    ("assignment", "value"),
    [
        ("width=32", 32),
        ("sizes=3, 5,7", (3, 5, 7)),
        ("pair=3,0.25", (3, 0.25)),
        ("pool=max", "max"),
        ("scale=2", 2.0),
        ("scale=none", None),
        ("sharp=true", True),
    ],
)
def test_options_are_set_by_the_type_of_their_field(named: Config, assignment: str, value: object) -> None:
    config = override(named, f"model.visual.{assignment}")
    found = getattr(config.model.visual, assignment.partition("=")[0])
    assert found == value and type(found) is type(value)
    assert from_dict(stored(config)) == config
    assert from_dict(stored(config), allow=(config.model.visual_encoder,), asked_by="somewhere") == config


def test_options_within_options(named: Config) -> None:
    config = override(named, "model.visual.inner.rate=0.25")
    assert config.model.visual.inner.rate == 0.25 and from_dict(stored(config)) == config


@pytest.mark.parametrize(
    ("assignment", "error", "says"),
    [
        (
            "depth=2",
            KeyError,
            "'depth' is not a field of Options; it has: inner, pair, pool, scale, sharp, sizes, width",
        ),
        ("width=wide", TypeError, "model.visual.width: expected int, got 'wide'"),
        ("width=0", ValueError, "width must be at least 1, not 0"),
        ("pool=median", TypeError, "model.visual.pool: 'median' is none of mean, max"),
        ("pair=1,2,3", TypeError, "model.visual.pair: expected 2 values, got 3"),
        ("inner.rat=1", KeyError, "'rat' is not a field of Inner"),
    ],
)
def test_a_wrong_option_names_the_plugin(
    named: Config, file: Path, assignment: str, error: type[Exception], says: str
) -> None:
    with pytest.raises(error) as raised:
        override(named, f"model.visual.{assignment}")
    assert says in str(raised.value) and f"options of the visual encoder '{file}:Tiny'" in str(raised.value)
    assert str(raised.value).count("options of") == 1


@pytest.mark.parametrize(
    ("options", "error", "says"),
    [
        ({"depth": 2}, KeyError, "Options has no field depth"),
        ({"width": "8"}, TypeError, "model.visual.width: expected int, got '8'"),
        ({"pair": [1]}, TypeError, "model.visual.pair: expected 2 values, got 1"),
        ({"width": 0}, ValueError, "width must be at least 1"),
        (3, TypeError, "model.visual: expected an object, got 3"),
    ],
)
def test_a_wrong_stored_option_names_the_plugin(
    named: Config, file: Path, options: object, error: type[Exception], says: str
) -> None:
    data = stored(named)
    data["model"]["visual"] = options
    with pytest.raises(error) as raised:
        from_dict(data)
    assert says in str(raised.value) and f"options of the visual encoder '{file}:Tiny'" in str(raised.value)


def test_names_that_nobody_bears() -> None:
    with pytest.raises(UnknownPlugin, match=r"no visual encoder is called 'cmn'.*cnn"):
        override(override(Config(), "model.visual=on"), "model.visual_encoder=cmn")
    with pytest.raises(UnknownPlugin, match=r"fusion head 'sum': bundles/x needs it, and it is not installed"):
        from_dict({"model": {"fusion": {}, "fusion_head": "sum"}}, allow=(), asked_by="bundles/x")
    with pytest.raises(TypeError, match=r"model\.visual_encoder: expected str, got 3"):
        from_dict({"model": {"visual": {}, "visual_encoder": 3}})
    assert override(Config(), "model.audio_encoder=later").model.audio is None, "what is off is not looked up"


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (
            "table: dict = field(default_factory=dict)",
            "its option 'table' is of type dict, which a configuration cannot",
        ),
        ("rows: tuple[bytes, ...] = ()", "its option 'rows' is of type bytes, which a configuration cannot hold"),
        ("either: int | str = 3", "its option 'either' is int | str: one type, or one and None"),
        ("width: int", "its Options cannot be made without arguments"),
        ("width: int = '3'", "expected int, got '3'"),
        ("part: Loose = field(default_factory=Loose)", "its option 'part' is Loose, which is not frozen"),
        ("part: Nowhere = None", "name 'Nowhere' is not defined"),
    ],
)
def test_options_that_no_configuration_can_hold_are_refused_by_name(tmp_path: Path, options: str, says: str) -> None:
    file = tmp_path / "odd.py"
    file.write_text(
        "from __future__ import annotations\nfrom dataclasses import dataclass, field\n"
        "@dataclass\nclass Loose:\n    x: int = 1\n"
        f"@dataclass(frozen=True)\nclass Odd:\n    {options}\n"
        "class Net:\n    api_version = 1\n    Options = Odd\n    def __call__(self, faces, mouths): ...\n"
    )
    with pytest.raises(PluginError) as raised:
        override(override(Config(), "model.visual=on"), f"model.visual_encoder={file}:Net")
    assert says in str(raised.value) and "visual encoder" in str(raised.value) and f"{file}:Net" in str(raised.value)


def test_a_stored_place_is_not_run_unless_the_user_names_it(tmp_path: Path, named: Config) -> None:
    for path in (tmp_path / "theirs.py", tmp_path / "elsewhere" / "theirs.py"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"{CODE}\nopen({str(path)!r} + '.ran', 'w').close()\n")
    theirs, mine = tmp_path / "theirs.py", tmp_path / "elsewhere" / "theirs.py"
    data = stored(named)["model"]
    data["visual_encoder"] = f"{theirs}:Tiny"
    for allow in ((), ("*",), (f"{tmp_path}/mine.py:Tiny",), (f"{mine}:Other",), ("theirs",)):
        with pytest.raises(PluginError, match=r"bundles/x asks for code by its place.*nothing was run"):
            from_dict(data, ModelConfig, allow=allow, asked_by="bundles/x")
    assert not list(tmp_path.rglob("*.ran"))
    read = from_dict(data, ModelConfig, allow=(f"{mine}:Tiny",), asked_by="bundles/x")
    assert read.visual_encoder == f"{mine}:Tiny" and read.visual.width == 8, "the file of that name that the user has"
    assert [p.parent.name for p in tmp_path.rglob("*.ran")] == ["elsewhere"]
    assert from_dict({**data, "visual": None}, ModelConfig, allow=()).visual_encoder == f"{theirs}:Tiny"
    assert from_dict(data, ModelConfig, allow=(f"{theirs}:Tiny",)).visual_encoder == f"{theirs}:Tiny"


def test_an_installed_one_is_not_run_for_a_file_unless_it_is_allowed(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.install(
        "avdetect-tiny", {"avdetect.visual_encoders": {"tiny": "tiny_nets:Tiny"}}, files={"tiny_nets.py": CODE}
    )
    data = {"visual": {"width": 3}, "visual_encoder": "tiny"}
    with pytest.raises(PluginError, match=r"avdetect-tiny 1\.0.*bundles/x asks for it.*--allow-plugin tiny"):
        from_dict(data, ModelConfig, allow=(), asked_by="bundles/x")
    assert "tiny_nets" not in sys.modules
    for allow in (None, ("tiny",), ("avdetect-tiny",), ("*",)):
        assert from_dict(data, ModelConfig, allow=allow).visual.width == 3
    monkeypatch.setenv("AVDETECT_ALLOW_PLUGINS", "tiny")
    config = from_dict(data, ModelConfig, allow=())
    assert override(config, "visual.width=7").visual == dataclasses.replace(config.visual, width=7)
    with pytest.raises(TypeError, match=r"visual\.width.*options of the visual encoder 'tiny'"):
        override(config, "visual.width=x")
    monkeypatch.setenv("AVDETECT_PLUGINS", "off")
    with pytest.raises(PluginError, match="plugins are off"):
        from_dict(data, ModelConfig, allow=("tiny",))


def test_a_name_can_be_changed_although_the_one_before_is_broken(named: Config, tmp_path: Path) -> None:
    broken = dataclasses.replace(named.model, visual_encoder=f"{tmp_path}/absent.py:Tiny")
    assert override(broken, "visual_encoder=cnn").visual == VisualConfig()
    assert override(broken, "visual=none").visual is None
    with pytest.raises(PluginError, match="there is no file"):
        override(broken, "visual=default")

"""Overrides keep to the fields' types, and what a bundle carries comes back as it was."""

from __future__ import annotations

import dataclasses
import json
import typing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from avdetect.config import (
    AudioConfig,
    Config,
    DataConfig,
    FusionConfig,
    ModelConfig,
    OptimConfig,
    SyncConfig,
    TrainConfig,
    VisualConfig,
    from_dict,
    load_config,
    override,
    to_dict,
)
from avdetect.config_encoders import NAME_FIELDS
from avdetect.models.detector import PARTS

ROOT = Path(__file__).resolve().parents[1]
FILES = sorted(p for p in (ROOT / "configs").glob("*.py") if p.name != "__init__.py")


@pytest.mark.parametrize(
    ("assignment", "read"),
    [
        ("seed=7", lambda c: c.seed == 7),
        ("name = other", lambda c: c.name == "other"),
        ("optim.lr=3e-4", lambda c: c.optim.lr == 3e-4),
        ("train.steps=20", lambda c: c.train.steps == 20 and type(c.train.steps) is int),
        ("train.part=audio", lambda c: c.train.part == "audio"),
        ("train.frozen=work/a, work/b", lambda c: c.train.frozen == ("work/a", "work/b")),
        ("train.frozen=", lambda c: c.train.frozen == ()),
        ("model.visual=default", lambda c: c.model.visual == VisualConfig()),
        ("model.sync_pixels=none", lambda c: c.model.sync_pixels is None),
        ("model.compute_dtype=bfloat16", lambda c: c.model.compute_dtype == "bfloat16"),
        ("data.train_where=split=train;source=A", lambda c: c.data.train_where == "split=train;source=A"),
    ],
)
def test_override_parses_by_the_type_of_the_field(assignment: str, read) -> None:
    assert read(override(Config(), assignment))


def test_override_reaches_into_a_part_that_is_on_and_leaves_the_rest() -> None:
    config = override(Config(), "model.fusion=on")
    changed = override(config, "model.fusion.radii=(3, 9,27)")
    assert changed.model.fusion == FusionConfig(radii=(3, 9, 27))
    assert dataclasses.replace(changed, model=config.model) == config
    assert config.model.fusion == FusionConfig()


@pytest.mark.parametrize(
    ("assignment", "error", "names"),
    [
        ("optim.lr", ValueError, ["optim.lr", "name=value"]),
        ("optim.learning=1", KeyError, ["learning", "OptimConfig", "lr"]),
        ("optin.lr=1", KeyError, ["optin", "Config", "optim"]),
        ("optim.lr.x=1", KeyError, ["optim.lr", "'x'"]),
        ("optim.lr=fast", TypeError, ["optim.lr", "float", "fast"]),
        ("train.steps=1e3", TypeError, ["train.steps", "int", "1e3"]),
        ("train.part=lips", TypeError, ["train.part", "lips", "sync_landmarks"]),
        ("model.visual.blocks=2", ValueError, ["model.visual", "off", "blocks"]),
        ("model.visual=7", TypeError, ["model.visual", "default"]),
        ("model=none", TypeError, ["model", "default"]),
        ("seed=none", TypeError, ["seed", "int"]),
    ],
)
def test_a_wrong_override_is_refused_and_the_message_names_the_field(
    assignment: str, error: type[Exception], names: list[str]
) -> None:
    with pytest.raises(error) as raised:
        override(Config(), assignment)
    for name in names:
        assert name in str(raised.value)


def test_a_wrong_item_of_a_tuple_names_the_field() -> None:
    with pytest.raises(TypeError, match=r"model\.visual\.widths.*int.*wide"):
        override(override(Config(), "model.visual=on"), "model.visual.widths=8,wide")


def _of(kind: type) -> st.SearchStrategy:
    """Any configuration of a type, by its annotations; names of encoders are in test_config_encoders.py."""
    hints = typing.get_type_hints(kind)
    hints = {name: hint for name, hint in hints.items() if kind is not ModelConfig or name not in NAME_FIELDS.values()}
    return st.builds(kind, **{name: _value(hint) for name, hint in hints.items()})


def _value(hint: typing.Any) -> st.SearchStrategy:
    args = typing.get_args(hint)
    if type(None) in args:
        return st.none() | _value(next(a for a in args if a is not type(None)))
    if typing.get_origin(hint) is typing.Literal:
        return st.sampled_from(args)
    if typing.get_origin(hint) is tuple:
        return st.lists(_value(args[0]), max_size=4).map(tuple)
    if dataclasses.is_dataclass(hint):
        return _of(hint)  # type: ignore[arg-type]
    return {
        int: st.integers(-(2**31), 2**31),
        float: st.floats(allow_nan=False, allow_infinity=False),
        str: st.text(max_size=12),
        bool: st.booleans(),
    }[hint]


@settings(max_examples=40, deadline=None)
@given(config=_of(Config))
def test_json_round_trip(config: Config) -> None:
    assert from_dict(json.loads(json.dumps(to_dict(config)))) == config


@settings(max_examples=40, deadline=None)
@given(config=_of(OptimConfig) | _of(DataConfig) | _of(TrainConfig), data=st.data())
def test_every_plain_field_can_be_overridden_with_its_own_text(config: typing.Any, data: st.DataObject) -> None:
    field = data.draw(st.sampled_from(dataclasses.fields(config)))
    value = getattr(config, field.name)
    if isinstance(value, tuple):
        value = tuple(v for v in value if v.strip() == v and v and not set("()[],") & set(v))
        config = dataclasses.replace(config, **{field.name: value})
    if isinstance(value, str) and value.strip() != value:
        return
    text = ",".join(value) if isinstance(value, tuple) else str(value)
    blank = dataclasses.replace(config, **{field.name: getattr(type(config)(), field.name)})
    assert override(blank, f"{field.name}={text}") == config


@pytest.mark.parametrize(
    ("data", "names"),
    [
        ({"sede": 1}, ["Config", "sede"]),
        ({"optim": {"lr": 1e-3, "nesterov": 0.9}}, ["OptimConfig", "nesterov"]),
        ({"model": {"sync_landmarks": {"width": 8, "heads": 2}}}, ["SyncConfig", "heads"]),
    ],
)
def test_unknown_keys_are_named(data: dict, names: list[str]) -> None:
    with pytest.raises(KeyError) as raised:
        from_dict(data)
    for name in names:
        assert name in str(raised.value)


@pytest.mark.parametrize(
    ("data", "names"),
    [
        ({"seed": "1"}, ["seed", "int"]),
        ({"seed": True}, ["seed", "int"]),
        ({"optim": {"lr": "fast"}}, ["optim.lr", "float"]),
        ({"optim": 3}, ["optim", "object"]),
        ({"optim": None}, ["optim", "object"]),
        ({"model": {"visual": {"widths": "abc"}}}, ["model.visual.widths", "list"]),
        ({"model": {"visual": {"widths": [8, "x"]}}}, ["model.visual.widths", "int"]),
        ({"model": {"sync_pixels": {"input": "smell"}}}, ["model.sync_pixels.input", "pixels"]),
        ([], ["Config", "object"]),
    ],
)
def test_values_of_a_wrong_type_are_named(data: typing.Any, names: list[str]) -> None:
    with pytest.raises(TypeError) as raised:
        from_dict(data)
    for name in names:
        assert name in str(raised.value)


def test_whole_numbers_serve_as_floats() -> None:
    assert from_dict({"optim": {"lr": 1}}).optim.lr == 1.0


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_the_configurations_of_the_repository_load(path: Path) -> None:
    config = load_config(path)
    there = {part for part in PARTS if getattr(config.model, part) is not None}
    assert there if config.train.part == "all" else config.train.part in there, "what is trained must exist"
    assert from_dict(json.loads(json.dumps(to_dict(config)))) == config
    assert (config.train.part == "fusion") == bool(config.train.frozen)


def test_there_are_configurations() -> None:
    assert len(FILES) >= 5


def test_files_that_are_no_configurations(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"absent\.py"):
        load_config(tmp_path / "absent.py")
    empty = tmp_path / "empty.py"
    empty.write_text("")
    with pytest.raises(TypeError, match="get_config"):
        load_config(empty)
    wrong = tmp_path / "wrong.py"
    wrong.write_text("def get_config():\n    return {}\n")
    with pytest.raises(TypeError, match=r"get_config.*Config"):
        load_config(wrong)


def test_configurations_cannot_be_changed_in_place() -> None:
    for config in (Config(), ModelConfig(), SyncConfig(), VisualConfig(), AudioConfig(), FusionConfig()):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(config, dataclasses.fields(config)[0].name, 1)

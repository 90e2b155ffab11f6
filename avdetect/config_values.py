"""Frozen dataclasses as text and as JSON: typed dotted overrides, and the way back from dictionaries.

Types are those of the fields. A class in which the type of a field depends on another field says so by two methods:
``named_types`` (see :class:`Named`) and ``changed(field, value)``, which is ``dataclasses.replace`` and what follows.
"""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Literal

PLAIN = (int, float, bool, str)


@dataclass(frozen=True)
class Access:
    """Who asks for the classes that a configuration names, and which he may.

    Attributes:
        allow: see `avdetect.registry.Registry.get`; ``None`` = the user wrote the configuration, so any.
        asked_by: the bundle or file, for messages.
    """

    allow: Collection[str] | None = None
    asked_by: str = ""


@dataclass(frozen=True)
class Named:
    """What follows from the names in a configuration.

    Attributes:
        values: the configuration, with the names that are looked up.
        types: of the fields that depend on a name.
        owners: whose those types are, for messages; none for those of avdetect itself.
    """

    values: Mapping[str, Any]
    types: dict[str, Any] = field(default_factory=dict)
    owners: dict[str, str] = field(default_factory=dict)


def override(config: Any, assignment: str) -> Any:
    """Apply one ``dotted.name=value``, checked against the field's type.

    Examples:
        >>> from avdetect.config import Config
        >>> override(Config(), "optim.lr=3e-4").optim.lr
        0.0003
        >>> override(Config(), "model.visual.blocks=2")
        Traceback (most recent call last):
            ...
        ValueError: model.visual is off in this configuration: it has no field 'blocks' to set

    Raises:
        KeyError: no such field (the message lists those that exist).
        TypeError: the value does not parse as the field's type.
        ValueError: malformed assignment, the part is switched off, or its class refuses the value.
        PluginError: the value names an encoder or a head that cannot be used.
    """
    name, sign, text = assignment.partition("=")
    if not sign:
        raise ValueError(f"{assignment!r} is not of the form name=value")
    return _replace(config, name.strip().split("."), text.strip(), ())


def _replace(node: Any, names: list[str], text: str, done: tuple[str, ...]) -> Any:
    head, rest = names[0], names[1:]
    if node is None:
        raise ValueError(f"{'.'.join(done)} is off in this configuration: it has no field {head!r} to set")
    if not dataclasses.is_dataclass(node) or isinstance(node, type):
        raise KeyError(f"{'.'.join(done)} is a value and has no field {head!r}")
    kind: Any = type(node)
    known = {f.name for f in dataclasses.fields(node)}
    if head not in known:
        raise KeyError(f"{head!r} is not a field of {kind.__name__}; it has: {', '.join(sorted(known))}")
    named = Named({})
    if (rest or text.lower() != "none") and hasattr(kind, "named_types"):
        named = kind.named_types({name: getattr(node, name) for name in known}, Access(), only=head)
    with _blamed(named.owners.get(head)):
        if rest:
            value = _replace(getattr(node, head), rest, text, (*done, head))
        else:
            hint = named.types.get(head) or typing.get_type_hints(kind)[head]
            value = _parse(text, hint, ".".join((*done, head)))
        return kind.changed(node, head, value) if hasattr(kind, "changed") else replace(node, **{head: value})


@contextmanager
def _blamed(owner: str | None) -> Iterator[None]:
    """Errors in what is inside name the owner too."""
    try:
        yield
    except (KeyError, TypeError, ValueError) as error:
        if owner is None or not error.args or owner in str(error):
            raise
        raise type(error)(f"{error.args[0]} (options of the {owner})") from error


def _parse(text: str, hint: Any, name: str) -> Any:
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        if text.lower() == "none" and type(None) in args:
            return None
        hint = next(a for a in args if a is not type(None))
        origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin is Literal:
        fitting = [a for a in args if str(a) == text]
        if fitting:
            return fitting[0]
        raise TypeError(f"{name}: {text!r} is none of {', '.join(map(str, args))}")
    if origin is tuple:
        items = [item.strip() for item in text.strip("()[]").split(",") if item.strip()]
        hints = _items(args, len(items), name)
        return tuple(_parse(item, one, name) for item, one in zip(items, hints, strict=True))
    if dataclasses.is_dataclass(hint):
        if text in ("default", "on"):
            return hint()  # type: ignore[operator]
        raise TypeError(f"{name}: set one of its fields, or 'default' or 'none'")
    if hint is bool:
        if text.lower() in ("true", "false", "1", "0"):
            return text.lower() in ("true", "1")
        raise TypeError(f"{name}: expected true or false, got {text!r}")
    try:
        return hint(text)
    except ValueError:
        raise TypeError(f"{name}: expected {hint.__name__}, got {text!r}") from None


def _items(args: tuple[Any, ...], count: int, name: str) -> list[Any]:
    """The types of the items of a tuple."""
    if len(args) == 2 and args[1] is Ellipsis:
        return [args[0]] * count
    if len(args) != count:
        raise TypeError(f"{name}: expected {len(args)} values, got {count}")
    return list(args)


def to_dict(config: Any) -> dict[str, Any]:
    """The configuration as JSON-ready dictionaries."""
    return dataclasses.asdict(config)


def build(data: Any, kind: Any, *, access: Access | None = None) -> Any:
    """An instance of a dataclass from :func:`to_dict`; errors as those of `avdetect.config.from_dict`."""
    return _build(data, kind, (), access or Access())


def _build(data: Any, kind: Any, done: tuple[str, ...], access: Access) -> Any:
    if not isinstance(data, dict):
        raise TypeError(f"{'.'.join(done) or kind.__name__}: expected an object, got {data!r}")
    hints = typing.get_type_hints(kind)
    hints = {f.name: hints[f.name] for f in dataclasses.fields(kind)}
    unknown = set(data) - set(hints)
    if unknown:
        raise KeyError(f"{kind.__name__} has no field {', '.join(sorted(unknown))}: written by a newer version?")
    named = kind.named_types(data, access) if hasattr(kind, "named_types") else Named(data)
    found = {}
    for key, value in named.values.items():
        with _blamed(named.owners.get(key)):
            found[key] = _rebuild(value, named.types.get(key) or hints[key], (*done, key), access)
    return kind(**found)


def _rebuild(value: Any, hint: Any, done: tuple[str, ...], access: Access) -> Any:
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        kind = next(a for a in args if a is not type(None))
        return None if value is None and type(None) in args else _rebuild(value, kind, done, access)
    if dataclasses.is_dataclass(hint):
        return _build(value, hint, done, access)
    if origin is tuple:
        if isinstance(value, list | tuple):
            hints = _items(args, len(value), ".".join(done))
            return tuple(_rebuild(item, one, done, access) for item, one in zip(value, hints, strict=True))
        expected = "a list"
    elif origin is Literal:
        if value in args:
            return value
        expected = f"one of {', '.join(map(str, args))}"
    elif type(value) is hint or (hint is float and type(value) is int):
        return value
    else:
        expected = hint.__name__
    raise TypeError(f"{'.'.join(done)}: expected {expected}, got {value!r}")


def why_not_a_field(kind: Any, name: str) -> str:
    """Why a field of a dataclass is none that configurations can hold; empty if it is one."""
    return _why_not(typing.get_type_hints(kind)[name])


def _why_not(hint: Any) -> str:
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        rest = [a for a in args if a is not type(None)]
        return _why_not(rest[0]) if len(rest) == 1 else f"is {hint}: one type, or one and None"
    if origin is tuple:
        return next((w for a in args if a is not Ellipsis and (w := _why_not(a))), "")
    if origin is Literal:
        return "" if all(type(a) in PLAIN for a in args) else f"is {hint}: of its values only text and numbers fit"
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        if not hint.__dataclass_params__.frozen:  # pyright: ignore[reportAttributeAccessIssue]
            return f"is {hint.__name__}, which is not frozen: decorate it with @dataclass(frozen=True)"
        return next((w for f in dataclasses.fields(hint) if (w := why_not_a_field(hint, f.name))), "")
    if hint in PLAIN:
        return ""
    return (
        f"is of type {getattr(hint, '__name__', hint)}, which a configuration cannot hold; it may be int, float, bool, "
        "str, Literal, tuple[...] or a frozen dataclass of these, or one of them or None"
    )

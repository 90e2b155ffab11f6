"""The options of an encoder or a head are of the type that its class asks for: what follows from naming it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from avdetect.config_values import Access, Named
from avdetect.plugin_errors import UnknownPlugin
from avdetect.plugin_local import is_local
from avdetect.plugin_scan import allowed

if TYPE_CHECKING:
    from avdetect.config import ModelConfig

NAME_FIELDS = {"visual": "visual_encoder", "audio": "audio_encoder", "fusion": "fusion_head"}


def named_types(
    kind: type[ModelConfig], values: Mapping[str, Any], access: Access, *, only: str | None = None
) -> Named:
    """The types of the options of the parts that are on; classes are loaded, unless they are those by default.

    Args:
        kind: `ModelConfig`, for the names by default.
        values: its fields, some perhaps missing.
        access: who asks.
        only: the part that is asked about, whether it is on or off; the parts that are on, if not given.

    Raises:
        PluginError: see `avdetect.models.registry.stated_options`.
    """
    found = Named(dict(values))
    for part, field in NAME_FIELDS.items():
        usual = getattr(kind, field)
        name = values.get(field, usual)
        wanted = values.get(part) is not None if only is None else part == only
        if not wanted or name == usual or not isinstance(name, str):
            continue  # what is off is not loaded, and the declared types are those of the classes by default
        name = _own_copy(name, access)
        options, owner = _options(part, name, access)
        found.values[field] = name  # type: ignore[index]
        found.types[part], found.owners[part] = options | None, owner
    return found


def _options(part: str, name: str, access: Access) -> tuple[type, str]:
    from avdetect.models.registry import NAMED, stated_options

    try:
        return stated_options(part, name, allow=access.allow, asked_by=access.asked_by)
    except UnknownPlugin as error:
        if access.allow is None:
            raise
        cause = f"{access.asked_by or 'a stored configuration'} needs it, and it is not installed; {error}"
        raise UnknownPlugin(cause, kind=NAMED[part][1].kind, name=name) from None


def _own_copy(name: str, access: Access) -> str:
    """Of code that a stored configuration names by its place: the file or module of that name that the user allows.

    The place was right where the bundle was made. What is loaded is always what the user wrote.
    """
    if access.allow is None or not is_local(name):
        return name
    permitted = {*access.allow, *allowed()}
    same = [spec for spec in permitted if is_local(spec) and _last(spec) == _last(name)]
    return same[0] if len(same) == 1 and name not in permitted else name


def _last(spec: str) -> tuple[str, str]:
    place, _, attribute = spec.rpartition(":")
    return Path(place.replace("\\", "/")).name, attribute


def changed(model: ModelConfig, field: str, value: Any) -> ModelConfig:
    """The configuration with another value; where that is a name, the part's options are the new class's by default.

    Raises:
        PluginError: the named class cannot be used.
    """
    made = dataclasses.replace(model, **{field: value})
    part = next((part for part, name in NAME_FIELDS.items() if name == field), None)
    if part is None or getattr(model, part) is None:
        return made
    options = _kind(made, part)
    if options is None or isinstance(getattr(made, part), options):
        return made
    return dataclasses.replace(made, **{part: options()})


def _kind(model: ModelConfig, part: str) -> Any:
    if getattr(model, NAME_FIELDS[part]) == getattr(type(model), NAME_FIELDS[part]):
        return type(model).usual_options()[part]
    return _options(part, getattr(model, NAME_FIELDS[part]), Access())[0]

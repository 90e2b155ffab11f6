"""Encoders and fusion heads by name: those built in, and whatever else keeps their contracts in `avdetect.api`.

Listing them, and reading a configuration that names those built in, imports no network. Classes and their options are
looked at here more closely than at the door of the registry: what a bundle cannot hold must not be trained for hours.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from avdetect.plugin_errors import PluginError
from avdetect.registry import Registry

if TYPE_CHECKING:
    import jax.numpy as jnp
    from flax import nnx

    from avdetect.config import ModelConfig

VISUAL_ENCODERS = Registry(
    "visual encoder",
    "avdetect.visual_encoders",
    {
        "cnn": "avdetect.models.visual:VisualNet",
        "lite": "avdetect.models.lite:LiteNet",
        "texture": "avdetect.models.texture:TextureNet",
        "committee": "avdetect.models.committee:CommitteeNet",
    },
)
AUDIO_ENCODERS = Registry("audio encoder", "avdetect.audio_encoders", {"spectrogram": "avdetect.models.audio:AudioNet"})
FUSION_HEADS = Registry("fusion head", "avdetect.fusion_heads", {"lag_matrix": "avdetect.models.fusion:FusionHead"})

NAMED: dict[str, tuple[str, Registry]] = {
    "visual": ("visual_encoder", VISUAL_ENCODERS),
    "audio": ("audio_encoder", AUDIO_ENCODERS),
    "fusion": ("fusion_head", FUSION_HEADS),
}
"""Parts whose class is named: the field of `ModelConfig` with the name, and where it is looked up."""


def part_class(part: str, name: str) -> Any:
    """The class of a part by the name of its encoder or head, looked up with no question of who may.

    Whether a stored configuration may name it is asked when that is read, see `avdetect.config.from_dict`.

    Raises:
        PluginError: see `Registry.get`; or it is no class of Flax modules.
    """
    from flax import nnx

    registry = NAMED[part][1]
    kind = registry.get(name)
    if not issubclass(kind, nnx.Module):
        raise registry.blame(name, f"{kind.__name__} must be a subclass of flax.nnx.Module")
    return kind


def make_part(config: ModelConfig, part: str, *, dtype: jnp.dtype, rngs: nnx.Rngs) -> nnx.Module:
    """An encoder or head with fresh parameters.

    Args:
        config: has the part.
        part: ``visual``, ``audio`` or ``fusion``.
        dtype: of activations.
        rngs: streams ``params`` and ``dropout``.

    Raises:
        PluginError: see :func:`part_class`; the options are of another class than its ``Options``; making it fails; or
            it has variables that a bundle does not hold.
    """
    field, registry = NAMED[part]
    name, options = getattr(config, field), getattr(config, part)
    kind = part_class(part, name)
    if not isinstance(options, kind.Options):
        raise registry.blame(
            name, f"model.{part} must be its {kind.Options.__qualname__}, not {type(options).__qualname__}"
        )
    try:
        made = kind(options, dtype=dtype, rngs=rngs)
    except Exception as error:
        raise registry.blame(name, f"making it failed: {type(error).__name__}: {error}") from error
    if lost := _not_kept(made):
        raise registry.blame(
            name,
            f"it has {', '.join(lost)}, but only nnx.Param and random keys are trained and kept; "
            "normalise with GroupNorm or LayerNorm rather than over the batch, and make constants static",
        )
    return made


def _not_kept(module: nnx.Module) -> list[str]:
    """Variables that neither a part file nor a bundle holds, the first few of them."""
    from flax import nnx

    others = nnx.state(module, nnx.Not(nnx.Any(nnx.Param, nnx.RngState)))
    rows = [(".".join(map(str, path)), leaf) for path, leaf in nnx.to_flat_state(others)]
    return [f"{type(leaf).__name__} {name}" for name, leaf in rows[:3]]


def reach_of(config: ModelConfig, part: str) -> int:
    """Ticks before and after a tick that must be there for the part to say anything of it; 0 where it is absent.

    Raises:
        PluginError: the class says no such number.
    """
    return _ticks(config, part, "reach")


def context_of(config: ModelConfig, part: str) -> int:
    """Ticks before and after a tick that what is said of it may depend on at all, if they are there.

    A class that has a static method ``context(options)`` says it there; for others it is :func:`reach_of`.

    Raises:
        PluginError: the class says no such number.
    """
    if getattr(config, part) is None:
        return 0
    kind = part_class(part, getattr(config, NAMED[part][0]))
    return _ticks(config, part, "context" if hasattr(kind, "context") else "reach")


def _ticks(config: ModelConfig, part: str, method: str) -> int:
    field, registry = NAMED[part]
    name, options = getattr(config, field), getattr(config, part)
    if options is None:
        return 0
    kind = part_class(part, name)
    try:
        ticks = getattr(kind, method)(options)
    except Exception as error:
        raise registry.blame(name, f"{method}() failed: {type(error).__name__}: {error}") from error
    if isinstance(ticks, bool) or not isinstance(ticks, int) or ticks < 0:
        raise registry.blame(name, f"{method}() gave {ticks!r}; it must be a whole number of ticks, 0 or more")
    return ticks


def shaped(config: ModelConfig, part: str, out: Any, *shapes: tuple[int, ...]) -> Any:
    """``out``, once it is seen to have the shapes of its contract (while tracing, so for free).

    Raises:
        PluginError: it has others.
    """
    field, registry = NAMED[part]
    found = tuple(getattr(x, "shape", None) for x in (out if isinstance(out, tuple) else (out,)))
    if found != shapes:
        told = [" and ".join(str(list(s)) if s is not None else "no array" for s in some) for some in (found, shapes)]
        raise registry.blame(getattr(config, field), f"it gave {told[0]} where {told[1]} is wanted")
    return out


def stated_options(part: str, name: str, *, allow: Any = None, asked_by: str = "") -> tuple[type, str]:
    """The options class of an encoder or head, and whose it is, for messages.

    Args:
        part: ``visual``, ``audio`` or ``fusion``.
        name: in its registry.
        allow: see `Registry.get`.
        asked_by: which bundle or file names it.

    Raises:
        PluginError: it is refused or broken; or a configuration cannot hold its options.
    """
    from avdetect.config_values import build, to_dict, why_not_a_field

    registry = NAMED[part][1]
    kind = registry.get(name, allow=allow, asked_by=asked_by)
    options = kind.Options
    try:
        for field, reason in ((f.name, why_not_a_field(options, f.name)) for f in dataclasses.fields(options)):
            if reason:
                raise registry.blame(name, f"its option {field!r} {reason}")
        usual = options()
        same = build(to_dict(usual), options) == usual
    except PluginError:
        raise
    except Exception as error:
        raise registry.blame(name, f"its Options cannot be made without arguments: {error}") from error
    if not same:
        raise registry.blame(name, "its Options do not come back from JSON as they were")
    return options, f"{registry.kind} {name!r}"


def plugin_of(config: ModelConfig, part: str) -> dict[str, str]:
    """Whose the class of a part is: ``name``, ``distribution``, ``version``; empty where it is built in.

    Nothing is imported.
    """
    if part not in NAMED or getattr(config, part) is None:
        return {}
    field, registry = NAMED[part]
    entry = registry.find(getattr(config, field))
    if entry.state == "built-in":
        return {}
    return {"name": entry.name, "distribution": entry.distribution, "version": entry.version}

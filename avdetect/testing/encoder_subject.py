"""An encoder or head that is looked at: made, with random numbers everywhere, and run compiled."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from avdetect.bundle import fill, flat_parameters
from avdetect.models.registry import NAMED
from avdetect.plugin_local import attribute_at, is_local
from avdetect.testing.encoder_calls import CALLS, Arrays, Call

GROUPS = {part: registry.group for part, (_, registry) in NAMED.items()}
SPARE = 12
"""Ticks of a window beyond those that the middle one depends on."""


@dataclass(frozen=True)
class Subject:
    """A class of modules.

    Attributes:
        part: ``visual``, ``audio`` or ``fusion``.
        kind: the class.
        options: that it is made with.
    """

    part: str
    kind: Any
    options: Any
    _nets: dict[Any, Any] = field(default_factory=dict)
    _compiled: dict[str, list[tuple[Any, Any]]] = field(default_factory=dict)

    @property
    def calls(self) -> Sequence[Call]:
        """The ways in which it is called."""
        return CALLS[self.part]

    @property
    def reach(self) -> int:
        """Ticks that must be there."""
        return self.kind.reach(self.options) if hasattr(self.kind, "reach") else 0

    @property
    def context(self) -> int:
        """Ticks that have a say."""
        return self.kind.context(self.options) if hasattr(self.kind, "context") else self.reach

    @property
    def ticks(self) -> int:
        """Of a window in which the middle tick has all that it depends on, and others have less."""
        return 2 * self.context + SPARE

    def made(self, seed: int, *, dropout: int = 1, dtype: Any = jnp.float32) -> Any:
        """One with fresh parameters."""
        return self.kind(self.options, dtype=dtype, rngs=nnx.Rngs(params=seed, dropout=dropout))

    def net(self, *, dropout: int = 1, dtype: Any = jnp.float32, fresh: bool = False) -> Any:
        """One in evaluation, made once, whose parameters are all random.

        Fresh networks hide mistakes: residual blocks often begin as the identity, and biases at zero.
        """
        key = (dropout, dtype)
        if fresh or key not in self._nets:
            net = self.made(0, dropout=dropout, dtype=dtype)
            stirred = {}
            for name, leaf in flat_parameters(net).items():
                rng = np.random.default_rng(zlib.crc32(name.encode()))
                stirred[name] = np.asarray(leaf[...], np.float32) + rng.normal(0, 0.1, leaf.shape).astype(np.float32)
            fill(net, stirred, "random numbers")
            net.eval()
            if fresh:
                return net
            self._nets[key] = net
        return self._nets[key]

    def empty(self) -> Any:
        """One whose parameters were never drawn, as `avdetect.bundle.empty_net` makes it."""
        graph, state = nnx.split(nnx.eval_shape(lambda: self.made(0)))

        def zero(leaf: Any) -> Any:
            is_key = jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key)
            return jax.random.key(0) if is_key else np.zeros(leaf.shape, leaf.dtype)

        return nnx.merge(graph, jax.tree.map(zero, state))

    def draw(self, call: Call, examples: int, *, seed: int = 3) -> Arrays:
        """Ordinary inputs; an example is the same however many there are."""
        drawn = [call.draw(np.random.default_rng([seed, i]), 1, self.ticks) for i in range(examples)]
        return tuple(np.concatenate(parts) for parts in zip(*drawn, strict=True))

    def run(self, call: Call, net: Any, arrays: Arrays) -> tuple[np.ndarray, ...]:
        """What it gives, compiled with the parameters as arguments, as detectors run it."""
        graph, state = nnx.split(net)
        known = self._compiled.setdefault(call.name, [])
        function = next((f for other, f in known if _same(other, graph)), None)
        if function is None:
            function = jax.jit(lambda state, *arrays: call.run(nnx.merge(graph, state), *arrays))
            known.append((graph, function))
        return tuple(np.asarray(x) for x in function(state, *arrays))

    def traced(self, call: Call, net: Any, arrays: Arrays) -> tuple[Any, ...]:
        """What it would give: shapes and types, without compiling anything."""
        graph, state = nnx.split(net)
        return jax.eval_shape(lambda state, *arrays: call.run(nnx.merge(graph, state), *arrays), state, *arrays)


def _same(a: Any, b: Any) -> bool:
    try:
        return bool(a == b)
    except Exception:  # of attributes that cannot be compared, such as arrays
        return False


def opened(plugin: Any, part: str = "", *, options: Any = None) -> Subject:
    """By name, place or class.

    Raises:
        ValueError: it cannot be told which part of the network it is.
        PluginError: see `avdetect.registry.Registry.get`.
    """
    part = part or _part_of(plugin)
    if part not in CALLS:
        raise ValueError(f"part is {part!r}; it must be one of {', '.join(CALLS)}")
    kind = NAMED[part][1].get(plugin) if isinstance(plugin, str) else plugin
    return Subject(part, kind, kind.Options() if options is None else options)


def _part_of(plugin: Any) -> str:
    if isinstance(plugin, str) and not is_local(plugin):
        found = [part for part, (_, registry) in NAMED.items() if plugin in registry]
        if len(found) != 1:
            where = " and ".join(found) or "none"
            raise ValueError(f"{plugin!r} is the name of a part in {where} of the registries; say which part is meant")
        return found[0]
    kind = attribute_at(plugin) if isinstance(plugin, str) else plugin
    return "fusion" if hasattr(kind, "mismatch") else "audio" if hasattr(kind, "reach") else "visual"

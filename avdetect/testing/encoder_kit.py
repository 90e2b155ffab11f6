"""Does an encoder or a fusion head do what its contract in `avdetect.api` says?"""

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from safetensors.numpy import load_file, save_file

from avdetect.bundle import fill, flat_parameters
from avdetect.config_values import build, to_dict, why_not_a_field
from avdetect.testing.comparing import difference
from avdetect.testing.conformance import Broken, DoesNotApply, Kit, require, require_kind, require_version
from avdetect.testing.encoder_calls import Arrays, Call, followed, per_tick
from avdetect.testing.encoder_subject import GROUPS, Subject, opened

TOLERANCE = 1e-3
"""By how much outputs may differ where only the shape of the computation does."""
EXAMPLES = 3
MORE = 9
"""Ticks that are added."""


def _api_version(s: Subject) -> None:
    """The class states the API version."""
    require_version(s.kind)


def _declared(s: Subject) -> None:
    """It is a class of Flax modules with a frozen dataclass of options."""
    require_kind(GROUPS[s.part], s.kind)
    require(issubclass(s.kind, nnx.Module), f"{s.kind.__name__} is no subclass of flax.nnx.Module")


def _options(s: Subject) -> None:
    """Options can be made without arguments, held by a configuration, and come back from JSON as they were."""
    kind: Any = s.kind.Options
    for field in dataclasses.fields(kind):
        require(not (reason := why_not_a_field(kind, field.name)), f"its option {field.name!r} {reason}")
    try:
        usual = kind()
    except Exception as error:
        raise Broken(f"its Options cannot be made without arguments: {error}") from error
    for options in (usual, s.options):
        again = build(to_dict(options), kind)
        require(again == options, f"its Options come back from JSON as {again}, and were {options}")


def _ticks_around(s: Subject) -> None:
    """``reach``, and ``context`` if there is one, are whole numbers of ticks, the second no less than the first."""
    if not hasattr(s.kind, "reach"):
        raise DoesNotApply("it sees single ticks")
    found = {name: getattr(s.kind, name)(s.options) for name in ("reach", "context") if hasattr(s.kind, name)}
    for name, ticks in found.items():
        require(type(ticks) is int and ticks >= 0, f"{name}() gave {ticks!r}; it must be a whole number of ticks")
    require(found.get("context", found["reach"]) >= found["reach"], f"context() is less than reach(): {found}")


def _kept(s: Subject) -> None:
    """All its variables are `nnx.Param` or random keys: nothing else is trained, stored and restored."""
    others = nnx.state(s.net(), nnx.Not(nnx.Any(nnx.Param, nnx.RngState)))
    rows = [f"{type(x).__name__} {'.'.join(map(str, path))}" for path, x in nnx.to_flat_state(others)]
    require(not rows, f"it has {', '.join(rows[:3])}, which a bundle does not hold")
    require(flat_parameters(s.net()), "it has no nnx.Param: there is nothing to train")


def _shapes(s: Subject) -> None:
    """Outputs have the shapes of the contract, and are float32, whatever the type of activations."""
    for dtype in (jnp.float32, jnp.bfloat16):
        for call in s.calls:
            out = s.traced(call, s.net(dtype=dtype), s.draw(call, EXAMPLES))
            wanted = call.shapes(EXAMPLES, s.ticks)
            found = tuple(x.shape for x in out)
            require(found == wanted, f"{call.name} gives {_told(found)}; it must give {_told(wanted)}")
            types = {str(x.dtype) for x in out}
            require(
                types == {"float32"}, f"{call.name} gives {types} for activations of {jnp.dtype(dtype)}, not float32"
            )


def _told(shapes: tuple[tuple[int, ...], ...]) -> str:
    return " and ".join(str(list(x)) for x in shapes)


def _finite(s: Subject) -> None:
    """Outputs are finite: of ordinary inputs, and of black pictures, silence, and what is masked all over."""
    for call in s.calls:
        usual: dict[str, Arrays] = {"ordinary inputs": s.draw(call, EXAMPLES)}
        for what, arrays in (usual | call.extremes(EXAMPLES, s.ticks)).items():
            out = s.run(call, s.net(), arrays)
            lost = sum(int((~np.isfinite(x)).sum()) for x in out)
            require(not lost, f"{lost} outputs of {call.name} are not finite for {what}")


def _probabilities(s: Subject) -> None:
    """The four classes are log-probabilities: their exponentials add up to one."""
    if s.part != "fusion":
        raise DoesNotApply("it gives logits")
    call = s.calls[-1]
    for arrays in (s.draw(call, EXAMPLES), *call.extremes(EXAMPLES, s.ticks).values()):
        total = np.exp(s.run(call, s.net(), arrays)[0]).sum(axis=-1)
        require(np.allclose(total, 1, atol=TOLERANCE), f"the probabilities of four classes add up to {total.tolist()}")


def _deterministic(s: Subject) -> None:
    """Equal seeds make equal parameters; and in evaluation nothing is drawn."""
    one, two = ({n: np.asarray(v[...]) for n, v in flat_parameters(s.made(1)).items()} for _ in range(2))
    require(not (d := difference(one, two, at="parameters")), f"made twice with one seed: {d}")
    for call in s.calls:
        arrays = s.draw(call, EXAMPLES)
        outs = [s.run(call, s.net(dropout=seed), arrays) for seed in (1, 2)]
        require(not (d := difference(*outs, at=call.name)), f"in evaluation, with two seeds of dropout: {d}")


def _batch_of_one(s: Subject) -> None:
    """What is said of an example does not depend on the others."""
    for call in s.calls:
        arrays = s.draw(call, EXAMPLES)
        together = s.run(call, s.net(), arrays)
        for i in range(EXAMPLES):
            alone = s.run(call, s.net(), tuple(x[i : i + 1] for x in arrays))
            d = difference(alone, tuple(x[i : i + 1] for x in together), tolerance=TOLERANCE, at=call.name)
            require(not d, f"alone and together with {EXAMPLES - 1} others: {d}")


def _padding(s: Subject) -> None:
    """Masked ticks at the end of a window change nothing of the ticks whose reach lies before them."""
    for call in (c for c in s.calls if c.in_time):
        arrays = s.draw(call, 1)
        end = s.ticks - s.reach
        cut = s.run(call, s.net(), arrays)
        padded = s.run(call, s.net(), followed(arrays, s.ticks, MORE))
        d = difference(
            tuple(x[:, :end] for x in cut), tuple(x[:, :end] for x in padded), tolerance=TOLERANCE, at=call.name
        )
        require(not d, f"in a window of {s.ticks} ticks, and of {MORE} masked ones more: {d}")
    if s.part == "visual":
        raise DoesNotApply("it sees single ticks")


def _masked(s: Subject) -> None:
    """What is not known or not present has no say."""
    if s.part != "fusion":
        raise DoesNotApply("sound that is masked is zero, and pictures are not masked")
    rng = np.random.default_rng(8)
    for call in s.calls:
        values, known, *rest = s.draw(call, EXAMPLES)
        garbage = np.where(known, values, rng.uniform(-1, 1, values.shape)).astype(np.float32)
        outs = [s.run(call, s.net(), (x, known, *rest)) for x in (values, garbage)]
        d = difference(*outs, tolerance=TOLERANCE, at=call.name)
        require(not d, f"with zeros and with other numbers where nothing is known: {d}")


def _reach(s: Subject) -> None:
    """A tick's outputs do not depend on ticks farther away than it says."""
    if s.part == "visual":
        raise DoesNotApply("it sees single ticks")
    middle = s.ticks // 2
    far = np.abs(np.arange(s.ticks) - middle) > s.context
    for call in (c for c in s.calls if c.in_time):
        arrays, others = s.draw(call, 1), s.draw(call, 1, seed=77)
        changed = tuple(x.copy() for x in arrays)
        for x, other in zip(changed, others, strict=True):
            quiet = other if other.dtype == bool else other / 10  # something else entirely
            per_tick(x, s.ticks)[:, far] = per_tick(quiet, s.ticks)[:, far]
        outs = [tuple(x[:, middle] for x in s.run(call, s.net(), a)) for a in (arrays, changed)]
        d = difference(*outs, tolerance=TOLERANCE, at=call.name)
        require(not d, f"it says that {s.context} ticks on either side have a say; with others farther away: {d}")


def _save_restore(s: Subject) -> None:
    """Parameters that are stored and put into another one make it say the same."""
    values = {n: np.asarray(v[...]) for n, v in flat_parameters(s.net()).items()}
    with tempfile.TemporaryDirectory(prefix="avdetect-part-") as folder:
        file = Path(folder) / "part.safetensors"
        save_file(values, file)
        for what, other in (("one made with other seeds", s.made(5)), ("one made empty, as bundles do", s.empty())):
            fill(other, load_file(file), "what was stored")
            other.eval()
            for call in s.calls:
                arrays = s.draw(call, EXAMPLES)
                d = difference(s.run(call, s.net(), arrays), s.run(call, other, arrays), at=call.name)
                require(not d, f"restored into {what}: {d}")


def _compiles_once(s: Subject) -> None:
    """For inputs of one shape it is traced once."""
    for call in s.calls:
        net = s.net(fresh=True)
        net.train()
        traced, compiled = _counted(call)
        for seed in (1, 2, 3):
            compiled(net, *s.draw(call, 1, seed=seed))
        require(len(traced) == 1, f"three inputs of one shape to {call.name} in training: traced {len(traced)} times")


def _counted(call: Call) -> tuple[list[str], Callable[..., Any]]:
    traced: list[str] = []

    def step(net: Any, *arrays: Any) -> Any:
        traced.append(call.name)  # only while it is traced
        return call.run(net, *arrays)

    return traced, nnx.jit(step)


def _trainable(s: Subject) -> None:
    """Gradients are finite, of ordinary and extreme inputs, and not all zero; what training passes is taken."""
    net = s.net(fresh=True)
    net.train()
    for call in s.calls:
        slopes = nnx.jit(nnx.grad(_loss_in_training(s.part, call)))
        for what, arrays in ({"ordinary inputs": s.draw(call, 1)} | call.extremes(1, s.ticks)).items():
            found = {n: np.asarray(v[...]) for n, v in _flat(slopes(net, *arrays)).items()}
            bad = [name for name, slope in found.items() if not np.isfinite(slope).all()]
            require(not bad, f"for {what}, the gradient of {call.name} is not finite in {', '.join(bad[:3])}")
            if what == "ordinary inputs":
                require(any(x.any() for x in found.values()), f"{call.name} has no gradient: nothing can be learnt")


def _loss_in_training(part: str, call: Call) -> Callable[..., jax.Array]:
    def loss(net: Any, *arrays: Any) -> jax.Array:
        out = net(*arrays, cover=(jax.random.key(0), 0.5)) if part == "audio" else call.run(net, *arrays)
        return jnp.stack([jnp.square(x - 1).mean() for x in out]).sum()

    return loss


def _flat(state: Any) -> dict[str, Any]:
    """The variables of a state by dotted path."""
    return {".".join(map(str, path)): leaf for path, leaf in nnx.to_flat_state(state)}


KIT = Kit(
    "encoder",
    opened,
    (
        _api_version,
        _declared,
        _options,
        _ticks_around,
        _kept,
        _shapes,
        _finite,
        _probabilities,
        _deterministic,
        _batch_of_one,
        _reach,
        _padding,
        _masked,
        _save_restore,
        _compiles_once,
        _trainable,
    ),
)


def check_encoder(plugin: Any, part: str = "", *, options: Any = None) -> dict[str, str]:
    """Make all checks of a visual encoder, an audio encoder or a fusion head.

    Args:
        plugin: registered name, ``package.module:attribute``, ``path/to/file.py:attribute``, or the class.
        part: ``visual``, ``audio`` or ``fusion``; empty = by where the name is registered, or by the methods.
        options: to make it with, as small as you like; ``None`` = its usual ones.

    Returns:
        Checks that do not apply, each with the reason.

    Raises:
        ConformanceError: at the first check that fails.
    """
    return KIT.run(plugin, part, options=options)


def encoder_checks() -> list[tuple[str, Callable[..., str]]]:
    """Name and function of each check, for ``pytest.mark.parametrize``; each takes what `check_encoder` takes."""
    return KIT.pairs()

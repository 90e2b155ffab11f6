"""How fast this device multiplies matrices, to compare a training step with.

Examples:
    python -m train.peak
    python -m train.peak --dtype bfloat16
"""

from __future__ import annotations

import time
from typing import Annotated, Any

import typer

CHAIN = 8
ROUNDS = 3


def matmul_peak(dtype: Any, *, size: int | None = None) -> float:
    """FLOP/s of one device in chained products of square matrices, the best of a few rounds.

    Args:
        dtype: of the matrices.
        size: of their side; by default what keeps the platform busy for some tens of milliseconds.
    """
    import jax
    import jax.numpy as jnp

    size = size or (768 if jax.default_backend() == "cpu" else 8192)
    device = jax.local_devices()[0]

    @jax.jit
    def chain(a: jax.Array, b: jax.Array) -> jax.Array:
        # Scaled to stay finite; the products depend on each other, so that none can be left out.
        return jax.lax.fori_loop(0, CHAIN, lambda _, x: (x @ b) * (1.0 / size), a)

    a, b = jax.device_put((jnp.ones((size, size), dtype), jnp.ones((size, size), dtype)), device)
    chain(a, b).block_until_ready()
    best = float("inf")
    for _ in range(ROUNDS):
        before = time.perf_counter()
        chain(a, b).block_until_ready()
        best = min(best, time.perf_counter() - before)
    return CHAIN * 2.0 * size**3 / best


def machine_peak(dtype: Any) -> float:
    """FLOP/s of all devices of all processes. The CPU devices of one process share its cores and count once."""
    import jax

    count = jax.process_count() if jax.default_backend() == "cpu" else jax.device_count()
    return count * matmul_peak(dtype)


def step_flops(step: Any, *args: Any, accumulate: int = 1) -> float | None:
    """Floating-point operations of a jitted step over all devices, by XLA's count; ``None`` where it gives none.

    The count is of the program before it is optimised and divided among devices: afterwards products may hide in
    library calls that are not counted. XLA counts the body of a loop once, hence ``accumulate``.
    """
    found = step.lower(*args).cost_analysis()
    found = found[0] if isinstance(found, list | tuple) else found
    flops = (found or {}).get("flops", 0.0)
    return float(flops) * accumulate if flops > 0 else None


def main(
    dtype: Annotated[str, typer.Option(help="float32, bfloat16 or auto (that of the models here).")] = "auto",
) -> None:
    """Print the matrix-product speed of this machine."""
    import jax

    from avdetect.models.layers import compute_dtype

    chosen: Any = compute_dtype(dtype)  # pyright: ignore[reportArgumentType]
    name = jax.local_devices()[0].device_kind
    typer.echo(f"{name}: {matmul_peak(chosen) / 1e12:.4g} TFLOP/s in {jax.numpy.dtype(chosen).name}")


if __name__ == "__main__":
    typer.run(main)

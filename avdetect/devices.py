"""Device set-up that every program shares: the persistent compilation cache."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def cache_folder() -> Path:
    """Where compiled programs are kept: ``AVDETECT_CACHE``, else the platform's cache folder."""
    if named := os.environ.get("AVDETECT_CACHE"):
        return Path(named)
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local"))
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))
    return base / "avdetect"


def use_compilation_cache() -> None:
    """Let XLA keep compiled programs between runs (``AVDETECT_CACHE=off`` turns it off; set paths are respected)."""
    import jax

    if os.environ.get("AVDETECT_CACHE") == "off" or jax.config.jax_compilation_cache_dir:  # pyright: ignore
        return
    folder = cache_folder() / "xla"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:  # a read-only home: compile anew each time
        return
    jax.config.update("jax_compilation_cache_dir", str(folder))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
    jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)

"""A small tree for every reader that is built in, as its own tests plant it, with nothing left out."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

from tests.data.sources import test_half_copied as sound_sets
from tests.data.sources import test_half_copied_faces as face_sets
from tests.data.sources.planted import plant
from tests.data.sources.test_talking_sets import ravdess

LEFT_OUT = {"avlips": "1_fake/1.mp4", "lrs3": "test/0ZfSOArXbGQ/00004.mp4"}
"""Films that these trees lack on purpose."""


def manifest(root: Path) -> None:
    """A table of everything that a manifest can say."""
    rows = [
        {"path": f"{part}/{i}.mp4", "label": label, "source": "mine", "identity": str(i), "split": part}
        for i, (part, label) in enumerate(product(("train", "test"), ("RVRA", "FVRA", "RVFA")))
    ]
    rows[1] |= {"segments": '[[0.5, 1.0, "visual"]]', "generator": "swap"}
    texts = {"manifest.jsonl": "\n".join(json.dumps(row) for row in rows)}
    plant(root, *(row["path"] for row in rows), texts=texts)


_SMALL: dict[str, Callable[[Path], Any]] = {"manifest": manifest, "ravdess": partial(ravdess, count=2)}
OPTIONS = {"ravdess": {"actors": "1,2"}}
"""With which these trees are to be read."""


def tree_of(name: str) -> Callable[[Path], Any]:
    """A function that plants it.

    Raises:
        KeyError: nobody planted a tree for this reader yet.
    """
    if name in _SMALL:
        return _SMALL[name]
    layout = sound_sets.LAYOUTS.get(name) or face_sets.LAYOUTS.get(name)
    if layout is None:
        raise KeyError(
            f"no tree for the reader {name!r}: add one to LAYOUTS of tests/data/sources/test_half_copied*.py"
        )

    def planted(root: Path) -> None:
        layout.plant(root)
        if name in LEFT_OUT:
            plant(root, LEFT_OUT[name])

    return planted

"""The preprocessing contract: everything that fixes what the networks are shown.

It is saved with every bundle. A bundle made under another contract is refused: its scores would be quietly wrong.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from typing import Any

from avdetect.faces.align import Alignment
from avdetect.models import audio, frontend, sync
from avdetect.types import MAX_LAG, SAMPLE_RATE, TICK_RATE


def contract() -> dict[str, Any]:
    """The contract of this version, JSON-ready."""
    facts = {
        "tick_rate": TICK_RATE,
        "sample_rate": SAMPLE_RATE,
        "max_lag": MAX_LAG,
        "alignment": dataclasses.asdict(Alignment()),
        "mel": dataclasses.asdict(frontend.MEL),
        "lfcc": dataclasses.asdict(frontend.LFCC),
        "cmn_radius": frontend.CMN_RADIUS,
        "audio_pool_radius": audio.POOL_RADIUS,
        "lip_points": hashlib.sha256(repr(sync.LIP_POINTS).encode()).hexdigest()[:16],
        "mouth_crop": sync.CROP,
    }
    return json.loads(json.dumps(facts))


def check(found: dict[str, Any], source: str) -> None:
    """Compare the contract of a bundle with this version's.

    Raises:
        ValueError: they differ; names the first fields that do.
    """
    here = contract()
    odd = [name for name in sorted(here.keys() | found.keys()) if here.get(name) != found.get(name)]
    if odd:
        name = odd[0]
        raise ValueError(
            f"{source} was trained under another preprocessing contract ({', '.join(odd)} differ; {name} there: "
            f"{found.get(name)!r}, here: {here.get(name)!r}); use the avdetect version that made it, or train again"
        )

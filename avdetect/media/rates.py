"""The two rates of the clock, as ``avdetect.types`` has them.

The decoder process must start fast and stay small, so it reads them here instead of importing the shared types with
their annotations; a test compares the two.
"""

from __future__ import annotations

TICK_RATE = 25
SAMPLE_RATE = 16_000
SAMPLES_PER_TICK = SAMPLE_RATE // TICK_RATE

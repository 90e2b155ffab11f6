"""Speech synthesis that happens to be installed: each engine is optional and found when it is asked for.

A new engine is a file with ``available()`` and ``speak()`` here and a line below.
"""

from __future__ import annotations

from avdetect.registry import Registry

ENGINES = Registry(
    "speech engine",
    "avdetect.engines",
    {
        "espeak-ng": "avdetect.forge.engines.espeak:ENGINE",
        "flite": "avdetect.forge.engines.flite:ENGINE",
        "festival": "avdetect.forge.engines.festival:ENGINE",
        "piper": "avdetect.forge.engines.piper:ENGINE",
        "hibari": "avdetect.forge.engines.hibari:ENGINE",
        "kokoro": "avdetect.forge.engines.kokoro:ENGINE",
    },
)

"""The voice network of `configs/audio.py`, which also hears voices sent through a neural codec. Tried, not shipped.

python -m train.run --config configs/audio_codec.py --workdir work/voice_codec

What it tells better and what worse is in docs/results.md; its numbers, and those of the ones with systems left out, are
in configs/voice_codec.
"""

from dataclasses import replace

from avdetect.config import Config
from configs.audio import get_config as as_shipped


def get_config() -> Config:
    config = as_shipped()
    data = replace(config.data, records=f"{config.data.records},work/coded", weights=("vocoder=3", "neural_codec=3"))
    return replace(config, data=data)

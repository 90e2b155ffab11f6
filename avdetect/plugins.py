"""All registries, so that they can be listed together."""

from __future__ import annotations

import importlib

from avdetect.registry import Registry

_PLACES = {
    "detector": "avdetect.detectors:DETECTORS",
    "source": "avdetect.data.sources:SOURCES",
    "forgery": "avdetect.forge:FORGERIES",
    "augmentation": "avdetect.augment:AUGMENTATIONS",
    "metric": "avdetect.evaluation.registry:METRICS",
    "visual_encoder": "avdetect.models.registry:VISUAL_ENCODERS",
    "audio_encoder": "avdetect.models.registry:AUDIO_ENCODERS",
    "fusion_head": "avdetect.models.registry:FUSION_HEADS",
    "reporter": "avdetect.report:REPORTERS",
    "engine": "avdetect.forge.engines:ENGINES",
}


def registries() -> dict[str, Registry]:
    """By kind. Imports the registries, which import none of what they name."""
    out = {}
    for kind, place in _PLACES.items():
        module, _, name = place.partition(":")
        out[kind] = getattr(importlib.import_module(module), name)
    return out

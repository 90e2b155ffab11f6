"""All registries, so that they can be listed together. Those of kinds that have no room of their own are made here."""

from __future__ import annotations

import importlib

from avdetect.registry import Registry

DETECTORS = Registry("detector", "avdetect.detectors", {})
VISUAL_ENCODERS = Registry("visual encoder", "avdetect.visual_encoders", {})
AUDIO_ENCODERS = Registry("audio encoder", "avdetect.audio_encoders", {})
FUSION_HEADS = Registry("fusion head", "avdetect.fusion_heads", {})

_PLACES = {
    "detector": "avdetect.plugins:DETECTORS",
    "source": "avdetect.data.sources:SOURCES",
    "forgery": "avdetect.forge:FORGERIES",
    "augmentation": "avdetect.augment:AUGMENTATIONS",
    "metric": "avdetect.evaluation.registry:METRICS",
    "visual_encoder": "avdetect.plugins:VISUAL_ENCODERS",
    "audio_encoder": "avdetect.plugins:AUDIO_ENCODERS",
    "fusion_head": "avdetect.plugins:FUSION_HEADS",
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

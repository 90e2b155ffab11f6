"""Forgeries: functions from something genuine to something forged, deterministic by their random generator."""

from __future__ import annotations

from avdetect.registry import Registry

FORGERIES = Registry(
    "forgery",
    "avdetect.forgeries",
    {
        "self_blend": "avdetect.forge.self_blend:FAMILY",
        "face_swap": "avdetect.forge.face_swap:FAMILY",
        "mouth_paste": "avdetect.forge.mouth_paste:FAMILY",
        "mouth_freeze": "avdetect.forge.mouth_motion:FREEZE",
        "mouth_loop": "avdetect.forge.mouth_motion:LOOP",
        "mouth_warp": "avdetect.forge.mouth_motion:WARP",
        "face_jitter": "avdetect.forge.face_jitter:FAMILY",
        "resynthesis": "avdetect.forge.resynthesis:FAMILY",
        "upscaling": "avdetect.forge.upscaling:FAMILY",
        "shift": "avdetect.forge.timing:SHIFT",
        "drift": "avdetect.forge.timing:DRIFT",
        "stretch": "avdetect.forge.timing:STRETCH",
        "swap_same": "avdetect.forge.sound_swap:SAME_PERSON",
        "swap_other": "avdetect.forge.sound_swap:OTHER_PERSON",
        "griffin_lim": "avdetect.forge.copy_synthesis:FAMILY",
        "world": "avdetect.forge.world:FAMILY",
        "vocoder": "avdetect.forge.vocoder:FAMILY",
        "neural_codec": "avdetect.forge.neural_codec:FAMILY",
        "voice_change": "avdetect.forge.voice_change:FAMILY",
        "tts": "avdetect.forge.revoice:FAMILY",
        "splice_voice": "avdetect.forge.splice:VOICE",
        "splice_face": "avdetect.forge.splice:FACE",
        "splice_both": "avdetect.forge.splice:BOTH",
    },
)

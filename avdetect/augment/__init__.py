"""What recordings go through on their way: cameras, rooms, channels, codecs. The same for genuine and forged clips."""

from __future__ import annotations

from avdetect.registry import Registry

AUGMENTATIONS = Registry(
    "augmentation",
    "avdetect.augmentations",
    {
        "mirror": "avdetect.augment.steps:MIRROR",
        "jitter": "avdetect.augment.steps:JITTER",
        "colour": "avdetect.augment.steps:COLOUR",
        "grey": "avdetect.augment.steps:GREY",
        "gamma": "avdetect.augment.steps:GAMMA",
        "resize": "avdetect.augment.steps:RESIZE",
        "blur": "avdetect.augment.steps:BLUR",
        "picture_noise": "avdetect.augment.steps:PICTURE_NOISE",
        "cutout": "avdetect.augment.steps:CUTOUT",
        "jpeg": "avdetect.augment.steps:JPEG",
        "video_codec": "avdetect.augment.steps:VIDEO_CODEC",
        "reverb": "avdetect.augment.steps:REVERB",
        "equaliser": "avdetect.augment.steps:EQUALISER",
        "sound_noise": "avdetect.augment.steps:SOUND_NOISE",
        "band_limit": "avdetect.augment.steps:BAND_LIMIT",
        "gain": "avdetect.augment.steps:GAIN",
        "clipping": "avdetect.augment.steps:CLIPPING",
        "companding": "avdetect.augment.steps:COMPANDING",
        "sound_codec": "avdetect.augment.steps:SOUND_CODEC",
    },
)

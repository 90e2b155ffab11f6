"""The face network: genuine faces against forgeries of the same faces, degraded alike, and generated clips.

python -m train.run --config configs/visual.py --workdir work/visual

Short stretches of 11 ticks (two face crops) without sound; a genuine and a forged example of each, through one chain
of degradations, mild enough that texture survives in most. Of the development clips, people of folds 0-2 are trained
on, 3 and 4 validate, 5-9 stay unseen.
"""

from avdetect.augment.config import AugmentConfig
from avdetect.config import Config, DataConfig, ModelConfig, OptimConfig, TextureConfig, TrainConfig


def get_config() -> Config:
    return Config(
        name="visual",
        seed=3,
        model=ModelConfig(visual_encoder="texture", visual=TextureConfig(dropout=0.5)),
        data=DataConfig(
            ticks=11,
            faces=2,
            sound=False,
            paired=True,
            cache=True,
            train_where="split=train;visual_fake=0|split=dev;fold=0,1,2;label=RVRA,FVRA,FV",
            val_where="split=val;visual_fake=0;fold=0,1|split=dev;fold=3,4;label=RVRA,FVRA,FV",
            forgeries=(
                "resynthesis=6",
                "self_blend=0.5",
                "face_swap=0.3",
                "mouth_paste=0.5",
                "mouth_warp=0.5",
                "mouth_freeze=0.2",
                "mouth_loop=0.2",
                "face_jitter=0.2",
            ),
            val_examples=256,
        ),
        augment=AugmentConfig(
            video_codec=0.3,
            crf=(14, 32),
            resize=0.04,
            blur=0.02,
            picture_noise=0.05,
            cutout=0.0,
            jpeg=0.02,
            colour=0.3,
            gamma=0.2,
        ),
        optim=OptimConfig(lr=2e-3, warmup=50, weight_decay=0.5),
        train=TrainConfig(part="all", steps=900, batch=32, log_every=25, eval_every=200, save_every=200),
    )

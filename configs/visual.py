"""The face networks: genuine faces against forgeries of the same faces, degraded alike, and generated clips.

python -m train.run --config configs/visual.py --workdir work/visual

Short stretches of 11 ticks (three face crops) without sound; a genuine and a forged example of each, through one chain
of degradations. Of the development clips, people of folds 0-2 are trained on, 3 and 4 validate, 5-9 stay unseen.
"""

from avdetect.augment.config import AugmentConfig
from avdetect.config import Config, DataConfig, ModelConfig, OptimConfig, TrainConfig, VisualConfig


def get_config() -> Config:
    return Config(
        name="visual",
        seed=3,
        model=ModelConfig(visual=VisualConfig()),
        data=DataConfig(
            ticks=11,
            faces=3,
            sound=False,
            paired=True,
            cache=True,
            train_where="split=train;visual_fake=0|split=dev;fold=0,1,2;label=RVRA,FVRA,FV",
            val_where="split=val;visual_fake=0;fold=0,1|split=dev;fold=3,4;label=RVRA,FVRA,FV",
            forgeries=(
                "self_blend=4",
                "face_swap=1",
                "mouth_paste=2",
                "mouth_warp=1.5",
                "mouth_freeze=0.5",
                "mouth_loop=0.5",
                "face_jitter=0.5",
            ),
            val_examples=256,
        ),
        augment=AugmentConfig(video_codec=0.5, resize=0.35),
        optim=OptimConfig(lr=1e-3, warmup=100, weight_decay=0.05),
        train=TrainConfig(part="all", steps=1500, batch=16, log_every=25, eval_every=250, save_every=250),
    )

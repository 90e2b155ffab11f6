"""A texture network over faces: genuine faces against the same faces with a part drawn anew, measured once.

python -m train.run --config configs/visual.py --workdir work/visual_3

Half of the forged faces are drawn anew at a coarser resolution, half grown again by networks for super-resolution
that AVDETECT_UPSCALERS names (docs/training.md). Short stretches of 11 ticks (two face crops); a genuine and a forged
face of each, through one chain of degradations, mild enough that texture survives in most. About one pair in seven is
a recorded forgery beside its original or a genuine face of the development clips. Three of these, with other seeds,
and the convolutional network of bundle 0.1.0 are the committee of the default bundle (tools.committee). Of the
development clips, people of folds 0-2 are trained on, 3 and 4 validate, 5-9 stay unseen.
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
            train_where="split=train;visual_fake=0|split=dev;fold=0,1,2;label=RVRA,FVRA,FV",
            val_where="split=val;visual_fake=0;fold=0,1|split=dev;fold=3,4;label=RVRA,FVRA,FV",
            forgeries=("resynthesis=1", "upscaling=1"),
            bank="work/bank",
            balance=0.0,
            recorded=0.15,
            mates="split=dev;label=RVRA",
        ),
        augment=AugmentConfig(
            jitter=0.0,
            video_codec=0.3,
            crf=(14, 28),
            resize=0.0,
            blur=0.0,
            picture_noise=0.05,
            cutout=0.0,
            jpeg=0.0,
            grey=0.02,
            colour=0.3,
            gamma=0.2,
        ),
        optim=OptimConfig(lr=4e-3, warmup=50, weight_decay=0.5),
        train=TrainConfig(part="visual", steps=600, batch=64, log_every=100, eval_every=600, save_every=600),
    )

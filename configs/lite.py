"""A network over faces whose early filters are those of EfficientNet-Lite0: genuine faces against the same ones forged.

python -m tools.import_lite_weights --out work/lite0
python -m train.run --config configs/lite.py --workdir work/lite

Of each genuine face a forged one: blended with a changed copy of itself, drawn anew coarsely, or grown again by a
network for super-resolution that AVDETECT_UPSCALERS names (docs/training.md). No recorded forgery is seen, so every
generator is new to it. Faces are drawn once (data.bank) and changed anew at every step where they lie. Two of these
and the texture networks are the committee of the default bundle. People of folds 0-2 of the development clips are
trained on, 3 and 4 validate, 5-9 stay unseen. Of an accelerator it takes a minute, of two CPU cores more than an hour.
"""

from avdetect.augment.config import AugmentConfig
from avdetect.config import Config, DataConfig, LiteConfig, ModelConfig, OptimConfig, TrainConfig


def get_config() -> Config:
    return Config(
        name="lite",
        seed=5,
        model=ModelConfig(visual_encoder="lite", visual=LiteConfig()),
        data=DataConfig(
            ticks=6,
            faces=1,
            sound=False,
            mouths=False,
            paired=True,
            train_where="split=train;visual_fake=0|split=dev;fold=0,1,2;label=RVRA",
            val_where="split=val;visual_fake=0;fold=0,1|split=dev;fold=3,4;label=RVRA,FVRA,FV",
            forgeries=("self_blend=1", "resynthesis=1", "upscaling=1.5"),
            bank="work/bank",
            draws=75.0,
            balance=0.3,
            recorded=0.0,
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
        optim=OptimConfig(lr=3e-4, warmup=100, weight_decay=0.05, ema=0.995, b2=0.999),
        train=TrainConfig(
            part="visual", steps=1200, batch=128, log_every=100, eval_every=1200, save_every=1200,
            warm_start="work/lite0/part",
        ),
    )  # fmt: skip

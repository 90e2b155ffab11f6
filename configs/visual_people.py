"""The face CNN, second stage: self-blends of more people, cameras and codecs (development clips of folds 0-2 too).

python -m train.run --config configs/visual_people.py --workdir work/visual
"""

from avdetect.config import Config, DataConfig, ModelConfig, OptimConfig, TrainConfig, VisualConfig


def get_config() -> Config:
    return Config(
        name="visual_people",
        seed=6,
        model=ModelConfig(visual=VisualConfig()),
        data=DataConfig(
            train_where="split=train;visual_fake=0|split=dev;fold=0,1,2;visual_fake=0",
            val_where="split=val;visual_fake=0;fold=0,1|split=dev;fold=3,4;visual_fake=0,1",
        ),
        optim=OptimConfig(lr=4e-4, warmup=100, weight_decay=0.05),
        train=TrainConfig(
            part="visual", steps=900, batch=32, eval_every=300, save_every=300, warm_start="work/visual_blends/part"
        ),
    )

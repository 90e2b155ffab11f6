"""The face CNN, second stage: more people, and the forged development clips of folds 0-2.

python -m train.run --config configs/visual_forged.py --workdir work/visual
"""

from avdetect.config import Config, DataConfig, ModelConfig, OptimConfig, TrainConfig, VisualConfig


def get_config() -> Config:
    return Config(
        name="visual_forged",
        seed=6,
        model=ModelConfig(visual=VisualConfig()),
        data=DataConfig(
            train_where="split=train;visual_fake=0|split=dev;fold=0,1,2;visual_fake=0,1",
            val_where="split=val;visual_fake=0;fold=0,1|split=dev;fold=3,4;visual_fake=0,1",
        ),
        optim=OptimConfig(lr=7e-4, warmup=100, weight_decay=0.05),
        train=TrainConfig(
            part="visual", steps=1200, batch=32, eval_every=300, save_every=300, warm_start="work/visual_blends/part"
        ),
    )

"""The face CNN on self-blends of genuine faces, and on the forged development clips of folds 0-2.

python -m train.run --config configs/visual.py --workdir work/visual
"""

from avdetect.config import Config, DataConfig, ModelConfig, OptimConfig, TrainConfig, VisualConfig


def get_config() -> Config:
    return Config(
        name="visual",
        seed=3,
        model=ModelConfig(visual=VisualConfig()),
        data=DataConfig(
            train_where="split=train;visual_fake=0|split=dev;fold=0,1,2;visual_fake=0,1",
            val_where="split=val;visual_fake=0;fold=0,1|split=dev;fold=3,4;visual_fake=0,1",
        ),
        optim=OptimConfig(lr=1e-3, warmup=100, weight_decay=0.05),
        train=TrainConfig(part="visual", steps=2400, batch=32, eval_every=300, save_every=300),
    )

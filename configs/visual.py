"""The face CNN, first stage: self-blends of the genuine faces of the training split.

python -m train.run --config configs/visual.py --workdir work/visual_blends
"""

from avdetect.config import Config, DataConfig, ModelConfig, OptimConfig, TrainConfig, VisualConfig


def get_config() -> Config:
    return Config(
        name="visual",
        seed=3,
        model=ModelConfig(visual=VisualConfig()),
        data=DataConfig(train_where="split=train;visual_fake=0", val_where="split=val;visual_fake=0"),
        optim=OptimConfig(lr=1e-3, warmup=100, weight_decay=0.05),
        train=TrainConfig(part="visual", steps=1500, batch=32, eval_every=300, save_every=300),
    )

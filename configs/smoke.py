"""A run of seconds that shows that the whole of training works: all five parts, tiny, on a few clips.

python -m train.run --config configs/smoke.py --workdir work/smoke --set data.records=work/records
"""

from avdetect.config import (
    AudioConfig,
    Config,
    DataConfig,
    FusionConfig,
    ModelConfig,
    OptimConfig,
    SyncConfig,
    TrainConfig,
    VisualConfig,
)


def get_config() -> Config:
    return Config(
        name="smoke",
        model=ModelConfig(
            sync_landmarks=SyncConfig(width=32, blocks=1, embedding=32),
            visual=VisualConfig(widths=(8, 16, 16)),
            audio=AudioConfig(widths=(8, 8), hidden=16),
            fusion=FusionConfig(radii=(5, 12), channels=8, hidden=8),
        ),
        data=DataConfig(train_where="", val_where="", max_clips=16, ticks=32, faces=1, val_examples=32),
        optim=OptimConfig(lr=5e-3, warmup=5),
        train=TrainConfig(part="all", steps=20, batch=8, log_every=5, eval_every=10, save_every=10),
    )

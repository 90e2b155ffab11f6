"""A run of seconds that shows that the whole of training works: the landmark pair, small, on a few clips.

python -m train.run --config configs/smoke.py --workdir work/smoke --set data.records=work/records
"""

from avdetect.config import Config, DataConfig, ModelConfig, OptimConfig, SyncConfig, TrainConfig


def get_config() -> Config:
    return Config(
        name="smoke",
        model=ModelConfig(sync_landmarks=SyncConfig(width=32, blocks=1, embedding=32)),
        data=DataConfig(train_where="", val_where="", max_clips=16),
        optim=OptimConfig(lr=5e-3, warmup=5),
        train=TrainConfig(part="sync_landmarks", steps=20, batch=8, log_every=5, eval_every=10, save_every=10),
    )

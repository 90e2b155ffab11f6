"""The lip-sync pair that sees mesh points, in the size that a CPU trains in minutes.

python -m train.run --config configs/sync_landmarks_cpu.py --workdir work/sync_landmarks_cpu
"""

from avdetect.config import Config, DataConfig, ModelConfig, OptimConfig, SyncConfig, TrainConfig


def get_config() -> Config:
    return Config(
        name="sync_landmarks",
        seed=1,
        model=ModelConfig(sync_landmarks=SyncConfig(input="landmarks", width=192, blocks=2, dropout=0.25)),
        data=DataConfig(
            offsets="configs/offsets.json",
            train_where="split=train;source=LRC-AR|split=dev;label=RVRA;fold=0,1,2",
            val_where="split=val;source=LRC-AR",
        ),
        optim=OptimConfig(lr=2e-3, warmup=200, weight_decay=0.1),
        train=TrainConfig(part="sync_landmarks", steps=2400, batch=32, eval_every=500, save_every=500),
    )

"""The lip-sync pair that sees mesh points; made on an accelerator (on a CPU: configs/sync_landmarks_cpu.py).

python -m train.run --config configs/sync_landmarks.py --workdir work/sync_landmarks
"""

from avdetect.config import Config, DataConfig, ModelConfig, OptimConfig, SyncConfig, TrainConfig


def get_config() -> Config:
    return Config(
        name="sync_landmarks",
        seed=1,
        model=ModelConfig(sync_landmarks=SyncConfig(input="landmarks", stem="conv", dropout=0.3)),
        data=DataConfig(
            resident=True,
            offsets="configs/offsets.json",
            train_where="split=train;source=LRC-AR|split=dev;label=RVRA;fold=0,1,2",
            val_where="split=val;source=LRC-AR",
        ),
        optim=OptimConfig(lr=2e-3, warmup=200, weight_decay=0.1),
        train=TrainConfig(part="sync_landmarks", steps=1800, batch=256, eval_every=600, save_every=600),
    )

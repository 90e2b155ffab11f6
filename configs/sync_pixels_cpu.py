"""The lip-sync pair that sees mouth pixels, in the size that a CPU trains; its sound trunk starts from that of meshes.

python -m train.run --config configs/sync_pixels_cpu.py --workdir work/sync_pixels_cpu
"""

from avdetect.config import Config, DataConfig, ModelConfig, OptimConfig, SyncConfig, TrainConfig


def get_config() -> Config:
    return Config(
        name="sync_pixels",
        seed=2,
        model=ModelConfig(sync_pixels=SyncConfig(input="pixels", width=192, blocks=2, dropout=0.25)),
        data=DataConfig(
            offsets="configs/offsets.json",
            train_where="split=train;source=LRC-AR|split=dev;label=RVRA;fold=0,1,2",
            val_where="split=val;source=LRC-AR",
        ),
        optim=OptimConfig(lr=1.5e-3, warmup=200, weight_decay=0.1),
        train=TrainConfig(
            part="sync_pixels",
            steps=2400,
            batch=32,
            eval_every=500,
            save_every=500,
            warm_start="work/sync_landmarks_cpu/part",
        ),
    )

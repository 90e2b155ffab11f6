"""The lip-sync pair that sees mouth pixels; made on an accelerator (on a CPU: configs/sync_pixels_cpu.py).

python -m train.run --config configs/sync_pixels.py --workdir work/sync_pixels
"""

from avdetect.config import Config, DataConfig, ModelConfig, OptimConfig, SyncConfig, TrainConfig


def get_config() -> Config:
    return Config(
        name="sync_pixels",
        seed=2,
        model=ModelConfig(sync_pixels=SyncConfig(input="pixels", stem="conv", dropout=0.3)),
        data=DataConfig(
            resident=True,
            offsets="configs/offsets.json",
            train_where="split=train;source=LRC-AR|split=dev;label=RVRA;fold=0,1,2",
            val_where="split=val;source=LRC-AR",
        ),
        optim=OptimConfig(lr=1.5e-3, warmup=200, weight_decay=0.1),
        train=TrainConfig(part="sync_pixels", steps=2600, batch=256, eval_every=650, save_every=650),
    )

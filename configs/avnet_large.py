"""All five parts at once on many accelerators: parameters sharded over four devices, the batch over all of them.

On every host: python -m train.run --config configs/avnet_large.py --workdir /shared/avnet_large --distributed

Not yet run: no accelerators were at hand. 142.9 M parameters.
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
        name="avnet_large",
        seed=13,
        model=ModelConfig(
            sync_landmarks=SyncConfig(input="landmarks", width=1024, blocks=6, embedding=256, dropout=0.2),
            sync_pixels=SyncConfig(input="pixels", width=1024, blocks=6, embedding=256, dropout=0.2),
            visual=VisualConfig(widths=(96, 192, 384, 512), blocks=4),
            audio=AudioConfig(widths=(64, 128, 192), hidden=384),
            fusion=FusionConfig(channels=32, hidden=64),
        ),
        data=DataConfig(
            ticks=150,
            faces=8,
            per_person=4,
            threads=2,
            workers=12,
            offsets="configs/offsets_lrc_ar.json",
            train_where="split=train|split=dev;fold=0,1,2",
            val_where="split=val|split=dev;fold=3,4",
            val_examples=512,
        ),
        optim=OptimConfig(lr=1e-3, warmup=4000, weight_decay=0.05, ema=0.999),
        train=TrainConfig(part="all", steps=100_000, batch=1024, eval_every=1000, save_every=1000),
    )

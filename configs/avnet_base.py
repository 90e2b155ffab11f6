"""All five parts at once on one GPU: wider and deeper, longer clips, larger batches, bfloat16.

python -m train.run --config configs/avnet_base.py --workdir work/avnet_base

Not yet run: no accelerator was at hand. 25.6 M parameters.
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
        name="avnet_base",
        seed=12,
        model=ModelConfig(
            sync_landmarks=SyncConfig(input="landmarks", width=512, blocks=4, embedding=256, dropout=0.2),
            sync_pixels=SyncConfig(input="pixels", width=512, blocks=4, embedding=256, dropout=0.2),
            visual=VisualConfig(widths=(64, 128, 256), blocks=3),
            audio=AudioConfig(widths=(48, 96, 128), hidden=192),
            fusion=FusionConfig(channels=32, hidden=64),
        ),
        data=DataConfig(
            ticks=100,
            faces=8,
            per_person=4,
            threads=2,
            workers=12,
            offsets="configs/offsets_lrc_ar.json",
            train_where="split=train|split=dev;fold=0,1,2",
            val_where="split=val|split=dev;fold=3,4",
            val_examples=512,
        ),
        optim=OptimConfig(lr=1e-3, warmup=1000, weight_decay=0.05, ema=0.999),
        train=TrainConfig(part="all", steps=20_000, batch=128, eval_every=1000, save_every=1000),
    )

"""All five parts at once, forged on the fly, on a CPU.

python -m train.run --config configs/avnet_small.py --workdir work/avnet_small

500 steps (--set train.steps=500) took a quarter of an hour on two cores that other work shared: 0.6-0.8 steps/s,
devices idle for want of data less than 0.1 % of the time, 0.39-0.56 of the speed of a matrix product; validation AUC
visual 0.70, audio 0.74, mismatch 0.62, speech 0.96. Figures on people not trained on: docs/results.md. The 1500 steps
of this file have not been run.
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
        name="avnet_small",
        seed=11,
        model=ModelConfig(
            sync_landmarks=SyncConfig(input="landmarks", width=256, blocks=2, dropout=0.25),
            sync_pixels=SyncConfig(input="pixels", width=192, blocks=2, dropout=0.25),
            visual=VisualConfig(),
            audio=AudioConfig(),
            fusion=FusionConfig(),
        ),
        data=DataConfig(
            ticks=48,
            faces=2,
            per_person=4,
            workers=2,
            offsets="configs/offsets_lrc_ar.json",
            train_where="split=train|split=dev;fold=0,1,2",
            val_where="split=val|split=dev;fold=3,4",
        ),
        optim=OptimConfig(lr=1.5e-3, warmup=100, weight_decay=0.05),
        train=TrainConfig(part="all", steps=1500, batch=16, log_every=25, eval_every=250, save_every=250),
    )

"""The voice network: genuine voices against their copy-synthesis, dubbing and lip-to-speech systems and speech engines.

python -m train.run --config configs/audio.py --workdir work/voice

Of the development clips, people of folds 0-2 are trained on, 3 and 4 validate, 5-9 stay unseen. Systems left out of a
training for the leave-one-system-out table: --set "data.train_where=..." with "generator!=A,B" (docs/training.md).
"""

from avdetect.config import AudioConfig, Config, DataConfig, ModelConfig, OptimConfig, TrainConfig


def get_config() -> Config:
    return Config(
        name="audio",
        seed=4,
        model=ModelConfig(audio=AudioConfig()),
        data=DataConfig(
            records="work/records,work/speech,work/vocoded,work/packages,work/packages_vocoded",
            ticks=100,
            weights=("vocoder=3",),
            train_where="split=train;audio_fake=0,1|split=dev;label=RVRA,RVFA;fold=0,1,2",
            val_where="split=val;audio_fake=0,1|split=dev;label=RVRA,RVFA;fold=3,4",
        ),
        optim=OptimConfig(lr=1.5e-3, warmup=100, weight_decay=0.05),
        train=TrainConfig(part="audio", steps=1200, batch=24, eval_every=400, save_every=400),
    )

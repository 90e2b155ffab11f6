"""The voice network: genuine voices against their copy-synthesis and against dubbing and lip-to-speech systems.

python -m train.run --config configs/audio.py --workdir work/audio

Of the development clips, people of folds 0-2 are trained on, 3 and 4 validate, 5-9 stay unseen; VDTTS, ReVISE and the
FastSpeech2 and Tortoise voices are not used at all.
"""

from avdetect.config import AudioConfig, Config, DataConfig, ModelConfig, OptimConfig, TrainConfig

PAIRED = "path=lrs3_aligndit*,lrs3_dubbing*,lrs3_lip2speech*,lrs3_avlit*"


def get_config() -> Config:
    return Config(
        name="audio",
        seed=4,
        model=ModelConfig(audio=AudioConfig()),
        data=DataConfig(
            ticks=100,
            train_where=f"split=train;audio_fake=0|{PAIRED};fold=0,1,2",
            val_where=f"split=val;audio_fake=0|{PAIRED};fold=3,4",
        ),
        optim=OptimConfig(lr=1.5e-3, warmup=100, weight_decay=0.05),
        train=TrainConfig(part="audio", steps=1500, batch=16, eval_every=300, save_every=300),
    )

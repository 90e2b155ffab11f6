"""The fusion head over the frozen parts, on development clips of folds 0-2 (3 and 4 validate, 5-9 stay unseen).

The pairs were trained on the genuine ones of these clips and are surer of them than of any to come. So each clip is
heard by pairs that met none of its source. Beside the clips stand two copies of each as people share them
(`tools/share_copies.py`): what it hears of small and compressed faces is no mismatch either.

python -m train.run --config configs/fusion.py --workdir work/fusion
"""

from avdetect.config import Config, DataConfig, FusionConfig, ModelConfig, OptimConfig, TrainConfig


def get_config() -> Config:
    return Config(
        name="fusion",
        seed=5,
        model=ModelConfig(fusion=FusionConfig(place=True)),
        data=DataConfig(
            records="work/records,work/shared",
            ticks=192,
            train_where="split=dev;fold=0,1,2",
            val_where="split=dev;fold=3,4",
        ),
        optim=OptimConfig(lr=2e-3, warmup=50),
        train=TrainConfig(
            part="fusion",
            steps=1200,
            batch=16,
            eval_every=300,
            save_every=300,
            frozen=("work/sync_landmarks/part", "work/sync_pixels/part", "work/visual/part", "work/audio/part"),
            heard_by=(
                "source=LRS3@work/left_out/lrs3_landmarks/part+work/left_out/lrs3_pixels/part",
                "source!=LRS3@work/left_out/rest_landmarks/part+work/left_out/rest_pixels/part",
            ),
        ),
    )

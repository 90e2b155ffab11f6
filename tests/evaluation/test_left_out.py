"""What is said to be left out of a training is checked against what was trained on."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from avdetect.bundle import write_part
from avdetect.data.records import encode, record_of
from avdetect.data.store import RecordStore, RecordWriter
from avdetect.evaluation.table import ScoreTable
from avdetect.evaluation.targets import left_out
from avdetect.evaluation.targets.left_out import Comparison, auc_within, compare_left_out, comparisons
from avdetect.testing import synthetic_clip
from tests.small_nets import SMALL, small_net

CLIPS = [
    # source, label, generator, fold, pair
    ("film", "RVRA", "", 0, ""),
    ("film", "FVRA", "Paster", 0, "c0.mp4"),
    ("film", "FVRA", "Redrawer", 0, "c0.mp4"),
    ("film", "RVRA", "", 1, ""),
    ("film", "FVRA", "Paster", 1, "c3.mp4"),
    ("film", "FVRA", "Redrawer", 1, "c3.mp4"),
    ("made", "FV", "Painter", 0, ""),
    ("made", "FV", "Painter", 1, ""),
    ("other", "RVRA", "", 1, ""),
]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> RecordStore:
    folder = tmp_path_factory.mktemp("records")
    with RecordWriter(folder) as writer:
        for i, (source, label, generator, fold, pair) in enumerate(CLIPS):
            meta = {"key": f"c{i}#0@0", "path": f"c{i}.mp4", "source": source, "label": label, "generator": generator,
                    "identity": f"p{i}", "track_id": 0, "start_tick": 0, "visual_fake": str(int(label[0] == "F")),
                    "audio_fake": "0", "fold": str(fold), "pair": pair}  # fmt: skip
            writer.add(encode(record_of(synthetic_clip(i, 30), meta["key"], meta, speech=np.ones(30))), meta)
    return RecordStore(folder)


@pytest.fixture
def part(tmp_path: Path):
    """Writes a small picture network that claims to have been trained on some clips."""

    def write(trained_on: str) -> str:
        write_part(tmp_path / "part", "visual", small_net("visual").visual, SMALL)
        (tmp_path / "config.json").write_text(json.dumps({"data": {"train_where": trained_on}}))
        return str(tmp_path / "part")

    return write


def rule(part: str, forged: str, genuine: str, **more) -> Comparison:
    return Comparison("row", part, "visual", forged, genuine, **more)


def test_an_auc_with_its_interval(store: RecordStore, part, tmp_path: Path) -> None:
    met = part("fold=0;generator!=Redrawer")
    found = compare_left_out(rule(met, "generator=Redrawer;fold=1", "source=other"), store, tmp_path / "kept")
    assert (found["forged"], found["genuine"]) == (1, 1) and found["auc"] in (0.0, 0.5, 1.0)
    assert np.isnan(found["ci"]).all(), "two people give no interval"
    (kept,) = (tmp_path / "kept").glob("*.parquet")
    forged, genuine = ScoreTable.read(kept).numbers("visual")
    assert found["auc"] == (forged > genuine) + 0.5 * (forged == genuine)
    assert found["own"] == 0 and np.isnan(found["own_auc"]), "the clip it was made of is not among them"


def test_each_forged_clip_beside_the_one_it_was_made_of(store: RecordStore, part, tmp_path: Path) -> None:
    wanted = rule(part("generator=Painter"), "generator=Redrawer,Paster", "source=film;label=RVRA")
    found = compare_left_out(wanted, store, tmp_path / "kept")
    values = dict(
        zip(
            (t := ScoreTable.read(next((tmp_path / "kept").glob("*.parquet"))))["key"], t.numbers("visual"), strict=True
        )
    )
    score = [values[f"c{i}#0@0"] for i in range(6)]
    right = [score[i] > score[j] for i, j in ((1, 0), (2, 0), (4, 3), (5, 3))]
    assert found["own"] == 4 and found["own_auc"] == np.mean(right)


@pytest.mark.parametrize(
    ("trained_on", "forged", "genuine", "named"),
    [
        ("fold=0", "generator=Redrawer", "source=other", "clips it would be tested on"),
        ("fold=0;generator!=Redrawer", "generator=Redrawer;fold=1", "source=film;label=RVRA", "such as c0"),
        ("fold=0", "generator=Paster;fold=1", "source=other", "clips of Paster"),
        ("fold=0;generator!=Paster", "source=made;fold=1", "source=other", "clips of Painter"),
    ],
)
def test_what_was_met_is_refused(
    store: RecordStore, part, tmp_path: Path, trained_on: str, forged: str, genuine: str, named: str
) -> None:
    with pytest.raises(ValueError, match=named):
        compare_left_out(rule(part(trained_on), forged, genuine), store, tmp_path / "kept")


def test_a_source_of_generated_faces_is_left_out_with_its_generator(store: RecordStore) -> None:
    index = [{**row, "generator": f"g{i}"} for i, row in enumerate(store.index)]

    class Renamed:
        def __init__(self) -> None:
            self.index = index

        def where(self, condition: str) -> list[int]:
            return store.where(condition)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(left_out, "trained_rows", lambda part, store: {6})
        with pytest.raises(ValueError, match="clips from made"):
            left_out.check_left_out(Path("part"), Renamed(), [7], [8])  # type: ignore[arg-type]


def test_clips_only_allows_a_generator_that_was_met(store: RecordStore, part, tmp_path: Path) -> None:
    wanted = rule(part("fold=0"), "generator=Paster;fold=1", "source=other", clips_only=True)
    assert compare_left_out(wanted, store, tmp_path / "kept")["forged"] == 1


def test_a_part_without_its_configuration_is_refused(store: RecordStore, part, tmp_path: Path) -> None:
    folder = part("fold=0")
    (tmp_path / "config.json").unlink()
    with pytest.raises(ValueError, match=r"config\.json is missing"):
        compare_left_out(rule(folder, "generator=Paster;fold=1", "source=other"), store, tmp_path / "kept")


def test_a_condition_that_fits_nothing_is_named(store: RecordStore, part, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no clip fits 'generator=Nobody'"):
        compare_left_out(rule(part("fold=0"), "generator=Nobody", "source=other"), store, tmp_path / "kept")


def test_pairs_within_groups_only_are_counted() -> None:
    values, fake = np.array([1.0, 2.0, 9.0, 8.0]), np.array([False, True, False, True])
    assert auc_within(values, fake, np.zeros(4)) == 0.5
    assert auc_within(values, fake, np.array(["a", "a", "b", "b"])) == 0.5
    assert auc_within(values[:2], fake[:2], np.array(["a", "a"])) == 1.0
    assert np.isnan(auc_within(values[:2], fake[:2], np.array(["a", "b"])))


def test_each_name_makes_a_comparison() -> None:
    found = comparisons([{"title": "{each}!", "part": "p", "head": "visual", "forged": "generator={each}",
                          "genuine": "g", "each": ["A", "B"], "clips_only": True}])  # fmt: skip
    told = [(c.title, c.forged, c.clips_only) for c in found]
    assert told == [
        ("A!", "generator=A", True),
        ("B!", "generator=B", True),
    ]

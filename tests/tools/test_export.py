"""Calibrating a bundle again from the command line, and what the command refuses."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from avdetect.bundle import flat_parameters, write_bundle, write_part
from avdetect.calibration import Calibration, Platt
from avdetect.data.records import encode, record_of
from avdetect.data.store import RecordWriter
from avdetect.testing import synthetic_clip
from tests.small_nets import SMALL, small_net
from tools.export import app


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    net = small_net("audio")
    parameters = {name: value[...] for name, value in flat_parameters(net).items()}
    write_bundle(tmp_path / "bundle", net.config, parameters, Calibration(fake_above=0.77), {"name": "small"})
    return tmp_path / "bundle"


def write_records(folder: Path, n: int = 6) -> None:
    with RecordWriter(folder) as writer:
        for i in range(n):
            fake = str(int(i >= n // 2))
            meta = {
                "key": f"c{i}#0@0", "path": f"c{i}.mp4", "source": "one", "identity": f"p{i}", "track_id": 0,
                "start_tick": 0, "visual_fake": "0", "audio_fake": fake, "generator": "tts" if fake == "1" else "",
                "split": "dev",
            }  # fmt: skip
            writer.add(encode(record_of(synthetic_clip(i, 40), meta["key"], meta, speech=np.ones(40))), meta)


def run(*words: object) -> tuple[int, str]:
    done = CliRunner().invoke(app, [str(w) for w in words])
    return done.exit_code, done.output


def test_a_bundle_is_calibrated_again_in_place_and_to_another_folder(bundle: Path, tmp_path: Path) -> None:
    write_records(tmp_path / "records")
    weights = (bundle / "model.safetensors").read_bytes()
    common = ("--records", tmp_path / "records", "--fit-where", "source=one", "--evidence", tmp_path / "evidence")
    code, said = run("--calibrate-only", bundle, "--out", tmp_path / "other", *common)
    assert code == 0, said
    assert Calibration.from_json((bundle / "calibration.json").read_text()).fake_above == 0.77, "left as it was"
    fitted = Calibration.from_json((tmp_path / "other/calibration.json").read_text())
    card = json.loads((tmp_path / "other/card.json").read_text())
    assert fitted.fitted_on == "source=one" and fitted != Calibration()
    assert card["name"] == "small" and card["calibration"]["clips"] == [3, 6]
    assert len(list((tmp_path / "evidence").glob("*/*.safetensors"))) == 6

    code, said = run("--calibrate-only", bundle, *common)
    assert code == 0, said
    assert (bundle / "calibration.json").read_text() == (tmp_path / "other/calibration.json").read_text()
    assert (bundle / "model.safetensors").read_bytes() == weights
    assert sorted(p.name for p in tmp_path.iterdir()) == ["bundle", "evidence", "other", "records"]

    code, said = run("--calibrate-only", bundle, *common[:2], "--fit-where", "source=nobody", *common[4:])
    assert code == 2 and "no clip in" in said and "source=nobody" in said


def test_what_makes_no_sense_is_refused(tmp_path: Path) -> None:
    assert run("--records", tmp_path) == (2, "error: give either folders of trained parts or --calibrate-only BUNDLE\n")
    code, said = run(tmp_path / "part", "--records", tmp_path)
    assert code == 2 and "--out is missing" in said
    code, said = run(tmp_path / "part", "--records", tmp_path, "--out", tmp_path / "new")
    assert code == 2 and said == f"error: no trained part in {tmp_path / 'part'}; finish that run first\n"
    code, said = run("--calibrate-only", tmp_path / "none", "--records", tmp_path)
    assert code == 2 and said.startswith(f"error: --calibrate-only: {tmp_path / 'none'} is not a bundle")
    assert list(tmp_path.iterdir()) == []


def test_clips_that_a_part_was_trained_on_do_not_calibrate_it(tmp_path: Path) -> None:
    write_records(tmp_path / "records")
    part = tmp_path / "run" / "part"
    write_part(part, "audio", small_net("audio").audio, SMALL)
    (part.parent / "config.json").write_text(json.dumps({"data": {"train_where": "identity=p0,p5"}}))
    common = ("--records", tmp_path / "records", "--out", tmp_path / "new", "--evidence", tmp_path / "evidence")
    code, said = run(part, *common, "--fit-where", "source=one")
    assert code == 2 and "was trained on 2 of the clips of the fit" in said and "such as c0#0@0" in said
    code, said = run(part, *common, "--fit-where", "source=one;identity!=p0,p5", "--genuine-where", "source=one")
    assert code == 2 and "was trained on" in said
    code, said = run(part, *common, "--fit-where", "source=one;identity!=p0,p5")
    assert code == 0, said


def test_forged_clips_may_be_judged_by_a_part_that_never_met_them(bundle: Path, tmp_path: Path) -> None:
    write_records(tmp_path / "records")
    write_part(tmp_path / "other" / "part", "audio", small_net("audio", seed=5).audio, SMALL)
    config = tmp_path / "other" / "config.json"
    config.write_text(json.dumps({"data": {"train_where": "identity=p0"}}))
    common = ("--records", tmp_path / "records", "--fit-where", "source=one", "--evidence", tmp_path / "evidence")
    rule = f"generator=tts@{tmp_path / 'other' / 'part'}"
    assert run("--calibrate-only", bundle, "--out", tmp_path / "plain", *common)[0] == 0
    code, said = run("--calibrate-only", bundle, "--out", tmp_path / "unmet", *common, "--unmet", rule)
    assert code == 0 and "3 clips of 'generator=tts'" in said
    plain, unmet = (Calibration.from_json((tmp_path / n / "calibration.json").read_text()) for n in ("plain", "unmet"))
    assert plain.audio != unmet.audio and "never met" in unmet.fitted_on

    config.write_text(json.dumps({"data": {"train_where": "identity=p0,p5"}}))
    code, said = run("--calibrate-only", bundle, *common, "--unmet", rule)
    assert code == 2 and "was trained on 1 of the clips" in said
    code, said = run("--calibrate-only", bundle, *common, "--unmet", "generator=tts")
    assert code == 2 and "not of the form CONDITION@FOLDER" in said


def test_the_scaling_of_a_network_that_stays_may_be_kept(bundle: Path, tmp_path: Path) -> None:
    write_records(tmp_path / "records")
    before = Platt(temperature=3.0, bias=-1.5)
    net = small_net("audio")
    parameters = {name: value[...] for name, value in flat_parameters(net).items()}
    write_bundle(tmp_path / "before", net.config, parameters, Calibration(audio=before), {"name": "before"})
    common = ("--records", tmp_path / "records", "--fit-where", "source=one", "--evidence", tmp_path / "evidence")
    rule = f"audio@{tmp_path / 'before'}"
    assert run("--calibrate-only", bundle, "--out", tmp_path / "plain", *common)[0] == 0
    code, said = run("--calibrate-only", bundle, "--out", tmp_path / "kept", *common, "--keep-scaling", rule)
    assert code == 0, said
    plain, kept = (Calibration.from_json((tmp_path / n / "calibration.json").read_text()) for n in ("plain", "kept"))
    assert kept.audio == before and plain.audio != before and plain.verdict != kept.verdict
    assert "scaling of the audio branch as before" in kept.fitted_on

    other = small_net("audio", seed=5)
    parameters = {name: value[...] for name, value in flat_parameters(other).items()}
    write_bundle(tmp_path / "before", other.config, parameters, Calibration(audio=before), {"name": "before"})
    for wrong, why in ((rule, "is another network"), (f"visual@{bundle}", "is another network"), ("audio", "form")):
        code, said = run("--calibrate-only", bundle, *common, "--keep-scaling", wrong)
        assert code == 2 and why in said, said

"""Bundles come back as they were written, and a wrong or damaged one is refused with its reason."""

from __future__ import annotations

import ast
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from avdetect import preprocessing
from avdetect.bundle import (
    FILES,
    assemble_net,
    fill,
    flat_parameters,
    load_detector,
    read_parts,
    write_bundle,
    write_part,
)
from avdetect.calibration import Calibration, Platt
from avdetect.config import ModelConfig, SyncConfig, to_dict
from avdetect.models.detector import PARTS
from avdetect.plugin_errors import PluginError
from avdetect.testing import synthetic_clip
from tests.small_nets import SMALL, small_config, small_net

ROOT = Path(__file__).resolve().parents[1]
CALIBRATION = Calibration(visual=Platt(1.7, -0.2), zero_offset_ms=12.5, fitted_on="drawn faces")


def parameters(module) -> dict[str, np.ndarray]:
    return {name: np.asarray(leaf[...]) for name, leaf in flat_parameters(module).items()}


def write(folder: Path, *parts: str) -> Path:
    net = small_net(*parts)
    write_bundle(folder, small_config(*parts), parameters(net), CALIBRATION, {"name": "drawn", "version": "7"})
    return folder


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    return write(tmp_path / "bundle", "visual", "fusion")


def test_round_trip(tmp_path: Path) -> None:
    folder = write(tmp_path / "whole")
    assert sorted(p.name for p in folder.iterdir()) == sorted(FILES)
    detector = load_detector(folder)
    assert detector.net.config == small_config()
    assert detector.calibration == CALIBRATION
    assert {k: detector.card[k] for k in ("name", "version")} == {"name": "drawn", "version": "7"}
    before, after = parameters(small_net()), parameters(detector.net)
    assert before.keys() == after.keys()
    for name, value in before.items():
        assert after[name].dtype == np.float32
        np.testing.assert_array_equal(after[name], value.astype(np.float16).astype(np.float32), err_msg=name)


def test_scores_change_little_by_storing_half_precision(tmp_path: Path) -> None:
    from tests.small_nets import small_detector

    clip = synthetic_clip(3, 40, sound=False)
    stored = load_detector(write(tmp_path / "visual", "visual")).evidence(clip)
    direct = small_detector("visual").evidence(clip)
    np.testing.assert_allclose(stored.visual, direct.visual, atol=0.02)


def test_the_digest_follows_the_content(tmp_path: Path) -> None:
    first, second = (load_detector(write(tmp_path / name, "fusion")).card["sha256"] for name in ("a", "b"))
    assert first == second and len(first) == 64
    folder = tmp_path / "b"
    folder.joinpath("calibration.json").write_text(Calibration().to_json())
    assert load_detector(folder).card["sha256"] != first


@pytest.mark.parametrize("name", FILES)
def test_a_missing_file_is_named(bundle: Path, name: str) -> None:
    (bundle / name).unlink()
    with pytest.raises(FileNotFoundError) as raised:
        load_detector(bundle)
    assert name in str(raised.value) and str(bundle) in str(raised.value)


def test_no_folder_at_all(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="not a bundle"):
        load_detector(tmp_path / "nowhere")


def edit(path: Path, change: Callable[[dict], object]) -> None:
    data = json.loads(path.read_text())
    change(data)
    path.write_text(json.dumps(data))


@pytest.mark.parametrize("field", sorted(preprocessing.contract()))
def test_another_preprocessing_contract_is_refused_by_field(bundle: Path, field: str) -> None:
    edit(bundle / "preprocessing.json", lambda d: d.update({field: "something else"}))
    with pytest.raises(ValueError, match=rf"preprocessing contract.*{field}.*something else") as raised:
        load_detector(bundle)
    assert str(bundle) in str(raised.value)


def test_a_field_too_many_or_too_few_in_the_contract(bundle: Path) -> None:
    edit(bundle / "preprocessing.json", lambda d: d.update({"pitch": 3}))
    with pytest.raises(ValueError, match="pitch"):
        load_detector(bundle)
    edit(bundle / "preprocessing.json", lambda d: [d.pop(name) for name in ("pitch", "mel")])
    with pytest.raises(ValueError, match=r"mel.*None"):
        load_detector(bundle)


def test_the_contract_holds_what_the_networks_are_shown() -> None:
    contract = preprocessing.contract()
    assert contract["tick_rate"] == 25 and contract["sample_rate"] == 16000 and contract["max_lag"] == 15
    assert contract["mel"]["n_mels"] == 64 and contract["alignment"], "nested settings are part of it"
    assert json.loads(json.dumps(contract)) == contract


@pytest.mark.parametrize("name", [n for n in FILES if n.endswith(".json")])
@pytest.mark.parametrize("content", [b"", b'{"format": ', b"[]", b"3", b"null", b"\xff\xfe\x00"], ids=repr)
def test_damaged_json_is_an_error_of_the_bundle(bundle: Path, name: str, content: bytes) -> None:
    (bundle / name).write_bytes(content)
    with pytest.raises(ValueError) as raised:
        load_detector(bundle)
    assert str(bundle) in str(raised.value)


@pytest.mark.parametrize("size", [0, 7, 100, -40])
def test_damaged_weights_are_an_error_of_the_bundle(bundle: Path, size: int) -> None:
    path = bundle / "model.safetensors"
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(ValueError) as raised:
        load_detector(bundle)
    assert str(bundle) in str(raised.value)


def test_unknown_keys_of_the_configuration_are_named(bundle: Path) -> None:
    edit(bundle / "config.json", lambda d: d["visual"].update(attention=4))
    with pytest.raises(ValueError, match="attention"):
        load_detector(bundle)


@pytest.mark.parametrize(
    ("change", "name"),
    [
        (lambda d: d["fusion"].update(radii="wide"), r"fusion\.radii"),
        (lambda d: d["visual"].update(blocks="two"), r"visual\.blocks"),
        (lambda d: d.update(compute_dtype="int8"), "compute_dtype"),
    ],
)
def test_values_of_a_wrong_type_in_the_configuration_are_named(bundle: Path, change, name: str) -> None:
    edit(bundle / "config.json", change)
    with pytest.raises(ValueError, match=name):
        load_detector(bundle)


def test_weights_of_another_shape_or_name_are_named(bundle: Path) -> None:
    edit(bundle / "config.json", lambda d: d["fusion"].update(hidden=24))
    with pytest.raises(ValueError, match=r"does not fit.*fusion"):
        load_detector(bundle)
    edit(bundle / "config.json", lambda d: d.update(fusion=None))
    with pytest.raises(ValueError, match=r"does not fit.*fusion"):
        load_detector(bundle)


@pytest.mark.parametrize(
    ("part", "name", "size"),
    [
        ("audio", "hidden", 10**9),
        ("sync_pixels", "width", 10**13),
        ("sync_pixels", "width", -5),
        ("visual", "widths", []),
    ],
)
def test_sizes_that_cannot_be_are_refused_before_memory_is_taken(
    tmp_path: Path, part: str, name: str, size: object
) -> None:
    folder = write(tmp_path / "bundle", part)
    edit(folder / "config.json", lambda d: d[part].update({name: size}))
    with pytest.raises((ValueError, PluginError)) as raised:
        load_detector(folder)
    assert str(folder) in str(raised.value) or part in str(raised.value)


def test_sizes_of_a_part_are_compared_before_memory_is_taken(tmp_path: Path) -> None:
    write_part(tmp_path, "audio", small_net("audio").audio, small_config("audio"))
    edit(tmp_path / "audio.json", lambda d: d["options"].update(hidden=10**9))
    with pytest.raises(ValueError, match=r"audio\.json does not fit the configured model: .*hidden"):
        assemble_net([tmp_path])


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda x: np.where(np.arange(x.size).reshape(x.shape) == 1, np.nan, x), "numbers that are not finite"),
        (lambda x: np.full_like(x, np.inf), "numbers that are not finite"),
        (lambda x: np.ones(x.shape, np.int8), "type int8, not float"),
        (lambda x: np.ones(x.shape, bool), "type bool, not float"),
    ],
)
def test_weights_that_are_no_numbers_are_refused_by_name(
    bundle: Path, tmp_path: Path, damage: Callable[[np.ndarray], np.ndarray], message: str
) -> None:
    write_part(tmp_path / "part", "fusion", small_net("fusion").fusion, small_config("fusion"))
    for file, name in (
        (bundle / "model.safetensors", "fusion.hidden.bias"),
        (tmp_path / "part" / "fusion.safetensors", "hidden.bias"),
    ):
        weights = load_file(file)
        save_file({**weights, name: damage(weights[name])}, file)
        with pytest.raises(ValueError, match=rf"{file.parent}.* is damaged: {name} .*{message}"):
            load_detector(bundle) if file.parent == bundle else assemble_net([file.parent])
    with pytest.raises(ValueError, match=message):
        read_parts(tmp_path / "part", small_net("fusion").fusion)


@pytest.mark.parametrize("value", [7e4, -1e9, np.nan, np.inf])
def test_weights_that_half_precision_cannot_hold_are_not_written(tmp_path: Path, value: float) -> None:
    weights = parameters(small_net("fusion"))
    weights["fusion.hidden.bias"] = np.full_like(weights["fusion.hidden.bias"], value)
    with pytest.raises(ValueError, match=r"fusion\.hidden\.bias has weights that a bundle cannot hold"):
        write_bundle(tmp_path / "bundle", small_config("fusion"), weights, CALIBRATION, {"name": "drawn"})
    assert not (tmp_path / "bundle").exists()


def test_the_digest_is_of_the_weights_that_were_read(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a file that changes meanwhile as well: it is read once."""
    read = []
    monkeypatch.setattr(Path, "read_bytes", lambda path: (read.append(path.name), path.open("rb").read())[1])
    monkeypatch.setattr("avdetect.bundle.load_file", lambda path: pytest.fail(f"{path} is read again"))
    load_detector(bundle)
    assert sorted(read) == sorted(FILES)


def test_another_format_is_refused(bundle: Path) -> None:
    edit(bundle / "card.json", lambda d: d.update(format="avdetect.bundle/99"))
    with pytest.raises(ValueError, match="bundle/99"):
        load_detector(bundle)


def test_filling_in_part() -> None:
    net = small_net("fusion").fusion
    before = parameters(net)
    name = "hidden.bias"
    values = {name: np.full(before[name].shape, 2.0, np.float16), "nobody": np.zeros(3), "conv1.bias": np.zeros(99)}
    with pytest.raises(ValueError, match="somewhere"):
        fill(net, values, "somewhere")
    assert all(np.array_equal(parameters(net)[n], v) for n, v in before.items()), "nothing is taken by halves"
    assert fill(net, values, "somewhere", partial=True) == 1
    after = parameters(net)
    assert (after.pop(name) == 2).all()
    assert all(np.array_equal(after[n], before[n]) for n in after)


def test_parts_of_several_runs_make_a_network(tmp_path: Path) -> None:
    net = small_net()
    for part in ("visual", "audio"):
        write_part(tmp_path / "one", part, getattr(net, part), SMALL)
    write_part(tmp_path / "two", "fusion", net.fusion, SMALL)
    made = assemble_net([tmp_path / "one", tmp_path / "two"])
    assert list(made.parts()) == ["visual", "audio", "fusion"]
    assert to_dict(made.config)["visual"] == to_dict(SMALL)["visual"]
    for part in made.parts():
        a, b = parameters(getattr(made, part)), parameters(getattr(net, part))
        assert all(np.array_equal(a[n], b[n]) for n in b), part


def test_a_part_given_twice_and_a_folder_without_parts(tmp_path: Path) -> None:
    net = small_net("fusion")
    for name in ("one", "two"):
        write_part(tmp_path / name, "fusion", net.fusion, small_config("fusion"))
    with pytest.raises(ValueError, match=r"fusion is both in .*one and in .*two"):
        assemble_net([tmp_path / "one", tmp_path / "two"])
    (tmp_path / "empty").mkdir()
    with pytest.raises(FileNotFoundError, match="empty"):
        assemble_net([tmp_path / "one", tmp_path / "empty"])


def test_a_warm_start_takes_what_fits(tmp_path: Path) -> None:
    """The sound trunk of the landmark pair serves the pixel pair."""
    trained = small_net("sync_landmarks", seed=5).sync_landmarks
    config = ModelConfig(sync_landmarks=SyncConfig(width=16, blocks=2, embedding=8))
    write_part(tmp_path, "sync_landmarks", trained, config)
    pair = small_net("sync_pixels").sync_pixels
    before = parameters(pair)
    taken = read_parts(tmp_path, pair)
    after, theirs = parameters(pair), parameters(trained)
    shared = [n for n in after if n in theirs and theirs[n].shape == after[n].shape]
    assert taken == len(shared) and any(n.startswith("sound.stem") for n in shared)
    assert all(np.array_equal(after[n], theirs[n] if n in shared else before[n]) for n in after)
    with pytest.raises(ValueError, match="nothing in"):
        read_parts(tmp_path, small_net("visual").visual)
    (tmp_path / "empty").mkdir()
    with pytest.raises(FileNotFoundError, match="empty"):
        read_parts(tmp_path / "empty", pair)


def test_names_of_parameters_start_with_their_part() -> None:
    assert {name.split(".")[0] for name in flat_parameters(small_net())} == set(PARTS)


def dangerous_calls(tree: ast.AST) -> list[str]:
    """Calls that can run code hidden in a file."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = ast.unparse(node.func)
            if name.split(".")[0] in ("pickle", "dill", "cloudpickle", "marshal", "shelve", "joblib"):
                found.append(name)
            if name in ("eval", "exec", "torch.load", "yaml.load", "pd.read_pickle"):
                found.append(name)
            if name in ("np.load", "numpy.load") and any(k.arg == "allow_pickle" for k in node.keywords):
                found.append(ast.unparse(node))
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else [node.module or ""]
            found += [n for n in names if n.split(".")[0] in ("pickle", "_pickle", "dill", "joblib", "shelve")]
    return found


def test_nothing_in_the_package_unpickles() -> None:
    for path in sorted((ROOT / "avdetect").rglob("*.py")):
        assert not dangerous_calls(ast.parse(path.read_text())), path


def test_the_search_finds_what_it_looks_for() -> None:
    for text in ("import pickle", "from joblib import load", "np.load(f, allow_pickle=True)", "exec(code)"):
        assert dangerous_calls(ast.parse(text)), text
    assert not dangerous_calls(ast.parse("np.load(f)\nmodel.eval()\nspec.loader.exec_module(m)"))

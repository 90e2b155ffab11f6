"""The rule that combines detectors: fitted as scikit-learn fits it, applied as its formula says, kept in a file."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from avdetect.calibration import logit, sigmoid
from avdetect.detectors.combination import Combination, Member, read_combination
from avdetect.evaluation.combination import centres, features, fit_combination, fit_logistic, held_out
from avdetect.evaluation.table import ScoreTable
from tools.evaluate import app


def table(
    name: str, *, skill: float, seed: int, absent: float = 0.0, people: int = 20, failed: int = 0, **about: object
) -> ScoreTable:
    """Eight clips of each person, a third of them forged; logits of a detector of some skill."""
    rng = np.random.default_rng(seed)
    rows = []
    for n in range(8 * people):
        fake = n % 3 == 0
        p = float(sigmoid(rng.normal(skill if fake else -skill, 1.5)))
        rows.append(
            {
                "key": f"clip{n}", "source": "made", "identity": f"p{n // 8}", "visual_fake": fake, "audio_fake": False,
                "probability_fake": None if rng.random() < absent else p, "error": "boom" if n < failed else "",
            }
        )  # fmt: skip
    whose = {"name": name, "version": "1.0", "distribution": f"dist-{name} 2"}
    return ScoreTable.of_rows(rows, {"model": name, "detector": whose, **about})


@pytest.mark.parametrize("strength", [0.05, 1.0, 50.0])
def test_the_fit_is_that_of_scikit_learn(strength: float) -> None:
    linear = pytest.importorskip("sklearn.linear_model")
    own = np.stack(
        [
            table("a", skill=1.0, seed=0).numbers("probability_fake"),
            table("b", skill=0.5, seed=1, absent=0.3).numbers("probability_fake"),
        ],
        1,
    )
    fake = np.arange(160) % 3 == 0
    x = features(own, centres(own, fake))
    theirs = linear.LogisticRegression(C=strength, class_weight="balanced", tol=1e-10, max_iter=10_000).fit(x, fake)
    weights, bias = fit_logistic(x, fake, strength=strength)
    np.testing.assert_allclose(weights, theirs.coef_[0], atol=2e-4)
    assert bias == pytest.approx(theirs.intercept_[0], abs=2e-4)
    fitted = fit_combination(
        [table("a", skill=1.0, seed=0), table("b", skill=0.5, seed=1, absent=0.3)], strength=strength
    )
    expected = theirs.predict_proba(x)[:, 1]
    for row in range(0, 160, 7):
        a, b = (None if np.isnan(p) else float(p) for p in own[row])
        assert fitted.probability({"a": a, "b": b}) == pytest.approx(expected[row], abs=2e-4)


def test_the_formula() -> None:
    rule = Combination((Member("a", "1", "", 2.0, 0.5), Member("b", "1", "", 0.25, -1.0)), bias=-0.5)
    z = -0.5 + 2.0 * logit(0.6) + 0.25 * logit(0.9)
    assert rule.probability({"a": 0.6, "b": 0.9}) == pytest.approx(sigmoid(z))
    assert rule.probability({"a": 0.6, "b": None}) == pytest.approx(sigmoid(-0.5 + 2.0 * logit(0.6) - 1.0))
    assert rule.probability({"a": None, "b": 0.9}) == pytest.approx(sigmoid(-0.5 + 0.5 + 0.25 * logit(0.9)))
    assert rule.probability({"a": None, "b": None}) is None
    assert np.isfinite(rule.probability({"a": 0.0, "b": 1.0}) or 0.0)
    with pytest.raises(KeyError):
        rule.probability({"a": 0.5})


def test_the_better_detector_weighs_more_and_both_are_better_than_one() -> None:
    rule = fit_combination([table("good", skill=1.5, seed=0, people=80), table("poor", skill=0.6, seed=1, people=80)])
    good, poor = rule.members
    assert good.weight > poor.weight > 0
    own = table("good", skill=1.5, seed=0, people=80).numbers("probability_fake")
    fake = np.arange(640) % 3 == 0
    mean = (logit(own[fake]).mean() + logit(own[~fake]).mean()) / 2
    assert good.absent == pytest.approx(good.weight * mean), "no clip says what its silence means, so it is the mean"
    figures = rule.figures
    assert figures["combination"]["auc"] > figures["poor"]["auc"]
    assert 0 <= rule.real_below <= rule.fake_above <= 1
    assert rule.fitted_on["genuine"] + rule.fitted_on["forged"] == 640 and rule.fitted_on["people"] == 80


def test_silence_that_says_something_is_fitted() -> None:
    """A detector that abstains on forged clips only: its silence accuses."""
    quiet = table("quiet", skill=0.0, seed=1, people=40)
    rows = [{**r, "probability_fake": None if r["visual_fake"] else r["probability_fake"]} for r in quiet.rows()]
    rule = fit_combination(
        [table("a", skill=0.0, seed=0, people=40), ScoreTable.of_rows(rows, quiet.about)], strength=10.0
    )
    assert rule.members[1].absent > 3
    silent, heard = (rule.probability({"a": 0.5, "quiet": p}) for p in (None, 0.5))
    assert silent is not None and heard is not None and silent > 0.9 > 0.1 > heard


def test_people_left_out_of_a_fit_do_not_influence_it() -> None:
    rng = np.random.default_rng(0)
    own = rng.uniform(0.05, 0.95, (60, 2))
    fake, people = rng.random(60) < 0.5, np.repeat([f"p{i}" for i in range(10)], 6)
    first = held_out(own, fake, people)
    mine = people == "p3"
    second = held_out(own, np.where(mine, ~fake, fake), people)
    np.testing.assert_array_equal(first[mine], second[mine])
    assert (first[~mine] != second[~mine]).any()


def test_a_combination_survives_its_file(tmp_path: Path) -> None:
    rule = fit_combination([table("a", skill=1.0, seed=0), table("b", skill=0.5, seed=1, absent=0.4)])
    (tmp_path / "both.json").write_text(rule.to_json())
    back = read_combination(tmp_path / "both.json")
    assert back.members == rule.members and back.bias == rule.bias and back.fake_above == rule.fake_above
    assert len(back.sha256) == 64
    for own in ({"a": 0.3, "b": 0.8}, {"a": 0.3, "b": None}):
        assert back.probability(own) == rule.probability(own)
    assert "mean over the validation clips" in json.loads((tmp_path / "both.json").read_text())["missing"]


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        ({"format": "avdetect.combination/2"}, "combination/2"),
        ({"detectors": []}, "needs detectors"),
        ({"detectors": [{"name": "a"}]}, "missing"),
        ({"bias": "much"}, "finite"),
        ({"bias": float("nan")}, "finite"),
        ({"fake_above": 0.1, "real_below": 0.2}, "real_below"),
    ],
)
def test_files_that_are_no_combinations(tmp_path: Path, spoil: dict, said: str) -> None:
    rule = Combination((Member("a", "1", "", 1.0, 0.0),), bias=0.0)
    path = tmp_path / "spoilt.json"
    path.write_text(json.dumps({**json.loads(rule.to_json()), **spoil}))
    with pytest.raises(ValueError, match=said) as caught:
        read_combination(path)
    assert str(path) in str(caught.value)


def test_absent_and_foreign_files(tmp_path: Path) -> None:
    (tmp_path / "list.json").write_text("[1]")
    (tmp_path / "bytes.json").write_bytes(b"\xff\xfe")
    for name in ("list.json", "bytes.json", "absent.json", "."):
        with pytest.raises(ValueError, match=r"combination|cannot be read"):
            read_combination(tmp_path / name)


def test_failed_and_foreign_clips_are_counted_not_fitted() -> None:
    first, second = table("a", skill=1.0, seed=0, failed=4), table("b", skill=1.0, seed=1, people=21)
    on = fit_combination([first, second]).fitted_on
    assert on["left_out"] == {"not in all tables": 8, "failed": 4, "unknown label": 0}
    assert on["genuine"] + on["forged"] == 156


def test_tables_that_cannot_be_combined() -> None:
    a, b = table("a", skill=1.0, seed=0), table("b", skill=1.0, seed=1)
    other = table("c", skill=1.0, seed=2)
    swapped = ScoreTable.of_rows([{**row, "visual_fake": not row["visual_fake"]} for row in other.rows()], other.about)
    few = b.take(np.arange(12))
    for tables, said in (
        ([a], "two detectors or more"),
        ([a, a], "of one detector"),
        ([a, table("b", skill=1.0, seed=1, detector=None)], "does not say which detector"),
        ([a, few], "10 of each are needed"),
        ([a, swapped], "disagree"),
    ):
        with pytest.raises(ValueError, match=said):
            fit_combination(tables)


def test_people_of_one_class_each_are_too_few(tmp_path: Path) -> None:
    for name, seed in (("a", 0), ("b", 1)):
        made = table(name, skill=1.0, seed=seed)
        rows = [{**r, "identity": "forger" if r["visual_fake"] else "speaker"} for r in made.rows()]
        ScoreTable.of_rows(rows, made.about).write(tmp_path / f"{name}.parquet")
    words = ["combine", str(tmp_path / "a.parquet"), str(tmp_path / "b.parquet"), "--out", str(tmp_path / "o.json")]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 2 and "more people of both classes are needed" in done.output, done.output
    assert done.output.startswith("error: ") and not (tmp_path / "o.json").exists()


def test_the_command(tmp_path: Path) -> None:
    paths = [str(tmp_path / "a.parquet"), str(tmp_path / "b.jsonl")]
    table("a", skill=1.0, seed=0).write(paths[0])
    table("b", skill=0.5, seed=1, absent=0.2).write(paths[1])
    done = CliRunner().invoke(app, ["combine", *paths, "--out", str(tmp_path / "new" / "both.json")])
    assert done.exit_code == 0, done.output
    rule = read_combination(tmp_path / "new" / "both.json")
    assert [m.name for m in rule.members] == ["a", "b"] and rule.members[0].distribution == "dist-a 2"
    assert f"{rule.members[0].weight:+.3f}" in done.output and str(rule.fake_above) in done.output
    assert rule.fitted_on["tables"] == paths and rule.fitted_on["abstained"]["b"] > 0
    refused = CliRunner().invoke(app, ["combine", paths[0], "--out", str(tmp_path / "one.json")])
    assert refused.exit_code == 2 and refused.output.startswith("error: ") and not (tmp_path / "one.json").exists()

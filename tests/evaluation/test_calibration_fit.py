"""What is fitted on validation clips: scalings, the verdict's rule, thresholds; and the table it is fitted from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from avdetect.calibration import Calibration, Platt, logit
from avdetect.calibration_fit import (
    FOLDS,
    Goals,
    Measured,
    fit_calibration,
    measure,
    people_folds,
    simplest,
    zero_offset,
)
from avdetect.calibration_points import (
    alarm_threshold,
    band,
    clopper_pearson_upper,
    offset_gate,
    operating_points,
    youden,
)
from avdetect.calibration_scaling import balanced_weights, fit_rule, fit_tempered, supported
from avdetect.calibration_table import TableClip, sound_mates
from avdetect.data.records import encode, record_of
from avdetect.data.store import RecordStore, RecordWriter
from avdetect.testing import synthetic_clip
from avdetect.verdict.combine import combined_logits
from avdetect.verdict.tracks import measure_track
from tests.report.findings import track
from tests.small_nets import small_detector


def alike(fake: np.ndarray) -> np.ndarray:
    """Weights of so many people of one source."""
    return balanced_weights(fake, ["one"] * len(fake), [str(i) for i in range(len(fake))], most=1e9)


def test_probabilities_do_not_depend_on_the_share_of_forgeries() -> None:
    rng = np.random.default_rng(0)
    genuine, forged = rng.normal(-1, 1, 4000), rng.normal(1, 1, 4000)
    x = np.linspace(-3, 3, 13)
    found = []
    for n in (4000, 400):
        fake = np.r_[np.zeros(4000, bool), np.ones(n, bool)]
        scores = np.r_[genuine, forged[:n]]
        found.append(fit_tempered(scores, np.ones(len(scores)), fake, alike(fake), half_ticks=(0.0,)))
    np.testing.assert_allclose(found[1].probability(x), found[0].probability(x), atol=0.06)
    # Two unit Gaussians at -1 and 1: the true logit is 2 x.
    np.testing.assert_allclose(found[0].scale(x), 2 * x, atol=0.35)


def test_a_branch_that_learned_nothing_says_one_half() -> None:
    fake = np.repeat([False, True], 40)
    backwards = fit_tempered(np.repeat([3.0, -3.0], 40), np.ones(80), fake, alike(fake))
    np.testing.assert_allclose(backwards.probability(np.array([-5.0, 0.0, 5.0])), 0.5, atol=1e-4)
    one_class = fit_tempered(np.array([1.0, 2.0]), np.ones(2), np.array([True, True]), np.ones(2))
    np.testing.assert_allclose(one_class.probability(np.array([-5.0, 5.0])), 0.5, atol=1e-4)


def test_what_tells_data_sets_apart_is_not_taken_for_what_tells_forgeries() -> None:
    """Half a logit within each data set; one of genuine clips and one of forged ones lie far apart."""
    rng = np.random.default_rng(3)
    fake = np.r_[np.tile([False, True], 300), np.zeros(300, bool), np.ones(300, bool)]
    sources = np.repeat(["both", "genuine only", "forged only"], [600, 300, 300])
    scores = np.where(fake, 0.25, -0.25) + rng.normal(0, 1, len(fake))
    scores += np.select([sources == "genuine only", sources == "forged only"], [-3.0, 3.0], 0.0)
    ones = np.ones(len(fake))
    apart = fit_tempered(scores, ones, fake, alike(fake), half_ticks=(0.0,))
    within = fit_tempered(scores, ones, fake, alike(fake), sources=sources.tolist(), half_ticks=(0.0,))
    assert 1 / apart.temperature > 1.0, "the data sets give the class away"
    assert 1 / within.temperature == pytest.approx(0.5, abs=0.25), "the true logit is half the score"
    alone = fit_tempered(scores[:600], ones[:600], fake[:600], alike(fake[:600]), sources=["both"] * 600)
    assert alone == fit_tempered(scores[:600], ones[:600], fake[:600], alike(fake[:600])), "one data set is no effect"


def test_short_clips_count_less_if_their_logits_say_less() -> None:
    rng = np.random.default_rng(2)
    fake = np.tile([False, True], 3000)
    ticks = np.repeat([10.0, 200.0], 3000)
    # The log-likelihood ratio at 10 ticks is a fifth of that at 200, so that n / (n + 40) is the truth.
    half = 0.5 * np.where(fake, 1.0, -1.0)
    logits = rng.normal(half, np.where(ticks > 100, 0.5, 0.5 * np.sqrt(200 / 240 / (10 / 50))))
    found = fit_tempered(logits, ticks, fake, alike(fake))
    assert found.half_ticks in (20.0, 40.0, 80.0)
    even = fit_tempered(logits, np.full(6000, 50.0), fake, alike(fake))
    assert even.half_ticks == 0.0, "where all clips are of one length there is nothing to see"


def test_weights_count_people_and_not_clips() -> None:
    fake = np.array([False] * 7 + [True] * 2)
    groups = ["a"] * 5 + ["b"] * 2 + ["x", "y"]
    weights = balanced_weights(fake, groups, ["p", "p", "p", "p", "q", "r", "s", "t", "t"])
    assert weights[:7].sum() == pytest.approx(weights[7:].sum())
    np.testing.assert_allclose(weights[:7] / weights[4], [0.25, 0.25, 0.25, 0.25, 1, 1, 1])
    assert weights.sum() == pytest.approx(2.0), "two forgeries of one person are worth one, and one genuine clip beside"
    others = balanced_weights(fake, groups, ["p", "p", "p", "p", "q", "r", "s", "t", "u"])
    assert others.sum() == pytest.approx(4.0), "of two people"
    many = balanced_weights(np.arange(40) % 4 == 0, ["a"] * 40, [str(i) for i in range(40)])
    assert many.sum() == pytest.approx(20.0) and many.sum() < many.sum() ** 2 / (many**2).sum() + 1e-9
    uneven = balanced_weights(np.arange(40) % 2 == 0, ["a"] * 40, [str(i // 2) for i in range(40)])
    assert uneven.sum() == pytest.approx(uneven.sum() ** 2 / (uneven**2).sum()) == pytest.approx(40.0)
    few = balanced_weights(np.zeros(4, bool), ["a", "a", "a", "b"], list("pqrs"), most=1.5)
    np.testing.assert_allclose(few / few[3], [0.5, 0.5, 0.5, 1])


def test_copies_of_a_film_are_worth_no_more_than_the_film() -> None:
    rng = np.random.default_rng(11)
    fake = np.arange(40) % 2 == 1
    logits, people = rng.normal(1.5 * fake, 1), [f"p{i // 4}" for i in range(40)]
    films, groups = [f"film {i}" for i in range(40)], ["s"] * 40
    three = [i % 40 for i in range(120)]

    def fitted(rows: list[int], names: list[str]) -> tuple[float, Platt, float, float]:
        of, some = fake[rows], logits[rows]
        w = balanced_weights(of, [groups[i] for i in rows], [people[i] for i in rows], films=names)
        honest = [name for name, f in zip(names, of, strict=True) if not f]
        _, told = alarm_threshold(1 / (1 + np.exp(-some[~of])), w[~of], alarms=0.05, films=honest)
        scaling = fit_tempered(some, np.full(len(rows), 50.0), of, w, films=names, half_ticks=(0.0,))
        return float(w.sum()), scaling, told["clips_worth"], told["at_most_95"]

    once, copied = fitted(list(range(40)), films), fitted(three, [films[i] for i in three])
    assert copied[0] == pytest.approx(once[0]) and copied[2:] == pytest.approx(once[2:])
    assert copied[1].temperature == pytest.approx(once[1].temperature, rel=1e-4) and copied[1].most == once[1].most
    taken_apart = fitted(three, [f"{i}" for i in range(120)])
    assert taken_apart[2] == pytest.approx(3 * once[2], rel=0.01) and taken_apart[1].most > once[1].most


def test_weights_of_the_rule_are_never_negative_and_find_the_branch_that_knows() -> None:
    rng = np.random.default_rng(3)
    fake = np.tile([False, True], 300)
    logits = np.full((600, 4), np.nan)
    logits[:, 0] = rng.normal(np.where(fake, -2, 2), 1)  # wrong way round
    logits[:, 1] = rng.normal(np.where(fake, 2, -2), 1)
    rule, verdict = fit_rule("logistic", logits, fake, alike(fake))
    assert rule.visual == pytest.approx(0.0, abs=1e-6) and rule.audio > 1
    assert rule.sync == rule.whole == pytest.approx(1.0), "what was never measured keeps its weight"
    assert fit_rule("logistic", logits, fake, alike(fake)) == (rule, verdict)
    p = verdict.probability(combined_logits(logits, rule))
    assert (p[fake] > 0.5).mean() > 0.9 and (p[~fake] > 0.5).mean() < 0.1


def test_operating_points_keep_false_alarms_and_misses_low() -> None:
    rng = np.random.default_rng(1)
    genuine, forged = rng.beta(2, 6, 2000), rng.beta(6, 2, 2000)
    above, below = operating_points(genuine, forged)
    assert (genuine >= above).mean() <= 0.021
    assert (forged <= below).mean() <= 0.101
    assert below <= above


def test_the_alarm_threshold_keeps_its_promise_on_new_clips() -> None:
    """Of 40 genuine clips the highest score is passed by 2.4 % of new ones; the threshold does better."""
    rng = np.random.default_rng(4)
    rates = []
    for _ in range(200):
        above, known = alarm_threshold(1 / (1 + np.exp(-rng.logistic(-1, 0.7, 40))), np.ones(40), alarms=0.01)
        rates.append(1 / (1 + np.exp((float(logit(above)) + 1) / 0.7)))
        assert known["clips_worth"] == 40 and known["share"] <= 0.01 < known["at_most_95"]
    assert np.mean(rates) <= 0.016
    heavy, _ = alarm_threshold(np.array([0.9, *[0.2] * 50]), np.array([5.0, *[1.0] * 50]), alarms=0.01)
    light, _ = alarm_threshold(np.array([0.9, *[0.2] * 50]), np.array([0.1, *[1.0] * 50]), alarms=0.01)
    assert light < 0.9 < heavy


def test_the_exact_bound() -> None:
    assert clopper_pearson_upper(0, 59) == pytest.approx(1 - 0.05 ** (1 / 59))
    assert clopper_pearson_upper(5, 5) == 1.0
    assert clopper_pearson_upper(1, 100) == pytest.approx(0.0466, abs=1e-4)  # tables of the binomial distribution


def test_the_band_is_as_wide_as_the_risk_demands() -> None:
    rng = np.random.default_rng(5)
    p = rng.uniform(0, 1, 20000)
    fake = rng.random(20000) < p
    found = {risk: band(p, fake, np.ones(20000), fake_above=0.9, risk=risk)[0] for risk in (0.05, 0.1, 0.2)}
    # Of calibrated clips called real below t, half of t are forged.
    assert found == pytest.approx({0.05: 0.1, 0.1: 0.2, 0.2: 0.4}, abs=0.03)
    _, curve = band(p, fake, np.ones(20000), fake_above=0.9, risk=0.1)
    assert [c["coverage"] for c in curve] == sorted(c["coverage"] for c in curve)
    assert band(p, np.ones(20000, bool), np.ones(20000), fake_above=0.9, risk=0.1)[0] == 0.01


def test_the_gate_reports_at_most_the_stated_share_of_foreign_offsets() -> None:
    rng = np.random.default_rng(6)
    stability, weights = np.round(rng.beta(4, 3, 6000), 3), rng.uniform(0.2, 1, 6000)
    gate = offset_gate(stability, weights, reported=0.3)
    assert weights @ (stability >= gate) / weights.sum() == pytest.approx(0.3, abs=0.01)
    stability[:4000] = np.nan
    assert offset_gate(stability, weights, reported=0.5) == stability[4000:].min(), "all of them are few enough"
    assert offset_gate(np.ones(9), np.ones(9), reported=0.3) == 1.0, "nothing parts what is all the same"
    assert offset_gate(np.full(9, np.nan), np.ones(9), reported=0.3) == 1.0


def test_youden_is_where_two_bells_cross() -> None:
    rng = np.random.default_rng(6)
    own, other = rng.normal(3, 1, 4000), rng.normal(1, 1, 4000)
    assert youden(own[:500], other[:500], np.ones(500)) == pytest.approx(2.0, abs=0.4)


def test_a_richer_rule_must_be_better_by_more_than_chance() -> None:
    rng = np.random.default_rng(7)
    people = [str(i // 4) for i in range(200)]
    loss = rng.exponential(1, 200)
    noise = np.repeat(rng.normal(0, 1, 50), 4)
    assert simplest({"max": loss, "logistic": loss + noise - noise.mean() - 0.01}, np.ones(200), people) == "max"
    assert simplest({"max": loss, "logistic": loss - 0.5}, np.ones(200), people) == "logistic"
    assert simplest({"max": loss, "logistic": loss + 0.5}, np.ones(200), people) == "max"


def drawn(seed: int = 0, people: int = 12) -> list[Measured]:
    """Clips of people of two sources without any network: false voices are heard, false faces are not seen."""
    rng = np.random.default_rng(seed)
    neutral = Calibration(offset_confidence=0.0, offset_stability=0.0)
    found = []
    for i in range(people):
        for kind in ("genuine", "voice"):
            source = "one" if i % 2 else "two"
            fake = kind == "voice"
            own = track(60, visual=rng.normal(), audio=rng.normal(1.5 if fake else -1.5), sync=rng.normal(-1.5))
            other = track(60, visual=0.0, audio=-1.5, sync=rng.normal(1.5), height=0.0)
            clip = TableClip(
                len(found), source, "tts" if fake else "", f"{source} {i}", f"{i} {kind}", False, fake, own, other
            )
            swapped = None if fake else measure_track(other, neutral)
            found.append(Measured(clip, measure_track(own, neutral), swapped))
    return found


def test_people_are_in_one_fold_and_spread() -> None:
    clips = [m.clip for m in drawn(people=10)]
    folds = people_folds(clips)
    assert sorted(set(folds)) == list(range(FOLDS))
    for person in {c.identity for c in clips}:
        assert len({f for f, c in zip(folds, clips, strict=True) if c.identity == person}) == 1


@pytest.mark.slow
def test_a_refit_gives_the_same_and_knows_the_voice() -> None:
    clips = drawn()
    first, figures = fit_calibration(clips, description="drawn", goals=Goals(0.01, 0.2, 0.4))
    again, _ = fit_calibration(list(reversed(clips)), description="drawn", goals=Goals(0.01, 0.2, 0.4))
    assert first.rule == again.rule
    assert first.audio.temperature == pytest.approx(again.audio.temperature, rel=1e-4)
    assert (first.fake_above, first.offset_stability) == (again.fake_above, again.offset_stability)
    assert figures["clips"] == [12, 24] and figures["people"] == 12
    assert figures["audio_auc"] > 0.9 and figures["verdict_auc"] > 0.8
    assert set(figures["rule_log_loss"]) == {"max", "noisy_or", "logistic"}
    assert figures["false_alarms"]["goal"] == 0.01 and figures["false_alarms"]["share"] <= 0.01
    assert first.fake_above > first.verdict.probability(0.0), "no accusation without a suspicious branch"
    assert first.zero_offset_ms == pytest.approx(zero_offset(clips))
    only_max, _ = fit_calibration(clips, description="drawn", rules=["max"], zero_offset_ms=40.0)
    assert (only_max.rule.name, only_max.zero_offset_ms) == ("max", 40.0)
    with pytest.raises(ValueError, match=r"risk must be between 0 and 1, not 1\.5"):
        Goals(risk=1.5)


def test_rules_are_compared_where_it_is_asked_and_everything_else_stays() -> None:
    clips = drawn(people=4)
    half = {c.row for c in clips if c.clip.source == "one"}
    (everywhere, of_all), (there, of_half), (_, of_nobody) = (
        fit_calibration(clips, description="drawn", rules=["max"], compared_on=rows) for rows in (None, half, ())
    )
    assert of_half["rule_log_loss"] != of_all["rule_log_loss"] == of_nobody["rule_log_loss"]
    assert there == everywhere


def test_without_forgeries_the_thresholds_stay() -> None:
    genuine = [Measured(m.clip, m.own, None) for m in drawn(people=4) if not m.clip.fake]
    calibration, figures = fit_calibration(genuine, description="x")
    assert (calibration.fake_above, calibration.real_below) == (0.7, 0.3)
    assert figures["verdict"] == "not fitted: 4 genuine and 0 forged clips"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> RecordStore:
    """Eight short clips of two sources, one of them with a false voice."""
    folder = tmp_path_factory.mktemp("store")
    with RecordWriter(folder) as writer:
        for i in range(8):
            clip = synthetic_clip(i, 60)
            meta = {
                "key": f"c{i}#0@0",
                "path": f"c{i}.mp4",
                "source": f"source {i % 2}",
                "identity": f"p{i}",
                "track_id": 0,
                "start_tick": 0,
                "visual_fake": "0",
                "audio_fake": str(int(i == 7)),
                "generator": "vocoder" if i == 7 else "",
            }
            writer.add(encode(record_of(clip, meta["key"], meta, speech=np.ones(60))), meta)
    return RecordStore(folder)


def test_swapped_sound_is_genuine_and_of_the_same_source(store: RecordStore) -> None:
    mates = sound_mates(store, range(8))
    assert set(mates) == set(range(7)), "a clip with a false voice neither gives nor takes sound"
    for i, j in mates.items():
        assert i != j and j != 7
        assert store.index[i]["source"] == store.index[j]["source"]


def test_another_version_of_the_recording_is_no_swap(store: RecordStore) -> None:
    class Index(RecordStore):
        def __init__(self) -> None:  # the rows alone
            self.index = [
                dict(row, picture_hash=None, sound_hash=digit * 64)
                for row, digit in zip(store.index, "030569ac", strict=True)
            ]

    mates = sound_mates(Index(), range(7))
    assert mates[0] == 4 and mates[2] == 4, "0 and 2 are one recording"
    assert mates[4] == 6 and mates[6] == 0


def test_measured_clips_have_own_and_swapped_evidence(store: RecordStore) -> None:
    found = measure(small_detector(), store, [0, 1, 2, 3])
    assert [m.row for m in found] == [0, 1, 2, 3]
    for m in found:
        assert m.swapped is not None
        own, other = m.own.track.evidence, m.swapped.track.evidence
        np.testing.assert_array_equal(own.visual, other.visual)
        assert not np.array_equal(own.similarity, other.similarity, equal_nan=True)


def test_evidence_is_measured_once(store: RecordStore, tmp_path: Path) -> None:
    detector = small_detector()
    first = measure(detector, store, [0, 1, 2, 3], folder=tmp_path)
    (home,) = tmp_path.iterdir()
    assert len(list(home.glob("*.safetensors"))) == len(list(home.glob("*/*.safetensors"))) == 4
    again = measure(Silent(detector.net), store, [0, 1, 2, 3], folder=tmp_path)  # type: ignore[arg-type]
    for a, b in zip(first, again, strict=True):
        assert (a.row, a.clip.source, a.identity, a.own.speech_s) == (b.row, b.clip.source, b.identity, b.own.speech_s)
        for name in ("visual_ticks", "audio_ticks", "sync_ticks"):
            np.testing.assert_array_equal(getattr(a.own, name), getattr(b.own, name))
            np.testing.assert_array_equal(getattr(a.swapped, name), getattr(b.swapped, name))
    with pytest.raises(AssertionError, match="asked"):
        measure(Silent(detector.net), store, [0, 1, 2], folder=tmp_path)  # type: ignore[arg-type]


class Silent:
    """A detector that must not be asked."""

    def __init__(self, net: Any):
        self.net = net

    def evidence(self, clip: object, *, head: bool = True) -> None:
        raise AssertionError("asked")


def test_fitted_calibration_says_what_it_was_fitted_on(store: RecordStore) -> None:
    calibration, figures = fit_calibration(measure(small_detector(), store, range(8)), description="eight drawn clips")
    assert calibration.fitted_on == "eight drawn clips"
    assert calibration == Calibration.from_json(calibration.to_json())
    assert figures["audio_clips"] == [7, 1]
    assert figures["visual_clips"] == [8, 0]
    assert figures["clips"] == [7, 8], "seven of them with another clip's sound as well"
    np.testing.assert_allclose(calibration.visual.probability(np.array([-3.0, 3.0])), 0.5, atol=1e-4)


def test_no_branch_claims_more_than_the_clips_support() -> None:
    """Ten genuine clips that none of the forged ones resembles: an eleventh might, so ten to one at the most."""
    logits = np.array([-1.0] * 10 + [50.0] * 5)
    fake = np.arange(15) >= 10
    assert supported(logits, fake, np.ones(15)) == pytest.approx(np.log(11))
    # Half of the forged beyond all genuine clips says half as much; weights count as clips of equal weight would.
    half = np.where(np.arange(15) < 13, logits, -2.0)
    assert supported(half, fake, np.ones(15)) == pytest.approx(np.log(11 * 3 / 5))
    assert supported(logits, fake, np.where(fake, 7.0, 0.5)) == pytest.approx(np.log(11))
    assert supported(-logits, fake, np.ones(15)) == pytest.approx(0.0, abs=0.1), (
        "what does not part them supports nothing"
    )
    fitted = fit_tempered(logits, np.full(15, 40.0), fake, np.ones(15))
    assert fitted.scale(1e6) == pytest.approx(np.log(11), abs=1e-4)
    free = fit_tempered(logits, np.full(15, 40.0), fake, np.ones(15), bounded=False)
    assert free.scale(1e3) > 10 and free.scale(-3.0) == pytest.approx(fitted.scale(-3.0))

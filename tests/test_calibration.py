from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from avdetect.bundle import default_bundle_path
from avdetect.calibration import (
    Calibration,
    Platt,
    QualityMinima,
    SegmentRule,
    VerdictRule,
    fit_platt,
    fit_temperature,
    logit,
    sigmoid,
)


def drawn(temperature: float, bias: float, n: int = 6000, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Logits whose classes really follow ``sigmoid(x / temperature + bias)``."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, 3, n)
    return logits, rng.random(n) < sigmoid(logits / temperature + bias)


@settings(max_examples=20, deadline=None)
@given(st.floats(0.5, 4), st.floats(-2, 2), st.integers(0, 99))
def test_platt_scaling_finds_the_true_scale(temperature: float, bias: float, seed: int) -> None:
    found = fit_platt(*drawn(temperature, bias, seed=seed))
    assert 1 / found.temperature == pytest.approx(1 / temperature, rel=0.2)
    assert found.bias == pytest.approx(bias, abs=0.25)


def test_temperature_keeps_zero_where_it_is() -> None:
    found = fit_temperature(*drawn(2.5, 0.0))
    assert found.bias == 0.0
    assert found.temperature == pytest.approx(2.5, rel=0.1)


def test_the_fit_is_where_the_likelihood_is_greatest() -> None:
    logits, fake = drawn(2.0, 0.7, n=400)
    best = fit_platt(logits, fake, ridge=0.0)
    target = np.where(fake, (fake.sum() + 1) / (fake.sum() + 2), 1 / ((~fake).sum() + 2))

    def loss(slope: float, bias: float) -> float:
        z = logits * slope + bias
        return float(np.sum(np.logaddexp(0, z) - target * z))

    here = loss(1 / best.temperature, best.bias)
    for step in ((1e-3, 0), (-1e-3, 0), (0, 1e-3), (0, -1e-3)):
        assert loss(1 / best.temperature + step[0], best.bias + step[1]) >= here - 1e-9


def test_separable_and_few_clips_stay_finite() -> None:
    found = fit_platt(np.array([-3.0, -2.0, 2.0, 3.0]), np.array([0, 0, 1, 1]))
    assert 0 < found.temperature < 10
    assert 0.5 < found.probability(3.0) < 1.0
    assert fit_platt(np.array([-1.0, 1.0, np.nan]), np.array([0, 1, 1])) == fit_platt(
        np.array([-1.0, 1.0]), np.array([0, 1])
    )


def test_what_cannot_be_fitted_is_refused() -> None:
    with pytest.raises(ValueError, match="both classes, got 0 fake and 2 real"):
        fit_platt(np.zeros(2), np.zeros(2))
    with pytest.raises(ValueError, match="rank real above fake"):
        fit_platt(np.array([3.0, 2.0, -2.0, -3.0] * 10), np.array([0, 0, 1, 1] * 10))
    with pytest.raises(ValueError, match="one length"):
        fit_platt(np.zeros(3), np.zeros(2))


@given(
    st.builds(
        Calibration,
        visual=st.builds(Platt, st.floats(0.1, 10), st.floats(-5, 5), st.floats(0, 50)),
        rule=st.builds(VerdictRule, st.sampled_from(["max", "noisy_or", "logistic"]), st.floats(0, 5)),
        fake_above=st.floats(0.5, 1),
        real_below=st.floats(0, 0.5),
        zero_offset_ms=st.floats(-200, 200),
        quality=st.builds(QualityMinima, size_px=st.floats(0, 100)),
        fitted_on=st.text(),
    )
)
def test_json_round_trip(calibration: Calibration) -> None:
    assert Calibration.from_json(calibration.to_json()) == calibration


def test_older_files_take_defaults_and_odd_ones_are_refused() -> None:
    data = Calibration(zero_offset_ms=-40).to_dict()
    del data["speech_probability"], data["quality"]["share"]
    del data["rule"], data["visual"]["half_ticks"], data["speaking_sharpness"], data["offset_stability"]
    data["offset_sharpness"] = 2.1  # until 0.4
    assert Calibration.from_dict(data) == Calibration(zero_offset_ms=-40)
    for change, message in (
        ({"format": "other/1"}, "format 'other/1'"),
        ({"fake_abov": 0.5}, "fake_abov"),
        ({"fake_above": "0.5"}, "must be a finite number"),
        ({"fake_above": float("nan")}, "must be a finite number"),
        ({"fake_above": True}, "must be a finite number"),
        ({"visual": 1.0}, "must be an object"),
        ({"visual": {"temperature": -1.0}}, "temperature must be positive"),
        ({"visual": {"half_ticks": -1.0}}, "half_ticks must be finite and at least 0"),
        ({"rule": {"name": "mean"}}, "max, noisy_or, logistic, not 'mean'"),
        ({"rule": {"audio": -0.1}}, "VerdictRule.audio must be finite and at least 0"),
        ({"visual": {"slope": 1.0}}, r"visual\.slope"),
        ({"fitted_on": 3}, "must be a text"),
        ({"real_below": 0.9, "fake_above": 0.1}, "real_below <= fake_above"),
        ({"min_speech_s": -1}, "Calibration.min_speech_s must be finite and at least 0, not -1.0"),
        ({"min_duration_s": -5}, "Calibration.min_duration_s must be finite and at least 0"),
        ({"speech_probability": -1}, r"Calibration.speech_probability must be in \[0, 1\], not -1.0"),
        ({"speech_probability": 1.01}, "Calibration.speech_probability"),
        ({"lip_motion": -0.1}, "Calibration.lip_motion"),
        ({"speaking_confidence": -0.1}, "Calibration.speaking_confidence"),
        ({"window_sharpness": -0.1}, "Calibration.window_sharpness"),
        ({"quality": {"share": 1.5}}, "QualityMinima.share"),
        ({"quality": {"size_px": -1}}, "QualityMinima.size_px"),
        ({"quality": {"light_min": 0.9, "light_max": 0.2}}, r"QualityMinima.light_max must be in \[0.9, 1\], not 0.2"),
        ({"segments": {"enter": 2}}, "SegmentRule.enter"),
        ({"segments": {"smooth_s": -0.1}}, "SegmentRule.smooth_s"),
        ({"segments": {"enter": 0.3, "leave": 0.5}}, r"SegmentRule.leave must be in \[0, 0.3\], not 0.5"),
    ):
        with pytest.raises(ValueError, match=message):
            Calibration.from_dict(json.loads(json.dumps({**data, **change})))


@pytest.mark.parametrize("part", [Calibration, QualityMinima, SegmentRule])
def test_limits_that_are_no_numbers_are_refused(part: type) -> None:
    for name in (f.name for f in dataclasses.fields(part) if isinstance(f.default, float)):
        if name != "zero_offset_ms":
            with pytest.raises(ValueError, match=name):
                part(**{name: float("nan")})


def test_the_shipped_calibration_is_within_its_ranges() -> None:
    text = (default_bundle_path() / "calibration.json").read_text()
    assert Calibration.from_json(Calibration.from_json(text).to_json()) == Calibration.from_json(text)


def test_scaling_keeps_nan_and_does_not_overflow() -> None:
    with np.errstate(all="raise"):
        np.testing.assert_array_equal(Platt().probability(np.array([-1e4, 0, 1e4, np.nan])), [0, 0.5, 1, np.nan])
    np.testing.assert_allclose(sigmoid(logit(np.array([0.01, 0.5, 0.99]))), [0.01, 0.5, 0.99])
    assert np.isfinite(logit(np.array([0.0, 1.0]))).all()

"""Levels against the figures of the standard."""

from __future__ import annotations

import numpy as np
import pytest

from avdetect.data import loudness
from avdetect.data.loudness import integrated_lufs, leading_silence_s, rms_dbfs


def tone(hz: float, seconds: float, dbfs: float = 0.0) -> np.ndarray:
    t = np.arange(round(16_000 * seconds)) / 16_000
    return (10 ** (dbfs / 20) * np.sin(2 * np.pi * hz * t)).astype(np.float32)


def test_a_full_scale_tone_has_minus_three_lufs() -> None:
    """BS.1770-4: 0 dBFS at 997 Hz in one channel reads -3.01 LUFS; 0.1 LU is the tolerance of EBU Tech 3341."""
    assert integrated_lufs(tone(997, 3)) == pytest.approx(-3.01, abs=0.1)
    assert integrated_lufs(tone(997, 3, -20)) == pytest.approx(-23.01, abs=0.1)
    assert rms_dbfs(tone(997, 3, -20)) == pytest.approx(-23.01, abs=0.01)


def test_filters_at_48_khz_are_those_printed_in_the_standard(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loudness, "SAMPLE_RATE", 48_000)
    b, a = loudness._shelf()
    np.testing.assert_allclose(b, [1.53512485958697, -2.69169618940638, 1.19839281085285], atol=1e-9)
    np.testing.assert_allclose(a, [1, -1.69065929318241, 0.73248077421585], atol=1e-9)
    np.testing.assert_allclose(loudness._high_pass()[1], [1, -1.99004745483398, 0.99007225036621], atol=1e-9)


def test_gates_leave_out_what_is_quiet() -> None:
    """EBU Tech 3341, case 3: quiet stretches around a loud one do not count."""
    loud, quiet = tone(997, 20, -20), tone(997, 5, -40)
    assert integrated_lufs(np.concatenate([quiet, loud, quiet])) == pytest.approx(-23.0, abs=0.15)
    assert integrated_lufs(np.concatenate([tone(997, 5, -90), loud])) == pytest.approx(-23.0, abs=0.15)


def test_what_cannot_be_measured() -> None:
    assert integrated_lufs(tone(997, 0.3)) is None and integrated_lufs(np.zeros(16_000, np.float32)) is None
    assert rms_dbfs(np.zeros(9, np.float32)) == rms_dbfs(np.zeros(0, np.float32)) == -120.0


def test_leading_silence() -> None:
    sound = np.concatenate([np.full(8000, 4e-4, np.float32), tone(997, 1, -6)])
    assert leading_silence_s(sound) == pytest.approx(0.5, abs=1e-3)
    assert leading_silence_s(np.zeros(4000, np.float32)) == 0.25 and leading_silence_s(tone(997, 1)[5:]) == 0.0

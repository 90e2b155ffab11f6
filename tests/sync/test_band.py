from __future__ import annotations

import pytest

from avdetect.sync.band import band_sentence, band_verdict


@pytest.mark.parametrize(
    ("offset", "interval", "verdict"),
    [
        (0.0, (-20.0, 20.0), "within"),
        (125.0, (125.0, 125.0), "within"),
        (-45.0, (-45.0, -45.0), "within"),
        (320.0, (300.0, 340.0), "sound late"),
        (-90.0, (-120.0, -60.0), "sound early"),
        (120.0, (100.0, 140.0), "cannot tell"),
        (-40.0, (-60.0, -20.0), "cannot tell"),
        (40.0, (-100.0, 200.0), "cannot tell"),
        (320.0, None, "cannot tell"),
        (None, None, "cannot tell"),
    ],
)
def test_the_whole_interval_decides(offset, interval, verdict: str) -> None:
    assert band_verdict(offset, interval) == verdict


def test_sentences_say_the_offset_in_words() -> None:
    assert band_sentence(320.4, (300.0, 335.0)) == (
        "The sound is 320 ms late (95 % interval +300 to +335 ms), outside the -45 to +125 ms that viewers accept."
    )
    assert "within the" in band_sentence(-20.0, (-30.0, -10.0))
    assert band_sentence(0.2, (-5.0, 5.0)).startswith("Sound and picture are together (95 %")
    assert "may or may not" in band_sentence(120.0, (100.0, 140.0))
    assert "beyond the range" in band_sentence(None, None, at_end=True)
    wide = band_sentence(33.0, (-36.0, 567.0))
    assert wide == "The sound may be anywhere from 36 ms early to 567 ms late (95 % interval): the offset is not known."
    assert "from 0 ms to 500 ms late" in band_sentence(33.0, (0.2, 500.0))
    assert "too little speech" in band_sentence(80.0, None)

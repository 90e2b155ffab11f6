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
    assert "(face 2) could not be measured" in band_sentence(None, None, who=" (face 2)")
    assert "too little speech" in band_sentence(80.0, None)

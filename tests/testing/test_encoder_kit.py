"""The kit for encoders and heads finds what is broken, and nothing else; those built in keep their contracts."""

from __future__ import annotations

from typing import Any

import pytest

from avdetect.config import AudioConfig, FusionConfig, TextureConfig, VisualConfig
from avdetect.models.registry import NAMED
from avdetect.testing import check_encoder, encoder_checks
from avdetect.testing.conformance import ConformanceError
from avdetect.testing.encoder_kit import KIT
from tests.other_parts import Brightness, Loudness, Peak
from tests.testing.broken_encoders import BROKEN, OfAWidth
from tests.testing.proving import case_names, cases, failed_checks, names_of

SMALL_OPTIONS = {
    "cnn": VisualConfig(widths=(8, 8), mouth_widths=(8,)),
    "texture": TextureConfig(hidden=8, heads=2),
    "spectrogram": AudioConfig(widths=(8,), hidden=8),
    "lag_matrix": FusionConfig(radii=(2, 6), channels=4, hidden=8),
}
BUILTINS = [(part, name) for part, (_, registry) in NAMED.items() for name in registry.builtins()]


@pytest.mark.parametrize("plugin", [Brightness, Loudness, Peak, "tests.other_parts:Peak"])
def test_nothing_is_found_where_nothing_is_wrong(plugin: Any) -> None:
    skipped = set(check_encoder(plugin))
    assert skipped == {
        Brightness: {"ticks_around", "probabilities", "padding", "masked", "reach"},
        Loudness: {"probabilities", "masked"},
    }.get(plugin, set())


@pytest.mark.parametrize(("check", "plugin"), cases(BROKEN), ids=case_names(BROKEN))
def test_what_is_broken_fails_that_check(check: str, plugin: Any) -> None:
    with pytest.raises(ConformanceError) as raised:
        check_encoder(plugin)
    assert raised.value.check == check and raised.value.kind == "encoder" and plugin.__name__ in str(raised.value)


def test_and_no_other() -> None:
    assert set(failed_checks(KIT, BROKEN["padding"][0])) == {"padding"}


def test_every_check_is_proved() -> None:
    assert list(BROKEN) == names_of(KIT) == [name for name, _ in encoder_checks()]


@pytest.mark.slow  # twenty seconds, most of them compiling
@pytest.mark.parametrize(("part", "name"), BUILTINS)
def test_built_in(part: str, name: str) -> None:
    """With small options where there are some; the checks are those of any size."""
    check_encoder(name, part, options=SMALL_OPTIONS.get(name))


@pytest.mark.parametrize(("part", "name"), BUILTINS)
def test_the_part_of_a_built_in_is_found(part: str, name: str) -> None:
    assert KIT.open(name, options=SMALL_OPTIONS.get(name)).part == part


def test_what_cannot_be_made_is_said() -> None:
    with pytest.raises(ConformanceError, match=r"loads.*depth"):
        check_encoder(OfAWidth)
    with pytest.raises(ConformanceError, match="none of the registries; say which part is meant"):
        check_encoder("resnet")
    with pytest.raises(ConformanceError, match="no visual encoder is called 'resnet'"):
        check_encoder("resnet", "visual")

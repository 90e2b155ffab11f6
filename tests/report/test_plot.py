from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from avdetect.calibration import Calibration
from avdetect.report.plot import audit_figure, plot_audit
from avdetect.verdict import audit_sync
from tests.report.findings import analysis, audit, sound_alone


def test_a_plot_is_a_picture_that_depends_on_the_offset(tmp_path: Path) -> None:
    pictures = []
    for offset in (0.0, 8.0):
        plot_audit(audit(offset=offset), tmp_path / f"{offset}.png")
        pictures.append(cv2.imread(str(tmp_path / f"{offset}.png")))
    assert pictures[0].shape == pictures[1].shape and min(pictures[0].shape[:2]) > 700
    assert np.mean(np.any(pictures[0] != pictures[1], axis=2)) > 0.02


def test_the_panels_show_what_was_measured() -> None:
    figure = audit_figure(audit(offset=8.0, name="folder/late.mp4"))
    heat, offsets, curve = figure.axes[0], figure.axes[1], figure.axes[2]
    assert "late.mp4: sound is 3" in figure.get_suptitle()
    assert heat.get_ylim()[1] > 560 and offsets.get_xlim() == pytest.approx((0, 10), abs=0.3)
    (line,) = (line for line in offsets.lines if line.get_linewidth() == 2)
    assert np.mean(np.asarray(line.get_ydata())) == pytest.approx(320, abs=20)
    assert any(np.size(line.get_xdata()) == 31 for line in curve.lines)


def test_a_drift_is_drawn_as_a_slope() -> None:
    figure = audit_figure(audit(t=2000, offset=np.arange(2000) * 2e-3, height=0.5))
    assert "drifting by +" in figure.get_suptitle()
    slopes = [line for line in figure.axes[1].lines if line.get_linewidth() == 2]
    assert len(slopes) == 1 and np.ptp(slopes[0].get_ydata()) == pytest.approx(160, abs=25)


@pytest.mark.parametrize("options", [{"height": 0.0}, {"t": 30}, {"t": 8}])
def test_odd_audits_can_be_drawn(tmp_path: Path, options: dict) -> None:
    found = audit(**options)
    if found.main is None:
        with pytest.raises(ValueError, match="no face with sound"):
            plot_audit(found, tmp_path / "plot.png")
        return
    plot_audit(found, tmp_path / "plot.png")
    assert (tmp_path / "plot.png").stat().st_size > 10_000


def test_nothing_to_draw_is_said() -> None:
    with pytest.raises(ValueError, match="no face with sound"):
        audit_figure(audit_sync(analysis(sound_alone()), Calibration()))

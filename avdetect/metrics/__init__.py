"""Figures of merit, NumPy and SciPy only. Scores: higher = more of the positive class (forged).

========================  =============================================================================
`ranking`                 AUC, average precision, EER, curves, hits at a false-alarm rate
`thresholds`              a threshold from validation scores, accuracy at it
`calibration_errors`      Brier, log loss, ECE, Cllr and its minimum, reliability
`four_way`                confusion and F1 of RVRA, FVRA, RVFA, FVFA
`localisation`            segments: AP at an IoU, AR at a number of proposals
`sync`                    offset accuracy against context, LSE-C and LSE-D
`intervals`               bootstrap by cluster
`paired`                  two detectors on the same clips: DeLong, paired bootstrap, Holm
========================  =============================================================================
"""

from __future__ import annotations

from avdetect.metrics.calibration_errors import expected_calibration_error
from avdetect.metrics.intervals import bootstrap
from avdetect.metrics.ranking import auc, eer

__all__ = ["auc", "bootstrap", "eer", "expected_calibration_error"]

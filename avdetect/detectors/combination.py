"""Several detectors into one probability, by a logistic regression that was fitted on validation clips.

``logit p = bias + sum_d (weight_d logit(p_d) if d spoke, else absent_d)``, with ``p_d`` the detector's own calibrated
probability for the file. A detector that abstains adds the constant ``absent_d`` instead: what it adds on the mean over
the validation clips, and what was fitted on top of that where it abstained on some of them, since that it has nothing
to say of a file may itself say something.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from avdetect.calibration import logit, sigmoid
from avdetect.detectors.named import Named

FORMAT = "avdetect.combination/1"
MISSING = (
    "A detector that abstains on a file adds 'absent' in the place of 'weight' times the logit of its probability: the "
    "mean of that over the validation clips (both classes alike), plus the coefficient of an indicator that it "
    "abstained; if it abstained on no validation clip, the mean over the validation clips alone."
)


@dataclass(frozen=True)
class Member:
    """A detector of a combination.

    Attributes:
        name, version, distribution: of the detector that was scored with.
        weight: of the logit of its probability.
        absent: what is added where it abstains.
    """

    name: str
    version: str
    distribution: str
    weight: float
    absent: float


@dataclass(frozen=True)
class Combination:
    """What was fitted.

    Attributes:
        members: the detectors.
        bias: of the logit.
        fake_above, real_below: as of `Calibration`, for the combined probability.
        fitted_on: tables and numbers of clips.
        figures: of the fit, for the reader.
        sha256: of the file it was read from.
    """

    members: tuple[Member, ...]
    bias: float
    fake_above: float = 0.7
    real_below: float = 0.3
    fitted_on: Mapping[str, Any] = field(default_factory=dict)
    figures: Mapping[str, Any] = field(default_factory=dict)
    sha256: str = ""

    def __post_init__(self) -> None:
        numbers = [self.bias, *(x for m in self.members for x in (m.weight, m.absent))]
        if not self.members or not all(isinstance(x, int | float) and math.isfinite(x) for x in numbers):
            raise ValueError(f"a combination needs detectors and finite numbers, not {self.members}, bias {self.bias}")
        if len({m.name for m in self.members}) < len(self.members):
            raise ValueError(f"a detector is in the combination twice: {', '.join(m.name for m in self.members)}")
        if not 0 <= self.real_below <= self.fake_above <= 1:
            raise ValueError(f"need 0 <= real_below <= fake_above <= 1, not {self.real_below}, {self.fake_above}")

    def probability(self, own: Mapping[str, float | None]) -> float | None:
        """Combined probability from each detector's own; ``None`` where all abstain.

        Raises:
            KeyError: a member is not in ``own``.
        """
        if all(own[m.name] is None for m in self.members):
            return None
        total = self.bias
        for m in self.members:
            p = own[m.name]
            total += m.absent if p is None else m.weight * float(logit(p))
        return float(sigmoid(total))

    def why_not(self, detectors: Sequence[Named]) -> str:
        """Why it is not for these detectors; empty if it is."""
        here, there = [d.name for d in detectors], [m.name for m in self.members]
        if missing := [name for name in there if name not in here]:
            return f"it was fitted with {', '.join(there)}: add --detector {' --detector '.join(missing)}"
        if extra := [name for name in here if name not in there]:
            return f"it was fitted with {', '.join(there)}, without {', '.join(extra)}: fit one with all of them"
        return ""

    def changed(self, detectors: Sequence[Named]) -> list[str]:
        """Sentences about detectors of another version, or of others, than it was fitted with."""
        fitted = {m.name: m for m in self.members}
        pairs = [(d, fitted[d.name]) for d in detectors]
        return [
            f"The combination was fitted with {d.name} {_whole_name(m)}; this is {_whole_name(d)}, whose scores its "
            "weights may not fit."
            for d, m in pairs
            if (d.version, d.distribution.split(" ")[0]) != (m.version, m.distribution.split(" ")[0])
        ]

    def to_json(self) -> str:
        """The content of its file."""
        data = {k: v for k, v in asdict(self).items() if k not in ("members", "sha256")}
        members = [asdict(m) for m in self.members]
        return json.dumps({"format": FORMAT, "detectors": members, "missing": MISSING, **data}, indent=2) + "\n"


def read_combination(path: str | Path) -> Combination:
    """A combination from its file. Reading it loads no detector.

    Raises:
        ValueError: there is no such file, or it is none of a combination; the message names it.
    """
    from avdetect.media.digest import file_digest

    try:
        data = json.loads(Path(path).read_text(encoding="utf-8"))
        if not isinstance(data, dict) or data.get("format") != FORMAT:
            found = data.get("format") if isinstance(data, dict) else None
            raise ValueError(f"it has format {found!r}, this version reads {FORMAT!r}")
        known = {f.name for f in fields(Combination)} - {"members", "sha256"}
        rest = {k: v for k, v in data.items() if k in known}
        members = tuple(Member(**m) for m in data["detectors"])
        return Combination(members, **rest, sha256=file_digest(path))
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror or error}") from error
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{path} is no combination of detectors: {error}; fit one with {HOW_TO_FIT}") from error


def _whole_name(of: Named | Member) -> str:
    return f"{of.version} (of {of.distribution})" if of.distribution else of.version


HOW_TO_FIT = "python -m tools.evaluate combine TABLE TABLE ... --out combination.json"
"""Where the tables are those of ``python -m tools.evaluate score --detector NAME`` on validation clips."""

"""The evidence that a calibration is fitted from: of each clip with its own sound and with another clip's."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from avdetect.data.columns import flag, in_sync
from avdetect.data.neighbours import film_of, same_recording
from avdetect.data.store import RecordStore
from avdetect.detector import Detector
from avdetect.evidence_folder import EvidenceFolder
from avdetect.verdict import TrackEvidence


@dataclass(frozen=True)
class TableClip:
    """A clip of the table.

    Attributes:
        row: of the store's index.
        source: data set that it is of.
        generator: what forged it, or empty.
        identity: the person; clips of one person are never on both sides of a fold.
        film: the file, or the one that it is a copy of.
        visual_fake, audio_fake: whether face and voice are forged; ``None`` where it is not known or there is none.
        own: what the detector finds.
        swapped: the same with the sound of another clip; only of genuine clips in sync.
        in_sync: nothing says that its sound was moved or is another's.
    """

    row: int
    source: str
    generator: str
    identity: str
    film: str
    visual_fake: bool | None
    audio_fake: bool | None
    own: TrackEvidence
    swapped: TrackEvidence | None
    in_sync: bool = True

    @property
    def fake(self) -> bool | None:
        """Whether anything is forged. A silent clip of a genuine face is genuine.

        Not known of a genuine face and voice that were moved against each other: out of time is no forgery, and
        whether more was done the two flags do not say.
        """
        known = {self.visual_fake, self.audio_fake}
        if True in known:
            return True
        if not self.in_sync:
            return None
        has_sound = bool(self.own.audio_valid.any())
        if self.visual_fake is None or (self.audio_fake is None and has_sound):
            return None
        return False


def evidence_table(
    detector: Detector,
    store: RecordStore,
    rows: Sequence[int],
    *,
    folder: Path | None = None,
    progress: Callable[[int], None] | None = None,
) -> list[TableClip]:
    """What the detector finds in the clips; those that are in the folder already are read from it.

    The swapped sound is that of the next genuine clip of the same source among ``rows``.

    Args:
        detector: its calibration does not matter.
        store: the records.
        rows: of its index; those with neither face nor sound are left out.
        folder: where evidence is kept (`avdetect.evidence_folder`); nothing is kept if not given.
        progress: called with the number of finished clips.
    """
    rows = list(dict.fromkeys(rows))
    mates = sound_mates(store, rows)
    kept = EvidenceFolder(detector, folder)
    found = []
    for n, i in enumerate(rows, 1):
        measured = kept.of(store, i, mates.get(i))
        if measured is not None:
            found.append(_table_clip(store.index[i], i, *measured))
        if progress is not None:
            progress(n)
    return found


def _table_clip(row: dict[str, Any], i: int, own: TrackEvidence, swapped: TrackEvidence | None) -> TableClip:
    return TableClip(
        row=i,
        source=str(row.get("source") or ""),
        generator=str(row.get("generator") or ""),
        identity=str(row.get("identity") or row["path"]),
        film=str(film_of(row)),
        visual_fake=flag(row.get("visual_fake")),
        audio_fake=flag(row.get("audio_fake")),
        own=own,
        swapped=swapped,
        in_sync=in_sync(row),
    )


def sound_mates(store: RecordStore, rows: Sequence[int]) -> dict[int, int]:
    """For each genuine clip in sync, the next such clip of the same source that is not of the same recording."""
    by_source: dict[str, list[int]] = {}
    for i in rows:
        row = store.index[i]
        if str(row.get("visual_fake")) == "0" and str(row.get("audio_fake")) == "0" and in_sync(row):
            by_source.setdefault(str(row.get("source")), []).append(i)
    mates = {}
    for group in by_source.values():
        for n, i in enumerate(group):
            after = (j for j in (*group[n + 1 :], *group[:n]) if not same_recording(store.index[i], store.index[j]))
            if (mate := next(after, None)) is not None:
                mates[i] = mate
    return mates

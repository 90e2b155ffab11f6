"""From a row of the index to training examples: read, cut, forge, degrade, arrange.

All that is random comes from the generator of the draw, so any example can be made again alone. Genuine and forged
clips go through the same chain of degradations, drawn without a look at the label.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from avdetect.augment.chain import augment_clip
from avdetect.augment.config import AugmentConfig
from avdetect.augment.extra import check_extra
from avdetect.clips import cut_clip
from avdetect.config import DataConfig
from avdetect.data.clip_examples import Arrays, arrays_of
from avdetect.data.columns import in_sync
from avdetect.data.mixture import parse_weights
from avdetect.data.neighbours import same_recording
from avdetect.data.records import FACE_STRIDE, Record, clip_of_record
from avdetect.data.sample import read_segments
from avdetect.data.split import person_of
from avdetect.data.store import RecordStore
from avdetect.data.sync_examples import advance, lateness, load_offsets, stack
from avdetect.forge import FORGERIES
from avdetect.forge.contract import CannotForge, Family, NetworkMissing
from avdetect.types import TICK_RATE, Clip, Label, Segment

TRIES = 3
"""Families tried on a clip before it is left genuine."""
LOCAL = ("drift", "stretch")
"""Families (and generators of forged films) after which lips and sound still belong together, at a changing lag."""


class ClipDraw:
    """``draw(row, rng)`` gives ``examples`` examples of the person in that row, stacked.

    These are ``config.per_person`` clips; with ``config.paired``, a genuine and a forged example of each.

    Args:
        config: lengths, shares and weights.
        augment: how clips are degraded; ``None`` leaves them as they are.
        rows: rows of the index that may be used, also as the other clips of swaps.

    Raises:
        FileNotFoundError: there are no records.
        PluginError: a forgery or further augmentation that is unknown (a ``KeyError`` too) or cannot be used.
    """

    def __init__(self, config: DataConfig, augment: AugmentConfig | None, rows: Sequence[int]):
        self._config, self._augment = config, augment
        self._families = parse_weights(config.forgeries)
        for name in self._families:
            FORGERIES.get(name)
        if augment is not None:
            check_extra(augment.extra)
        self._offsets = load_offsets(config.offsets)
        self._store = RecordStore(config.records, cache=config.cache)
        self.examples = config.per_person * (2 if config.paired else 1)
        index = self._store.index
        self._people: dict[str, list[int]] = {}
        self._sources: dict[str, list[int]] = {}
        for i in rows:
            self._people.setdefault(_person(index[i]), []).append(i)
            self._sources.setdefault(str(index[i].get("source") or ""), []).append(i)
        self._by_path = {str(index[i].get("path")): i for i in rows}
        self._genuine: dict[str, list[int]] = {}
        for i in rows:
            if not _forged(index[i]):
                self._genuine.setdefault(str(index[i].get("source") or ""), []).append(i)

    def __call__(self, row: int, rng: np.random.Generator) -> Arrays:
        """See the class."""
        chosen = [row]
        mates = [i for i in self._people[_person(self._store.index[row])] if i != row]
        while len(chosen) < self._config.per_person:
            chosen.append(int(rng.choice(mates)) if mates else row)
        if self._config.paired:
            return stack([example for i in chosen for example in self.pair(i, rng)])
        return stack([self.one(i, rng) for i in chosen])

    def pair(self, row: int, rng: np.random.Generator) -> list[Arrays]:
        """A genuine and a forged example that went through the same degradations, as alike otherwise as can be."""
        start, names = float(rng.random()), self._store.index
        if _forged(names[row]):
            true = self._by_path.get(str(names[row].get("pair") or ""))
            mate = true if true is not None else self._any_genuine(rng)
            pair = [(mate, *self._read(mate, rng, at=start)), (row, *self._read(row, rng, at=start))]
        else:
            clip, speech = self._read(row, rng, at=start)
            pair = [(row, clip, speech), (row, self._forged(clip, row, rng)[0], speech)]
        seed, chosen = (int(s) for s in rng.integers(2**62, size=2))
        out = []
        for i, clip, speech in pair:
            if self._augment is not None:
                clip = augment_clip(clip, np.random.default_rng(seed), self._augment)
            out.append(self._arrays(clip, speech, i, "", np.random.default_rng(chosen)))
        return out

    def _any_genuine(self, rng: np.random.Generator) -> int:
        """Each source alike, so that the largest does not become the sign of a genuine clip."""
        return int(rng.choice(self._genuine[str(rng.choice(list(self._genuine)))]))

    def one(self, row: int, rng: np.random.Generator) -> Arrays:
        """An example of that row's clip; a genuine one may come forged, a recorded forgery comes as it is."""
        clip, speech = self._read(row, rng)
        columns = self._store.index[row]
        halves, family = (clip.label.visual_fake, clip.label.audio_fake), str(columns.get("generator") or "")
        genuine = True not in halves and False in halves
        if genuine and not family and rng.random() < self._config.forged:
            clip, family = self._forged(clip, row, rng)
        if self._augment is not None:
            clip = augment_clip(clip, rng, self._augment)
        return self._arrays(clip, speech, row, family, rng)

    def _arrays(self, clip: Clip, speech: np.ndarray | None, row: int, family: str, rng: np.random.Generator) -> Arrays:
        columns = self._store.index[row]
        return arrays_of(
            clip,
            ticks=self._config.ticks,
            faces=self._config.faces,
            rng=rng,
            speech=None if family == "tts" else speech,
            in_sync=not _forged(columns) and str(columns.get("label") or "") in ("RVRA", ""),
            local=family in LOCAL,
        )

    def _forged(self, clip: Clip, row: int, rng: np.random.Generator) -> tuple[Clip, str]:
        names = list(self._families)
        shares = np.array(list(self._families.values()))
        for _ in range(TRIES):
            name = names[int(rng.choice(len(names), p=shares / shares.sum()))]
            family: Family = FORGERIES.get(name)
            try:
                others = [self._read(i, rng)[0] for i in self._others(row, family, rng)]
                return family.forge(clip, rng, others), name
            except NetworkMissing:
                raise
            except CannotForge:
                continue
        return clip, ""

    def _others(self, row: int, family: Family, rng: np.random.Generator) -> list[int]:
        """Rows of further clips for a family: of the same person, or of other people of the same source."""
        if not family.needs_others:
            return []
        columns = self._store.index[row]
        mine = self._people[_person(columns)]
        if family.same_person:
            pool = [i for i in mine if i != row and not same_recording(columns, self._store.index[i])]
        else:
            pool = [i for i in self._sources[str(columns.get("source") or "")] if i not in mine]
        pool = [i for i in pool if not _forged(self._store.index[i]) and in_sync(self._store.index[i])]
        if not pool:
            raise CannotForge("no other clip of the kind that the forgery needs")
        return [int(i) for i in rng.choice(pool, min(family.needs_others, len(pool)), replace=False)]

    def _read(self, row: int, rng: np.random.Generator, *, at: float | None = None) -> tuple[Clip, np.ndarray | None]:
        """A random stretch of a record, its label cut along, the lateness of its corpus taken out.

        ``at`` in [0, 1) says which stretch, so that two records of one recording are cut alike.
        """
        columns = self._store.index[row]
        record = self._store.read(row)
        share = float(rng.random()) if at is None else at
        start = int(share * max(1, record.n_ticks - self._config.ticks + 1))
        if self._config.paired:  # short stretches: start at a tick whose face crop was kept
            start -= start % FACE_STRIDE
        stop = min(start + self._config.ticks, record.n_ticks)
        clip = cut_clip(clip_of_record(record), start, stop)
        if not self._config.sound:
            clip = replace(clip, audio=None, audio_valid=np.zeros(stop - start, bool))
        if not self._config.mouths and clip.track is not None:
            clip = replace(clip, track=replace(clip.track, mouths=np.zeros_like(clip.track.mouths)))
        if clip.audio is not None and (late := lateness(self._offsets, columns)):
            audio, covered = advance(clip.audio, clip.audio_valid, late)
            clip = replace(clip, audio=audio, audio_valid=covered)
        return replace(clip, label=label_of(columns, start, stop)), _speech(record, start, stop)


def label_of(columns: dict[str, Any], start: int, stop: int) -> Label:
    """The label of ticks ``start`` to ``stop`` of a clip from its row of the index.

    Segments are cut to the stretch; a branch whose segments all lie outside it is genuine there.
    """
    low, high = start / TICK_RATE, stop / TICK_RATE
    whole = read_segments(columns.get("segments"))
    inside = tuple(
        Segment(max(s.start_s, low) - low, min(s.end_s, high) - low, s.kind)
        for s in whole
        if s.end_s > low and s.start_s < high
    )
    flags: dict[str, bool | None] = {}
    for kind in ("visual", "audio"):
        flag = {"1": True, "0": False}.get(str(columns.get(f"{kind}_fake") or ""))
        outside = any(s.kind == kind for s in whole) and not any(s.kind == kind for s in inside)
        flags[f"{kind}_fake"] = False if flag and outside else flag
    offset = columns.get("offset_ms")
    return Label(**flags, offset_ms=None if offset in (None, "") else float(offset), segments=inside)


def _speech(record: Record, start: int, stop: int) -> np.ndarray | None:
    return None if record.speech is None else record.speech[start:stop].astype(np.float32) / 255


def _person(columns: dict[str, Any]) -> str:
    return f"{columns.get('source') or ''}/{person_of(columns)}"


def _forged(columns: dict[str, Any]) -> bool:
    return "1" in (str(columns.get("visual_fake") or ""), str(columns.get("audio_fake") or ""))

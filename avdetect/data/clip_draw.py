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
from avdetect.clips import cut_track
from avdetect.config import DataConfig
from avdetect.data.clip_examples import Arrays, arrays_of
from avdetect.data.mixture import parse_weights
from avdetect.data.records import Record, clip_of_record
from avdetect.data.sample import read_segments
from avdetect.data.split import person_of
from avdetect.data.store import RecordStore
from avdetect.data.sync_examples import advance, group_of, load_offsets, stack
from avdetect.forge import FORGERIES
from avdetect.forge.contract import CannotForge, Family
from avdetect.types import SAMPLES_PER_TICK, TICK_RATE, Clip, Label, Segment

TRIES = 3
"""Families tried on a clip before it is left genuine."""
LOCAL = ("drift", "stretch")
"""Families (and generators of forged films) after which lips and sound still belong together, at a changing lag."""


class ClipDraw:
    """``draw(row, rng)`` gives ``config.per_person`` examples of the person in that row, stacked.

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
        self._store = RecordStore(config.records)
        index = self._store.index
        self._people: dict[str, list[int]] = {}
        self._sources: dict[str, list[int]] = {}
        for i in rows:
            self._people.setdefault(_person(index[i]), []).append(i)
            self._sources.setdefault(str(index[i].get("source") or ""), []).append(i)

    def __call__(self, row: int, rng: np.random.Generator) -> Arrays:
        """See the class."""
        chosen = [row]
        mates = [i for i in self._people[_person(self._store.index[row])] if i != row]
        while len(chosen) < self._config.per_person:
            chosen.append(int(rng.choice(mates)) if mates else row)
        return stack([self._example(i, rng) for i in chosen])

    def _example(self, row: int, rng: np.random.Generator) -> Arrays:
        clip, speech = self._read(row, rng)
        columns = self._store.index[row]
        halves, family = (clip.label.visual_fake, clip.label.audio_fake), str(columns.get("generator") or "")
        genuine = True not in halves and False in halves
        if genuine and not family and rng.random() < self._config.forged:
            clip, family = self._forged(clip, row, rng)
        in_sync = genuine and str(columns.get("label") or "") in ("RVRA", "")
        if self._augment is not None:
            clip = augment_clip(clip, rng, self._augment)
        return arrays_of(
            clip,
            ticks=self._config.ticks,
            faces=self._config.faces,
            rng=rng,
            speech=None if family == "tts" else speech,
            in_sync=in_sync,
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
            pool = [i for i in mine if i != row]
        else:
            pool = [i for i in self._sources[str(columns.get("source") or "")] if i not in mine]
        pool = [i for i in pool if not _forged(self._store.index[i])]
        if not pool:
            raise CannotForge("no other clip of the kind that the forgery needs")
        return [int(i) for i in rng.choice(pool, min(family.needs_others, len(pool)), replace=False)]

    def _read(self, row: int, rng: np.random.Generator) -> tuple[Clip, np.ndarray | None]:
        """A random stretch of a record, its label cut along, the lateness of its corpus taken out."""
        columns = self._store.index[row]
        record = self._store.read(row)
        start = int(rng.integers(0, max(1, record.n_ticks - self._config.ticks + 1)))
        stop = min(start + self._config.ticks, record.n_ticks)
        clip = cut(clip_of_record(record), start, stop)
        if clip.audio is not None and (late := self._offsets.get(group_of(columns), 0.0)):
            audio, covered = advance(clip.audio, clip.audio_valid, late)
            clip = replace(clip, audio=audio, audio_valid=covered)
        return replace(clip, label=label_of(columns, start, stop)), _speech(record, start, stop)


def cut(clip: Clip, start: int, stop: int) -> Clip:
    """Ticks ``start`` to ``stop`` of a clip."""
    return replace(
        clip,
        track=None if clip.track is None else cut_track(clip.track, start, stop),
        audio=None if clip.audio is None else clip.audio[start * SAMPLES_PER_TICK : stop * SAMPLES_PER_TICK],
        audio_valid=clip.audio_valid[start:stop],
    )


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

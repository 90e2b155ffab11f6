"""A folder of forged films with a manifest: one film and one row at a time, so that a stopped run goes on."""

from __future__ import annotations

import csv
import functools
import hashlib
import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from avdetect.data.manifest import Entry
from avdetect.data.sample import write_segments
from avdetect.forge import FORGERIES
from avdetect.forge.contract import CannotForge, Family
from avdetect.forge.films import Film, Forged, forge_film, key_rng, read_film, write_film
from avdetect.types import Clip, Label
from avdetect.whole_file import replacing

COLUMNS = (
    "path", "label", "visual_fake", "audio_fake", "generator", "source", "identity", "source_video", "segments",
    "offset_ms", "seed", "made_from",
)  # fmt: skip
ROWS = "rows"
"""Folder of the rows, one JSON a film."""
MOST_OTHERS = 2


@dataclass(frozen=True)
class Order:
    """What to make.

    Attributes:
        families: names of forgeries.
        count: films of each family from each input.
        seed: part of every key.
        stretch: forge only a stretch of each.
        genuine: also write each input, unforged, through the same encoder.
        max_s: seconds read of each input.
        crf: quality of the picture, see `avdetect.media.write`.
    """

    families: tuple[str, ...]
    count: int = 1
    seed: int = 0
    stretch: bool = False
    genuine: bool = False
    max_s: float = 10.0
    crf: int = 18


@dataclass(frozen=True)
class Outcome:
    """One film: made now, kept from before, or not made, and why."""

    name: str
    state: str
    reason: str = ""


class SetMaker:
    """Makes the films of an order into a folder."""

    def __init__(self, entries: Sequence[Entry], order: Order, out: Path):
        self.entries, self.order, self.out = list(entries), order, out
        (out / ROWS).mkdir(parents=True, exist_ok=True)
        self._clip = functools.lru_cache(maxsize=8)(lambda path: read_film(path, order.max_s, keep_frames=False).clip)

    def run(self) -> Iterator[Outcome]:
        """Make what is not there yet, input by input."""
        for entry in self.entries:
            yield from self._make_all(entry)

    def write_manifest(self) -> int:
        """``manifest.csv`` of all films in the folder, in order of their names; returns how many there are."""
        rows = [json.loads(p.read_text()) for p in sorted((self.out / ROWS).glob("[!.]*.json"))]
        rows = [r for r in rows if "refused" not in r and (self.out / r["path"]).is_file()]
        with (
            replacing(self.out / "manifest.csv") as half,
            half.open("w", newline="", encoding="utf-8") as file,
        ):
            writer = csv.DictWriter(file, COLUMNS)
            writer.writeheader()
            writer.writerows(rows)
        return len(rows)

    def _make_all(self, entry: Entry) -> Iterator[Outcome]:
        jobs = [(family, copy) for family in self.order.families for copy in range(self.order.count)]
        jobs = [("genuine", 0), *jobs] if self.order.genuine else jobs
        names = {job: self._name(entry, *job) for job in jobs}
        missing = [job for job in jobs if not self._finished(names[job])]
        for job in jobs:
            if job not in missing:
                yield self._kept(names[job])
        if not missing:
            return
        try:
            if known_fake(entry):
                raise CannotForge("its manifest says that it is forged already; give genuine files")
            film = read_film(entry.path, self.order.max_s)
        except Exception as error:  # anything may be wrong with a file; the others go on
            for job in missing:
                yield Outcome(names[job], "failed", _said(entry.path, error))
            return
        for job in missing:
            yield self._make(entry, film, *job, names[job])

    def _make(self, entry: Entry, film: Film, family: str, copy: int, name: str) -> Outcome:
        try:
            forged = None
            if family != "genuine":
                rng = key_rng(family, entry.name, self.order.seed, copy, int(self.order.stretch))
                chosen: Family = FORGERIES.get(family)
                others = self._others(entry, chosen, rng.permutation)
                forged = forge_film(film, chosen, rng, others, stretch=self.order.stretch)
            with replacing(self.out / f"{name}.mp4") as half:
                write_film(film, forged, half, crf=self.order.crf)
        except CannotForge as error:
            # Final: the same key would fail in the same way. Kept, so that a repeated run does not try again.
            self._write_row(name, {"refused": str(error)})
            return Outcome(name, "refused", _said(entry.path, error))
        except Exception as error:
            said = _said(entry.path, error)
            outside = family != "genuine" and family not in FORGERIES.builtins()
            return Outcome(name, "failed", str(FORGERIES.blame(family, said)) if outside else said)
        self._write_row(name, self._row(entry, film, forged, family, name))
        return Outcome(name, "made")

    def _others(self, entry: Entry, family: Family, shuffle: Callable[[int], Any]) -> list[Clip]:
        """Clips of the person, or of other people, in an order that depends on the key only."""
        person = _identity(entry)
        candidates = [
            e for e in self.entries if e.name != entry.name and (_identity(e) == person) == family.same_person
        ]
        found: list[Clip] = []
        for i in shuffle(len(candidates)):
            if len(found) >= max(family.needs_others, 1 if family.same_person else MOST_OTHERS):
                break
            try:
                found.append(self._clip(candidates[int(i)].path))
            except Exception:  # it is reported where it is forged itself
                continue
        return found

    def _name(self, entry: Entry, family: str, copy: int) -> str:
        """File name that two inputs of one name, two orders or two versions of an input do not share."""
        stat = entry.path.stat() if entry.path.is_file() else None
        order = self.order
        about = [entry.name, stat.st_size if stat else 0, order.max_s, order.crf]
        if family != "genuine":
            about += [order.seed, copy, order.stretch]
        plain = re.sub(r"[^\w.-]+", "_", family)
        if plain != family:  # a place, whose slashes a file name cannot have
            about.append(family)
        digest = hashlib.sha256(json.dumps(about).encode()).hexdigest()[:8]
        return f"{entry.path.stem[:60]}-{plain}-{digest}"

    def _finished(self, name: str) -> bool:
        row = self.out / ROWS / f"{name}.json"
        if not row.is_file():
            return False
        return "refused" in json.loads(row.read_text()) or (self.out / f"{name}.mp4").is_file()

    def _kept(self, name: str) -> Outcome:
        row = json.loads((self.out / ROWS / f"{name}.json").read_text())
        return Outcome(name, "refused", row["refused"]) if "refused" in row else Outcome(name, "kept")

    def _write_row(self, name: str, row: dict[str, Any]) -> None:
        with replacing(self.out / ROWS / f"{name}.json") as half:
            half.write_text(json.dumps(row))

    def _row(self, entry: Entry, film: Film, forged: Forged | None, family: str, name: str) -> dict[str, Any]:
        label = forged.label if forged else Label()
        # An input that is given here is genuine: whoever gives it says so.
        picture = bool(label.visual_fake)
        sound = None if film.clip.audio is None else bool(label.audio_fake)
        offset = label.offset_ms if label.offset_ms is not None else ""
        return {
            "path": f"{name}.mp4",
            "label": ("FV" if picture else "RV") + ("" if sound is None else "FA" if sound else "RA"),
            "visual_fake": int(picture),
            "audio_fake": "" if sound is None else int(sound),
            "generator": "" if family == "genuine" else family,
            "source": str(entry.columns.get("source") or "forged"),
            "identity": _identity(entry),
            "source_video": str(entry.columns.get("source_video") or entry.columns.get("pair") or entry.name),
            "segments": write_segments(label.segments),
            "offset_ms": offset,
            "seed": self.order.seed,
            "made_from": entry.name,
        }


def known_fake(entry: Entry) -> bool:
    """Whether the manifest calls the file forged."""
    flags = [str(entry.columns.get(c) or "0") for c in ("visual_fake", "audio_fake")]
    return "1" in flags or "F" in str(entry.columns.get("label") or "")


def _identity(entry: Entry) -> str:
    """The person; a file of which nothing is known counts as a person of its own."""
    return str(entry.columns.get("identity") or entry.name)


def _said(path: Path, error: Exception) -> str:
    text = str(error) or type(error).__name__
    kind = "" if type(error).__module__.startswith("avdetect.") else f"{type(error).__name__}: "
    return text if text.startswith(str(path)) else f"{path}: {kind}{text}"

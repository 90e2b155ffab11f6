"""RAVDESS (Livingstone and Russo, PLoS ONE 13 (5), 2018, doi:10.1371/journal.pone.0196391)."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from pathlib import Path

from avdetect.data.sample import Sample
from avdetect.data.sources.layout import check_files, check_tree, choose

_ACTORS = [f"{n:02d}" for n in range(1, 25)]
_CHANNELS = {"speech": "01", "song": "02"}
_EMOTIONS = ("neutral", "calm", "happy", "sad", "angry", "fearful", "disgust", "surprised")
_SUNG = 6
"""Emotions that were sung: all but disgust and surprise."""
_NOT_SUNG_BY = "18"
_STATEMENTS = ("Kids are talking by the door", "Dogs are sitting by the door")
_LAYOUT = (
    "Actor_01/ ... Actor_24/ (in the folder itself or in those of the archives), each with films such as "
    "01-01-03-01-01-01-01.mp4; the option actors=1,2 reads only those"
)


class RAVDESS:
    """Two statements spoken and sung in eight emotions by 24 actors; all genuine.

    A name is modality (01 = picture and sound), channel (01 speech, 02 song), emotion, strength (01 normal, 02 strong),
    statement, repetition and actor (odd = male). The design says which films there are, 60 of speech and 44 of song an
    actor (neutral has no strong form, song neither disgust nor surprise, and actor 18 did not sing), so that one that
    was not copied is yielded too. Copies with only picture (02) or only sound (03) are left out.

    Layout: data set page (zenodo.org/records/1188976).

    Args:
        root: the folder that the archives were unpacked in.
        actors: numbers of those to read, with commas; all of them where empty.
        channels: ``speech``, ``song`` or both, with a comma.

    Raises:
        FileNotFoundError: an actor or most of the films of one are missing.
        ValueError: an unknown actor or channel.
    """

    api_version = 1

    def __init__(self, root: Path, /, *, actors: str = "", channels: str = "speech"):
        self.root = Path(root)
        numbers = ",".join(a.strip().zfill(2) for a in actors.split(",")) if actors else ",".join(_ACTORS)
        chosen = choose("RAVDESS", "actors", numbers, _ACTORS)
        kinds = choose("RAVDESS", "channels", channels, _CHANNELS)
        check_tree("RAVDESS", self.root, _LAYOUT, files=[], folders=[])
        found = [p for pattern in ("Actor_*", "*/Actor_*") for p in sorted(self.root.glob(pattern)) if p.is_dir()]
        names = {p.name for p in found}
        if missing := [f"Actor_{a}" for a in chosen if f"Actor_{a}" not in names]:
            count = f" ({len(missing)} of {len(chosen)} actors)" * (len(missing) > 1)
            raise FileNotFoundError(f"RAVDESS: {self.root} lacks {', '.join(missing)}{count}; expected {_LAYOUT}")
        self._folders = {p.name: p for p in reversed(found)}
        self._films = {p.name: p for folder in found for p in sorted(folder.glob("01-*.mp4"))}
        self._samples = []
        for actor, kind in product(chosen, kinds):
            samples = list(self._read(actor, kind))
            # By actor and channel: each is an archive of its own, and some may be missing among the others.
            if samples:
                check_files(f"RAVDESS, {kind} of Actor_{actor}", self.root, (s.path for s in samples))
            self._samples += samples
        if not self._samples:  # songs of the one who did not sing
            check_files("RAVDESS", self.root, [])

    def samples(self) -> Iterator[Sample]:
        """Actors by number, speech or song as asked for, films by name."""
        yield from self._samples

    def _read(self, actor: str, kind: str) -> Iterator[Sample]:
        if kind == "song" and actor == _NOT_SUNG_BY:
            return
        # Speech and song may lie in folders of their own; an absent film is looked for beside its like.
        like = (p.parent for n, p in self._films.items() if n[3:5] == _CHANNELS[kind] and n.endswith(f"-{actor}.mp4"))
        folder = next(like, self._folders[f"Actor_{actor}"])
        emotions = range(1, (_SUNG if kind == "song" else len(_EMOTIONS)) + 1)
        for emotion, strength, statement, repetition in product(emotions, (1, 2), (1, 2), (1, 2)):
            if emotion == 1 and strength == 2:
                continue
            recording = f"{_CHANNELS[kind]}-{emotion:02d}-{strength:02d}-{statement:02d}-{repetition:02d}-{actor}"
            path = self._films.get(f"01-{recording}.mp4", folder / f"01-{recording}.mp4")
            yield Sample(
                path=path,
                name=path.relative_to(self.root).as_posix(),
                source="RAVDESS",
                visual_fake=False,
                audio_fake=False,
                identity=f"Actor_{actor}",
                source_video=recording,
                more={
                    "channel": kind,
                    "emotion": _EMOTIONS[emotion - 1],
                    "strength": ("normal", "strong")[strength - 1],
                    "statement": _STATEMENTS[statement - 1],
                    "gender": "male" if int(actor) % 2 else "female",
                    "language": "en",
                },
            )

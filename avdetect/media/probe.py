"""What a media file is, without reading it through."""

from __future__ import annotations

import os

from avdetect.media.limits import Limits
from avdetect.media.reader import MediaReader
from avdetect.types import MediaInfo


def probe(path: str | os.PathLike[str], *, limits: Limits | None = None) -> MediaInfo:
    """Open a media file in a decoder process, decode its first frames, and say what it is.

    Args:
        path: a regular file.
        limits: what it may cost.

    Returns:
        Its description; ``duration_s`` is what the container says (0.0 where it says nothing).

    Raises:
        MediaError: if the file cannot be read.
    """
    reader = MediaReader(path, limits=limits or Limits(), block_ticks=1, picture=True, sound=True, only_probe=True)
    reader.close()
    return reader.info

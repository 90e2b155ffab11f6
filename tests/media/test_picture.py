"""Pictures come upright, at the size that they are displayed in, and in the right colours."""

from __future__ import annotations

import subprocess
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from avdetect.media.limits import Limits
from avdetect.media.picture import Darkroom, delivered_size, display_size, display_turn
from avdetect.media.reader import open_media
from avdetect.types import MediaInfo


def write(path: Path, pictures: list[np.ndarray], *, codec: str = "libx264rgb", **settings: Any) -> None:
    with av.open(str(path), "w") as out:
        stream: Any = out.add_stream(codec, rate=25)
        stream.height, stream.width = pictures[0].shape[:2]
        stream.pix_fmt = settings.pop("pixels", "rgb24" if codec == "libx264rgb" else "yuv420p")
        turn = settings.pop("turn", None)
        if turn is not None:
            stream.set_display_rotation(turn[0], hflip=turn[1], vflip=turn[2])
        stream.codec_context.options = settings.pop("options", {"crf": "0", "preset": "ultrafast"})
        for name, value in settings.items():
            setattr(stream.codec_context, name, value)
        for picture in pictures:
            out.mux(stream.encode(av.VideoFrame.from_ndarray(picture, "rgb24")))
        out.mux(stream.encode(None))


def first_picture(path: Path, **kwargs: Any) -> tuple[np.ndarray, MediaInfo]:
    with open_media(path, **kwargs) as media:
        block = next(media.blocks())
        assert block.frames is not None and block.frame_valid[0]
        return block.frames[0], media.info


def scene(height: int = 48, width: int = 64) -> np.ndarray:
    """A picture without any symmetry."""
    picture = np.full((height, width, 3), 30, np.uint8)
    picture[: height // 4, : width // 2] = (220, 40, 40)
    picture[height // 2 :, : width // 4] = (40, 220, 40)
    return picture


@pytest.mark.parametrize("hflip", [False, True])
@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
def test_turns_and_mirrors_as_ffmpeg_itself_does(tmp_path: Path, degrees: int, hflip: bool) -> None:
    import imageio_ffmpeg

    path = tmp_path / "turned.mp4"
    write(path, [scene()] * 3, turn=(degrees, hflip, False))
    got, info = first_picture(path)
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-i", str(path), "-frames:v", "1"]
    raw = subprocess.run([*command, "-f", "rawvideo", "-pix_fmt", "rgb24", "-"], capture_output=True, check=True).stdout
    expected = np.frombuffer(raw, np.uint8).reshape(got.shape)
    assert got.shape == ((64, 48, 3) if degrees % 180 else (48, 64, 3))
    np.testing.assert_allclose(got.astype(int), expected.astype(int), atol=2)
    assert info.video is not None
    assert (info.video.height, info.video.width) == got.shape[:2]


@pytest.mark.parametrize("orientation", range(1, 9))
def test_photos_are_turned_as_their_exif_says(tmp_path: Path, orientation: int) -> None:
    from PIL import Image, ImageOps

    path = tmp_path / "photo.jpg"
    picture = Image.fromarray(scene())
    exif = picture.getexif()
    exif[0x0112] = orientation
    picture.save(path, exif=exif, quality=95)
    with Image.open(path) as photo:
        expected = np.asarray(ImageOps.exif_transpose(photo)).astype(int)
    got, _ = first_picture(path)
    assert got.shape == expected.shape
    assert np.abs(got - expected).mean() < 3


def test_turn_of_a_slanted_matrix_is_the_nearest_quarter() -> None:
    nearly = np.array([100, 65_000, 0, -65_000, 100, 0, 0, 0, 1 << 30], np.int32).tobytes()
    assert display_turn(nearly)[1] == 90
    assert display_turn(None) == ((), 0)
    assert display_turn(b"short") == ((), 0)


def test_colours_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "colours.mp4"
    picture = np.zeros((64, 64, 3), np.uint8)
    picture[:32, :32], picture[:32, 32:], picture[32:, :32], picture[32:, 32:] = (
        (200, 30, 30),
        (30, 200, 30),
        (30, 30, 200),
        (128, 128, 128),
    )
    write(path, [picture] * 3, codec="libx264", options={"crf": "1", "preset": "ultrafast"})
    got, _ = first_picture(path)
    for row, column in ((16, 16), (16, 48), (48, 16), (48, 48)):
        np.testing.assert_allclose(got[row, column].astype(int), picture[row, column].astype(int), atol=6)


def test_unmarked_hd_is_read_as_bt709() -> None:
    for height, matrix in ((480, "ITU601"), (1080, "ITU709")):
        rgb = np.full((height, 64, 3), (200, 60, 40), np.uint8)
        frame = av.VideoFrame.from_ndarray(rgb).reformat(format="yuv420p", dst_colorspace=matrix)
        frame.colorspace = 2  # unspecified
        out = np.zeros((height, 64, 3), np.uint8)
        Darkroom(frame, None, 2000).develop(frame, out)
        np.testing.assert_allclose(out[height // 2, 32].astype(int), (200, 60, 40), atol=4)


def test_large_pictures_are_scaled_down(tmp_path: Path) -> None:
    path = tmp_path / "large.mp4"
    write(path, [scene(480, 640)] * 2)
    got, info = first_picture(path, limits=Limits(picture_side=160))
    assert got.shape == (120, 160, 3)
    assert info.video is not None and (info.video.width, info.video.height) == (640, 480)
    np.testing.assert_allclose(got[10, 20].astype(int), (220, 40, 40), atol=8)


def test_oblong_pixels_are_made_square(tmp_path: Path) -> None:
    path = tmp_path / "oblong.mkv"
    write(path, [scene(48, 36)] * 2, sample_aspect_ratio=Fraction(4, 3))
    got, _ = first_picture(path)
    assert got.shape == (48, 48, 3)


@pytest.mark.parametrize(("width", "height"), [(1, 1), (2, 2), (3, 5), (17, 31)])
def test_odd_sizes(tmp_path: Path, width: int, height: int) -> None:
    path = tmp_path / "odd.mkv"
    picture = np.full((height, width, 3), (10, 120, 240), np.uint8)
    write(path, [picture] * 2, codec="ffv1", pixels="bgr0", options={})
    got, _ = first_picture(path)
    np.testing.assert_array_equal(got, picture)


def test_a_change_of_size_is_fitted_into_the_first(tmp_path: Path) -> None:
    path = tmp_path / "change.ts"
    pieces = []
    for number, (width, height) in enumerate(((64, 64), (128, 64))):
        piece = tmp_path / f"piece{number}.h264"
        write(piece, [np.full((height, width, 3), 200, np.uint8)] * 10, codec="libx264")
        pieces.append(piece.read_bytes())
    path.with_suffix(".h264").write_bytes(b"".join(pieces))
    with open_media(path.with_suffix(".h264")) as media:
        pictures = np.concatenate([block.frames for block in media.blocks() if block.frames is not None])
    assert pictures.shape == (20, 64, 64, 3)
    assert pictures[5].min() > 180
    # Twice as wide as high: bands of black above and below.
    assert pictures[15, 32].min() > 180
    assert pictures[15, 4].max() < 20


@pytest.mark.parametrize(
    ("size", "aspect", "turned", "shown"),
    [
        ((720, 576), Fraction(16, 15), False, (768, 576)),
        ((720, 576), Fraction(16, 15), True, (576, 768)),
        ((720, 576), None, False, (720, 576)),
        ((720, 576), Fraction(1000, 1), False, (720, 576)),  # a nonsense aspect is not believed
    ],
)
def test_display_size(size: tuple[int, int], aspect: Fraction | None, turned: bool, shown: tuple[int, int]) -> None:
    assert display_size(*size, aspect, turned) == shown


@pytest.mark.parametrize(
    ("size", "side", "delivered"),
    [((640, 480), 1280, (640, 480)), ((3840, 2160), 1280, (1280, 720)), ((5000, 2), 1280, (1280, 1))],
)
def test_delivered_size(size: tuple[int, int], side: int, delivered: tuple[int, int]) -> None:
    assert delivered_size(*size, side) == delivered


@pytest.mark.parametrize("pixels", ["yuv420p10le", "yuv444p", "gray", "yuv422p", "rgba", "pal8"])
def test_pixel_formats(pixels: str) -> None:
    frame = av.VideoFrame.from_ndarray(np.full((32, 32, 3), 128, np.uint8))
    if pixels == "pal8":
        frame = av.VideoFrame.from_ndarray(np.full((32, 32), 128, np.uint8), "gray8")
    frame = frame.reformat(format="gray" if pixels == "pal8" else pixels)
    out = np.zeros((32, 32, 3), np.uint8)
    Darkroom(frame, None, 1280).develop(frame, out)
    np.testing.assert_allclose(out.astype(int), 128, atol=3)


def test_seven_of_eight_turns_need_filters() -> None:
    unit = 1 << 16
    matrices = [
        (a, b, 0, c, d, 0, 0, 0, 1 << 30)
        for a, b, c, d in [(unit, 0, 0, unit), (0, unit, -unit, 0), (0, -unit, -unit, 0), (-unit, 0, 0, unit)]
    ]
    turns = [display_turn(np.array(matrix, np.int32).tobytes()) for matrix in matrices]
    assert [bool(filters) for filters, _ in turns] == [False, True, True, True]
    assert [degrees for _, degrees in turns] == [0, 90, 270, 0]

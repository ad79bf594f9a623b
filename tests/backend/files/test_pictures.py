# SPDX-License-Identifier: GPL-3.0-or-later
"""Pictures as files: what is read is what was meant, what is written reads back, and failures are sentences."""

import io
import os
import struct
import warnings
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backend.errors import UserError
from backend.files import pictures
from backend.flow.products import Picture

Image = pytest.importorskip("PIL.Image", reason="Pillow reads and writes pictures: pip install pillow")

RGBA: Picture = np.array(
    [[[255, 0, 0, 255], [0, 255, 0, 255], [0, 0, 255, 255]], [[9, 8, 7, 128], [255, 255, 255, 1], [0, 0, 0, 0]]],
    np.uint8,
)

only_for_mortals = pytest.mark.skipif(
    os.name != "posix" or os.geteuid() == 0, reason="this user may read and write everything"
)


posix = pytest.mark.skipif(os.name != "posix", reason="names, links and files as POSIX has them")


def saved(path: Path, image: Any, **options: Any) -> Path:
    image.save(path, **options)
    return path


# --- pictures ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", [".png", ".tif", ".webp"])
def test_a_picture_reads_as_its_pixels(tmp_path: Path, suffix: str) -> None:
    options = {"lossless": True, "exact": True} if suffix == ".webp" else {}
    path = saved(tmp_path / f"a{suffix}", Image.fromarray(RGBA), **options)
    pixels = pictures.read_picture(path)
    np.testing.assert_array_equal(pixels, RGBA)
    pixels[0, 0] = 0  # is the caller's own


def test_a_picture_without_alpha_is_opaque(tmp_path: Path) -> None:
    pixels = pictures.read_picture(saved(tmp_path / "a.png", Image.fromarray(RGBA[..., :3])))
    np.testing.assert_array_equal(pixels[..., :3], RGBA[..., :3])
    assert np.all(pixels[..., 3] == 255)


def test_a_palette_keeps_its_transparency(tmp_path: Path) -> None:
    palette = Image.fromarray(np.array([[0, 1]], np.uint8), "L").convert("P")
    palette.putpalette([200, 100, 50, 10, 20, 30])
    pixels = pictures.read_picture(saved(tmp_path / "a.png", palette, transparency=1))
    assert pixels[0, 0].tolist() == [200, 100, 50, 255]
    assert pixels[0, 1, 3] == 0


def test_sixteen_bits_of_grey_become_eight(tmp_path: Path) -> None:
    grey = np.array([[0, 257 * 100, 65535]], np.uint16)
    pixels = pictures.read_picture(saved(tmp_path / "a.png", Image.fromarray(grey)))
    assert pixels[0].tolist() == [[0, 0, 0, 255], [100, 100, 100, 255], [255, 255, 255, 255]]


@pytest.mark.parametrize("compression", [None, "tiff_lzw"])
def test_a_tiff_file_is_turned_upright(tmp_path: Path, compression: str | None) -> None:
    image = Image.fromarray(np.array([[0, 100, 255], [1, 2, 3]], np.uint8))
    exif = image.getexif()
    exif[0x0112] = 6
    pixels = pictures.read_picture(saved(tmp_path / "a.tif", image, exif=exif, compression=compression))
    assert pixels[..., 0].tolist() == [[1, 0], [2, 100], [3, 255]]


@pytest.mark.parametrize("bits", [8, 16])
def test_grey_keeps_what_is_transparent_and_is_turned_upright(tmp_path: Path, bits: int) -> None:
    scale, dtype = (257, np.uint16) if bits == 16 else (1, np.uint8)
    grey = np.array([[0, 100, 255], [1, 2, 3]], dtype) * scale
    image = Image.fromarray(grey)
    exif = image.getexif()
    exif[0x0112] = 6
    path = saved(tmp_path / "a.png", image, exif=exif, transparency=100 * scale)
    pixels = pictures.read_picture(path)
    assert pixels[..., 0].tolist() == [[1, 0], [2, 100], [3, 255]]
    assert pixels[..., 3].tolist() == [[255, 255], [255, 0], [255, 255]]


def test_only_the_grey_that_the_file_names_is_transparent(tmp_path: Path) -> None:
    grey = np.array([[25_700, 25_701]], np.uint16)
    pixels = pictures.read_picture(saved(tmp_path / "a.png", Image.fromarray(grey), transparency=25_700))
    assert pixels[0].tolist() == [[100, 100, 100, 0], [100, 100, 100, 255]]


def test_a_photograph_on_its_side_is_turned_upright(tmp_path: Path) -> None:
    pixels = np.zeros((16, 32, 3), np.uint8)
    pixels[:, :16] = 255  # the left half, which is the top of a picture that was turned to the left
    image = Image.fromarray(pixels)
    exif = image.getexif()
    exif[0x0112] = 6
    upright = pictures.read_picture(saved(tmp_path / "a.jpg", image, exif=exif, quality=95))
    assert upright.shape == (32, 16, 4)
    assert upright[:15, :, 0].min() > 200
    assert upright[17:, :, 0].max() < 50


@pytest.mark.parametrize(("size", "readable"), [((16_384, 2), True), ((16_385, 2), False), ((2, 16_385), False)])
def test_a_picture_has_at_most_16384_pixels_a_side(tmp_path: Path, size: tuple[int, int], readable: bool) -> None:  # noqa: FBT001
    path = saved(tmp_path / "a.png", Image.new("L", size))
    if readable:
        assert pictures.read_picture(path).shape == (size[1], size[0], 4)
    else:
        with pytest.raises(UserError) as caught:
            pictures.read_picture(path)
        assert caught.value.code == "bad-picture"
        assert f"{size[0]} x {size[1]}" in caught.value.sentence


@pytest.mark.parametrize("size", [(10_000, 9_500), (16_000, 15_000)])
def test_a_picture_of_too_many_pixels_is_refused_without_a_warning(tmp_path: Path, size: tuple[int, int]) -> None:
    path = tmp_path / "a.pgm"
    path.write_bytes(b"P5 %d %d 255\n" % size)  # its pixels need not be there to be too many
    with warnings.catch_warnings(action="error"), pytest.raises(UserError) as caught:
        pictures.read_picture(path)
    assert caught.value.code == "bad-picture"
    assert "large" in caught.value.sentence


def test_a_missing_file_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(UserError) as caught:
        pictures.read_picture(tmp_path / "a.png")
    assert caught.value.code == "no-picture"
    with pytest.raises(UserError) as caught:
        pictures.read_picture(tmp_path / "*.png")
    assert "`python -m backend batch`" in caught.value.advice


@only_for_mortals
def test_a_file_without_permission_is_a_sentence(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.png", Image.fromarray(RGBA))
    path.chmod(0o200)
    with pytest.raises(UserError) as caught:
        pictures.read_picture(path)
    assert caught.value.code == "no-permission"
    assert "permission" in caught.value.sentence


@pytest.mark.parametrize("data", [b"", b"not a picture", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0" + b"\0" * 50])
def test_a_file_that_is_no_picture_is_a_sentence(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(data)
    with pytest.raises(UserError) as caught:
        pictures.read_picture(path)
    assert caught.value.code == "bad-picture"


def test_a_png_file_whose_last_rows_are_missing_is_a_sentence_and_not_black(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.png", Image.fromarray(RGBA))
    whole = path.read_bytes()
    path.write_bytes(whole + b"and more")
    np.testing.assert_array_equal(pictures.read_picture(path), RGBA)
    at = whole.index(b"IDAT")
    rows = zlib.decompress(whole[at + 4 : whole.index(b"IEND") - 8])
    body = b"IDAT" + zlib.compress(rows[: len(rows) // 2])
    chunk = struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
    for broken, said in [(chunk, "ends in the middle"), (whole[at - 4 : at + 9] + b"?" + chunk, "cannot be read")]:
        path.write_bytes(whole[: at - 4] + broken + whole[whole.index(b"IEND") - 4 :])
        with pytest.raises(UserError, match=said):
            pictures.read_picture(path)


def encoded(kind: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image = Image.fromarray(np.random.default_rng(3).integers(0, 256, (20, 30, 3), np.uint8))
    exif = image.getexif()
    exif[0x0112], exif[0x010E] = 6, "a picture"
    image.save(buffer, kind, **({} if kind in ("BMP", "DDS") else {"exif": exif}), **options)
    return buffer.getvalue()


def damaged(data: st.DataObject, whole: bytes) -> bytes:
    """A file after a few accidents, most of them near its start: bytes changed, lost, added, repeated or cut off."""
    broken = bytearray(whole)
    for _ in range(data.draw(st.integers(1, 5))):
        place = data.draw(st.integers(0, min(len(broken) - 1, data.draw(st.sampled_from([300, len(broken)])))))
        match data.draw(st.sampled_from(["change", "flip", "drop", "add", "repeat", "cut"])):
            case "change":
                broken[place] = data.draw(st.integers(0, 255))
            case "flip":
                broken[place] ^= 1 << data.draw(st.integers(0, 7))
            case "drop":
                del broken[place : place + 2]
            case "add":
                broken[place:place] = data.draw(st.binary(min_size=1, max_size=4))
            case "repeat":
                broken[place : place + 4] = broken[:4]
            case _:
                del broken[place + 1 :]
        if not broken:
            return b""
    return bytes(broken)


def is_picture_or_sentence(path: Path) -> bool:
    try:
        pixels = pictures.read_picture(path)
    except UserError as error:
        return error.sentence.endswith(".") and error.advice.endswith(".")
    return pixels.dtype == np.uint8 and pixels.ndim == 3 and pixels.shape[2] == 4


KINDS = {
    "png": encoded("PNG"),
    "jpeg": encoded("JPEG"),
    "tiff": encoded("TIFF"),
    "webp": encoded("WEBP"),
    "lossless webp": encoded("WEBP", lossless=True),
    "gif": encoded("GIF"),
    "bmp": encoded("BMP"),
    "dds": encoded("DDS"),
}


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_damaged_file_is_a_picture_or_a_sentence(tmp_path: Path, kind: str, data: st.DataObject) -> None:
    path = tmp_path / "damaged"
    path.write_bytes(damaged(data, KINDS[kind]))
    assert is_picture_or_sentence(path)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), compression=st.sampled_from(["tiff_lzw", "tiff_deflate", "jpeg", "packbits"]))
def test_a_damaged_compressed_tiff_file_is_a_picture_or_a_sentence(
    tmp_path: Path, data: st.DataObject, compression: str
) -> None:
    path = tmp_path / "damaged"
    path.write_bytes(damaged(data, encoded("TIFF", compression=compression)))
    assert is_picture_or_sentence(path)


@pytest.mark.parametrize("error", [TypeError, KeyError, AttributeError, RecursionError, AssertionError, MemoryError])
def test_whatever_a_decoder_raises_is_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    """Decoders raise what they like of damaged files; which file makes which one do so changes with every version."""

    def fails(_: object) -> None:
        raise error

    path = saved(tmp_path / "a.png", Image.fromarray(RGBA))
    monkeypatch.setattr("PIL.ImageOps.exif_transpose", fails)
    with pytest.raises(UserError) as caught:
        pictures.read_picture(path)
    assert caught.value.code == ("out-of-memory" if error is MemoryError else "bad-picture")


@pytest.mark.parametrize("broken", [b"", b"\xff" * 30], ids=["whole", "damaged"])
def test_the_libraries_of_a_format_write_nothing_to_the_terminal(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], broken: bytes
) -> None:
    """The library libtiff prints from C, past Python; Pillow itself complains through its log."""
    compressed = encoded("TIFF", compression="tiff_deflate")
    place = len(compressed) // 2
    (tmp_path / "a.tif").write_bytes(compressed[:place] + broken + compressed[place + len(broken) :])
    (tmp_path / "b.tif").write_bytes(encoded("TIFF").replace(SAMPLES_3, SAMPLES_3000))
    assert SAMPLES_3000 in (tmp_path / "b.tif").read_bytes()
    for name in ("a.tif", "b.tif"):
        assert is_picture_or_sentence(tmp_path / name)
    assert capfd.readouterr() == ("", "")
    if not broken:
        assert pictures.read_picture(tmp_path / "a.tif").shape == (30, 20, 4)


SAMPLES_3, SAMPLES_3000 = (b"\x15\x01\x03\x00\x01\x00\x00\x00" + struct.pack("<H", count) for count in (3, 3000))


@pytest.mark.parametrize("compression", ["tiff_lzw", "tiff_deflate", "packbits"])
def test_a_compressed_tiff_file_reads_as_its_pixels(tmp_path: Path, compression: str) -> None:
    path = saved(tmp_path / "a.tif", Image.fromarray(RGBA), compression=compression)
    np.testing.assert_array_equal(pictures.read_picture(path), RGBA)


# --- what is no file --------------------------------------------------------------------------------------------------


def refusal(path: Path) -> UserError:
    with pytest.raises(UserError) as caught:
        pictures.read_picture(path)
    assert caught.value.sentence.endswith(".")
    assert caught.value.advice.endswith(".")
    return caught.value


def test_a_folder_is_no_picture(tmp_path: Path) -> None:
    assert refusal(tmp_path).code == "no-picture"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_named_pipe_is_refused_without_waiting_for_its_other_end(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.png")
    assert refusal(tmp_path / "a.png").code == "no-picture"


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="this system has no such device")
def test_a_device_is_refused(tmp_path: Path) -> None:
    assert refusal(Path("/dev/zero")).code == "no-picture"
    (tmp_path / "a.png").symlink_to("/dev/zero")
    assert refusal(tmp_path / "a.png").code == "no-picture"


@posix
def test_a_link_to_itself_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.png").symlink_to("a.png")
    assert refusal(tmp_path / "a.png").code == "no-picture"
    assert refusal(tmp_path / "a.png" / "b.png").code == "no-picture"


@pytest.mark.parametrize("name", ["n" * 300 + ".png", "a\0b.png", "a.png/b.png"])
def test_a_name_that_no_file_has_is_refused(tmp_path: Path, name: str) -> None:
    saved(tmp_path / "a.png", Image.fromarray(RGBA))
    assert refusal(tmp_path / name).code == "no-picture"


def test_a_link_to_a_picture_is_read(tmp_path: Path) -> None:
    (tmp_path / "b.png").symlink_to(saved(tmp_path / "a.png", Image.fromarray(RGBA)))
    np.testing.assert_array_equal(pictures.read_picture(tmp_path / "b.png"), RGBA)


@posix
@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_a_name_that_is_not_utf_8_works(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / os.fsdecode(b"gr\xfcn" + suffix.encode())
    pictures.write_picture(path, RGBA)
    np.testing.assert_array_equal(pictures.read_picture(path), RGBA)
    if suffix == ".tif":
        path.write_bytes(encoded("TIFF", compression="tiff_lzw"))  # is read by another process
        assert pictures.read_picture(path).shape == (30, 20, 4)


@posix
def test_a_file_too_large_for_any_picture_is_refused_unread(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.webp", Image.fromarray(RGBA))
    os.truncate(path, (2 << 30) + 1)  # a sparse file: it takes no room
    error = refusal(path)
    assert error.code == "bad-picture"
    assert "2 GiB" in error.sentence


def with_red_and_green_exchanged() -> bytes:
    """Return an ICC profile: sRGB's primaries, red and green exchanged, and a gamma of 2.2."""

    def fixed(*numbers: float) -> bytes:
        return b"".join(struct.pack(">i", round(number * 65536)) for number in numbers)

    primaries = {
        b"gXYZ": (0.4361, 0.2225, 0.0139),
        b"rXYZ": (0.3851, 0.7169, 0.0971),
        b"bXYZ": (0.1431, 0.0606, 0.7141),
    }
    tags = {name: b"XYZ " + bytes(4) + fixed(*place) for name, place in primaries.items()}
    tags[b"wtpt"] = b"XYZ " + bytes(4) + fixed(0.9642, 1.0, 0.8249)
    curve = b"curv" + bytes(4) + struct.pack(">IH", 1, round(2.2 * 256)) + bytes(2)
    tags |= dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), curve)
    words = b"exchanged\0"
    tags[b"desc"] = b"desc" + bytes(4) + struct.pack(">I", len(words)) + words + bytes(78) + bytes(-len(words) % 4)
    table, content, start = b"", b"", 128 + 4 + 12 * len(tags)
    for name, value in tags.items():
        table += name + struct.pack(">II", start + len(content), len(value))
        content += value
    size = start + len(content)
    header = struct.pack(">I", size) + bytes(4) + struct.pack(">I", 0x02400000) + b"mntrRGB XYZ " + bytes(12) + b"acsp"
    header += bytes(28) + fixed(0.9642, 1.0, 0.8249)
    return header.ljust(128, b"\0") + struct.pack(">I", len(tags)) + table + content


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_colours_come_to_srgb_from_the_files_profile(tmp_path: Path, mode: str) -> None:
    red = Image.new("RGBA", (8, 8), (200, 20, 20, 90)).convert(mode)
    red.save(tmp_path / "a.png", icc_profile=with_red_and_green_exchanged())
    read = pictures.read_picture(tmp_path / "a.png")
    np.testing.assert_allclose(read[4, 4, :3], (20, 200, 20), atol=12)
    assert read[4, 4, 3] == (90 if mode == "RGBA" else 255)
    red.save(tmp_path / "b.png", icc_profile=b"no profile")
    np.testing.assert_array_equal(pictures.read_picture(tmp_path / "b.png")[4, 4, :3], (200, 20, 20))


def test_floats_are_from_black_to_white(tmp_path: Path) -> None:
    grey = np.linspace(0, 1, 64, dtype=np.float32).reshape(8, 8)
    grey[0, 0], grey[7, 7] = np.nan, 2.0
    Image.fromarray(grey).save(tmp_path / "a.tif")
    read = pictures.read_picture(tmp_path / "a.tif")
    np.testing.assert_array_equal(read[..., 0].ravel()[1:63], np.rint(grey.ravel()[1:63] * 255))
    assert (read[0, 0, 0], read[7, 7, 0]) == (0, 255)


# --- writing ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["a.png", "a.tiff", "a.PNG"])
def test_a_written_picture_reads_back(tmp_path: Path, name: str) -> None:
    pictures.write_picture(tmp_path / name, RGBA)
    np.testing.assert_array_equal(pictures.read_picture(tmp_path / name), RGBA)
    assert [path.name for path in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp", ".tif"])
def test_a_picture_with_the_longest_name_is_written(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / ("n" * (255 - len(suffix)) + suffix)
    pictures.check_picture_path(path)
    pictures.write_picture(path, RGBA[..., :3])
    assert pictures.read_picture(path).shape == RGBA.shape


def test_a_jpeg_shows_transparency_as_white(tmp_path: Path) -> None:
    pixels = np.zeros((16, 16, 4), np.uint8)
    pixels[:8] = (200, 0, 0, 255)
    pictures.write_picture(tmp_path / "a.jpg", pixels)
    read = pictures.read_picture(tmp_path / "a.jpg")
    assert read[12:, :, :3].min() > 245
    assert abs(int(read[3, 8, 0]) - 200) < 12
    assert read[..., 3].min() == 255


def test_what_an_encoder_refuses_is_a_sentence(tmp_path: Path) -> None:
    for name, side in (("a.webp", 16_384), ("a.jpg", 65_536)):
        pixels = np.zeros((1, side, 3), np.uint8)
        with pytest.raises(UserError) as caught:
            pictures.write_picture(tmp_path / name, pixels)
        assert caught.value.code == "not-written"
    assert list(tmp_path.iterdir()) == []


def test_a_failed_write_leaves_the_earlier_file(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.mkdir()
    with pytest.raises(UserError) as caught:
        pictures.write_picture(path, RGBA)
    assert caught.value.code == "not-written"
    assert [item.name for item in tmp_path.iterdir()] == ["a.png"]


def test_what_is_read_is_not_written_over(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.png", Image.fromarray(RGBA))
    (tmp_path / "x").mkdir()
    (tmp_path / "link.png").symlink_to(path)
    for same in (path, tmp_path / "x" / ".." / "a.png", tmp_path / "link.png"):
        with pytest.raises(UserError) as caught:
            pictures.check_picture_path(same, tmp_path / "b.png", path)
        assert caught.value.code == "bad-output"
    pictures.check_picture_path(tmp_path / "c.png", path)

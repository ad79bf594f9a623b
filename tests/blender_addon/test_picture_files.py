# SPDX-License-Identifier: GPL-3.0-or-later
"""Photos that lie on their side and files that end too early: Blender and the command line answer alike."""

import io
import struct
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import bpy
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.errors import UserError
from backend.files.pictures import read_picture
from tests.blender_addon.support import MODULE, vertices_of

Image = pytest.importorskip("PIL.Image", reason="Pillow writes the files")

FORMATS: dict[str, dict[str, Any]] = {
    ".jpg": {},
    ".png": {},
    ".webp": {"lossless": True, "exact": True},
    ".tif": {},
}


@pytest.fixture(scope="session")
def files(extension: ModuleType) -> ModuleType:
    """The add-on's module."""
    return import_module(f"{MODULE}.blender_addon.scene.picture_files")


@pytest.fixture
def pictures(scene: Any) -> ModuleType:
    """The add-on's module."""
    return import_module(f"{MODULE}.blender_addon.scene.pictures")


def patches(rows: int = 5, columns: int = 8) -> Any:
    """A picture of which no turn is like another, in squares that JPEG keeps."""
    colours = np.random.default_rng(4).integers(0, 256, (rows, columns, 3), np.uint8)
    return Image.fromarray(np.kron(colours, np.ones((16, 16, 1), np.uint8)))


def encoded(image: Any, suffix: str, orientation: int = 1, **options: Any) -> bytes:
    exif = Image.Exif()
    exif[0x010F] = "a camera of a long name"
    exif[274] = orientation
    file = io.BytesIO()
    image.save(file, Image.registered_extensions()[suffix], exif=exif.tobytes(), **FORMATS[suffix], **options)
    return file.getvalue()


def loaded(path: Path, *, packed: bool) -> Any:
    image = bpy.data.images.load(str(path))
    if packed:
        image.pack()
        path.unlink()
    return image


@pytest.mark.parametrize("orientation", range(1, 9))
def test_what_is_turned_back_lies_as_it_did(files: ModuleType, orientation: int) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (3, 5, 4)).astype(np.uint8)
    turned = files.turned_upright(pixels, orientation)
    assert np.array_equal(files.turned_back(turned, orientation), pixels)
    assert np.array_equal(files.turned_back(turned[..., 0], orientation), pixels[..., 0])


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", FORMATS)
def test_a_photo_is_upright_as_on_the_command_line(
    pictures: ModuleType, tmp_path: Path, suffix: str, orientation: int
) -> None:
    path = tmp_path / f"photo{suffix}"
    path.write_bytes(encoded(patches(), suffix, orientation))
    upright = read_picture(path)
    for packed in (False, True):
        pixels = pictures.pixels_of(loaded(path, packed=packed))
        assert pixels.shape == upright.shape
        assert np.abs(pixels.astype(int) - upright).mean() < 2, "decoders of JPEG differ by a little"


def bitmap(pixels: Any, *, says_alpha: bool) -> bytes:
    """A BMP of 32 bits, of uint8 (H, W, 4). says_alpha: whether the header says that the fourth byte is the alpha."""
    height, width, _ = pixels.shape
    body = pixels[::-1, :, [2, 1, 0, 3]].tobytes()
    masks = struct.pack("<IIII", 0xFF0000, 0xFF00, 0xFF, 0xFF000000) + b"BGRs" + bytes(48) if says_alpha else b""
    kind = 3 if says_alpha else 0
    size = 40 + len(masks)
    header = struct.pack("<IiiHHIIiiII", size, width, height, 1, 32, kind, len(body), 2835, 2835, 0, 0) + masks
    return b"BM" + struct.pack("<IHHI", 14 + size + len(body), 0, 0, 14 + size) + header + body


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("says_alpha", [False, True])
def test_a_bmp_whose_alpha_is_nowhere_set_is_opaque(
    scene: Any,
    pictures: ModuleType,
    tmp_path: Path,
    says_alpha: bool,  # noqa: FBT001 - a parameter of the test
    packed: bool,  # noqa: FBT001 - as above
) -> None:
    path = tmp_path / "photo.bmp"
    pixels = np.dstack([np.asarray(patches()), np.zeros((80, 128), np.uint8)])
    path.write_bytes(bitmap(pixels, says_alpha=says_alpha))
    expected = read_picture(path)
    assert (expected[..., 3] == 255).all()
    image = loaded(path, packed=packed)
    assert np.array_equal(pictures.pixels_of(image), expected)
    image.pixels.foreach_set(np.zeros(len(image.pixels), np.float32))
    assert not pictures.pixels_of(image)[..., 3].any(), "an artist has made it transparent"


def test_a_bmp_keeps_the_alpha_that_it_has(pictures: ModuleType, tmp_path: Path) -> None:
    path = tmp_path / "photo.bmp"
    pixels = np.dstack([np.asarray(patches()), np.zeros((80, 128), np.uint8)])
    pixels[:20, :, 3] = 255
    path.write_bytes(bitmap(pixels, says_alpha=True))
    assert np.array_equal(pictures.pixels_of(loaded(path, packed=False)), read_picture(path))
    assert np.array_equal(read_picture(path), pixels)


def test_the_material_of_a_bmp_shows_an_opaque_copy(scene: Any, tmp_path: Path) -> None:
    path = tmp_path / "photo.bmp"
    disc = np.full((96, 96, 4), 255, np.uint8)
    y, x = np.mgrid[:96, :96]
    disc[np.hypot(x - 48, y - 48) < 30, :3] = (200, 80, 40)
    disc[..., 3] = 0
    path.write_bytes(bitmap(disc, says_alpha=False))
    scene.hi3dgen_draft.faces = 2000
    bpy.ops.hi3dgen.generate(filepath=str(path))
    shown = bpy.context.object.active_material.node_tree.nodes["Picture"].image
    assert min(shown.pixels[:][3::4]) == 1.0


@pytest.mark.parametrize("packed", [False, True])
def test_what_the_artist_has_turned_in_blender_is_not_turned_again(
    pictures: ModuleType,
    tmp_path: Path,
    packed: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    path = tmp_path / "photo.png"
    path.write_bytes(encoded(patches(), ".png", 6))
    image = loaded(path, packed=packed)
    upright = pictures.pixels_of(image)
    height, width, _ = upright.shape
    image.scale(width, height)
    image.pixels.foreach_set((upright[::-1] / np.float32(255)).astype(np.float32).reshape(-1))
    assert np.array_equal(pictures.pixels_of(image), upright)
    assert pictures.upright(image)[1] == 1


def test_what_the_artist_has_painted_over_is_not_cut_off(pictures: ModuleType, tmp_path: Path) -> None:
    path = tmp_path / "half.jpg"
    path.write_bytes(encoded(patches(), ".jpg")[:-200])
    image = bpy.data.images.load(str(path))
    with pytest.raises(Exception, match="ends in the middle"):
        pictures.pixels_of(image)
    width, height = image.size[0], image.size[1]
    image.pixels.foreach_set(np.ones(width * height * 4, np.float32))
    assert (pictures.pixels_of(image) == 255).all()


@pytest.mark.parametrize("byte_order", ["II", "MM"])
def test_either_byte_order_is_read(files: ModuleType, byte_order: str) -> None:
    order = "<" if byte_order == "II" else ">"
    directory = byte_order.encode() + struct.pack(f"{order}HIHHHIHHI", 42, 8, 1, 274, 3, 1, 6, 0, 0)
    segment = b"Exif\0\0" + directory
    data = b"\xff\xd8\xff\xe1" + struct.pack(">H", len(segment) + 2) + segment + b"\xff\xd9"
    assert files.orientation(data) == 6


def test_the_material_shows_the_upright_photo_that_was_sent(scene: Any, pictures: ModuleType, tmp_path: Path) -> None:
    """The same mesh, texture coordinates and pixels as of a photo that was saved upright."""
    y, x = np.mgrid[:96, :64]
    pixels = np.zeros((96, 64, 4), np.uint8)
    pixels[..., :3] = np.dstack([3 * x, 2 * y, x + y])
    pixels[..., 3] = np.where((np.abs(x - 30) < 8 + y / 8) & (np.abs(y - 50) < 36), 255, 0)
    lying = Image.fromarray(pixels).transpose(Image.Transpose.ROTATE_90)  # so that turning it back is orientation 6
    (tmp_path / "lying.png").write_bytes(encoded(lying, ".png", 6))
    Image.fromarray(pixels).save(tmp_path / "upright.png")

    def made(name: str) -> tuple[Any, Any, Any]:
        bpy.ops.hi3dgen.generate(filepath=str(tmp_path / name))
        mesh = bpy.context.object.data
        uv = np.empty(len(mesh.loops) * 2, np.float32)
        mesh.uv_layers["UVMap"].uv.foreach_get("vector", uv)
        shown = bpy.context.object.active_material.node_tree.nodes["Picture"].image
        return vertices_of(bpy.context.object), uv, shown

    upright, uv, _ = made("upright.png")
    turned, turned_uv, shown = made("lying.png")
    np.testing.assert_array_equal(turned, upright)
    np.testing.assert_array_equal(turned_uv, uv)
    assert tuple(shown.size) == (64, 96)
    assert np.array_equal(pictures.pixels_of(shown), pixels)
    assert made("lying.png")[2] == shown, "another click adds no other copy"
    bpy.ops.hi3dgen.generate(image=bpy.data.images.load(str(tmp_path / "lying.png")).name)
    assert bpy.context.object.active_material.node_tree.nodes["Picture"].image == shown


@pytest.mark.parametrize("share", [0.3, 0.6, 0.95])
@pytest.mark.parametrize(
    ("suffix", "options"), [(".jpg", {"progressive": True}), *((suffix, {}) for suffix in FORMATS)]
)
def test_a_file_that_ends_too_early_is_refused_as_on_the_command_line(
    scene: Any, tmp_path: Path, suffix: str, options: dict[str, Any], share: float
) -> None:
    data = encoded(patches(), suffix, **options)
    path = tmp_path / f"photo{suffix}"
    path.write_bytes(data[: int(share * len(data))])
    with pytest.raises(UserError):
        read_picture(path)
    with pytest.raises(RuntimeError, match=r"photo.*(ends in the middle|cannot be read)"):
        bpy.ops.hi3dgen.generate(filepath=str(path))
    image = bpy.data.images.load(str(path), check_existing=True)
    if suffix == ".jpg":
        image.pack()
        path.unlink()
    with pytest.raises(RuntimeError, match=r"photo.*(ends in the middle|no pixels)"):
        bpy.ops.hi3dgen.generate(image=image.name)


def test_the_sentence_is_the_command_lines(scene: Any, tmp_path: Path) -> None:
    data = encoded(patches(), ".jpg")
    path = tmp_path / "half.jpg"
    path.write_bytes(data[: len(data) * 9 // 10])
    with pytest.raises(UserError) as caught:
        read_picture(path)
    with pytest.raises(RuntimeError) as raised:
        bpy.ops.hi3dgen.generate(filepath=str(path))
    assert str(caught.value) in str(raised.value)
    assert "ends in the middle" in caught.value.sentence


def test_a_whole_jpeg_with_a_thumbnail_and_something_behind_it_is_whole(files: ModuleType) -> None:
    thumbnail = encoded(patches(), ".jpg")
    comment = b"\xff\xfe" + struct.pack(">H", len(thumbnail) + 2) + thumbnail
    data = thumbnail[:2] + comment + thumbnail[2:]
    assert not files.is_cut_off(data + b"and a trailer")
    assert files.is_cut_off(data[:-100]), "the thumbnail's end is not the picture's"


@settings(deadline=None)
@given(data=st.data(), suffix=st.sampled_from(list(FORMATS)), orientation=st.integers(1, 8))
def test_no_damage_raises(files: ModuleType, data: st.DataObject, suffix: str, orientation: int) -> None:
    file = bytearray(encoded(patches(1, 2), suffix, orientation))
    for _ in range(data.draw(st.integers(0, 6))):
        file[data.draw(st.integers(0, min(len(file), 200) - 1))] = data.draw(st.integers(0, 255))
    damaged = bytes(file[: data.draw(st.integers(0, len(file)))])
    assert files.orientation(damaged) in range(1, 9)
    assert files.is_cut_off(damaged) in {True, False}


@settings(deadline=None)
@given(
    st.binary(max_size=300),
    st.sampled_from([b"", b"\xff\xd8", b"\x89PNG\r\n\x1a\n", b"II*\0", b"MM\0*", b"RIFF\0\0\0\0WEBPVP8"]),
)
def test_nor_does_anything_else(files: ModuleType, rest: bytes, start: bytes) -> None:
    assert files.orientation(start + rest) in range(1, 9)
    assert files.is_cut_off(start + rest) in {True, False}

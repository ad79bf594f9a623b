# SPDX-License-Identifier: GPL-3.0-or-later
"""Pictures and meshes as files: what is read is what was meant, what is written reads back, failures are sentences."""

import io
import os
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backend import files
from backend.errors import UserError
from backend.flow.products import Mesh, Picture

Image = pytest.importorskip("PIL.Image", reason="Pillow reads and writes pictures: pip install pillow")
trimesh = pytest.importorskip("trimesh", reason="trimesh writes meshes: pip install trimesh")

RGBA: Picture = np.array(
    [[[255, 0, 0, 255], [0, 255, 0, 255], [0, 0, 255, 255]], [[9, 8, 7, 128], [255, 255, 255, 1], [0, 0, 0, 0]]],
    np.uint8,
)

only_for_mortals = pytest.mark.skipif(
    os.name != "posix" or os.geteuid() == 0, reason="this user may read and write everything"
)


def saved(path: Path, image: Any, **options: Any) -> Path:
    image.save(path, **options)
    return path


def tetrahedron() -> Mesh:
    """A tetrahedron with its top where no other corner is, 1 m high, standing on z = 0."""
    vertices = np.array([[0, 0, 0], [0.5, 0, 0], [0, 0.25, 0], [0, 0, 1]], np.float32)
    triangles = np.array([[0, 2, 1], [0, 1, 3], [1, 2, 3], [2, 0, 3]], np.int32)
    return Mesh(vertices, triangles, np.array([[0, 0], [1, 0], [0.5, 0.25], [0, 1]], np.float32))


def read_mesh(path: Path) -> Any:
    return trimesh.load(path, force="mesh", process=False)


# --- pictures ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", [".png", ".tif", ".webp"])
def test_a_picture_reads_as_its_pixels(tmp_path: Path, suffix: str) -> None:
    options = {"lossless": True, "exact": True} if suffix == ".webp" else {}
    path = saved(tmp_path / f"a{suffix}", Image.fromarray(RGBA), **options)
    pixels = files.read_picture(path)
    np.testing.assert_array_equal(pixels, RGBA)
    pixels[0, 0] = 0  # is the caller's own


def test_a_picture_without_alpha_is_opaque(tmp_path: Path) -> None:
    pixels = files.read_picture(saved(tmp_path / "a.png", Image.fromarray(RGBA[..., :3])))
    np.testing.assert_array_equal(pixels[..., :3], RGBA[..., :3])
    assert np.all(pixels[..., 3] == 255)


def test_a_palette_keeps_its_transparency(tmp_path: Path) -> None:
    palette = Image.fromarray(np.array([[0, 1]], np.uint8), "L").convert("P")
    palette.putpalette([200, 100, 50, 10, 20, 30])
    pixels = files.read_picture(saved(tmp_path / "a.png", palette, transparency=1))
    assert pixels[0, 0].tolist() == [200, 100, 50, 255]
    assert pixels[0, 1, 3] == 0


def test_sixteen_bits_of_grey_become_eight(tmp_path: Path) -> None:
    grey = np.array([[0, 257 * 100, 65535]], np.uint16)
    pixels = files.read_picture(saved(tmp_path / "a.png", Image.fromarray(grey)))
    assert pixels[0].tolist() == [[0, 0, 0, 255], [100, 100, 100, 255], [255, 255, 255, 255]]


@pytest.mark.parametrize("compression", [None, "tiff_lzw"])
def test_a_tiff_file_is_turned_upright(tmp_path: Path, compression: str | None) -> None:
    image = Image.fromarray(np.array([[0, 100, 255], [1, 2, 3]], np.uint8))
    exif = image.getexif()
    exif[0x0112] = 6
    pixels = files.read_picture(saved(tmp_path / "a.tif", image, exif=exif, compression=compression))
    assert pixels[..., 0].tolist() == [[1, 0], [2, 100], [3, 255]]


@pytest.mark.parametrize("bits", [8, 16])
def test_grey_keeps_what_is_transparent_and_is_turned_upright(tmp_path: Path, bits: int) -> None:
    scale, dtype = (257, np.uint16) if bits == 16 else (1, np.uint8)
    grey = np.array([[0, 100, 255], [1, 2, 3]], dtype) * scale
    image = Image.fromarray(grey)
    exif = image.getexif()
    exif[0x0112] = 6
    path = saved(tmp_path / "a.png", image, exif=exif, transparency=100 * scale)
    pixels = files.read_picture(path)
    assert pixels[..., 0].tolist() == [[1, 0], [2, 100], [3, 255]]
    assert pixels[..., 3].tolist() == [[255, 255], [255, 0], [255, 255]]


def test_only_the_very_grey_that_is_meant_is_transparent(tmp_path: Path) -> None:
    grey = np.array([[25_700, 25_701]], np.uint16)
    pixels = files.read_picture(saved(tmp_path / "a.png", Image.fromarray(grey), transparency=25_700))
    assert pixels[0].tolist() == [[100, 100, 100, 0], [100, 100, 100, 255]]


def test_a_photograph_on_its_side_is_turned_upright(tmp_path: Path) -> None:
    pixels = np.zeros((16, 32, 3), np.uint8)
    pixels[:, :16] = 255  # the left half, which is the top of a picture that was turned to the left
    image = Image.fromarray(pixels)
    exif = image.getexif()
    exif[0x0112] = 6
    upright = files.read_picture(saved(tmp_path / "a.jpg", image, exif=exif, quality=95))
    assert upright.shape == (32, 16, 4)
    assert upright[:15, :, 0].min() > 200
    assert upright[17:, :, 0].max() < 50


@pytest.mark.parametrize(("size", "readable"), [((16_384, 2), True), ((16_385, 2), False), ((2, 16_385), False)])
def test_a_picture_has_at_most_16384_pixels_a_side(tmp_path: Path, size: tuple[int, int], readable: bool) -> None:  # noqa: FBT001
    path = saved(tmp_path / "a.png", Image.new("L", size))
    if readable:
        assert files.read_picture(path).shape == (size[1], size[0], 4)
    else:
        with pytest.raises(UserError) as caught:
            files.read_picture(path)
        assert caught.value.code == "bad-picture"
        assert f"{size[0]} x {size[1]}" in caught.value.sentence


@pytest.mark.parametrize("size", [(10_000, 9_500), (16_000, 15_000)])
def test_a_picture_of_too_many_pixels_is_refused_without_a_warning(tmp_path: Path, size: tuple[int, int]) -> None:
    path = tmp_path / "a.pgm"
    path.write_bytes(b"P5 %d %d 255\n" % size)  # its pixels need not be there to be too many
    with warnings.catch_warnings(action="error"), pytest.raises(UserError) as caught:
        files.read_picture(path)
    assert caught.value.code == "bad-picture"
    assert "large" in caught.value.sentence


def test_a_file_that_is_not_there_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(UserError) as caught:
        files.read_picture(tmp_path / "a.png")
    assert caught.value.code == "no-picture"


@only_for_mortals
def test_a_file_that_may_not_be_read_is_said_so(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.png", Image.fromarray(RGBA))
    path.chmod(0o200)
    with pytest.raises(UserError) as caught:
        files.read_picture(path)
    assert caught.value.code == "no-permission"
    assert "permission" in caught.value.sentence


@pytest.mark.parametrize("data", [b"", b"not a picture", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0" + b"\0" * 50])
def test_a_file_that_is_no_picture_is_said_so(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(data)
    with pytest.raises(UserError) as caught:
        files.read_picture(path)
    assert caught.value.code == "bad-picture"
    with pytest.raises(UserError):
        files.read_picture(tmp_path)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF", "WEBP", "GIF", "BMP", "DDS"])
def test_a_damaged_file_is_a_picture_or_a_sentence(tmp_path: Path, kind: str) -> None:
    rng = np.random.default_rng(3)
    buffer = io.BytesIO()
    Image.fromarray(rng.integers(0, 256, (20, 30, 3), np.uint8)).save(buffer, kind)
    path = tmp_path / "damaged"
    for _ in range(60):
        data = bytearray(buffer.getvalue())
        for place in rng.integers(0, min(len(data), 200), 4):
            data[place] = rng.integers(256)
        path.write_bytes(data[: rng.integers(1, len(data) + 1)])
        try:
            pixels = files.read_picture(path)
        except UserError:
            continue
        assert pixels.dtype == np.uint8
        assert pixels.shape[2] == 4


@pytest.mark.parametrize("name", ["a.png", "a.tiff", "a.PNG"])
def test_a_written_picture_reads_back(tmp_path: Path, name: str) -> None:
    files.write_picture(tmp_path / name, RGBA)
    np.testing.assert_array_equal(files.read_picture(tmp_path / name), RGBA)
    assert [path.name for path in tmp_path.iterdir()] == [name]


# --- meshes -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", [".glb", ".obj"])
def test_y_is_up_where_readers_expect_it_and_the_picture_comes_along(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"my mesh{suffix}"
    files.write_mesh(path, tetrahedron(), RGBA)
    read = read_mesh(path)
    assert read.is_watertight
    assert read.volume == pytest.approx(0.5 * 0.25 / 6, rel=1e-4)
    np.testing.assert_allclose(read.bounds, [[0, 0, -0.25], [0.5, 1, 0]], atol=1e-6)
    top = read.vertices[:, 1].argmax()
    np.testing.assert_allclose(read.visual.uv[top], [0, 1], atol=1e-6)
    image = getattr(read.visual.material, "baseColorTexture", None) or read.visual.material.image
    np.testing.assert_array_equal(np.asarray(image.convert("RGB")), RGBA[..., :3])


@pytest.mark.parametrize("suffix", [".stl", ".ply"])
def test_z_is_up_elsewhere(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"mesh{suffix}"
    files.write_mesh(path, tetrahedron(), RGBA)
    read = trimesh.load(path, force="mesh")
    assert read.is_watertight
    assert read.volume == pytest.approx(0.5 * 0.25 / 6, rel=1e-4)
    np.testing.assert_allclose(read.bounds, [[0, 0, 0], [0.5, 0.25, 1]], atol=1e-6)


def test_an_obj_leaves_the_picture_beside_it_alone(tmp_path: Path) -> None:
    """The picture of the same name is the usual neighbour, and the artist's only copy."""
    picture = saved(tmp_path / "vase.png", Image.fromarray(RGBA))
    before = picture.read_bytes()
    files.write_mesh(tmp_path / "vase.obj", tetrahedron(), RGBA)
    assert picture.read_bytes() == before


def test_an_obj_names_files_that_are_there_in_one_word(tmp_path: Path) -> None:
    files.write_mesh(tmp_path / "blåa  vas.obj", tetrahedron(), RGBA)
    names = {path.name for path in tmp_path.iterdir()}
    text = (tmp_path / "blåa  vas.obj").read_text(encoding="utf-8")
    library = next(line for line in text.splitlines() if line.startswith("mtllib")).split()
    assert len(library) == 2
    assert library[1] in names
    material = (tmp_path / library[1]).read_text(encoding="utf-8")
    texture = next(line for line in material.splitlines() if line.startswith("map_Kd")).split()
    assert len(texture) == 2
    assert texture[1] in names
    assert len(names) == 3


def test_a_large_texture_is_made_smaller(tmp_path: Path) -> None:
    files.write_mesh(tmp_path / "a.glb", tetrahedron(), np.full((10, 5000, 4), 255, np.uint8))
    assert max(read_mesh(tmp_path / "a.glb").visual.material.baseColorTexture.size) == 4096


def test_a_failed_write_leaves_the_earlier_file(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.mkdir()
    with pytest.raises(UserError) as caught:
        files.write_picture(path, RGBA)
    assert caught.value.code == "not-written"
    assert [item.name for item in tmp_path.iterdir()] == ["a.png"]


@pytest.mark.parametrize("name", ["a", "a.fbx", "a.png.zip", ".glb"])
def test_a_suffix_that_cannot_be_written_is_refused(tmp_path: Path, name: str) -> None:
    for check in (files.check_mesh_path, files.check_picture_path):
        with pytest.raises(UserError) as caught:
            check(tmp_path / name)
        assert caught.value.code == "bad-output"


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    for check, name in ((files.check_mesh_path, "a.glb"), (files.check_picture_path, "a.png")):
        check(tmp_path / name)
        with pytest.raises(UserError) as caught:
            check(tmp_path / "nowhere" / name)
        assert caught.value.code == "bad-output"


@only_for_mortals
def test_a_folder_that_cannot_be_written_to_is_refused(tmp_path: Path) -> None:
    locked = tmp_path / "locked"
    locked.mkdir()
    locked.chmod(0o500)
    for check, name in ((files.check_mesh_path, "a.glb"), (files.check_picture_path, "a.png")):
        with pytest.raises(UserError) as caught:
            check(locked / name)
        assert caught.value.code == "bad-output"
        assert "locked" in caught.value.sentence


def test_what_is_checked_leaves_no_trace(tmp_path: Path) -> None:
    files.check_mesh_path(tmp_path / "a.glb")
    files.check_picture_path(tmp_path / "a.png")
    assert list(tmp_path.iterdir()) == []


def test_what_is_read_is_not_written_over(tmp_path: Path) -> None:
    with pytest.raises(UserError) as caught:
        files.check_picture_path(tmp_path / "a.png", tmp_path / "b.png", tmp_path / "x" / ".." / "a.png")
    assert caught.value.code == "bad-output"
    files.check_picture_path(tmp_path / "c.png", tmp_path / "a.png")


@pytest.mark.parametrize("suffix", [".glb", ".obj", ".stl", ".ply"])
def test_the_colours_of_the_vertices_are_kept_where_the_format_has_a_place(tmp_path: Path, suffix: str) -> None:
    colours = np.array([[0, 0, 0], [1, 0.2, 0.4], [0.6, 1, 0.8], [1, 1, 1]], np.float32)
    path = tmp_path / f"a{suffix}"
    files.write_mesh(path, replace(tetrahedron(), colours=colours), RGBA)
    made = read_mesh(path)
    assert len(made.faces) == 4
    if suffix == ".ply":
        np.testing.assert_array_equal(made.visual.vertex_colors[:, :3], np.rint(colours * 255))
    elif suffix == ".glb":
        np.testing.assert_array_equal(made.vertex_attributes["_COLOUR"], colours)
        assert made.visual.material.baseColorTexture is not None
        assert "color" not in made.visual.vertex_attributes, "it would tint the texture"

# SPDX-License-Identifier: GPL-3.0-or-later
"""Blender's images as pictures of the wire, and back."""

from importlib import import_module
from types import ModuleType
from typing import Any

import bpy
import numpy as np
import pytest

from backend.raster import png
from tests.blender_addon.support import MODULE, disc, image_of


@pytest.fixture
def pictures(scene: Any) -> ModuleType:
    """The add-on's module."""
    return import_module(f"{MODULE}.blender_addon.scene.pictures")


def test_a_picture_survives_the_way_through_blender(pictures: ModuleType) -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (24, 40, 4), np.uint8)
    assert np.array_equal(pictures.pixels_of(image_of(pixels, "noise")), pixels)


def test_a_png_becomes_a_packed_image_the_right_way_up(pictures: ModuleType) -> None:
    pixels = disc(32)
    pixels[:4] = (255, 0, 0, 255)
    image = pictures.image_from_png("stripe", png.encode(pixels), data=True)
    assert tuple(image.size) == (32, 32)
    assert image.packed_file is not None
    assert image.colorspace_settings.name == "Non-Color"
    read = np.array(image.pixels[:]).reshape(32, 32, 4)
    assert np.allclose(read[-1, :, 0], 1.0), "the first row is Blender's last"


def test_a_float_image_is_encoded_from_linear_premultiplied(pictures: ModuleType) -> None:
    image = bpy.data.images.new("linear", 2, 1, alpha=True, float_buffer=True)
    image.pixels.foreach_set(np.array([0.2140, 0.2140, 0.2140, 1.0, 0.1070, 0.0, 0.0, 0.5], np.float32))
    pixels = pictures.pixels_of(image)
    assert pixels[0, 0].tolist() == pytest.approx([127, 127, 127, 255], abs=1)
    assert pixels[0, 1].tolist() == pytest.approx([127, 0, 0, 128], abs=1)


def test_an_image_without_pixels_is_refused_with_a_sentence(pictures: ModuleType, tmp_path: Any) -> None:
    path = tmp_path / "letter.png"
    path.write_text("this is no picture")
    with pytest.raises(Exception, match="no pixels"):
        pictures.pixels_of(bpy.data.images.load(str(path)))


def test_an_image_whose_file_is_gone_says_where_it_was(pictures: ModuleType, tmp_path: Any) -> None:
    path = tmp_path / "gone.png"
    path.write_bytes(png.encode(disc(16)))
    image = bpy.data.images.load(str(path))
    path.unlink()
    with pytest.raises(Exception, match=r"gone\.png” is missing") as caught:
        pictures.pixels_of(image)
    assert str(path) in str(caught.value)


def test_giant_pictures_shrink_and_keep_their_look(pictures: ModuleType) -> None:
    wide = np.zeros((10, 9000, 4), np.float32)
    wide[:, 4500:] = 1.0
    small = pictures._as_picture(wide, is_float=False)
    assert small.shape == (3, 3000, 4)
    assert small[:, :1499].max() == 0
    assert small[:, 1501:].min() == 255


def test_a_giant_byte_picture_is_averaged_by_alpha_exactly(pictures: ModuleType) -> None:
    """Blocks of 3 x 3 pixels of which some are transparent black: an opaque colour stays as it is, without a fringe."""
    generator = np.random.default_rng(2)
    fine = generator.integers(0, 256, (9, 9000, 4), np.uint8)
    fine[:, 3000:6000] = (200, 80, 40, 255)
    fine[::2, 3000:6000:2] = 0  # colourless holes in an even colour
    fine[:, 6000:] = (255, 255, 255, 0)
    small = pictures._as_picture((fine / 255.0).astype(np.float32), is_float=False)
    blocks = fine.astype(np.int64).reshape(3, 3, 3000, 3, 4)
    alpha = blocks[..., 3:]
    covered = alpha.sum(axis=(1, 3))
    colours = np.rint((blocks[..., :3] * alpha).sum(axis=(1, 3)) / np.maximum(covered, 1))
    assert np.array_equal(small[:, :2000, :3], colours[:, :2000])
    assert np.array_equal(small[..., 3], np.rint(covered[..., 0] / 9))
    assert np.unique(small[:, 1000:2000, :3].reshape(-1, 3), axis=0).tolist() == [[200, 80, 40]]
    assert np.unique(small[:, 2000:].reshape(-1, 4), axis=0).tolist() == [[255, 255, 255, 0]]


def test_a_giant_float_picture_is_averaged_before_its_alpha_is_divided_out(pictures: ModuleType) -> None:
    linear = np.zeros((2, 8000, 4), np.float32)
    linear[:, ::2] = (0.2140, 0.2140, 0.2140, 1.0)  # sRGB 127, and nothing beside it
    small = pictures._as_picture(linear, is_float=True)
    assert small.shape == (1, 4000, 4)
    assert np.unique(small.reshape(-1, 4), axis=0).tolist() == [[127, 127, 127, 128]]


def test_a_float_image_of_data_keeps_its_numbers(pictures: ModuleType) -> None:
    image = bpy.data.images.new("normals", 1, 1, alpha=True, float_buffer=True, is_data=True)
    image.pixels.foreach_set(np.array([0.5, 0.25, 1.0, 1.0], np.float32))
    assert pictures.pixels_of(image)[0, 0].tolist() == pytest.approx([128, 64, 255, 255], abs=1)


@pytest.mark.parametrize(
    ("space", "expected"),
    [
        ("sRGB", (128, 64, 0)),
        ("Non-Color", (128, 64, 0)),
        ("Linear Rec.709", (188, 137, 0)),
        ("Rec.2020", (148, 36, 0)),
    ],
)
def test_bytes_of_another_colour_space_come_to_srgb(
    pictures: ModuleType, space: str, expected: tuple[int, ...]
) -> None:
    pixels = np.full((8, 8, 4), 255, np.uint8)
    pixels[..., :3] = (128, 64, 0)
    image = image_of(pixels, "wide")
    image.pack()  # another space would take away what is not saved
    image.colorspace_settings.name = space
    settings = bpy.context.scene.render.image_settings
    before = (settings.file_format, settings.color_management, bpy.context.scene.view_settings.view_transform)
    assert pictures.pixels_of(image)[4, 4].tolist() == pytest.approx([*expected, 255], abs=2)
    after = (settings.file_format, settings.color_management, bpy.context.scene.view_settings.view_transform)
    assert after == before, "the artist's settings come back"


def test_an_image_that_is_viewed_as_a_render_is_sent_as_it_is_seen(pictures: ModuleType) -> None:
    image = image_of(np.full((8, 8, 4), 255, np.uint8), "bright")
    bpy.context.scene.view_settings.view_transform = "AgX"
    image.use_view_as_render = True
    assert 150 < pictures.pixels_of(image)[4, 4, 0] < 250, "AgX keeps white for what is far brighter"

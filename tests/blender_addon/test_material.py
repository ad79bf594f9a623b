# SPDX-License-Identifier: GPL-3.0-or-later
"""What the material's switch shows, as pixels of renders: the map lights what the picture sees, colours stay true."""

from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import bpy
import numpy as np
import pytest
from mathutils import Euler, Matrix
from numpy.typing import NDArray

from tests.blender_addon.results import add, mesh_product, png_bytes, result
from tests.blender_addon.support import MODULE, image_of

SIDE = 32
TILT = Matrix.Rotation(np.radians(-25), 4, "X")  # as an engine turns a body upright
STANDING = Matrix.Rotation(np.radians(90), 4, "X")  # from the picture's axes to those of the scene, seen from -y
TURNS = {"as made": Euler((0, 0, 0)), "turned": Euler((0.3, -0.2, 2.4)), "on its head": Euler((3.0, 0.4, 0.0))}


def bump() -> NDArray[np.uint8]:
    """The normal map of half a ball on a plane, uint8 (64, 64, 3)."""
    y, x = np.mgrid[:64, :64] / 31.5 - 1.0
    x, y = x / 0.8, -y / 0.8
    inside = np.hypot(x, y) < 1.0
    z = np.sqrt(np.clip(1.0 - x * x - y * y, 0.0, 1.0))
    normals = np.stack([np.where(inside, x, 0.0), np.where(inside, y, 0.0), np.where(inside, z, 1.0)], axis=-1)
    return np.rint((normals * 0.5 + 0.5) * 255.0).astype(np.uint8)


def card() -> dict[str, Any]:
    """A thin card, turned as an engine turns bodies: its front and its back show the picture from the front."""
    corners = np.array([(x, y, z) for z in (0.05, -0.05) for y in (-0.5, 0.5) for x in (-0.5, 0.5)], np.float32)
    turn = np.array(TILT @ STANDING)[:3, :3].astype(np.float32)
    triangles = np.array([(0, 1, 3), (0, 3, 2), (4, 7, 5), (4, 6, 7)], np.int32)
    return {"vertices": corners @ turn.T, "triangles": triangles, "uv": corners[:, :2] + np.float32(0.5)}


@pytest.fixture
def thing(scene: Any) -> Any:
    """The card in the scene, white, with the bump as its normal map."""
    image_of(np.full((64, 64, 4), 255, np.uint8), "plum")
    wire = import_module(f"{MODULE}.backend.wire.products")
    made = result({"normal_map": wire.NormalMap(png_bytes(bump())), "mesh": mesh_product(**card())})
    ((thing,), _) = add(scene, made)
    return thing


Render = Callable[..., NDArray[Any]]


@pytest.fixture
def render(scene: Any, thing: Any, tmp_path: Path) -> Iterator[Render]:
    """Renders the card as its picture was seen, or from behind: float (SIDE, SIDE, 3), sRGB in [0, 255], row 0 on top.

    lamp: the direction that its light comes from, in the picture's axes; without one it is dark. at: where the card
    was made, if its rotation was applied since.
    """
    camera = bpy.data.objects.new("Camera", bpy.data.cameras.new("Camera"))
    camera.data.type, camera.data.ortho_scale = "ORTHO", 1.0
    sun = bpy.data.objects.new("Sun", bpy.data.lights.new("Sun", "SUN"))
    sun.data.energy = 2.0
    sun.data.use_shadow = False  # they speckle EEVEE in Blender 4.2, and nothing here casts one
    for made in (camera, sun):
        scene.collection.objects.link(made)
    scene.camera = camera
    scene.render.resolution_x = scene.render.resolution_y = SIDE
    scene.render.dither_intensity = 0.0
    scene.render.image_settings.file_format = "PNG"
    scene.render.filepath = str(tmp_path / "render.png")
    scene.view_settings.view_transform = "Standard"
    scene.cycles.samples, scene.cycles.use_denoising = 4, False
    scene.eevee.taa_render_samples = 4

    def shot(
        engine: str = "CYCLES",
        lamp: tuple[float, float, float] | None = None,
        *,
        behind: bool = False,
        at: Matrix | None = None,
    ) -> NDArray[Any]:
        scene.render.engine = engine
        bpy.context.view_layer.update()
        seen = (at or thing.matrix_world) @ TILT @ STANDING
        camera.matrix_world = seen @ Matrix.Rotation(np.pi if behind else 0.0, 4, "Y") @ Matrix.Translation((0, 0, 2))
        sun.hide_render = lamp is None
        if lamp:
            direction = (seen.to_3x3() @ type(thing.location)(lamp)).to_track_quat("Z", "Y")
            sun.matrix_world = direction.to_matrix().to_4x4()
        bpy.ops.render.render(write_still=True)
        return pixels(bpy.data.images.load(scene.render.filepath))

    yield shot
    bpy.ops.wm.read_factory_settings(use_empty=True)


def pixels(image: Any) -> NDArray[Any]:
    """The numbers of an image, float (H, W, 3) in [0, 255], row 0 on top."""
    width, height = image.size
    values = np.empty(width * height * 4, np.float32)
    image.pixels.foreach_get(values)
    return 255.0 * values.reshape(height, width, 4)[::-1, :, :3]


def halves(shot: NDArray[Any]) -> dict[str, float]:
    """How bright the halves of a picture are within the bump."""
    ball = shot[SIDE // 4 : -SIDE // 4, SIDE // 4 : -SIDE // 4].mean(axis=-1)
    half = len(ball) // 2
    return {
        "left": ball[:, :half].mean(),
        "right": ball[:, half:].mean(),
        "upper": ball[:half].mean(),
        "lower": ball[half:].mean(),
    }


@pytest.mark.parametrize("turn", TURNS.values(), ids=TURNS)
def test_a_lamp_from_the_left_lights_the_left_of_what_the_normal_map_shows(
    thing: Any, render: Render, turn: Euler
) -> None:
    thing.rotation_euler = turn
    thing.active_material.hi3dgen_shows = "NORMAL_DETAIL"
    lit_from_left, lit_from_above = halves(render(lamp=(-1, 0, 0.5))), halves(render(lamp=(0, 1, 0.5)))
    assert lit_from_left["left"] > 1.5 * lit_from_left["right"]
    assert lit_from_left["upper"] == pytest.approx(lit_from_left["lower"], rel=0.05)
    assert lit_from_above["upper"] > 1.5 * lit_from_above["lower"]
    assert lit_from_above["left"] == pytest.approx(lit_from_above["right"], rel=0.05)


def test_the_normals_are_those_of_the_map(thing: Any, render: Render) -> None:
    """A ball under a lamp is as bright as the cosine says, pixel for pixel."""
    thing.rotation_euler = TURNS["turned"]
    thing.active_material.hi3dgen_shows = "NORMAL_DETAIL"
    surface = thing.active_material.node_tree.nodes["Surface"]
    surface.inputs["Specular IOR Level"].default_value = 0.0
    surface.inputs["Roughness"].default_value = 0.0
    lamp = np.array((-0.6, 0.0, 0.8))
    linear = (render(lamp=tuple(lamp)).mean(axis=-1) / 255.0) ** 2.2
    normals = bump()[1::2, 1::2].astype(float) / 127.5 - 1.0
    expected = np.clip(normals @ lamp, 0.0, None)
    middle = slice(SIDE // 3, -SIDE // 3)
    assert np.corrcoef(linear[middle, middle].ravel(), expected[middle, middle].ravel())[0, 1] > 0.99


def test_the_map_is_not_seen_from_behind(thing: Any, render: Render) -> None:
    thing.active_material.hi3dgen_shows = "NORMAL_DETAIL"
    behind = render(lamp=(0.5, 0.0, -1.0), behind=True)[2:-2, 2:-2]
    assert behind.mean() > 50
    assert np.ptp(behind) < 2


def test_applying_the_objects_rotation_costs_no_more_than_a_click(thing: Any, render: Render) -> None:
    thing.rotation_euler = TURNS["turned"]
    bpy.context.view_layer.update()
    before = thing.matrix_world.copy()
    thing.active_material.hi3dgen_shows = "NORMAL_DETAIL"
    expected = halves(render(lamp=(-1, 0, 0.5)))
    bpy.ops.object.transform_apply(location=False, rotation=True, scale=False)
    thing.active_material.hi3dgen_shows = "NORMAL_DETAIL"
    axes = import_module(f"{MODULE}.blender_addon.scene.projection").axes_of(thing.data, (1, 1))
    assert np.allclose(axes, (before @ TILT @ STANDING).to_3x3(), atol=1e-4)
    assert expected["left"] > expected["right"]
    assert halves(render(lamp=(-1, 0, 0.5), at=before)) == pytest.approx(expected, rel=0.02)


def test_the_normal_maps_colours_are_those_of_the_image(thing: Any, render: Render) -> None:
    thing.active_material.hi3dgen_shows = "NORMAL_MAP"
    seen = render().reshape(SIDE, SIDE, 3)
    expected = pixels(thing.active_material.node_tree.nodes["Normal Map as Seen"].image)
    inside = slice(4, -4)
    difference = np.abs(seen - expected.reshape(SIDE, 2, SIDE, 2, 3).mean(axis=(1, 3)))[inside, inside]
    assert np.median(difference) < 2


EEVEE = "BLENDER_EEVEE" if bpy.app.version >= (5, 0, 0) else "BLENDER_EEVEE_NEXT"


@pytest.mark.slow
def test_eevee_shows_the_same_light(thing: Any, render: Render) -> None:
    thing.rotation_euler = TURNS["turned"]
    thing.active_material.hi3dgen_shows = "NORMAL_DETAIL"
    inside = slice(SIDE // 4, -SIDE // 4)
    cycles, eevee = (render(engine, (-0.6, 0.2, 0.8)).mean(axis=-1)[inside, inside] for engine in ("CYCLES", EEVEE))
    assert np.corrcoef(cycles.ravel(), eevee.ravel())[0, 1] > 0.98
    behind = render(EEVEE, (0.5, 0.0, -1.0), behind=True)[2:-2, 2:-2]
    assert behind.mean() > 50
    assert np.ptp(behind) < 3


@pytest.mark.slow
def test_solid_shading_shows_the_images_as_they_are(scene: Any, thing: Any, render: Render) -> None:
    shading = scene.display.shading
    shading.light, shading.color_type = "FLAT", "TEXTURE"
    scene.display.render_aa = "OFF"
    material = thing.active_material
    material.hi3dgen_shows = "NORMAL_MAP"
    colours = render("BLENDER_WORKBENCH")
    assert np.allclose(colours[1, 1], (128, 128, 255), atol=1), "the plane looks at the viewer"
    material.hi3dgen_shows = "CLAY"
    assert np.ptp(render("BLENDER_WORKBENCH")[2:-2, 2:-2], axis=(0, 1)).max() < 2
    material.hi3dgen_shows = "PICTURE"
    assert np.allclose(render("BLENDER_WORKBENCH")[1, 1], 255, atol=1)

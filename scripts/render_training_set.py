# SPDX-License-Identifier: GPL-3.0-or-later
"""Render shapes of the training data with Cycles: path-traced pictures with their masks and normal maps.

    .venv/bin/python scripts/render_training_set.py FOLDER --count 40 --size 256 --seed 1

writes FOLDER/images/00000.png and so on, and files of the same names in `mask` and `normals` (camera space, x right, y
up, z to the viewer, (n + 1) / 2), as `train --pictures` and `evaluate` read them. With --pristine the pictures have no
effects of lenses, sensors and JPEG. The seed and the number decide a picture; one that exists is not rendered again.
Needs the environment that scripts/environment.py makes: Blender, torch and numba in one Python.
"""

import argparse
import sys
import tempfile
from pathlib import Path
from typing import Any

import bpy
import numpy as np
import torch
from mathutils import Matrix
from render_normal_maps import glowing_normals

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from backend.arrays import Float32Array, UInt8Array
from backend.foreground.framing import MARGIN
from backend.raster import png
from backend.raster.colour import linear_to_srgb
from backend.raster.vectors import TO_VIEWER, unit
from backend.safe_files import replacing
from backend.surface.marching_cubes import marching_cubes
from backend.training.shapes import draw_camera
from backend.training.shapes.field import settle, volume
from backend.training.shapes.materials import draw_materials
from backend.training.shapes.photograph import photograph
from backend.training.shapes.sculptures import draw_shape
from backend.training.shapes.solids import Shape
from backend.training.shapes.tracing import Camera

_CELLS = 208  # along each side of the lattice that a mesh is extracted from
_SAMPLES = 24
_BLENDER = np.array([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]])  # y up, z to the front -> Blender's z up, -y to the front


def main() -> None:
    """Render what the command line asks for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--count", type=int, default=40)
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--pristine", action="store_true")
    options = parser.parse_args()
    for part in ("images", "mask", "normals"):
        (options.folder / part).mkdir(parents=True, exist_ok=True)
    for index in range(options.count):
        name = f"{index:05}.png"
        if (options.folder / "images" / name).exists():
            continue
        colours, mask, normals = picture(options.seed, index, options.size, pristine=options.pristine)
        for part, pixels in (("normals", normals), ("mask", mask), ("images", colours)):
            with replacing(options.folder / part / name) as file:  # half a file would not be rendered again
                file.write(png.encode(pixels))
        print(options.folder / "images" / name, flush=True)


def picture(seed: int, index: int, size: int, *, pristine: bool) -> tuple[UInt8Array, UInt8Array, UInt8Array]:
    """Render picture `index` of a seed: colours, mask and normal map, uint8 (S, S, 3) each."""
    rng = np.random.default_rng([seed, index, 1])
    shape = draw_shape(rng)
    view = draw_camera(rng, shape)
    view = view._replace(half=view.half * MARGIN)
    bpy.ops.wm.read_factory_settings(use_empty=True)
    _set_stage(size, index)
    mesh = _mesh(shape, 2 * view.half / size)
    for material in draw_materials(rng, shape.parts):
        mesh.materials.append(_node_material(rng, material))
    _point_camera(view)
    _light(rng, view)
    light = _render()
    scene = bpy.context.scene
    scene.cycles.max_bounces = 0
    bpy.context.view_layer.material_override = glowing_normals()
    glow = _render()
    coverage = glow[..., 3]
    normals = glow[..., :3] / np.maximum(coverage, 1e-6)[..., None] * 2 - 1
    mask = (coverage >= 0.5) & (np.linalg.norm(normals, axis=2) > 0.02)
    normals = np.where(mask[..., None], unit(normals), TO_VIEWER)
    colours = light[..., :3] / np.maximum(light[..., 3:], 1e-6)
    if pristine:
        bright = float(np.quantile(colours[mask].mean(axis=1), 0.97)) if mask.any() else 1.0
        linear = np.clip(colours / max(bright, 1e-4) * 0.9, 0, 1)
        rgba = np.rint(np.concatenate([linear_to_srgb(linear), light[..., 3:].clip(0, 1)], axis=2) * 255).astype(
            np.uint8
        )
    else:
        rgba = photograph(rng, colours, light[..., 3].clip(0, 1))
    stored = np.rint((normals + 1) * 127.5).astype(np.uint8)
    return rgba[..., :3], np.repeat(rgba[..., 3:], 3, axis=2), stored


def _set_stage(size: int, seed: int) -> None:
    scene = bpy.context.scene
    scene.render.engine = "CYCLES"
    scene.cycles.device, scene.cycles.samples, scene.cycles.seed = "CPU", _SAMPLES, seed
    scene.cycles.use_denoising, scene.cycles.max_bounces = False, 4
    scene.render.threads_mode, scene.render.threads = "FIXED", 2
    scene.render.resolution_x = scene.render.resolution_y = size
    scene.render.film_transparent = True
    scene.render.image_settings.file_format = "OPEN_EXR"
    scene.render.image_settings.color_mode, scene.render.image_settings.color_depth = "RGBA", "32"
    scene.world = bpy.data.worlds.new("world")


def _mesh(shape: Shape, pixel: float) -> "bpy.types.Mesh":
    """Return the shape as a mesh, its vertices moved onto the exact surface, with the exact normals."""
    values, half = volume(shape, _CELLS, pixel)
    surface = marching_cubes(torch.from_numpy(values))
    corners = np.stack(np.unravel_index(surface.points.numpy(), values.shape), axis=1) * (2 * half / _CELLS) - half
    points = surface.interpolate(torch.from_numpy(corners.astype(np.float32))).numpy().astype(np.float64)
    points, normals, parts = settle(shape, points, pixel)
    triangles = surface.triangles.numpy()
    mesh = bpy.data.meshes.new("shape")
    mesh.vertices.add(len(points))
    mesh.vertices.foreach_set("co", (points @ _BLENDER.T).astype(np.float32).ravel())
    mesh.loops.add(triangles.size)
    mesh.loops.foreach_set("vertex_index", triangles.astype(np.int32).ravel())
    mesh.polygons.add(len(triangles))
    mesh.polygons.foreach_set("loop_start", np.arange(0, triangles.size, 3, dtype=np.int32))
    mesh.polygons.foreach_set("material_index", parts[triangles[:, 0]].astype(np.int32))
    mesh.update(calc_edges=True)
    mesh.normals_split_custom_set_from_vertices((normals @ _BLENDER.T).astype(np.float32))
    bpy.context.collection.objects.link(bpy.data.objects.new("shape", mesh))
    return mesh


def _point_camera(view: Camera) -> None:
    camera = bpy.data.cameras.new("camera")
    thing = bpy.data.objects.new("camera", camera)
    right, up, back = view.turn @ _BLENDER.T
    cx, cy = view.centre
    if view.nearness > 0:
        place = back / view.nearness
        camera.lens = camera.sensor_width / (2 * view.half * view.nearness)
        camera.shift_x, camera.shift_y = cx / (2 * view.half), cy / (2 * view.half)
    else:
        place = 4 * back + cx * right + cy * up
        camera.type, camera.ortho_scale = "ORTHO", 2 * view.half
    turned = np.eye(4)
    turned[:3, :3], turned[:3, 3] = np.stack([right, up, back], axis=1), place
    thing.matrix_world = Matrix(turned.tolist())
    bpy.context.collection.objects.link(thing)
    bpy.context.scene.camera = thing


def _light(rng: np.random.Generator, view: Camera) -> None:
    """Light the scene by a sky and one to three lamps, large or small, near or far."""
    tree = bpy.context.scene.world
    if bpy.app.version < (5, 0, 0):  # newer ones have nodes anyway
        tree.use_nodes = True
    sky = tree.node_tree.nodes["Background"]
    sky.inputs["Color"].default_value = (*(1 + 0.1 * rng.normal(size=3)).clip(0.5, 1.5), 1)
    sky.inputs["Strength"].default_value = float(rng.uniform(0.05, 0.5) if rng.random() < 0.8 else 1.0)
    for k in range(int(rng.integers(1, 4))):
        lamp = bpy.data.lights.new("lamp", "AREA")
        lamp.size = float(np.exp(rng.uniform(np.log(0.1), np.log(3))))
        lamp.energy = float(rng.uniform(100, 300)) * (1.0 if k == 0 else float(rng.uniform(0.1, 0.7)))
        lamp.color = (1 + 0.1 * rng.normal(size=3)).clip(0.5, 1)
        thing = bpy.data.objects.new("lamp", lamp)
        around, above = rng.normal(0, 0.9), rng.uniform(-0.1, 1.3)
        toward = np.array([np.sin(around) * np.cos(above), np.sin(above), np.cos(around) * np.cos(above)]) @ view.turn
        back = toward @ _BLENDER.T
        side = np.cross([0.3, 0.2, 0.9], back)
        side /= np.linalg.norm(side)
        turned = np.eye(4)
        turned[:3, :3] = np.stack([side, np.cross(back, side), back], axis=1)
        turned[:3, 3] = back * rng.uniform(2.0, 4.5)
        thing.matrix_world = Matrix(turned.tolist())
        bpy.context.collection.objects.link(thing)


def _node_material(rng: np.random.Generator, material: Any) -> "bpy.types.Material":  # noqa: ANN401 - a `MATERIAL`
    """Make a Blender material of the kind that the fast maker drew: plain, mottled, wooden or chequered."""
    made = bpy.data.materials.new("material")
    if bpy.app.version < (5, 0, 0):  # newer ones have nodes anyway
        made.use_nodes = True
    tree = made.node_tree
    shader = tree.nodes["Principled BSDF"]
    shader.inputs["Roughness"].default_value = float(material["roughness"])
    shader.inputs["Metallic"].default_value = float(material["metal"])
    shader.inputs["Base Color"].default_value = (*material["colours"][0], 1)
    if rng.random() < 0.15 and material["metal"] == 0:
        shader.inputs["Subsurface Weight"].default_value = float(rng.uniform(0.2, 1.0))
        shader.inputs["Subsurface Scale"].default_value = 0.05
    if material["pattern"] == 0:
        return made
    kind = ("ShaderNodeTexNoise", "ShaderNodeTexWave", "ShaderNodeTexVoronoi", "ShaderNodeTexChecker")
    pattern = tree.nodes.new(kind[int(rng.choice(4, p=(0.6, 0.2, 0.1, 0.1)))])
    pattern.inputs["Scale"].default_value = float(material["frequency"])
    ramp, place = tree.nodes.new("ShaderNodeValToRGB"), tree.nodes.new("ShaderNodeTexCoord")
    ramp.color_ramp.elements[0].color = (*material["colours"][0], 1)
    ramp.color_ramp.elements[1].color = (*material["colours"][2], 1)
    tree.links.new(place.outputs["Object"], pattern.inputs["Vector"])
    tree.links.new(next(o for o in pattern.outputs if o.name in ("Fac", "Distance")), ramp.inputs["Fac"])
    tree.links.new(ramp.outputs["Color"], shader.inputs["Base Color"])
    return made


def _render() -> Float32Array:
    """Render the scene, linear float32 (S, S, 4), premultiplied, row 0 on top."""
    scene = bpy.context.scene
    with tempfile.TemporaryDirectory() as folder:
        scene.render.filepath = str(Path(folder) / "image.exr")
        bpy.ops.render.render(write_still=True)
        image = bpy.data.images.load(scene.render.filepath)
        image.colorspace_settings.name = "Non-Color"
        image.alpha_mode = "CHANNEL_PACKED"
        pixels = np.empty(len(image.pixels), np.float32)
        image.pixels.foreach_get(pixels)
        size = image.size[0]
        bpy.data.images.remove(image)
    return pixels.reshape(size, size, 4)[::-1]


if __name__ == "__main__":
    main()

# SPDX-License-Identifier: GPL-3.0-or-later
"""The demo's part inside Blender, run by demo.py: install the extension, generate, save, render.

Everything goes the artist's way: the zip is built and installed, the operator is called, the backend is started by
the extension, and the mesh arrives through the socket.
"""

import contextlib
import math
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator
from pathlib import Path

import bpy

ROOT = Path(__file__).resolve().parent.parent
SIZE = (1200, 540)
SAMPLES = 8  # denoised
TURN = math.radians(35)  # how far the objects are turned from the picture's view
GAP = 0.12  # metres between the exhibits
CARD = (0.8, 0.8, 0.8, 1.0)
BACKDROP = (0.32, 0.34, 0.38, 1.0)


def main(picture: Path, output: Path, seed: int) -> None:
    """Leave scene.blend, mesh.glb, normal.png and preview.png in `output`."""
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    with step("Building and installing the extension"):
        install()
    with step("From the picture to the mesh, backend's start included"), quiet():
        try:
            bpy.ops.hi3dgen.generate(filepath=str(picture), seed=seed)
        except RuntimeError as error:  # the sentence that the panel would show
            sys.exit(f"\n{str(error).removeprefix('Error: ').strip()}")
    made = bpy.context.view_layer.objects.active
    with step("Writing the mesh and its normal map"):
        normal_map = made.active_material.node_tree.nodes["Normal Map"].image
        (output / "normal.png").write_bytes(normal_map.packed_file.data)
        with quiet():
            bpy.ops.export_scene.gltf(filepath=str(output / "mesh.glb"), use_selection=True)
    with step("Rendering the preview"):
        set_stage(made)
        bpy.context.scene.render.filepath = str(output / "preview.png")
        with quiet():
            bpy.ops.render.render(write_still=True)
    with step("Saving the scene"), quiet():
        bpy.ops.wm.save_as_mainfile(filepath=str(output / "scene.blend"), compress=True)
    print(f"\n{len(made.data.polygons):,} triangles. Look at:")
    for name in ("preview.png", "scene.blend", "mesh.glb", "normal.png"):
        print(f"  {output / name}")


def install() -> None:
    """Build the zip as a release does, install it as an artist does."""
    tool = Path(bpy.utils.system_resource("SCRIPTS"), "addons_core", "bl_pkg", "cli", "blender_ext.py")
    with tempfile.TemporaryDirectory() as folder:
        archive = Path(folder, "hi3dgen.zip")
        arguments = ["build", "--source-dir", ROOT, "--output-filepath", archive]
        subprocess.run([sys.executable, tool, *arguments], check=True, stdout=subprocess.DEVNULL)
        with quiet():
            bpy.ops.extensions.package_install_files(
                filepath=str(archive), repo="user_default", enable_on_install=True, overwrite=True
            )
    if not hasattr(bpy.types.Scene, "hi3dgen"):
        sys.exit("The extension could not be installed; Blender's messages above say why.")


def set_stage(made: bpy.types.Object) -> None:
    """The picture on a card, the object, and its twin in the normal map's colours, before a soft backdrop."""
    scene = bpy.context.scene
    width = max(made.dimensions.x, made.dimensions.y, 0.4)
    twin = made.copy()
    twin.name = f"{made.name} normals"
    twin.data = made.data.copy()
    twin.active_material = made.active_material.copy()
    twin.active_material.hi3dgen_shows = "NORMAL_MAP"
    scene.collection.objects.link(twin)
    card = add_card(scene, made.active_material.node_tree.nodes["Picture"].image, width)
    for thing, place in ((card, -1.0), (made, 0.0), (twin, 1.0)):
        thing.location.x = place * (width + GAP)
    made.rotation_euler.z = twin.rotation_euler.z = -TURN
    add_backdrop(scene)
    add_light(scene, "Key", (-2.2, -2.6, 2.8), 110.0, 1.6)
    add_light(scene, "Fill", (2.8, -1.8, 1.2), 30.0, 2.5)
    add_light(scene, "Rim", (1.2, 2.0, 2.4), 90.0, 1.0)
    add_camera(scene, max(made.dimensions.z, 0.35), 3 * width + 2 * GAP)
    scene.render.engine = "CYCLES"
    scene.cycles.samples = SAMPLES
    scene.cycles.use_denoising = True
    scene.cycles.max_bounces = 3
    scene.render.resolution_x, scene.render.resolution_y = SIZE
    scene.view_settings.view_transform = "Standard"


def add_card(scene: bpy.types.Scene, picture: bpy.types.Image, width: float) -> bpy.types.Object:
    """The picture as a print on white card, standing on the floor."""
    height = width * picture.size[1] / picture.size[0]
    mesh = bpy.data.meshes.new("Card")
    half = width / 2
    mesh.from_pydata([(-half, 0, 0), (half, 0, 0), (half, 0, height), (-half, 0, height)], [], [(0, 1, 2, 3)])
    uv = mesh.uv_layers.new(name="UVMap")
    for corner, place in zip(uv.uv, ((0, 0), (1, 0), (1, 1), (0, 1)), strict=True):
        corner.vector = place
    material = bpy.data.materials.new("Card")
    if bpy.app.version < (5, 0, 0):  # newer ones have nodes anyway
        material.use_nodes = True
    nodes, links = material.node_tree.nodes, material.node_tree.links
    nodes.clear()
    texture = nodes.new("ShaderNodeTexImage")
    texture.image = picture
    print_ = nodes.new("ShaderNodeMix")
    print_.data_type = "RGBA"
    print_.inputs[6].default_value = CARD
    flat = nodes.new("ShaderNodeEmission")
    links.new(texture.outputs["Alpha"], print_.inputs[0])
    links.new(texture.outputs["Color"], print_.inputs[7])
    links.new(print_.outputs[2], flat.inputs["Color"])
    links.new(flat.outputs[0], nodes.new("ShaderNodeOutputMaterial").inputs["Surface"])
    mesh.materials.append(material)
    card = bpy.data.objects.new("Card", mesh)
    scene.collection.objects.link(card)
    return card


def add_backdrop(scene: bpy.types.Scene) -> None:
    """A floor that bends up into a wall, so that no horizon cuts the picture."""
    profile = [(-6.0, 0.0), (1.0, 0.0)]
    profile += [
        (1.0 + 1.5 * math.sin(a / 12 * math.pi / 2), 1.5 - 1.5 * math.cos(a / 12 * math.pi / 2)) for a in range(1, 13)
    ]
    profile += [(2.5, 6.0)]
    vertices = [(x, y, z) for y, z in profile for x in (-12.0, 12.0)]
    faces = [(2 * i, 2 * i + 1, 2 * i + 3, 2 * i + 2) for i in range(len(profile) - 1)]
    mesh = bpy.data.meshes.new("Backdrop")
    mesh.from_pydata(vertices, [], faces)
    mesh.shade_smooth()
    material = bpy.data.materials.new("Backdrop")
    if bpy.app.version < (5, 0, 0):  # newer ones have nodes anyway
        material.use_nodes = True
    surface = material.node_tree.nodes["Principled BSDF"].inputs
    surface["Base Color"].default_value = BACKDROP
    surface["Roughness"].default_value = 0.9
    mesh.materials.append(material)
    scene.collection.objects.link(bpy.data.objects.new("Backdrop", mesh))
    world = scene.world or bpy.data.worlds.new("World")
    scene.world = world
    if bpy.app.version < (5, 0, 0):  # newer ones have nodes anyway
        world.use_nodes = True
    world.node_tree.nodes["Background"].inputs["Color"].default_value = BACKDROP
    world.node_tree.nodes["Background"].inputs["Strength"].default_value = 0.35


def add_light(scene: bpy.types.Scene, name: str, place: tuple[float, float, float], watts: float, size: float) -> None:
    """An area light that looks at the object's middle."""
    light = bpy.data.lights.new(name, "AREA")
    light.energy, light.size = watts, size
    thing = bpy.data.objects.new(name, light)
    thing.location = place
    point_at(thing, (0.0, 0.0, 0.5))
    scene.collection.objects.link(thing)


def add_camera(scene: bpy.types.Scene, height: float, width: float) -> None:
    """A long lens from slightly above that holds both objects."""
    camera = bpy.data.objects.new("Camera", bpy.data.cameras.new("Camera"))
    camera.data.lens = 70.0
    field = 36.0 / 70.0
    distance = 1.1 * max(width, (height + 0.1) * SIZE[0] / SIZE[1]) / field
    camera.location = (0.0, -distance * 0.98, height * 0.5 + distance * 0.16)
    point_at(camera, (0.0, 0.0, height * 0.48))
    scene.collection.objects.link(camera)
    scene.camera = camera


def point_at(thing: bpy.types.Object, target: tuple[float, float, float]) -> None:
    """Turn a camera or a light towards a point."""
    away = thing.location - type(thing.location)(target)
    thing.rotation_euler = away.to_track_quat("Z", "Y").to_euler()


@contextlib.contextmanager
def step(what: str) -> Generator[None]:
    """Say what is being done and how long it took."""
    print(f"{what} ... ", end="", flush=True)
    started = time.monotonic()
    yield
    print(f"{time.monotonic() - started:.1f} s", flush=True)


@contextlib.contextmanager
def quiet() -> Generator[None]:
    """Keep the chatter of Blender's own operators, which goes past Python's standard output, off the terminal."""
    sys.stdout.flush()
    kept = os.dup(1)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    try:
        yield
    finally:
        sys.stdout.flush()
        os.dup2(kept, 1)
        os.close(kept)
        os.close(nowhere)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))

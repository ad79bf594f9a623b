# SPDX-License-Identifier: GPL-3.0-or-later
"""Render the pictures of examples/: an owl, a teapot and a robot, modelled here from simple forms.

Run with a Python that has bpy (the demo's has): `.venv/bin/python scripts/render_example.py [PICTURE...]`.
Each subject is rendered with a transparent background, and the owl also in a studio: one kind of picture for each way
of cutting out. The same Blender gives the same pictures.
"""

import argparse
import itertools
import math
from collections.abc import Callable, Sequence
from pathlib import Path

import bpy  # has to come before the next two

# isort: split
import bmesh
from mathutils import Euler, Matrix, Vector

OUTPUT = Path(__file__).resolve().parent.parent / "examples"
SIZE = 768
SAMPLES = 64  # denoised

Triple = tuple[float, float, float]
Material = bpy.types.Material


def main(names: Sequence[str]) -> None:
    """Render the named pictures, or all of them."""
    for name in names or PICTURES:
        build_subject, backdrop = PICTURES[name]
        set_stage()
        build_subject()
        frame_subject()
        if backdrop:
            add_backdrop(backdrop)
        render(OUTPUT / f"{name}.png")


# Subjects: about 2 m high, standing on z = 0, seen from -y.


def build_owl() -> None:
    """Model a plump owl with a scarf."""
    plumage, wing = glossy("plumage", (0.035, 0.16, 0.21), 0.55), glossy("wing", (0.02, 0.085, 0.13), 0.5)
    cream, fleck = glossy("cream", (0.86, 0.70, 0.47), 0.6), glossy("fleck", (0.60, 0.34, 0.13), 0.55)
    orange, scarlet = glossy("orange", (0.90, 0.28, 0.03), 0.35), glossy("scarlet", (0.62, 0.035, 0.03), 0.65)
    amber, black = glossy("amber", (0.95, 0.45, 0.02), 0.12, coat=1.0), glossy("black", (0.004, 0.004, 0.005), 0.08)
    white = glossy("white", (0.9, 0.9, 0.9), 0.2)
    lower = [(0, 0.03), (0.36, 0.03), (0.66, 0.22), (0.8, 0.68), (0.76, 1.1), (0.68, 1.38)]
    upper = [(0.7, 1.66), (0.62, 1.94), (0.4, 2.14), (0.16, 2.18), (0, 2.18)]
    lathe([*lower, *upper], plumage)
    belly_middle, belly = Vector((0, -0.24, 0.70)), Vector((0.60, 0.63, 0.60))
    ball(belly_middle, belly, cream)
    for row, height in enumerate((0.42, 0.14, -0.14, -0.42)):
        for column in range(-2, 3):
            across = 0.40 * (column + 0.5 * (row % 2))
            if abs(across) > 0.95 - abs(height) * 0.55:
                continue
            direction = Vector((math.sin(across), -math.cos(across), height * 1.25)).normalized()
            spot = belly_middle + Vector(a * b for a, b in zip(direction, belly, strict=True))
            turn = direction.to_track_quat("-Y", "Z").to_euler()
            ball(spot, (0.062, 0.03, 0.078), fleck, turn)
    for side in (-1, 1):
        ball((side * 0.765, -0.02, 0.80), (0.17, 0.44, 0.64), wing, (0.12, -side * 0.17, 0))
        ball((side * 0.275, -0.50, 1.66), (0.36, 0.20, 0.37), cream, (0, 0, side * 0.32))
        ball((side * 0.265, -0.64, 1.68), (0.215, 0.12, 0.215), amber, (0, 0, side * 0.25))
        ball((side * 0.250, -0.715, 1.68), (0.130, 0.07, 0.130), black, (0, 0, side * 0.2))
        ball((side * 0.250 + 0.050, -0.778, 1.735), (0.036, 0.02, 0.036), white)
        tube(
            [(side * 0.40, -0.10, 1.90, 0.21), (side * 0.53, -0.12, 2.12, 0.14), (side * 0.59, -0.16, 2.30, 0.05)],
            wing,
        )
        tube(
            [(side * 0.07, -0.62, 1.99, 0.045), (side * 0.30, -0.60, 2.09, 0.055), (side * 0.54, -0.44, 1.99, 0.03)],
            wing,
        )
        for toe in (-1, 0, 1):
            ball(
                (side * 0.30 + toe * 0.13, -0.60 + 0.05 * abs(toe), 0.075),
                (0.085, 0.19, 0.075),
                orange,
                (0, 0, toe * 0.3),
            )
    tube([(0, -0.62, 1.62, 0.09), (0, -0.80, 1.52, 0.10), (0, -0.80, 1.36, 0.012)], orange)
    ring((0, 0, 1.275), 0.685, 0.115, scarlet, (0.10, 0, 0))
    tube(
        [(0.30, -0.66, 1.22, 0.10), (0.37, -0.82, 1.02, 0.13), (0.42, -0.84, 0.78, 0.135), (0.44, -0.82, 0.68, 0.12)],
        scarlet,
    )
    ball((0.29, -0.71, 1.21), (0.13, 0.12, 0.12), scarlet)


def build_teapot() -> None:
    """Model a glazed teapot with a gilded rim."""
    glaze, gold = (
        glossy("glaze", (0.02, 0.19, 0.20), 0.12, coat=1.0),
        glossy("gold", (0.85, 0.52, 0.16), 0.22, metallic=1.0),
    )
    petal, heart = glossy("petal", (0.90, 0.80, 0.66), 0.25, coat=0.6), glossy("heart", (0.75, 0.20, 0.06), 0.3)
    lathe([(0, 0.0), (0.50, 0.0), (0.54, 0.05), (0.50, 0.10)], gold)
    lathe(
        [(0, 0.07), (0.46, 0.07), (0.78, 0.28), (0.92, 0.64), (0.84, 1.00), (0.60, 1.24), (0.42, 1.32), (0, 1.33)],
        glaze,
    )
    ring((0, 0, 1.30), 0.47, 0.045, gold)
    lathe([(0, 1.30), (0.43, 1.31), (0.40, 1.40), (0.24, 1.50), (0.08, 1.54), (0, 1.55)], glaze)
    lathe([(0.05, 1.50), (0.07, 1.57), (0.05, 1.60)], gold)
    ball((0, 0, 1.68), (0.125, 0.125, 0.115), gold)
    lower = [(0.62, 0, 0.42, 0.24), (0.98, 0, 0.56, 0.19), (1.16, 0, 0.88, 0.125)]
    upper = [(1.3, 0, 1.2, 0.095), (1.46, 0, 1.32, 0.085)]
    tube([*lower, *upper], glaze)
    ring((1.46, 0, 1.32), 0.085, 0.028, gold, (0, 0.95, 0))
    lower = [(-0.72, 0, 1.08, 0.085), (-1.02, 0, 1.3, 0.085), (-1.34, 0, 1.18, 0.085)]
    upper = [(-1.4, 0, 0.84, 0.085), (-1.2, 0, 0.52, 0.08), (-0.82, 0, 0.44, 0.075)]
    tube([*lower, *upper], glaze)
    for angle in (-0.95, 0.0, 0.95):
        middle = Vector((0.90 * math.sin(angle), -0.90 * math.cos(angle), 0.70))
        turn = Matrix.Rotation(angle, 3, "Z")
        for leaf in range(5):
            bearing = 2 * math.pi * leaf / 5 + math.pi / 2
            offset = turn @ Vector((0.145 * math.cos(bearing), 0.015, 0.145 * math.sin(bearing)))
            ball(middle + offset, (0.105, 0.035, 0.075), petal, (0, -bearing, angle), order="YXZ")
        ball(middle + turn @ Vector((0, -0.025, 0)), (0.07, 0.04, 0.07), heart)


def build_robot() -> None:
    """Model a tin toy robot."""
    tin, cobalt = (
        glossy("tin", (0.62, 0.64, 0.66), 0.28, metallic=1.0),
        glossy("cobalt", (0.02, 0.10, 0.42), 0.3, coat=0.7),
    )
    red, yellow = glossy("red", (0.70, 0.03, 0.02), 0.3, coat=0.7), glossy("yellow", (0.95, 0.55, 0.03), 0.3, coat=0.7)
    dark, cream = glossy("dark", (0.015, 0.017, 0.02), 0.35), glossy("cream", (0.88, 0.82, 0.68), 0.35)
    light = glossy("light", (0.25, 0.95, 0.85), 0.1, coat=1.0)
    block((0, 0, 0.95), (0.98, 0.66, 0.84), 0.14, red)
    block((0, -0.31, 1.02), (0.68, 0.10, 0.50), 0.06, cream)
    for x, material in ((-0.2, yellow), (0.0, cobalt), (0.2, red)):
        ball((x, -0.37, 0.87), (0.065, 0.05, 0.065), material)
    lathe([(0, 0), (0.14, 0.0), (0.15, 0.03), (0.13, 0.05), (0, 0.05)], dark, (-0.16, -0.36, 1.12), (math.pi / 2, 0, 0))
    tube([(-0.16, -0.42, 1.12, 0.012), (-0.09, -0.42, 1.19, 0.008)], yellow)
    for slot in range(3):
        block((0.17, -0.36, 1.05 + 0.07 * slot), (0.22, 0.03, 0.03), 0.012, dark)
    lathe([(0.16, 1.34), (0.20, 1.40), (0.16, 1.46), (0.20, 1.52)], tin)
    block((0, 0, 1.80), (0.86, 0.62, 0.60), 0.16, cobalt)
    block((0, -0.29, 1.82), (0.68, 0.10, 0.36), 0.08, dark)
    block((0, -0.32, 1.60), (0.30, 0.04, 0.035), 0.015, tin)
    for side in (-1, 1):
        ball((side * 0.165, -0.32, 1.83), (0.115, 0.06, 0.115), light)
        ball((side * 0.165, -0.375, 1.83), (0.05, 0.02, 0.05), dark)
        lathe(
            [(0, 0), (0.13, 0.0), (0.13, 0.08), (0.07, 0.14), (0, 0.14)],
            yellow,
            (side * 0.42, 0, 1.80),
            (0, side * math.pi / 2, 0),
        )
        ball((side * 0.55, 0, 1.20), (0.17, 0.17, 0.17), tin)
        arm = [
            (side * 0.58, 0, 1.18),
            (side * 0.70, -0.02, 1.00),
            (side * 0.75, -0.06, 0.80),
            (side * 0.75, -0.12, 0.62),
        ]
        tube([(*point, 0.10) for point in arm], tin)
        for bellow in range(5):
            share = bellow / 4 * 2.4 + 0.3
            start, end = Vector(arm[int(share)]), Vector(arm[int(share) + 1])
            spot = start.lerp(end, share % 1)
            turn = (end - start).to_track_quat("Z", "Y").to_euler()
            ring(spot, 0.095, 0.035, dark, turn)
        ball((side * 0.75, -0.14, 0.55), (0.14, 0.13, 0.12), cobalt)
        for finger in (-1, 1):
            x = side * 0.75
            lower = [(x + finger * 0.08, -0.15, 0.52, 0.05), (x + finger * 0.14, -0.17, 0.40, 0.05)]
            upper = [(x + finger * 0.07, -0.18, 0.30, 0.03)]
            tube([*lower, *upper], tin)
        lathe(
            [(0.15, 0.22), (0.18, 0.30), (0.15, 0.38), (0.18, 0.46), (0.15, 0.54), (0.18, 0.60)],
            tin,
            (side * 0.27, 0, 0),
        )
        block((side * 0.28, -0.08, 0.13), (0.40, 0.62, 0.26), 0.11, cobalt)
    tube([(0, 0, 2.08, 0.035), (0, 0, 2.30, 0.022)], tin)
    ball((0, 0, 2.36), (0.085, 0.085, 0.085), red)


PICTURES: dict[str, tuple[Callable[[], None], Triple | None]] = {
    "owl": (build_owl, None),
    "owl-studio": (build_owl, (0.40, 0.33, 0.58)),
    "teapot": (build_teapot, None),
    "robot": (build_robot, None),
}


# Forms.


def ball(
    middle: Sequence[float] | Vector,
    radii: Sequence[float] | Vector,
    material: Material,
    turn: Sequence[float] = (0, 0, 0),
    order: str = "XYZ",
) -> None:
    """Add an ellipsoid."""
    form = bmesh.new()
    bmesh.ops.create_uvsphere(form, u_segments=64, v_segments=32, radius=1)
    place(form, material, Matrix.LocRotScale(Vector(middle), Euler(turn, order), Vector(radii)))


def ring(
    middle: Sequence[float] | Vector,
    radius: float,
    thickness: float,
    material: Material,
    turn: Sequence[float] = (0, 0, 0),
) -> None:
    """Add a torus around the z axis, rotated by `turn`."""
    section = [
        (radius + thickness * math.cos(a), thickness * math.sin(a)) for a in (k * math.pi / 12 for k in range(25))
    ]
    spin(section, material, Matrix.LocRotScale(Vector(middle), Euler(turn), None))


def lathe(
    outline: Sequence[tuple[float, float]],
    material: Material,
    middle: Sequence[float] = (0, 0, 0),
    turn: Sequence[float] = (0, 0, 0),
) -> None:
    """Add a surface of revolution: an outline of (radius, height), its corners rounded, around the z axis."""
    for _ in range(3):
        outline = rounded(outline)
    spin(outline, material, Matrix.LocRotScale(Vector(middle), Euler(turn), None))


def rounded(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Cut the corners of an open line (Chaikin, 1974); its ends stay."""
    inner = [
        (near[0] * a + far[0] * (1 - a), near[1] * a + far[1] * (1 - a))
        for near, far in itertools.pairwise(points)
        for a in (0.75, 0.25)
    ]
    return [points[0], *inner, points[-1]]


def spin(outline: Sequence[tuple[float, float]], material: Material, matrix: Matrix) -> None:
    """Add a surface of revolution: an outline of (radius, height) around the z axis."""
    form = bmesh.new()
    line = [form.verts.new((radius, 0, height)) for radius, height in outline]
    edges = [form.edges.new(pair) for pair in itertools.pairwise(line)]
    bmesh.ops.spin(form, geom=[*line, *edges], axis=(0, 0, 1), cent=(0, 0, 0), steps=96, angle=2 * math.pi)
    bmesh.ops.remove_doubles(form, verts=form.verts[:], dist=1e-5)
    bmesh.ops.recalc_face_normals(form, faces=form.faces[:])
    place(form, material, matrix)


def block(middle: Triple, size: Triple, rounding: float, material: Material) -> None:
    """Add a box with round edges."""
    form = bmesh.new()
    bmesh.ops.create_cube(form, size=1, matrix=Matrix.Diagonal((*size, 1)))
    bmesh.ops.bevel(
        form, geom=form.edges[:], offset=min(rounding, 0.49 * min(size)), segments=8, profile=0.5, affect="EDGES"
    )
    place(form, material, Matrix.Translation(middle))


def tube(points: Sequence[Sequence[float]], material: Material) -> None:
    """Add a round tube along points of (x, y, z, radius), with round ends."""
    curve = bpy.data.curves.new("tube", "CURVE")
    curve.dimensions, curve.bevel_depth, curve.bevel_resolution, curve.resolution_u = "3D", 1.0, 12, 16
    spline = curve.splines.new("NURBS")
    spline.points.add(len(points) - 1)
    for point, (x, y, z, radius) in zip(spline.points, points, strict=True):
        point.co, point.radius = (x, y, z, 1), radius
    spline.use_endpoint_u, spline.order_u = True, min(4, len(points))
    curve.materials.append(material)
    bpy.context.collection.objects.link(bpy.data.objects.new("tube", curve))
    for x, y, z, radius in (points[0], points[-1]):
        ball((x, y, z), (radius, radius, radius), material)


def place(form: bmesh.types.BMesh, material: Material, matrix: Matrix) -> None:
    """Make a smoothly shaded object of a mesh, which is freed."""
    mesh = bpy.data.meshes.new("form")
    form.to_mesh(mesh)
    form.free()
    mesh.materials.append(material)
    mesh.polygons.foreach_set("use_smooth", [True] * len(mesh.polygons))
    made = bpy.data.objects.new("form", mesh)
    made.matrix_world = matrix
    bpy.context.collection.objects.link(made)


def glossy(name: str, colour: Triple, roughness: float, *, metallic: float = 0.0, coat: float = 0.0) -> Material:
    """Make a material; its colour is linear sRGB."""
    material = bpy.data.materials.new(name)
    if bpy.app.version < (5, 0, 0):  # newer ones have nodes anyway
        material.use_nodes = True
    surface = material.node_tree.nodes["Principled BSDF"].inputs
    surface["Base Color"].default_value = (*colour, 1)
    surface["Roughness"].default_value = roughness
    surface["Metallic"].default_value = metallic
    surface["Coat Weight"].default_value = coat
    surface["Coat Roughness"].default_value = 0.06
    return material


# Stage.


def set_stage() -> None:
    """Empty the scene and set up light and render."""
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    scene = bpy.context.scene
    scene.render.engine = "CYCLES"
    scene.cycles.device, scene.cycles.samples, scene.cycles.seed = "CPU", SAMPLES, 0
    scene.cycles.use_denoising, scene.cycles.denoiser = True, "OPENIMAGEDENOISE"
    scene.render.resolution_x = scene.render.resolution_y = SIZE
    scene.render.film_transparent = True
    scene.render.image_settings.file_format, scene.render.image_settings.color_mode = "PNG", "RGBA"
    scene.render.image_settings.compression = 100
    scene.render.dither_intensity = 0  # grain would double the files
    scene.view_settings.view_transform, scene.view_settings.look = "AgX", "AgX - Punchy"
    world = bpy.data.worlds.new("studio")
    if bpy.app.version < (5, 0, 0):  # newer ones have nodes anyway
        world.use_nodes = True
    world.node_tree.nodes["Background"].inputs["Color"].default_value = (0.75, 0.82, 1.0, 1)
    world.node_tree.nodes["Background"].inputs["Strength"].default_value = 0.45
    scene.world = world
    add_light((-3.2, -4.2, 4.4), 2.6, 430, (1.0, 0.94, 0.86))  # key
    add_light((4.2, -3.2, 1.8), 3.5, 130, (0.85, 0.92, 1.0))  # fill
    add_light((2.6, 3.4, 3.6), 2.0, 420, (1.0, 0.96, 0.9))  # rim
    add_light((-3.2, 3.0, 2.4), 2.0, 220, (0.8, 0.9, 1.0))  # second rim


def add_light(place_at: Triple, size: float, power: float, colour: Triple) -> None:
    """Add a round area light that points at the subject's middle; size in metres, power in watts."""
    light = bpy.data.lights.new("light", "AREA")
    light.shape, light.size, light.energy, light.color = "DISK", size, power, colour
    made = bpy.data.objects.new("light", light)
    made.location = place_at
    made.rotation_euler = (Vector((0, 0, 1)) - Vector(place_at)).to_track_quat("-Z", "Y").to_euler()
    bpy.context.collection.objects.link(made)


def frame_subject() -> None:
    """Point a long lens at the subject from a little above, with 7 % of its size free on every side."""
    bpy.context.view_layer.update()
    forms = [made for made in bpy.context.scene.objects if made.type in {"MESH", "CURVE"}]
    corners = [made.matrix_world @ Vector(corner) for made in forms for corner in made.bound_box]
    low, high = (Vector(pick(axis) for axis in zip(*corners, strict=True)) for pick in (min, max))
    lens = bpy.data.cameras.new("camera")
    lens.lens, lens.sensor_width = 110, 36
    made = bpy.data.objects.new("camera", lens)
    middle, width = (low + high) / 2, max(high.x - low.x, high.z - low.z) * 1.14
    direction = Vector((0, -1, 0.10)).normalized()
    made.location = middle + direction * (width * lens.lens / lens.sensor_width)
    made.rotation_euler = direction.to_track_quat("Z", "Y").to_euler()
    bpy.context.collection.objects.link(made)
    bpy.context.scene.camera = made


def add_backdrop(colour: Triple) -> None:
    """Put the subject on a backdrop of paper that rises behind it in a curve."""
    bpy.context.scene.render.film_transparent = False
    form = bmesh.new()
    bend = [(k * math.pi / 24) for k in range(13)]
    section = [(-12.0, 0.0), *((3 + 2.5 * math.sin(a), 2.5 - 2.5 * math.cos(a)) for a in bend), (5.5, 12.0)]
    sides = [[form.verts.new((x, y, z)) for y, z in section] for x in (-14, 14)]
    for k in range(len(section) - 1):
        form.faces.new((sides[0][k], sides[0][k + 1], sides[1][k + 1], sides[1][k]))
    bmesh.ops.recalc_face_normals(form, faces=form.faces[:])
    place(form, glossy("paper", colour, 0.9), Matrix.Identity(4))


def render(path: Path) -> None:
    """Write the picture."""
    bpy.context.scene.render.filepath = str(path)
    bpy.ops.render.render(write_still=True)
    print(f"{path.name}: {path.stat().st_size / 1024:.0f} KB")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Render the pictures of examples/.")
    parser.add_argument("names", nargs="*", choices=[[], *PICTURES], metavar="NAME", help=f"of: {', '.join(PICTURES)}")
    main(parser.parse_args().names)

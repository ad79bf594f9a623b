# SPDX-License-Identifier: GPL-3.0-or-later
"""A mesh is cut flat below so that it stands.

Where, and which triangles close the cut, is found by the same arithmetic as on the command line. Blender's bisect cuts,
because it keeps everything that corners and vertices have: UV maps, colours, weights. It does not fill: its fill makes
faces of a kind that depends on the outline, and the cap here is known to close every cut of a closed mesh.
"""

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import bmesh
import bpy
import numpy as np
from mathutils import Matrix, Vector

from ...backend.inspection.balance import tilt
from ...backend.inspection.cap import cap, rings_of
from ...backend.inspection.foot import foot, tries
from ...backend.mesh.check import is_closed, signed_volume
from ..errors import AddonError
from .engine_frame import FRAME, Affine, affine_now, frame_of
from .inspected import placed, surface_of
from .projection import UV_MAP

EXACT = 1e-9  # of Blender's units: what is nearer to the cut is at it; no vertex is


def make_stand(thing: bpy.types.Object, safe: float) -> tuple[float, bool]:
    """Cut an object's own mesh so that it stands even if it is tilted by `safe` degrees.

    What is left is set down to where the lowest point was; the object stays where it is. Returns by how many degrees it
    may be tilted now, and whether it was cut: a mesh that stood safely stays as it was. Raises `AddonError` if it
    cannot be cut, and leaves it as it was then.
    """
    mesh = thing.data
    if mesh.shape_keys:
        raise AddonError(f"“{thing.name}” has shape keys, which would be lost.", "Remove or apply them first.")
    points, triangles = surface_of(mesh)
    world = placed(points, thing)
    if not len(triangles) or not is_closed(triangles):
        advice = "Join what lies together by Mesh > Merge > By Distance in Edit Mode, and fill the holes."
        raise AddonError(f"“{thing.name}” is not closed, so it cannot be cut.", advice)
    volume = signed_volume(world, triangles)
    if not abs(volume) > 0:
        raise AddonError(f"“{thing.name}” is flat, so it cannot be cut.", "Choose a mesh with a volume.")
    if (stands := tilt(world, triangles)) >= safe:
        return stands, False
    found = foot(world, triangles if volume > 0 else triangles[:, ::-1], safe)
    if found is None:
        sentence = f"No cut through the lowest tenth of “{thing.name}” makes it stand."
        raise AddonError(sentence, "Turn it so that it nearly stands, or give it a base.")
    height, stands = found
    users = [other for other in bpy.data.objects if other.data == mesh]
    frames = {other: _frame(other) for other in users if FRAME in other}
    floor = float(world[:, 2].min())
    if not any(_cut(thing, each, floor, outward=volume > 0) for each in tries(world, height)):
        sentence = f"The cut through “{thing.name}” could not be closed."
        raise AddonError(sentence, "Look at the mesh in Edit Mode: its surface may cross itself.")
    for other, affine in frames.items():
        if affine is not None:
            other[FRAME] = frame_of(mesh, affine)
    return stands, True


def _frame(thing: bpy.types.Object) -> Affine | None:
    with suppress(AddonError):
        return affine_now(thing)
    return None


def _cut(thing: bpy.types.Object, height: float, floor: float, *, outward: bool) -> bool:
    """Cut away what is below a height, in the scene, close the cut, and move the rest down to the floor.

    Returns whether it could be closed; if not, the mesh stays as it was.
    """
    matrix = thing.matrix_world
    inverse = matrix.inverted()
    work = bmesh.new()
    try:
        work.from_mesh(thing.data)
        bmesh.ops.bisect_plane(
            work,
            geom=[*work.verts, *work.edges, *work.faces],
            dist=EXACT,
            plane_co=inverse @ Vector((0, 0, height)),
            plane_no=matrix.to_3x3().transposed() @ Vector((0, 0, 1)),
            clear_inner=True,
        )
        _close(work, matrix, outward=outward)
        if not all(edge.is_manifold for edge in work.edges):
            return False
        down = inverse.to_3x3() @ Vector((0, 0, floor - height))
        bmesh.ops.translate(work, vec=down, verts=work.verts)
        work.to_mesh(thing.data)
    finally:
        work.free()
    thing.data.update()
    return True


def _close(work: bmesh.types.BMesh, matrix: Matrix, *, outward: bool) -> None:
    """Fill the borders of a cut mesh with faces that look like those beside them. matrix: from it to the scene."""
    border = [edge.link_loops[0] for edge in work.edges if edge.is_boundary]
    verts = list({vert: None for loop in border for vert in loop.edge.verts})
    number = {vert: at for at, vert in enumerate(verts)}
    ends = [(loop.vert, loop.link_loop_next.vert) for loop in border]
    edges = np.array([(number[start], number[end]) for start, end in ends], np.int64).reshape(-1, 2)
    rings = rings_of(edges if outward else edges[:, ::-1])
    if not rings:
        return  # and it is seen to be open
    points = np.array([(matrix @ vert.co)[:2] for vert in verts])
    triangles = cap(points, rings)
    beside = {start: loop for (start, _), loop in zip(ends, border, strict=True)}
    layers = _layers(work)
    with suppress(ValueError):  # a face of these vertices is there: the surface crosses itself
        for corners in (triangles[:, ::-1] if outward else triangles).tolist():
            _add_face(work, [beside[verts[corner]] for corner in corners], layers)
    for loop in border:
        loop.edge.smooth = False


def _layers(work: bmesh.types.BMesh) -> list[Any]:
    """What corners have: UV maps and colours."""
    kinds = work.loops.layers
    return [layer for kind in (kinds.uv, kinds.color, kinds.float_color) for layer in kind.values()]


def _add_face(work: bmesh.types.BMesh, walls: Sequence[bmesh.types.BMLoop], layers: Sequence[Any]) -> None:
    """Add a flat triangle of the cap, in one colour of the wall beside it: no image has anything to show there.

    The UV map that projects the picture goes on: it is known at every place. walls: the corners beside those of the
    triangle. `BMLoop.copy_from` would do the same, but it invalidates what Python knows of the loop that it copies.
    """
    face = work.faces.new([wall.vert for wall in walls])
    face.smooth = False
    face.material_index = walls[0].face.material_index
    for loop, wall in zip(face.loops, walls, strict=True):
        for layer in layers:
            if isinstance(loop[layer], bmesh.types.BMLoopUV):
                loop[layer].uv = (wall if layer.name == UV_MAP else walls[0])[layer].uv
            else:
                loop[layer] = walls[0][layer]

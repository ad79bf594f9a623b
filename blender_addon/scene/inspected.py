# SPDX-License-Identifier: GPL-3.0-or-later
"""What an object's mesh is like, in numbers, beside the artist's work; it is known until the mesh is another one.

The mesh is looked at as it is seen and exported: with its modifiers, where its object stands.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import bpy
import numpy as np
from bpy.app.handlers import persistent
from numpy.typing import NDArray

from ...backend.inspection.inspection import Inspection, inspect
from ...backend.inspection.words import Finding, findings
from ..errors import AddonError
from .held import held
from .reading import Steps, beside, finished
from .windows import in_window_of

MILLIMETRES = 1000.0  # in a metre
TICK_SECONDS = 0.1

log = logging.getLogger(__name__)

Place = tuple[float, ...]


@dataclass(frozen=True)
class Shape:
    """A mesh in the scene. vertices: float64 (V, 3), metres. triangles: int32 (T, 3)."""

    vertices: NDArray[np.float64]
    triangles: NDArray[np.int32]


@dataclass(frozen=True)
class Checked:
    """What was found of an object. place: how it was turned and scaled. found: None if it has no surface."""

    place: Place
    found: Inspection | None
    findings: Sequence[Finding]


@dataclass
class _Turn:
    """An object that is being measured. scene: its session UID, as that of the object. wanted: whether still."""

    thing: int
    scene: int
    wall: float
    done: Callable[[str], None]
    steps: Steps[Checked] | None = None
    wanted: bool = True


_known: dict[int, Checked] = {}  # by the object's session UID
_turns: list[_Turn] = []  # the first one has a thread, the others wait for it


def metre(scene: bpy.types.Scene) -> float:
    """How many metres a unit of Blender's has in a scene."""
    units = scene.unit_settings
    return 1.0 if units.system == "NONE" else units.scale_length


def shape_of(context: bpy.types.Context, thing: bpy.types.Object) -> Shape:
    """An object's surface with its modifiers, in the scene."""
    seen = thing.evaluated_get(context.evaluated_depsgraph_get())
    try:
        points, triangles = surface_of(seen.to_mesh())
    finally:
        seen.to_mesh_clear()
    if thing.matrix_world.determinant() < 0:  # a mirror turns faces around, and Blender's exporters turn them back
        triangles = triangles[:, ::-1]
    return Shape(placed(points, seen) * metre(context.scene), triangles)


def surface_of(mesh: bpy.types.Mesh) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    """A mesh's vertices, float32 (V, 3), and triangles, int32 (T, 3)."""
    mesh.calc_loop_triangles()
    points = np.empty((len(mesh.vertices), 3), np.float32)
    triangles = np.empty((len(mesh.loop_triangles), 3), np.int32)
    if len(points):  # an empty mesh has no attribute of places
        mesh.attributes["position"].data.foreach_get("vector", points.reshape(-1))
        mesh.loop_triangles.foreach_get("vertices", triangles.reshape(-1))
    return points, triangles


def placed(points: NDArray[np.float32], thing: bpy.types.Object) -> NDArray[np.float64]:
    """An object's own points (N, 3) in the scene, in Blender's units."""
    matrix = np.array(thing.matrix_world, np.float64)
    return points @ matrix[:3, :3].T + matrix[:3, 3]


def shown_images(thing: bpy.types.Object) -> set[bpy.types.Image]:
    """The images that an object's materials show."""
    materials = (slot.material for slot in thing.material_slots)
    nodes = (node for each in materials if each and each.node_tree for node in each.node_tree.nodes)
    return {node.image for node in nodes if node.type == "TEX_IMAGE" and node.image and node.outputs[0].is_linked}


def check(context: bpy.types.Context, thing: bpy.types.Object, wall: float) -> Checked:
    """Measure an object now; it is known then. wall: in millimetres."""
    _known[thing.session_uid] = found = finished(_measured(context, thing, wall))
    return found


def _measured(context: bpy.types.Context, thing: bpy.types.Object, wall: float) -> Steps[Checked]:
    """Measure an object in a thread; yields while it is not done."""
    shape, place = shape_of(context, thing), _place(context.scene, thing)
    sizes: list[tuple[int, int]] = [
        (image.size[0], image.size[1]) for image in shown_images(thing) if min(image.size) > 0
    ]
    texture = max(sizes, key=lambda size: size[0] * size[1], default=None)

    def measured() -> Checked:
        found = inspect(shape.vertices, shape.triangles, wall) if _is_whole(shape) else None
        return Checked(place, found, findings(found, texture) if found else ())

    return (yield from beside(measured))


def start(scene: bpy.types.Scene, thing: bpy.types.Object, wall: float, done: Callable[[str], None]) -> None:
    """Let an object be measured while Blender goes on, after those before it; `checked` has the result.

    done: called then, with a sentence if it failed, else with "".
    """
    cancel(thing)
    _turns.append(_Turn(thing.session_uid, scene.session_uid, wall, done))
    if not bpy.app.timers.is_registered(_tick):
        bpy.app.timers.register(_tick, first_interval=0.0)


def is_running(thing: bpy.types.Object) -> bool:
    """Whether an object is being measured, or waits for it."""
    return any(turn.thing == thing.session_uid for turn in _turns if turn.wanted)


def running() -> int:
    """How many objects are being measured, or wait for it."""
    return sum(turn.wanted for turn in _turns)


def cancel(thing: bpy.types.Object | None = None) -> None:
    """Measure an object no more, or none at all. What a thread has begun it ends, but nobody learns of it."""
    for turn in _turns:
        turn.wanted = turn.wanted and thing is not None and turn.thing != thing.session_uid
    _turns[:] = [turn for turn in _turns if turn.wanted or turn.steps]


def checked(scene: bpy.types.Scene, thing: bpy.types.Object) -> Checked | None:
    """What is known of an object as it is now."""
    known = _known.get(thing.session_uid)
    return known if known and known.place == _place(scene, thing) else None


def register() -> None:
    """Watch for meshes that change."""
    handlers = bpy.app.handlers
    handlers.depsgraph_update_post.append(_forget_changed)
    for each in (handlers.undo_post, handlers.redo_post, handlers.load_post):
        each.append(_forget_all)


def unregister() -> None:
    """Watch no more."""
    handlers = bpy.app.handlers
    handlers.depsgraph_update_post.remove(_forget_changed)
    for each in (handlers.undo_post, handlers.redo_post, handlers.load_post):
        each.remove(_forget_all)
    if bpy.app.timers.is_registered(_tick):
        bpy.app.timers.unregister(_tick)
    _forget_all()


def _place(scene: bpy.types.Scene, thing: bpy.types.Object) -> Place:
    return (metre(scene), *(round(value, 6) for row in thing.matrix_world.to_3x3() for value in row))


def _is_whole(shape: Shape) -> bool:
    return len(shape.triangles) > 0 and bool(np.isfinite(shape.vertices).all())


def _tick() -> float | None:
    """Go on with the first turn; the next one begins when it has ended, whether it is still wanted or not."""
    if _turns and _has_ended(turn := _turns[0]):
        _turns.remove(turn)
    return TICK_SECONDS if _turns else None


def _has_ended(turn: _Turn) -> bool:
    """Do the next step of a turn; returns whether it was the last one."""
    try:
        if turn.steps is None:
            turn.steps = _begun(turn)
        next(turn.steps)
    except StopIteration as end:
        if turn.wanted:
            _known[turn.thing] = end.value
            turn.done("")
    except AddonError as error:
        if turn.wanted:
            turn.done(str(error))
    except Exception:  # else Blender would drop the timer, and other checks with it
        log.exception("a mesh could not be measured")
        if turn.wanted:
            turn.done("The mesh could not be measured. Blender's console says why.")
    else:
        return False
    return True


def _begun(turn: _Turn) -> Steps[Checked]:
    """The steps of a turn after the first one, which has read the mesh as it is now."""
    scene, thing = held(bpy.data.scenes, turn.scene), held(bpy.data.objects, turn.thing)
    if scene is None or thing is None:
        raise AddonError("The mesh was removed before it was measured.", "Undo that, or choose another one.")
    with in_window_of(scene):
        steps = _measured(bpy.context, thing, turn.wall)
        next(steps)
    return steps


@persistent
def _forget_changed(_scene: bpy.types.Scene, graph: bpy.types.Depsgraph) -> None:
    if not (_known or _turns):
        return
    for update in graph.updates:
        if update.is_updated_geometry and isinstance(update.id, bpy.types.Object):
            uid = update.id.original.session_uid
            _known.pop(uid, None)
            if _turns and _turns[0].thing == uid and _turns[0].steps:
                _turns[0].wanted = False  # those that wait are measured as they are then


@persistent
def _forget_all(*_: object) -> None:
    _known.clear()
    cancel()

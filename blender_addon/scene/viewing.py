# SPDX-License-Identifier: GPL-3.0-or-later
"""The viewport that a click came from shows what came of it.

Until then it is remembered by a number: Blender's data come and go.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import bpy
import numpy as np
from mathutils import Vector

from .landing import recipe_of
from .placing import Boxes, box_around

DISTANCE, CLIP_NEAR, CLIP_FAR = 3.0, 0.01, 20.0  # of the eye and of what it sees, in sizes of what is framed
CLOSE = 2.5  # the same distance, if nothing more is to come beside it; a sidebar may cover some of the view
PLAIN_COLOURS = {"MATERIAL", "OBJECT"}  # what solid shading may show in place of a texture that nobody has chosen


@dataclass(frozen=True)
class Viewport:
    """A viewport in a window, to be used at once and not kept."""

    window: bpy.types.Window
    area: bpy.types.Area

    @property
    def space(self) -> Any:  # noqa: ANN401 - a space that the stubs know by its general type alone
        """What the viewport is set to."""
        return self.area.spaces.active

    @property
    def eye(self) -> Sequence[float] | None:
        """Where it is looked from, in the scene; None if that is far away, as without perspective."""
        view = self.space.region_3d
        return None if view.view_perspective == "ORTHO" else tuple(view.view_matrix.inverted().translation)


def number_of(context: bpy.types.Context) -> int:
    """The number of the viewport that a click means: its own, else the largest of its window; 0 for none."""
    area = context.area
    if area is None or area.type != "VIEW_3D":
        areas = context.screen.areas if context.screen else ()
        viewports = [other for other in areas if other.type == "VIEW_3D"]
        area = max(viewports, key=lambda other: other.width * other.height, default=None)
    return area.as_pointer() if area else 0


def viewport(number: int, scene: bpy.types.Scene) -> Viewport | None:
    """The viewport of that number if it shows the scene now."""
    for window in bpy.context.window_manager.windows:
        for area in window.screen.areas if window.scene == scene else ():
            if area.as_pointer() == number and area.type == "VIEW_3D":
                return Viewport(window, area)
    return None


def show(shown: Viewport, added: Sequence[bpy.types.Object], around: Boxes | None = None) -> None:
    """Let objects be seen in a viewport, but those whose collection is hidden.

    The first ones in a scene are framed, with the box `around` that others will fill, and their colours are shown; from
    then on the view is the artist's.
    """
    things = [thing for thing in added if thing.visible_get(view_layer=shown.window.view_layer)]
    if shown.space.local_view:
        for thing in things:
            thing.local_view_set(shown.space, state=True)
    others = set(shown.window.scene.objects).difference(added)
    if things and not any(recipe_of(other) for other in others):
        _show_colours(shown.space.shading)
        _frame(shown.space, [thing for thing in things if any(thing.dimensions)], around)


def look_through(shown: Viewport, camera: bpy.types.Object) -> None:
    """Look through a camera in a viewport; the scene keeps its own."""
    shown.space.use_local_camera, shown.space.camera = True, camera
    shown.space.region_3d.view_perspective = "CAMERA"


def leave_camera(shown: Viewport) -> None:
    """Look freely again, from where the camera stands; the scene's own camera is the viewport's."""
    shown.space.region_3d.view_perspective = "PERSP"
    shown.space.use_local_camera = False


def _show_colours(shading: bpy.types.View3DShading) -> None:
    """Show pictures in solid shading, if nobody has chosen what it shows."""
    if shading.type == "SOLID" and shading.color_type in PLAIN_COLOURS:
        shading.color_type = "TEXTURE"


def _frame(space: Any, things: Sequence[bpy.types.Object], around: Boxes | None) -> None:  # noqa: ANN401 - see above
    """Bring objects, and a box if there is one, to the middle of a view, from the side that it is seen from.

    One through a camera stays as it is.
    Blender's own operator comes so close that the next result would stand outside.
    """
    view = space.region_3d
    if things and view.view_perspective != "CAMERA":
        corners = [thing.matrix_world @ Vector(corner) for thing in things for corner in thing.bound_box]
        box = box_around([*corners, *(() if around is None else around)])
        size = float(np.ptp(box, axis=0).max())
        view.view_location = box.mean(axis=0)
        view.view_distance = size * (DISTANCE if around is None else CLOSE)
        space.clip_start = min(space.clip_start, CLIP_NEAR * size)
        space.clip_end = max(space.clip_end, CLIP_FAR * size)

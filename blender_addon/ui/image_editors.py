# SPDX-License-Identifier: GPL-3.0-or-later
"""Image Editors: showing an image in one, and putting back what was there."""

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

import bpy

from ..link import runtime
from ..scene.held import held, uid_of

EDITOR = "IMAGE_EDITOR"


@dataclass(frozen=True)
class Shown:
    """An Image Editor that was given an image to show.

    area: its number. was: what kind of editor it was; empty if an Image Editor. showed: the session UID of the
    image that it showed, 0 for none; None if it was the same.
    """

    area: int
    was: str = ""
    showed: int | None = None

    def put_back(self, area: bpy.types.Area, *, image: bool) -> None:
        """Let the editor be what it was and, if `image`, show what it showed."""
        if area.ui_type == EDITOR and image and self.showed is not None:
            area.spaces.active.image = held(bpy.data.images, self.showed)
        if area.ui_type == EDITOR and self.was:
            area.ui_type = self.was


def show(context: bpy.types.Context, image: bpy.types.Image) -> tuple[bpy.types.Area, Shown]:
    """Show an image in the Image Editor that was clicked in, else in one that shows it, else in any.

    If there is none, an editor becomes one.
    """
    areas = [area for area in context.screen.areas if area.ui_type == EDITOR]
    areas.sort(key=lambda area: (area != context.area, area.spaces.active.image != image))
    was = ""
    if areas:
        area = areas[0]
        if area.spaces.active.image == image:
            return area, Shown(area.as_pointer())
    else:
        area = context.area
        if area is None or area.type not in runtime.PANEL_AREAS:  # a search may begin it anywhere
            area = max(context.screen.areas, key=lambda area: area.width * area.height)
        was = area.ui_type
        area.ui_type = EDITOR
    before = area.spaces.active.image
    area.spaces.active.image = image
    bpy.app.timers.register(partial(_fit, area.as_pointer()), first_interval=0.05)
    return area, Shown(area.as_pointer(), was, uid_of(before))


@contextmanager
def borrowed(context: bpy.types.Context) -> Generator[None]:
    """Run operators as in an Image Editor, which shows afterwards what it showed; an editor is one meanwhile."""
    areas = [area for area in context.screen.areas if area.ui_type == EDITOR]
    area = next(iter(areas), context.area or context.screen.areas[0])
    was, area.ui_type = area.ui_type, EDITOR
    before = area.spaces.active.image
    try:
        with context.temp_override(area=area, region=canvas(area)):
            yield
    finally:
        area.spaces.active.image = before
        area.ui_type = was


def show_instead(former: bpy.types.Image, image: bpy.types.Image) -> None:
    """Let Image Editors that show one image show another one."""
    for space in (space for screen in bpy.data.screens for area in screen.areas for space in area.spaces):
        if space.type == EDITOR and space.image == former:
            space.image = image


def canvas(area: bpy.types.Area) -> bpy.types.Region:
    """The region of an editor that shows the image."""
    return next(region for region in area.regions if region.type == "WINDOW")


def _fit(pointer: int) -> None:
    """Let an editor show all of its image, once it has been drawn."""
    for window in bpy.context.window_manager.windows:
        for area in window.screen.areas:
            if area.as_pointer() == pointer and area.ui_type == EDITOR:
                with bpy.context.temp_override(window=window, area=area, region=canvas(area)):
                    bpy.ops.image.view_all(fit_view=True)

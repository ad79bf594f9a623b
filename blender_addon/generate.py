# SPDX-License-Identifier: GPL-3.0-or-later
"""From a click, or a line of a script, to a job: what is asked for, of which picture, and where its mesh lands."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import bpy

from ..backend.wire.messages import EngineInfo, Generate, Result, Scalar
from . import runtime
from .errors import AddonError
from .pictures import lasting_image, pixels_of
from .scene import add_result
from .session import Job, JobState


@dataclass(frozen=True)
class Order:
    """What to make. `settings` are for the engine; those that it does not have are left out."""

    picture: bpy.types.Image
    engine: str
    seed: int
    settings: dict[str, Scalar] = field(default_factory=dict[str, Scalar])
    normal_map: bpy.types.Image | None = None


def active_picture(context: bpy.types.Context) -> bpy.types.Image | None:
    """The picture that a click means: the one of the Image Editor that was clicked in, else the panel's.

    Where the panel has none, an Image Editor in the same window helps out.
    """
    space = context.space_data
    if isinstance(space, bpy.types.SpaceImageEditor) and space.image:
        return space.image
    if context.scene.hi3dgen.picture:
        return context.scene.hi3dgen.picture
    areas = context.screen.areas if context.screen else ()
    shown = (area.spaces.active.image for area in areas if area.type == "IMAGE_EDITOR")
    return next((image for image in shown if image), None)


def load_picture(path: str) -> bpy.types.Image:
    """The picture of a file, loaded where it is not yet. Raises `AddonError`."""
    absolute = bpy.path.abspath(path)
    if not Path(absolute).is_file():
        raise AddonError(f"There is no file “{path}”.", "Check the path.")
    try:
        image = bpy.data.images.load(absolute, check_existing=True)
    except RuntimeError as error:
        raise AddonError(f"“{path}” cannot be read as a picture.", "Save it again as PNG or JPEG.") from error
    return image


def submit(scene: bpy.types.Scene, order: Order) -> Job:
    """Queue the job; its mesh lands in `scene` at where the 3D cursor is now. Raises `AddonError`."""
    session = runtime.session()
    engine = session.engine(order.engine)
    if engine and engine.missing:
        raise AddonError(f"The engine “{engine.label}” cannot run here.", engine.missing)
    picture = pixels_of(order.picture)
    normal_map = pixels_of(order.normal_map) if order.normal_map else None
    settings = _known(engine, order.settings)
    request = Generate(session.next_name(), order.engine, order.seed, picture, settings, normal_map)

    # Names and numbers alone: undo and other files replace bpy's data while the job runs.
    scene_name, image_name = scene.name, order.picture.name
    title = Path(image_name).stem
    place = tuple(scene.cursor.location)

    def land(result: Result) -> None:
        target = bpy.data.scenes.get(scene_name) or bpy.context.scene
        add_result(target, title, lasting_image(image_name, picture), place, result)
        if runtime.has_window():
            with bpy.context.temp_override(window=bpy.context.window_manager.windows[0]):
                bpy.ops.ed.undo_push(message=f"Generate {title}")

    job = session.submit(title, request, land)
    runtime.keep_ticking()
    return job


def wait(job: Job, watch: Callable[[Job], None] = lambda _: None) -> None:
    """Wait for a job's end where there is no window. Raises `AddonError` where there is no mesh."""
    session = runtime.session()
    if not runtime.can_land():
        session.cancel(job)
        raise AddonError("A mesh can only be made in Object Mode.", "Leave the current mode first.")
    session.wait(job, watch)
    if job.state is not JobState.DONE:
        session.cancel(job)
        cancelled = AddonError("The job was cancelled.", "Generate again whenever you like.")
        raise job.error or session.error or cancelled


def _known(engine: EngineInfo | None, settings: dict[str, Scalar]) -> dict[str, Scalar]:
    """The settings that the engine has; all of them while nothing is known of it."""
    names = {setting.name for setting in engine.settings} if engine else set(settings)
    return {name: value for name, value in settings.items() if name in names}

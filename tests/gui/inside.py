# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs inside the Blender that is tested: answers questions about it, on the main thread, from a timer.

A question is a line of Python on the socket that HI3DGEN_GUI_SOCKET names, its answer a line of JSON. A question waits
for two turns of Blender's main loop, so that what the mouse and the keyboard did before it has arrived.
"""

import ctypes
import itertools
import json
import os
import signal
import socket
import sys
import traceback
from collections.abc import Callable, Iterator
from typing import Any

import addon_utils
import bpy
from mathutils import Vector

MODULE = "bl_ext.user_default.hi3dgen"
TURN_SECONDS = 0.01


def session() -> Any:
    """The extension's session; None while it is disabled."""
    module = sys.modules.get(f"{MODULE}.blender_addon.link.runtime")
    return module.session() if module and hasattr(bpy.types.Scene, "hi3dgen") else None


def saved_jobs() -> list[Any]:
    """The jobs of many pictures that are on the disk."""
    return sys.modules[f"{MODULE}.blender_addon.link.runtime"].saved_jobs().all(anew=True)


def job_state() -> str:
    """The state of the last job, empty if there is none."""
    jobs = session().jobs
    return jobs[-1].state.name if jobs else ""


def error() -> list[str] | None:
    """The panel's error: its sentence and its advice."""
    shown = session().error
    return [shown.sentence, shown.advice] if shown else None


def log() -> list[str]:
    """The end of the backend's log."""
    return sys.modules[f"{MODULE}.blender_addon.ui.operators"]._log_lines()


def setup() -> Any:
    """The extension's setup of the engine."""
    return sys.modules[f"{MODULE}.blender_addon.link.setup_timer"].setup()


def show_preferences() -> None:
    """Let an area that shows the preferences show the extension's."""
    addon_utils.modules(refresh=False)
    info = addon_utils.module_bl_info(addon_utils.addons_fake_modules[MODULE])
    info["show_expanded"] = True
    bpy.context.preferences.active_section = "ADDONS"
    bpy.context.window_manager.addon_search = info["name"]
    redraw()


def area(kind: str) -> bpy.types.Area:
    """The first area of a kind of editor."""
    return next(area for area in bpy.context.window_manager.windows[0].screen.areas if area.type == kind)


def region(kind: str, region_kind: str = "UI") -> bpy.types.Region:
    """A region of that area, its sidebar if not told otherwise."""
    return next(region for region in area(kind).regions if region.type == region_kind)


def box(kind: str, region_kind: str = "UI") -> list[int]:
    """Left, top, width and height of a region, in pixels of the screen from its top left corner."""
    found = region(kind, region_kind)
    return [found.x, bpy.context.window_manager.windows[0].height - found.y - found.height, found.width, found.height]


def show_tab(kind: str, category: str = "Hi3DGen") -> bool:
    """Open the sidebar at a tab; false if it has to be asked again, after a redraw."""
    area(kind).spaces.active.show_region_ui = True
    area(kind).tag_redraw()
    sidebar = region(kind)
    if sidebar.width <= 1 or sidebar.active_panel_category == "UNSUPPORTED":
        return False
    sidebar.active_panel_category = category
    return sidebar.active_panel_category == category


def hovered(kind: str) -> str:
    """What the button under the mouse stands for: an operator's call, a property's path, or empty."""
    manager = bpy.context.window_manager
    with bpy.context.temp_override(window=manager.windows[0], area=area(kind), region=region(kind)):
        for copy in (bpy.ops.ui.copy_python_command_button, bpy.ops.ui.copy_data_path_button):
            if copy.poll():  # pyright: ignore[reportCallIssue] - its stub is that of the class
                manager.clipboard = ""
                copy()
                return manager.clipboard
    return ""


def drawing() -> Any:
    """The cut-out that is being drawn; None if none is."""
    return sys.modules[f"{MODULE}.blender_addon.cutout.overlay"].shown()


def is_answered() -> bool:
    """Whether the engine has answered all strokes of the cut-out that is being drawn, be it that it finds nothing."""
    found = drawing()
    return found is not None and found.current is None and (found.answered or found.error is not None)


def shown() -> str | None:
    """The name of the image that the Image Editor shows."""
    image = area("IMAGE_EDITOR").spaces.active.image
    return image and image.name


def meant() -> str:
    """The name of the picture that a click in the Image Editor means."""
    with bpy.context.temp_override(window=bpy.context.window_manager.windows[0], area=area("IMAGE_EDITOR")):
        return sys.modules[f"{MODULE}.blender_addon.scene.active"].meant(bpy.context).image.name


def covered(left: float, top: float, right: float, bottom: float) -> float:
    """How much of a part of the picture, in shares of its sides, the drawn cut-out keeps."""
    mask = drawing().mask
    height, width = mask.shape
    part = mask[int(top * height) : int(bottom * height), int(left * width) : int(right * width)]
    return float((part > 127).mean())


def place(x: float, y: float) -> list[int]:
    """Where a point of the Image Editor's picture, in shares of its sides from the top left, is on the screen."""
    canvas = region("IMAGE_EDITOR", "WINDOW")
    found = canvas.view2d.view_to_region(x, 1.0 - y, clip=False)
    return [canvas.x + found[0], bpy.context.window_manager.windows[0].height - canvas.y - found[1]]


def redraw() -> None:
    """Let every editor draw itself."""
    for found in bpy.context.window_manager.windows[0].screen.areas:
        found.tag_redraw()


def rest() -> None:
    """End what runs, forget what failed and what could be gone on with, and begin a new file."""
    found = session()
    for job in found.jobs:
        found.cancel(job)
    for saved in saved_jobs():
        saved.forget()
    found.jobs.clear()
    found.try_again()
    found.deaths, found.error = 0, None
    bpy.ops.wm.read_homefile()
    bpy.context.scene.hi3dgen_draft.colours = "front"  # those of all sides take longer than all the rest
    diary.__init__()


def use(path: str, resolution: int) -> None:
    """Choose a file as the panel's picture, at about a resolution: a new one each time, so that nothing is cached."""
    bpy.context.scene.hi3dgen.picture = bpy.data.images.load(path, check_existing=True)
    bpy.context.scene.hi3dgen_draft.resolution = resolution - next(used)
    push("Choose Picture")
    redraw()  # the panel's button is not grey any more


def all_round() -> None:
    """Let meshes of this file have colours all round, as they have for an artist."""
    bpy.context.scene.hi3dgen_draft.colours = "all_round"


def push(step: str) -> None:
    """Make what was done an undo step."""
    with bpy.context.temp_override(window=bpy.context.window_manager.windows[0]):
        bpy.ops.ed.undo_push(message=step)


def facts() -> dict[str, Any]:
    """What is in the file, and what the artist was doing."""
    active = bpy.context.window_manager.windows[0].view_layer.objects.active
    return {
        "objects": {thing.name: list(thing.location) for thing in bpy.context.scene.objects},
        "active": active and [active.name, active.mode],
        "data": {
            kind: sorted(getattr(bpy.data, kind).keys()) for kind in ("meshes", "materials", "images", "collections")
        },
    }


def freeze() -> None:
    """Stop the backend at once."""
    os.kill(session().pid, signal.SIGSTOP)


def thaw() -> None:
    """Let the backend go on."""
    os.kill(session().pid, signal.SIGCONT)


def render_slowly(path: str) -> None:
    """Render an animation of some seconds, as the menu does."""
    scene = bpy.context.scene
    scene.render.engine = "CYCLES"
    scene.cycles.use_denoising = False
    scene.cycles.samples = 32
    scene.render.resolution_x, scene.render.resolution_y = 480, 270
    scene.frame_end, scene.render.filepath = 3, path
    with bpy.context.temp_override(window=bpy.context.window_manager.windows[0]):
        bpy.ops.render.render("INVOKE_DEFAULT", animation=True)


def split() -> None:
    """Make the left half of the viewport an Image Editor."""
    with bpy.context.temp_override(window=bpy.context.window_manager.windows[0], area=area("VIEW_3D")):
        bpy.ops.screen.area_split(direction="VERTICAL", factor=0.5)
    area("VIEW_3D").type = "IMAGE_EDITOR"


def reports() -> list[str]:
    """What the Info editor lists, oldest first."""
    found = area("DOPESHEET_EDITOR")
    manager = bpy.context.window_manager
    manager.clipboard, found.type = "", "INFO"
    with bpy.context.temp_override(window=manager.windows[0], area=found, region=region("INFO", "WINDOW")):
        bpy.ops.info.select_all(action="SELECT")
        bpy.ops.info.report_copy()
    found.type = "DOPESHEET_EDITOR"
    return [str(line) for line in manager.clipboard.splitlines()]


def listen() -> None:
    """Keep which sentences the panel is drawn with: `diary.said`."""
    panel = sys.modules[f"{MODULE}.blender_addon.ui.panel"]
    draw, draw_lines = panel.draw_sentence, panel.draw_lines

    def kept(layout: bpy.types.UILayout, sentence: str, icon: str) -> None:
        sentences.append(sentence)
        draw(layout, sentence, icon)

    def kept_lines(layout: bpy.types.UILayout, lines: list[str], icon: str) -> None:
        sentences.append(" ".join(lines))
        draw_lines(layout, lines, icon)

    panel.draw_sentence, panel.draw_lines = kept, kept_lines


def view() -> list[Any]:
    """What the viewport is looked at from, and how."""
    space = area("VIEW_3D").spaces.active
    shading = space.shading
    return [[[*row] for row in space.region_3d.view_matrix], shading.type, shading.color_type]


def bounds(name: str) -> list[list[float]]:
    """The lowest and the highest corner of the box around an object."""
    thing = bpy.data.objects[name]
    corners = [thing.matrix_world @ Vector(corner) for corner in thing.bound_box]
    return [[pick(axis) for axis in zip(*corners, strict=True)] for pick in (min, max)]


def undo_steps() -> None:
    """Print the undo stack to the console."""
    bpy.context.window_manager.print_undo_steps()
    ctypes.CDLL(None).fflush(None)


class Diary:
    """What happened while nobody asked."""

    def __init__(self) -> None:
        self.shown: list[list[Any]] = []  # every progress that the sidebar was drawn with
        self.said: list[str] = []  # the sentences that the sidebar was drawn with last
        self.turns = 0  # of Blender's main loop
        self.stop_at = ""  # the stage at which the backend is to be frozen
        self.stop_with = 0  # the picture of a folder's job, by its number, with which it is to be frozen

    def turn(self) -> None:
        """Freeze the backend when it has come to the stage `stop_at`, or to the picture `stop_with`."""
        self.turns += 1
        running = session() and session().running
        is_there = running and running.progress and running.progress.stage == self.stop_at
        if is_there or (running and self.stop_with and getattr(running, "at", 0) == self.stop_with):
            freeze()
            self.stop_at, self.stop_with = "", 0

    def drawn(self) -> None:
        """The sidebar was drawn."""
        self.said = sentences[:]
        sentences.clear()
        running = session() and session().running
        if running and running.progress:
            progress = running.progress
            self.shown.append([progress.label, progress.step, progress.of])


diary = Diary()
sentences: list[str] = []
used = itertools.count()


def _questions(listener: socket.socket) -> Iterator[tuple[str, Callable[[str], None]] | None]:
    """Every question with the function that answers it; None while there is none."""
    connection, _ = listener.accept()
    connection.settimeout(0.0)
    received = b""
    while True:
        try:
            received += connection.recv(65536)
        except BlockingIOError:
            yield None
            continue
        while b"\n" in received:
            line, _, received = received.partition(b"\n")
            yield json.loads(line), lambda answer: connection.sendall(answer.encode() + b"\n")


def _answer(question: str) -> str:
    try:
        try:
            return json.dumps({"value": eval(question, globals())}, default=str)  # noqa: S307 - the tests ask
        except SyntaxError:
            exec(question, globals())  # noqa: S102
            return json.dumps({"value": None})
    except Exception:  # noqa: BLE001 - the test shows it
        return json.dumps({"error": traceback.format_exc()})


def main() -> None:
    """Listen, and let Blender know nothing else of it."""
    bpy.context.preferences.view.show_splash = False
    bpy.context.preferences.view.use_save_prompt = False
    bpy.context.preferences.system.viewport_aa = "OFF"  # in software, each of its samples draws all again
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(os.environ["HI3DGEN_GUI_SOCKET"])
    listener.listen()
    questions = _questions(listener)
    waiting: list[tuple[int, str, Callable[[str], None]]] = []

    def turn() -> float:
        diary.turn()
        asked = next(questions)
        if asked:
            waiting.append((diary.turns + 2, *asked))
        if waiting and waiting[0][0] <= diary.turns:
            _, question, reply = waiting.pop(0)
            reply(_answer(question))
        return TURN_SECONDS

    for space in (bpy.types.SpaceView3D, bpy.types.SpaceImageEditor):
        space.draw_handler_add(diary.drawn, (), "UI", "POST_PIXEL")
    bpy.app.timers.register(turn, persistent=True)


main()

# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes the pictures of docs/guide.md: a real Blender window on a virtual screen, driven through the guide's steps.

`python scripts/guide_pictures.py BLENDER [FOLDER]` starts Blender with this same file inside, which does what the guide
says and takes the pictures. Xvfb and ImageMagick's `import` are on the PATH; if BLENDER lives in a chroot, the command
`run` beside it runs them in there. The checkout itself is the extension, in a user folder of its own.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[1]
MODULE = "bl_ext.user_default.hi3dgen"
WIDTH, HEIGHT = 1200, 750
QUALITY = "80"
TURN_SECONDS = 0.3
RESOLUTION = 384  # quick, and enough for a small picture
VIEW = (0.80, 0.58, 0.09, 0.12)  # a quaternion: from the front, a little from the right and above
SHAPES, SHAPES_SEED, SHAPE_COUNT, SHAPE_SIDE = "shapes", 50, 12, 160  # side in pixels
STROKES = (  # over examples/owl-studio.png, in shares of its sides from the bottom left, and with which button
    (((0.44, 0.70), (0.47, 0.60), (0.50, 0.50), (0.52, 0.40), (0.54, 0.30)), "LEFTMOUSE"),
    (((0.08, 0.90), (0.08, 0.65), (0.08, 0.40), (0.08, 0.15)), "RIGHTMOUSE"),
)


def main() -> None:
    """Start the screen and Blender, and wait for its end."""
    from own_folders import own_folders  # noqa: PLC0415  inside Blender this folder is on no path

    blender = shutil.which(sys.argv[1])
    if blender is None:
        sys.exit(f"There is no command “{sys.argv[1]}”.")
    folder = Path(sys.argv[2] if len(sys.argv) > 2 else ROOT / "docs" / "images").resolve()
    run = Path(blender).with_name("run")
    within = [str(run)] if run.exists() else []
    with tempfile.TemporaryDirectory() as resources, tempfile.TemporaryFile("w+") as number:
        draw_shapes(Path(resources, SHAPES))
        extensions = Path(resources, "extensions", "user_default")
        extensions.mkdir(parents=True)
        (extensions / "hi3dgen").symlink_to(ROOT, target_is_directory=True)
        size = f"{WIDTH}x{HEIGHT}x24"
        screen = subprocess.Popen(
            [*within, "Xvfb", "-displayfd", "1", "-screen", "0", size, "-nolisten", "tcp"], stdout=number
        )
        try:
            while not os.fstat(number.fileno()).st_size:
                time.sleep(0.05)
            number.seek(0)
            surroundings = {"DISPLAY": f":{number.readline().strip()}", **own_folders(Path(resources))}
            window = ["--window-geometry", "0", "0", str(WIDTH), str(HEIGHT), "--enable-event-simulate"]
            inside = ["--addons", MODULE, "--python-exit-code", "1", "--python", __file__, "--", resources, str(folder)]
            command = [blender, "--factory-startup", *window, *inside]
            subprocess.run(command, env=os.environ | surroundings, check=True, timeout=900)
        finally:
            screen.terminate()
            screen.wait()


def draw_shapes(folder: Path) -> None:
    """Draw a folder of pictures of made-up shapes."""
    sys.path.insert(0, str(ROOT))
    from PIL import Image  # noqa: PLC0415  not inside Blender

    from backend.training.shapes import sample_block  # noqa: PLC0415

    folder.mkdir()
    for number in range(SHAPE_COUNT):
        block = sample_block(SHAPES_SEED, number, SHAPE_SIDE, pictures=1)
        Image.fromarray(block.rgba[0]).save(folder / f"shape {number + 1}.png")


@dataclass
class Window:
    """Blender's window, seen from inside. shapes: a folder of pictures. folder: for those that are taken."""

    shapes: Path
    folder: Path

    def __post_init__(self) -> None:
        import bpy  # noqa: PLC0415  only inside Blender

        self.bpy: Any = bpy
        self.window: Any = bpy.context.window_manager.windows[0]
        self.scene: Any = bpy.context.scene

    def module(self, name: str) -> Any:  # noqa: ANN401
        """A module of the extension."""
        return sys.modules[f"{MODULE}.blender_addon.{name}"]

    def area(self, kind: str) -> Any:  # noqa: ANN401
        """The first editor of a kind."""
        return next(area for area in self.window.screen.areas if area.type == kind)

    def region(self, kind: str, part: str = "WINDOW") -> Any:  # noqa: ANN401
        """A region of that editor."""
        return next(region for region in self.area(kind).regions if region.type == part)

    def within(self, kind: str) -> Any:  # noqa: ANN401
        """Run operators as in that editor."""
        return self.bpy.context.temp_override(window=self.window, area=self.area(kind), region=self.region(kind))

    def open_tab(self, kind: str) -> Iterator[None]:
        """Open the extension's tab in that editor's sidebar."""
        self.area(kind).spaces.active.show_region_ui = True
        yield from turns(4)
        while self.region(kind, "UI").active_panel_category != "Hi3DGen":
            self.region(kind, "UI").active_panel_category = "Hi3DGen"
            yield

    def choose(self, name: str) -> None:
        """Make one of the examples the panel's picture, with nothing selected that would come before it."""
        self.scene.hi3dgen.picture = self.bpy.data.images.load(str(ROOT / "examples" / name), check_existing=True)
        self.bpy.ops.object.select_all(action="DESELECT")

    def wait(self) -> Iterator[None]:
        """Wait until all jobs have ended."""
        session = self.module("link.runtime").session()
        while any(job.live for job in session.jobs):
            yield
        if session.error:
            raise session.error

    def generate(self, **arguments: int) -> Iterator[None]:
        """Press Generate, and wait for the meshes."""
        with self.within("VIEW_3D"):
            self.bpy.ops.hi3dgen.generate(**arguments)
        yield from self.wait()

    def look_at_all(self) -> None:
        """Let the viewport show all objects."""
        with self.within("VIEW_3D"):
            self.bpy.ops.view3d.view_all()

    def meshes(self) -> list[Any]:
        """What was generated."""
        return [thing for thing in self.scene.objects if "hi3dgen" in thing]

    def point(self, kind: str, place: tuple[float, float], event: str, value: str) -> None:
        """Let the mouse do something at a place of the image that the editor shows, in shares of its sides."""
        region = self.region(kind)
        x, y = region.view2d.view_to_region(*place, clip=False)
        self.window.event_simulate(type=event, value=value, x=region.x + x, y=region.y + y)

    def shoot(self, name: str) -> Iterator[None]:
        """Take a picture of the whole window."""
        for area in self.window.screen.areas:
            area.tag_redraw()
        yield from turns(4)
        command = ["import", "-window", "root", "-quality", QUALITY, str(self.folder / f"guide_{name}.jpg")]
        subprocess.run(command, check=True)


def turns(count: int) -> Iterator[None]:
    """Give Blender some turns of its main loop."""
    yield from (None for _ in range(count))


def guide(window: Window) -> Iterator[None]:
    """Go through the guide, and give Blender a turn wherever it needs one."""
    window.bpy.data.batch_remove(window.bpy.data.objects)  # the cube, the camera and the light
    while not window.module("link.engines").known():
        yield
    window.scene.hi3dgen_draft.resolution = RESOLUTION
    window.area("VIEW_3D").spaces.active.region_3d.view_rotation = VIEW
    yield from window.open_tab("VIEW_3D")
    yield from whole_folder(window)
    yield from meshes(window)
    yield from cut_out(window)
    yield from normal_map(window)


def meshes(window: Window) -> Iterator[None]:
    """From the first picture to the meshes of several seeds."""
    window.choose("owl.png")
    with window.within("VIEW_3D"):
        window.bpy.ops.hi3dgen.preview_cutout()
    yield from window.wait()
    yield from window.shoot("picture")

    yield from window.generate(seed=0)
    yield from window.shoot("mesh")

    window.choose("owl.png")
    yield from window.generate(seed=1, count=3)
    window.look_at_all()
    yield from window.shoot("seeds")

    for thing, shows in zip(window.meshes(), ("ALL_ROUND", "NORMAL_MAP", "CLAY", "ALL_ROUND"), strict=True):
        thing.active_material.hi3dgen_shows = shows
    yield from window.shoot("materials")


def whole_folder(window: Window) -> Iterator[None]:
    """A folder's job on its way, and all that has come of it."""
    with window.within("VIEW_3D"):
        window.bpy.ops.hi3dgen.generate_folder(directory=str(window.shapes))
    series = window.module("link.runtime").session().jobs[-1]
    while not series.landed:
        yield
    window.bpy.ops.object.select_all(action="DESELECT")
    window.bpy.context.view_layer.objects.active = None  # the panel is short: all of the job is in sight
    while series.at < SHAPE_COUNT // 2 or not (series.preview and series.progress and series.seconds_left):
        yield
    window.look_at_all()
    yield from window.shoot("folder")
    yield from window.wait()
    window.look_at_all()
    yield from window.shoot("grid")
    window.bpy.data.batch_remove(window.meshes())


def cut_out(window: Window) -> Iterator[None]:
    """Draw a cut-out over the picture with a background."""
    window.choose("owl-studio.png")
    with window.within("VIEW_3D"):
        window.bpy.ops.hi3dgen.draw_cutout("INVOKE_DEFAULT")
    yield from turns(6)
    for places, event in STROKES:
        window.point("IMAGE_EDITOR", places[0], "MOUSEMOVE", "NOTHING")
        window.point("IMAGE_EDITOR", places[0], event, "PRESS")
        yield
        for place in places:
            window.point("IMAGE_EDITOR", place, "MOUSEMOVE", "NOTHING")
            yield
        window.point("IMAGE_EDITOR", places[-1], event, "RELEASE")
        yield
    drawing = window.module("cutout.overlay").shown()
    while not drawing.answered:
        yield
    yield from window.shoot("cutout")
    window.point("IMAGE_EDITOR", (0.5, 0.5), "RET", "PRESS")
    yield from turns(6)


def normal_map(window: Window) -> Iterator[None]:
    """Show the owl's normal map, ready to be painted on, beside its mesh."""
    window.choose("owl.png")
    for thing in window.meshes()[1:]:
        window.bpy.data.objects.remove(thing)
    with window.within("VIEW_3D"):
        window.bpy.ops.screen.area_split(direction="VERTICAL", factor=0.5)
    yield from turns(2)
    window.area("VIEW_3D").type = "IMAGE_EDITOR"
    window.area("VIEW_3D").spaces.active.show_region_ui = False
    yield from turns(4)
    window.look_at_all()
    with window.within("VIEW_3D"):
        window.bpy.ops.hi3dgen.edit_normal_map()
    yield from turns(4)
    yield from window.shoot("normal_map")


def steps() -> None:
    """Inside Blender: do the guide's steps by a timer, then quit."""
    import bpy  # noqa: PLC0415

    bpy.context.preferences.view.show_splash = False
    bpy.context.preferences.system.use_region_overlap = False  # the sidebar lies on no mesh
    going = guide(Window(Path(sys.argv[-2], SHAPES), Path(sys.argv[-1])))

    def step() -> float | None:
        try:
            next(going)
        except StopIteration:
            bpy.ops.wm.quit_blender()
            return None
        except Exception:  # noqa: BLE001 - else Blender would drop the timer and stay
            traceback.print_exc()
            os._exit(1)
        return TURN_SECONDS

    bpy.app.timers.register(step, first_interval=1.0)


if __name__ == "__main__":
    steps() if "bpy" in sys.modules else main()

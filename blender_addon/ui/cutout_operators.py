# SPDX-License-Identifier: GPL-3.0-or-later
"""Draw Cut-out: strokes over the picture in an Image Editor, each answered by the engine, until Enter or Escape."""

import bpy

from ..cutout import drawing as drawings
from ..cutout import look, overlay
from ..cutout.drawing import Drawing
from ..cutout.request import can_give
from ..cutout.strokes import INPUT as STROKES
from ..cutout.strokes import Stroke
from ..errors import AddonError
from ..generate import active_picture
from ..language.words import joined, say, translated
from ..link import engines, runtime
from ..link.job import Job
from ..link.waiting import wait_for_job
from ..scene import masks
from ..scene.active import meant
from ..scene.held import held
from . import engine_settings, image_editors
from .image_editors import EDITOR, canvas
from .properties import chosen_engine

BRUSH_PIXELS = 4.0  # of the screen: half of a stroke's width
TIMER_SECONDS = 0.1
_BESIDE = ("HEADER", "TOOL_HEADER", "TOOLS", "UI")  # regions that lie over the picture
_DRAWN_WITH = ("LEFTMOUSE", "RIGHTMOUSE")


def why_not(context: bpy.types.Context) -> str:
    """Why no cut-out can be looked at now, as a sentence; empty if it can."""
    if active_picture(context) is None:
        return say("There is no picture")
    engine = chosen_engine(context.scene)
    if error := runtime.session().why_missing(engine.name) if engine else engines.why_unknown():
        return translated(str(error))
    if not can_give(engine):
        return say("The engine does not show its cut-out")
    return say("The cut-out is being drawn: Enter keeps it, Escape discards it") if overlay.shown() else ""


def why_not_drawn(context: bpy.types.Context) -> str:
    """Why no cut-out can be drawn now, as a sentence; empty if it can."""
    if not runtime.has_window():
        return say("There is no window to draw in")
    if why := why_not(context):
        return why
    picture, inputs = active_picture(context), chosen_engine(context.scene).inputs
    if why := masks.why_none(picture):
        return why
    if STROKES not in inputs:
        return say("The engine takes no strokes")
    if masks.mask_of(picture) and masks.INPUT not in inputs:
        return say("The engine does not take the picture's mask")
    return ""


class HI3DGEN_OT_preview_cutout(bpy.types.Operator):  # noqa: N801
    """Look at the picture as the engine will see it: cut out, before a mesh is made"""

    bl_idname = "hi3dgen.preview_cutout"
    bl_label = "Preview Cut-out"
    bl_options = set()

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Only if there is a picture and an engine that shows its cut-out."""
        why = why_not(context)
        cls.poll_message_set(why)
        return not why

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Ask the engine. The answer comes in the panel; without a window, wait for it and report its notes."""
        try:
            picture, frame = meant(context).image, meant(context).frame
            job = look_at(context.scene, picture, frame)
            if not runtime.has_window():
                wait_for_job(runtime.session(), job)
                if job.error:
                    raise job.error
                seen = last_look(context.scene, picture, frame)
                notes = seen.notes if seen and seen.notes else ("Nothing is doubtful about the cut-out.",)
                self.report({"INFO"}, translated(" ".join(notes)))
        except AddonError as error:
            self.report({"ERROR"}, translated(str(error)))
            return {"CANCELLED"}
        return {"FINISHED"}


def look_at(scene: bpy.types.Scene, picture: bpy.types.Image, frame: int = 0) -> Job:
    """Look at a picture, or a frame of it, as the panel's engine sees it. Raises `AddonError`."""
    engine = chosen_engine(scene)
    return look.look(picture, engine, engine_settings.settings_of(scene, engine), frame)


def last_look(scene: bpy.types.Scene, picture: bpy.types.Image, frame: int = 0) -> look.Look | None:
    """The last look at a picture, or a frame of it, if the panel's engine sees it so now."""
    engine = chosen_engine(scene)
    return look.last(picture, engine, engine_settings.settings_of(scene, engine), frame) if engine else None


class HI3DGEN_OT_draw_cutout(bpy.types.Operator):  # noqa: N801
    """Draw over the picture what is the object and what is not. A few strokes are enough"""

    bl_idname = "hi3dgen.draw_cutout"
    bl_label = "Draw Cut-out"
    bl_options = {"UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Only with a window and a picture, and one drawing at a time."""
        why = why_not_drawn(context)
        cls.poll_message_set(why)
        return not why

    def invoke(self, context: bpy.types.Context, _event: bpy.types.Event) -> set[str]:
        """Show the picture and begin."""
        picture = active_picture(context)
        engine = chosen_engine(context.scene)
        try:
            settings = engine_settings.settings_of(context.scene, engine)
            self._drawing: Drawing = drawings.begin(picture, engine.name, settings)
        except AddonError as error:
            self.report({"ERROR"}, translated(str(error)))
            return {"CANCELLED"}
        self._button = ""
        self._ends = False  # Enter was pressed, and an answer is on its way
        self._said = ""
        area, self._shown = image_editors.show(context, picture)
        window = context.window
        self._timer = context.window_manager.event_timer_add(TIMER_SECONDS, window=window)
        with context.temp_override(window=window, area=area, region=canvas(area)):
            context.window_manager.modal_handler_add(self)
        context.workspace.status_text_set(_draw_keys)
        overlay.show(self._drawing)
        runtime.redraw()
        return {"RUNNING_MODAL"}

    def modal(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Draw, take back, end; everything else is Blender's."""
        area = next((area for area in context.window.screen.areas if area.as_pointer() == self._shown.area), None)
        if area is None and any(
            area.as_pointer() == self._shown.area for screen in bpy.data.screens for area in screen.areas
        ):
            return {"PASS_THROUGH"}  # the artist looks at another workspace
        if area is None or area.ui_type != EDITOR or overlay.shown() is not self._drawing:
            return self._end(context, area, keeps=False)
        try:
            return self._tick(context, area) if event.type == "TIMER" else self._handle(context, area, event)
        except AddonError as error:
            self.report({"ERROR"}, translated(str(error)))
            return {"RUNNING_MODAL"}

    def cancel(self, context: bpy.types.Context) -> None:
        """Blender ends it: another file is opened, or Blender quits."""
        self._end(context, None, keeps=False)

    def _handle(self, context: bpy.types.Context, area: bpy.types.Area, event: bpy.types.Event) -> set[str]:
        """The keys that end it are heard wherever the mouse is; the rest is drawing, if the picture is seen."""
        drawing, pressed = self._drawing, event.value == "PRESS"
        is_seen = self._is_seen(area)
        if drawing.current is not None and is_seen:
            return self._go_on(area, event)
        drawing.current = None
        if event.type in ("RET", "NUMPAD_ENTER") and pressed:
            if not (drawing.answered or drawing.waits or drawing.error):
                drawing.ask()  # somebody has cancelled the last question
            self._ends = True
            return self._tick(context, area)
        if event.type == "ESC" and pressed:
            return self._end(context, area, keeps=False)
        if is_seen:
            return self._draw(context, area, event)
        context.window.cursor_modal_restore()
        return {"PASS_THROUGH"}

    def _go_on(self, area: bpy.types.Area, event: bpy.types.Event) -> set[str]:
        """Go on with the current stroke, or end it."""
        if event.type in ("MOUSEMOVE", "INBETWEEN_MOUSEMOVE"):
            self._drawing.current.points.append(self._place(area, event))
        elif event.type == self._button and event.value == "RELEASE":
            self._drawing.end_stroke()
        area.tag_redraw()
        return {"RUNNING_MODAL"}

    def _draw(self, context: bpy.types.Context, area: bpy.types.Area, event: bpy.types.Event) -> set[str]:
        """Begin a stroke, or take one back."""
        drawing, pressed = self._drawing, event.value == "PRESS"
        if event.type == "Z" and pressed and (event.ctrl or event.oskey):
            (drawing.redo if event.shift else drawing.undo)()
            self._ends = False
            area.tag_redraw()
            return {"RUNNING_MODAL"}
        over = _is_over_picture(area, event)
        context.window.cursor_modal_set("PAINT_CROSS") if over else context.window.cursor_modal_restore()
        if not over or event.type not in _DRAWN_WITH or event.alt or event.shift:
            return {"PASS_THROUGH"}
        if pressed:
            self._ends = False
            self._button = event.type
            keep = event.type == "LEFTMOUSE" and not event.ctrl
            radius = BRUSH_PIXELS * context.preferences.system.ui_scale / self._zoom(area)
            drawing.current = Stroke(keep, radius, [self._place(area, event)])
            area.tag_redraw()
        return {"RUNNING_MODAL"}

    def _tick(self, context: bpy.types.Context, area: bpy.types.Area) -> set[str]:
        """Say how far it is, and end if that was asked for and the answer is there."""
        drawing = self._drawing
        drawing.go_on_without_bad_mask()
        away = say("Choose “{name}” again to go on drawing over it", name=drawing.title)
        said = _said(drawing) if self._is_seen(area) else away
        if said != self._said:
            self._said = said
            area.header_text_set(said)
            area.tag_redraw()
        if self._ends and not drawing.waits:
            if drawing.answered:
                return self._end(context, area, keeps=True)
            self._ends = False
        return {"PASS_THROUGH"}

    def _end(self, context: bpy.types.Context, area: bpy.types.Area | None, *, keeps: bool) -> set[str]:
        """Put everything back, and make the answer the picture's mask if it is to be kept."""
        drawing = self._drawing
        drawing.forget_job()
        overlay.hide()
        context.window_manager.event_timer_remove(self._timer)
        _say_nothing()
        picture = held(bpy.data.images, drawing.picture)
        former = masks.mask_of(picture) if picture else None
        kept = masks.keep(picture, drawing.mask) if keeps and picture and drawing.mask is not None else None
        if area:
            self._restore(area)
        if former and kept:
            image_editors.show_instead(former, kept)
        runtime.redraw()
        if keeps and not kept:
            sentence = f"There is no image “{drawing.title}” any more, so its cut-out is not kept."
            self.report({"WARNING"}, translated(sentence))
        if not kept:
            return {"CANCELLED"}
        try:
            look_at(context.scene, picture)
        except AddonError as error:
            self.report({"WARNING"}, translated(str(error)))
        return {"FINISHED"}

    def _is_seen(self, area: bpy.types.Area) -> bool:
        """Whether the editor shows the picture: the artist may have chosen another image meanwhile."""
        shown = area.spaces.active.image
        return shown is not None and shown.session_uid == self._drawing.picture

    def _restore(self, area: bpy.types.Area) -> None:
        """Let the editor be what it was and show what it showed, unless the artist has chosen another image."""
        self._shown.put_back(area, image=self._is_seen(area))

    def _place(self, area: bpy.types.Area, event: bpy.types.Event) -> tuple[float, float]:
        """Where the mouse is in the picture's pixels, row 0 on top."""
        over = canvas(area)
        place = over.view2d.region_to_view(event.mouse_x - over.x, event.mouse_y - over.y)
        return place[0] * self._drawing.width, (1.0 - place[1]) * self._drawing.height

    def _zoom(self, area: bpy.types.Area) -> float:
        """How many pixels of the screen one of the picture takes."""
        view = canvas(area).view2d
        left, right = (view.view_to_region(x, 0.0, clip=False)[0] for x in (0.0, 1.0))
        return max((right - left) / self._drawing.width, 1e-3)


def _said(drawing: Drawing) -> str:
    """What the editor's header says."""
    if drawing.waits:
        running = runtime.session().running
        busy = running is not None and not running.aside
        return say("Waiting for the mesh that is being made") if busy else say("Cutting out …")
    hint = say("Draw over what belongs to the object; with Ctrl, over what does not")
    if drawing.error and drawing.strokes:
        return translated(str(drawing.error))
    trouble = drawing.error or (None if drawing.strokes else drawing.refused)
    return joined(translated(trouble.sentence) if trouble else "", hint)


def _draw_keys(header: bpy.types.Header, _context: bpy.types.Context) -> None:
    """The keys, in the status bar."""
    for key, icon, meaning in (
        (say("Drag"), "MOUSE_LMB_DRAG", say("Object")),
        (say("Ctrl Drag"), "MOUSE_LMB_DRAG", say("Not the Object")),
        (say("Drag"), "MOUSE_RMB_DRAG", say("Not the Object")),
        (say("Ctrl Z"), "LOOP_BACK", say("Undo")),
        (say("Enter"), "CHECKMARK", say("Done")),
        (say("Esc"), "X", say("Discard")),
    ):
        header.layout.label(text=f"{key}: {meaning}", icon=icon, translate=False)


def _say_nothing() -> None:
    """Take the keys, the header's sentence and the mouse's cross away."""
    for window in bpy.context.window_manager.windows:
        window.cursor_modal_restore()
        window.workspace.status_text_set(None)
        for area in window.screen.areas:
            if area.ui_type == EDITOR:
                area.header_text_set(None)


def _is_over_picture(area: bpy.types.Area, event: bpy.types.Event) -> bool:
    """Whether the mouse is over the editor's picture, and not over a sidebar or a header that lies on it."""

    def contains(region: bpy.types.Region) -> bool:
        x, y = event.mouse_x - region.x, event.mouse_y - region.y
        return 0 <= x < region.width and 0 <= y < region.height

    beside = [region for region in area.regions if region.type in _BESIDE and min(region.width, region.height) > 1]
    return contains(canvas(area)) and not any(contains(region) for region in beside)


def register() -> None:
    """Nothing is drawn yet."""


def unregister() -> None:
    """Leave nothing of a drawing that was going on."""
    if overlay.shown():
        _say_nothing()


CLASSES = (HI3DGEN_OT_preview_cutout, HI3DGEN_OT_draw_cutout)

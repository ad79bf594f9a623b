# SPDX-License-Identifier: GPL-3.0-or-later
"""The panel, in the sidebars of the viewport and of the Image Editor."""

import bpy

from ...backend.wire.messages import EngineInfo
from ..cutout import look
from ..errors import AddonError
from ..extension import PACKAGE
from ..language.words import joined, say
from ..link import engines, runtime
from ..link.phase import Phase
from ..link.session import Session
from ..scene.active import FIELD, meant
from ..scene.collection import why_unseen
from ..scene.held import held
from . import (
    check_box,
    cutout_box,
    engine_settings,
    folder_box,
    generate_operator,
    job_box,
    normal_map_box,
    object_box,
    preset_box,
    sides_box,
    texture_box,
    views_box,
    world_box,
)
from .image_field import draw_image
from .properties import chosen_engine
from .text import draw_error, draw_lines, draw_sentence, duration, sidebar_lines
from .thumbnails import forget_all_but

CATEGORY = "Hi3DGen"


class _Panel:
    """What both panels have in common."""

    bl_label = "Hi3DGen"
    bl_category = CATEGORY
    bl_region_type = "UI"

    layout: bpy.types.UILayout

    def draw(self, context: bpy.types.Context) -> None:
        """Draw the panel."""
        runtime.warm_up()
        session = runtime.session()
        layout = self.layout
        layout.use_property_split = True
        layout.use_property_decorate = False
        _draw_picture(layout, context)
        cutout_box.draw(layout, context)
        normal_map_box.draw(layout, context)
        sides_box.draw(layout, context)
        _draw_engine(layout, context, session)
        _draw_placing(layout, context.scene.hi3dgen, chosen_engine(context.scene))
        _draw_generate(layout, context, session)
        if session.silent_seconds:
            _draw_silence(layout, session)
        shown = [job for job in session.jobs if job.is_shown]
        forget_all_but({job.sent.job for job in shown} | look.kept())
        for job in shown:
            if job_box.has_begun(job):
                job_box.draw(layout, job, session)
        job_box.draw_queue(layout, session)
        folder_box.draw(layout)
        _draw_unseen(layout, context, session)
        if session.error:
            box = draw_error(layout, session.error)
            if session.holds_memory:
                box.operator("hi3dgen.end_backend", icon="X")
        if session.notice:
            draw_sentence(layout, session.notice, "INFO")
        object_box.draw(layout, context)
        check_box.draw(layout, context)
        views_box.draw(layout, context)
        world_box.draw(layout, context)
        texture_box.draw(layout, context)


class HI3DGEN_PT_viewport(_Panel, bpy.types.Panel):  # noqa: N801 - Blender's naming
    """The panel in the viewport."""

    bl_idname = "HI3DGEN_PT_viewport"
    bl_space_type = "VIEW_3D"


class HI3DGEN_PT_image_editor(_Panel, bpy.types.Panel):  # noqa: N801
    """The panel in the Image Editor."""

    bl_idname = "HI3DGEN_PT_image_editor"
    bl_space_type = "IMAGE_EDITOR"


def _draw_picture(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    """The field for the picture; and what a click means and why, if that is another one."""
    clicked, settings = meant(context), context.scene.hi3dgen
    column = layout.column()
    if not isinstance(context.space_data, bpy.types.SpaceImageEditor) or context.space_data.image is None:
        field = column.row(align=True)
        field.active = clicked.source == FIELD  # grey: something else is meant
        label = {} if settings.picture else {"text": say("Picture")}  # it leaves no room for the name
        field.template_ID(settings, "picture", open="image.open", **label)
        field.operator("hi3dgen.paste_picture", text="", icon="PASTEDOWN")
    if clicked.source != FIELD:
        name = clicked.image.name
        moving = say("{picture}, frame {number}", picture=name, number=clicked.frame)
        draw_lines(column, sidebar_lines(moving if clicked.frame else name, context.region), "IMAGE_DATA")
        passed = say("Deselect it to use the panel's.") if clicked.is_selected and settings.picture else ""
        draw_sentence(column, joined(clicked.source, passed), "BLANK1")


def _draw_engine(layout: bpy.types.UILayout, context: bpy.types.Context, session: Session) -> None:
    settings = context.scene.hi3dgen
    engine = chosen_engine(context.scene)
    if engine is None:
        error = engines.why_unknown()
        if error and error.in_log:
            draw_error(layout, error)
        elif error:
            draw_sentence(layout, error.sentence, "INFO")
        return
    column = layout.column()
    row = column.row(align=True)
    row.prop(settings, "engine")
    if session.phase is Phase.READY:
        row.operator("hi3dgen.unload", text="", icon="MEMORY")
        row.operator("hi3dgen.restart_backend", text="", icon="LOOP_BACK")
    preset_box.draw(row)
    if missing := runtime.why_missing(engine):
        draw_sentence(layout, missing, "INFO")
        if not engine.external:
            layout.operator("preferences.addon_show", text=say("Open Preferences"), icon="PREFERENCES").module = PACKAGE
        column = layout.column()
    if engine.terms:
        draw_sentence(layout, engine.terms, "INFO")
        if engine.terms_url:
            layout.operator("wm.url_open", text=say("Licence"), icon="URL").url = engine.terms_url
        column = layout.column()
    if engine.uses_seed:
        row = column.row(align=True)
        row.prop(settings, "seed")
        row.prop(settings, "random_seed", text="", icon="FILE_REFRESH")
        column.prop(settings, "count")
    _draw_settings(layout, column, context.scene, engine)


def _draw_settings(
    layout: bpy.types.UILayout, column: bpy.types.UILayout, scene: bpy.types.Scene, engine: EngineInfo
) -> None:
    group = engine_settings.group_of(scene, engine)
    listed = engine_settings.shown(engine) if group else []
    for setting in listed:
        if not setting.advanced:
            column.prop(group, setting.name)
    for name in engine_settings.further_inputs(engine) if group else ():
        draw_image(column, group, name, engine_settings.label_of(name))
    if any(setting.advanced for setting in listed):
        header, body = layout.panel("hi3dgen_advanced", default_closed=True)
        header.label(text=say("Advanced"))
        inner = body.column() if body else None
        for setting in listed if inner else ():
            if setting.advanced:
                inner.prop(group, setting.name)


def _draw_placing(layout: bpy.types.UILayout, settings: bpy.types.PropertyGroup, engine: EngineInfo | None) -> None:
    """How what is made comes into the scene: a world stands nowhere."""
    header, body = layout.panel("hi3dgen_placing", default_closed=True)
    header.label(text=say("In the Scene"))
    column = body.column() if body else None
    is_world = engine is not None and "panorama" in engine.products.values()
    names = ("lights",) if is_world else ("size", "stands", "origin", "shading", "collection")
    for name in names if column else ():
        column.prop(settings, name)


def _draw_generate(layout: bpy.types.UILayout, context: bpy.types.Context, session: Session) -> None:
    column = layout.column()
    column.scale_y = 1.5
    if session.phase is Phase.BROKEN:
        column.operator("hi3dgen.try_again", icon="FILE_REFRESH")
        return
    row = column.row(align=True)
    row.context_pointer_set(generate_operator.BUTTON, context.scene.hi3dgen)
    row.operator("hi3dgen.generate", icon="MESH_MONKEY")
    row.operator("hi3dgen.reroll", text="", icon="FILE_REFRESH")
    engine = chosen_engine(context.scene)
    if engine and not runtime.why_missing(engine) and (why := generate_operator.why_grey(context)):
        draw_sentence(layout, why, "INFO")  # else it is said above
    layout.operator("hi3dgen.generate_folder", text=say("Generate from Folder…"), icon="FILE_FOLDER")


def _draw_silence(layout: bpy.types.UILayout, session: Session) -> None:
    sentence = f"The backend has given no sign of life for {duration(session.silent_seconds)}."
    advice = "It may be loading something large. If it stays so, restart it: the job that it was making begins again."
    box = draw_error(layout, AddonError(sentence, advice, in_log=True))
    box.operator("hi3dgen.restart_backend", icon="LOOP_BACK")


def _draw_unseen(layout: bpy.types.UILayout, context: bpy.types.Context, session: Session) -> None:
    """Why the artist does not see what has come last, as long as it is so."""
    last = [job for job in session.jobs if job.landed][-1:]
    landed = (held(context.scene.objects, uid) for job in last for uid in job.landed)
    thing = next(filter(None, landed), None)
    if thing and (why := why_unseen(context.view_layer, thing)):
        draw_sentence(layout, say("{name} is not seen: {why}", name=thing.name, why=why), "HIDE_ON")


CLASSES = (HI3DGEN_PT_viewport, HI3DGEN_PT_image_editor)

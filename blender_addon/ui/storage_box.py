# SPDX-License-Identifier: GPL-3.0-or-later
"""The box "Where Things Are" in the preferences: folders with their sizes, and what the backend holds in memory."""

import bpy

from ..language.words import say, translated
from ..link import runtime, setup_timer
from ..link.setup import FOLDER_JOBS, LOGS, OWN
from .text import draw_lines, lines, size

_LASTING = (
    "The weights and the environment stay when the extension is uninstalled, and other Blenders use them, too. "
    "Compiled files, jobs of folders and logs are deleted with it."
)
_LEAVING = (
    "The environment, the weights or a part of them lie in the extension's own folder, “{}”, with which Blender "
    "deletes them when the extension is uninstalled. {}"
)
_MARGIN = 80  # pixels beside a label


def draw(layout: bpy.types.UILayout, width: float) -> None:
    """Draw the box. width: of the region, in pixels."""
    session, setup = runtime.session(), setup_timer.setup()
    places = setup.places
    pixels = width - _MARGIN * bpy.context.preferences.system.ui_scale
    runtime.ask_status()
    box = layout.box()
    box.label(text=say("Where Things Are"))
    if setup.places_error:
        draw_lines(box, lines(translated(str(setup.places_error)), pixels), "ERROR")
    elif "weights" not in places:
        box.label(text=say("Counting …"))
    column = box.column(align=True)
    for name, place in places.items():
        row = column.split(factor=0.35)
        row.label(text=f"{label_of(name)}: {size(place['bytes'])}", translate=False)
        beside = row.row()
        beside.label(text=place["folder"], translate=False)
        if place["bytes"] and not (runtime.computer() and name not in OWN):
            beside.operator("wm.path_open", text="", icon="FILE_FOLDER", emboss=False).filepath = place["folder"]
    row = column.split(factor=0.35)
    row.label(text=say("Results: {size}", size=size(session.cached_bytes)), translate=False)
    most = say("in the backend's memory, {size} at most", size=size(runtime.options().cache_bytes))
    row.label(text=most, translate=False)
    box.operator("hi3dgen.clear_caches", text=say("Clear Caches and Results"), icon="TRASH")
    why = setup_timer.why_they_stay()
    sentence = _LEAVING.format(setup.user_folder, why) if why else _LASTING
    draw_lines(box, lines(translated(sentence), pixels), "ERROR" if why else "INFO")


def label_of(place: str) -> str:
    """What a place is called."""
    labels = {
        "environment": say("Environment"),
        "weights": say("Weights"),
        "bytecode": say("Compiled Files"),
        "downloads": say("Broken-off Downloads"),
        FOLDER_JOBS: say("Folder Jobs"),
        LOGS: say("Logs"),
    }
    return labels.get(place, place)

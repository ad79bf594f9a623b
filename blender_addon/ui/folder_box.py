# SPDX-License-Identifier: GPL-3.0-or-later
"""The panel's boxes of jobs of many pictures that are paused, or were cut off when Blender ended; what has failed."""

from collections.abc import Sequence

import bpy

from .. import folder
from ..errors import AddonError
from ..language.words import say, translated
from ..link import runtime
from ..link.saved_jobs import SavedJob
from .text import draw_error, draw_sentence

NAMED = 3  # so many pictures that failed are named


def draw(layout: bpy.types.UILayout) -> None:
    """Draw a box for each job that can be gone on with, or only be forgotten."""
    for saved in folder.waiting():
        _draw(layout.box(), saved)
    for saved in runtime.saved_jobs().unreadable():
        box = draw_error(layout, folder.of_another_version())
        box.operator("hi3dgen.forget_folder", icon="X").job = saved.name


def _draw(box: bpy.types.UILayout, saved: SavedJob) -> None:
    plan = saved.plan
    made, every = len(saved.made), len(plan.pictures)
    draw_sentence(
        box,
        say("Folder “{folder}”: {made} of {of} pictures are made.", folder=plan.title, made=made, of=every),
        "PAUSE",
    )
    if missing := len(saved.made.intersection(folder.left(saved))):
        one = say("1 of them is not in this file: Go On brings it.")
        many = say("{count} of them are not in this file: Go On brings them.", count=missing)
        draw_sentence(box, one if missing == 1 else many, "INFO")
    draw_failed(box, [(plan.names[number], error) for number, error in sorted(saved.failed.items())])
    row = box.row()
    row.operator("hi3dgen.go_on_folder", icon="PLAY").job = saved.name
    row.operator("hi3dgen.forget_folder", icon="X").job = saved.name


def draw_failed(layout: bpy.types.UILayout, failed: Sequence[tuple[str, AddonError]]) -> None:
    """Say which pictures failed, and why; the last ones, and how many there are."""
    for name, error in failed[-NAMED:]:
        draw_sentence(layout, say("“{name}” failed: {why}", name=name, why=translated(error.sentence)), "ERROR")
    if more := len(failed[:-NAMED]):
        one = say("1 more failed before.")
        draw_sentence(layout, one if more == 1 else say("{count} more failed before.", count=more), "BLANK1")

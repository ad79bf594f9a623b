# SPDX-License-Identifier: GPL-3.0-or-later
"""Sentences and errors as labels, which do not wrap; durations and sizes in words."""

import re

import blf
import bpy

from ..errors import AddonError
from ..language.words import say, translated

# Chinese and Japanese: their characters, and those that end or begin no line.
_WIDE = "\u3040-\u30ff\u3400-\u9fff\uff00-\uffef「」『』、。"
_OPENING, _CLOSING = "「『（“", "、。，．：；？！」』）”…～ーっゃゅょッャュョァィゥェォ"  # noqa: RUF001
_PIECES = re.compile(f"[ \t\n]*[{_OPENING}]*(?:[^ \t\n{_WIDE}]+|[{_WIDE}])[{_CLOSING}]*")  # what no line breaks
_FONT = 0  # that of the interface
_UNIT = 20  # pixels of a button's height at scale 1
_UNITS = ((1e9, "GB", 2), (1e6, "MB", 1), (1e3, "kB", 0))
_MARGIN = 4.8  # units beside a label with an icon: the panel's and the box's borders, the icon, the column of tabs


def sidebar_lines(text: str, region: bpy.types.Region | None) -> list[str]:
    """The lines of a label with an icon in a box in a sidebar, as wide as the artist has made it."""
    if region is None:
        return [text]
    view = region.view2d  # the artist may have zoomed the panel
    shown = view.region_to_view(region.width, 0)[0] - view.region_to_view(0, 0)[0]
    return lines(text, shown - _MARGIN * _UNIT * bpy.context.preferences.system.ui_scale)


def lines(text: str, width: float) -> list[str]:
    """Break a text into lines of at most `width` pixels in the interface's font; an indent stays.

    Between words, and between the characters of Chinese and Japanese, which has its rules: no line begins with a
    comma or ends with an opening bracket.
    """
    style = bpy.context.preferences.ui_styles[0].widget
    blf.size(_FONT, style.points * bpy.context.preferences.system.ui_scale)
    indent = text[: len(text) - len(text.lstrip())]
    first, *pieces = _PIECES.findall(text.strip()) or [""]
    broken = [indent + first]
    for piece in pieces:
        word = piece.lstrip()
        longer = f"{broken[-1]} {word}" if word != piece else broken[-1] + word
        if blf.dimensions(_FONT, longer)[0] > width:
            broken.append(indent + word)
        else:
            broken[-1] = longer
    return broken


def draw_lines(layout: bpy.types.UILayout, broken: list[str], icon: str) -> None:
    """Draw lines as labels below each other, the first with an icon."""
    column = layout.column(align=True)
    column.scale_y = 0.8
    for number, line in enumerate(broken):
        column.label(text=line, icon="BLANK1" if number else icon, translate=False)


def draw_sentence(layout: bpy.types.UILayout, sentence: str, icon: str) -> None:
    """Draw a sentence in a sidebar over as many lines as it needs."""
    draw_lines(layout, sidebar_lines(translated(sentence), bpy.context.region), icon)


def draw_error(layout: bpy.types.UILayout, error: AddonError) -> bpy.types.UILayout:
    """Draw a box with an error in a sidebar, and return it."""
    box = layout.box()
    alert = box.column()
    alert.alert = True  # not the whole box: what happened is red, what to do about it is not
    draw_sentence(alert, error.sentence, "ERROR")
    draw_sentence(box, error.advice, "BLANK1")
    if error.in_log:
        box.operator("hi3dgen.show_log", icon="TEXT")
    return box


def duration(seconds: float) -> str:
    """How long something takes, as one would say it: "45 s", "12 min", "1 h 20 min"."""
    if seconds < 90:
        return f"{max(round(seconds), 1)} s"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"


def size(count: float) -> str:
    """A number of bytes, such as "2.66 GB"."""
    for unit, name, digits in _UNITS:
        if count >= unit:
            return f"{count / unit:.{digits}f} {name}"
    return say("{count} bytes", count=f"{count:.0f}")

# SPDX-License-Identifier: GPL-3.0-or-later
"""What every engine of views begins with: the cut-out, and the stages that make it. Needs no network of the engine."""

from ..flow.products import Cutout, Noted, Picture, Report, noted
from ..flow.stage import Stage
from ..foreground.cut_out import cut_out
from ..foreground.mask import STROKES, with_found
from ..foreground.stages import READ_OWN

SIDE = 1024  # pixels of the cut-out: of the largest views


def _cut_out(picture: Picture, strokes: Picture | None = None, *, report: Report) -> Cutout | Noted:
    notes: list[str] = []
    cutout = cut_out(picture, SIDE, report, notes, strokes)
    return noted(cutout, notes)


STAGES = (
    READ_OWN,
    Stage("foreground", "Cutting out", "cutout", ("picture",), (), _cut_out, unless=STROKES),
    Stage("found", "Finding the object", "picture", ("picture",), (), with_found, when=STROKES),
    Stage("marked", "Cutting out", "cutout", ("picture", STROKES), (), _cut_out, when=STROKES),
)

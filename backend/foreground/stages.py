# SPDX-License-Identifier: GPL-3.0-or-later
"""What engines share up to their cut-out: the artist's own mask, alpha, the background's colour and strokes."""

from ..flow.products import Cutout, Noted, Picture, Report
from ..flow.stage import Stage
from .cut_out import cut_out
from .mask import OWN_CUTOUT, STROKES, with_found, with_mask

SIDE = 1024
"""Pixels along a cut-out's sides."""

READ_OWN = Stage(
    "read_cutout",
    "Reading your cut-out",
    "picture",
    ("picture", OWN_CUTOUT),
    (),
    with_mask,
    when=OWN_CUTOUT,
)


def _cut_out(picture: Picture, strokes: Picture | None = None, *, report: Report) -> Cutout | Noted:
    notes: list[str] = []
    cutout = cut_out(picture, SIDE, report, notes, strokes)
    return Noted(cutout, tuple(notes)) if notes else cutout


CUT_OUT = (
    READ_OWN,
    Stage("foreground", "Cutting out", "cutout", ("picture",), (), _cut_out, unless=STROKES),
    Stage("found", "Finding the object", "picture", ("picture",), (), with_found, when=STROKES),
    Stage("marked", "Cutting out", "cutout", ("picture", STROKES), (), _cut_out, when=STROKES),
)
"""From the picture to a cut-out of `SIDE` pixels, without a network of its own."""

# SPDX-License-Identifier: GPL-3.0-or-later
"""What engines share about normal maps: the stage that reads the artist's own instead of estimating one."""

from ..flow.products import Cutout, NormalMap, Noted, Picture, Report
from ..flow.stage import Stage
from .image import OWN_NORMAL_MAP, from_picture
from .plausible import made_plausible


def _read_own(cutout: Cutout, pixels: Picture, report: Report) -> NormalMap | Noted:
    normal_map, notes = made_plausible(from_picture(cutout, pixels, report))
    return Noted(normal_map, notes) if notes else normal_map


READ_OWN = Stage(
    "own_normals",
    "Reading your normal map",
    "normal_map",
    ("cutout", OWN_NORMAL_MAP),
    (),
    _read_own,
    when=OWN_NORMAL_MAP,
)

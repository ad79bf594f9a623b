# SPDX-License-Identifier: GPL-3.0-or-later
"""What engines share about normal maps: the stage that reads the artist's own instead of estimating one."""

from ..flow.stage import Stage
from .image import OWN_NORMAL_MAP, from_picture

READ_OWN = Stage(
    "own_normals",
    "Reading your normal map",
    "normal_map",
    ("cutout", OWN_NORMAL_MAP),
    (),
    from_picture,
    when=OWN_NORMAL_MAP,
)

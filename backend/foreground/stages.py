# SPDX-License-Identifier: GPL-3.0-or-later
"""What engines share in front of their cut-out: the stage that gives the picture the artist's own mask."""

from ..flow.stage import Stage
from .mask import OWN_CUTOUT, with_mask

READ_OWN = Stage(
    "read_cutout",
    "Reading your cut-out",
    "picture",
    ("picture", OWN_CUTOUT),
    (),
    with_mask,
    when=OWN_CUTOUT,
)

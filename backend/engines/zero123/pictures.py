# SPDX-License-Identifier: GPL-3.0-or-later
"""A cut-out as Zero-1-to-3 takes it: in front of white, as large as the objects that it was trained with."""

import numpy as np
from PIL import Image
from torch import Tensor

from ...flow.products import Cutout
from ...models import view_pictures
from ...models.zero123 import SIDE

FILLED = 200 / 256
"""Of the picture's side: the object's longer side."""


def to_pixels(cutout: Cutout) -> Tensor:
    """The cut-out's object in the middle of white, float32 (1, 3, 256, 256) in [-1, 1]."""
    rows, columns = (np.flatnonzero(cutout.rgba[..., 3].any(axis=axis)) for axis in (1, 0))
    box = cutout.rgba[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    scale = FILLED * SIDE / max(box.shape[:2])
    height, width = (max(1, round(scale * length)) for length in box.shape[:2])
    thing = Image.fromarray(np.ascontiguousarray(box)).resize((width, height), Image.Resampling.LANCZOS)
    white = Image.new("RGB", (SIDE, SIDE), view_pictures.WHITE)
    white.paste(thing, ((SIDE - width) // 2, (SIDE - height) // 2), mask=thing.getchannel("A"))
    return view_pictures.to_pixels(np.asarray(white))[None]

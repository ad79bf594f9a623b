# SPDX-License-Identifier: GPL-3.0-or-later
"""Pictures as the networks of Zero123++ take them, and the views in a sheet.

Pillow resamples, as in the published program: torch's own way differs by a level here and there.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from torch import Tensor

from ..arrays import UInt8Array
from ..nn.checkpoint import described

if TYPE_CHECKING:
    from PIL.Image import Image

GRAY = (127, 127, 127)
"""What is behind the object, in the picture and in the sheet."""
ROWS, COLUMNS = 3, 2
"""Of views in a sheet; view k is in row k // 2 and column k % 2."""
SIDE = 320
"""Pixels along a view's side, as the published network was trained."""


def processed(picture: "Image", config: Mapping[str, Any], source: str) -> Tensor:
    """Pixels, float32 (1, 3, h, w), resized, cropped and normalised as a processor's description says, CLIP's if empty.

    Raises UserError, which names the `source`, if the description is invalid.
    """
    from transformers import CLIPImageProcessorPil  # noqa: PLC0415

    with described(source, "preparation of pictures"):
        processor: Any = CLIPImageProcessorPil.from_dict(dict(config))
        return processor(images=picture, return_tensors="pt").pixel_values


def views_of(sheet: UInt8Array) -> UInt8Array:
    """The views in a sheet, uint8 (H, W, C): (6, H / 3, W / 2, C), in their order."""
    height, width = sheet.shape[0] // ROWS, sheet.shape[1] // COLUMNS
    apart = sheet.reshape(ROWS, height, COLUMNS, width, -1).swapaxes(1, 2)
    return np.ascontiguousarray(apart.reshape(ROWS * COLUMNS, height, width, -1))


def sheet_of(views: UInt8Array) -> UInt8Array:
    """The inverse of `views_of`."""
    _, height, width, channels = views.shape
    beside = views.reshape(ROWS, COLUMNS, height, width, channels).swapaxes(1, 2)
    return np.ascontiguousarray(beside.reshape(ROWS * height, COLUMNS * width, channels))

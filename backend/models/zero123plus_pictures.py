# SPDX-License-Identifier: GPL-3.0-or-later
"""Pictures as the networks of Zero123++ take them, and the views in a sheet.

Pillow resamples, as in the published program: torch's own way differs by a level here and there.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
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


def on_gray(rgba: UInt8Array) -> "Image":
    """A picture, uint8 (H, W, 4) with straight alpha, in front of `GRAY`."""
    from PIL import Image  # noqa: PLC0415

    picture = Image.fromarray(rgba)
    behind = Image.new("RGB", picture.size, GRAY)
    behind.paste(picture, mask=picture.getchannel("A"))
    return behind


def processed(picture: "Image", config: Mapping[str, Any], source: str) -> Tensor:
    """Pixels, float32 (1, 3, h, w), resized, cropped and normalised as a processor's description says, CLIP's if empty.

    Raises UserError, which names the `source`, if the description is invalid.
    """
    from transformers import CLIPImageProcessorPil  # noqa: PLC0415

    with described(source, "preparation of pictures"):
        processor: Any = CLIPImageProcessorPil.from_dict(dict(config))
        return processor(images=picture, return_tensors="pt").pixel_values


def to_pixels(sheet: UInt8Array) -> Tensor:
    """A picture, uint8 (H, W, 3), as float32 (1, 3, H, W) in [-1, 1]."""
    return torch.from_numpy(sheet).movedim(-1, 0)[None].float() / 127.5 - 1


def to_sheet(pixels: Tensor) -> UInt8Array:
    """Pixels, float32 (1, 3, H, W) in [0, 1], as a picture, uint8 (H, W, 3)."""
    return (pixels[0].movedim(0, -1) * 255).round().to(torch.uint8).numpy()


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

# SPDX-License-Identifier: GPL-3.0-or-later
"""From a cut-out to the pictures that networks of views take, and from their frames to pictures.

What the published programs do is kept, which for Hi3D and SV3D is: 8 bits after every step, OpenCV's bilinear
interpolation, which does not blur before it shrinks (to within one level: OpenCV computes with 11 bits), and Pillow's
Lanczos filter.
"""

import math
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from ..flow.products import Picture

if TYPE_CHECKING:
    from PIL.Image import Image

WHITE = (255, 255, 255)


def over(picture: Picture, colour: tuple[int, int, int]) -> "Image":
    """A picture, uint8 (H, W, 4) with straight alpha, in front of a colour, to the bit as Pillow pastes it."""
    from PIL import Image  # noqa: PLC0415

    image = Image.fromarray(picture)
    behind = Image.new("RGB", image.size, colour)
    behind.paste(image, mask=image.getchannel("A"))
    return behind


def on_white(picture: Picture) -> Picture:
    """A picture, uint8 (H, W, 4), over white: uint8 (H, W, 3)."""
    return np.asarray(over(picture, WHITE))


def stretched(picture: Picture, height: int, width: int) -> Picture:
    """Colours, uint8 (H, W, 3), bilinearly at (height, width); the aspect is not kept."""
    colours = torch.from_numpy(np.array(picture)).movedim(-1, 0)[None].float()
    resampled = functional.interpolate(colours, (height, width), mode="bilinear", align_corners=False)
    return resampled[0].movedim(0, -1).round().to(torch.uint8).numpy()


def cropped(picture: Picture, side: int) -> Picture:
    """Colours, uint8 (H, W, 3), at the smallest size that fills a square, and the middle of that: (side, side, 3)."""
    scale = max(side / picture.shape[0], side / picture.shape[1])
    filling = stretched(picture, *(math.ceil(length * scale) for length in picture.shape[:2]))
    top, left = (round((length - side) / 2) for length in filling.shape[:2])
    return filling[top : top + side, left : left + side]


def centred_on_white(picture: Picture, side: int, ratio: float | None = None) -> Picture:
    """What SV3D sees of a picture, uint8 (H, W, 4): the object in the middle of a white square, (side, side, 3).

    ratio: how much of the square's side the object's longer side is; without it the square is as high as the picture.
    Raises ValueError if nothing is opaque, or if the object is larger than the square.
    """
    from PIL import Image  # noqa: PLC0415

    rows, columns = (np.nonzero((picture[..., 3] > 0).any(axis)) for axis in (1, 0))
    if not rows[0].size:
        raise ValueError("nothing of the picture is opaque")
    top, left, bottom, right = rows[0][0], columns[0][0], rows[0][-1] + 1, columns[0][-1] + 1
    height, width = bottom - top, right - left
    square = int(max(width, height) / ratio) if ratio else picture.shape[0]
    if square < max(height, width):
        raise ValueError(f"an object of {width} x {height} pixels does not fit into a square of {square}")
    padded = np.zeros((square, square, 4), np.uint8)
    y, x = square // 2 - height // 2, square // 2 - width // 2
    padded[y : y + height, x : x + width] = picture[top:bottom, left:right]
    small = np.asarray(Image.fromarray(padded).resize((side, side), Image.Resampling.LANCZOS)) / 255.0
    colours, alpha = small[..., :3], small[..., 3:]
    return ((colours * alpha + (1 - alpha)) * 255).astype(np.uint8)


def to_pixels(pictures: Picture) -> Tensor:
    """Colours, uint8 (..., H, W, 3), as float32 (..., 3, H, W) in [-1, 1]."""
    return torch.from_numpy(np.array(pictures)).movedim(-1, -3).float() / 255 * 2 - 1


def to_colours(pixels: Tensor) -> Picture:
    """Pixels (..., 3, H, W), of which [-1, 1] shows, as colours uint8 (..., H, W, 3), cut off to whole numbers."""
    shown = (pixels.float() / 2 + 0.5).clamp(0, 1) * 255
    return shown.to(torch.uint8).movedim(-3, -1).cpu().numpy()


def rounded(pixels: Tensor) -> Picture:
    """Pixels (..., 3, H, W) in [0, 1] on the CPU as colours uint8 (..., H, W, 3), to the nearest level."""
    return (pixels * 255).round().to(torch.uint8).movedim(-3, -1).numpy()


def opaque(colours: Picture) -> Picture:
    """Colours, uint8 (..., H, W, 3), as pictures without transparency, uint8 (..., H, W, 4)."""
    return np.concatenate([colours, np.full_like(colours[..., :1], 255)], axis=-1)

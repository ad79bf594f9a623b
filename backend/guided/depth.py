# SPDX-License-Identifier: GPL-3.0-or-later
"""What the network is told of a picture's depth."""

from torch import Tensor
from torch.nn import functional


def normalised(depth: Tensor) -> Tensor:
    """Depths (B, 1, h, w), more is nearer, each picture's from -1 to 1, as Stable Diffusion 2 was trained with.

    The small number in the denominator is that of HiFi-123's program; a flat picture is -1.
    """
    least, most = depth.amin(dim=(2, 3), keepdim=True), depth.amax(dim=(2, 3), keepdim=True)
    return 2 * (depth - least) / (most - least + 0.001) - 1


def to_latent(depth: Tensor, shape: tuple[int, int]) -> Tensor:
    """Depths as the network reads them beside a latent of this shape, (B, 1, h, w): normalised, then made smaller."""
    return functional.interpolate(normalised(depth), shape, mode="bicubic", align_corners=False)


def mask_to_latent(mask: Tensor, shape: tuple[int, int]) -> Tensor:
    """A mask (B, 1, h, w) at a latent's size: every so manyth pixel."""
    return functional.interpolate(mask, shape, mode="nearest")

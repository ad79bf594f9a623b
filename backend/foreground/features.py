# SPDX-License-Identifier: GPL-3.0-or-later
"""What the cut-out network sees of a picture, the same for training and inference.

Beside the colours it sees how they differ from the border's, as the object is seldom there, and where a pixel lies.
"""

import numpy as np
from numpy.typing import NDArray

from ..arrays import Float32Array
from ..raster.components import border

SIDE = 160
"""Pixels along a side of what the network learned from."""

CHANNELS = 8

_BORDER = 2  # pixels


def see(rgb: NDArray[np.uint8]) -> Float32Array:
    """Return what the network sees of a picture uint8 (H, W, 3), float32 (H, W, 8): colours, differences, x and y."""
    colours = rgb.astype(np.float32) / np.float32(255)
    height, width = rgb.shape[:2]
    around = np.median(colours[border((height, width), _BORDER)], axis=0)
    across, down = ((np.arange(count, dtype=np.float32) + 0.5) * 2 / count - 1 for count in (width, height))
    x, y = np.broadcast_to(across, (height, width)), np.broadcast_to(down[:, None], (height, width))
    return np.dstack([2 * colours - 1, 2 * (colours - around), x, y]).astype(np.float32)

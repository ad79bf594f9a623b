# SPDX-License-Identifier: GPL-3.0-or-later
"""Pictures whose surroundings one can guess."""

import numpy as np

from backend.flow.products import Picture

SKY, GROUND = (120, 160, 230), (70, 90, 40)


def outdoors(width: int = 60, height: int = 40) -> Picture:
    """Sky above, ground below, and on both speckles; opaque."""
    picture = np.full((height, width, 4), 255, np.uint8)
    picture[: height // 2, :, :3] = SKY
    picture[height // 2 :, :, :3] = GROUND
    picture[..., :3] += np.random.default_rng(1).integers(0, 20, picture[..., :3].shape, np.uint8)
    return picture


def lamp_at_left(width: int = 60, height: int = 40) -> Picture:
    """White fading to black from left to right."""
    picture = np.full((height, width, 4), 255, np.uint8)
    picture[..., :3] = np.linspace(255, 0, width).astype(np.uint8)[None, :, None]
    return picture


def unwatched(_step: int, _of: int) -> None:
    """Nobody watches."""

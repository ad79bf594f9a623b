# SPDX-License-Identifier: GPL-3.0-or-later
"""What the network is told of a view in words."""

from ..flow.products import Camera
from ..texture.camera import angles_of

EMPTY = ""
FRONT, SIDE, BACK, ABOVE, BELOW = "Front view", "Side view", "Back view", "Top view", "Bottom view"
_STEEP = 60.0  # degrees of elevation
_ASIDE = 45.0  # degrees of azimuth from the front, or from behind


def texts(description: str) -> dict[str, str]:
    """The texts that views may need, by their names; `EMPTY` is always needed. description: "a red toy car", or ""."""
    named = {name: f"{name} of {description}" if description else name for name in (FRONT, SIDE, BACK, ABOVE, BELOW)}
    return {EMPTY: "", **named}


def direction_of(camera: Camera) -> str:
    """The name of the text for what a camera sees."""
    azimuth, elevation = angles_of(camera.matrix[:3, 2])
    if abs(elevation) > _STEEP:
        return ABOVE if elevation > 0 else BELOW
    return FRONT if abs(azimuth) < _ASIDE else BACK if abs(azimuth) > 180 - _ASIDE else SIDE

# SPDX-License-Identifier: GPL-3.0-or-later
"""The sRGB curve (IEC 61966-2-1): between the tones that a picture stores and linear light."""

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Float = TypeVar("Float", np.float32, np.float64)


def srgb_to_linear(tones: NDArray[Float]) -> NDArray[Float]:
    """Decode sRGB tones to linear light: of any shape, both in [0, 1], in the dtype that comes in."""
    return np.where(tones <= 0.04045, tones / 12.92, ((tones + 0.055) / 1.055) ** 2.4)


def linear_to_srgb(light: NDArray[Float]) -> NDArray[Float]:
    """Encode linear light as sRGB tones: of any shape, both in [0, 1], in the dtype that comes in."""
    return np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)

# SPDX-License-Identifier: GPL-3.0-or-later
"""Pictures in other colours, so that a network sees more of them than were made."""

from itertools import permutations

import numpy as np
from numpy.typing import NDArray

_CHANNELS = tuple(permutations(range(3)))


def recoloured(rgb: NDArray[np.uint8], gammas: tuple[float, float], random: np.random.Generator) -> NDArray[np.uint8]:
    """Return a picture, uint8 (H, W, 3), brighter or darker by a power between two, its channels exchanged."""
    curve = np.rint(255 * np.linspace(0, 1, 256) ** random.uniform(*gammas)).astype(np.uint8)
    return curve[rgb[..., _CHANNELS[random.integers(len(_CHANNELS))]]]

# SPDX-License-Identifier: GPL-3.0-or-later
"""Unit vectors."""

from typing import TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

Float = TypeVar("Float", np.float32, np.float64)

TO_VIEWER = (0.0, 0.0, 1.0)
"""The normal of a surface that faces the viewer: x right, y up, z to the viewer."""


def unit(vectors: NDArray[Float], fallback: ArrayLike | None = None, *, least: float = 1e-6) -> NDArray[Float]:
    """Scale vectors to length 1.

    vectors: float (..., C), finite. fallback: what replaces a vector shorter than `least`, (C,) or (..., C). Without it
    such a vector is divided by `least`, so that 0 stays 0. Returns an array of the same shape and dtype.
    """
    length = np.linalg.norm(vectors, axis=-1, keepdims=True)
    scaled = vectors / np.maximum(length, least)
    return scaled if fallback is None else np.where(length >= least, scaled, np.asarray(fallback, vectors.dtype))

# SPDX-License-Identifier: GPL-3.0-or-later
"""What there is to learn from: pictures with their true normals, and where they come from."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray


class Block(Protocol):
    """What a source makes in one go: pictures with their true normals, as `Samples` describes them."""

    @property
    def rgba(self) -> NDArray[np.uint8]: ...  # noqa: D102

    @property
    def normals(self) -> NDArray[np.floating[Any]]: ...  # noqa: D102

    @property
    def mask(self) -> NDArray[np.bool_]: ...  # noqa: D102


@dataclass(frozen=True)
class Samples:
    """Pictures with their true normals.

    rgba: uint8 (N, S, S, 4), sRGB, straight alpha. normals: float32 (N, S, S, 3), camera space, x right, y up, z to the
    viewer. mask: bool (N, S, S), where the normals are known.
    """

    rgba: NDArray[np.uint8]
    normals: NDArray[np.float32]
    mask: NDArray[np.bool_]


Source = Callable[[int, int, int], Block]
"""`source(seed, index, size)`: a pure function, `index` without end. It must be picklable, for the worker process."""

# SPDX-License-Identifier: GPL-3.0-or-later
"""A request: what is to be made, from which pictures."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from ..wire.limits import seeds_from
from .products import Picture
from .settings import Scalar, Settings


@dataclass(frozen=True)
class Request:
    """What is to be made.

    inputs: pictures, uint8 (H, W, 4), by name: `picture`, and what else the engine takes, such as `own_normal_map`, the
    artist's normal map of the same view in place of the estimated one. The products are made once for each of `count`
    seeds, from `seed` on. settings: those of the engine that are not to have their defaults.
    """

    inputs: Mapping[str, Picture]
    engine: str = "draft"
    seed: int = 0
    count: int = 1
    settings: Settings = field(default_factory=dict[str, Scalar])

    @property
    def seeds(self) -> list[int]:
        """The seeds, in order."""
        return seeds_from(self.seed, self.count)

    @property
    def nbytes(self) -> int:
        """The memory of the pictures, in bytes."""
        return sum(picture.nbytes for picture in self.inputs.values())

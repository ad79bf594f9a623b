# SPDX-License-Identifier: GPL-3.0-or-later
"""A request: what is to be made, from which pictures."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..wire.limits import seeds_from
from .cache import array_bytes
from .engine import CAMERA, MESH, NORMAL_VIEWS, VIEWS
from .products import Camera, Mesh, Picture, Views
from .settings import Scalar, Settings


@dataclass(frozen=True)
class Request:
    """What is to be made.

    inputs: pictures, uint8 (H, W, 4), by name: `picture`, and what else the engine takes, such as `own_normal_map`, the
    artist's normal map of the same view in place of the estimated one. The products are made once for each of `count`
    seeds, from `seed` on. settings: those of the engine that are not to have their defaults. mesh: what the picture is
    put onto, camera: by which it is seen, and views: that are put onto it, too, for engines that take
    them. normal_views: the normal maps of the views.
    """

    inputs: Mapping[str, Picture]
    engine: str = "draft"
    seed: int = 0
    count: int = 1
    settings: Settings = field(default_factory=dict[str, Scalar])
    mesh: Mesh | None = None
    camera: Camera | None = None
    views: Views | None = None
    normal_views: Views | None = None

    @property
    def seeds(self) -> list[int]:
        """The seeds, in order."""
        return seeds_from(self.seed, self.count)

    @property
    def given(self) -> dict[str, Any]:
        """All that the request brings, by name: the pictures, and whatever there is of mesh, camera and views."""
        others = {MESH: self.mesh, CAMERA: self.camera, VIEWS: self.views, NORMAL_VIEWS: self.normal_views}
        return {**self.inputs, **{name: value for name, value in others.items() if value is not None}}

    @property
    def nbytes(self) -> int:
        """The memory of what the request brings, in bytes."""
        return array_bytes(self.given)

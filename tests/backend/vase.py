# SPDX-License-Identifier: GPL-3.0-or-later
"""A vase to run the real draft engine on, and a watcher."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from backend.engines import ENGINES
from backend.errors import Cancelled
from backend.flow.pipeline import Outcome, Pipeline, Progress, Watcher
from backend.flow.products import Mesh, NormalMap, Picture
from backend.flow.request import Request
from backend.normals.image import to_picture

SMALL = {"resolution": 64, "colours": "front"}


@dataclass
class Notes:
    """A watcher that notes what it is called with, and cancels if it is asked to."""

    progress: list[Progress] = field(default_factory=list[Progress])
    products: list[tuple[str, object]] = field(default_factory=list[tuple[str, object]])
    cancel: Callable[[Progress], bool] = lambda _: False

    def progressed(self, progress: Progress) -> None:
        """Note how far it is."""
        self.progress.append(progress)
        if self.cancel(progress):
            raise Cancelled

    def made(self, name: str, product: object) -> None:
        """Note a product."""
        self.products.append((name, product))

    @property
    def names(self) -> list[str]:
        """The names of the products, in order."""
        return [name for name, _ in self.products]


def run_one(pipeline: Pipeline, request: Request, watcher: Watcher) -> Outcome:
    """The outcome of a request for one seed."""
    (outcome,) = pipeline.run(request, watcher)
    return outcome


def mesh_of(outcome: Outcome) -> Mesh:
    mesh = outcome.products["mesh"]
    assert isinstance(mesh, Mesh)
    return mesh


def normals_of(pipeline: Pipeline, request: Request) -> NormalMap:
    """The normal map of a request, and no mesh."""
    (outcome,) = pipeline.run(request, Notes(), gives=["normal_map"])
    normal_map = outcome.products["normal_map"]
    assert isinstance(normal_map, NormalMap)
    return normal_map


def vase(height: int = 90, width: int = 70) -> Picture:
    """A cut-out vase, a little left of the middle, so that no flip goes unseen."""
    rows, columns = np.mgrid[:height, :width]
    y, x = (rows + 0.5) / height, (columns + 0.5) / width
    half = 0.14 + 0.12 * np.sin(y * 5.0) ** 2
    picture = np.zeros((height, width, 4), np.uint8)
    picture[..., 0] = np.rint(255 * x)
    picture[..., 1] = np.rint(255 * y)
    picture[..., 3] = np.rint(255 * np.clip((half - np.abs(x - 0.42)) * width + 0.5, 0, 1) * (np.abs(y - 0.5) < 0.42))
    return picture


def request(*, picture: Picture | None = None, normal_map: Picture | None = None, **changes: Any) -> Request:
    inputs = {"picture": vase() if picture is None else picture}
    if normal_map is not None:
        inputs["own_normal_map"] = normal_map
    return replace(Request(inputs, settings=SMALL), **changes)


def with_alpha(rgb: Picture) -> Picture:
    return np.concatenate([rgb, np.full_like(rgb[..., :1], 255)], axis=-1)


def edited_map() -> Picture:
    """The estimated map, leaned a little to the right."""
    normal_map = normals_of(Pipeline(ENGINES), request())
    leaned = normal_map.normals + np.array([0.1, 0.0, 0.0], np.float32)
    leaned /= np.linalg.norm(leaned, axis=-1, keepdims=True)
    return with_alpha(to_picture(replace(normal_map, normals=leaned)))

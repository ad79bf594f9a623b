# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests of the whole engine ask of it, and what they keep of its answer."""

from typing import Any

import numpy as np

from backend.errors import Cancelled
from backend.flow.pipeline import Outcome, Pipeline, Progress
from backend.flow.products import Cutout, Mesh, Picture
from backend.flow.request import Request

QUICK = {"quality": "preview", "structure_steps": 2, "latent_steps": 2, "colours": "front"}


class Watcher:
    """Remembers which stages ran and the last product of each name, and cancels in a stage if it is asked to."""

    def __init__(self, cancel_in: str = "") -> None:
        self.ran: list[str] = []
        self.products: dict[str, Any] = {}
        self._cancel_in = cancel_in

    def progressed(self, progress: Progress) -> None:
        """Note the stage."""
        if progress.stage.name not in self.ran:
            self.ran.append(progress.stage.name)
        if progress.stage.name == self._cancel_in and progress.step > 0:
            raise Cancelled

    def made(self, name: str, product: object) -> None:
        """Keep the product."""
        self.products[name] = product


def disc(size: int = 200) -> Picture:
    """An orange disc on nothing."""
    y, x = np.mgrid[:size, :size] + 0.5 - size / 2
    pixels = np.zeros((size, size, 4), np.uint8)
    pixels[..., :3] = (200, 80, 40)
    pixels[..., 3] = np.where(np.hypot(x, y) < size * 0.4, 255, 0)
    return pixels


def request(seed: int = 0, normal_map: Picture | None = None, picture: Picture | None = None, **more: Any) -> Request:
    inputs = {"picture": disc() if picture is None else picture}
    if normal_map is not None:
        inputs["own_normal_map"] = normal_map
    return Request(inputs, "hi3dgen", seed, settings={**QUICK, **more})


def run(pipeline: Pipeline, *arguments: Any, **settings: Any) -> tuple[Outcome, list[str]]:
    watcher = Watcher()
    (outcome,) = pipeline.run(request(*arguments, **settings), watcher)
    return outcome, watcher.ran


def cutout_of(pipeline: Pipeline, *arguments: Any, **settings: Any) -> Cutout:
    (outcome,) = pipeline.run(request(*arguments, **settings), Watcher(), gives=["cutout"])
    return outcome.products["cutout"]


def mesh_of(outcome: Outcome) -> Mesh:
    return outcome.products["mesh"]


def same(one: Mesh, other: Mesh) -> bool:
    return all(np.array_equal(getattr(one, name), getattr(other, name)) for name in ("vertices", "triangles", "uv"))

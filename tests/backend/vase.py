# SPDX-License-Identifier: GPL-3.0-or-later
"""A vase to run the real draft engine on, and a watcher."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from backend.engines import ENGINES
from backend.errors import Cancelled
from backend.flow.pipeline import Moment, Pipeline, Request
from backend.flow.products import NormalMap, Picture
from backend.normals.image import to_picture

SMALL = {"resolution": 64}


@dataclass
class Notes:
    """A watcher that notes what it is told, and cancels where it is asked to."""

    moments: list[Moment] = field(default_factory=list[Moment])
    results: dict[str, object] = field(default_factory=dict[str, object])
    cancel: Callable[[Moment], bool] = lambda _: False

    def moment(self, moment: Moment) -> None:
        """Note a moment."""
        self.moments.append(moment)
        if self.cancel(moment):
            raise Cancelled

    def made(self, stage: str, result: object) -> None:
        """Note a result."""
        self.results[stage] = result


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


def request(**changes: Any) -> Request:
    return replace(Request(vase(), settings=SMALL), **changes)


def with_alpha(rgb: Picture) -> Picture:
    return np.concatenate([rgb, np.full_like(rgb[..., :1], 255)], axis=-1)


def edited_map() -> Picture:
    """The estimated map, leaned a little to the right."""
    cutout, normal_map = Pipeline(ENGINES).normals(request(), Notes())
    leaned = normal_map.normals + np.array([0.1, 0.0, 0.0], np.float32)
    leaned /= np.linalg.norm(leaned, axis=-1, keepdims=True)
    return with_alpha(to_picture(NormalMap(leaned, normal_map.alpha), cutout.crop))

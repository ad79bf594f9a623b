# SPDX-License-Identifier: GPL-3.0-or-later
"""What shows an object to cameras: views, each to its own camera, or meshes, to any."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ...errors import UserError
from ...flow.products import Camera, Mesh, Picture, Views
from ...foreground.cut_out import cut_out
from ...raster.components import border
from ...raster.resample import paste_back, resample
from .cameras import partner
from .drawing import drawn

_WHITE = 250  # of 255: the least tone of a border that is white as it is


@dataclass(frozen=True)
class Source:
    """Views of an object, or the object itself, by the name that a person knows it by."""

    name: str
    shown: Views | Sequence[Mesh]

    @property
    def views(self) -> Views | None:
        """The views, if it is views."""
        return self.shown if isinstance(self.shown, Views) else None


def seen_by(truth: Source, prediction: Source) -> tuple[tuple[Camera, ...], tuple[int, int]]:
    """The cameras that both are compared at, and the rows and columns of the pictures: the truth's, if it has any.

    Raises `UserError` if both are meshes.
    """
    views = truth.views or prediction.views
    if views is None:
        sentence = f"Neither “{truth.name}” nor “{prediction.name}” has cameras."
        raise UserError("no-cameras", sentence, "Give a folder of views as one of the two.")
    height, width = views.pictures.shape[1:3]
    return views.cameras, (height, width)


def picture_by(source: Source, camera: Camera, shape: tuple[int, int]) -> Picture:
    """What a camera sees, uint8 (H, W, 4) of this shape; views of another size are brought to it.

    Raises `UserError` if no view is that camera's, or is of another aspect.
    """
    if not isinstance(source.shown, Views):
        return drawn(source.shown, camera, shape)
    picture = source.shown.pictures[partner(camera, source.shown.cameras, source.name)]
    height, width = picture.shape[:2]
    if (height, width) == shape:
        return picture
    if abs(width * shape[0] - height * shape[1]) > max(*shape, height, width):  # more than a pixel
        sentence = f"The views of “{source.name}” are {width} x {height} pixels, the true ones {shape[1]} x {shape[0]}."
        raise UserError("other-size", sentence, "Use views of the same aspect.")
    return resample(picture, (0, 0, width, height), shape)


def predicted_by(source: Source, camera: Camera, shape: tuple[int, int]) -> Picture:
    """As `picture_by`, without what is around the object in views.

    A view with transparency, or with a white border, stays as it is. Out of others the object is cut, by the colour of
    their border: some engines draw before grey. Raises `UserError` besides if the object cannot be told.
    """
    picture = picture_by(source, camera, shape)
    around = picture[border(shape)]
    white = (np.median(around[:, :3], axis=0) >= _WHITE).all()
    if source.views is None or white or (picture[..., 3] < 255).any():
        return picture
    cutout = cut_out(picture, max(shape), lambda _step, _of: None)
    return paste_back(cutout.rgba, cutout.crop)

# SPDX-License-Identifier: GPL-3.0-or-later
"""The first stage: the picture on the sphere, seen by its lens."""

from dataclasses import dataclass

import numpy as np

from ...arrays import BoolArray, Float32Array
from ...errors import UserError
from ...flow.products import Noted, Picture, Report, noted
from ...raster.colour import srgb_to_linear
from ...raster.resample import resample
from ...texture.camera import focal_length
from .settings import FOV, NARROWEST, WIDEST
from .sphere import View, bilinear, directions, seen_at

_ROWS = 64  # of the panorama, that are worked out at once
_LEAST = 4  # rows: a picture of fewer would fall between two of the panorama, which are bent where it is seen aslant
_SOLID = 0.5  # of alpha: what is more transparent is not known


@dataclass(frozen=True)
class Placed:
    """A picture on the sphere.

    light: float32 (H, 2 H, 3), linear light in [0, 1]; 0 where nothing is known. known: bool (H, 2 H).
    """

    light: Float32Array
    known: BoolArray


def placed(picture: Picture, *, fov: float, pitch: float, width: str, report: Report) -> Placed | Noted:
    """A picture, uint8 (H, W, 4), at its place on a sphere of so many pixels around.

    fov: degrees across the picture's width, 0 if its lens is not known; beyond `NARROWEST` and `WIDEST`, as telephoto
    lenses and fisheyes are, those are taken. What is more than half transparent stays unknown. Raises UserError
    "picture-empty" if nothing is known.
    """
    taken = min(max(fov or FOV, NARROWEST), WIDEST)
    view = View(0.0, pitch, taken)
    rows, columns = picture.shape[:2]
    height = int(width) // 2
    finer = focal_length(view.fov, columns) * np.pi / height  # pixels of the picture in one of the panorama
    shape = (max(_LEAST, round(rows / max(finer, 1))), max(1, round(columns / max(finer, 1))))
    if shape != (rows, columns):
        picture = resample(picture, (0, 0, columns, rows), shape)
    image = np.empty(picture.shape, np.float32)
    for top in range(0, len(picture), _ROWS):
        tones = picture[top : top + _ROWS].astype(np.float32) / 255
        alpha = tones[..., 3:]
        image[top : top + _ROWS] = np.concatenate([srgb_to_linear(tones[..., :3]) * alpha, alpha], axis=-1)
    light, known = np.zeros((height, 2 * height, 3), np.float32), np.zeros((height, 2 * height), np.bool_)
    for top in range(0, height, _ROWS):
        report(top, height)
        band = slice(top, top + _ROWS)
        light[band], known[band] = _seen(image, view, directions(height, band))
    if not known.any():
        raise UserError(
            "picture-empty",
            "The picture is transparent all over, or hardly opaque, so that there is nothing to continue.",
            "Choose a picture with its background.",
        )
    notes: list[str] = []
    if not fov:
        unknown = f"The picture's lens is not known: {FOV:g} degrees across were taken."
        notes.append(unknown + " Set Field of View if it is another.")
    elif taken != fov:
        notes.append(f"The picture's lens sees {fov:.0f} degrees across: {taken:g} were taken, as far as a world goes.")
    return noted(Placed(light, known), notes)


def _seen(image: Float32Array, view: View, ways: Float32Array) -> tuple[Float32Array, BoolArray]:
    """The light and what is known in directions (rows, columns, 3), of premultiplied light and alpha (h, w, 4)."""
    height, width = image.shape[:2]
    column, row = seen_at(view, ways, (height, width))
    light, known = np.zeros(ways.shape, np.float32), np.zeros(ways.shape[:2], np.bool_)
    inside = (column >= 0) & (column < width) & (row >= 0) & (row < height)
    seen = bilinear(image, column[inside], row[inside])
    alpha = seen[:, 3:]
    known[inside] = alpha[:, 0] > _SOLID
    light[inside] = np.where(alpha > _SOLID, seen[:, :3] / np.maximum(alpha, np.float32(_SOLID)), 0)
    return light, known

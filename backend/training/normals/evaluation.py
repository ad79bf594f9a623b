# SPDX-License-Identifier: GPL-3.0-or-later
"""How good normals are: the measures of the Hi3DGen paper (section 4.2), in degrees.

NE is the mean angle to the truth, SNE the same at the truth's edges. Both are means over pixels, then over pictures.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...arrays import Float32Array
from ...flow.products import Picture
from .folder import Read, pictured

SHARES = (11.25, 22.5, 30.0)
_SURE = 191  # of a mask's grey: the object
_ERODED = 10  # pixels: the border is where masks and maps are least sure
_CANNY = (50, 100)
_NEAR = 3  # pixels about an edge

PANEL = 256
"""The side of a picture in `row`, in pixels."""


@dataclass(frozen=True)
class Example:
    """A picture and its truth.

    picture: uint8 (H, W, 4), its alpha the mask. normals: float32 (H, W, 3), unit, x right. inside: bool (H, W), the
    pixels that NE counts. edges: bool (H, W), those that SNE counts.
    """

    name: str
    picture: Picture
    normals: Float32Array
    inside: NDArray[np.bool_]
    edges: NDArray[np.bool_]


@dataclass(frozen=True)
class Score:
    """One picture's errors in degrees; NaN if no pixel counts.

    shares: of the pixels whose error is below 11.25, 22.5 and 30 degrees, in [0, 1].
    """

    name: str
    error: float
    sharp: float
    median: float
    shares: tuple[float, ...]


def read_example(folder: Path, name: str, read: Read, *, x_left: bool = False) -> Example:
    """Read one of a folder's pictures, as `folder.pictured` does. Raises `UserError`."""
    import cv2  # noqa: PLC0415 - only the extra evaluation has it

    whole = pictured(folder, name, read, x_left=x_left)
    sure = (whole.picture[..., 3] > _SURE).astype(np.uint8)
    inside = cv2.erode(sure, np.ones((_ERODED, _ERODED), np.uint8)) > 0
    canny = cv2.Canny(cv2.cvtColor(whole.stored, cv2.COLOR_RGB2GRAY), *_CANNY)
    edges = inside & (cv2.dilate(canny, np.ones((_NEAR, _NEAR), np.uint8)) > 0)
    return Example(whole.name, whole.picture, whole.normals, inside, edges)


def angles(normals: Float32Array, truth: Float32Array) -> Float32Array:
    """Return the angles in degrees between unit normals, (H, W, 3) each."""
    return np.degrees(np.arccos(np.clip((normals * truth).sum(axis=-1), -1, 1)))


def score(example: Example, normals: Float32Array) -> Score:
    """Measure normals, float32 (H, W, 3), unit, x right, in the picture's frame."""
    error = angles(normals, example.normals)
    inside, edges = error[example.inside], error[example.edges]
    median = float(np.median(inside)) if len(inside) else float("nan")
    shares = tuple(_mean(inside < bound) for bound in SHARES)
    return Score(example.name, _mean(inside), _mean(edges), median, shares)


def mean(scores: list[Score]) -> Score:
    """Average over pictures; one that has no number does not count."""

    def over(values: Iterable[float]) -> float:
        return _mean(np.array([value for value in values if not np.isnan(value)]))

    shares = tuple(over(one.shares[index] for one in scores) for index in range(len(SHARES)))
    errors = (over(one.error for one in scores), over(one.sharp for one in scores), over(one.median for one in scores))
    return Score("mean", *errors, shares)


def _mean(values: NDArray[Any]) -> float:
    return float(values.mean()) if len(values) else float("nan")


def row(example: Example, normals: Float32Array, size: int = PANEL) -> Picture:
    """Show input, prediction, truth and error (white is 60 degrees) beside each other, uint8 (size, 4 size, 3).

    Each is made smaller if it is larger than size x size, and lies in the middle of a white square.
    """
    step = -(-max(example.inside.shape) // size)
    inside = example.picture[::step, ::step, 3:] > _SURE
    error = np.repeat(angles(normals, example.normals)[::step, ::step, None] / 60, 3, axis=2)
    panels = (
        example.picture[::step, ::step, :3] / 255,
        normals[::step, ::step] / 2 + 0.5,
        example.normals[::step, ::step] / 2 + 0.5,
        np.clip(error, 0, 1),
    )
    shown = np.ones((size, len(panels), size, 3))
    top, left = (size - inside.shape[0]) // 2, (size - inside.shape[1]) // 2
    for index, panel in enumerate(panels):
        shown[top : top + inside.shape[0], index, left : left + inside.shape[1]] = np.where(inside, panel, 1.0)
    return np.rint(np.clip(shown, 0, 1) * 255).astype(np.uint8).reshape(size, -1, 3)

# SPDX-License-Identifier: GPL-3.0-or-later
"""How good normals are: the measures of the Hi3DGen paper (section 4.2), in degrees.

NE is the mean angle to the truth, SNE the same where the truth has edges. Both are means over pixels, then over
pictures.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...flow.products import Floats, Picture
from .folder import Pictured, Read, names, pictured

SHARES = (11.25, 22.5, 30.0)
_SURE = 191  # of a mask's grey: the object
_ERODED = 10  # pixels: the border is where masks and maps are least sure
_CANNY = (50, 100)
_NEAR = 3  # pixels about an edge


@dataclass(frozen=True)
class Example:
    """A picture and its truth.

    picture: uint8 (H, W, 4), its alpha the mask. normals: float32 (H, W, 3), unit, x right. inside: bool (H, W), where
    it counts. edges: bool (H, W), where it counts for SNE.
    """

    name: str
    picture: Picture
    normals: Floats
    inside: NDArray[np.bool_]
    edges: NDArray[np.bool_]


@dataclass(frozen=True)
class Score:
    """One picture's. shares: of the pixels whose error is below 11.25, 22.5 and 30 degrees, in [0, 1]."""

    name: str
    error: float
    sharp: float
    median: float
    shares: tuple[float, ...]


def examples(folder: Path, read: Read, *, x_left: bool) -> Iterator[Example]:
    """Yield a folder's pictures by name, as `folder` reads them. Raises `UserError`."""
    for name in names(folder):
        yield _example(pictured(folder, name, read, x_left=x_left))


def _example(whole: Pictured) -> Example:
    import cv2  # noqa: PLC0415 - of the extra evaluation alone

    sure = (whole.picture[..., 3] > _SURE).astype(np.uint8)
    inside = cv2.erode(sure, np.ones((_ERODED, _ERODED), np.uint8)) > 0
    canny = cv2.Canny(cv2.cvtColor(whole.stored, cv2.COLOR_RGB2GRAY), *_CANNY)
    edges = inside & (cv2.dilate(canny, np.ones((_NEAR, _NEAR), np.uint8)) > 0)
    return Example(whole.name, whole.picture, whole.normals, inside, edges)


def angles(normals: Floats, truth: Floats) -> Floats:
    """Return the angles in degrees between unit normals, (H, W, 3) each."""
    return np.degrees(np.arccos(np.clip((normals * truth).sum(axis=-1), -1, 1)))


def score(example: Example, normals: Floats) -> Score:
    """Measure normals, float32 (H, W, 3), unit, x right, in the picture's frame."""
    error = angles(normals, example.normals)
    inside = error[example.inside]
    shares = tuple(float((inside < bound).mean()) for bound in SHARES)
    sharp = float(error[example.edges].mean()) if example.edges.any() else float("nan")
    return Score(example.name, float(inside.mean()), sharp, float(np.median(inside)), shares)


def mean(scores: list[Score]) -> Score:
    """Average over pictures; one without edges does not count for SNE."""
    shares = tuple(float(np.mean([one.shares[index] for one in scores])) for index in range(len(SHARES)))
    return Score(
        "mean",
        float(np.mean([one.error for one in scores])),
        float(np.nanmean([one.sharp for one in scores])),
        float(np.mean([one.median for one in scores])),
        shares,
    )


def row(example: Example, normals: Floats, size: int = 256) -> Picture:
    """Show input, prediction, truth and error (white is 60 degrees) beside each other, uint8 (size, 4 size, 3)."""
    step = -(-max(example.inside.shape) // size)
    inside = example.picture[::step, ::step, 3:] > _SURE
    error = np.repeat(angles(normals, example.normals)[::step, ::step, None] / 60, 3, axis=2)
    panels = (
        example.picture[::step, ::step, :3] / 255,
        normals[::step, ::step] / 2 + 0.5,
        example.normals[::step, ::step] / 2 + 0.5,
        np.clip(error, 0, 1),
    )
    shown = np.concatenate([np.where(inside, panel, 1.0) for panel in panels], axis=1)
    return np.rint(np.clip(shown, 0, 1) * 255).astype(np.uint8)

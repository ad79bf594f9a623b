# SPDX-License-Identifier: GPL-3.0-or-later
"""The background, told from the colours along the picture's border.

A studio's background is a smooth field: one colour, a gradient, a vignette. It is described by a polynomial in x and y
for each of Oklab's three numbers. The first fit sees the border alone, where an object may stand too, so each pixel's
say falls with its misfit and the tolerance is narrowed step by step (graduated non-convexity with the Geman-McClure
function; Black and Rangarajan, International Journal of Computer Vision, 1996). Later fits see whatever background was
found within, so that they may bend more.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..arrays import BoolArray, Float32Array
from ..errors import UserError
from ..raster.components import border, components

_BORDER_FITS = ((0.3, 1), (0.15, 1), (0.1, 2), (0.06, 2), (0.035, 2))  # tolerance in Oklab, degree
_FIELD_FITS = ((0.05, 4), (0.035, 4))
_DEGREE = 4
_PLAIN = 0.05  # Oklab; within this of the field a pixel of the small view is background
_LEAST_PLAIN_BORDER = 0.7  # below it, land and sky would count as an object and its background
_STIFFNESS = 1e-3  # against wild bends where no background is seen


@dataclass(frozen=True)
class Background:
    """A field of colour over the picture: Oklab polynomials in x and y, which run from -1 to 1 across it.

    coefficients: float64 (5, 5, 3), of x^i y^j at [j, i].
    """

    coefficients: NDArray[np.float64]

    def over(self, x: NDArray[np.float64], y: NDArray[np.float64]) -> Float32Array:
        """Return the background's Oklab colours, float32 (len(y), len(x), 3), at the columns x and the rows y."""
        powers_x, powers_y = (np.power.outer(axis, np.arange(_DEGREE + 1)) for axis in (x, y))
        along_x = np.einsum("xi,jic->jxc", powers_x, self.coefficients).reshape(_DEGREE + 1, -1)
        return (powers_y @ along_x).reshape(len(y), len(x), 3).astype(np.float32)


def judge(lab: Float32Array) -> Background:
    """Tell the background from a small view of the picture.

    lab: Oklab float32 (h, w, 3), some 100 pixels across, averaged down so that grain is gone.

    Raises UserError where the border is not of one smooth colour.
    """
    x, y = centres(lab.shape[1]), centres(lab.shape[0])
    frame = border(lab.shape[:2])
    field = _robust_fit(lab, frame, _BORDER_FITS)
    plain = np.linalg.norm(lab - field.over(x, y), axis=-1) < _PLAIN
    if plain[frame].mean() < _LEAST_PLAIN_BORDER:
        raise UserError(
            "no-plain-background",
            "The picture's background is not plain enough to tell the object from it.",
            "Cut the object out, so that everything around it is transparent, and save the picture as PNG.",
        )
    for _ in range(3):
        parts = components(plain)
        field = _robust_fit(lab, parts.chosen(parts.touched(frame)), _FIELD_FITS, start=field)
        plain = np.linalg.norm(lab - field.over(x, y), axis=-1) < _PLAIN
    return field


def centres(count: int) -> NDArray[np.float64]:
    """Return where the centres of `count` pixels lie between -1 and 1, the picture's edges."""
    return (np.arange(count) + 0.5) * 2 / count - 1


def _robust_fit(
    lab: Float32Array, seen: BoolArray, fits: tuple[tuple[float, int], ...], start: Background | None = None
) -> Background:
    """Fit a field to the pixels of `seen`, with ever less patience for those that do not fit."""
    rows, columns = np.nonzero(seen)
    x, y, colours = centres(lab.shape[1])[columns], centres(lab.shape[0])[rows], lab[rows, columns].astype(np.float64)
    guess = (
        np.median(colours, axis=0)
        if start is None
        else start.over(centres(lab.shape[1]), centres(lab.shape[0]))[rows, columns]
    )
    coefficients = np.zeros((_DEGREE + 1, _DEGREE + 1, 3))
    for tolerance, degree in fits:
        weights = (1 + np.sum((colours - guess) ** 2, axis=1) / tolerance**2) ** -2
        j, i = np.array([(j, i) for j in range(degree + 1) for i in range(degree + 1 - j)]).T
        terms = x[:, None] ** i * y[:, None] ** j
        # Constants are free, bends are held a little.
        stiffness = np.diag(np.where(i + j > 0, _STIFFNESS * weights.sum(), 0.0))
        weighted = terms * weights[:, None]
        solution = np.linalg.solve(weighted.T @ terms + stiffness, weighted.T @ colours)
        guess = terms @ solution
        coefficients[j, i] = solution
    return Background(coefficients)

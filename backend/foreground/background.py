# SPDX-License-Identifier: GPL-3.0-or-later
"""Estimate the background's colours from those along the picture's border.

A studio's background is smooth: one colour, a gradient, a vignette. It is modelled by a polynomial in x and y for each
of Oklab's three numbers. The first fit uses the border alone. The object may touch the border, so a pixel counts less
the worse it fits, and the tolerance is narrowed step by step (graduated non-convexity with the Geman-McClure function;
Black and Rangarajan, International Journal of Computer Vision, 1996). Later fits also use the background found further
inside, so they have a higher degree.
"""

from dataclasses import dataclass

import numpy as np

from ..arrays import BoolArray, Float32Array, Float64Array
from ..errors import UserError
from ..raster.components import border, components

_BORDER_FITS = ((0.3, 1), (0.15, 1), (0.1, 2), (0.06, 2), (0.035, 2))  # tolerance in Oklab, degree
_FIELD_FITS = ((0.05, 4), (0.035, 4))
_DEGREE = 4
_PLAIN = 0.05  # Oklab: a pixel nearer than this to the model is background
_LEAST_PLAIN_BORDER = 0.7  # share of the border; with less, sky would count as background and land as the object
_STIFFNESS = 1e-3  # keeps the polynomials tame where no background is seen


@dataclass(frozen=True)
class Background:
    """The background's colours: Oklab polynomials in x and y, which run from -1 to 1 across the picture.

    coefficients: float64 (5, 5, 3), of x^i y^j at [j, i].
    """

    coefficients: Float64Array

    def over(self, x: Float64Array, y: Float64Array) -> Float32Array:
        """Return the background's Oklab colours, float32 (len(y), len(x), 3).

        x, y: float64 (N,), the columns and rows to return, in [-1, 1].
        """
        powers_x, powers_y = (np.power.outer(axis, np.arange(_DEGREE + 1)) for axis in (x, y))
        along_x = np.einsum("xi,jic->jxc", powers_x, self.coefficients).reshape(_DEGREE + 1, -1)
        return (powers_y @ along_x).reshape(len(y), len(x), 3).astype(np.float32)


def estimate(lab: Float32Array) -> Background:
    """Estimate the background from a small version of the picture.

    lab: Oklab float32 (h, w, 3), some 100 pixels across, averaged so that its grain is gone.

    Raises UserError if the border has no smooth colour.
    """
    x, y = centres(lab.shape[1]), centres(lab.shape[0])
    frame = border(lab.shape[:2])
    field = _robust_fit(lab, frame, _BORDER_FITS)
    plain = np.linalg.norm(lab - field.over(x, y), axis=-1) < _PLAIN
    if plain[frame].mean() < _LEAST_PLAIN_BORDER:
        raise not_plain()
    for _ in range(3):
        parts = components(plain)
        field = _robust_fit(lab, parts.mask(parts.touched(frame)), _FIELD_FITS, start=field)
        plain = np.linalg.norm(lab - field.over(x, y), axis=-1) < _PLAIN
    return field


def not_plain() -> UserError:
    """Return the error for a background from which the object cannot be told."""
    sentence = "The picture's background is not plain enough to tell the object from it."
    advice = "Cut the object out, so that everything around it is transparent, and save the picture as PNG."
    return UserError("no-plain-background", sentence, advice)


def centres(count: int) -> Float64Array:
    """Return the centres of `count` pixels, float64 (count,), if the picture's edges are at -1 and 1."""
    return (np.arange(count) + 0.5) * 2 / count - 1


def _robust_fit(
    lab: Float32Array, seen: BoolArray, fits: tuple[tuple[float, int], ...], start: Background | None = None
) -> Background:
    """Fit the background to the pixels of `seen`, bool (h, w).

    fits: tolerance in Oklab and degree of each round. start: the guess that the first round's weights are taken from;
    without it the median colour.
    """
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
        # The constant is free; higher terms are held to 0 a little.
        stiffness = np.diag(np.where(i + j > 0, _STIFFNESS * weights.sum(), 0.0))
        weighted = terms * weights[:, None]
        solution = np.linalg.solve(weighted.T @ terms + stiffness, weighted.T @ colours)
        guess = terms @ solution
        coefficients[j, i] = solution
    return Background(coefficients)

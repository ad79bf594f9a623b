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

from ..arrays import BoolArray, Float32Array, Float64Array, Int64Array
from ..errors import UserError
from ..raster.components import components
from ..raster.small_systems import products, solved
from ..raster.vectors import dot, length

_BORDER_FITS = ((0.3, 1), (0.15, 1), (0.1, 2), (0.06, 2), (0.035, 2))  # tolerance in Oklab, degree
_RUN_FITS = ((0.1, 1), (0.06, 1))
_AGREEING_FITS = ((0.06, 1), (0.045, 2), (0.035, 2))
_FIELD_FITS = ((0.05, 4), (0.035, 4))
_DEGREE = 4
_PLAIN = 0.05  # Oklab: a pixel nearer than this to the model is background
_LEAST_PLAIN_BORDER = 0.7  # share of the border; with less, sky would count as background and land as the object
_INSETS = (0, 2, 4)  # pixels from the border: a frame, or a screenshot's rounded corner, may lie along it
_JUMP = 0.035  # Oklab: between pixels of the border two apart, more than a smooth background changes
_LEAST_RUN = 0.2  # of the border between two jumps, to be taken for the background
_DARKER = 1.5  # times as much counts a misfit towards the dark: shadows fall on a ground, and light seldom
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

    def plain(field: Background) -> BoolArray:
        return length(lab - field.over(x, y)) < _PLAIN

    rings = [_ring(lab.shape[:2], inset) for inset in _INSETS if 4 * inset < min(lab.shape[:2])]
    fields = [_along(lab, ring) for ring in rings]
    # A frame is one colour along its ring too, but not in the picture.
    found = [(plain(field), ring, field) for field, ring in zip(fields, rings, strict=True)]
    found = [(seen.mean(), ring, field) for seen, ring, field in found if seen[ring].mean() >= _LEAST_PLAIN_BORDER]
    if not found:
        raise not_plain()
    _, ring, field = max(found, key=lambda one: one[0])
    seeds = np.zeros(lab.shape[:2], np.bool_)
    seeds[ring] = True
    for _ in range(3):
        parts = components(plain(field))
        field = _robust_fit(lab, parts.mask(parts.touched(seeds)), _FIELD_FITS, start=field)
    return field


def _ring(shape: tuple[int, ...], inset: int) -> tuple[Int64Array, Int64Array]:
    """Return the rows and columns of the pixels that are `inset` pixels from the border, once around."""
    bottom, right = shape[0] - 1 - inset, shape[1] - 1 - inset
    down, across = np.arange(inset, bottom), np.arange(inset, right)
    rows = (np.full(len(across), inset), down, np.full(len(across), bottom), down[::-1] + 1)
    columns = (across, np.full(len(down), right), across[::-1] + 1, np.full(len(down), inset))
    return np.concatenate(rows), np.concatenate(columns)


def _along(lab: Float32Array, ring: tuple[Int64Array, Int64Array]) -> Background:
    """Fit the background to a ring of pixels, of which the object may take a part.

    If the ring's colours jump, the object or a frame begins there. So the longest run between jumps comes first, and
    then what agrees with it.
    """
    colours = lab[ring]
    jumps = np.flatnonzero(length(colours - np.roll(colours, 2, axis=0)) > _JUMP)
    seen = np.zeros(lab.shape[:2], np.bool_)
    seen[ring] = True
    if len(jumps) < 2:
        return _robust_fit(lab, seen, _BORDER_FITS)
    lengths = np.diff(np.append(jumps, jumps[0] + len(colours)))
    longest = int(np.argmax(lengths))
    run = (jumps[longest] + np.arange(lengths[longest])) % len(colours)
    first = np.zeros_like(seen)
    first[ring[0][run], ring[1][run]] = True
    if lengths[longest] < _LEAST_RUN * len(colours):
        return _robust_fit(lab, seen, _BORDER_FITS)
    return _robust_fit(lab, seen, _AGREEING_FITS, start=_robust_fit(lab, first, _RUN_FITS))


def not_plain() -> UserError:
    """Return the error for a background from which the object cannot be told."""
    sentence = "The picture's background is not plain enough to tell the object from it."
    advice = "Cut the object out: in Blender by Draw Cut-out, elsewhere so that all around it is transparent."
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
    colours = lab[rows, columns].astype(np.float64)
    powers_y, powers_x = (centres(count)[:, None] ** np.arange(_DEGREE + 1) for count in lab.shape[:2])
    down, across = powers_y[rows], powers_x[columns]
    guess = (
        np.median(colours, axis=0)
        if start is None
        else start.over(centres(lab.shape[1]), centres(lab.shape[0]))[rows, columns]
    )
    coefficients = np.zeros((_DEGREE + 1, _DEGREE + 1, 3))
    for tolerance, degree in fits:
        misfit = colours - guess
        darker = np.where(misfit[:, 0] < 0, _DARKER, 1.0)
        weights = 1 / (1 + darker * dot(misfit, misfit) / tolerance**2) ** 2
        j, i = np.array([(j, i) for j in range(degree + 1) for i in range(degree + 1 - j)]).T
        terms = across[:, i] * down[:, j]
        # The constant is free; higher terms are held to 0 a little.
        stiffness = np.diag(np.where(i + j > 0, _STIFFNESS * 2.0 ** np.maximum(i + j - 2, 0) * weights.sum(), 0.0))
        weighted = terms * weights[:, None]
        solution = solved(products(weighted, terms) + stiffness, products(weighted, colours))
        guess = np.einsum("nt,tc->nc", terms, solution)
        coefficients[j, i] = solution
    return Background(coefficients)

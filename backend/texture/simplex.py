# SPDX-License-Identifier: GPL-3.0-or-later
"""Simplex search for a function's least value (Nelder and Mead, A Simplex Method for Function Minimization, 1965)."""

from collections.abc import Callable

import numpy as np

from ..arrays import Float64Array


def minimised(
    function: Callable[[Float64Array], float], start: Float64Array, steps: Float64Array, evaluations: int
) -> Float64Array:
    """Go down from a place, float64 (N,), and return the best place.

    steps: float64 (N,), the first simplex's sides along each axis, none 0. evaluations: of the function, about.
    """
    places = np.concatenate([start[None], start + np.diag(steps)])
    values = np.array([function(place) for place in places])
    left = evaluations - len(values)
    while left > 0:
        order = np.argsort(values, kind="stable")
        places, values = places[order], values[order]
        middle = places[:-1].mean(axis=0)
        mirrored = 2 * middle - places[-1]
        value = function(mirrored)
        left -= 1
        if value < values[0]:
            farther = 3 * middle - 2 * places[-1]
            far = function(farther)
            left -= 1
            places[-1], values[-1] = (farther, far) if far < value else (mirrored, value)
        elif value < values[-2]:
            places[-1], values[-1] = mirrored, value
        else:
            outside = value < values[-1]
            nearer = (middle + (mirrored if outside else places[-1])) / 2
            near = function(nearer)
            left -= 1
            if near < min(value, values[-1]):
                places[-1], values[-1] = nearer, near
            else:
                places[1:] = (places[1:] + places[0]) / 2
                values[1:] = [function(place) for place in places[1:]]
                left -= len(values) - 1
    return places[int(np.argmin(values))]

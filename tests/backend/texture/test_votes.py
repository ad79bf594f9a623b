# SPDX-License-Identifier: GPL-3.0-or-later
"""What goes on where nothing is known: the nearest colours, and not those across the air."""

import numpy as np
from numpy.testing import assert_allclose

from backend.arrays import Float64Array
from backend.texture.votes import likely

RED, GREY = (0.8, 0.1, 0.1), (0.5, 0.5, 0.5)


def of_side(normals: tuple[float, ...] | None) -> Float64Array:
    """The colour of a body's side at x = 0: the body's front is red, and 0.1 beside it hangs a grey arm."""
    rng = np.random.default_rng(0)
    body = rng.uniform((-0.6, -0.5, 0.2), (-0.1, 0.5, 0.2), (400, 3))
    arm = rng.uniform((0.1, -0.5, 0.0), (0.2, 0.5, 0.0), (400, 3))
    colours = np.repeat([RED, GREY], 400, axis=0).astype(np.float64)
    side = np.array([[0.0, 0.0, -0.1], [0.0, 0.1, -0.1]])
    out = None if normals is None else np.tile(np.array(normals), (2, 1))
    return likely(side, np.concatenate([body, arm]), colours, np.ones(800), 1, lambda: None, normals=out)


def test_what_hangs_in_front_of_a_surface_hardly_votes() -> None:
    assert_allclose(of_side(None), [GREY] * 2, atol=0.05)
    assert_allclose(of_side((1, 0, 0)), [RED] * 2, atol=0.05)


def test_what_lies_behind_a_surface_votes_as_if_there_were_no_surface() -> None:
    assert_allclose(of_side((-1, 0, 0)), [GREY] * 2, atol=0.05)

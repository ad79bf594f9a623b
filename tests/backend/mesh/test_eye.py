# SPDX-License-Identifier: GPL-3.0-or-later
"""A picture's camera, found from where it shows the vertices of a mesh."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.arrays import Float64Array
from backend.mesh.eye import NoEyeError, find_eye

BLOB = np.random.default_rng(3).normal(size=(500, 3)) * (0.3, 0.5, 0.2)
turns = st.tuples(*(st.floats(-1.5, 1.5) for _ in range(3)))


def turned(angles: tuple[float, float, float]) -> Float64Array:
    """Axes of a camera, a row each: right, up, to the viewer."""
    axes = np.eye(3)
    for axis, angle in enumerate(angles):
        one, other = (axis + 1) % 3, (axis + 2) % 3
        turn = np.eye(3)
        turn[[one, one, other, other], [one, other, one, other]] = (
            *(np.cos(angle), -np.sin(angle)),
            *(np.sin(angle), np.cos(angle)),
        )
        axes = turn @ axes
    return axes


@given(turns, st.floats(2.0, 8.0), st.floats(0.5, 3.0))
def test_a_pinhole_camera_is_found(angles: tuple[float, float, float], distance: float, focal: float) -> None:
    axes = turned(angles)
    place = axes[2] * distance + 0.1 * axes[0]
    seen = (BLOB - place) @ axes.T
    uv = 0.5 + focal * seen[:, :2] / -seen[:, 2:]
    eye = find_eye(BLOB.astype(np.float32), uv.astype(np.float32))
    np.testing.assert_allclose(eye.axes, axes, atol=2e-3)
    np.testing.assert_allclose(eye.place[:3] / eye.place[3], place, atol=2e-3 * distance)
    np.testing.assert_allclose(eye.seen(BLOB), np.column_stack([uv, -seen[:, 2]]), atol=1e-3 * distance)
    np.testing.assert_allclose(
        eye.rays(BLOB), (place - BLOB) / np.linalg.norm(place - BLOB, axis=1)[:, None], atol=2e-3
    )


@given(turns, st.floats(0.2, 3.0))
def test_parallel_rays_are_found(angles: tuple[float, float, float], scale: float) -> None:
    axes = turned(angles)
    uv = 0.4 + scale * BLOB @ axes[:2].T
    eye = find_eye(BLOB.astype(np.float32), uv.astype(np.float32))
    assert eye.place[3] == 0
    np.testing.assert_allclose(eye.axes, axes, atol=1e-5)
    np.testing.assert_allclose(eye.rays(BLOB), np.tile(axes[2], (len(BLOB), 1)), atol=1e-5)
    depth = -BLOB @ axes[2]
    np.testing.assert_allclose(eye.seen(BLOB), np.column_stack([uv, depth]), atol=1e-5)


def test_a_flat_mesh_has_an_eye() -> None:
    flat = (BLOB * (1, 0, 1)).astype(np.float32)
    eye = find_eye(flat, 0.5 + flat[:, [0, 2]])
    np.testing.assert_allclose(eye.axes[2], (0, -1, 0), atol=1e-6)


@pytest.mark.parametrize(
    "uv",
    [
        np.full((500, 2), 0.5),
        np.random.default_rng(1).random((500, 2)),
        0.5 + BLOB[:, [0, 0]],
        0.5 + BLOB[:, :2] / (BLOB[:, 2:] + 0.1),
    ],
    ids=["one place", "noise", "one line", "an eye within"],
)
def test_what_is_no_picture_has_no_eye(uv: Float64Array) -> None:
    with pytest.raises(NoEyeError):
        find_eye(BLOB.astype(np.float32), uv.astype(np.float32))


def test_a_mirrors_picture_has_no_eye() -> None:
    uv = 0.5 + BLOB[:, :2] * (-1, 1) / (4 - BLOB[:, 2:])
    with pytest.raises(NoEyeError):
        find_eye(BLOB.astype(np.float32), uv.astype(np.float32))

# SPDX-License-Identifier: GPL-3.0-or-later
"""The draft body is a closed manifold for any mask and any normals, and shows those normals."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from backend.arrays import Float32Array, Float64Array
from backend.engines.draft import geometry as draft
from backend.errors import Cancelled, UserError
from backend.flow.products import Mesh, NormalMap, Noted
from backend.mesh import check

FACING = np.array([0, 0, 1], np.float32)
ROOT = Path(__file__).resolve().parents[4]
SIZES = (16, 32, 128, 512)

# Prints the hash of a reduced mesh made from a star and noise: large enough for a BLAS to share it between threads.
HASH_OF_MESHES = """
import hashlib
import numpy as np
from backend.engines.draft.geometry import build
from backend.engines.draft.normals import estimate
from backend.flow.products import NormalMap
from backend.foreground.cut_out import cut_out
from backend.mesh.reduce import reduce

def ignore(step, of):
    pass

row, column = np.mgrid[:256, :256] - 127.5
edge = 80 + 30 * np.cos(5 * np.arctan2(row, column))
alpha = np.clip(edge - np.hypot(row, column), 0, 1).astype(np.float32)
normals = np.random.default_rng(1).normal(size=(256, 256, 3)) + (0, 0, 2)
shade = 60 + 40 * np.sin(row / 9) + 30 * np.cos(column / 17)
picture = np.repeat((230 + alpha * (shade - 230))[..., None], 4, axis=2).astype(np.uint8)
picture[..., 3] = 255
for normal_map in (NormalMap(normals.astype(np.float32), alpha), estimate(cut_out(picture, 256, ignore), ignore)):
    mesh = reduce(build(normal_map, 3, ignore), faces=10_000, report=ignore)
    print(hashlib.sha256(b"".join(part.tobytes() for part in (mesh.vertices, mesh.triangles, mesh.uv))).hexdigest())
"""


def ignore(_step: int, _of: int) -> None:
    """Watch nothing."""


def facing(alpha: NDArray[np.floating[Any]]) -> NormalMap:
    """Return a map that faces the viewer everywhere."""
    return NormalMap(np.broadcast_to(FACING, (*alpha.shape, 3)).copy(), alpha.astype(np.float32))


def disc(size: int, radius: float) -> Float64Array:
    row, column = np.mgrid[:size, :size] - (size - 1) / 2
    return np.clip(radius - np.hypot(row, column) + 0.5, 0, 1)


def sphere_normals(size: int, radius: float, depth: float) -> NormalMap:
    """Return the normals of an ellipsoid: a disc, `depth` times as deep as the sphere."""
    row, column = np.mgrid[:size, :size] - (size - 1) / 2
    z = np.sqrt(np.maximum(radius**2 - row**2 - column**2, 0))
    normals = np.stack([depth * column, -depth * row, z], axis=-1)
    normals /= np.linalg.norm(normals, axis=-1, keepdims=True)
    return NormalMap(normals.astype(np.float32), disc(size, radius).astype(np.float32))


def assert_closed_manifold(mesh: Mesh) -> None:
    """Assert that a mesh is closed, manifold, outward and finite, and its UVs inside the frame."""
    assert check.is_closed(mesh.triangles)
    assert check.pinched_vertices(mesh.triangles) == 0
    assert check.signed_volume(mesh.vertices, mesh.triangles) > 0
    assert np.isfinite(mesh.vertices).all()
    assert mesh.uv.min() >= 0
    assert mesh.uv.max() <= 1


squares = st.integers(1, 14).map(lambda side: (side, side))
hard_masks = hnp.arrays(np.float32, squares, elements=st.sampled_from([0.0, 1.0]))
soft_masks = hnp.arrays(np.float32, squares, elements=st.floats(0, 1, width=32))


@given(st.one_of(hard_masks, soft_masks), st.integers(0, 2**31 - 1))
@settings(deadline=None, max_examples=40)
def test_any_mask_gives_a_closed_manifold(alpha: Float32Array, seed: int) -> None:
    if not (alpha > 0.5).any():
        with pytest.raises(UserError) as caught:
            draft.build(facing(alpha), seed, ignore)
        assert caught.value.code == "empty-cutout"
        return
    assert_closed_manifold(draft.build(facing(alpha), seed, ignore))


@given(hnp.arrays(np.float32, (9, 9, 3), elements=st.floats(width=32)), st.integers(0, 100))
@settings(deadline=None, max_examples=20)
def test_any_normals_give_a_closed_manifold(normals: Float32Array, seed: int) -> None:
    alpha = disc(9, 3.6).astype(np.float32)
    assert_closed_manifold(draft.build(NormalMap(normals, alpha), seed, ignore))


def test_parts_and_holes_of_the_mask_become_parts_and_holes_of_the_body() -> None:
    ring = disc(64, 14) - disc(64, 6)
    alpha = np.maximum(np.roll(ring, -15, axis=1), np.roll(disc(64, 8), 18, axis=1))
    mesh = draft.build(facing(alpha), 0, ignore)
    assert_closed_manifold(mesh)
    part = check.vertex_components(mesh.triangles, len(mesh.vertices))
    assert len(np.unique(part)) == 2
    # Euler's characteristic: 0 for the torus that the ring becomes, 2 for the ball.
    edges = len(check.half_edges(mesh.triangles)) // 2
    assert len(mesh.vertices) - edges + len(mesh.triangles) == 2


@given(st.integers(0, 1000), st.integers(3, 12), st.floats(0.1, 0.6))
@settings(deadline=None, max_examples=8)
def test_neither_front_nor_back_folds_over_itself(seed: int, lobes: int, depth: float) -> None:
    row, column = np.mgrid[:128, :128] - 63.5
    angle = np.arctan2(row, column)
    edge = 40 * (1 + depth * np.cos(lobes * angle)) / (1 + depth) + 12
    alpha = np.clip(edge - np.hypot(row, column), 0, 1).astype(np.float32)
    normals = np.random.default_rng(seed).normal(size=(128, 128, 3)).astype(np.float32)
    mesh = draft.build(NormalMap(normals, alpha), seed, ignore)
    a, b, c = np.moveaxis(mesh.corner_uv.astype(np.float64), 1, 0)  # as the viewer sees them
    area = (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (b[:, 1] - a[:, 1]) * (c[:, 0] - a[:, 0])
    first_of_back = int(np.argmax(area < 0))
    assert (area[:first_of_back] > -1e-9).all()  # float32 rounds by as much
    assert (area[first_of_back:] < 1e-9).all()


@pytest.mark.parametrize("depth", [0.5, 1.0])
def test_an_ellipsoids_normals_give_its_front_and_a_plausible_back(depth: float) -> None:
    mesh = draft.build(sphere_normals(128, 50.0, depth), 0, ignore, upright=False, estimated=False)
    x, y, z = mesh.vertices.T * 128
    rim = np.median(y[np.hypot(x, z) > np.quantile(np.hypot(x, z), 0.97)])
    assert rim - y.min() == pytest.approx(depth * 50, rel=0.35)
    assert np.ptp(z) == pytest.approx(np.ptp(x), rel=0.05)
    assert 0.5 * depth < np.ptp(y) / np.ptp(x) < 1.2


def test_a_ball_is_a_little_deep_and_deeper_from_estimated_normals_which_are_flatter() -> None:
    ball = sphere_normals(128, 50.0, 1.0)
    extents = [
        np.ptp(draft.build(ball, 0, ignore, upright=False, estimated=flat).vertices, axis=0) for flat in (False, True)
    ]
    depths = [deep / wide for wide, deep, _ in extents]
    assert depths[0] == pytest.approx(1.1, abs=0.03)
    assert depths[1] / depths[0] == pytest.approx(1.1, abs=0.03)


def test_a_fence_keeps_its_outline_although_that_alone_has_more_points_than_a_body_may() -> None:
    alpha = np.zeros((512, 512), np.float32)
    alpha[40:472, 40:472] = 1
    for first in range(48, 464, 24):
        for second in range(48, 464, 24):
            alpha[first : first + 14, second : second + 14] = 0
    mesh = draft.build(facing(alpha), 0, ignore)
    assert_closed_manifold(mesh)
    edges = len(check.half_edges(mesh.triangles)) // 2
    assert len(mesh.vertices) - edges + len(mesh.triangles) == 2 - 2 * 18**2, "every hole of the fence is one"


def test_a_body_is_as_deep_at_all_resolutions() -> None:
    maps = [sphere_normals(size, 0.4 * size, 1.0) for size in SIZES]
    extents = [np.ptp(draft.build(one, 0, ignore, upright=False).vertices, axis=0) for one in maps]
    depths = [deep / wide for wide, deep, _ in extents]
    assert max(depths) < 1.25 * min(depths)


def test_a_seed_changes_the_back_and_never_the_front() -> None:
    normal_map = sphere_normals(64, 25.0, 0.5)
    neutral = draft.build(normal_map, 0, ignore, upright=False)
    depths = set[float]()
    for seed in range(8):
        other = draft.build(normal_map, seed, ignore, upright=False)
        # The front's and the rim's vertices come first, and then the back's.
        count = min(len(other.vertices), len(neutral.vertices))
        same = (other.vertices[:count] == neutral.vertices[:count]).all(axis=1)
        alike = count if same.all() else int(np.argmin(same))
        assert alike > 0.4 * len(neutral.vertices)
        depths.add(round(float(np.ptp(other.vertices[:, 1])), 5))
        again = draft.build(normal_map, seed, ignore, upright=False)
        np.testing.assert_array_equal(again.vertices, other.vertices)
        np.testing.assert_array_equal(again.triangles, other.triangles)
    assert len(depths) == 8


def test_without_its_weights_the_body_is_a_plain_one_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(draft, "WEIGHTS", Path("nowhere.npz"))
    normal_map = sphere_normals(128, 50.0, 0.5)
    plain, thick = (draft.build(normal_map, 0, ignore, thickness=thickness) for thickness in (1.0, 2.0))
    assert isinstance(plain, Noted)
    assert isinstance(thick, Noted)
    assert plain.notes == ("The body is a plain one, because a file of the extension is missing or damaged.",)
    x, y, z = plain.product.vertices.T * 128
    error = np.abs(-y - 0.5 * np.sqrt(np.maximum(50.0**2 - x**2 - z**2, 0)))[y < 0]
    assert error.max() < 3.0
    assert error.mean() < 0.5
    deepest = [float(body.product.vertices[:, 1].max()) for body in (plain, thick)]
    assert deepest[1] == pytest.approx(2 * deepest[0], rel=0.02)


def test_meshes_of_normals_and_of_a_picture_are_the_same_to_the_bit_in_processes_of_one_and_of_two_threads() -> None:
    hashes = set[str]()
    for threads in ("1", "2"):
        limits = {"OMP_NUM_THREADS": threads, "OPENBLAS_NUM_THREADS": threads, "MKL_NUM_THREADS": threads}
        command = [sys.executable, "-c", HASH_OF_MESHES]
        printed = subprocess.run(command, cwd=ROOT, env=os.environ | limits, check=True, capture_output=True, text=True)
        hashes.add(printed.stdout)
    assert len(hashes) == 1


def test_it_reports_and_can_be_cancelled() -> None:
    normal_map = sphere_normals(64, 25.0, 0.5)
    seen: list[tuple[int, int]] = []
    draft.build(normal_map, 0, lambda step, of: seen.append((step, of)))
    assert seen == sorted(seen)
    assert seen[-1][0] == seen[-1][1]

    def cancel(_step: int, _of: int) -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        draft.build(normal_map, 0, cancel)

# SPDX-License-Identifier: GPL-3.0-or-later
"""Both sheets of a view lie on its rays: the solid begins at the front and ends at the back."""

import numpy as np
import pytest

pytest.importorskip("torch", reason="torch is not installed here: the extra training has it")
pytest.importorskip("numba", reason="numba is not installed here: the extra training has it")

from backend.geometry.features import SIDE
from backend.training.geometry.held_out import judge, layers, make_truth
from backend.training.geometry.views import Views, draw_scenes, part, rays, sample_views, view
from backend.training.shapes.field import distances


def test_the_sheets_bound_what_is_solid_along_every_ray() -> None:
    for scene in draw_scenes(np.random.default_rng(3), 3):
        seen = view(scene, None)
        mask = seen.mask[0]
        back = scene.camera.turn[2]
        shift = (scene.seen.places @ back / scene.camera.half)[mask].mean()
        places = rays(scene.camera, SIDE, layers().astype(np.float64) + shift)[mask]
        pixel = 2 * scene.camera.half / SIDE
        solid = distances(np.ascontiguousarray(places.reshape(-1, 3).T), scene.shape, 1, pixel) < -pixel
        solid = solid.reshape(places.shape[:2])
        z = layers()
        before, behind = z > seen.front[0][mask][:, None] + 0.03, z < seen.back[0][mask][:, None] - 0.03
        assert (solid & (before | behind)).sum() < 0.002 * solid.sum()


def test_a_block_is_a_pure_function_of_its_seed_and_index() -> None:
    one, same, other = (sample_views(4, index, 2, 0.5) for index in (7, 7, 8))
    for name in Views.__dataclass_fields__:
        np.testing.assert_array_equal(getattr(one, name), getattr(same, name))
    assert not np.array_equal(one.front, other.front)


def test_a_view_says_what_its_docstring_says() -> None:
    views = sample_views(5, 0, 4, 0.0)
    mask = views.mask
    assert np.isfinite(views.planes).all()
    assert (views.front[~mask] == 0).all()
    assert (views.front >= views.back).all()
    for one in range(len(mask)):
        assert views.front[one][mask[one]].mean() == pytest.approx(0, abs=1e-3)
    for normals, toward in ((views.before, 1), (views.behind, -1)):
        lengths = np.linalg.norm(normals[mask].astype(float), axis=1)
        np.testing.assert_allclose(lengths, 1, atol=5e-3)
        assert (toward * normals[mask][:, 2] > -0.5).mean() > 0.99  # in perspective a little may face away
    np.testing.assert_allclose(np.linalg.norm(views.up, axis=1), 1, atol=1e-5)
    assert ((views.nearness >= 0) & (views.nearness < 0.6)).all()


def test_true_sheets_are_nearly_right_and_an_offset_does_not_count() -> None:
    truth = make_truth(4)
    views = truth.true
    scores = judge(views, views.front + 0.3, views.back + 0.3, truth.solid)
    assert scores.front == pytest.approx(0, abs=1e-4)
    assert scores.thickness == pytest.approx(0, abs=1e-4)
    assert scores.side > 85
    assert scores.volume > 65  # of every ray's intervals they know the first beginning and the last end
    thicker = judge(views, views.front, views.back - 0.2, truth.solid)
    sides = [max(np.ptp(np.flatnonzero(mask.any(axis=axis))) + 1 for axis in (0, 1)) for mask in views.mask]
    assert thicker.thickness == pytest.approx(np.mean([20 * SIDE / 2 / side for side in sides]), rel=0.01)
    assert thicker.volume < scores.volume
    flat = judge(part(views, 0), views.front[:1] * 0, views.back[:1] * 0, truth.solid[:1])
    assert flat.front > 3

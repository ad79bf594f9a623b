# SPDX-License-Identifier: GPL-3.0-or-later
"""What rays see of distances: the equations of NeuS, written out."""

from functools import partial

import numpy as np
import torch

from backend.arrays import Float64Array
from backend.volume.rendering import section_weights, transmittance


def by_equations(distances: Float64Array, sharpness: float) -> Float64Array:
    """How much each section is seen, by equations 10 and 13."""
    heights = 1 / (1 + np.exp(-sharpness * distances))
    opacity = np.maximum((heights[:, :-1] - heights[:, 1:]) / heights[:, :-1], 0)
    before = np.cumprod(np.concatenate([np.ones((len(opacity), 1)), 1 - opacity[:, :-1]], axis=1), axis=1)
    return before * opacity


def test_sections_weigh_what_the_equations_say() -> None:
    distances = np.random.default_rng(0).normal(size=(7, 12))
    found = section_weights(transmittance(torch.from_numpy(distances), 3.0))
    np.testing.assert_allclose(found, by_equations(distances, 3.0), atol=1e-12)


def test_the_first_surface_is_seen_where_it_is_and_hides_the_second() -> None:
    along = torch.linspace(0, 4, 401)
    walls = torch.minimum((along - 1.005).abs(), (along - 3).abs()) - 0.2  # two, from 0.805 on and from 2.8 on
    each = section_weights(transmittance(walls[None], 100.0))[0]
    middles = (along[1:] + along[:-1]) / 2
    assert float(each.sum()) > 0.999
    assert abs(float((each * middles).sum()) - 0.805) < 0.005
    assert float(each[middles > 2].sum()) < 1e-6


def test_gradients_are_right_deep_inside_as_well() -> None:
    distances = torch.tensor([[3.0, 1.0, -0.5, -2.0, -40.0, -80.0, 2.0, -1.0]], dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(partial(transmittance, sharpness=2.0), (distances,))
    assert torch.isfinite(transmittance(distances.detach().float() * 100, 10.0)).all()

# SPDX-License-Identifier: GPL-3.0-or-later
"""The mean and the deviation of latents, with which the flow model's are normalised."""

from collections.abc import Iterable

import torch
from torch import Tensor

from ...models.latent_flow import Normalization


def statistics_of(objects: Iterable[Tensor]) -> Normalization:
    """The statistics of the latents (N, C) of many objects, of which each counts once, however many voxels it has.

    The deviation is that of the objects' mean squares from the square of the mean. Raises ValueError without objects.
    """
    means, squares = [], []
    for latents in objects:
        wide = latents.double()
        means.append(wide.mean(0))
        squares.append(wide.square().mean(0))
    if not means:
        raise ValueError("there are no latents")
    mean = torch.stack(means).mean(0)
    variance = torch.stack(squares).mean(0) - mean.square()
    return Normalization(mean.tolist(), variance.clamp_min(0).sqrt().tolist())

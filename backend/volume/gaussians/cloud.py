# SPDX-License-Identifier: GPL-3.0-or-later
"""3D Gaussians as Kerbl et al., "3D Gaussian Splatting for Real-Time Radiance Field Rendering", 2023, have them.

Each is a matrix of covariances R S S^T R^T (equation 6), an opacity, and what it shows from every side alike.
"""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional


@dataclass(frozen=True)
class Cloud:
    """G Gaussians, all float32.

    means: (G, 3), metres. sizes: (G, 3), the logarithms of the standard deviations along their own axes, in metres.
    turns: (G, 4), quaternions, real part first, of any length above 0. opacities: (G,), as logits. shows: (G, C),
    colours, sRGB in [0, 1], and whatever else is rendered as they are.
    """

    means: Tensor
    sizes: Tensor
    turns: Tensor
    opacities: Tensor
    shows: Tensor

    def parts(self) -> tuple[Tensor, ...]:
        """The five tensors, in their order."""
        return self.means, self.sizes, self.turns, self.opacities, self.shows

    def axes(self) -> Tensor:
        """R S, (G, 3, 3): the Gaussians' own axes, as columns as long as the standard deviations, in metres."""
        return rotations(self.turns) * self.sizes.exp()[:, None, :]


def rotations(turns: Tensor) -> Tensor:
    """The matrices (G, 3, 3) of quaternions (G, 4), real part first, of any length above 0."""
    w, x, y, z = functional.normalize(turns, dim=1).unbind(1)
    rows = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
        [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
        [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
    ]
    return torch.stack([torch.stack(row, dim=1) for row in rows], dim=1)

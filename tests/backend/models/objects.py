# SPDX-License-Identifier: GPL-3.0-or-later
"""Objects for the networks of the latents."""

import torch

from backend.nn.sparse import Voxels


def voxels_of(counts: list[int]) -> Voxels:
    """Objects of so many voxels, anywhere in a grid of 8."""
    generator = torch.Generator().manual_seed(3)
    rows: list[torch.Tensor] = []
    for item, count in enumerate(counts):
        flat = torch.randperm(8**3, generator=generator)[:count]
        rows.append(torch.stack([torch.full_like(flat, item), *torch.unravel_index(flat, (8, 8, 8))], dim=1))
    return Voxels(torch.cat(rows).int(), len(counts))


def no_report(step: int, of: int) -> None:
    """Ignores the progress."""

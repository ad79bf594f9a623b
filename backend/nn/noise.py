# SPDX-License-Identifier: GPL-3.0-or-later
"""The noise of a seed, drawn on the CPU, so that it is the same on every device."""

from collections.abc import Callable

import torch
from torch import Tensor

Draw = Callable[[tuple[int, ...]], Tensor]
"""Gives noise of a shape, standard normal, float32 on the CPU; other noise at each call."""


def drawn_by(seed: int) -> Draw:
    """Draws the noise of a seed, one tensor after the other from one generator."""
    generator = torch.Generator().manual_seed(seed)
    return lambda shape: torch.randn(shape, generator=generator)

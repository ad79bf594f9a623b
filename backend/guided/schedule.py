# SPDX-License-Identifier: GPL-3.0-or-later
"""The levels of noise of Stable Diffusion 2, and the way from one to another without randomness (DDIM).

A latent at level t is sqrt(a) z + sqrt(1 - a) e, with a the level's alpha-bar, z the clean latent and e the noise (Song
et al., Denoising Diffusion Implicit Models, 2021, equation 12).
"""

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

_LEVELS = 1000
_BETAS = (0.00085, 0.012)  # of the first and the last level; their square roots are evenly spaced


@dataclass(frozen=True)
class Schedule:
    """Which of the 1000 levels a sampler visits: 0, c, 2 c, ..., in as many steps, from the last to the first."""

    steps: int

    @cached_property
    def levels(self) -> tuple[int, ...]:
        """The levels in ascending order."""
        each = _LEVELS // self.steps
        return tuple(each * step for step in range(self.steps))

    def level(self, number: int) -> int:
        """The level of a step back, counted from pure noise."""
        return self.levels[self.steps - 1 - number]

    @cached_property
    def _alpha_bars(self) -> Tensor:
        first, last = (beta**0.5 for beta in _BETAS)
        return torch.cumprod(1 - torch.linspace(first, last, _LEVELS, dtype=torch.float32) ** 2, dim=0)

    def alpha_bar(self, step: int) -> Tensor:
        """Which share of the signal's power is left, float32 (), at the level with this number; below 0 as at 0."""
        return self._alpha_bars[self.levels[max(step, 0)]]


def clean(latent: Tensor, noise: Tensor, alpha_bar: Tensor) -> Tensor:
    """The clean latent behind a latent that holds this noise at this level."""
    return (latent - (1 - alpha_bar) ** 0.5 * noise) / alpha_bar**0.5


def noisy(latent: Tensor, noise: Tensor, alpha_bar: Tensor) -> Tensor:
    """A clean latent with noise, at a level."""
    return alpha_bar**0.5 * latent + (1 - alpha_bar) ** 0.5 * noise

# SPDX-License-Identifier: GPL-3.0-or-later
"""Denoising diffusion implicit models (Song et al. 2021): from noise to a latent in few steps."""

from dataclasses import dataclass

import numpy as np
from torch import Tensor

_TRAINED = 1000  # noise levels
_BETAS = (0.00085, 0.012)  # the first and the last, of Stable Diffusion's


@dataclass(frozen=True)
class Schedule:
    """Noise levels from the noisiest to the least.

    levels: what the network is told. alpha_bars: the signal's share of the variance at each level, and behind them that
    of the result. eta: how much fresh noise each step adds; 0 is none, 1 as much as was removed.
    """

    levels: tuple[int, ...]
    alpha_bars: tuple[float, ...]
    eta: float


def schedule_of(steps: int, eta: float) -> Schedule:
    """The published sampler's for a request for `steps`, 2 to 500: every 1000 // steps-th level but the noisiest.

    So one step fewer is done if `steps` divides 1000; else it may be as many, or some more. The result counts as having
    the noise of the least noisy level, 0.
    """
    roots = np.linspace(_BETAS[0] ** 0.5, _BETAS[1] ** 0.5, _TRAINED)
    alpha_bars = np.cumprod(1 - roots**2)
    levels = np.arange(0, _TRAINED, _TRAINED // steps)[:-1] + 1
    bars = (*alpha_bars[levels[::-1]].tolist(), float(alpha_bars[0]))
    return Schedule(tuple(levels[::-1].tolist()), bars, eta)


def step(schedule: Schedule, number: int, latent: Tensor, noise: Tensor, fresh: Tensor) -> tuple[Tensor, Tensor]:
    """The latent after a step, and what it was predicted to be without noise (formula 12).

    number: of the step, from 0. noise: what the network predicts. fresh: standard normal noise. All have one shape.
    """
    a, b = schedule.alpha_bars[number : number + 2]
    sigma = schedule.eta * ((1 - b) / (1 - a) * (1 - a / b)) ** 0.5
    clean = (latent - (1 - a) ** 0.5 * noise) / a**0.5
    return b**0.5 * clean + (1 - b - sigma**2) ** 0.5 * noise + sigma * fresh, clean

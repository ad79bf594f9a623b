# SPDX-License-Identifier: GPL-3.0-or-later
"""Noise over what a network sees, which drowns low amplitudes: noise injection (Hi3DGen, section 3.1)."""

import numpy as np
import torch
from torch import Tensor

from .schedule import STAGES
from .task import Moment


def injected(shape: tuple[int, ...], most: float, seed: int, moment: Moment) -> Tensor:
    """Return white noise float32 (N, C, H, W), on the CPU: a function of the seed and the moment.

    Each of the N has a standard deviation of its own, drawn up to `most`.
    """
    entropy = np.random.SeedSequence((seed, STAGES.index(moment.stage), moment.step, moment.share))
    generator = torch.Generator().manual_seed(int(entropy.generate_state(1)[0]))
    strength = most * torch.rand((shape[0], 1, 1, 1), generator=generator)
    return strength * torch.randn(shape, generator=generator)

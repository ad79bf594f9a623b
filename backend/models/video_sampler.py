# SPDX-License-Identifier: GPL-3.0-or-later
"""Samples the frames of an orbit from noise: Euler's method along the noise's deviation (Karras et al. 2022, "EDM").

Deviations follow Karras et al., formula 5; the network is preconditioned as in Stable Video Diffusion. Each frame has a
guidance of its own. The evaluations with and without the picture go one after the other: half the memory, the same
result, as items of a batch do not see each other.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor

from ..flow.products import Report

SIGMA_MIN, SIGMA_MAX, RHO = 0.002, 700.0, 7.0

_BLEND_POWER = 40


@dataclass(frozen=True)
class Condition:
    """What an evaluation of the network gets beside the noisy latents, of T frames.

    context (T, 1, K): CLIP tokens. concat (T, C, h, w): goes behind the latents. vector (T, A).
    """

    context: Tensor
    concat: Tensor
    vector: Tensor

    def blind(self) -> "Condition":
        """The condition without the picture: zeros for all but the vector."""
        return Condition(torch.zeros_like(self.context), torch.zeros_like(self.concat), self.vector)


@dataclass(frozen=True)
class Scaling:
    """How the network is preconditioned at a deviation s of the noise."""

    skip: Tensor
    out: Tensor
    into: Tensor
    noise: Tensor

    @staticmethod
    def at(sigma: Tensor) -> "Scaling":
        """1 / (s² + 1), -s / √(s² + 1), 1 / √(s² + 1) and ln(s) / 4."""
        root = (sigma**2 + 1).sqrt()
        return Scaling(1 / (sigma**2 + 1), -sigma / root, 1 / root, 0.25 * sigma.log())


Evaluate = Callable[[Tensor, Tensor, Condition], Tensor]
"""The network: from scaled latents with what is concatenated (T, C, h, w), its measure of the noise (T,) and a
condition to its answer (T, 4, h, w)."""

Change = Callable[[int, Tensor, Tensor], Tensor]
"""From a step's number, its latents and its deviation to the latents that the step begins with."""


def sigmas(steps: int) -> Tensor:
    """The deviations of the noise before each step, falling, and 0: float32 (steps + 1,)."""
    ramp = torch.linspace(0, 1, steps)
    low, high = SIGMA_MIN ** (1 / RHO), SIGMA_MAX ** (1 / RHO)
    return torch.cat([(high + ramp * (low - high)) ** RHO, torch.zeros(1)])


def start_scale(deviations: Tensor) -> Tensor:
    """What noise of deviation one is multiplied by to be where sampling starts: √(1 + s²)."""
    return (1 + deviations[0] ** 2).sqrt()


def linear_guidance(frames: int, strongest: float) -> Tensor:
    """Hi3D's guidance: 1 at the first frame, the picture itself, and growing evenly to the last; float32 (frames,)."""
    return torch.linspace(1, strongest, frames)


def triangle_guidance(frames: int, strongest: float) -> Tensor:
    """SV3D's guidance: 1 at both ends, which are near the picture, and `strongest` in the middle; float32 (frames,)."""
    place = torch.linspace(0, 1, frames)
    return 1 + (strongest - 1) * 2 * (place - (place + 0.5).floor()).abs()


def blend_weights(steps: int) -> list[float]:
    """How much of each step's beginning is the first stage's clip in Hi3D's second: ((1 + cos(i / N)) / 2)^40."""
    return [(0.5 * (1 + math.cos(i / steps))) ** _BLEND_POWER for i in range(steps)]


def blended(latents: Tensor, noise: Tensor, steps: int) -> Change:
    """Draws each step of Hi3D's second stage towards `latents` (T, 4, h, w), with the deviation's share of `noise`."""
    weights = blend_weights(steps)

    def change(step: int, x: Tensor, sigma: Tensor) -> Tensor:
        return (1 - weights[step]) * x + weights[step] * (sigma * noise + latents)

    return change


def denoised(evaluate: Evaluate, x: Tensor, sigma: Tensor, condition: Condition) -> Tensor:
    """The latents that the network sees behind the noise of deviation `sigma` in `x` (T, 4, h, w)."""
    scaling = Scaling.at(sigma)
    sample = torch.cat([scaling.into * x, condition.concat.to(x.dtype)], dim=1)
    answer = evaluate(sample, scaling.noise.expand(len(x)), condition)
    return answer * scaling.out + x * scaling.skip


def sample_views(
    evaluate: Evaluate,
    noise: Tensor,
    condition: Condition,
    guidance: Tensor,
    steps: int,
    report: Report,
    change: Change = lambda _step, x, _sigma: x,
    watch: Callable[[int, Tensor, Tensor], None] = lambda _step, _x, _denoised: None,
) -> Tensor:
    """The latents of all frames, (T, 4, h, w) as `noise`, which is float32 of deviation one.

    guidance (T,): how far each frame goes from the prediction without the picture to the one with it, and past it.
    change: what each step begins with. `report` is called before each evaluation with the number of finished
    evaluations, and at the end. watch: is shown what each step begins with, and what it denoises that to.
    """
    deviations = sigmas(steps).to(noise.device)
    strength = guidance.to(noise)[:, None, None, None]
    without = condition.blind()
    x = noise * start_scale(deviations)
    for step, (sigma, following) in enumerate(pairwise(deviations)):
        x = change(step, x, sigma)
        report(2 * step, 2 * steps)
        blind = denoised(evaluate, x, sigma, without)
        report(2 * step + 1, 2 * steps)
        seeing = denoised(evaluate, x, sigma, condition)
        clean = blind + strength * (seeing - blind)
        watch(step, x, clean)
        x = x + (following - sigma) * ((x - clean) / sigma)
    report(2 * steps, 2 * steps)
    return x

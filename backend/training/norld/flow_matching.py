# SPDX-License-Identifier: GPL-3.0-or-later
"""Flow matching: straight paths from data to noise, and the velocity that a network learns (Lipman et al. 2023).

Time t runs from 0, the data, to 1, the noise. Between them the state is x_t = (1 - t) x_0 + (s + (1 - s) t) e with s a
small least deviation, and its velocity is (1 - s) e - x_0. Both flow models of TRELLIS learn it with the mean square
over all numbers of a batch, so that an object of many voxels weighs more.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ...models.latent_flow import LatentFlow
from ...models.structure_flow import StructureFlow
from ...nn.sparse import Voxels


@dataclass(frozen=True)
class Path:
    """The straight path. Times are those of the elements: they broadcast to the data's shape."""

    sigma_min: float = 1e-5

    def state(self, data: Tensor, noise: Tensor, t: Tensor) -> Tensor:
        """Where the path is at the times `t`."""
        return (1 - t) * data + self._deviation(t) * noise

    def velocity(self, data: Tensor, noise: Tensor) -> Tensor:
        """The path's velocity, the same at all times."""
        return (1 - self.sigma_min) * noise - data

    def data(self, state: Tensor, velocity: Tensor, t: Tensor) -> Tensor:
        """The data that a path through `state` with `velocity` began at; it is exact with the true velocity."""
        return (1 - self.sigma_min) * state - self._deviation(t) * velocity

    def _deviation(self, t: Tensor) -> Tensor:
        return self.sigma_min + (1 - self.sigma_min) * t


@dataclass(frozen=True)
class TimeSchedule:
    """How times are drawn: the logistic function of a normal distribution (Esser et al. 2024, section 3.1).

    The defaults are those of the published configurations: half of the draws are above 0.731.
    """

    mean: float = 1.0
    std: float = 1.0

    def draw(self, count: int, generator: torch.Generator) -> Tensor:
        """Times in (0, 1), float32 (count,), from a CPU generator."""
        return (torch.randn(count, generator=generator) * self.std + self.mean).sigmoid()


@dataclass(frozen=True)
class Draws:
    """What is random in a step: the noise, each object's time, and which objects are shown no picture."""

    noise: Tensor  # float32, of the data's shape
    times: Tensor  # float32 (B,)
    dropped: Tensor  # bool (B,)

    @classmethod
    def of(
        cls,
        shape: Sequence[int],
        items: int,
        schedule: TimeSchedule,
        p_uncond: float,
        generator: torch.Generator,
        random: np.random.Generator | np.random.RandomState,
    ) -> "Draws":
        """Draws on the CPU, in the published order: noise, times, then dropped pictures, of which each has `p_uncond`.

        (Classifier-free guidance; Ho and Salimans 2022.)
        """
        noise = torch.randn(tuple(shape), generator=generator)
        times = schedule.draw(items, generator)
        dropped = torch.from_numpy(random.random(items) < p_uncond)
        return cls(noise, times, dropped)

    def to(self, device: torch.device) -> "Draws":
        """The same on a device."""
        return Draws(self.noise.to(device), self.times.to(device), self.dropped.to(device))


@dataclass(frozen=True)
class Matched:
    """One evaluation of flow matching: what the network saw, what it said, and what is true."""

    state: Tensor
    velocity: Tensor
    target: Tensor
    data: Tensor  # as the velocity says
    loss: Tensor  # ()
    of_items: Tensor  # (B,): each object's mean square, without gradients


def match(
    flow: StructureFlow | LatentFlow,
    data: Tensor,
    tokens: Tensor,
    draws: Draws,
    voxels: Voxels | None = None,
    path: Path | None = None,
) -> Matched:
    """Evaluates a flow model on `data`: float32 (B, C, R, R, R), or (N, C) at `voxels`.

    `tokens` float32 (B, T, context channels) are those of the pictures; those that are dropped become zeros.
    """
    path = path or Path()
    shown = without(tokens, draws.dropped)
    t = of_elements(draws.times, data, voxels)
    state, target = path.state(data, draws.noise, t), path.velocity(data, draws.noise)
    velocity = velocity_at(flow, state, draws.times, shown, voxels)
    squares = (velocity - target).square()
    with torch.no_grad():
        rows = [slice(i, i + 1) for i in range(len(data))] if voxels is None else voxels.items()
        of_items = torch.stack([squares[span].mean() for span in rows])
    return Matched(state, velocity, target, path.data(state, velocity, t), squares.mean(), of_items)


def velocity_at(
    flow: StructureFlow | LatentFlow, state: Tensor, times: Tensor, tokens: Tensor, voxels: Voxels | None
) -> Tensor:
    """What the flow model says at a state with each object's time (B,) in [0, 1] and its tokens."""
    time, contexts = flow.time(1000 * times), flow.contexts(tokens)
    return flow(state, time, contexts) if voxels is None else flow(state, time, contexts, voxels)


def without(tokens: Tensor, dropped: Tensor) -> Tensor:
    """The `tokens` (B, T, C), zeros for objects that are `dropped` (B,)."""
    return tokens * ~dropped[:, None, None]


def of_elements(times: Tensor, data: Tensor, voxels: Voxels | None) -> Tensor:
    """Each object's time (B,) as it broadcasts to `data`."""
    if voxels is None:
        return times.view(-1, *[1] * (data.ndim - 1))
    return times[voxels.coords[:, 0].long()][:, None]


def by_time(losses: Tensor, times: Tensor, bins: int = 10) -> dict[str, Tensor]:
    """The mean loss of the objects in each tenth of the times that holds one, by "bin_0" to "bin_9"."""
    tenth = (times * bins).long().clamp_max(bins - 1)
    return {f"bin_{i}": losses[tenth == i].mean() for i in range(bins) if bool((tenth == i).any())}

# SPDX-License-Identifier: GPL-3.0-or-later
"""Draws samples from a flow model: Euler's method from noise (t = 1) to data (t = 0), guided in part of the time.

The model gives the velocity v of the straight path x_t = (1 - t) x_0 + t noise (rectified flow; Liu et al. 2023).
Guidance moves it away from what the model says without a picture (classifier-free guidance; Ho and Salimans 2022),
in an interval of the time only (Kynkäänniemi et al. 2024).
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Protocol, Self, TypeVar

import numpy as np

from ..stage_types import Report


class State(Protocol):
    """What is sampled: anything that can be scaled and subtracted, dense or sparse."""

    def __sub__(self, other: Any, /) -> Self:  # noqa: ANN401
        ...

    def __rmul__(self, scale: Any, /) -> Self:  # noqa: ANN401
        ...


S = TypeVar("S", bound=State)


class Velocity(Protocol[S]):
    """A flow model, bound to a picture."""

    def __call__(self, x: S, t: float, *, conditional: bool) -> S:
        """The velocity at `x` and at the flow's time `t` in (0, 1]; without the picture where not `conditional`."""
        ...


@dataclass(frozen=True)
class Sampling:
    """How to walk from noise to data; the defaults are those of the published pipeline's demo."""

    steps: int
    guidance: float = 3.0  # 0 is none
    interval: tuple[float, float] = (0.5, 1.0)  # the times, both included, at which guidance acts
    rescale_t: float = 3.0  # more than 1 spends more of the steps near the noise

    def guides(self, t: float) -> bool:
        """Whether the step that starts at the time `t` needs the velocity without the picture too."""
        return self.guidance != 0 and self.interval[0] <= t <= self.interval[1]

    @property
    def evaluations(self) -> int:
        """How often the model runs for one sample."""
        return sum(1 + self.guides(t) for t in time_grid(self.steps, self.rescale_t)[:-1])


def time_grid(steps: int, rescale_t: float) -> list[float]:
    """The steps + 1 times from 1 to 0: r u / (1 + (r - 1) u) for u equally spaced, in double precision.

    (Esser et al. 2024, formula 23.)
    """
    u = np.linspace(1, 0, steps + 1)
    return (rescale_t * u / (1 + (rescale_t - 1) * u)).tolist()


def sample(velocity: Velocity[S], noise: S, sampling: Sampling, report: Report) -> S:
    """Walks from `noise` to a sample of the same kind and shape.

    `report` is called before every evaluation of `velocity` with the number of finished steps, and at the end.
    """
    x = noise
    grid = time_grid(sampling.steps, sampling.rescale_t)
    for i, (t, t_next) in enumerate(pairwise(grid)):
        report(i, sampling.steps)
        v = velocity(x, t, conditional=True)
        if sampling.guides(t):
            report(i, sampling.steps)
            strength = sampling.guidance
            v = (1 + strength) * v - strength * velocity(x, t, conditional=False)
        x = x - (t - t_next) * v
    report(sampling.steps, sampling.steps)
    return x

# SPDX-License-Identifier: GPL-3.0-or-later
"""Draws samples from a flow model: Euler's method from noise (t = 1) to data (t = 0), guided in part of the time.

The model gives the velocity v of the straight path x_t = (1 - t) x_0 + t noise (rectified flow; Liu et al. 2023).
Guidance moves it further away from the velocity without a picture (classifier-free guidance; Ho and Salimans 2022),
in an interval of the time only (Kynkäänniemi et al. 2024).

The velocity changes slowly along such a path, so a model need not run in every step: in the others the velocity is
extrapolated along a line through the last two computed ones (the first-order forecast of Liu et al. 2025, "From
Reusing to Forecasting", which on a fixed grid is the method of Adams and Bashforth with longer steps). The part that
guidance adds is extrapolated separately, because it begins and ends abruptly. This approximation is off by default.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import cycle, pairwise
from typing import Any, Generic, Protocol, Self, TypeVar

import numpy as np

from ..flow.products import Report


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
        """The velocity at `x` and at the flow's time `t` in (0, 1]; without the picture unless `conditional`."""
        ...


@dataclass(frozen=True)
class Step:
    """One step of the schedule."""

    t: float
    t_next: float
    guided: bool  # whether it needs the velocity without the picture too
    computed: bool  # whether the model runs; if not, its velocity is extrapolated


@dataclass(frozen=True)
class Sampling:
    """How to go from noise to data; the defaults are those of the published pipeline's demo."""

    steps: int
    guidance: float = 3.0  # 0 for no guidance
    interval: tuple[float, float] = (0.5, 1.0)  # the times, both included, at which guidance acts
    rescale_t: float = 3.0  # more than 1 spends more of the steps near the noise
    every: int = 1  # the model runs in every so many steps; more than 1 is an approximation

    def __post_init__(self) -> None:
        if self.steps < 1 or self.every < 1:
            raise ValueError(f"{self.steps} steps, computed every {self.every}: both have to be at least 1")

    def schedule(self) -> list[Step]:
        """The steps in their order.

        The model always runs in the first two, which give the line to extrapolate along, and so in the first two
        that are guided; and in the last, because `rescale_t` makes it one of the longest.
        """
        schedule: list[Step] = []
        guided_before = 0
        for i, (t, t_next) in enumerate(pairwise(time_grid(self.steps, self.rescale_t))):
            guided = self.guidance != 0 and self.interval[0] <= t <= self.interval[1]
            begins = i < 2 or (guided and guided_before < 2)
            computed = begins or (i - 2) % self.every == 0 or i == self.steps - 1
            schedule.append(Step(t, t_next, guided, computed))
            guided_before += guided
        return schedule

    def in_turn(self, pictures: int) -> Self:
        """The sampling whose steps see so many pictures in turn; with one it is this one.

        The model runs in every step, because velocities of different pictures cannot be extrapolated; and every
        picture has a step, however few were asked for.
        """
        return self if pictures == 1 else replace(self, every=1, steps=max(self.steps, pictures))

    @property
    def evaluations(self) -> int:
        """How often the model runs for one sample."""
        return sum(1 + step.guided for step in self.schedule() if step.computed)


def time_grid(steps: int, rescale_t: float) -> list[float]:
    """The steps + 1 times from 1 to 0: r u / (1 + (r - 1) u) for u equally spaced, in double precision.

    (Esser et al. 2024, formula 23.)
    """
    u = np.linspace(1, 0, steps + 1)
    return (rescale_t * u / (1 + (rescale_t - 1) * u)).tolist()


def sample(velocity: Velocity[S], noise: S, sampling: Sampling, report: Report) -> S:
    """Goes from `noise` to a sample of the same kind and shape; the items of a batch go together.

    `report` is called before every evaluation of `velocity` and every extrapolation with the number of finished
    steps, and at the end.
    """
    x = noise
    seeing, guiding = _Line[S](), _Line[S]()
    for i, step in enumerate(sampling.schedule()):
        report(i, sampling.steps)
        v = seeing.through(step.t, velocity(x, step.t, conditional=True)) if step.computed else seeing.at(step.t)
        if step.guided and step.computed:
            report(i, sampling.steps)
            blind = velocity(x, step.t, conditional=False)
            guiding.through(step.t, v - blind)
            v = _guided(v, blind, sampling.guidance)
        elif step.guided:
            v = _guided(v, v - guiding.at(step.t), sampling.guidance)
        x = x - (step.t - step.t_next) * v
    report(sampling.steps, sampling.steps)
    return x


def alternating(velocities: Sequence[Velocity[S]], sampling: Sampling) -> tuple[Velocity[S], Sampling]:
    """Let the steps see several pictures in turn: step i sees picture i modulo their number.

    (The mode `stochastic` of the published pipeline.) velocities: the model, bound to one picture each. Returns the
    velocity for one pass through `sample`, and the sampling that it needs, see `Sampling.in_turn`.
    """
    if len(velocities) == 1:
        return velocities[0], sampling
    turns = cycle(velocities)

    def velocity(x: S, t: float, *, conditional: bool) -> S:
        return next(turns)(x, t, conditional=True) if conditional else velocities[0](x, t, conditional=False)

    return velocity, sampling.in_turn(len(velocities))


def _guided(seeing: S, blind: S, strength: float) -> S:
    return (1 + strength) * seeing - strength * blind


class _Line(Generic[S]):
    """A line through the last two values that were computed."""

    def __init__(self) -> None:
        self._known: list[tuple[float, S]] = []

    def through(self, t: float, value: S) -> S:
        """Goes from the value before through `value` at the time `t`, and gives that back."""
        self._known = [*self._known[-1:], (t, value)]
        return value

    def at(self, t: float) -> S:
        """The value on the line at the time `t`; two have to be known."""
        (t_before, before), (t_last, last) = self._known
        ahead = (t - t_last) / (t_last - t_before)
        return (1 + ahead) * last - ahead * before

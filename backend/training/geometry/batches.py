# SPDX-License-Identifier: GPL-3.0-or-later
"""What the network sees at a step: a pure function of the configuration, the data's seed and the step.

How many processes and workers make them counts, too: each draws from blocks of its own.

A step draws views from a window of the source's blocks, a block a shape, mirrored or not.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ...arrays import Float64Array
from ...geometry.features import MASK, X
from ..core.schedule import STAGES, TrainingStageName
from ..core.stream import Tensors, stream
from ..core.windows import Windows
from .config import Config
from .views import Views, gathered, part

_MEDIAN = 0.5  # the share of views for which the median thickness is learned; any quantile for the others

Source = Callable[[int, int], Views]
"""`source(seed, index)`: a pure function, `index` without end. It must be picklable, for the worker process."""


@dataclass(frozen=True)
class Minibatch:
    """Views as the network takes them, and what it should answer; all float32, zeros outside of the object.

    planes: (N, 8, S, S). quantile: (N,). front, back: (N, 1, S, S). before, behind: (N, 3, S, S). up: (N, 3).
    nearness: (N,). See `Views`.
    """

    planes: Tensor
    quantile: Tensor
    front: Tensor
    back: Tensor
    before: Tensor
    behind: Tensor
    up: Tensor
    nearness: Tensor

    def __len__(self) -> int:
        return len(self.planes)

    @property
    def mask(self) -> Tensor:
        """1 on the object, (N, 1, S, S)."""
        return self.planes[:, MASK : MASK + 1]

    @property
    def parts(self) -> Tensors:
        """The tensors in their order."""
        return self.planes, self.quantile, self.front, self.back, self.before, self.behind, self.up, self.nearness

    def to(self, device: torch.device) -> "Minibatch":
        """Bring it to a device."""
        return Minibatch(*(tensor.to(device) for tensor in self.parts))


@dataclass(frozen=True)
class Sampler:
    """Draws the views of a stage's steps. See `windows.first_block` for share and workers."""

    config: Config
    stage: TrainingStageName
    source: Source
    seed: int
    share: int = 0
    workers: int = 0
    _windows: Windows = field(init=False)

    def __post_init__(self) -> None:
        config = self.config
        rate = config.batch / (config.uses * config.views)
        windows = Windows(partial(self.source, self.seed), self.stage, self.share, rate, config.window, self.workers)
        object.__setattr__(self, "_windows", windows)

    def batches(self, start: int) -> Iterator[Minibatch]:
        """Yield the batches from a step on, without end."""
        return (Minibatch(*parts) for parts in stream(self.tensors, start, self.workers))

    def tensors(self, step: int) -> Tensors:
        """Return the parts of a step's `Minibatch`."""
        random = np.random.default_rng((self.seed, STAGES.index(self.stage), step, self.share))
        blocks = self._windows.draw(step, self.config.batch, random)
        chosen = [part(block, int(random.integers(len(block.mask)))) for block in blocks]
        views = mirrored(gathered(chosen), random)
        any_quantile = random.uniform(0.05, 0.95, self.config.batch)
        quantile = np.where(random.random(self.config.batch) < _MEDIAN, 0.5, any_quantile)
        return prepare(views, quantile).parts


def mirrored(views: Views, random: np.random.Generator) -> Views:
    """Mirror about half of the views."""
    parts = [np.array(getattr(views, name)) for name in Views.__dataclass_fields__]
    for index in np.flatnonzero(random.random(len(views.mask)) < 0.5):
        for image in parts[:-2]:
            image[index] = image[index, :, ::-1]
        planes, _, _, _, before, behind, up, _ = parts
        planes[index, ..., 0] *= -1
        planes[index, ..., X] *= -1
        for normals in (before, behind, up):
            normals[index, ..., 0] *= -1
    return Views(*parts)


def prepare(views: Views, quantile: Float64Array) -> Minibatch:
    """Turn views and the quantiles of their thickness into tensors."""

    def images(array: NDArray[Any]) -> Tensor:
        array = array[..., None] if array.ndim == 3 else array
        return torch.from_numpy(np.ascontiguousarray(array.astype(np.float32))).permute(0, 3, 1, 2)

    return Minibatch(
        images(views.planes),
        torch.from_numpy(quantile.astype(np.float32)),
        images(views.front),
        images(views.back),
        images(views.before),
        images(views.behind),
        torch.from_numpy(views.up.copy()),
        torch.from_numpy(views.nearness.copy()),
    )

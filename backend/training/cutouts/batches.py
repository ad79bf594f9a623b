# SPDX-License-Identifier: GPL-3.0-or-later
"""What the network sees at a step: a pure function of the configuration, the data's seed and the step.

How many processes and workers make them counts, too: each draws from blocks of its own.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ...foreground.features import see
from ..core.colours import recoloured
from ..core.schedule import STAGES, TrainingStageName
from ..core.stream import Tensors, stream
from ..core.windows import Windows
from .composites import Block
from .config import Config

_GAMMAS = (0.7, 1.4)

Source = Callable[[int, int], Block]
"""`source(seed, index)`: a pure function, `index` without end. It must be picklable, for the worker process."""


@dataclass(frozen=True)
class Minibatch:
    """planes: (N, 8, S, S), see `foreground.features.see`. alpha: (N, 1, S, S), in [0, 1]. Float32."""

    planes: Tensor
    alpha: Tensor

    def __len__(self) -> int:
        return len(self.planes)

    def to(self, device: torch.device) -> "Minibatch":
        """Bring it to a device."""
        return Minibatch(self.planes.to(device), self.alpha.to(device))


@dataclass(frozen=True)
class Sampler:
    """Draws the pictures of a stage's steps. See `windows.first_block` for share and workers."""

    config: Config
    stage: TrainingStageName
    source: Source
    seed: int
    share: int = 0
    workers: int = 0
    _windows: Windows = field(init=False)

    def __post_init__(self) -> None:
        config = self.config
        rate = config.batch / (config.uses * config.pictures)
        windows = Windows(partial(self.source, self.seed), self.stage, self.share, rate, config.window, self.workers)
        object.__setattr__(self, "_windows", windows)

    def batches(self, start: int) -> Iterator[Minibatch]:
        """Yield the batches from a step on, without end."""
        return (Minibatch(*parts) for parts in stream(self.tensors, start, self.workers))

    def tensors(self, step: int) -> Tensors:
        """Return the parts of a step's `Minibatch`."""
        random = np.random.default_rng((self.seed, STAGES.index(self.stage), step, self.share))
        blocks = self._windows.draw(step, self.config.batch, random)
        chosen = [(block, int(random.integers(len(block.rgb)))) for block in blocks]
        rgb = np.stack([block.rgb[index] for block, index in chosen])
        alpha = np.stack([block.alpha[index] for block, index in chosen])
        batch = prepare(*varied(rgb, alpha, random))
        return batch.planes, batch.alpha


def varied(
    rgb: NDArray[np.uint8], alpha: NDArray[np.uint8], random: np.random.Generator
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Return pictures (N, S, S, 3) and what they show of the object (N, S, S) mirrored or not, with other colours."""
    rgb, alpha = rgb.copy(), alpha.copy()
    for index in range(len(rgb)):
        if random.random() < 0.5:
            rgb[index], alpha[index] = rgb[index, :, ::-1], alpha[index, :, ::-1]
        rgb[index] = recoloured(rgb[index], _GAMMAS, random)
    return rgb, alpha


def prepare(rgb: NDArray[np.uint8], alpha: NDArray[np.uint8]) -> Minibatch:
    """Turn pictures (N, S, S, 3) and what they show of the object (N, S, S) into tensors."""
    planes = np.stack([see(picture) for picture in rgb])
    truth = alpha[:, None].astype(np.float32) / np.float32(255)
    return Minibatch(torch.from_numpy(planes).permute(0, 3, 1, 2), torch.from_numpy(truth))

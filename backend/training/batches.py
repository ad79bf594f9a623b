# SPDX-License-Identifier: GPL-3.0-or-later
"""What the network sees at a step: a pure function of the configuration, the data's seed and the step.

So a training that was killed goes on with the very pictures that it would have seen, and nothing needs to be kept.
A worker process makes them ahead of time.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from ..normals.features import inflate, look
from .config import Config, StageName

_BLOCKS = 64  # room for so many blocks of the generator at a step
_AHEAD = 4  # batches that the worker holds ready


class Block(Protocol):
    """What a source makes in one go: pictures with their true normals, as `Samples` describes them."""

    @property
    def rgba(self) -> NDArray[np.uint8]: ...  # noqa: D102

    @property
    def normals(self) -> NDArray[np.floating[Any]]: ...  # noqa: D102

    @property
    def mask(self) -> NDArray[np.bool_]: ...  # noqa: D102


@dataclass(frozen=True)
class Samples:
    """Pictures with their true normals.

    rgba: uint8 (N, S, S, 4), sRGB, straight alpha. normals: float32 (N, S, S, 3), camera space, x right, y up, z to the
    viewer. mask: bool (N, S, S), where the normals are known.
    """

    rgba: NDArray[np.uint8]
    normals: NDArray[np.float32]
    mask: NDArray[np.bool_]


Source = Callable[[int, int, int], Block]
"""`source(seed, index, size)`: a pure function, `index` without end. It must be picklable, for the worker process."""


@dataclass(frozen=True)
class Batch:
    """Pictures as the network takes them, and what it should say.

    picture: (N, 4, S, S), inflated: (N, 3, S / 4, S / 4), see `normals.features`. truth: (N, 3, S, S), 0 off the mask.
    mask: (N, 1, S, S), 0 or 1. All float32.
    """

    picture: Tensor
    inflated: Tensor
    truth: Tensor
    mask: Tensor

    def to(self, device: torch.device) -> "Batch":
        """Bring it to a device."""
        return Batch(*(part.to(device) for part in (self.picture, self.inflated, self.truth, self.mask)))


@dataclass(frozen=True)
class Plan:
    """Which pictures come at which step of a stage. With several processes each takes its own `share` of `shares`."""

    config: Config
    stage: StageName
    source: Source
    seed: int
    share: int = 0
    shares: int = 1

    def size(self, step: int) -> int:
        """Return the side of the pictures at a step."""
        sizes = next(shares for since, shares in reversed(self.config.stages[self.stage].sizes) if since <= step)
        chance = np.array(list(sizes.values()))
        return int(self._random(step, 1).choice(list(sizes), p=chance / chance.sum()))

    def batch(self, step: int) -> Batch:
        """Make the pictures of a step. Half of them are mirrored."""
        size = self.size(step)
        first = (step * self.shares + self.share) * _BLOCKS
        samples = take(self.source, self.seed, first, size, max(1, self.config.pixels // size**2))
        for index in np.flatnonzero(self._random(step, 2).random(len(samples.rgba)) < 0.5):
            samples.rgba[index] = samples.rgba[index, :, ::-1]
            samples.mask[index] = samples.mask[index, :, ::-1]
            samples.normals[index] = samples.normals[index, :, ::-1] * np.array([-1, 1, 1], np.float32)
        return prepare(samples)

    def batches(self, start: int, workers: int) -> Iterator[Batch]:
        """Yield the batches from a step on, without end. Without workers they are made in this process."""
        steps = _Steps(self)
        loader = DataLoader(
            steps,
            batch_size=None,
            sampler=cast("Iterable[int]", range(start, 1 << 40)),
            num_workers=workers,
            prefetch_factor=_AHEAD if workers else None,
            multiprocessing_context="spawn" if workers else None,
            collate_fn=cast("Any", _as_it_is),
        )
        return (Batch(*parts) for parts in loader)

    def _random(self, step: int, purpose: int) -> np.random.Generator:
        stage = list(self.config.stages).index(self.stage)
        return np.random.default_rng((self.seed, stage, step, self.share, purpose))


def take(source: Source, seed: int, first: int, size: int, count: int) -> Samples:
    """Copy `count` pictures out of the source's blocks from `first` on."""
    blocks: list[Block] = []
    while sum(len(block.rgba) for block in blocks) < count:
        blocks.append(source(seed, first + len(blocks), size))
    return Samples(
        np.concatenate([block.rgba for block in blocks])[:count],
        np.concatenate([block.normals for block in blocks])[:count].astype(np.float32, copy=False),
        np.concatenate([block.mask for block in blocks])[:count],
    )


def prepare(samples: Samples) -> Batch:
    """Turn pictures and their truth into tensors; they keep their channels last in memory."""
    seen = look(samples.rgba)
    mask = samples.mask[..., None].astype(np.float32)
    parts = (seen, inflate(seen[..., 3]), samples.normals * mask, mask)
    return Batch(*(torch.from_numpy(np.ascontiguousarray(part)).permute(0, 3, 1, 2) for part in parts))


class _Steps(Dataset[tuple[Tensor, ...]]):
    def __init__(self, plan: Plan) -> None:
        self.plan = plan

    def __getitem__(self, index: int) -> tuple[Tensor, ...]:
        torch.set_num_threads(1)
        batch = self.plan.batch(index)
        return batch.picture, batch.inflated, batch.truth, batch.mask


def _as_it_is(parts: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    return parts

# SPDX-License-Identifier: GPL-3.0-or-later
"""What the network sees at a step: a pure function of the configuration, the data's seed and the step.

How many processes and workers make them counts, too: each draws from blocks of its own.

So no random state is kept, and a training that was killed goes on with the same pictures as one that was not.

Pictures take long to make. A step therefore draws them from a window of the source's blocks, which moves on with the
steps, and each is drawn several times before the window has passed it: mirrored or not, with its colour channels
exchanged, darker or brighter. The blocks in the window stay in memory. A worker process makes batches ahead of time.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from ...normals.features import inflate, standardise
from ..core.colours import recoloured
from ..core.schedule import STAGES, TrainingStageName
from ..core.stream import Tensors, stream
from ..core.windows import first_block
from .config import Config
from .samples import Block, Samples, Source

_FIRST = 16  # blocks of the first window, which grows: the first steps need not wait until a full one is made
_GAMMAS = (0.75, 1.35)


@dataclass(frozen=True)
class Minibatch:
    """Pictures as the network takes them, and the normals that it should return.

    picture: (N, 4, S, S), inflated: (N, 3, S / 4, S / 4), see `normals.features`. truth: (N, 3, S, S), 0 off the mask.
    mask: (N, 1, S, S), 0 or 1. All float32.
    """

    picture: Tensor
    inflated: Tensor
    truth: Tensor
    mask: Tensor

    def __len__(self) -> int:
        return len(self.picture)

    def to(self, device: torch.device) -> "Minibatch":
        """Bring it to a device."""
        return Minibatch(*(part.to(device) for part in (self.picture, self.inflated, self.truth, self.mask)))


@dataclass(frozen=True)
class Sampler:
    """Draws the pictures of a stage's steps. See `windows.first_block` for share and workers."""

    config: Config
    stage: TrainingStageName
    source: Source
    seed: int
    share: int = 0
    workers: int = 0
    _kept: dict[int, dict[int, Block]] = field(default_factory=dict[int, dict[int, Block]])

    def size(self, step: int) -> int:
        """Return the side of the pictures at a step."""
        sizes = next(shares for since, shares in reversed(self.config.sizes[self.stage]) if since <= step)
        chance = np.array(list(sizes.values()))
        return int(self._random(step, 1).choice(list(sizes), p=chance / chance.sum()))

    def batch(self, step: int) -> Minibatch:
        """Make the pictures of a step."""
        size = self.size(step)
        random = self._random(step, 2)
        blocks = self._window(step, size)
        drawn = [
            self._block(int(index), size, blocks)
            for index in random.integers(blocks.start, blocks.stop, self._count(size))
        ]
        chosen = [(block, int(random.integers(len(block.rgba)))) for block in drawn]
        samples = Samples(
            np.stack([block.rgba[index] for block, index in chosen]),
            np.stack([block.normals[index] for block, index in chosen]).astype(np.float32),
            np.stack([block.mask[index] for block, index in chosen]),
        )
        return prepare(_varied(samples, random))

    def batches(self, start: int) -> Iterator[Minibatch]:
        """Yield the batches from a step on, without end. Without workers they are made in this process."""
        return (Minibatch(*parts) for parts in stream(self.tensors, start, self.workers))

    def tensors(self, step: int) -> Tensors:
        """Return the parts of a step's `Minibatch`."""
        batch = self.batch(step)
        return batch.picture, batch.inflated, batch.truth, batch.mask

    def _count(self, size: int) -> int:
        return max(1, self.config.pixels // size**2)

    def _window(self, step: int, size: int) -> range:
        """Return the blocks that a step of a size draws from.

        They move on so fast that every picture is drawn `Config.uses` times on the average.
        """
        sizes = self.config.sizes[self.stage]
        ends = [since for since, _ in sizes[1:]] + [step]
        before = sum(
            max(0, min(end, step) - since) * shares.get(size, 0.0) / sum(shares.values())
            for (since, shares), end in zip(sizes, ends, strict=True)
        )
        own = before / max(1, self.workers)
        end = _FIRST + int(own * self._count(size) / (self.config.uses * self.config.block))
        widest = max(_FIRST, self.config.window // (self.config.block * size**2))
        first = first_block(self.stage, self.share, self.workers, step)
        return range(first + max(0, end - widest), first + end)

    def _block(self, index: int, size: int, window: range) -> Block:
        kept = self._kept.setdefault(size, {})
        for passed in [old for old in kept if old not in window]:
            del kept[passed]
        if index not in kept:
            kept[index] = self.source(self.seed, index, size)
        return kept[index]

    def _random(self, step: int, purpose: int) -> np.random.Generator:
        return np.random.default_rng((self.seed, STAGES.index(self.stage), step, self.share, purpose))


def _varied(samples: Samples, random: np.random.Generator) -> Samples:
    """Return the pictures mirrored or not, with other colours; only mirroring changes their normals."""
    count = len(samples.rgba)
    rgba, normals, mask = samples.rgba.copy(), samples.normals.copy(), samples.mask.copy()
    for index in np.flatnonzero(random.random(count) < 0.5):
        rgba[index] = rgba[index, :, ::-1]
        mask[index] = mask[index, :, ::-1]
        normals[index] = normals[index, :, ::-1] * np.array([-1, 1, 1], np.float32)
    for picture in rgba:
        picture[..., :3] = recoloured(picture[..., :3], _GAMMAS, random)
    return Samples(rgba, normals, mask)


def take(source: Source, seed: int, size: int, count: int) -> Samples:
    """Copy the first `count` pictures out of the source's blocks."""
    blocks: list[Block] = []
    while sum(len(block.rgba) for block in blocks) < count:
        blocks.append(source(seed, len(blocks), size))
    return Samples(
        np.concatenate([block.rgba for block in blocks])[:count],
        np.concatenate([block.normals for block in blocks])[:count].astype(np.float32, copy=False),
        np.concatenate([block.mask for block in blocks])[:count],
    )


def prepare(samples: Samples) -> Minibatch:
    """Turn pictures and their truth into tensors; they keep their channels last in memory."""
    seen = standardise(samples.rgba)
    mask = samples.mask[..., None].astype(np.float32)
    parts = (seen, inflate(seen[..., 3]), samples.normals * mask, mask)
    return Minibatch(*(torch.from_numpy(np.ascontiguousarray(part)).permute(0, 3, 1, 2) for part in parts))

# SPDX-License-Identifier: GPL-3.0-or-later
"""Which cut-out networks are trained, and how."""

from collections.abc import Mapping
from dataclasses import dataclass

from ...foreground.features import SIDE
from ..core.schedule import Schedule, TrainingStage


@dataclass(frozen=True)
class Widths:
    """Channels and residual blocks, from fine to coarse; the first level has a quarter of the side."""

    channels: tuple[int, ...] = (32, 64, 96, 128)
    encoder: tuple[int, ...] = (1, 2, 2, 2)
    decoder: tuple[int, ...] = (1, 1, 1)


@dataclass(frozen=True)
class Config:
    """Everything that decides a training but its data's seed.

    size: of the pictures' sides. batch: pictures at a step. pictures: of a shape, in a block of the source. uses: how
    often each is drawn. window: blocks that are kept in memory for it. held_out: pictures that are held out.
    """

    name: str
    network: Widths
    schedule: Schedule
    size: int = SIDE
    batch: int = 24
    pictures: int = 5
    uses: float = 3.0
    window: int = 800
    held_out: int = 240


TINY = Config(
    name="tiny",
    network=Widths((8, 12, 16), (1, 1, 1), (1, 1)),
    schedule=Schedule(
        {"trunk": TrainingStage(None, 4e-3, warm_up=5), "cool": TrainingStage(10, 4e-3, decay=True)},
        average=0.9,
        log=5,
        check=10,
        precision="fp32",
    ),
    size=64,
    batch=4,
    pictures=2,
    window=4,
    held_out=4,
)
"""For tests: a minute."""

DRAFT = Config(
    name="draft",
    network=Widths(),
    schedule=Schedule(
        {"trunk": TrainingStage(None, 2e-3, warm_up=100), "cool": TrainingStage(5000, 2e-3, warm_up=100, decay=True)},
        average=0.998,
        log=50,
        check=500,
    ),
)
"""What ships in the extension: 1.5 M parameters."""

CONFIGS: Mapping[str, Config] = {config.name: config for config in (TINY, DRAFT)}

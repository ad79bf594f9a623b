# SPDX-License-Identifier: GPL-3.0-or-later
"""Which sheet networks are trained, and how: a network's widths, its schedule, its losses, what it sees."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from ..core.schedule import Schedule, TrainingStage


@dataclass(frozen=True)
class Widths:
    """A `network.SheetNetwork`: channels and residual blocks, from fine to coarse; the first level has half the side.

    pose: hidden values of the reading of what is up.
    """

    channels: tuple[int, ...] = (32, 64, 128, 192)
    encoder: tuple[int, ...] = (1, 1, 2, 2)
    decoder: tuple[int, ...] = (1, 1, 2)
    pose: int = 96


@dataclass(frozen=True)
class Config:
    """Everything that decides a training but its data's seed.

    batch: views at a step. views: of a shape, in a block of the source. uses: how often each is drawn. window: blocks
    that are kept in memory for it. estimated: the share of views whose normals the normal estimator sees. noise: the
    greatest standard deviation of what is added to the normals. normal, up, near: the weights of the losses
    beside the depths'. held_out: shapes that are held out.
    """

    name: str
    network: Widths
    schedule: Schedule
    batch: int = 16
    views: int = 3
    uses: float = 4.0
    window: int = 600
    estimated: float = 0.5
    noise: float = 0.0
    normal: float = 0.15
    up: float = 1.0
    near: float = 5.0
    held_out: int = 60


TINY = Config(
    name="tiny",
    network=Widths((8, 12, 16), (1, 1, 1), (1, 1), 8),
    schedule=Schedule(
        {"trunk": TrainingStage(None, 4e-3, warm_up=5), "cool": TrainingStage(10, 4e-3, decay=True)},
        average=0.9,
        log=5,
        check=10,
        precision="fp32",
    ),
    batch=4,
    window=4,
    held_out=2,
)
"""For tests: a minute."""

DRAFT = Config(
    name="draft",
    network=Widths(),
    schedule=Schedule(
        {"trunk": TrainingStage(None, 2e-3, warm_up=100), "cool": TrainingStage(3000, 2e-3, warm_up=100, decay=True)},
        average=0.999,
        log=50,
        check=500,
    ),
)
"""What ships in the extension: 2.9 M parameters."""

ABLATION = replace(
    DRAFT,
    name="ablation",
    schedule=replace(
        DRAFT.schedule,
        stages={"trunk": TrainingStage(800, 2e-3, warm_up=100), "cool": TrainingStage(400, 2e-3, decay=True)},
    ),
)
"""Draft, short. What the normal term, noise and estimated normals are worth is said by those that follow it."""

_ABLATIONS = (
    ABLATION,
    replace(ABLATION, name="ablation-without-normal-term", normal=0.0),
    replace(ABLATION, name="ablation-with-noise", noise=0.5),
    replace(ABLATION, name="ablation-true-normals", estimated=0.0),
)

CONFIGS: Mapping[str, Config] = {config.name: config for config in (TINY, DRAFT, *_ABLATIONS)}

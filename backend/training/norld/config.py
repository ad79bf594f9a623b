# SPDX-License-Identifier: GPL-3.0-or-later
"""Which flow models are trained, and how: the published sizes and settings, and tiny ones."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from ...models.latent_flow import LatentFlowConfig
from ...models.structure_flow import StructureFlowConfig
from ..core.schedule import Schedule, TrainingStage
from .flow_matching import TimeSchedule
from .step import FIRST_LOG_SCALE, StepSettings


@dataclass(frozen=True)
class Regularisation:
    """How the normals count (our choices; docs/norld.md).

    share: of the flow's gradient that the normals' has, at the last layer; it is found over the first `measured` looks
    at normals. latest: the latest time that counts. every: with it, each so many-th step evaluates one object once more
    at a time up to the latest; without, it is an object whose own time is early enough. size: pixels along a view's
    side. other_view: how often another view than the condition's is looked at, too.
    """

    share: float = 0.1
    measured: int = 200
    latest: float = 0.5
    every: int | None = None
    size: int = 256
    other_view: float = 0.5


@dataclass(frozen=True)
class FlowConfig:
    """Everything that decides a training but its data and their seed.

    batch: objects at a step of one process. p_uncond: how often no picture is shown. budget: bytes that the blocks may
    keep for their gradients; None keeps everything. held_out: objects, the last by name, that nothing is learned from.
    """

    name: str
    network: StructureFlowConfig | LatentFlowConfig
    schedule: Schedule
    settings: StepSettings
    batch: int = 8
    p_uncond: float = 0.1
    times: TimeSchedule = field(default_factory=TimeSchedule)
    budget: int | None = None
    held_out: int = 64
    regularisation: Regularisation = field(default_factory=Regularisation)


def _published() -> Schedule:
    trunk = TrainingStage(None, 1e-4)
    return Schedule(
        {"trunk": trunk}, average=0.9999, log=100, check=2000, weight_decay=0.0, clip=1.0, betas=(0.9, 0.999)
    )


_TINY = Schedule(
    {"trunk": TrainingStage(None, 2e-3, warm_up=5)},
    average=0.9,
    log=5,
    check=10,
    weight_decay=0.0,
    betas=(0.9, 0.999),
)


_SMALL = Schedule(  # for an hour of one core: a high rate that falls to zero at the end, and an average of few steps
    {"trunk": TrainingStage(None, 1e-3, warm_up=100), "cool": TrainingStage(500, 1e-3, decay=True)},
    average=0.99,
    log=25,
    check=500,
    weight_decay=0.0,
    clip=1.0,
    betas=(0.9, 0.99),
)
_SMALL_TIMES = TimeSchedule(mean=0.5)  # noise hides fewer numbers sooner (Esser et al. 2024, section 5.3.2)


STRUCTURE_CONFIGS: Mapping[str, FlowConfig] = MappingProxyType(
    {
        config.name: config
        for config in (
            FlowConfig(
                "tiny",
                StructureFlowConfig(4, 3, 3, 24, 8, 1, 2, mlp_ratio=2, qk_rms_norm=True),
                _TINY,
                StepSettings("fp32", 1, recorded=10),
                batch=4,
                held_out=2,
            ),
            FlowConfig(  # of made-up shapes: see `training.small`
                "small",
                StructureFlowConfig(8, 8, 8, 256, 192, 4, 4, patch_size=2, qk_rms_norm=True),
                _SMALL,
                StepSettings("bf16", 1),
                batch=8,
                times=_SMALL_TIMES,
            ),
            FlowConfig(
                "published",
                StructureFlowConfig(16, 8, 8, 1024, 1024, 24, 16, qk_rms_norm=True),
                _published(),
                StepSettings("fp16", 1, FIRST_LOG_SCALE),
            ),
            FlowConfig(
                "published-bf16",
                StructureFlowConfig(16, 8, 8, 1024, 1024, 24, 16, qk_rms_norm=True),
                _published(),
                StepSettings("bf16", 1),
            ),
        )
    }
)

_LATENTS = LatentFlowConfig(64, 8, 8, 1024, 1024, 24, 16, io_block_channels=(128,), qk_rms_norm=True)

LATENT_CONFIGS: Mapping[str, FlowConfig] = MappingProxyType(
    {
        config.name: config
        for config in (
            FlowConfig(
                "tiny",
                LatentFlowConfig(4, 3, 3, 24, 8, 1, 2, mlp_ratio=2, io_block_channels=(12,), qk_rms_norm=True),
                _TINY,
                StepSettings("fp32", 2, recorded=10),
                batch=4,
                held_out=2,
                regularisation=Regularisation(measured=5, every=2, size=32),
            ),
            FlowConfig(  # with one block at voxels their noise would be lost in the cells' means, and not be told again
                "small",
                LatentFlowConfig(
                    32, 6, 6, 128, 192, 4, 4, num_io_res_blocks=2, io_block_channels=(64,), qk_rms_norm=True
                ),
                _SMALL,
                StepSettings("bf16", 1),
                batch=4,
                times=_SMALL_TIMES,
                regularisation=Regularisation(size=128),
            ),
            FlowConfig("published", _LATENTS, _published(), StepSettings("fp16", 4, FIRST_LOG_SCALE)),
            FlowConfig("published-bf16", _LATENTS, _published(), StepSettings("bf16", 4), budget=24 * 2**30),
        )
    }
)

# SPDX-License-Identifier: GPL-3.0-or-later
"""How long a network is trained, and at which rate: stages that follow each other.

`trunk` is long and at a constant rate, so that it can go on at any time. `cool` starts from wherever the trunk is and
lets the rate fall to zero, which is what makes a network good (a warm-up, stable, decay schedule: Hu et al., MiniCPM,
2024). It starts from trained weights too; as their optimizer is gone, it may warm up. Both train everything.
`refine`, which a network need not have, goes on with a part of it and freezes the rest.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

TrainingStageName = Literal["trunk", "cool", "refine"]
STAGES: tuple[TrainingStageName, ...] = ("trunk", "cool", "refine")


@dataclass(frozen=True)
class TrainingStage:
    """One stretch of training.

    steps: how many, or None to go on until it is stopped. rate: of AdamW, at its highest; `warm_up` steps lead up to
    it, and with `decay` it falls linearly to zero at the last step.
    """

    steps: int | None
    rate: float
    warm_up: int = 0
    decay: bool = False


@dataclass(frozen=True)
class Schedule:
    """How a training goes on.

    average: the decay of the weights' moving average. log, check: steps between two lines of the curve, and between two
    measurements on held-out pictures. precision: of convolutions and products. clip: the gradient's greatest norm.
    betas: of AdamW.
    """

    stages: Mapping[TrainingStageName, TrainingStage]
    average: float
    log: int
    check: int
    precision: Literal["bf16", "fp32"] = "bf16"
    weight_decay: float = 0.02
    clip: float = 1.0
    betas: tuple[float, float] = (0.9, 0.99)


def rate(stage: TrainingStage, step: int, steps: int | None) -> float:
    """Return the rate of AdamW at a step of a stage that ends after `steps`; None is never."""
    warm = min(1.0, (step + 1) / max(1, stage.warm_up))
    left = 1 - step / steps if stage.decay and steps else 1.0
    return stage.rate * warm * left

# SPDX-License-Identifier: GPL-3.0-or-later
"""The two flow models that are fine-tuned, and how: what differs from the published training is ours.

That one begins with random weights and takes up to a million steps at a rate of 1e-4. From weights that are good
already a few thousand steps follow, at a tenth of the rate. It is reached over the first hundred steps, because the
optimizer's moments are not published; and the average is over about a thousand steps, as one over ten thousand would
still be mostly the published weights.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from ...models.latent_flow import LatentFlowConfig
from ...models.structure_flow import StructureFlowConfig
from ...nn.checkpoint import described, read_config
from ..core.schedule import TrainingStage
from ..norld.config import LATENT_CONFIGS, STRUCTURE_CONFIGS, FlowConfig
from ..norld.task import kind_of

RATE, WARM_UP, AVERAGE = 1e-5, 100, 0.999
_LOG, _CHECK = 25, 250
_HELD_OUT = 10  # of so many objects one, at most as many as the published training holds out
TINY = "tiny"
"""The configuration that takes the weights' own sizes, for tests: the others know theirs."""


@dataclass(frozen=True, eq=False)
class Part:
    """A flow model: its role in pipeline.json, which is fixed, and the configurations that it can learn by.

    name: that of its command, of its folder, and what people are shown.
    """

    name: str
    role: str
    configs: Mapping[str, FlowConfig]

    @property
    def dense(self) -> bool:
        """Whether it learns structures, not latents."""
        return self.role == STRUCTURE.role


STRUCTURE = Part("structure-flow", "sparse_structure_flow_model", STRUCTURE_CONFIGS)
LATENTS = Part("latent-flow", "slat_flow_model", LATENT_CONFIGS)

CHOICES: Mapping[str, tuple[Part, ...]] = MappingProxyType(
    {"structure": (STRUCTURE,), "latents": (LATENTS,), "both": (STRUCTURE, LATENTS)}
)
"""What `--what` takes."""


def with_sizes_of(config: FlowConfig, stem: Path) -> FlowConfig:
    """`TINY` with the sizes in the description STEM.json; the others as they are. Raises `UserError`."""
    if config.name != TINY:
        return config
    path, kind = stem.with_name(f"{stem.name}.json"), kind_of(config.network)
    arguments: dict[str, Any] = {**read_config(path, kind), "use_fp16": False}
    with described(path, kind):
        sizes = StructureFlowConfig if isinstance(config.network, StructureFlowConfig) else LatentFlowConfig
        return replace(config, network=sizes(**arguments))


def fine_tuning(config: FlowConfig, objects: int, budget: int | None) -> FlowConfig:
    """A configuration for learning on with so many objects, of which a tenth is held out, at least one.

    budget: bytes that the transformer's blocks may keep for their gradients; None keeps everything.
    """
    held_out = min(config.held_out, max(1, objects // _HELD_OUT))
    schedule = config.schedule
    if config.name != TINY:
        trunk = TrainingStage(None, RATE, warm_up=WARM_UP)
        schedule = replace(schedule, stages={"trunk": trunk}, average=AVERAGE, log=_LOG, check=_CHECK)
    return replace(config, schedule=schedule, held_out=held_out, budget=budget)

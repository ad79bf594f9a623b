# SPDX-License-Identifier: GPL-3.0-or-later
"""The presets of the hi3dgen engine: the published settings, and two that are faster and differ more from them.

A preset costs the time of the two flow models' evaluations. How much it changes the result depends on the weights and
the picture: `scripts/benchmark.py presets` measures it, and docs/performance.md has the numbers behind the choice.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from ..nn.sampler import Sampling


@dataclass(frozen=True)
class Preset:
    """How both flow models are sampled."""

    structure: Sampling
    latents: Sampling


PRESETS: Mapping[str, Preset] = MappingProxyType(
    {
        "preview": Preset(Sampling(steps=16, every=3), Sampling(steps=3)),
        "balanced": Preset(Sampling(steps=50, every=4), Sampling(steps=5)),
        "upstream": Preset(Sampling(steps=50), Sampling(steps=6)),
    }
)
"""By name, fastest first. The same seed gives similar objects with all of them, but not the same."""

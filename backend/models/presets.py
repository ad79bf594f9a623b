# SPDX-License-Identifier: GPL-3.0-or-later
"""How much care the hi3dgen engine takes: the published settings, and two that trade likeness for time.

What a preset costs is the number of times that the two flow models run. What it changes depends on the weights and on
the picture: `scripts/benchmark.py presets` measures it, and docs/performance.md has the numbers behind the choice.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from ..nn.sampler import Sampling


@dataclass(frozen=True)
class Preset:
    """The walks of both flow models."""

    structure: Sampling
    latents: Sampling
    description: str  # one plain sentence or two


PRESETS: Mapping[str, Preset] = MappingProxyType(
    {
        "preview": Preset(
            Sampling(steps=16, every=3),
            Sampling(steps=3),
            "A first look: 14 and 6 evaluations of the networks instead of 88 and 11. The shape can differ.",
        ),
        "balanced": Preset(
            Sampling(steps=50, every=4),
            Sampling(steps=5),
            "Nearly the full result: 26 and 9 evaluations of the networks instead of 88 and 11.",
        ),
        "upstream": Preset(
            Sampling(steps=50),
            Sampling(steps=6),
            "The published settings: 88 and 11 evaluations of the networks, nothing left out.",
        ),
    }
)
"""By name, fastest first. A seed means the same object in each only as far as the walks agree."""

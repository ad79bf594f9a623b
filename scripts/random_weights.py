# SPDX-License-Identifier: GPL-3.0-or-later
"""Random values for networks of any kind, of a scale with which they compute finite numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from torch import Tensor, nn


def randomised(network: nn.Module, random: torch.Generator) -> dict[str, Tensor]:
    """Random values for every tensor of a network, in its dtype; buffers that are computed stay as they are."""
    computed = {"pos_emb"}
    return {
        name: tensor
        if name in computed or not tensor.is_floating_point()
        else random_values(name, tensor.shape, random, tensor.dtype)
        for name, tensor in network.state_dict().items()
    }


def random_values(name: str, shape: torch.Size, random: torch.Generator, dtype: torch.dtype = torch.float32) -> Tensor:
    """Weights that keep the scale of what goes through them; norms near one, variances positive, biases small."""
    values = torch.randn(shape, generator=random)
    if name.endswith("running_var"):
        values = values.abs() + 0.5
    elif name.endswith(("gamma", "lambda1")) or (len(shape) == 1 and name.endswith("weight")):
        values = 1 + 0.1 * values
    elif len(shape) > 1:
        values = values / max(1, values[0].numel()) ** 0.5
    else:
        values = 0.1 * values
    return values.to(dtype)

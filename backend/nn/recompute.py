# SPDX-License-Identifier: GPL-3.0-or-later
"""Trades time for memory in training: parts that are computed again when their gradients are wanted."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint


def recomputing(part: Callable[..., Tensor], *inputs: Any) -> Tensor:  # noqa: ANN401  whatever the part takes
    """The result of `part`, of which only the inputs are kept for the gradients (Chen et al. 2016).

    The part draws nothing at random. Without gradients it is just called.
    """
    if not torch.is_grad_enabled():
        return part(*inputs)
    return checkpoint(part, *inputs, use_reentrant=False, preserve_rng_state=False)

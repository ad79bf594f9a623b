# SPDX-License-Identifier: GPL-3.0-or-later
"""How many blocks of a transformer are computed again for their gradients, so that the rest fits into a budget.

The published training fits a line to the memory of earlier steps; what a block keeps is counted here instead.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn


def kept_bytes(network: nn.Module, call: Callable[[], Tensor]) -> int:
    """How many bytes autograd keeps for the gradients of `call`, the weights of `network` not counted."""
    weights = {parameter.untyped_storage().data_ptr() for parameter in network.parameters()}
    sizes: dict[int, int] = {}
    alive: list[Tensor] = []  # so that no address is used twice

    def pack(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in weights:
            sizes[storage.data_ptr()] = storage.nbytes()
            alive.append(tensor)
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor), torch.enable_grad():
        call()
    return sum(sizes.values())


def blocks_to_recompute(blocks: int, kept: int, kept_recomputed: int, budget: int) -> int:
    """The least number of blocks to compute again so that all keep at most `budget` bytes; all, if none suffices.

    kept, kept_recomputed: bytes that a block keeps, and that it keeps if it is computed again: its input.
    """
    for count in range(blocks):
        if (blocks - count) * kept + count * kept_recomputed <= budget:
            return count
    return blocks

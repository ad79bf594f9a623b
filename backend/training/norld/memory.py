# SPDX-License-Identifier: GPL-3.0-or-later
"""How many blocks of a transformer are computed again for their gradients, so that the rest fits into a budget.

The published training fits a line to the memory of earlier steps; what a block keeps is counted here instead.
"""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from ...nn.attention import goes_by_products, torchs_own
from ...nn.transformer import DiffusionTransformer, ModulatedBlock

TRIED = 64  # tokens that a block is tried with


def recompute_within(network: DiffusionTransformer, lengths: Sequence[int], context: int, budget: int) -> int:
    """Lets the blocks of `network` keep at most `budget` bytes. Returns how many are recomputed.

    lengths: each object's tokens. context: tokens of its picture. Layers around the transformer, the pictures' keys and
    values, weights and their gradients are not counted.
    """
    block = network.blocks[0]
    if not isinstance(block, ModulatedBlock):
        raise TypeError("a diffusion transformer is made of modulated blocks")
    weight = block.self_attn.to_out.weight
    channels, tokens = len(weight), sum(lengths)
    kept = kept_by_block(block) * tokens // TRIED
    if goes_by_products(weight.device, weight.dtype, gradients=True):
        scores = block.self_attn.heads * sum(length * (length + context) for length in lengths)
        kept += scores * (4 + (weight.element_size() if weight.dtype != torch.float32 else 0))  # softmax, and rounded
    again = tokens * channels * weight.element_size()
    network.recomputed = blocks_to_recompute(len(network.blocks), kept, again, budget)
    return network.recomputed


def kept_by_block(block: ModulatedBlock) -> int:
    """How many bytes a block keeps for the gradients of `TRIED` tokens; the more tokens, the more in proportion.

    With torch's own attention, which keeps no scores, whatever device the block is on.
    """
    weight = block.self_attn.to_out.weight
    channels = len(weight)
    x = weight.new_zeros(1, TRIED, channels).requires_grad_()
    modulation = weight.new_zeros(1, 1, 6 * channels).requires_grad_()
    context = block.context(weight.new_zeros(1, 1, block.cross_attn.to_kv.in_features))
    with torchs_own():
        return kept_bytes(block, lambda: block(x, modulation, context))


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

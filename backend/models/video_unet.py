# SPDX-License-Identifier: GPL-3.0-or-later
"""One evaluation of the network that denoises all frames of an orbit together (Blattmann et al. 2023).

Frames are folded into the batch, item by item. Each row has a conditioning vector of its own: in Hi3D the frames of an
item share one, in SV3D each has one that says where its camera is. Diffusers' own forward knows vectors by item only.
"""

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from ..nn.layers import joined

if TYPE_CHECKING:
    from diffusers.models.unets.unet_spatio_temporal_condition import UNetSpatioTemporalConditionModel


def predict(
    network: "UNetSpatioTemporalConditionModel",
    sample: Tensor,
    timestep: Tensor,
    context: Tensor,
    vector: Tensor,
    frames: int,
) -> Tensor:
    """The network's answer for every row, (R, 4, h, w) in the dtype of `sample`, whose R rows are items of `frames`.

    sample (R, C, h, w): the scaled noisy latents, and behind them what they are conditioned on. timestep (R,): the
    network's measure of the noise. context (R, 1, K): a token a frame; where frames see each other, it is that of the
    item's first. vector (R, A).
    """
    unet: Any = network
    dtype = next(network.parameters()).dtype
    h = unet.conv_in(sample.to(dtype))
    waves = unet.time_proj(timestep).to(dtype)
    embedding = unet.time_embedding(waves) + unet.add_embedding(vector.to(dtype))
    seen = {
        "temb": embedding,
        "image_only_indicator": torch.zeros(len(h) // frames, frames, dtype=dtype, device=h.device),
    }
    attended = {**seen, "encoder_hidden_states": context.to(dtype)}
    skipped: tuple[Tensor, ...] = (h,)
    for block in unet.down_blocks:
        h, more = block(hidden_states=h, **(attended if _has_attention(block) else seen))
        skipped += more
    h = unet.mid_block(hidden_states=h, **attended)
    for block in unet.up_blocks:
        layers = len(block.resnets)
        taken, skipped = skipped[-layers:], skipped[:-layers]
        # A level with an odd side was rounded up on the way down.
        size = skipped[-1].shape[-2:] if skipped else None
        h = block(
            hidden_states=h,
            res_hidden_states_tuple=taken,
            upsample_size=size,
            **(attended if _has_attention(block) else seen),
        )
    return unet.conv_out(unet.conv_act(unet.conv_norm_out(h))).to(sample.dtype)


class ChunkedFeedForward(nn.Module):
    """A transformer's feed-forward that takes so few tokens at once that it holds at most `largest` hidden numbers.

    All tokens of a level have eight hidden numbers for each channel, more than anything else that the network holds.
    """

    def __init__(self, whole: nn.Module, hidden: int, largest: int) -> None:
        super().__init__()
        self.whole = whole
        self.rows = max(1, largest // hidden)

    def forward(self, tokens: Tensor) -> Tensor:
        """The same as `whole` on `tokens` (..., C)."""
        flat = tokens.reshape(-1, tokens.shape[-1])
        parts = (self.whole(part) for part in flat.split(self.rows))
        return joined(parts, torch.empty_like(flat)).view(tokens.shape)


def in_chunks(network: "UNetSpatioTemporalConditionModel", largest: int) -> "UNetSpatioTemporalConditionModel":
    """The network with every feed-forward in chunks of at most `largest` hidden numbers. It keeps its results."""
    for part in list(network.modules()):
        for name in ("ff", "ff_in"):
            block: Any = part
            whole = getattr(block, name, None)
            if isinstance(whole, nn.Module) and not isinstance(whole, ChunkedFeedForward):
                found: Any = whole
                setattr(block, name, ChunkedFeedForward(whole, found.net[0].proj.out_features, largest))
    return network


def _has_attention(block: object) -> bool:
    return bool(getattr(block, "has_cross_attention", False))

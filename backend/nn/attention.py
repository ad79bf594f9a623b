# SPDX-License-Identifier: GPL-3.0-or-later
"""Scaled dot-product attention by the kernel that suits the device.

Nearly everywhere torch's own choice is the best one. On NVIDIA's Pascal cards (compute capability 6) it falls to a
kernel without tensor cores in mind that is an order of magnitude slower than two matrix products and a softmax.
"""

from functools import cache

import torch
from torch import Tensor
from torch.nn import functional

_LARGEST_SCORES = 2**28  # elements of one chunk of the scores where they are written out: 1 GiB in float32


def attend(q: Tensor, k: Tensor, v: Tensor, present: Tensor | None = None) -> Tensor:
    """softmax(q kᵀ / sqrt(D)) v for every batch item and head (Vaswani et al. 2017, formula 1).

    `q` (B, Lq, H, D), `k` and `v` (B or 1, Lk, H, D), where one item serves all; of one floating dtype and device.
    `present` bool (B, Lk) says which keys there are, at least one in each item; None is all of them.
    Returns (B, Lq, H, D) in that dtype.
    """
    mask = None if present is None else present[:, None, None]  # (B, 1, 1, Lk)
    # The fast kernels want one size of batch: spelled out, sharing costs nothing; left to broadcasting, it loses them.
    q, k, v = (x.expand(len(q), -1, -1, -1).transpose(1, 2) for x in (q, k, v))  # (B, H, L, D)
    if _prefers_products(q.device):
        mixed = attend_by_products(q, k, v, mask)
    else:
        mixed = functional.scaled_dot_product_attention(q, k, v, attn_mask=mask)
    return mixed.transpose(1, 2)


def attend_by_products(
    q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None = None, largest: int = _LARGEST_SCORES
) -> Tensor:
    """The same as two matrix products and a softmax in float32, on `q` (B, H, Lq, D), `k` and `v` (B, H, Lk, D).

    `mask` bool (B, 1, 1, Lk) says which keys there are. Queries are taken in chunks, so that no more than `largest`
    scores are held at once (at least one query's).
    """
    batch, heads, _, channels = q.shape
    rows = max(1, largest // max(1, batch * heads * k.shape[2]))
    keys = k.transpose(-1, -2)
    # Scaling the queries, not the scores, keeps half precision from overflowing.
    mixed: list[Tensor] = []
    for chunk in (q * channels**-0.5).split(rows, dim=2):
        scores = chunk @ keys
        if mask is not None:
            scores = scores.masked_fill(~mask, -torch.inf)
        mixed.append(scores.softmax(-1, dtype=torch.float32).to(v.dtype) @ v)
    return torch.cat(mixed, dim=2)


@cache
def _prefers_products(device: torch.device) -> bool:
    if device.type != "cuda" or torch.version.hip:
        return False
    return torch.cuda.get_device_capability(device)[0] == 6

# SPDX-License-Identifier: GPL-3.0-or-later
"""Scaled dot-product attention by the kernel that suits the device.

On nearly all devices torch's own choice is the best one. On NVIDIA's Pascal cards (compute capability 6), which have no
tensor cores, it takes a kernel that is an order of magnitude slower than two matrix products and a softmax; and on a
CPU the gradients of its kernel for bfloat16 take several times as long as theirs.
"""

from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache

import torch
from torch import Tensor
from torch.nn import functional

_LARGEST_SCORES = 2**28  # elements of a chunk of scores that is held in memory: 1 GiB in float32
_TORCHS_OWN = ContextVar("torchs_own", default=False)


def attend(q: Tensor, k: Tensor, v: Tensor, present: Tensor | None = None) -> Tensor:
    """softmax(q kᵀ / sqrt(D)) v for every batch item and head (Vaswani et al. 2017, formula 1).

    `q` (B, Lq, H, D), `k` and `v` (B or 1, Lk, H, D), one item for the whole batch; of one floating dtype and device.
    `present` bool (B, Lk): which keys exist, at least one in each item; None means all.
    Returns (B, Lq, H, D) in that dtype.
    """
    mask = None if present is None else present[:, None, None]  # (B, 1, 1, Lk)
    # The fast kernels need one batch size: expanding costs nothing, but broadcasting would select slow kernels.
    q, k, v = (x.expand(len(q), -1, -1, -1).transpose(1, 2) for x in (q, k, v))  # (B, H, L, D)
    if goes_by_products(q.device, q.dtype, gradients=q.requires_grad):
        mixed = attend_by_products(q, k, v, mask)
    else:
        mixed = functional.scaled_dot_product_attention(q, k, v, attn_mask=mask)
    return mixed.transpose(1, 2)


def attend_by_products(
    q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None = None, largest: int = _LARGEST_SCORES
) -> Tensor:
    """The same as two matrix products and a softmax in float32, on `q` (B, H, Lq, D), `k` and `v` (B, H, Lk, D).

    `mask` bool (B, 1, 1, Lk): which keys exist. Queries are taken in chunks, so that at most `largest` scores are held
    at once (but at least those of one query).
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


def goes_by_products(device: torch.device, dtype: torch.dtype, *, gradients: bool) -> bool:
    """Whether `attend` takes two matrix products there, so that all scores are kept for the gradients."""
    if _TORCHS_OWN.get():
        return False
    return _prefers_products(device) or (gradients and dtype == torch.bfloat16 and device.type == "cpu")


@contextmanager
def torchs_own() -> Generator[None]:
    """Inside the context `attend` takes torch's own kernels on every device: what they keep can be counted on a CPU."""
    before = _TORCHS_OWN.set(True)
    try:
        yield
    finally:
        _TORCHS_OWN.reset(before)


@cache
def _prefers_products(device: torch.device) -> bool:
    if device.type != "cuda" or torch.version.hip:
        return False
    return torch.cuda.get_device_capability(device)[0] == 6

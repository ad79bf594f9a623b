# SPDX-License-Identifier: GPL-3.0-or-later
"""Attention among voxels: of all of an object's, or of those that share a window.

An object's voxels attend to each other as a sequence as long as the object; objects of different sizes go one at a
time. Shifted windows (Swin; Liu et al. 2021) hold from one to some hundred voxels each. Windows of similar sizes are
padded to the same number of voxels and go together; the padding is masked.
"""

import torch
from torch import Tensor

from .attention import attend
from .sparse import Windows
from .transformer import SelfAttention


class WindowAttention(SelfAttention):
    """Multi-head attention of each voxel to those in its window."""

    def __init__(self, channels: int, heads: int, *, qk_rms_norm: bool = False) -> None:
        super().__init__(channels, heads, qk_rms_norm=qk_rms_norm)

    def forward(self, x: Tensor, windows: list[Windows]) -> Tensor:  # pyright: ignore[reportIncompatibleMethodOverride]  not for dense tokens
        """Mixes `x` (N, C) within `windows`, which hold each of the N voxels once."""
        q, k, v = self.to_qkv(x).unflatten(-1, (3, self.heads, -1)).unbind(1)  # (N, H, D) each
        mixed = attend_in_windows(self.q_rms_norm(q), self.k_rms_norm(k), v, windows)
        return self.to_out(mixed.flatten(1))


def attend_in_windows(q: Tensor, k: Tensor, v: Tensor, windows: list[Windows]) -> Tensor:
    """Scaled dot-product attention of `q`, `k` and `v` (N, H, D) within `windows`: (N, H, D)."""
    mixed = torch.empty_like(v)
    for group in windows:
        queries, keys, values = (x[group.rows] for x in (q, k, v))  # (W, L, H, D) each
        among = attend(queries, keys, values, group.present if group.padded else None)
        mixed[group.rows.flatten()[group.slots]] = among.flatten(0, 1)[group.slots]
    return mixed

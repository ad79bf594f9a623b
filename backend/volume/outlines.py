# SPDX-License-Identifier: GPL-3.0-or-later
"""How far the pixels of cut-outs are from the outlines."""

import torch
from torch import Tensor

from ..raster.ticks import Poll, unwatched

_EDGE = (0.02, 0.98)  # the coverage of pixels that an outline passes


def outlines(alpha: Tensor, poll: Poll = unwatched) -> Tensor:
    """The signed distance of every pixel's middle to the outline, in pixels, negative in the object: as `alpha`.

    alpha: float32 (N, H, W), coverage in [0, 1]. Exact from pixel to pixel (Felzenszwalb and Huttenlocher, "Distance
    Transforms of Sampled Functions", 2012), and at the outline itself as coverage tells it. All of an empty picture is
    outside and of a full one inside, by its height and width together.
    """
    inside = alpha >= 0.5
    signed = (_to_nearest(inside, poll) - 0.5).clamp_min(0) - (_to_nearest(~inside, poll) - 0.5).clamp_min(0)
    edge = (signed.abs() <= 0.5) & (alpha > _EDGE[0]) & (alpha < _EDGE[1])
    return torch.where(edge, 0.5 - alpha, signed)


def _to_nearest(targets: Tensor, poll: Poll) -> Tensor:
    """The distance of every pixel to the nearest target in its picture, bool (N, H, W): float32, at most H + W."""
    _, height, width = targets.shape
    far = float(height + width)
    rows, columns = (torch.arange(size, device=targets.device, dtype=torch.float32) for size in (height, width))
    along = (columns[:, None] - columns) ** 2
    down = (rows[:, None] - rows) ** 2
    results: list[Tensor] = []
    for picture in targets:  # row by row, as each takes its width times its own memory
        poll()
        squares = torch.where(picture, 0.0, far**2)
        squares = torch.stack([(row + along).amin(dim=1) for row in squares])
        squares = torch.stack([(column + down).amin(dim=1) for column in squares.T], dim=1)
        results.append(squares.clamp_max(far**2).sqrt())
    return torch.stack(results)

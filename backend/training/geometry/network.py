# SPDX-License-Identifier: GPL-3.0-or-later
"""The sheet network: a U-Net over a normal map that answers with a front, a thickness behind it, and a pose.

    front = z + a o1,   thickness = softplus((2 h + a o2) / s) s,   back = blur(front) - thickness

with z and h as `geometry.features` says, o1 and o2 what the network adds, blurred by a binomial over 3 x 3 pixels, so
that its head's blocks do not show. The back hangs on the blurred front, so that the front's relief does not show on it.
The thickness is a quantile of what is plausible: the network sees which one. The pose is what is up, how wrong that is
expected to be, and how near the eye is. It is read from the means of all features, fine and coarse, and from where they
lie: the normals of a level surface say what is up, and fine features tell which surfaces are level.

`backend.geometry.network` runs the same network in numpy. A change here is a change there.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from ...geometry.features import CHANNELS, MASK, H, Z
from ...geometry.network import BLOCK, BLUR, LEAK, SCALE, SOFT
from ..core.layers import Decoder, Encoder
from .config import Widths


class Sheets(NamedTuple):
    """Float32. front, thickness, back: (N, 1, S, S), without meaning off the mask. up: (N, 3). nearness, doubt: (N,).

    Lengths are those of `Views`. doubt: the distance that is expected between `up` and what is up, unit vectors.
    """

    front: Tensor
    thickness: Tensor
    back: Tensor
    up: Tensor
    nearness: Tensor
    doubt: Tensor


class SheetNetwork(nn.Module):
    """An encoder and a decoder over blocks of 2 x 2 pixels, and a reading of what is up from the encoder's features."""

    def __init__(self, widths: Widths) -> None:
        super().__init__()
        channels = widths.channels
        self.encoder = Encoder((CHANNELS + 1) * BLOCK**2, channels, widths.encoder)
        self.decoder = Decoder(channels, widths.decoder, 2 * BLOCK**2)
        self.pose = nn.Sequential(
            nn.Linear(3 * sum(channels), widths.pose), nn.LeakyReLU(LEAK), nn.Linear(widths.pose, 5)
        )

    def forward(self, planes: Tensor, quantile: Tensor) -> tuple[Tensor, Tensor]:
        """Return o1 and o2, (N, 2, S, S), and the pose: up, the nearness and the doubt, (N, 5).

        planes: (N, 8, S, S), see `geometry.features.see`. quantile: (N,), in (0, 1).
        """
        wanted = (2 * quantile - 1)[:, None, None, None].expand(-1, 1, *planes.shape[2:])
        features = self.encoder(functional.pixel_unshuffle(torch.cat([planes, wanted], dim=1), BLOCK))
        answer = functional.pixel_shuffle(self.decoder(features), BLOCK)
        return answer, self.pose(torch.cat([_moments(level) for level in features], dim=1))


def _moments(features: Tensor) -> Tensor:
    """Return the means of features, (N, C, S, S), and of these times x and times y, downwards, normed: (N, 3 C)."""
    features = features.float()
    place = torch.linspace(-1, 1, features.shape[-1], device=features.device, dtype=features.dtype)
    means = features.mean(dim=(2, 3)), (features * place).mean(dim=(2, 3)), (features * place[:, None]).mean(dim=(2, 3))
    pooled = torch.cat(means, dim=1)
    return functional.layer_norm(pooled, pooled.shape[1:])


def sheets(planes: Tensor, answer: Tensor, pose: Tensor) -> Sheets:
    """Turn what the network answers into sheets. planes: (N, 8, S, S), float32, with what the network saw."""
    o1, o2 = _blurred(answer.float(), BLUR).split(1, dim=1)
    mask, z, h = (planes[:, k : k + 1].float() for k in (MASK, Z, H))
    front = z + SCALE * o1
    thickness = functional.softplus((2 * h + SCALE * o2) / SOFT) * SOFT
    return Sheets(
        front, thickness, hang(front, mask) - thickness, pose[:, :3].float(), pose[:, 3].float(), pose[:, 4].float()
    )


def hang(front: Tensor, mask: Tensor) -> Tensor:
    """Return the front, (N, 1, S, S), blurred within the mask: what a back hangs on."""
    return _blurred(front * mask, BLUR) / _blurred(mask, BLUR).clamp(min=1e-6)


def _blurred(image: Tensor, times: tuple[int, ...]) -> Tensor:
    """Blur by binomials over 3 x 3 pixels, so and so many pixels apart, with zeros beyond the border."""
    count, channels, height, width = image.shape
    x = image.reshape(count * channels, 1, height, width)
    for apart in times:
        rows = functional.pad(x, (0, 0, apart, apart))
        x = (rows[:, :, : -2 * apart] + 2 * rows[:, :, apart:-apart] + rows[:, :, 2 * apart :]) / 4
        columns = functional.pad(x, (apart, apart))
        x = (columns[..., : -2 * apart] + 2 * columns[..., apart:-apart] + columns[..., 2 * apart :]) / 4
    return x.reshape(image.shape)

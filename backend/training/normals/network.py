# SPDX-License-Identifier: GPL-3.0-or-later
"""The small network: NiRNE's two streams (Hi3DGen, section 3.1) as a convolutional network of a few million parameters.

The clean stream sees the picture at half its size and goes deep: it is there for the low frequencies. The noisy stream
is narrow, sees the picture at its full size, in training with noise over it, and is there for the high ones: noise
drowns a picture's low amplitudes first, which are its high frequencies, so that learning weighs them most. Its features
join the clean stream's as a ControlNet's do, through 1 x 1 convolutions that start at zero, before the one decoder.

`backend.normals.network` runs the same network in numpy. A change here is a change there.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from ...normals.features import GRID
from ..core.layers import Decoder, Encoder, zero
from .config import Small


class DualStream(nn.Module):
    """The clean stream, the noisy stream, what joins them, the decoder."""

    CLEAN = ("clean.",)

    def __init__(self, widths: Small) -> None:
        super().__init__()
        picture = 4 * GRID**2
        self.dual = widths.dual
        self.clean = Encoder(picture + 3 * 4, widths.clean, widths.clean_blocks)
        self.noisy = Encoder(picture, widths.noisy, widths.noisy_blocks)
        decoder = (widths.noisy[0], *widths.clean)
        self.joints = nn.ModuleList(
            nn.Conv2d(*pair, 1) for pair in zip(widths.noisy, decoder[: len(widths.noisy)], strict=True)
        )
        for joint in self.joints[1:]:
            zero(joint)
        self.decoder = Decoder(decoder, widths.decoder_blocks, 3 * GRID**2)

    def forward(self, picture: Tensor, inflated: Tensor, noise: Tensor | None = None) -> Tensor:
        """Return normals that are yet to be made unit length.

        picture: (N, 4, H, W), H and W multiples of `Small.multiple`, as `features.standardise` makes it. inflated:
        (N, 3, H / GRID, W / GRID), as `features.inflate` makes it. noise: (N, 3, H, W), added to the colours that the
        noisy stream sees; None is no noise. Returns (N, 3, H, W), camera space, x right, y up, z to the viewer.
        """
        noised = picture if noise is None else torch.cat([picture[:, :3] + noise, picture[:, 3:]], dim=1)
        halved = functional.avg_pool2d(picture if self.dual else noised, 2)
        structure = torch.cat(
            [functional.pixel_unshuffle(halved, GRID), functional.pixel_unshuffle(inflated, 2)], dim=1
        )
        clean = self.clean(structure)
        noisy = self.noisy(functional.pixel_unshuffle(noised, GRID))
        joined = [joint(features) for joint, features in zip(self.joints, noisy, strict=True)]
        for level, features in enumerate(clean):
            if level + 1 < len(joined):
                joined[level + 1] = joined[level + 1] + features
            else:
                joined.append(features)
        base = functional.interpolate(inflated, scale_factor=GRID, mode="bilinear", align_corners=False)
        return base + functional.pixel_shuffle(self.decoder(joined), GRID).float()

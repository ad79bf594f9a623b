# SPDX-License-Identifier: GPL-3.0-or-later
"""The cut-out network: a U-Net over blocks of 4 x 4 pixels that says how surely each pixel is the object's.

`backend.foreground.network` runs the same network in numpy. A change here is a change there.
"""

from torch import Tensor, nn
from torch.nn import functional

from ...foreground.features import CHANNELS
from ...foreground.network import BLOCK
from ..core.layers import Decoder, Encoder
from .config import Widths


class CutoutNetwork(nn.Module):
    """An encoder and a decoder. It begins with the answer 0: as likely as not."""

    def __init__(self, widths: Widths) -> None:
        super().__init__()
        self.encoder = Encoder(CHANNELS * BLOCK**2, widths.channels, widths.encoder)
        self.decoder = Decoder(widths.channels, widths.decoder, BLOCK**2)

    def forward(self, planes: Tensor) -> Tensor:
        """Return logits, (N, 1, H, W). planes: (N, 8, H, W), see `foreground.features.see`."""
        features = self.encoder(functional.pixel_unshuffle(planes, BLOCK))
        return functional.pixel_shuffle(self.decoder(features), BLOCK)

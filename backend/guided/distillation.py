# SPDX-License-Identifier: GPL-3.0-or-later
"""How far a rendering is from what the network makes of it (Yu et al., HiFi-123, 2023, section 3.2).

With the noise e that the network sees in the view's latent x at a level, the paper compares x with the rendering's
latent z that gets the same noise: |sqrt(a) z + sqrt(1 - a) e - x|^2. That is a |z - c|^2, with c the clean latent
behind x, as the noise cancels. The network is asked beforehand: it is not differentiated, but only the VAE's encoder.
"""

from torch import Tensor


def distance(rendered: Tensor, clean: Tensor, alpha_bar: Tensor) -> Tensor:
    """The loss, a sum over the latent, that can be differentiated by the rendering's latent `rendered` (B, 4, h, w).

    clean: the clean latent behind the view's at a level, alike, see `sampling.Step`. alpha_bar: that level's, ().
    """
    return alpha_bar * (rendered - clean).square().sum()

# SPDX-License-Identifier: GPL-3.0-or-later
"""What a variational encoder says of its latents: a normal distribution for each number (Kingma and Welling 2014)."""

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class Posterior:
    """The mean and the logarithm of the variance of every latent, float32 of one shape."""

    mean: Tensor
    logvar: Tensor

    def sample(self, noise: Tensor) -> Tensor:
        """Latents as training draws them, from standard normal `noise` of the same shape (reparameterised)."""
        return self.mean + (0.5 * self.logvar).exp() * noise

    def divergence(self) -> Tensor:
        """The Kullback-Leibler divergence from the standard normal distribution, (): the mean over all latents."""
        return 0.5 * (self.mean.square() + self.logvar.exp() - self.logvar - 1).mean()


def posterior(moments: Tensor) -> Posterior:
    """The distribution from an encoder's last layer (N, 2 C, ...): first means, then logarithms of variances."""
    mean, logvar = moments.chunk(2, dim=1)
    return Posterior(mean, logvar)

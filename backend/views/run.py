# SPDX-License-Identifier: GPL-3.0-or-later
"""One run of a model of views: its networks in turn, from a picture to the frames around the object."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import torch
from torch import Tensor

from ..flow.products import Camera, Noted, Picture, Report, Views, noted
from ..models.clip_pixels import clip_pixels
from ..models.clip_tower import features
from ..models.frame_latents import decoded, image_latents
from ..models.video_sampler import Change, Condition, Evaluate, sample_views
from ..models.video_unet import predict
from ..models.view_pictures import opaque, to_colours
from ..nn.checks import require_finite
from ..nn.device import Compute
from .conversion import Converted
from .model import Model
from .runner import Runner

T = TypeVar("T")
_LATENT = 8  # pixels of a latent's side


@dataclass(frozen=True)
class Run:
    """A run of a `model`, whose converted parts are `there`, on a device.

    notes: what the artist should know of how it went; the networks add to them.
    """

    runner: Runner
    model: Model
    there: Converted
    compute: Compute
    notes: list[str] = field(default_factory=list[str])

    def use(self, part: str, work: Callable[[Any, Report], T], report: Report, following: str = "") -> T:
        """The result of `work` with the network of a part, while that of the `following` part is read."""
        after = f"{self.model.name} {following}" if following else ""
        return self.runner.use(f"{self.model.name} {part}", self.compute, work, report, self.notes, following=after)

    def noise(self, generator: torch.Generator) -> Tensor:
        """Noise for the latents of all frames, drawn on the CPU."""
        side = self.there.side // _LATENT
        return torch.randn(self.there.frames, 4, side, side, generator=generator)

    def token(self, picture: Tensor, report: Report, following: str) -> Tensor:
        """CLIP's token (1, 1, K) of a picture (1, 3, H, W) in [-1, 1]."""

        def see(network: Any, _: Report) -> Tensor:  # noqa: ANN401
            return features(network, clip_pixels(picture.to(self.compute.device)))[:, None]

        return self.use("clip", see, report, following)

    def picture_latents(self, frames: Tensor, report: Report, following: str) -> Tensor:
        """The latents (N, 4, h, w) that condition the network, of frames (N, 3, H, W)."""

        def encode(network: Any, report: Report) -> Tensor:  # noqa: ANN401
            return image_latents(network, frames.to(self.compute.device), report)

        return self.use("encoder", encode, report, following)

    def condition(self, token: Tensor, concat: Tensor, vector: Tensor) -> Condition:
        """The condition of all frames; what is the same for all comes once, and is not copied."""
        frames = self.there.frames
        return Condition(
            token.expand(frames, -1, -1),
            concat.expand(frames, -1, -1, -1),
            vector.to(self.compute.device).expand(frames, -1),
        )

    def sampled(
        self,
        noise: Tensor,
        condition: Condition,
        guidance: Tensor,
        steps: int,
        report: Report,
        change: Change = lambda _step, x, _sigma: x,
    ) -> Tensor:
        """The latents of all frames, see `sample_views`."""

        def sample(network: Any, report: Report) -> Tensor:  # noqa: ANN401
            evaluate = _evaluation(network, self.there.frames)
            return sample_views(evaluate, noise, condition, guidance, steps, report, change)

        return require_finite(self.use("unet", sample, report, "vae"), "network of the frames")

    def decoded(self, latents: Tensor, report: Report) -> Picture:
        """The frames' colours, uint8 (N, H, W, 3)."""
        frames = self.use("vae", lambda network, report: decoded(network, latents, report), report)
        return to_colours(require_finite(frames, "autoencoder"))

    def views(self, colours: Picture, cameras: Sequence[Camera]) -> Views | Noted:
        """The product, with the notes if there are any."""
        return noted(Views(opaque(colours), tuple(cameras)), self.notes)


def _evaluation(network: Any, frames: int) -> Evaluate:  # noqa: ANN401  diffusers' class
    """How the sampler asks the network of the frames."""

    def evaluate(sample: Tensor, timestep: Tensor, condition: Condition) -> Tensor:
        return predict(network, sample, timestep, condition.context, condition.vector, frames)

    return evaluate

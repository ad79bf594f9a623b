# SPDX-License-Identifier: GPL-3.0-or-later
"""NiRNE at its published size: two streams and a decoder that are Stable Diffusion 2.1's UNet, in its latent space.

The clean stream is the UNet's encoder, the decoder is the UNet's decoder, the noisy stream a ControlNet, a copy of the
encoder that joins through zero convolutions; its latent and its hint are the picture with noise over it. It is
regression in one step: the timestep is 0, the text is zeros (Hi3DGen, section 3.1; StableNormal, Ye et al. 2024).

What it starts from is any folder of a Stable Diffusion 2 in diffusers' layout: `vae` and `unet`.
"""

import shutil
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from ...errors import UserError
from ...safe_files import unfinished
from .config import Large

_CODE_CHANNELS = 4
_WORDS = 2  # of the text that says nothing


class LatentDualStream(nn.Module):
    """The autoencoder, which stays as it is, the UNet and the ControlNet."""

    CLEAN = ("unet.conv_in.", "unet.time_embedding.", "unet.down_blocks.", "unet.mid_block.")

    def __init__(self, sizes: Large) -> None:
        super().__init__()
        autoencoder, unet, control = _classes()
        self.text_channels = sizes.text_channels
        self.dual = sizes.dual
        levels = len(sizes.channels)
        self.vae: Any = autoencoder(
            block_out_channels=sizes.code_widths,
            down_block_types=("DownEncoderBlock2D",) * len(sizes.code_widths),
            up_block_types=("UpDecoderBlock2D",) * len(sizes.code_widths),
            layers_per_block=2,
            latent_channels=_CODE_CHANNELS,
        )
        self.vae.requires_grad_(requires_grad=False)
        self.unet: Any = unet(
            block_out_channels=sizes.channels,
            down_block_types=("CrossAttnDownBlock2D",) * (levels - 1) + ("DownBlock2D",),
            up_block_types=("UpBlock2D",) + ("CrossAttnUpBlock2D",) * (levels - 1),
            attention_head_dim=tuple(width // sizes.head_channels for width in sizes.channels),
            cross_attention_dim=sizes.text_channels,
            use_linear_projection=True,
        )
        self.noisy: Any = control.from_unet(self.unet)

    def forward(self, picture: Tensor, inflated: Tensor, noise: Tensor | None = None) -> Tensor:  # noqa: ARG002
        """Do as `network.DualStream.forward`; the inflated outline is not looked at. Sides are multiples of 64."""
        clean = picture[:, :3] / 3
        noised = clean if noise is None else clean + noise / 3
        text = clean.new_zeros((len(clean), _WORDS, self.text_channels))
        down, middle = self.noisy(self._code(noised), 0, text, noised, return_dict=False)
        code = self.unet(
            self._code(clean if self.dual else noised),
            0,
            text,
            down_block_additional_residuals=down,
            mid_block_additional_residual=middle,
        ).sample
        return self.vae.decode(code / self.vae.config.scaling_factor).sample

    def _code(self, colours: Tensor) -> Tensor:
        return self.vae.encode(colours.clamp(-1, 1)).latent_dist.mode() * self.vae.config.scaling_factor

    def start(self, folder: Path) -> None:
        """Take the autoencoder and the UNet from a folder; the noisy stream begins as a copy of the clean one.

        Raises UserError if they are missing or of another size.
        """
        autoencoder, unet, control = _classes()
        try:
            for part, kind, name in ((self.vae, autoencoder, "vae"), (self.unet, unet, "unet")):
                part.load_state_dict(kind.from_pretrained(folder, subfolder=name, local_files_only=True).state_dict())
        except (OSError, ValueError, RuntimeError) as error:
            raise UserError(
                "bad-start",
                f"The folder {folder} holds no Stable Diffusion of this configuration's size.",
                "Give a folder with vae and unet in diffusers' layout.",
            ) from error
        self.noisy.load_state_dict(control.from_unet(self.unet).state_dict())

    def write(self, folder: Path) -> None:
        """Write the three networks in diffusers' layout, beside and then in place of what is there."""
        beside = unfinished(folder)
        try:
            for name, part in (("vae", self.vae), ("unet", self.unet), ("controlnet", self.noisy)):
                part.save_pretrained(beside / name)
            if folder.exists():
                shutil.rmtree(folder)
            beside.rename(folder)
        finally:
            shutil.rmtree(beside, ignore_errors=True)


def _classes() -> tuple[Any, Any, Any]:
    from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL  # noqa: PLC0415
    from diffusers.models.controlnets.controlnet import ControlNetModel  # noqa: PLC0415
    from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel  # noqa: PLC0415

    return AutoencoderKL, UNet2DConditionModel, ControlNetModel
